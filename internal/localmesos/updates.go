package localmesos

import (
	"bytes"
	"slices"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/google/uuid"
)

// maxBackoff is the longest time between two re-sends.
const maxBackoff = 10 * time.Minute

// keepSeen is how many uuids of received updates are remembered per task, to
// recognise those that an executor sends again after a restart.
const keepSeen = 64

func newUUID() []byte {
	u := uuid.New()
	return u[:]
}

// isUUID applies Mesos' test: 16 bytes of an RFC 4122 variant and version.
func isUUID(b []byte) bool {
	u, err := uuid.FromBytes(b)
	return err == nil && u.Variant() == uuid.RFC4122 && u.Version() >= 1 && u.Version() <= 5
}

// addUpdate stores a status update and forwards it when it is its turn: updates
// of a task are sent in order, one at a time, each until it is acknowledged.
func (c *Cluster) addUpdate(t *task, s mesos.TaskStatus) {
	if t.terminal() {
		return
	}
	t.State = s.GetState()
	c.stats.count(t.State)
	t.Pending = append(t.Pending, taskStatus{s})
	if n := len(t.Statuses); n > 0 && t.Statuses[n-1].V.GetState() == t.State {
		t.Statuses[n-1] = taskStatus{s}
	} else {
		t.Statuses = append(t.Statuses, taskStatus{s})
	}
	t.Seen = append(t.Seen, s.UUID)
	t.Seen = t.Seen[max(0, len(t.Seen)-keepSeen):]
	t.Untold = t.terminal() && len(t.Pending) > 1
	c.saveTask(t)
	if t.terminal() {
		c.freeOn(t.Agent)
		c.scheduleAllocation()
	}
	if len(t.Pending) == 1 {
		c.sendFirst(t, c.cfg.UpdateRetry)
	}
}

func (t *task) hasSeen(id []byte) bool {
	return slices.ContainsFunc(t.Seen, func(b []byte) bool { return bytes.Equal(b, id) })
}

// sendFirst forwards the oldest unacknowledged update and arranges the re-send.
func (c *Cluster) sendFirst(t *task, backoff time.Duration) {
	t.retry.cancel()
	f := c.frameworks[t.Framework]
	if len(t.Pending) == 0 || f == nil || f.Completed || c.outageOf(t.Agent) != nil {
		return
	}
	c.tellEnd(t)
	first := t.Pending[0]
	if t.Sent == nil || !bytes.Equal(t.Sent.V.UUID, first.V.UUID) {
		t.Sent = &first
		c.saveTask(t)
		c.watchTaskUpdated(t, first.V)
	}
	if !f.connected() {
		return // Sent again when the framework is back.
	}
	c.sendStatus(f, first.V)
	t.retry = c.later(backoff, func() { c.sendFirst(t, min(2*backoff, maxBackoff)) })
}

// tellEnd lets the master know the latest state of a task, which every update carries.
func (c *Cluster) tellEnd(t *task) {
	if t.Untold {
		t.Untold = false
		c.saveTask(t)
		c.freeOn(t.Agent)
		c.scheduleAllocation()
	}
}

// resendAll sends what a framework has not acknowledged, after it subscribed.
func (c *Cluster) resendAll(f *framework) {
	for _, t := range c.tasksOf(func(t *task) bool { return t.Framework == f.id }) {
		c.sendFirst(t, c.cfg.UpdateRetry)
	}
	for _, o := range c.sortedOperations() {
		if o.Op.V.GetFrameworkID().GetValue() == f.id {
			c.sendOperation(o, c.cfg.UpdateRetry)
		}
	}
}

// stateFor is a state in the words that the framework understands.
func (f *framework) stateFor(s mesos.TaskState) mesos.TaskState {
	switch s {
	case mesos.TASK_DROPPED, mesos.TASK_UNREACHABLE, mesos.TASK_GONE,
		mesos.TASK_GONE_BY_OPERATOR, mesos.TASK_UNKNOWN:
		if !f.can(mesos.FrameworkInfo_Capability_PARTITION_AWARE) {
			return mesos.TASK_LOST
		}
	}
	return s
}

// sendStatus sends a status in the words that the framework understands.
func (c *Cluster) sendStatus(f *framework, s mesos.TaskStatus) {
	s.State = f.stateFor(s.GetState()).Enum()
	c.toFramework(f, &scheduler.Event{Type: scheduler.Event_UPDATE,
		Update: &scheduler.Event_Update{Status: s}})
}

// acknowledge takes an acknowledgement of the scheduler. One that does not fit
// the update in flight is ignored, as by Mesos.
func (c *Cluster) acknowledge(f *framework, ack *scheduler.Call_Acknowledge) {
	t := c.tasks[taskKey(f.id, ack.TaskID.Value)]
	if t == nil || t.Agent != ack.AgentID.Value || len(t.Pending) == 0 ||
		c.outageOf(t.Agent) != nil || !bytes.Equal(t.Pending[0].V.UUID, ack.UUID) {
		return
	}
	t.Pending = slices.Delete(slices.Clone(t.Pending), 0, 1)
	t.retry.cancel()
	if len(t.Pending) == 0 && t.terminal() {
		c.removeTask(t)
		return
	}
	c.saveTask(t)
	c.sendFirst(t, c.cfg.UpdateRetry)
}

// removeTask forgets a task that is over, except for the operators' lists.
func (c *Cluster) removeTask(t *task) {
	t.retry.cancel()
	c.forgetTask(t)
	if a := c.byID[t.Agent]; a != nil {
		c.whenDrained(a)
	}
	c.completed = append(c.completed, t)
	c.completed = c.completed[max(0, len(c.completed)-100):]
}
