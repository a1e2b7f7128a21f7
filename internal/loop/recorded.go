package loop

import (
	"sync"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// Recorder keeps what the machine is given, so that it can be replayed.
type Recorder interface {
	// Given is told of an event before the machine has it, Made of what came of it; it may leave
	// writes in a form that the store is faster with.
	Given(at time.Time, ev scheduler.Event)
	Made(scheduler.Output)
	// Keep makes what it was told outlive the process; writes are stored after it.
	Keep()
	// Full says that a new recording is due, for which Anew gives a machine that is restored from
	// the state of the one so far.
	Full() bool
	Anew() *scheduler.Machine
	// Crashed is told that the machine panicked.
	Crashed(why any)
}

// unrecorded records nothing.
type unrecorded struct{}

func (unrecorded) Given(time.Time, scheduler.Event) {}
func (unrecorded) Made(scheduler.Output)            {}
func (unrecorded) Keep()                            {}
func (unrecorded) Full() bool                       { return false }
func (unrecorded) Anew() *scheduler.Machine         { return nil }
func (unrecorded) Crashed(any)                      {}

// crashes tells the recorder of a panic, which goes on.
func (l *Loop) crashes() {
	if why := recover(); why != nil {
		l.cfg.Recorder.Crashed(why)
		panic(why)
	}
}

// renew begins a new recording if one is due, unless somebody waits for a reply, and gives the
// events with which the machine for it learns what the one so far knew of the connection.
func (l *Loop) renew() []scheduler.Event {
	if !l.cfg.Recorder.Full() || len(l.waiting) > 0 {
		return nil
	}
	was := l.cfg.Machine.View()
	l.cfg.Machine = l.cfg.Recorder.Anew()
	events := []scheduler.Event{scheduler.Tick{}}
	if was.Connected {
		events = append(events, scheduler.FromMesos{Event: mesos.Subscribed{
			Framework: was.Framework, Master: was.Master}})
	}
	return events
}

// Clock gives the times that events are stamped with, and what they are compared with. They have no
// monotonic part, which no recording can keep, and go on all the same when somebody sets the
// machine's clock, back or forth: no time-out ends because of that. What the machine's clock is
// ahead by then is caught up with slowly.
type Clock struct {
	// Machine is the machine's clock, nil for the real one.
	Machine func() time.Time

	mu         sync.Mutex
	last, read time.Time
}

// Now gives the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	read := time.Now()
	shown, passed := read, read.Sub(c.read)
	if c.Machine != nil {
		shown = c.Machine()
	}
	if shown = shown.Round(0).UTC(); c.last.IsZero() {
		c.last = shown
	} else {
		c.last = next(c.last, shown, passed)
	}
	c.read = read
	return c.last
}

// catchUp is which part of the time that passes is added as long as the machine's clock is ahead.
const catchUp = 10

// next is the time after another one, when the machine's clock shows a time and some has passed.
func next(last, shown time.Time, passed time.Duration) time.Time {
	now := last.Add(max(passed, 0))
	if ahead := shown.Sub(now); ahead > 0 {
		now = now.Add(min(ahead, max(passed, 0)/catchUp))
	}
	return now
}
