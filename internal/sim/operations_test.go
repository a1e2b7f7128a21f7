package sim

import (
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// operation is one with an id: its agent tells how it ended until that is acknowledged.
type operation struct {
	a     *agent
	id    mesos.OperationID
	state string
	uuid  []byte // none while nobody has heard of it but the master
	sends int    // counts, so that older timers are void
}

// operationID gives the id of an operation, "" if it wants no feedback.
func operationID(op mesos.Operation) mesos.OperationID {
	switch op := op.(type) {
	case mesos.Reserve:
		return op.ID
	case mesos.Unreserve:
		return op.ID
	case mesos.Create:
		return op.ID
	case mesos.Destroy:
		return op.ID
	}
	return ""
}

// ended: the agent knows how an operation ended, and tells.
func (a *agent) operationEnded(id mesos.OperationID, state string) {
	if id == "" {
		return
	}
	if !a.able {
		a.m.w.fail("feedback", "%s wants feedback of %s, which gives none", id, a.id)
		return
	}
	op := &operation{a: a, id: id, state: state, uuid: a.m.nextUUID()}
	a.operations[id], a.m.operations[id] = op, op
	op.send()
}

// operationLost: an operation did not get through; when the connection broke, nobody knows yet.
func (a *agent) operationLost(id mesos.OperationID, silent bool) {
	w := a.m.w
	switch {
	case id == "":
	case silent:
		a.m.operations[id] = &operation{a: a, id: id, state: mesos.OperationPending}
	case w.flip(0.3):
		a.m.answerOperation(a.id, id, mesos.OperationError)
	default:
		a.operationEnded(id, []string{mesos.OperationFailed, mesos.OperationDropped}[w.rng.IntN(2)])
	}
}

// send tells how the operation ended; that may get lost or come twice, and is told again until it
// is acknowledged.
func (op *operation) send() {
	w := op.a.m.w
	op.sendLater(10 * time.Second)
	if op.a.cut || !op.a.m.up || op.a.state != registered {
		return
	}
	if w.chance(0.1 * w.scenario.network) {
		w.tell("the feedback %s of %s is lost", op.state, op.id)
		return
	}
	copies := 1
	if w.chance(0.1 * w.scenario.network) {
		copies = 2
	}
	for range copies {
		w.after(w.latency(), func() {
			if !op.a.cut && op.a.m.up && op.a.state == registered {
				op.a.m.operations[op.id] = op
				op.a.m.send(op.a.m.session, mesos.OperationUpdated{ID: op.id, State: op.state,
					UUID: op.uuid, Agent: op.a.id})
			}
		})
	}
}

func (op *operation) sendLater(d time.Duration) {
	op.sends++
	n := op.sends
	op.a.m.w.after(d, func() {
		if op.sends == n && op.a.operations[op.id] == op {
			op.send()
		}
	})
}

// answerOperation says something of an operation that nobody acknowledges.
func (m *master) answerOperation(a mesos.AgentID, id mesos.OperationID, state string) {
	m.send(m.session, mesos.OperationUpdated{ID: id, State: state, Agent: a})
}

func (m *master) acknowledgeOperation(c mesos.AcknowledgeOperation) {
	a := m.agentByID(c.Agent)
	if a == nil {
		m.w.fail("acknowledged", "an operation on an unknown agent %q", c.Agent)
		return
	}
	same := func(op *operation) bool { return op != nil && string(op.uuid) == string(c.UUID) }
	if same(m.operations[c.ID]) {
		delete(m.operations, c.ID)
	}
	a.hear(func() {
		if same(a.operations[c.ID]) {
			delete(a.operations, c.ID)
		}
	})
}

// reconcileOperations answers as Mesos does: what is known, UNKNOWN for what is not, and that an
// agent cannot be reached or is awaited.
func (m *master) reconcileOperations(c mesos.ReconcileOperations) {
	for _, q := range c.Operations {
		a := m.agentByID(q.Agent)
		op := m.operations[q.ID]
		switch {
		case a != nil && a.state == unreachable:
			m.answerOperation(q.Agent, q.ID, mesos.OperationUnreachable)
		case op != nil:
			m.answerOperation(q.Agent, q.ID, op.state)
		case a != nil && a.state == awaited:
			switch m.w.rng.IntN(3) {
			case 0:
				m.answerOperation(q.Agent, q.ID, mesos.OperationRecovering)
			case 1:
				m.answerOperation(q.Agent, q.ID, mesos.OperationUnknown)
			}
		default:
			m.answerOperation(q.Agent, q.ID, mesos.OperationUnknown)
		}
	}
}

// operationIDs are those that the master knows of an agent, sorted.
func (m *master) operationIDs(a *agent) []mesos.OperationID {
	var ids []mesos.OperationID
	for id, op := range m.operations {
		if op.a == a {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// operationsBack: an agent registers, with all that it has to tell; what it never heard of it
// drops, or the master forgets.
func (a *agent) operationsBack() {
	w := a.m.w
	for _, id := range a.m.operationIDs(a) {
		if a.operations[id] != nil {
			continue
		}
		delete(a.m.operations, id)
		if w.flip(0.5) {
			a.operationEnded(id, mesos.OperationDropped)
		}
	}
	var ids []mesos.OperationID
	for id := range a.operations {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		a.m.operations[id] = a.operations[id]
		a.operations[id].sendLater(w.between(0, 3*time.Second))
	}
}

// watch has the scheduler shown the agents now and then, as the operator API has them. A picture
// is old by as long as it takes to arrive.
func (w *world) watch() {
	w.after(w.between(time.Second, 20*time.Second), func() {
		p := w.process
		if !w.master.up || !p.alive || w.scenario.blind {
			w.watch()
			return
		}
		life, picture := p.life, w.master.picture()
		w.after(w.between(time.Millisecond, 2*time.Second), func() {
			w.watch()
			if p.alive && p.life == life {
				p.step(fromMesos(picture))
			}
		})
	})
}

// picture is what the operator API answers.
func (m *master) picture() mesos.AgentsSeen {
	var seen mesos.AgentsSeen
	for _, a := range m.agents {
		if a.dead || a.state == unreachable {
			seen.Removed = append(seen.Removed, a.id)
			continue
		}
		if a.state == awaited {
			continue
		}
		s := mesos.SeenAgent{ID: a.id, Hostname: a.hostname, IP: a.hostname,
			Reserved: reservedOn(a), Unavailable: a.window,
			Active:      a.state == registered && !a.deactivated && !a.drained,
			Deactivated: a.deactivated || a.drained}
		if a.drained {
			s.Drain = &mesos.Drain{Drained: len(a.tasks) == 0, Draining: len(a.tasks) > 0}
		}
		if a.able {
			s.Capabilities = []string{mesos.CapabilityProvider, mesos.CapabilityFeedback}
		}
		seen.Agents = append(seen.Agents, s)
	}
	return seen
}

// operate carries out a call of the operator API, if nothing of it is in use.
func (m *master) operate(call mesos.Call) {
	m.w.after(m.w.latency(), func() {
		switch c := call.(type) {
		case mesos.DestroyVolumes:
			m.convert(c.Agent, mesos.Destroy{Volumes: c.Volumes})
		case mesos.UnreserveResources:
			m.convert(c.Agent, mesos.Unreserve{Resources: c.Resources})
		}
	})
}

func (m *master) convert(id mesos.AgentID, op mesos.Operation) {
	a := m.agentByID(id)
	if !m.up || a == nil || a.cut || a.state != registered {
		return
	}
	from, to := conversion(op)
	if !a.free().Contains(from) {
		m.w.tell("the master refuses %s on %s", op, id)
		return
	}
	if d, ok := op.(mesos.Destroy); ok {
		m.w.checkDestroyed(a, d)
	}
	m.w.tell("the master does %s on %s", op, id)
	m.removeOffers(func(o *offer) bool { return o.agent == a }, true)
	a.total = a.without(a.total, from, "converted").Add(to...)
}

// deactivateFor has an agent offered to nobody for a while.
func (a *agent) deactivateFor(d time.Duration) {
	w := a.m.w
	if a.deactivated || a.dead {
		return
	}
	w.tell("%s is deactivated for %s", a.id, d)
	a.deactivated = true
	a.m.removeOffers(func(o *offer) bool { return o.agent == a }, true)
	w.after(d, a.activate)
}

func (a *agent) activate() {
	a.deactivated = false
	a.m.allocateSoon()
}

// orphanOf is the instance that what nobody knows is labelled with.
const orphanOf = "stray-0"

// orphan has something of the service's reserved on an agent that no record of it holds, as if it
// had been restored from an older store. So it is of a framework whose id is stored: under one that
// the scheduler forgot in a crash nothing was ever reserved.
func (a *agent) orphan() {
	m := a.m
	free := a.free()
	told := m.w.scenario.pictures && !m.w.scenario.blind
	if !told || a.state != registered || a.cut || m.w.store.hard.Framework == "" || m.removed ||
		m.w.store.hard.Intent == scheduler.Uninstall || // who looks for it is gone
		free.Unreserved("").Total(resource.CPUs) < 100 {
		return
	}
	m.orphans++
	id := string(rune('a'+m.orphans%26)) + "-orphan"
	plain := resource.List{resource.NewScalar(resource.CPUs, 100)}
	if !free.Contains(plain) {
		return
	}
	m.w.tell("%s is given a reservation that nobody has", a.id)
	m.orphaned = m.w.now
	m.removeOffers(func(o *offer) bool { return o.agent == a }, true)
	a.total = a.without(a.total, plain, "reserved").Add(plain.PushReservation(
		resource.Reservation{Role: role, Dynamic: true, Labels: []resource.Label{
			{Key: resource.ResourceID, Value: id},
			{Key: "framework_id", Value: string(m.framework)},
			{Key: "pod", Value: orphanOf}, {Key: "reservation", Value: id + "-whole"}}})...)
}
