package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// What became of reservations and volumes that were asked for, or were to be freed.
//
// An ACCEPT may be lost, or its operations may fail one by one, so nothing that it asked for
// counts before it is seen: in an offer, by a task that runs on it, or, where the agent is known
// to report on operations, by their feedback. There each operation has an id, kept with what it
// is for until its end is known; how it ended is stored before that is acknowledged. What failed
// or got lost is done again from what offers show then, and never from what was meant to be.

// feedback is what a process knows of operations; it begins anew with each subscription, but for
// what agents are capable of.
type feedback struct {
	// able are the agents that are known to report on operations.
	able map[mesos.AgentID]bool
	// open are the operations whose end is not known, all of which a record lists as pending.
	open map[mesos.OperationID]openOperation
	// next is when the first of these is to be asked about, or before, zero for never.
	next time.Time
	// away are agents that could not be reached when one of these was asked about.
	away map[mesos.AgentID]bool
	// shown counts in how many pictures of the agents in a row a reservation that no instance
	// has was seen, below zero those that lacked a leftover.
	shown map[mesos.ReservationID]int
	// unoffered counts what the master was asked to free after the latest picture.
	unoffered int
}

// openOperation is an operation under way; it belongs to a place, or, as soon as that was left,
// to the leftover of the same name.
type openOperation struct {
	question
	pod         PodName
	reservation mesos.ReservationID
	agent       mesos.AgentID
}

func newFeedback() feedback {
	return feedback{able: map[mesos.AgentID]bool{},
		open:  map[mesos.OperationID]openOperation{},
		away:  map[mesos.AgentID]bool{},
		shown: map[mesos.ReservationID]int{}}
}

func (f feedback) copied() feedback {
	f.able, f.open = maps.Clone(f.able), maps.Clone(f.open)
	f.away, f.shown = maps.Clone(f.away), maps.Clone(f.shown)
	return f
}

// ask notes an operation, and when the master is to be asked about it.
func (f *feedback) ask(id mesos.OperationID, op openOperation) {
	f.open[id] = op
	if f.next.IsZero() || op.again.Before(f.next) {
		f.next = op.again
	}
}

// identified gives operations ids if the agent of an offer reports on them. An offer is accepted
// once, so its id and the position in the ACCEPT make one that is never used again.
func (w *work) identified(
	o mesos.Offer, ops []mesos.Operation,
) ([]mesos.Operation, []mesos.OperationID) {
	if !w.m.feedback.able[o.Agent] {
		return ops, nil
	}
	var ids []mesos.OperationID
	for i, op := range ops {
		id := mesos.OperationID(fmt.Sprintf("%s-op%d", o.ID, len(w.operations[o.ID])+i+1))
		switch op := op.(type) {
		case mesos.Reserve:
			op.ID = id
			ops[i] = op
		case mesos.Unreserve:
			op.ID = id
			ops[i] = op
		case mesos.Create:
			op.ID = id
			ops[i] = op
		case mesos.Destroy:
			op.ID = id
			ops[i] = op
		default:
			continue // a LAUNCH may have none
		}
		ids = append(ids, id)
	}
	return ops, ids
}

// askLater has the master asked about an operation after a while, if its end does not come.
func (m *Machine) askLater(id mesos.OperationID, op openOperation, wait time.Duration) {
	op.question = question{again: m.now.Add(wait), wait: wait}
	m.feedback.ask(id, op)
}

// askNow has the master asked about an operation at once.
func (m *Machine) askNow(id mesos.OperationID, op openOperation) {
	op.question = question{again: m.now, wait: askFirst / 2}
	m.feedback.ask(id, op)
}

// await notes operations whose feedback is to come, and is asked for if it does not.
func (m *Machine) await(
	ids []mesos.OperationID, pod PodName, reservation mesos.ReservationID, agent mesos.AgentID,
) {
	for _, id := range ids {
		m.askLater(id, openOperation{pod: pod, reservation: reservation, agent: agent}, askMax/4)
	}
}

// askOperations has the master asked about all operations whose end is not known.
func (m *Machine) askOperations() {
	m.feedback.open = map[mesos.OperationID]openOperation{}
	m.feedback.next, m.feedback.away = time.Time{}, map[mesos.AgentID]bool{}
	again := func(
		ids []mesos.OperationID, pod PodName, reservation mesos.ReservationID, a mesos.AgentID,
	) {
		for _, id := range ids {
			m.askNow(id, openOperation{pod: pod, reservation: reservation, agent: a})
		}
	}
	for _, name := range m.podNames() {
		if place := m.hard.Pods[name].Place; place != nil {
			again(place.Pending, name, place.Reservation, place.Agent)
		}
	}
	for _, id := range m.leftoverIDs() {
		l := m.hard.Leftovers[id]
		again(l.Pending, l.Pod, id, l.Agent)
	}
}

// agentHeard has the master asked about what is under way on an agent that makes an offer and
// could not be reached before.
func (m *Machine) agentHeard(agent mesos.AgentID) {
	if !m.feedback.away[agent] {
		return
	}
	delete(m.feedback.away, agent)
	//tidy:unordered each is looked at for itself
	for id, op := range m.feedback.open {
		if op.agent == agent {
			m.askNow(id, op)
		}
	}
}

// operationUpdated takes in how an operation ended, and acknowledges it once that is stored.
func (m *Machine) operationUpdated(ev mesos.OperationUpdated) {
	m.note(Debug, CountOperation+ev.State, "operation", "id", string(ev.ID),
		"state", ev.State, "message", ev.Message)
	if op, open := m.feedback.open[ev.ID]; open {
		switch ev.State {
		case mesos.OperationFinished:
			m.operationEnded(ev.ID, op, true)
		case mesos.OperationFailed, mesos.OperationError, mesos.OperationDropped:
			m.note(Warn, "", "an operation failed, what offers show decides",
				"id", string(ev.ID), "state", ev.State, "message", ev.Message)
			m.operationEnded(ev.ID, op, false)
		case mesos.OperationUnknown:
			m.operationEnded(ev.ID, op, false)
		case mesos.OperationGoneByOperator:
			m.operationGone(ev.ID, op)
		default: // PENDING, RECOVERING, UNREACHABLE: its end is still to come
			m.askLater(ev.ID, op, askMax)
			if ev.State != mesos.OperationPending {
				m.feedback.away[op.agent] = true
			}
		}
	}
	if len(ev.UUID) > 0 {
		m.send(mesos.AcknowledgeOperation{ID: ev.ID, Agent: ev.Agent, UUID: ev.UUID})
	}
}

// operationEnded notes the end of an operation with what it was for. All of an ACCEPT have to
// succeed; after one that did not, nothing is known of the others.
func (m *Machine) operationEnded(id mesos.OperationID, op openOperation, well bool) {
	delete(m.feedback.open, id)
	if l, known := m.hard.Leftovers[op.reservation]; known {
		if i := slices.Index(l.Pending, id); i >= 0 {
			l.Pending = ended(l.Pending, i, well)
			m.leftoverAnswered(l, well)
		}
		return
	}
	p := m.hard.Pods[op.pod]
	if p.Place == nil || p.Place.Reservation != op.reservation {
		return
	}
	i := slices.Index(p.Place.Pending, id)
	if i < 0 {
		return
	}
	place := *p.Place
	if place.Pending = ended(place.Pending, i, well); well && len(place.Pending) == 0 {
		place.Confirmed, place.Listed, place.Unseen = true, false, nil
	}
	p.Place = &place
	m.setPod(p)
}

// ended takes an operation off a list, and all of them if it did not go well.
func ended(pending []mesos.OperationID, i int, well bool) []mesos.OperationID {
	if !well || len(pending) == 1 {
		return nil
	}
	return slices.Concat(pending[:i], pending[i+1:])
}

// leftoverAnswered stores what is known now of a leftover: one that was being freed is gone with
// the last of its operations, and one that may not have come to be has.
func (m *Machine) leftoverAnswered(l Leftover, well bool) {
	done := well && len(l.Pending) == 0
	switch {
	case done && l.Confirmed && l.Freeing:
		m.forgetLeftover(l)
		return
	case done:
		l.Confirmed, l.Freeing = true, false
	}
	m.setLeftover(l)
}

// operationGone notes that an agent is gone for ever: nothing is left to be freed there, and
// what became of its tasks is told by their statuses.
func (m *Machine) operationGone(id mesos.OperationID, op openOperation) {
	if l, known := m.hard.Leftovers[op.reservation]; known && slices.Contains(l.Pending, id) {
		delete(m.feedback.open, id)
		m.forgetLeftover(l)
		return
	}
	m.operationEnded(id, op, false)
}

// pendingNow reports whether a record still waits for an operation.
func (m *Machine) pendingNow(id mesos.OperationID, op openOperation) bool {
	if l, known := m.hard.Leftovers[op.reservation]; known {
		return slices.Contains(l.Pending, id)
	}
	place := m.hard.Pods[op.pod].Place
	return place != nil && place.Reservation == op.reservation &&
		slices.Contains(place.Pending, id)
}

// reconcileOperations asks the master about operations that should have ended by now.
func (m *Machine) reconcileOperations() {
	if !m.connected || m.feedback.next.IsZero() || m.now.Before(m.feedback.next) {
		return
	}
	m.feedback.next = time.Time{}
	var due []mesos.OperationOnAgent
	for _, id := range slices.Sorted(maps.Keys(m.feedback.open)) {
		op := m.feedback.open[id]
		if !m.pendingNow(id, op) {
			delete(m.feedback.open, id)
			continue
		}
		if !m.now.Before(op.again) {
			due = append(due, mesos.OperationOnAgent{ID: id, Agent: op.agent})
			wait := min(max(op.wait*2, askFirst), askMax)
			op.question = question{again: m.now.Add(wait), wait: wait}
		}
		m.feedback.ask(id, op)
	}
	if len(due) > 0 {
		m.send(mesos.ReconcileOperations{Operations: due})
	}
}
