package mesoshttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// TestClientSendsSideBySide says that calls which have no order are under way together, and that
// one that has waits until all of them were answered.
func TestClientSendsSideBySide(t *testing.T) {
	var under, most atomic.Int32
	enough := make(chan struct{})
	m := &master{call: func(w http.ResponseWriter, _ *http.Request, call *scheduler.Call) {
		now := under.Add(1)
		defer under.Add(-1)
		if call.Type != scheduler.Call_ACCEPT {
			most.Store(max(most.Load(), 100*now))
		} else if now == callsAtOnce {
			close(enough)
		}
		<-enough
		w.WriteHeader(http.StatusAccepted)
	}}
	c, r := m.start(t, nil)
	want(t, r, subscribedText)
	for i := range callsAtOnce {
		c.Send(mesos.Accept{Offers: []mesos.OfferID{mesos.OfferID(fmt.Sprint("o", i))}})
	}
	c.Send(mesos.Suppress{})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := c.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if got := most.Load(); got != 100 {
		t.Errorf("SUPPRESS was under way as one of %d calls", got/100)
	}
}

// TestClientTeardown says that whoever ends the framework is told whether a master knows: an answer
// counts that comes after the end of the stream, and so does a refusal.
func TestClientTeardown(t *testing.T) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	for name, status := range map[string]int{"heard": http.StatusAccepted,
		"refused": http.StatusForbidden, "unheard": http.StatusServiceUnavailable} {
		t.Run(name, func(t *testing.T) {
			ended, told := make(chan struct{}), make(chan struct{})
			m := &master{
				subscribe: func(_ int, _ *scheduler.Call, s *stream) {
					s.send(subscribedWire("f1", 15))
					<-ended // the stream ends
				},
				call: func(w http.ResponseWriter, _ *http.Request, _ *scheduler.Call) {
					close(ended)
					<-told
					w.WriteHeader(status)
				}}
			c, r := m.start(t, nil)
			want(t, r, subscribedText)
			c.Send(mesos.Teardown{})
			<-ended
			if err := c.Drain(over); !errors.Is(err, ErrTeardown) {
				t.Errorf("before the answer: %v", err)
			}
			close(told)
			want(t, r, "disconnected")
			within, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if status == http.StatusServiceUnavailable {
				within = over
			}
			if err := c.Drain(within); (err == nil) != (within != over) {
				t.Errorf("after the answer: %v", err)
			}
		})
	}
	c := New(Config{})
	c.Send(mesos.Teardown{})
	if err := c.Drain(over); !errors.Is(err, ErrTeardown) {
		t.Errorf("without a stream: %v", err)
	}
}
