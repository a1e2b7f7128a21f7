package executor

import (
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// linger is how long an executor that was told to end waits for the acknowledgements of the
// last updates once no process is left.
const linger = 5 * time.Second

// Config is what the agent tells an executor through its environment.
type Config struct {
	// RecoveryTimeout is how long the agent may be away (MESOS_RECOVERY_TIMEOUT).
	RecoveryTimeout time.Duration
	// ShutdownGrace is how long after a SHUTDOWN the agent kills the executor by force
	// (MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD).
	ShutdownGrace time.Duration
	// Checkpoint says that the agent will look for this executor after a restart
	// (MESOS_CHECKPOINT). Without it, an executor that lost its agent is lost as well.
	Checkpoint bool
}

// Machine is the state of one executor. The zero Machine is of no use; see New. It is owned
// by one goroutine.
type Machine struct {
	cfg Config
	ids func() [16]byte

	now time.Time // of the step in progress
	out []Effect  // of the step in progress

	tasks     []*task // in the order of their launch; never forgotten
	met       bool    // was ever subscribed
	connected bool
	awaySince time.Time // valid while not connected
	lastEnd   time.Time // when the latest process ended
	closing   *closing  // set once the executor has to end
	exited    bool
}

// closing is why the executor has to end although a task may still run.
type closing struct {
	since  time.Time
	code   int
	reason string
}

// New returns the machine of an executor that has not met its agent yet. ids gives the id of
// each status update and never the same twice.
func New(cfg Config, ids func() [16]byte) *Machine {
	return &Machine{cfg: cfg, ids: ids}
}

// Step takes one event at the time now, which never runs backwards, and returns what is to be
// done about it, in order.
func (m *Machine) Step(now time.Time, ev Event) []Effect {
	if m.exited {
		return nil
	}
	m.now, m.out = now, nil
	if !m.connected && m.awaySince.IsZero() {
		m.awaySince = now
	}
	switch ev := ev.(type) {
	case Agent:
		m.heard(ev.Event)
	case Started:
		m.started(ev)
	case StartFailed:
		m.startFailed(ev)
	case Exited:
		m.ended(ev)
	case Checked:
		m.checked(ev)
	case Tick:
	}
	m.advance()
	return m.out
}

// NextWake is when the machine wants a Tick if nothing else happens before; zero means never.
func (m *Machine) NextWake() time.Time {
	var w wake
	if m.exited {
		return w.at
	}
	w.add(m.awayAt())
	for _, t := range m.tasks {
		w.add(t.killAt())
		for _, c := range t.checks {
			w.add(t.checkAt(c))
		}
		if m.connected {
			w.add(t.sendAt(m.now))
		}
	}
	w.add(m.lingerAt())
	return w.at
}

// Unacknowledged gives what a subscription presents to the agent: the tasks of which the agent
// acknowledged no update yet, and all updates that it did not acknowledge, in order. The
// updates count as sent when the agent answers with its next ExecutorSubscribed.
func (m *Machine) Unacknowledged() ([]mesos.TaskInfo, []mesos.Status) {
	var tasks []mesos.TaskInfo
	var updates []mesos.Status
	for _, t := range m.tasks {
		if !t.known {
			tasks = append(tasks, t.info)
		}
		for i := range t.pending {
			t.pending[i].presented = true
			updates = append(updates, t.pending[i].status)
		}
	}
	return tasks, updates
}

// heard takes what the agent said.
func (m *Machine) heard(ev mesos.ExecutorEvent) {
	switch ev := ev.(type) {
	case mesos.ExecutorSubscribed:
		m.subscribed()
	case mesos.ExecutorDisconnected:
		m.disconnected()
	case mesos.ExecutorLaunch:
		m.launch(ev.Task)
	case mesos.ExecutorKill:
		m.killOrdered(ev)
	case mesos.ExecutorAcknowledged:
		m.acknowledged(ev)
	case mesos.ExecutorShutdown:
		m.close(0, "told to shut down", m.shutdownGrace())
	case mesos.ExecutorRefused:
		m.disconnected()
		m.close(1, "refused by the agent: "+ev.Message, m.shutdownGrace())
	}
}

func (m *Machine) subscribed() {
	m.met, m.connected, m.awaySince = true, true, time.Time{}
	for _, t := range m.tasks {
		for i := range t.pending {
			t.pending[i].subscribed(m.now)
		}
	}
}

func (m *Machine) disconnected() {
	if m.connected {
		m.connected, m.awaySince = false, m.now
	}
}

// advance does all that is due, whatever the event was.
func (m *Machine) advance() {
	if m.due(m.awayAt()) {
		m.close(1, "the agent stayed away for too long", noBound)
	}
	for _, t := range m.tasks {
		m.escalate(t)
		m.runChecks(t)
	}
	for _, t := range m.tasks {
		m.send(t)
	}
	m.exit()
}

// awayAt is when the patience with an absent agent ends; zero while that is no question. The
// agent that started this executor is given the whole time in any case.
func (m *Machine) awayAt() time.Time {
	if m.connected || m.awaySince.IsZero() || m.closing != nil {
		return time.Time{}
	}
	if m.met && !m.cfg.Checkpoint {
		return m.awaySince
	}
	return m.awaySince.Add(m.cfg.RecoveryTimeout)
}

// lingerAt is when an executor that has to end no longer waits for acknowledgements; zero
// unless that is all that it waits for. An agent that refused it or was given up, and is not
// there, is not waited for.
func (m *Machine) lingerAt() time.Time {
	if m.closing == nil || !m.allOver() {
		return time.Time{}
	}
	if m.closing.code != 0 && !m.connected {
		return m.now
	}
	from := m.closing.since
	if m.lastEnd.After(from) {
		from = m.lastEnd
	}
	return from.Add(linger)
}

// exit ends the executor when nothing is left to do.
func (m *Machine) exit() {
	if !m.allOver() {
		return
	}
	done := m.allKnown()
	switch {
	case m.closing != nil && (done || m.due(m.lingerAt())):
		m.emit(Exit{Code: m.closing.code, Reason: m.closing.reason})
		m.exited = true
	case m.closing == nil && done && len(m.tasks) > 0:
		m.emit(Exit{Code: 0, Reason: "every task has ended and the agent knows"})
		m.exited = true
	}
}

func (m *Machine) allOver() bool {
	for _, t := range m.tasks {
		if t.phase != over {
			return false
		}
	}
	return true
}

func (m *Machine) allKnown() bool {
	for _, t := range m.tasks {
		if len(t.pending) > 0 {
			return false
		}
	}
	return true
}

func (m *Machine) task(id mesos.TaskID) *task {
	for _, t := range m.tasks {
		if t.info.ID == id {
			return t
		}
	}
	return nil
}

func (m *Machine) emit(e Effect) { m.out = append(m.out, e) }

// due reports whether the time at has come; the zero time never comes.
func (m *Machine) due(at time.Time) bool { return !at.IsZero() && !m.now.Before(at) }

// wake keeps the earliest of the times added to it, less the zero ones.
type wake struct{ at time.Time }

func (w *wake) add(at time.Time) {
	if !at.IsZero() && (w.at.IsZero() || at.Before(w.at)) {
		w.at = at
	}
}
