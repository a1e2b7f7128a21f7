package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// wideView is a service of so many brokers, of which the first are deployed.
func wideView(count, deployed int) *scheduler.View {
	steps := make([]plans.Status, count)
	for i := range steps {
		steps[i] = plans.Pending
		if i < deployed {
			steps[i] = plans.Complete
		}
	}
	return recordedView(plans.InProgress, steps...)
}

// dial opens a connection to a server and sends something.
func dial(t testing.TB, base, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn
}

// Clients that dribble their headers or bodies, or do not read what they asked for, delay
// nobody else.
func TestSlowClients(t *testing.T) {
	base := serve(t, config(wideView(3000, 10), &machine{}))
	for range 100 {
		dial(t, base, "GET /v1/health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
		dial(t, base, "GET /v2/service HTTP/1.1\r\nHost: localhost\r\n\r\n")
		dial(t, base, "POST /v2/service/stop HTTP/1.1\r\nHost: localhost\r\n"+
			"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	}
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for range 50 {
		response, err := client.Get(base + "/v1/pod")
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s", response.Status)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	// The changes that dribble have all places; another one is told so and not kept waiting.
	response, err := client.Post(base+"/v2/service/start", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	if response.StatusCode != 503 || !strings.Contains(string(text), api.CodeBusy) ||
		response.Header.Get("Retry-After") != "1" {
		t.Errorf("%s %s", response.Status, text)
	}
}

// A place is left when the answer is made, and not when it is read.
func TestPlaceIsLeftEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd()
		handler := c.limit(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n := len(c.reads) + len(c.changes); n != 1 {
				t.Errorf("%d places are taken while the answer is made", n)
			}
			w.WriteHeader(http.StatusOK)
			if n := len(c.reads); n != 0 {
				t.Errorf("%d places are taken while it is read", n)
			}
			if n := len(c.changes); (n == 1) != (r.Method == "POST") {
				t.Errorf("%d places of changes are taken", n)
			}
		}))
		for _, method := range []string{"GET", "HEAD", "POST"} {
			handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, "/", nil))
		}
		if len(c.reads)+len(c.changes) != 0 {
			t.Error("a place was not given back")
		}
	})
}

// Who finds no place waits for a moment, and is then told to come back.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd()
		for range maxReads {
			c.reads <- struct{}{}
		}
		handler := c.limit(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
		}))
		began := time.Now()
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("GET", "/v2/service", nil))
		if w.Code != 503 || time.Since(began) != patience {
			t.Errorf("%d after %v", w.Code, time.Since(began))
		}
		go func() {
			time.Sleep(patience / 2)
			<-c.reads
		}()
		w = httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("GET", "/v2/service", nil))
		if w.Code != 200 {
			t.Errorf("%d", w.Code)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if take(ctx, make(chan struct{}), time.Hour) {
			t.Error("a place that there is not was taken")
		}
	})
}

// Large answers that nobody reads do not fill the memory.
func TestUnreadAnswers(t *testing.T) {
	c := newCrowd()
	c.unread.Store(maxUnread - 1)
	handler := c.limit(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusOK, api.JSONType, make([]byte, largeAnswer+1))
	}))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("GET", "/v2/service", nil))
	if w.Code != 503 || c.unread.Load() != maxUnread-1 {
		t.Errorf("%d, and %d are unread", w.Code, c.unread.Load())
	}
	c.unread.Store(0)
	w = httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("GET", "/v2/service", nil))
	if w.Code != 200 || c.unread.Load() != 0 {
		t.Errorf("%d, and %d are unread", w.Code, c.unread.Load())
	}
}

// Heavy answers leave a processor to others, and have their places back at the end (F35).
func TestHeavy(t *testing.T) {
	places := make(heavy, 1)
	handler := places.limit(func(w http.ResponseWriter, _ *http.Request, _ *scheduler.View) {
		if len(places) != 1 {
			t.Error("it has no place")
		}
		w.WriteHeader(http.StatusOK)
		if len(places) != 0 {
			t.Error("it keeps its place while it is read")
		}
	})
	r := httptest.NewRequest("GET", "/", nil)
	for range 3 {
		left := false
		p := &admitted{ResponseWriter: httptest.NewRecorder(), request: r, crowd: newCrowd()}
		p.whenMade(func() { left = true })
		handler(p, r, nil)
		if !left {
			t.Error("it kept the place of a small answer")
		}
	}
	if cap(newHeavy()) < 1 {
		t.Error("there is no place for heavy answers")
	}
}

// Connections beyond the limit are closed, and their places given back.
func TestConnections(t *testing.T) {
	s := NewHTTP(nil)
	closed := 0
	var conns []net.Conn
	for range maxConnections + 2 {
		c := countedConn{closed: &closed}
		conns = append(conns, c)
		s.ConnState(c, http.StateNew)
	}
	if closed != 2 {
		t.Errorf("%d connections were closed", closed)
	}
	for _, c := range conns[:3] {
		s.ConnState(c, http.StateActive)
		s.ConnState(c, http.StateClosed)
	}
	s.ConnState(countedConn{closed: &closed}, http.StateNew)
	if closed != 2 {
		t.Errorf("%d connections were closed: places are not given back", closed)
	}
}

// countedConn is a connection of which only Close matters.
type countedConn struct {
	net.Conn
	closed *int
}

// Close implements net.Conn.
func (c countedConn) Close() error {
	*c.closed++
	return nil
}

// A scrape that is read slowly does not keep the next one waiting.
func TestMetricsAreKept(t *testing.T) {
	c := config(completeView(), &machine{})
	var inside atomic.Int64
	c.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		inside.Add(1)
		defer inside.Add(-1)
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		for range 1 << 12 {
			fmt.Fprintln(w, strings.Repeat("x", 1<<12)) // 16 MiB
		}
	})
	base := serve(t, c)
	conn := dial(t, base, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if line, err := bufio.NewReader(conn).ReadString('\n'); !strings.Contains(line, "200") {
		t.Errorf("%q, %v", line, err)
	}
	if inside.Load() != 0 {
		t.Error("the metrics are still being made while the client reads")
	}
}

// Streams have places of their own; who finds none is told so, and places come back.
func TestStreamPlaces(t *testing.T) {
	c := config(richView(), &machine{})
	c.Feed = NewFeed()
	ending := make(chan struct{})
	close(ending)
	c.Ending, c.Logger = ending, slog.New(slog.DiscardHandler)
	x := newV2(&handlers{Config: c})
	ask := func() int {
		w := httptest.NewRecorder()
		x.events(w, httptest.NewRequest("GET", "/v2/events", nil), richView())
		return w.Code
	}
	for range maxStreams + 1 { // each of which ends at once
		if code := ask(); code != 200 {
			t.Fatal(code)
		}
	}
	for range maxStreams {
		x.streams <- struct{}{}
	}
	if code := ask(); code != 503 {
		t.Errorf("%d, and there is no place", code)
	}
}
