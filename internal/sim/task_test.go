package sim

import (
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// task is a task on its agent: a process, and the updates that tell of it.
type task struct {
	a, agent  *agent
	info      mesos.TaskInfo
	order     int
	resources resource.List
	executor  *runner
	held      bool // its resources are in use for all that the master knows
	state     mesos.TaskState
	ready     *bool
	killing   bool
	force     time.Time      // when a process that is being killed ends by force
	updates   []mesos.Status // not acknowledged; the first one is on its way
	sends     int            // counts, so that older timers are void
	arrives   time.Time      // when the latest message arrives, to keep their order
	node      *node          // the Kafka process, nil when it is none or not up
	server    *server        // the ZooKeeper process, nil when it is none
	wasAway   bool           // its agent could not be reached at some time
	draining  bool           // it is killed because its agent is drained
	replaced  bool           // the operator replaced its instance since it was launched
}

// alive says whether there is, or soon will be, a process.
func (t *task) alive() bool { return !t.state.Terminal() }

// begin is the life of a task.
func (t *task) begin() {
	w := t.a.m.w
	w.after(w.between(50*time.Millisecond, 2*time.Second), func() {
		if !t.alive() {
			return
		}
		if w.chance(0.03 * w.scenario.tasks) {
			t.end(mesos.Failed, "the executor did not start")
			return
		}
		t.report(mesos.Starting)
		w.after(w.between(20*time.Millisecond, time.Second), t.run)
	})
}

func (t *task) run() {
	w := t.a.m.w
	if !t.alive() {
		return
	}
	if w.chance(0.05 * w.scenario.tasks) {
		t.end(mesos.Failed, "the task did not start")
		return
	}
	t.report(mesos.Running)
	if isOnce(t.info) {
		w.after(w.between(100*time.Millisecond, 3*time.Second), func() {
			t.end(mesos.Finished, "")
		})
		return
	}
	for _, v := range t.resources.Volumes() {
		w.used[mesos.PersistenceID(v.DiskInfo().PersistenceID)] = true
	}
	w.kafka.begin(t)
	if order := w.order(t.info); order.Readiness != nil && !neverReady(order) {
		w.after(w.between(500*time.Millisecond, 5*time.Second), t.becomeReady)
	}
	if w.chance(0.2 * w.scenario.tasks) {
		w.after(w.between(0, 2*time.Minute), func() {
			if w.faults {
				t.end(mesos.Failed, "it crashed")
			}
		})
	}
}

// becomeReady is the first time that the readiness check passes: that of a Kafka process finds no
// port before it is up.
func (t *task) becomeReady() {
	if !t.alive() || t.killing {
		return
	}
	if t.node != nil && !t.node.up || t.server != nil && !t.server.up {
		t.a.m.w.after(time.Second, t.becomeReady)
		return
	}
	ready := true
	t.ready = &ready
	t.report(mesos.Running)
}

// kill ends the task in order within its grace, and by force after it.
func (t *task) kill(grace *time.Duration) {
	w := t.a.m.w
	if !t.alive() {
		return
	}
	limit := t.info.KillGrace
	if grace != nil {
		limit = *grace
	}
	force := w.now.Add(limit + w.between(10*time.Millisecond, 300*time.Millisecond))
	first := !t.killing
	if first || force.Before(t.force) {
		t.force = force
		w.at(force, func() { t.end(mesos.Killed, "by force") })
	}
	if !first {
		return
	}
	if t.state != mesos.Staging {
		t.report(mesos.Killing)
	}
	t.killing = true
	wait := w.between(100*time.Millisecond, 4*time.Second)
	if w.chance(0.1) {
		wait = w.between(0, 60*time.Second)
	}
	w.after(wait, t.leave)
}

// leave is the orderly end; a broker waits with it until the controllers have a quorum.
func (t *task) leave() {
	w := t.a.m.w
	if t.alive() && w.kafka.detained(t.node) {
		w.after(time.Second, t.leave)
		return
	}
	t.end(mesos.Killed, "")
}

// end is the end of the process, and tells of it.
func (t *task) end(state mesos.TaskState, message string) {
	if !t.alive() {
		return
	}
	t.stop()
	t.ready = nil
	t.reportMessage(state, message)
	t.a.ended(t.executor)
}

// stop ends the process.
func (t *task) stop() {
	if t.node != nil {
		t.a.m.w.kafka.end(t.node)
		t.node = nil
	}
	if t.server != nil {
		t.a.m.w.kafka.zoo.end(t.server)
		t.server = nil
	}
}

// vanish: the task is gone and nobody tells of it.
func (t *task) vanish() {
	t.stop()
	t.state, t.updates = mesos.Gone, nil
	delete(t.a.tasks, t.info.ID)
	if t.executor != nil {
		delete(t.a.executors, t.executor.id)
		t.a.gone[t.executor.id] = true
	}
}

// perish: the machine went down. What the task was about to tell is lost; that its executor is not
// there any more the agent tells when it is back.
func (t *task) perish() {
	if !t.alive() {
		return
	}
	w := t.a.m.w
	t.stop()
	t.ready = nil
	t.state = []mesos.TaskState{mesos.Gone, mesos.Failed}[w.rng.IntN(2)]
	t.updates = []mesos.Status{{Task: t.info.ID, Agent: t.a.id, State: t.state,
		Source: "SOURCE_AGENT", Reason: "REASON_EXECUTOR_TERMINATED",
		Message: "Abnormal executor termination", UUID: t.a.m.nextUUID()}}
	delete(t.a.executors, t.executor.id)
	t.a.gone[t.executor.id] = true
}

// refuse: the launch behind lost operations.
func (t *task) refuse() {
	w := t.a.m.w
	t.a.tasks[t.info.ID] = t
	t.executor = &runner{id: t.info.Executor.ID, tasks: []*task{t}}
	state := mesos.Dropped
	if w.flip(0.5) {
		state = mesos.Error
	}
	t.reportMessage(state, "the task uses resources that are not there")
}

func (t *task) report(state mesos.TaskState) { t.reportMessage(state, "") }

func (t *task) reportMessage(state mesos.TaskState, message string) {
	t.state = state
	s := t.status(state)
	s.Message, s.UUID = message, t.a.m.nextUUID()
	t.updates = append(t.updates, s)
	if len(t.updates) == 1 {
		t.send()
	}
}

func (t *task) status(state mesos.TaskState) mesos.Status {
	s := mesos.Status{Task: t.info.ID, Agent: t.a.id, State: state, Ready: t.ready,
		Source: "SOURCE_EXECUTOR", IP: t.a.hostname}
	if t.draining && (state == mesos.Killing || state == mesos.Killed) {
		s.Reason = "REASON_AGENT_DRAINING"
	}
	return s
}

func (t *task) sendLater(d time.Duration) {
	t.sends++
	n := t.sends
	t.a.m.w.after(d, func() {
		if t.sends == n && len(t.updates) > 0 {
			t.send()
		}
	})
}

// send sends the first update that waits; it may get lost, be late, or come twice, and is sent
// again until it is acknowledged.
func (t *task) send() {
	w := t.a.m.w
	s := t.updates[0]
	t.sendLater(10 * time.Second)
	if t.a.cut || !t.a.m.up || t.a.state != registered {
		return
	}
	if w.chance(0.05 * w.scenario.network) {
		w.tell("an update %s of %s is lost", s.State, s.Task)
		return
	}
	copies := 1
	if w.chance(0.05 * w.scenario.network) {
		copies = 2
	}
	for range copies {
		at := w.now.Add(w.latency())
		if w.chance(0.05 * w.scenario.network) {
			at = at.Add(w.between(0, 8*time.Second))
		}
		if at.Before(t.arrives) {
			at = t.arrives
		}
		t.arrives = at
		w.at(at, func() {
			if !t.a.cut && t.a.m.up && t.a.state == registered {
				t.a.m.forward(t, s)
			}
		})
	}
}
