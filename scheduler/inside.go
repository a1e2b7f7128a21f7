package scheduler

import (
	"slices"

	"github.com/kafka-sched/kafka-sched/scheduler/balance"
)

// Moves inside brokers, from one log directory to another. They are a work of moving replicas as
// others are, in portions and with a throttle; only that Kafka does each of them on one broker.

// insideMoves plans how the log directories of brokers get their due: of some, or of all if none is
// named.
func insideMoves(l Layout, brokers []int) balance.Plan {
	var plan balance.Plan
	wanted := func(id balance.BrokerID) bool {
		return len(brokers) == 0 || slices.Contains(brokers, int(id))
	}
	moves, left := balance.Dirs(&l.Cluster, balance.Options{})
	for _, m := range moves {
		if !wanted(m.Broker) {
			continue
		}
		on := []balance.BrokerID{m.Broker}
		plan.Moves = append(plan.Moves, balance.Move{Topic: m.Topic, Partition: m.Partition,
			Before: on, After: on, Bytes: m.Bytes, From: m.From, To: m.To})
		plan.Bytes += m.Bytes
	}
	for _, one := range left {
		if wanted(one.Broker) {
			plan.Left = append(plan.Left, one)
		}
	}
	return plan
}

// insideState says how far a move inside a broker is; one of a replica that is not there any more
// is done.
func (l Layout) insideState(m balance.Move, p *balance.Partition) MoveState {
	broker := m.After[0]
	if p == nil {
		return MoveDone
	}
	on := ReplicaOn{TopicPartition{m.Topic, m.Partition}, broker}
	for _, r := range p.Replicas {
		switch {
		case r.Broker != broker:
		case slices.Contains(l.Between, on):
			return MoveRuns
		case l.dirOf(r) != m.To:
			return MoveIdle
		}
	}
	return MoveDone
}

// dirOf is the path of the log directory of a replica, "" if it is not known.
func (l Layout) dirOf(r balance.Replica) string {
	for _, b := range l.Cluster.Brokers {
		if b.ID == r.Broker && r.Dir < len(b.Dirs) {
			return b.Dirs[r.Dir].Path
		}
	}
	return ""
}

// severalDirs reports whether any broker of the target has more than one log directory.
func (m *Machine) severalDirs() bool {
	for _, p := range m.hard.Target.Service.Pods {
		if p.Kafka != nil && p.Kafka.Serves() && len(p.Kafka.Volumes) > 1 {
			return true
		}
	}
	return false
}
