package sim

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// role is the one that the service's reservations are for.
const role = "kafka-role"

func fromMesos(ev mesos.Event) scheduler.Event { return scheduler.FromMesos{Event: ev} }

// standing is how the master sees an agent.
type standing int

const (
	registered  standing = iota
	cutOff               // its connection is gone, it may soon be back
	unreachable          // it was away for too long
	awaited              // a new master expects it
)

// agent is the model of a Mesos agent together with what the master knows of it.
type agent struct {
	m         *master
	id        mesos.AgentID
	hostname  string
	total     resource.List // reservations and volumes included
	tasks     map[mesos.TaskID]*task
	executors map[mesos.ExecutorID]*runner
	gone      map[mesos.ExecutorID]bool // executors that have ended, or never began
	state     standing
	since     time.Time // when it last came back, zero for never
	cut       bool      // no message goes through
	cuts      int       // counts, so that older timers are void

	drained  bool                  // an operator has it drained
	window   *mesos.Unavailability // of maintenance, nil for none
	dead     bool                  // it never comes back
	declared bool                  // an operator told the master so
	heir     bool                  // it has what an earlier agent of its machine had
	able     bool                  // it reports on operations
	// operations are those whose ends are not acknowledged.
	operations  map[mesos.OperationID]*operation
	deactivated bool // it is offered to nobody
	freed       freed
}

type runner struct {
	id        mesos.ExecutorID
	resources resource.List
	tasks     []*task
	held      bool // its resources are in use for all that the master knows
}

func newAgent(m *master, i int) *agent {
	host := fmt.Sprintf("h%d", i)
	total, err := resource.ParseList("cpus:8;mem:4096;disk:9000;ports:[31000-31100]")
	if err != nil {
		panic(err)
	}
	return &agent{m: m, id: mesos.AgentID(fmt.Sprintf("a%d", i)), hostname: host, total: total,
		tasks: map[mesos.TaskID]*task{}, executors: map[mesos.ExecutorID]*runner{},
		gone: map[mesos.ExecutorID]bool{}, able: m.w.flip(m.w.scenario.able),
		operations: map[mesos.OperationID]*operation{}}
}

// hear has a message of the master arrive, if the agent can be reached.
func (a *agent) hear(do func()) {
	if a.cut || a.state != registered {
		return
	}
	a.m.w.after(a.m.w.latency(), func() {
		if !a.cut {
			do()
		}
	})
}

func (a *agent) taskList() []*task {
	list := make([]*task, 0, len(a.tasks))
	for _, t := range a.tasks {
		list = append(list, t)
	}
	slices.SortFunc(list, func(x, y *task) int { return x.order - y.order })
	return list
}

func (a *agent) executorList() []*runner {
	list := make([]*runner, 0, len(a.executors))
	for _, e := range a.executors {
		list = append(list, e)
	}
	slices.SortFunc(list, func(x, y *runner) int { return x.tasks[0].order - y.tasks[0].order })
	return list
}

// freed is what was free of an agent, when it had this total, and used what uses stands for.
type freed struct {
	total resource.List
	uses  uint64
	free  resource.List
}

// uses stands for all that is used of an agent.
func (a *agent) uses() uint64 {
	sum := uint64(0)
	use := func(order, kind int) {
		x := uint64(2*order+kind+1) * 0x9e3779b97f4a7c15
		sum += (x ^ x>>29) * 0xbf58476d1ce4e5b9
	}
	for _, e := range a.executors {
		if e.held {
			use(e.tasks[0].order, 1)
		}
	}
	for _, t := range a.tasks {
		if t.held {
			use(t.order, 0)
		}
	}
	return sum
}

// free is what nobody uses. It is asked for more often than it changes.
func (a *agent) free() resource.List {
	uses, was := a.uses(), a.freed
	same := len(was.total) == len(a.total) && len(a.total) > 0 && &was.total[0] == &a.total[0]
	if !same || uses != was.uses {
		a.freed = freed{a.total, uses, a.unused()}
	}
	return a.freed.free
}

func (a *agent) unused() resource.List {
	free := a.total.Merged()
	for _, e := range a.executorList() {
		if e.held {
			free = a.without(free, e.resources, "used")
		}
	}
	for _, t := range a.taskList() {
		if t.held {
			free = a.without(free, t.resources, "used")
		}
	}
	return free
}

func (a *agent) without(free, less resource.List, what string) resource.List {
	rest, err := free.Sub(less)
	if err != nil {
		panic(fmt.Sprintf("the model is wrong: more of %s is %s than there is: %v",
			a.id, what, err))
	}
	return rest
}

// accept applies operations one after the other and gives what remains of the offer.
func (a *agent) accept(ops []mesos.Operation, remaining resource.List) resource.List {
	w := a.m.w
	lost, silent := len(ops), false
	if w.chance(0.04 * w.scenario.network) {
		lost, silent = w.rng.IntN(len(ops)), w.flip(0.5)
		w.tell("operations from number %d on are lost on the way to %s", lost, a.id)
		if silent {
			defer a.cutFor(w.between(100*time.Millisecond, 20*time.Second))
		}
	}
	for i, op := range ops {
		if launch, ok := op.(mesos.Launch); ok {
			remaining = a.launchAll(launch, remaining, lost < len(ops), silent)
			continue
		}
		if i >= lost {
			a.operationLost(operationID(op), silent)
			continue
		}
		from, to := conversion(op)
		rest, err := remaining.Sub(from)
		if err != nil {
			w.fail("used <= offered", "%s on %s: %v", op, a.id, err)
			return nil
		}
		if d, ok := op.(mesos.Destroy); ok {
			w.checkDestroyed(a, d)
		}
		remaining = rest.Add(to...)
		a.total = a.without(a.total, from, "converted").Add(to...)
		a.operationEnded(operationID(op), mesos.OperationFinished)
	}
	return remaining
}

// conversion is what an operation makes of what.
func conversion(op mesos.Operation) (from, to resource.List) {
	switch op := op.(type) {
	case mesos.Reserve:
		to = op.Resources.WithoutRole()
		return to.PopReservation(), to
	case mesos.Unreserve:
		from = op.Resources.WithoutRole()
		return from, from.PopReservation()
	case mesos.Create:
		to = op.Volumes.WithoutRole()
		return plain(to), to
	case mesos.Destroy:
		from = op.Volumes.WithoutRole()
		return from, plain(from)
	}
	panic(fmt.Sprintf("unknown operation %T", op))
}

// plain is the disk that volumes are made of.
func plain(volumes resource.List) resource.List {
	list := slices.Clone(volumes)
	for i := range list {
		list[i].Disk = nil
	}
	return list
}

// launchAll launches tasks; when operations before it were lost, so is the launch, or the agent
// finds that it lacks what the tasks need.
func (a *agent) launchAll(
	launch mesos.Launch, remaining resource.List, lost, silent bool,
) resource.List {
	w := a.m.w
	for _, info := range launch.Tasks {
		w.checkOne(a, info)
		w.checkSets(a, info)
		w.tasks++
		t := &task{a: a, agent: a, info: info, order: w.tasks,
			resources: info.Resources.WithoutRole(), state: mesos.Staging}
		e := a.executors[info.Executor.ID]
		need := t.resources
		if e == nil {
			need = need.Add(info.Executor.Resources.WithoutRole()...)
		}
		a.m.records[info.ID] = &record{task: t,
			status: mesos.Status{Task: info.ID, Agent: a.id, State: mesos.Staging}}
		if lost {
			a.gone[info.Executor.ID] = true
			// When the connection broke, nobody tells; the agent, when it registers again,
			// does not know the task.
			if !silent {
				t.refuse()
			}
			continue
		}
		rest, err := remaining.Sub(need)
		if err != nil && a.gone[info.Executor.ID] { // it ended while this was on its way
			t.refuse()
			continue
		}
		if err != nil {
			w.fail("used <= offered", "launch of %s on %s: %v", info.ID, a.id, err)
			return nil
		}
		remaining = rest
		if e == nil {
			e = &runner{id: info.Executor.ID, held: true,
				resources: info.Executor.Resources.WithoutRole()}
			a.executors[e.id] = e
		}
		e.tasks = append(e.tasks, t)
		t.executor, t.held = e, true
		a.tasks[info.ID] = t
		t.begin()
	}
	return remaining
}

// cutFor separates the agent from the master for a while.
func (a *agent) cutFor(d time.Duration) {
	w := a.m.w
	if a.cut || a.dead {
		return
	}
	w.tell("%s is cut off for %s", a.id, d)
	a.cut = true
	for _, t := range a.tasks {
		t.wasAway = true
	}
	a.cuts++
	cut := a.cuts
	if a.state == registered {
		a.state = cutOff
	}
	a.m.removeOffers(func(o *offer) bool { return o.agent == a }, true)
	w.after(w.between(15*time.Second, 75*time.Second), func() {
		if a.cut && a.cuts == cut && a.m.up && a.state != unreachable {
			a.lost()
		}
	})
	w.after(d, func() {
		if a.cuts == cut {
			a.cut = false
			a.registerLater(w.between(10*time.Millisecond, 3*time.Second))
		}
	})
}

// lost: the master declares the agent unreachable.
func (a *agent) lost() {
	w := a.m.w
	w.tell("%s is unreachable", a.id)
	a.state = unreachable
	a.m.send(a.m.session, mesos.ExecutorFailed{Agent: a.id})
	for _, id := range a.m.recordIDs() {
		if r := a.m.records[id]; r.task.agent == a && !r.status.State.Terminal() {
			r.status = mesos.Status{Task: id, Agent: a.id, State: mesos.Unreachable}
			a.m.answer(r.status)
		}
	}
	for _, id := range a.m.operationIDs(a) {
		a.m.answerOperation(a.id, id, mesos.OperationUnreachable)
	}
}

func (a *agent) registerLater(d time.Duration) {
	a.m.w.after(d, func() {
		if !a.cut && a.m.up && a.state != registered && !a.dead {
			a.register()
		}
	})
}

// register: the agent tells the master all that it has, and drops what never came to it.
func (a *agent) register() {
	w := a.m.w
	w.tell("%s registers again", a.id)
	back := a.state == unreachable
	a.state, a.since = registered, w.now
	for _, id := range a.m.recordIDs() {
		r := a.m.records[id]
		if r.task.agent != a || r.status.State.Terminal() || a.tasks[id] != nil {
			continue
		}
		delete(a.m.records, id)
		a.m.send(a.m.session, mesos.Updated{Status: mesos.Status{Task: id, Agent: a.id,
			State: mesos.Dropped, Source: "SOURCE_AGENT", Reason: "REASON_RECONCILIATION",
			Message: "Reconciliation: task unknown to the agent"}})
	}
	for _, t := range a.taskList() {
		t.held = !t.state.Terminal()
		r := a.m.records[t.info.ID]
		if r == nil || !r.status.State.Terminal() {
			s := t.status(t.state)
			s.UUID = nil
			a.m.records[t.info.ID] = &record{task: t, status: s}
			if back && w.flip(0.5) {
				a.m.answer(s)
			}
		}
		t.sendLater(w.between(0, 3*time.Second))
	}
	for _, e := range a.executorList() {
		e.held = true
	}
	a.operationsBack()
	a.m.allocateSoon()
}

// reboot: all processes are gone; reservations and volumes stay, and what the agent has to tell of
// the ends.
func (a *agent) reboot() {
	w := a.m.w
	w.tell("%s reboots", a.id)
	for _, t := range a.taskList() {
		t.perish()
	}
	a.cutFor(w.between(5*time.Second, 2*time.Minute))
}

// acknowledge takes an update off the list and sends the next one.
func (a *agent) acknowledge(id mesos.TaskID, uuid []byte) {
	t := a.tasks[id]
	if t == nil || len(t.updates) == 0 || string(t.updates[0].UUID) != string(uuid) {
		return
	}
	t.updates = t.updates[1:]
	if len(t.updates) > 0 {
		t.send()
	} else if t.state.Terminal() {
		delete(a.tasks, id)
	}
}

// ended has an executor go once all its tasks have ended, sooner or later.
func (a *agent) ended(e *runner) {
	for _, t := range e.tasks {
		if !t.state.Terminal() {
			return
		}
	}
	w := a.m.w
	linger := w.between(10*time.Millisecond, 500*time.Millisecond)
	if w.chance(0.3) {
		linger = w.between(0, 20*time.Second)
	}
	w.after(linger, func() {
		if a.executors[e.id] != e {
			return
		}
		delete(a.executors, e.id)
		a.gone[e.id] = true
		if a.state == registered && w.flip(0.5) {
			a.m.send(a.m.session, mesos.ExecutorFailed{Agent: a.id, Executor: e.id})
		}
		a.m.allocateSoon()
	})
}

// nextUUID names a status update.
func (m *master) nextUUID() []byte {
	m.updates++
	return binary.BigEndian.AppendUint64(nil, m.updates)
}
