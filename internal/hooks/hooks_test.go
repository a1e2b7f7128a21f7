package hooks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/kafka-sched/kafka-sched/internal/metrics"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a scheduler that publishes views, and a server that answers as it is told.
type world struct {
	t      *testing.T
	cancel func()
	ended  chan struct{}

	mu      sync.Mutex
	view    *scheduler.View
	changed chan struct{}
	answers []int // of the next posts; 0 is none at all. Later ones get 204.
	hang    bool  // until the request's context ends
	posts   []post
	counts  map[string]int
}

// post is what the server got.
type post struct {
	at      time.Time
	message Message
	valid   bool // the signature is what it should be
}

var secret = []byte("a shared secret")

// begin runs a sender in this world; the first view has one entry, which is no news.
func begin(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, changed: make(chan struct{}), counts: map[string]int{}}
	w.run(nil)
	w.happens("plan-start")
	return w
}

// run runs a sender.
func (w *world) run(at Place) {
	w.t.Helper()
	s, err := New(Config{URL: "http://hooks.test/x", Secret: secret, Metrics: w, Transport: w,
		Logger: slog.New(slog.DiscardHandler), Place: at})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel, w.ended = cancel, make(chan struct{})
	go func() {
		defer close(w.ended)
		s.Run(ctx, w.watch)
	}()
	synctest.Wait()
}

// memory is a Place.
type memory struct {
	number int64
	known  bool
}

func (m *memory) Last() (int64, bool)   { return m.number, m.known }
func (m *memory) Remember(number int64) { m.number, m.known = number, true }

// TestGoesOn ends senders while messages wait: the next one posts them, and nothing that was
// taken; a journal that begins anew is not taken for the one before.
func TestGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, changed: make(chan struct{}), counts: map[string]int{}}
		at := &memory{}
		w.run(at)
		w.happens("plan-start") // which is no news
		w.happens("plan-complete")
		w.hang = true
		w.happens("plan-stop", "plan-halt")
		w.end()
		w.happens("plan-wait")
		w.posts, w.hang = nil, false
		w.run(at)
		told := func() (events []string) {
			for _, p := range w.posts {
				events = append(events, p.message.Event)
			}
			return events
		}
		if got := strings.Join(told(), " "); got != "plan-stop plan-halt plan-wait" {
			t.Errorf("the second one told: %s", got)
		}
		w.end()
		w.posts, w.view = nil, nil
		w.happens("plan-start")
		w.run(at)
		defer w.end()
		w.happens("plan-complete")
		if got := strings.Join(told(), " "); got != "plan-complete" || at.number != 2 {
			t.Errorf("of another journal it told: %s, up to %d", got, at.number)
		}
	})
}

func (w *world) end() {
	w.cancel()
	<-w.ended
}

func (w *world) watch() (*scheduler.View, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.view, w.changed
}

// happens publishes a view with more entries of the journal.
func (w *world) happens(kinds ...string) {
	w.mu.Lock()
	next := &scheduler.View{Service: "kafka", Framework: "fw-1"}
	if w.view != nil {
		next.Journal = append(next.Journal, w.view.Journal...)
	}
	for _, kind := range kinds {
		entry := scheduler.JournalEntry{Number: int64(len(next.Journal) + 1), At: time.Now(),
			Kind: kind, Plan: "deploy", By: "alice", Reason: "why not", Outcome: "COMPLETE"}
		next.Journal = append(next.Journal, entry)
	}
	w.view = next
	close(w.changed)
	w.changed = make(chan struct{})
	w.mu.Unlock()
	synctest.Wait()
}

// Count implements Counter.
func (w *world) Count(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[name]++
}

// RoundTrip implements http.RoundTripper.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	p := post{at: time.Now(), valid: r.Header.Get(HeaderSignature) ==
		Sign(secret, time.Now(), body) && r.Method == "POST" &&
		r.Header.Get("Content-Type") == "application/json"}
	if err := json.Unmarshal(body, &p.message); err != nil {
		return nil, err
	}
	p.valid = p.valid && r.Header.Get(HeaderDelivery) == p.message.ID &&
		r.Header.Get(HeaderEvent) == p.message.Event
	w.mu.Lock()
	w.posts = append(w.posts, p)
	status, hang := http.StatusNoContent, w.hang
	if len(w.answers) > 0 {
		status, w.answers = w.answers[0], w.answers[1:]
	}
	w.mu.Unlock()
	switch {
	case hang:
		<-r.Context().Done()
		return nil, r.Context().Err()
	case status == 0:
		return nil, errors.New("nobody is there")
	}
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Request: r,
		Header: http.Header{"Location": {"/elsewhere"}}, Body: io.NopCloser(&bytes.Buffer{})}, nil
}

// Plans that start, end and halt are told in order, commands are not, and nothing twice.
func TestTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t)
		defer w.end()
		w.happens("plan-complete", "command", "plan-halt")
		w.happens()
		w.happens("plan-wait", "plan-stop")
		var events []string
		for _, p := range w.posts {
			if !p.valid {
				t.Errorf("not as it should be signed or named: %+v", p.message)
			}
			events = append(events, p.message.Event)
		}
		if got := strings.Join(events, " "); got !=
			"plan-complete plan-halt plan-wait plan-stop" {
			t.Errorf("told: %s", got)
		}
		want := Message{ID: "kafka-fw-1-2", Event: "plan-complete", Service: "kafka",
			Plan: "deploy", At: w.posts[0].message.At, By: "alice", Reason: "why not",
			Result: "COMPLETE"}
		if w.posts[0].message != want {
			t.Errorf("%+v, want %+v", w.posts[0].message, want)
		}
		if w.counts[metrics.HookSent] != 4 || len(w.counts) != 1 {
			t.Errorf("counts: %v", w.counts)
		}
	})
}

// What is not taken is posted again under the same id, later and later, and then given up.
func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t)
		defer w.end()
		w.answers = []int{0, 503, 429, 408, 204}
		w.happens("plan-complete")
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(w.posts) != 5 || w.counts[metrics.HookSent] != 1 {
			t.Fatalf("%d posts, %v", len(w.posts), w.counts)
		}
		for i, pause := range []time.Duration{1, 2, 4, 8} {
			if got := w.posts[i+1].at.Sub(w.posts[i].at); got != pause*time.Second {
				t.Errorf("pause %d is %v", i, got)
			}
			if w.posts[i+1].message != w.posts[0].message || !w.posts[i+1].valid {
				t.Errorf("post %d is %+v", i+1, w.posts[i+1])
			}
		}
		w.posts, w.answers = nil, []int{0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
		w.happens("plan-complete")
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if len(w.posts) != attempts || w.counts[metrics.HookGivenUp] != 1 {
			t.Errorf("%d posts, %v", len(w.posts), w.counts)
		}
		for _, status := range []int{400, 410, 301} {
			w.posts, w.answers = nil, []int{status}
			w.happens("plan-complete")
			time.Sleep(24 * time.Hour)
			synctest.Wait()
			if len(w.posts) != 1 {
				t.Errorf("%d: %d posts", status, len(w.posts))
			}
		}
		if w.counts[metrics.HookGivenUp] != 4 || w.counts[metrics.HookSent] != 1 {
			t.Errorf("counts: %v", w.counts)
		}
	})
}

// A server that hangs costs messages, counted, and no time of whoever publishes views.
func TestNeverBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t)
		w.hang = true
		before := time.Now()
		kinds := make([]string, queueSize+11) // one of which is being posted
		for i := range kinds {
			kinds[i] = "plan-start"
		}
		w.happens("plan-start")
		w.happens(kinds...)
		if waited := time.Since(before); waited != 0 {
			t.Errorf("it took %v", waited)
		}
		w.mu.Lock()
		if dropped := w.counts[metrics.HookDropped]; dropped != 11 {
			t.Errorf("%d messages were dropped", dropped)
		}
		w.mu.Unlock()
		w.end() // and it ends while the server hangs
		if waited := time.Since(before); waited != 0 {
			t.Errorf("it ended after %v", waited)
		}
	})
}

func TestNewRefuses(t *testing.T) {
	for address, word := range map[string]string{
		"": "http", "ftp://x": "http", "http://": "http", "hooks.test/x": "http",
		"http://a b": "invalid", "http://ok.test": "secret",
	} {
		if _, err := New(Config{URL: address}); err == nil ||
			!strings.Contains(err.Error(), word) {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// The form of the signature is a promise to receivers.
func TestSign(t *testing.T) {
	got := Sign([]byte("key"), time.Unix(1700000000, 0), []byte("{}"))
	const want = "t=1700000000,v1=" +
		"9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
