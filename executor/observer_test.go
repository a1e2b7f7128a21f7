package executor

import (
	"fmt"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// observer watches a machine from outside and knows the invariants of doc.go. It sees what an
// agent and a supervisor would see, and nothing of the machine's own state.
type observer struct {
	tasks   map[mesos.TaskID]*seenTask
	uuids   map[string]string // update id -> its text
	acked   map[string]bool
	closing bool
	exited  bool
}

type seenTask struct {
	starts   int
	alive    bool // a process may exist
	inFlight map[CheckKind]bool
	killed   bool
	states   []mesos.TaskState // in the order of their first arrival
	last     []byte
}

func newObserver() *observer {
	return &observer{tasks: map[mesos.TaskID]*seenTask{}, uuids: map[string]string{},
		acked: map[string]bool{}}
}

func (o *observer) task(id mesos.TaskID) *seenTask {
	if o.tasks[id] == nil {
		o.tasks[id] = &seenTask{inFlight: map[CheckKind]bool{}}
	}
	return o.tasks[id]
}

// step checks one step of m: the event that went in, the effects that came out.
func (o *observer) step(ev Event, effects []Effect, m *Machine) error {
	if o.exited && len(effects) > 0 {
		return fmt.Errorf("effects after the exit: %v", effects)
	}
	o.event(ev)
	for i, e := range effects {
		if err := o.effect(e, i == len(effects)-1); err != nil {
			return fmt.Errorf("%s: %w", e, err)
		}
	}
	if next := m.NextWake(); !next.IsZero() && !next.After(m.now) {
		return fmt.Errorf("wants to be woken at once: %s", next)
	}
	return nil
}

func (o *observer) event(ev Event) {
	switch ev := ev.(type) {
	case Agent:
		switch a := ev.Event.(type) {
		case mesos.ExecutorAcknowledged:
			o.acked[string(a.UUID)] = true
		case mesos.ExecutorShutdown, mesos.ExecutorRefused:
			o.closing = true
		}
	case StartFailed:
		o.task(ev.Task).alive = false
	case Exited:
		o.task(ev.Task).alive = false
	case Checked:
		o.task(ev.Task).inFlight[ev.Kind] = false
	}
}

func (o *observer) effect(e Effect, last bool) error {
	switch e := e.(type) {
	case Start:
		t := o.task(e.Task)
		t.starts, t.alive = t.starts+1, true
		if t.starts > 1 {
			return fmt.Errorf("started twice")
		}
	case Signal:
		t := o.task(e.Task)
		if !t.alive || t.killed {
			return fmt.Errorf("signal to what is gone or was killed")
		}
		t.killed = e.Sig == Kill
	case RunCheck:
		t := o.task(e.Task)
		if !t.alive || t.inFlight[e.Kind] {
			return fmt.Errorf("check of what is gone, or a second one at a time")
		}
		t.inFlight[e.Kind] = true
	case Update:
		return o.update(e, false)
	case Exit:
		o.exited = true
		return o.exit(e, last)
	}
	return nil
}

// present checks what a subscription presents: the same as updates, but all at once.
func (o *observer) present(updates []mesos.Status) error {
	for _, s := range updates {
		if err := o.update(Update{s}, true); err != nil {
			return fmt.Errorf("presented %s: %w", Update{s}, err)
		}
	}
	return nil
}

func (o *observer) update(e Update, presented bool) error {
	id, text := string(e.Status.UUID), e.String()
	if was, again := o.uuids[id]; again {
		if was != text {
			return fmt.Errorf("an id for two updates, before: %s", was)
		}
		return nil
	}
	o.uuids[id] = text
	t := o.task(e.Status.Task)
	if n := len(t.states); n > 0 {
		if t.states[n-1].Terminal() {
			return fmt.Errorf("an update after the terminal one")
		}
		if !presented && !o.acked[string(t.last)] {
			return fmt.Errorf("sent before the one ahead of it was acknowledged")
		}
		if t.states[n-1] == mesos.Killing && !e.Status.State.Terminal() {
			return fmt.Errorf("back to life after KILLING")
		}
	}
	if e.Status.State.Terminal() && t.alive {
		return fmt.Errorf("terminal while a process may be alive")
	}
	t.states, t.last = append(t.states, e.Status.State), e.Status.UUID
	return nil
}

func (o *observer) exit(e Exit, last bool) error {
	if !last {
		return fmt.Errorf("not the last effect")
	}
	for id, t := range o.tasks {
		if t.alive {
			return fmt.Errorf("%s is alive", id)
		}
		if e.Code == 0 && !o.closing && t.starts > 0 &&
			(!t.states[len(t.states)-1].Terminal() || !o.acked[string(t.last)]) {
			return fmt.Errorf("the agent does not know the end of %s", id)
		}
	}
	return nil
}
