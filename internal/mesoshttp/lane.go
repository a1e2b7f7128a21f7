package mesoshttp

import (
	"context"
	"sync"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

const (
	// queueLimit is how many calls may wait in a lane; more of them end the stream. A service of
	// 10,000 instances is launched by as many calls at once if every one comes to an agent of its
	// own.
	queueLimit = 100_000
	// callsAtOnce is how many calls of a lane are under way at a time, each on a connection of
	// its own. A master answers a call in less than the time that it takes to get there and
	// back, so that one call after the other would leave both sides waiting.
	callsAtOnce = 8
	// mostMet bounds what is remembered of calls that were sent side by side.
	mostMet = 1000
)

// queued is a call, or, without one, a mark whose channel is closed when its turn comes.
type queued struct {
	call mesos.Call
	done chan struct{}
}

// lane holds the calls that wait, first come first served.
type lane struct {
	mu    sync.Mutex
	queue []queued
	wake  chan struct{} // has room for one
}

func newLane() lane { return lane{wake: make(chan struct{}, 1)} }

// add reports whether there was room.
func (l *lane) add(q queued) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == queueLimit {
		return false
	}
	l.queue = append(l.queue, q)
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return true
}

// next takes what has waited longest; false when the context ended before there was anything.
func (l *lane) next(ctx context.Context) (queued, bool) {
	for ctx.Err() == nil {
		l.mu.Lock()
		if len(l.queue) > 0 {
			q := l.queue[0]
			l.queue[0] = queued{}
			if l.queue = l.queue[1:]; len(l.queue) == 0 {
				l.queue = nil
			}
			l.mu.Unlock()
			return q, true
		}
		l.mu.Unlock()
		select {
		case <-l.wake:
		case <-ctx.Done():
		}
	}
	return queued{}, false
}

// acknowledges says of a call that it may be sent before and after any other: it says that an
// update is stored, and a task has but one that waits to hear that.
func acknowledges(call mesos.Call) bool {
	switch call.(type) {
	case mesos.Acknowledge, mesos.AcknowledgeOperation:
		return true
	default:
		return false
	}
}

// subject gives the kind of a call and what it is about, if calls of the kind about different
// things may come to the master in any order: each ACCEPT is of offers of its own, and so of an
// agent that no other one concerns; each KILL of a task; each acknowledgement of an update.
func subject(call mesos.Call) (kind, of string) {
	switch call := call.(type) {
	case mesos.Accept:
		if len(call.Offers) > 0 {
			return "accept", string(call.Offers[0])
		}
	case mesos.Kill:
		return "kill", string(call.Task)
	case mesos.Acknowledge:
		return "acknowledge", string(call.UUID)
	case mesos.AcknowledgeOperation:
		return "acknowledge-operation", string(call.UUID)
	}
	return "", ""
}

// send sends the calls of a lane until the session ends: those that have no order side by side,
// and any other one when the ones before it were answered.
func (s *session) send(from *lane) {
	kind, met := "", map[string]bool{}
	under := newCrew(callsAtOnce)
	defer under.wait()
	for {
		q, ok := from.next(s.ctx)
		if !ok {
			return
		}
		now, of := subject(q.call)
		if now == "" || now != kind || met[of] || len(met) == mostMet {
			under.wait()
			clear(met)
		}
		kind, met[of] = now, true
		if q.done != nil {
			close(q.done)
			continue
		}
		under.do(func() { s.sendOne(q.call) })
	}
}

// crew does a number of things at once.
type crew struct {
	places chan struct{}
	all    sync.WaitGroup
}

func newCrew(most int) *crew { return &crew{places: make(chan struct{}, most)} }

// do begins something as soon as there is a place for it.
func (c *crew) do(what func()) {
	c.places <- struct{}{}
	c.all.Go(func() {
		what()
		<-c.places
	})
}

// wait waits until all that was begun is done.
func (c *crew) wait() { c.all.Wait() }
