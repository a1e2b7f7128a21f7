package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const folder = "/frameworks/fw-1/executors/ex-1/runs/latest/"

// mesos answers like a master and like its only agent.
type mesos struct {
	t      *testing.T
	server *httptest.Server

	mu    sync.Mutex
	files map[string]string
	pid   bool // the master tells the agent's address as a PID
	fails int  // how many reads get no answer
}

func newMesos(t *testing.T) *mesos {
	m := &mesos{t: t, files: map[string]string{}, pid: true}
	m.server = httptest.NewServer(m)
	t.Cleanup(m.server.Close)
	return m
}

func (m *mesos) address() string { return strings.TrimPrefix(m.server.URL, "http://") }

func (m *mesos) put(name, text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files[folder+name] = text
}

func (m *mesos) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r.URL.Path == "/api/v1" {
		host, port, _ := strings.Cut(m.address(), ":")
		number, _ := strconv.Atoi(port)
		agent := map[string]any{"agent_info": map[string]any{
			"id": map[string]string{"value": "ag-1"}, "hostname": host, "port": number}}
		if m.pid {
			agent["pid"] = "slave(1)@" + m.address()
		}
		_ = json.NewEncoder(w).Encode(map[string]any{
			"get_agents": map[string]any{"agents": []any{agent}}})
		return
	}
	if m.fails > 0 {
		m.fails--
		http.Error(w, "the agent is away", http.StatusServiceUnavailable)
		return
	}
	text, ok := m.files[r.URL.Query().Get("path")]
	if !ok || r.URL.Path != "/files/read" {
		http.NotFound(w, r)
		return
	}
	offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
	length, _ := strconv.Atoi(r.URL.Query().Get("length"))
	if offset < 0 {
		offset, length = len(text), 0
	}
	end := min(offset+length, len(text))
	_ = json.NewEncoder(w).Encode(piece{Data: text[offset:end], Offset: int64(offset)})
}

func (m *mesos) find() *Sandbox {
	m.t.Helper()
	s, err := Find(context.Background(), Executor{m.address(), "fw-1", "ag-1", "ex-1"})
	if err != nil {
		m.t.Fatal(err)
	}
	return s
}

func TestFind(t *testing.T) {
	m := newMesos(t)
	for _, pid := range []bool{true, false} {
		m.pid = pid
		if s := m.find(); len(s.agents) != 1 || s.agents[0] != m.server.URL {
			t.Errorf("the agent is at %s, not at %s", s.agents, m.server.URL)
		}
	}
	_, err := Find(context.Background(), Executor{m.address(), "fw-1", "ag-2", "ex-1"})
	if err == nil || !strings.Contains(err.Error(), "agent ag-2 is not registered") {
		t.Errorf("another agent: %v", err)
	}
	m.server.Close()
	if _, err := Find(context.Background(), Executor{Master: m.address()}); err == nil {
		t.Error("no master, and no error")
	}
}

func TestTail(t *testing.T) {
	m := newMesos(t)
	var long strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&long, "line %d\n", i)
	}
	m.put("t.out", long.String())
	s := m.find()
	text, end, err := s.Tail(context.Background(), Stdout("t"), 15000)
	if err != nil || end != int64(long.Len()) || strings.Count(text, "\n") != 15000 ||
		!strings.HasPrefix(text, "line 5000\n") || !strings.HasSuffix(text, "line 19999\n") {
		t.Errorf("%d lines from %.20q, end %d, %v", strings.Count(text, "\n"), text, end, err)
	}
	if text, _, err = s.Tail(context.Background(), Stdout("t"), 1<<30); text != long.String() {
		t.Errorf("%d bytes of %d, %v", len(text), long.Len(), err)
	}
	if _, _, err := s.Tail(context.Background(), Stderr("t"), 1); !errors.Is(err, ErrNoFile) {
		t.Errorf("no file: %v", err)
	}
	m.fails = 1
	_, _, err = s.Tail(context.Background(), Stdout("t"), 1)
	if err == nil || !strings.Contains(err.Error(), "the agent is away") {
		t.Errorf("an agent that does not answer: %v", err)
	}
}

func TestLastLines(t *testing.T) {
	for _, c := range []struct {
		text  string
		lines int
		want  string
	}{
		{"", 3, ""}, {"a\nb\nc\n", 2, "b\nc\n"}, {"a\nb\nc", 2, "b\nc"}, {"a\n", 2, "a\n"},
		{"a\nb\n", 0, ""}, {"\n\n\n", 2, "\n\n"},
	} {
		if got := LastLines(c.text, c.lines); got != c.want {
			t.Errorf("last %d lines of %q: %q, want %q", c.lines, c.text, got, c.want)
		}
	}
}

// Follow waits for the file, bears an agent that is away, goes on where it was, begins anew when
// the file does, and gives the callback's error back.
func TestFollow(t *testing.T) {
	m := newMesos(t)
	s, enough := m.find(), errors.New("enough")
	m.fails = 2
	got := make(chan string)
	ended := make(chan error, 1)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	go func() {
		ended <- s.Follow(ctx, "t.out", 0, time.Millisecond, func(text string) error {
			got <- text
			if strings.HasSuffix(text, "end\n") {
				return enough
			}
			return nil
		})
	}()
	for _, step := range []struct{ file, more string }{
		{"one\n", "one\n"}, {"one\ntwo \xff\n", "two \uFFFD\n"}, {"new\n", "new\n"},
		{"new\nend\n", "end\n"},
	} {
		m.put("t.out", step.file)
		if more := <-got; more != step.more {
			t.Errorf("%q gave %q, want %q", step.file, more, step.more)
		}
	}
	if err := <-ended; err != enough {
		t.Errorf("it ended with %v", err)
	}
	cancel()
	if err := s.Follow(ctx, "t.out", 0, time.Hour, func(string) error { return nil }); err !=
		context.Canceled {
		t.Errorf("cancelled, it ended with %v", err)
	}
}
