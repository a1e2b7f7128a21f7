package executor

import (
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// An update that is not acknowledged is sent again after firstResend, then after twice as long
// each time, up to lastResend.
const (
	firstResend = 5 * time.Second
	lastResend  = time.Minute
)

// phase is how far a task's process has come.
type phase int

const (
	starting phase = iota // a Start effect is out
	running               // the process runs
	over                  // there is no process and will be none
)

// task is one task that was launched.
type task struct {
	info   mesos.TaskInfo
	order  Order
	phase  phase
	ending *ending // set once the task has to end
	checks []*check
	ready  *bool
	well   *bool // the latest result of the health check that counts

	latest  mesos.Status
	pending []update // not acknowledged, in order; only the first is on its way
	known   bool     // the agent acknowledged an update of this task
}

// update is a status that the agent has not acknowledged.
type update struct {
	status    mesos.Status
	presented bool // is part of the subscription in progress
	tries     int  // how often it was sent in this subscription
	sentAt    time.Time
}

// subscribed starts to count anew: what the subscription presented has been sent once.
func (u *update) subscribed(now time.Time) {
	u.tries = 0
	if u.presented {
		u.tries, u.sentAt = 1, now
	}
	u.presented = false
}

// launch answers a launch: a new task is started, a known one is reported again.
func (m *Machine) launch(info mesos.TaskInfo) {
	if t := m.task(info.ID); t != nil {
		if m.connected && len(t.pending) == 0 {
			m.emit(Update{Status: t.latest})
		}
		return
	}
	t := &task{info: info}
	m.tasks = append(m.tasks, t)
	order, err := launchOrder(info)
	switch {
	case m.closing != nil:
		m.finish(t, mesos.Failed, "REASON_EXECUTOR_TERMINATED", "the executor is shutting down")
	case err != nil:
		m.finish(t, mesos.Failed, "REASON_TASK_INVALID", err.Error())
	default:
		t.order = order
		m.report(t, mesos.Starting, "", "")
		m.emit(Start{Task: info.ID, Order: order})
	}
}

// launchOrder reads, fills in and checks the order that a task was launched with.
func launchOrder(info mesos.TaskInfo) (Order, error) {
	order, err := DecodeOrder(info.Data)
	if err != nil {
		return Order{}, err
	}
	order = order.withDefaults()
	return order, order.validate()
}

func (m *Machine) started(ev Started) {
	t := m.task(ev.Task)
	if t == nil || t.phase != starting {
		return
	}
	t.phase = running
	if t.ending != nil {
		m.terminate(t)
		return
	}
	t.checks = newChecks(t.order, m.now)
	m.report(t, mesos.Running, "", "")
}

func (m *Machine) startFailed(ev StartFailed) {
	t := m.task(ev.Task)
	if t == nil || t.phase != starting {
		return
	}
	if t.ending != nil {
		m.finish(t, mesos.Killed, "", "killed before it started: "+ev.Message)
		return
	}
	m.finish(t, mesos.Failed, "REASON_CONTAINER_LAUNCH_FAILED", ev.Message)
}

func (m *Machine) ended(ev Exited) {
	t := m.task(ev.Task)
	if t == nil || t.phase == over {
		return
	}
	switch {
	case t.ending != nil && t.ending.why == unhealthy:
		m.finish(t, mesos.Failed, "", t.ending.message+"; then it "+ev.outcome())
	case t.ending != nil:
		m.finish(t, mesos.Killed, "", ev.outcome())
	case ev.Signal == "" && ev.Code == 0:
		m.finish(t, mesos.Finished, "", ev.outcome())
	default:
		m.finish(t, mesos.Failed, "", withTail(ev.outcome(), ev.Lines))
	}
}

// finish reports a task's terminal state; nothing follows it.
func (m *Machine) finish(t *task, state mesos.TaskState, reason, message string) {
	t.phase, t.ending, t.checks = over, nil, nil
	m.lastEnd = m.now
	m.report(t, state, reason, message)
}

// report makes a status update and queues it.
func (m *Machine) report(t *task, state mesos.TaskState, reason, message string) {
	id := m.ids()
	t.latest = mesos.Status{
		Task:    t.info.ID,
		State:   state,
		Agent:   t.info.Agent,
		Source:  "SOURCE_EXECUTOR",
		Reason:  reason,
		Message: message,
		UUID:    id[:],
		Healthy: t.well,
		Ready:   t.ready,
		Time:    m.now,
	}
	t.pending = append(t.pending, update{status: t.latest})
}

// send sends the first update that waits, again if it has waited for long. The one behind it
// leaves only when it was acknowledged, so that updates arrive in order whatever gets lost.
func (m *Machine) send(t *task) {
	if !m.connected || !m.due(t.sendAt(m.now)) {
		return
	}
	u := &t.pending[0]
	u.tries, u.sentAt = u.tries+1, m.now
	m.emit(Update{Status: u.status})
}

// sendAt is when the first update that waits is to be sent (again); zero when none waits.
func (t *task) sendAt(now time.Time) time.Time {
	if len(t.pending) == 0 {
		return time.Time{}
	}
	u := t.pending[0]
	if u.tries == 0 {
		return now
	}
	return u.sentAt.Add(min(firstResend<<min(u.tries-1, 8), lastResend))
}

func (m *Machine) acknowledged(ev mesos.ExecutorAcknowledged) {
	t := m.task(ev.Task)
	if t == nil {
		return
	}
	for i, u := range t.pending {
		if slices.Equal(u.status.UUID, ev.UUID) {
			t.known = true
			t.pending = slices.Delete(t.pending, i, i+1)
			return
		}
	}
}
