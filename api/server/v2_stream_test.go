package server

import (
	"bufio"
	"context"
	"encoding/json"
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
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/kafka-sched/kafka-sched/internal/sandbox"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// within is how long a test waits for what must come.
const within = 20 * time.Second

// errEnough ends a stream from the client's side.
var errEnough = errors.New("enough")

// streaming gives a client of a server whose view a source publishes.
func streaming(t *testing.T, s *source) (*client.Client, *Feed, context.Context) {
	t.Helper()
	feed, stop := fed(s)
	t.Cleanup(stop)
	c := config(nil, &machine{})
	c.View = func() *scheduler.View { v, _ := s.watch(); return v }
	c.Feed, c.Now = feed, time.Now
	k := client.New(serve(t, c))
	t.Cleanup(k.Close)
	ctx, cancel := context.WithTimeout(context.Background(), within)
	t.Cleanup(cancel)
	return k, feed, ctx
}

func TestEvents(t *testing.T) {
	s := newSource(richView())
	c, feed, ctx := streaming(t, s)
	got := make(chan api.Event)
	ended := make(chan error, 1)
	follow := func(want api.EventQuery) {
		go func() {
			ended <- c.Events(ctx, want, func(e api.Event) error {
				got <- e
				if e.To == api.StatusComplete {
					return errEnough
				}
				return nil
			})
		}()
	}
	feed.add([]api.Event{{Type: "plan", Plan: "a", To: "x"}, {Type: "plan", Plan: "b", To: "y"},
		{Type: "task", Task: "t", Pod: "p", To: "z"}})
	begin := feed.life + "."
	follow(api.EventQuery{LastID: begin + "1"})
	for _, want := range []string{"plan b:  > y", "task t:  > z"} {
		if e := <-got; line(e) != want {
			t.Errorf("%s, want %s", line(e), want)
		}
	}
	s.publish(status(plans.Pending))
	e := <-got
	if line(e) != "plan recovery: COMPLETE > PENDING" || e.ID != begin+"4" || e.At.IsZero() {
		t.Errorf("%+v", e)
	}
	s.publish(status(plans.Complete))
	if e = <-got; e.To != "COMPLETE" {
		t.Errorf("%+v", e)
	}
	if err := <-ended; err != errEnough {
		t.Errorf("it ended with %v", err)
	}
	follow(api.EventQuery{LastID: "elsewhere.1", Types: []string{"plan"}, Plan: "recovery"})
	if e := <-got; e.Type != api.EventReset || e.Message == "" {
		t.Errorf("%+v", e)
	}
	feed.add([]api.Event{{Type: "plan", Plan: "a"}, {Type: "step", Plan: "recovery"},
		{Type: "plan", Plan: "recovery", To: "COMPLETE"}})
	if e := <-got; line(e) != "plan recovery:  > COMPLETE" {
		t.Errorf("%+v", e)
	}
	if err := <-ended; err != errEnough {
		t.Errorf("it ended with %v", err)
	}
}

// A stream says that it is there before anything happens, and what it is.
func TestEventsBegin(t *testing.T) {
	s := newSource(richView())
	c, _, ctx := streaming(t, s)
	for _, method := range []string{"GET", "HEAD"} {
		r, err := http.NewRequestWithContext(ctx, method, c.URL()+"/v2/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != 200 || response.Header.Get("Content-Type") != api.EventsType {
			t.Errorf("%s %v", response.Status, response.Header)
		}
		if method == "GET" {
			text, err := bufio.NewReader(response.Body).ReadString('\n')
			if text != ":\n" {
				t.Errorf("it begins with %q, %v", text, err)
			}
		}
		response.Body.Close()
	}
}

// When the server ends, its streams end before it waits for them.
func TestStreamsEnd(t *testing.T) {
	feed, ending := NewFeed(), make(chan struct{})
	c := config(richView(), &machine{})
	c.Feed, c.Ending = feed, ending
	k := client.New(serve(t, c))
	defer k.Close()
	begun, ended := make(chan bool), make(chan error, 1)
	feed.add([]api.Event{{Type: "plan"}, {Type: "plan"}})
	go func() {
		want := api.EventQuery{LastID: feed.life + ".1"}
		ended <- k.Events(context.Background(), want, func(api.Event) error {
			begun <- true
			return nil
		})
	}()
	<-begun
	close(ending)
	if err := <-ended; !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("it ended with %v", err)
	}
}

// A reader that does not read is dropped and takes nobody's time; one who comes back to what
// is gone is told so (F34).
func TestSlowReader(t *testing.T) {
	s := newSource(richView())
	k, feed, ctx := streaming(t, s)
	conn, err := net.Dial("tcp", strings.TrimPrefix(k.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /v2/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
	reader := bufio.NewReader(conn)
	until := func(line string) {
		for text := ""; text != line; {
			if text, err = reader.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
	}
	until(":\n")
	feed.add([]api.Event{{Type: "plan"}})
	until("event: plan\n") // from here on it has seen events, and misses some
	long := strings.Repeat("x", 4096)
	began := time.Now()
	for range 4 { // 64 MiB: more than any buffer between the two
		events := make([]api.Event, keptEvents)
		for i := range events {
			events[i] = api.Event{Type: "plan", Message: long}
		}
		feed.add(events)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("a slow reader held the feed up for %v", took)
	}
	var last string
	for {
		text, err := reader.ReadString('\n')
		if err != nil {
			break
		}
		if strings.HasPrefix(text, "event: ") {
			last = strings.TrimSpace(text)
		}
		if last == "event: "+api.EventDropped {
			break
		}
	}
	if last != "event: dropped" {
		t.Errorf("the last event is %q", last)
	}
	err = k.Events(ctx, api.EventQuery{LastID: feed.life + ".1"}, func(e api.Event) error {
		if e.Type != api.EventReset {
			t.Errorf("the first event is %s", e.Type)
		}
		return errEnough
	})
	if err != errEnough {
		t.Errorf("it ended with %v", err)
	}
}

// agent answers like a Mesos master and its agent, with one file.
func agent(t *testing.T, files map[string]string) string {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	address := strings.TrimPrefix(server.URL, "http://")
	mux.HandleFunc("POST /api/v1", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"get_agents":{"agents":[{"agent_info":{"id":{"value":"agent-0"}},
			"pid":"slave(1)@%s"}]}}`, address)
	})
	mux.HandleFunc("GET /files/read", func(w http.ResponseWriter, r *http.Request) {
		_, name, _ := strings.Cut(r.FormValue("path"), "/runs/latest/")
		text, ok := files[name]
		var offset int
		if _, err := fmt.Sscan(r.FormValue("offset"), &offset); !ok || err != nil {
			http.NotFound(w, r)
			return
		}
		if offset < 0 {
			offset = len(text)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": text[offset:], "offset": offset})
	})
	return address
}

func TestLogs(t *testing.T) {
	v := richView()
	v.Master = agent(t, map[string]string{"kafka-0-broker.out": "one\ntwo\nthree\n"})
	c := config(v, &machine{})
	c.Logs = sandbox.Find
	ending := make(chan struct{})
	c.Ending = ending
	k := client.New(serve(t, c))
	defer k.Close()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	for lines, want := range map[int]string{2: "two\nthree\n", -1: "one\ntwo\nthree\n", 0: ""} {
		var text strings.Builder
		err := k.Logs(ctx, "kafka-0", "broker", api.LogQuery{Lines: lines}, &text)
		if err != nil || text.String() != want {
			t.Errorf("%d lines: %q, %v", lines, text.String(), err)
		}
	}
	var said *client.Error
	err := k.Logs(ctx, "kafka-0", "broker", api.LogQuery{File: api.LogStderr}, io.Discard)
	if !errors.As(err, &said) || said.Status != 404 || !strings.Contains(said.Message, ".err") {
		t.Errorf("no error output: %v", err)
	}
	r := httptest.NewRequest("GET", "/v2/pods/kafka-0/tasks/broker/logs?lines=1", nil)
	r.Header.Set("Accept", "text/plain;q=0.5, "+api.EventsType)
	w := ask(t, c, r)
	if w.Body.String() != "event: log\ndata: {\"text\":\"three\\n\"}\n\n" ||
		w.Header().Get("Content-Type") != api.EventsType {
		t.Errorf("%v %q", w.Header(), w.Body)
	}
	read, write := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- k.Logs(ctx, "kafka-0", "broker", api.LogQuery{Lines: 1, Follow: true}, write)
	}()
	if text, err := bufio.NewReader(read).ReadString('\n'); text != "three\n" {
		t.Errorf("followed: %q, %v", text, err)
	}
	close(ending)
	if err := <-ended; !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("following ended with %v", err)
	}
	v.Master = "127.0.0.1:1"
	err = k.Logs(ctx, "kafka-0", "broker", api.LogQuery{}, io.Discard)
	if !errors.As(err, &said) || said.Status != 502 || said.Code != api.CodeAgent {
		t.Errorf("no master: %v", err)
	}
}
