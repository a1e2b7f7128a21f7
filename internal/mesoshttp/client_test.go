package mesoshttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// master is a scripted master: subscribe is called for each SUBSCRIBE with its number from 1,
// call for any other call. Nil functions do what a friendly master would.
type master struct {
	t         *testing.T
	subscribe func(n int, c *scheduler.Call, s *stream)
	call      func(w http.ResponseWriter, r *http.Request, c *scheduler.Call)

	subscriptions atomic.Int32
	calls         chan mesos.Call
}

func (m *master) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var c scheduler.Call
	decodeBody(m.t, r, &c)
	if r.URL.Path != schedulerPath || r.Method != http.MethodPost {
		m.t.Errorf("%s %s", r.Method, r.URL)
	}
	if c.Type != scheduler.Call_SUBSCRIBE {
		if m.call != nil {
			m.call(w, r, &c)
			return
		}
		m.accept(w, r, &c)
		return
	}
	n := int(m.subscriptions.Add(1))
	s := begin(m.t, w, r, fmt.Sprintf("stream-%d", n))
	if m.subscribe != nil {
		m.subscribe(n, &c, s)
		return
	}
	s.send(subscribedWire("f1", 15))
	<-s.gone
}

func (m *master) accept(w http.ResponseWriter, r *http.Request, c *scheduler.Call) {
	want := fmt.Sprintf("stream-%d", m.subscriptions.Load())
	if got := r.Header.Get(streamIDHeader); got != want || c.FrameworkID.GetValue() != "f1" {
		m.t.Errorf("a call came on %s of %s, want %s", got, c.FrameworkID.GetValue(), want)
	}
	w.WriteHeader(http.StatusAccepted)
	m.calls <- callFromWire(m.t, c)
}

// start runs a client against a master.
func (m *master) start(t *testing.T, change func(*Config)) (*Client, *running[mesos.Event]) {
	m.t, m.calls = t, make(chan mesos.Call, 100)
	config := Config{
		Master:     serve(t, m.ServeHTTP),
		Framework:  func() mesos.FrameworkInfo { return mesos.FrameworkInfo{Role: "kafka-role"} },
		BackoffMin: time.Millisecond,
		BackoffMax: 10 * time.Millisecond,
		Logger:     (&logBuffer{}).logger(),
	}
	if change != nil {
		change(&config)
	}
	c := New(config)
	return c, run(t, c.Run)
}

func (m *master) next() mesos.Call { return receive(m.t, m.calls) }

// want checks the text form of the next events.
func want(t *testing.T, r *running[mesos.Event], texts ...string) {
	t.Helper()
	for _, text := range texts {
		if got := r.next().String(); !strings.HasPrefix(got, text) {
			t.Fatalf("got  %s\nwant %s", got, text)
		}
	}
}

const subscribedText = "subscribed f1 master=10.0.0.1:5050"

// TestClientReplays replays every recording, each as one stream up to its first ERROR, and
// expects all that the machine is to know of it, in order.
func TestClientReplays(t *testing.T) {
	for _, readable := range []bool{false, true} {
		for _, name := range recordings(t) {
			t.Run(fmt.Sprintf("json=%v/%s", readable, name), func(t *testing.T) {
				var events []message
				var texts []string
				for _, line := range recording(t, name) {
					if line.API != "scheduler" || line.Dir != "event" {
						continue
					}
					e := &scheduler.Event{}
					if err := decodeMessage(codecFor(true), line.Body, e); err != nil {
						t.Fatal(err)
					}
					if e.Type == scheduler.Event_ERROR ||
						e.Type == scheduler.Event_SUBSCRIBED && len(events) > 0 {
						continue
					}
					events = append(events, e)
					if event, ok := eventFromWire(e); ok {
						texts = append(texts, event.String())
					}
				}
				m := &master{subscribe: func(_ int, _ *scheduler.Call, s *stream) {
					s.send(events...)
					<-s.gone
				}}
				_, r := m.start(t, func(c *Config) { c.JSON = readable })
				want(t, r, texts...)
			})
		}
	}
}

// TestClientUnknownEnum replays the bytes of a master that is newer than mesos-go.
func TestClientUnknownEnum(t *testing.T) {
	m := &master{subscribe: func(_ int, _ *scheduler.Call, s *stream) {
		for _, line := range recording(t, "03a-reserve-create-launch.jsonl")[:3] {
			if line.Dir == "event" {
				s.raw(fmt.Sprintf("%d\n%s", len(line.Body), line.Body))
			}
		}
		<-s.gone
	}}
	_, r := m.start(t, func(c *Config) { c.JSON = true })
	want(t, r, "subscribed 563c1108-5dae-47bb-8fbc-e9945bee06b0-0000 master=127.0.0.1:6100")
}

// TestClientSendsInOrder says that calls leave in the order of Send, on the stream's id, and
// acknowledgements whenever there is a place for them.
func TestClientSendsInOrder(t *testing.T) {
	m := &master{}
	c, r := m.start(t, nil)
	want(t, r, subscribedText)
	calls := fullCalls()
	for _, call := range calls {
		c.Send(call)
	}
	var came, acknowledged []mesos.Call
	for range calls {
		if call := m.next(); acknowledges(call) {
			acknowledged = append(acknowledged, call)
		} else {
			came = append(came, call)
		}
	}
	for _, call := range calls {
		from := &came
		if acknowledges(call) {
			from = &acknowledged
		}
		if len(*from) == 0 {
			t.Errorf("%s did not come", call)
			continue
		}
		if diff := cmp.Diff(call, (*from)[0]); diff != "" {
			t.Errorf("%s (-sent +came):\n%s", call, diff)
		}
		*from = (*from)[1:]
	}
	if err := c.Drain(context.Background()); err != nil {
		t.Error(err)
	}
}

// TestClientReconnects says that a lost stream is opened again, with the framework's id, that
// no call of the time between is sent, and that new ones carry the new stream's id.
func TestClientReconnects(t *testing.T) {
	release := make(chan struct{})
	var ids []string
	m := &master{subscribe: func(n int, c *scheduler.Call, s *stream) {
		ids = append(ids, c.FrameworkID.GetValue())
		switch n {
		case 1:
			s.send(subscribedWire("f1", 15), eventToWire(t, mesos.Rescinded{Offer: "o1"}))
			return // the stream ends
		case 2:
			<-release
		}
		s.send(subscribedWire("f1", 15))
		<-s.gone
	}}
	log := &logBuffer{}
	var id atomic.Value
	id.Store(mesos.FrameworkID(""))
	c, r := m.start(t, func(c *Config) {
		c.Logger = log.logger()
		c.Framework = func() mesos.FrameworkInfo {
			return mesos.FrameworkInfo{ID: id.Load().(mesos.FrameworkID), Role: "r"}
		}
	})
	want(t, r, subscribedText)
	id.Store(mesos.FrameworkID("f1"))
	want(t, r, "rescinded o1", `disconnected "the other side ended the stream"`)
	c.Send(mesos.Suppress{})
	if err := c.Drain(context.Background()); err != nil {
		t.Error(err)
	}
	close(release)
	want(t, r, subscribedText)
	c.Send(mesos.Revive{})
	if got := m.next(); got != (mesos.Revive{}) {
		t.Errorf("%s came", got)
	}
	if diff := cmp.Diff([]string{"", "f1"}, ids); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(log.String(), "a call is dropped") {
		t.Error("the dropped call is not in the log")
	}
}

// TestClientEndsWithContext says what Run returns in the end.
func TestClientEndsWithContext(t *testing.T) {
	_, r := (&master{}).start(t, nil)
	want(t, r, subscribedText)
	r.stop()
	if err := r.end(); !errors.Is(err, context.Canceled) {
		t.Errorf("Run ended with %v", err)
	}
}

// TestClientRefused says that an ERROR event ends Run, whether it comes first, as for a wrong
// FrameworkInfo, or later, as when another scheduler takes over (F22).
func TestClientRefused(t *testing.T) {
	refusal := eventToWire(t, mesos.Refused{Message: "Framework failed over"})
	for _, events := range [][]message{{refusal}, {subscribedWire("f1", 15), refusal}} {
		m := &master{subscribe: func(_ int, _ *scheduler.Call, s *stream) { s.send(events...) }}
		_, r := m.start(t, nil)
		if len(events) == 2 {
			want(t, r, subscribedText)
		}
		want(t, r, `refused "Framework failed over"`)
		var refused *RefusedError
		if err := r.end(); !errors.As(err, &refused) {
			t.Errorf("Run ended with %v", err)
		}
	}
}

// TestClientSilence says that a stream without heartbeats is given up, and one with them not.
// (F20)
func TestClientSilence(t *testing.T) {
	m := &master{subscribe: func(n int, _ *scheduler.Call, s *stream) {
		if n > 1 {
			s.send(subscribedWire("f1", 15))
			<-s.gone
			return
		}
		s.send(subscribedWire("f1", 0.001))
		beat := time.NewTicker(20 * time.Millisecond)
		defer beat.Stop()
		for range 150 { // three seconds: twice as long as silence may be
			select {
			case <-beat.C:
				s.send(&scheduler.Event{Type: scheduler.Event_HEARTBEAT})
			case <-s.gone:
				t.Error("given up in spite of heartbeats")
			}
		}
		s.send(eventToWire(t, mesos.Rescinded{Offer: "last"}))
		<-s.gone
	}}
	_, r := m.start(t, func(c *Config) { c.SilenceMin = 1500 * time.Millisecond })
	want(t, r, subscribedText, "rescinded last",
		`disconnected "nothing was heard from the master for 1.5s"`, subscribedText)
}

// TestHeartbeatLimit shows how long a silence may be.
func TestHeartbeatLimit(t *testing.T) {
	for announced, want := range map[float64]time.Duration{
		15: 75 * time.Second, 0.1: 5 * time.Second,
		-1: 3000 * time.Second, 1e300: 3000 * time.Second,
	} {
		if got := heartbeatLimit(subscribedWire("f1", announced), 5*time.Second); got != want {
			t.Errorf("announced %v s: %s, want %s", announced, got, want)
		}
	}
	e := subscribedWire("f1", 0)
	e.Subscribed.HeartbeatIntervalSeconds = nil
	if got := heartbeatLimit(e, 0); got != 75*time.Second {
		t.Errorf("nothing announced: %s", got)
	}
}

// TestClientCallAnswers says which answers to a call end the stream.
func TestClientCallAnswers(t *testing.T) {
	for _, test := range []struct {
		status int
		ends   bool
	}{
		{http.StatusBadRequest, false},
		{http.StatusForbidden, false},
		{http.StatusUnauthorized, true},
		{http.StatusTemporaryRedirect, true},
		{http.StatusInternalServerError, true},
		{http.StatusServiceUnavailable, true},
	} {
		t.Run(http.StatusText(test.status), func(t *testing.T) {
			log := &logBuffer{}
			m := &master{}
			m.call = func(w http.ResponseWriter, r *http.Request, c *scheduler.Call) {
				if c.Type == scheduler.Call_REVIVE {
					m.accept(w, r, c)
					return
				}
				http.Error(w, "what the master says", test.status)
			}
			c, r := m.start(t, func(c *Config) { c.Logger = log.logger() })
			want(t, r, subscribedText)
			c.Send(mesos.Suppress{})
			c.Send(mesos.Revive{})
			if test.ends {
				want(t, r, `disconnected "sending a call: HTTP status`, subscribedText)
				return
			}
			m.next()
			if !strings.Contains(log.String(), "what the master says") {
				t.Errorf("the master's words are not in the log:\n%s", log)
			}
		})
	}
}

// TestClientCallTimeout says that a master that does not answer a call is given up.
func TestClientCallTimeout(t *testing.T) {
	m := &master{call: func(_ http.ResponseWriter, r *http.Request, _ *scheduler.Call) {
		<-r.Context().Done()
	}}
	c, r := m.start(t, func(c *Config) { c.CallTimeout = 50 * time.Millisecond })
	want(t, r, subscribedText)
	c.Send(mesos.Suppress{})
	want(t, r, `disconnected "sending a call: `, subscribedText)
}

// TestClientSlowMaster says that a master that takes longer for a call than it may is given more
// time from then on: its streams do not end for ever.
func TestClientSlowMaster(t *testing.T) {
	const limit = 20 * time.Millisecond
	m := &master{}
	m.call = func(w http.ResponseWriter, r *http.Request, c *scheduler.Call) {
		select {
		case <-time.After(3 * limit):
			w.WriteHeader(http.StatusAccepted)
			m.calls <- callFromWire(m.t, c)
		case <-r.Context().Done():
		}
	}
	c, r := m.start(t, func(c *Config) { c.CallTimeout = limit })
	for {
		want(t, r, subscribedText)
		c.Send(mesos.Suppress{})
		select {
		case <-m.calls:
			return
		case got := <-r.events:
			if !strings.HasPrefix(got.String(), `disconnected "sending a call: `) {
				t.Fatal(got)
			}
		}
	}
}

// TestClientOverflow says that too many waiting calls end the stream, and never block Send.
func TestClientOverflow(t *testing.T) {
	m := &master{call: func(_ http.ResponseWriter, r *http.Request, _ *scheduler.Call) {
		<-r.Context().Done()
	}}
	c, r := m.start(t, nil)
	want(t, r, subscribedText)
	for range queueLimit + 3 { // one is under way, and one waits for that
		c.Send(mesos.Suppress{})
	}
	want(t, r, `disconnected "100000 calls wait to be sent"`, subscribedText)
}

// TestClientBadStreams says what ends a stream, and that what is merely not understood is
// skipped (F21).
func TestClientBadStreams(t *testing.T) {
	ok := subscribedWire("f1", 15)
	for _, test := range []struct {
		name  string
		write func(s *stream)
		want  []string
	}{
		{"garbage", func(s *stream) { s.send(ok); s.raw("<html>") },
			[]string{subscribedText, `disconnected "reading events: a record's length is not`}},
		{"too large", func(s *stream) { s.send(ok); s.raw("99999999999\n") },
			[]string{subscribedText, `disconnected "reading events: a record of 99999999999`}},
		{"cut", func(s *stream) { s.send(ok); s.raw("20\nabc") },
			[]string{subscribedText, `disconnected "reading events: reading a record of 20`}},
		{"undecodable", func(s *stream) {
			s.send(ok)
			s.raw("3\n\xff\xff\xff")
			s.send(eventToWire(t, mesos.Rescinded{Offer: "o1"}))
		}, []string{subscribedText, "rescinded o1", "disconnected"}},
		{"subscribed twice", func(s *stream) {
			s.send(ok, ok, eventToWire(t, mesos.Rescinded{Offer: "o1"}))
		}, []string{subscribedText, "rescinded o1", "disconnected"}},
		{"no SUBSCRIBED", func(s *stream) { s.send(eventToWire(t, mesos.Rescinded{Offer: "o1"})) },
			[]string{`disconnected "reading events: RESCIND came before SUBSCRIBED"`}},
		{"empty events", func(s *stream) {
			s.send(ok)
			for kind := range scheduler.Event_Type_name {
				if kind != int32(scheduler.Event_ERROR) {
					s.send(&scheduler.Event{Type: scheduler.Event_Type(kind)})
				}
			}
		}, []string{subscribedText, "disconnected"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := &master{subscribe: func(_ int, _ *scheduler.Call, s *stream) { test.write(s) }}
			_, r := m.start(t, nil)
			want(t, r, test.want...)
		})
	}
}

// TestClientRedirects says that the way to the leading master is followed and has an end (F19).
func TestClientRedirects(t *testing.T) {
	m := &master{}
	address := ""
	leader := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "//"+address+schedulerPath)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
	c, r := m.start(t, func(c *Config) {
		address = c.Master
		c.Master = "http://" + serve(t, leader)
	})
	want(t, r, subscribedText)
	c.Send(mesos.Revive{}) // goes to the leader itself
	m.next()
}

// TestClientNotSubscribed shows the reasons for which there is no stream, and that one reason
// is told once.
func TestClientNotSubscribed(t *testing.T) {
	loop := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, schedulerPath, http.StatusTemporaryRedirect)
	}
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		want    string
	}{
		{"redirected for ever", loop, `disconnected "subscribing: redirected more than 5 times`},
		{"redirected to nowhere", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "ftp://x/")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, `disconnected "following a redirect of 127.0.0.1:`},
		{"redirected without address", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, `disconnected "following a redirect of 127.0.0.1:`},
		{"no stream id", func(w http.ResponseWriter, r *http.Request) {
			begin(t, w, r, "")
		}, `disconnected "subscribing at http://127.0.0.1:`},
		{"recovering", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "Master has not finished recovery", http.StatusServiceUnavailable)
		}, `disconnected "subscribing at http://127.0.0.1:`},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := &master{}
			var asked atomic.Int32
			enough := make(chan struct{})
			_, r := m.start(t, func(c *Config) {
				c.Master = serve(t, func(w http.ResponseWriter, r *http.Request) {
					if asked.Add(1) == 20 {
						close(enough)
					}
					test.handler(w, r)
				})
			})
			want(t, r, test.want)
			receive(t, enough)
			select {
			case e := <-r.events:
				t.Errorf("%s came", e)
			default:
			}
		})
	}
}

// TestClientMasters says that the masters of a list are tried in turn, and that a detector
// comes before them.
func TestClientMasters(t *testing.T) {
	t.Run("list", func(t *testing.T) {
		_, r := (&master{}).start(t, func(c *Config) { c.Master = "127.0.0.1:1, " + c.Master })
		want(t, r, `disconnected "subscribing: Post`, subscribedText)
	})
	t.Run("detect", func(t *testing.T) {
		_, r := (&master{}).start(t, func(c *Config) {
			leader, first := c.Master, true
			c.Master = ""
			c.Detect = func(context.Context) (string, error) {
				if first {
					first = false
					return "", errors.New("no leader")
				}
				return "http://" + leader, nil
			}
		})
		want(t, r, `disconnected "detecting the leading master: no leader"`, subscribedText)
	})
	for _, bad := range []string{"", "zk://h:2181/mesos", "a,,b", "http://", "http://%"} {
		_, r := (&master{}).start(t, func(c *Config) { c.Master = bad })
		if err := r.end(); err == nil || !strings.HasPrefix(err.Error(), "finding the master") {
			t.Errorf("master %q: %v", bad, err)
		}
	}
}

// TestClientAuthenticates says that credentials go with every request.
func TestClientAuthenticates(t *testing.T) {
	m := &master{}
	_, r := m.start(t, func(c *Config) {
		c.Access = NewAccess(Constant("Basic cDpz"), nil)
		c.Master = serve(t, func(w http.ResponseWriter, r *http.Request) {
			if user, password, ok := r.BasicAuth(); !ok || user != "p" || password != "s" {
				http.Error(w, "", http.StatusUnauthorized)
				return
			}
			m.ServeHTTP(w, r)
		})
	})
	want(t, r, subscribedText)
}

// TestClientOldMaster sends a master only the calls that it has.
func TestClientOldMaster(t *testing.T) {
	for version, old := range map[string]bool{
		"1.8.1": true, "0.28.2": true, "1.9.0": false, "1.11.0": false, "2.0": false, "": false,
		"new": false,
	} {
		log := &logBuffer{}
		m := &master{subscribe: func(_ int, _ *scheduler.Call, s *stream) {
			e := subscribedWire("f1", 15)
			e.Subscribed.MasterInfo.Version = &version
			s.send(e)
			<-s.gone
		}}
		c, r := m.start(t, func(c *Config) { c.Logger = log.logger() })
		want(t, r, subscribedText)
		c.Send(mesos.ReconcileOperations{})
		c.Send(mesos.Revive{})
		_, first := m.next().(mesos.Revive)
		if first != old || strings.Contains(log.String(), "older than Mesos 1.9") != old {
			t.Errorf("%q: an old one is %v\n%s", version, first, log)
		}
	}
}

// TestJitter shows the bounds of the back-off.
func TestJitter(t *testing.T) {
	for attempt, most := range map[int]time.Duration{
		0: 100, 1: 200, 5: 3200, 8: 15000, 9999: 15000,
	} {
		largest := time.Duration(0)
		for range 2000 {
			largest = max(largest, jittered(100, 15000, attempt))
		}
		if largest > most || largest < most/2 {
			t.Errorf("attempt %d: up to %d, want up to %d", attempt, largest, most)
		}
	}
}
