package scheduler

import (
	"cmp"
	"fmt"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// What is changed in Kafka around a stop. Before it nothing is done about leaders: Kafka's
// controlled shutdown hands all of them over at once, at the moment when the node goes, and nobody
// has to undo anything if it does not go after all. After it the leaders that prefer the node come
// back at once, not within the five minutes that Kafka's own balancer takes. And if that is what
// was chosen, the partitions that are unavailable without the node are moved to another one first.

// The changes around a stop.
type (
	// ElectPreferred has partitions led by the replica that is first in their lists.
	ElectPreferred struct {
		Node    int
		Leaders []rolling.Handover
	}
	// MoveReplicas gives partitions other replicas.
	MoveReplicas struct {
		Node  int
		Moves []rolling.Move
	}
)

func (ElectPreferred) kafkaChange() {}
func (MoveReplicas) kafkaChange()   {}

// String implements fmt.Stringer.
func (c ElectPreferred) String() string {
	return fmt.Sprintf("have node %d lead what prefers it", c.Node)
}

// String implements fmt.Stringer.
func (c MoveReplicas) String() string {
	return fmt.Sprintf("move from node %d what is unavailable without it", c.Node)
}

// returnMost is how long leaders may take to come back; after that Kafka itself sees to it.
const returnMost = time.Minute

// passReturning has the leaders come back to the nodes that came back.
func (m *Machine) passReturning() {
	back := m.inquiry.back
	for _, name := range m.podNames() {
		since, returns := back[name]
		spec, ok := m.spec(name)
		if !returns {
			continue
		}
		if p := m.hard.Pods[name]; !ok || spec.Kafka == nil || p.Down != nil ||
			!m.now.Before(since.Add(returnMost)) {
			delete(back, name)
			continue
		}
		f := m.whole()
		if f == nil || !f.Asked.After(since) {
			m.inquiry.wanted = true
			continue
		}
		id := nodeID(name, spec)
		leaders := f.Preferred(rolling.NodeID(id))
		if len(leaders) == 0 {
			delete(back, name)
			continue
		}
		m.inquiry.wanted = true
		m.changeKafka(ElectPreferred{Node: id, Leaders: leaders})
	}
}

// moveFirst has the partitions moved that have to leave a node before it goes, unless somebody is
// down, as that may be where they go.
func (m *Machine) moveFirst(p Pod, spec servicespec.Pod, v rolling.Verdict) {
	if v.Code == rolling.MoveFirst {
		m.evacuate(p, spec, m.evacuation(p, spec, v.Node))
	}
}

// evacuation says where the fragile partitions of a node can go; nowhere while somebody is down.
func (m *Machine) evacuation(p Pod, spec servicespec.Pod, node rolling.NodeID) []rolling.Move {
	f := m.whole()
	if f == nil || len(m.requestFor(p, spec).Down) > 0 {
		return nil
	}
	return f.Evacuate(node, nil)
}

// evacuate has partitions moved off a node: at once, or, where that is to be throttled, in
// portions.
func (m *Machine) evacuate(p Pod, spec servicespec.Pod, moves []rolling.Move) {
	if len(moves) == 0 {
		return
	}
	node := nodeID(p.Name, spec)
	if throttle := throttleOf(spec); throttle > 0 {
		m.clear(node, moves, throttle)
		return
	}
	m.changeKafka(MoveReplicas{Node: node, Moves: moves})
}

// fragile is what is to become of partitions that are unavailable without a node.
func fragile(spec servicespec.Pod) rolling.Choice {
	if spec.Update == nil {
		return rolling.MoveAway
	}
	return rolling.Choice(cmp.Or(spec.Update.Fragile, servicespec.FragileMoveFirst))
}
