package mesoshttp

import (
	"context"
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
