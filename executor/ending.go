package executor

import (
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// noBound stands for an end that nobody but the task itself puts a limit to.
const noBound = time.Duration(-1)

// Exit codes of an executor that cannot begin.
const (
	ExitPlatform = 81 // there is no binary for the machine
	ExitDiffers  = 82 // the binary is not the one that was to be fetched
)

// cause is why a task is being ended.
type cause int

const (
	ordered   cause = iota // the scheduler or the agent wants it: TASK_KILLED
	unhealthy              // its health check failed: TASK_FAILED
)

// ending is the way of a task from the decision to end it to its last breath.
type ending struct {
	why     cause
	message string
	grace   time.Duration
	since   time.Time // of SIGTERM; zero until the process runs
	forced  bool      // SIGKILL was sent
}

func (m *Machine) killOrdered(ev mesos.ExecutorKill) {
	t := m.task(ev.Task)
	if t == nil {
		return
	}
	grace := t.order.KillGrace
	if ev.Grace != nil {
		grace = *ev.Grace
	}
	m.end(t, ordered, grace, "")
}

// end begins to end a task. A task that is being ended already may only be hurried.
func (m *Machine) end(t *task, why cause, grace time.Duration, message string) {
	if t.phase == over {
		return
	}
	if t.ending == nil {
		t.ending = &ending{why: why, grace: grace, message: message}
		m.report(t, mesos.Killing, "", message)
		if t.phase == running {
			m.terminate(t)
		}
		return
	}
	if why == ordered {
		t.ending.why = ordered
	}
	waited := time.Duration(0)
	if !t.ending.since.IsZero() {
		waited = m.now.Sub(t.ending.since)
	}
	t.ending.grace = min(t.ending.grace, waited+grace)
}

// terminate asks the task's processes to end; without any grace, escalate forces them at once.
func (m *Machine) terminate(t *task) {
	t.ending.since = m.now
	if t.ending.grace > 0 {
		m.emit(Signal{Task: t.info.ID, Sig: Term})
	}
}

// escalate forces a task's processes to end when their grace is over.
func (m *Machine) escalate(t *task) {
	if m.due(t.killAt()) {
		t.ending.forced = true
		m.emit(Signal{Task: t.info.ID, Sig: Kill})
	}
}

// killAt is when SIGKILL is due; zero if it is not in question.
func (t *task) killAt() time.Time {
	if t.ending == nil || t.ending.since.IsZero() || t.ending.forced {
		return time.Time{}
	}
	return t.ending.since.Add(t.ending.grace)
}

// close begins to end the executor with all its tasks, each of which gets its own grace but
// not more than bound. The first reason stays.
func (m *Machine) close(code int, reason string, bound time.Duration) {
	if m.closing == nil {
		m.closing = &closing{since: m.now, code: code, reason: reason}
	}
	for _, t := range m.tasks {
		grace := t.order.KillGrace
		if bound != noBound {
			grace = min(grace, bound)
		}
		m.end(t, ordered, grace, reason)
	}
}

// shutdownGrace is how long tasks may take after a SHUTDOWN: a little less than the agent
// waits, so that their last updates still reach it.
func (m *Machine) shutdownGrace() time.Duration {
	return m.cfg.ShutdownGrace - min(time.Second, m.cfg.ShutdownGrace/5)
}
