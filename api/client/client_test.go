package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
)

// nobody gives the address of a port that nobody listens on any more.
func nobody(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return listener.Addr().String()
}

func TestNobodyListens(t *testing.T) {
	url := "http://" + nobody(t)
	c := New(url)
	_, err := c.Service(context.Background())
	if !errors.Is(err, ErrNoScheduler) ||
		!strings.HasPrefix(err.Error(), "no scheduler answers at "+url+": ") {
		t.Error(err)
	}
	if _, err := c.Stop(context.Background()); !errors.Is(err, ErrNoScheduler) {
		t.Error(err)
	}
}

// A read waits for a scheduler that is being started again.
func TestPatience(t *testing.T) {
	address := nobody(t)
	c := New("http://"+address, WithPatience(time.Minute))
	defer c.Close()
	answered := make(chan error, 1)
	go func() {
		_, err := c.Version(context.Background())
		answered <- err
	}()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"version":"1"}`) })}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

// Patience ends with the context.
func TestPatienceEnds(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := New("http://"+nobody(t), WithPatience(time.Hour)).Version(ctx)
	if err == nil {
		t.Error("somebody answered")
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := New("http://127.0.0.1:1").Plans(ctx)
	if !errors.Is(err, context.Canceled) || errors.Is(err, ErrNoScheduler) {
		t.Error(err)
	}
}

func TestNoAnswerInTime(t *testing.T) {
	asked, done := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-done
	}))
	defer server.Close()
	defer close(done)
	quick := &http.Client{Timeout: 50 * time.Millisecond}
	_, err := New(server.URL, WithHTTPClient(quick), WithPatience(time.Hour)).
		Pods(context.Background())
	<-asked
	if err == nil || !strings.Contains(err.Error(), "does not answer in time") {
		t.Error(err)
	}
}

// What is not a scheduler is told apart from one that says no.
func TestStrangeAnswers(t *testing.T) {
	for _, c := range []struct {
		status      int
		media, body string
		want        string
	}{
		{200, "text/html", "<html>", "reading the answer of"},
		{200, api.JSONType, `["deploy"]`, "reading the answer of"},
		{502, "text/html", "<html>", "/v2/service answered 502 Bad Gateway"},
		{302, "", "", "/v2/service answered 302 Found"},
		{500, api.ProblemType, "{", "/v2/service answered 500"},
		{503, api.ProblemType, `{"code":"unavailable","detail":"Not yet."}`, "Not yet."},
	} {
		server := httptest.NewServer(http.HandlerFunc(
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.media)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			}))
		_, err := New(server.URL).Service(context.Background())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d %s: %v, want %q", c.status, c.body, err, c.want)
		}
		server.Close()
	}
}

// A change is sent once, with its body and its type.
func TestChangesAreSentOnce(t *testing.T) {
	seen := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			seen <- fmt.Sprintf("%s %s %s %s", r.Method, r.RequestURI,
				r.Header.Get("Content-Type"), body)
			panic(http.ErrAbortHandler)
		}))
	c := New(server.URL, WithPatience(time.Minute))
	ctx := context.Background()
	if _, err := c.PlanCommand(ctx, "a b", api.VerbStart, "p", "k-0:[x, y]"); err == nil {
		t.Error("no error")
	}
	if _, err := c.SetTarget(ctx, "", "x: <y>", nil); err == nil {
		t.Error("no error")
	}
	server.Close()
	close(seen)
	for _, want := range []string{
		"POST /v1/plans/a%20b/start?phase=p&step=k-0%3A%5Bx%2C+y%5D application/json {}",
		`PUT /v2/service/target application/json {"spec":"x: \u003cy\u003e"}`,
		"", // nothing more
	} {
		if got := <-seen; got != want {
			t.Errorf("sent %q, want %q", got, want)
		}
	}
}
