package scheduler

import (
	"fmt"
	"slices"

	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler/balance"
	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// What is moved without an operator's word, as a pod's rebalance policy has it: brokers that a
// larger count added are filled, by the plan rebalance as if an operator had asked for it. That is
// wanted once for each of them, so one that was emptied by hand later stays empty.

// throttleOf is how many bytes a second brokers of a pod may copy for what nobody asked for.
func throttleOf(spec servicespec.Pod) int64 {
	if spec.Rebalance == nil {
		return 0
	}
	return spec.Rebalance.Throttle
}

// adds reports whether a new instance of a pod is one that a larger count adds, and that is to be
// filled.
func (m *Machine) adds(spec servicespec.Pod) bool {
	return spec.Rebalance != nil && spec.Rebalance.Fill && spec.Kafka != nil &&
		spec.Kafka.Serves() && m.hard.Kafka.Founded && m.hard.Target.Updates
}

// passFill begins to fill the brokers that were added, once the plan deploy is complete and all of
// them are ready.
func (m *Machine) passFill() {
	if m.hard.Intent != Run || m.hard.Target.Done.IsZero() || m.hard.Rebalancing.under() {
		return
	}
	var added []PodName
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		spec, wanted := m.spec(name)
		switch {
		case !p.New:
			continue
		case !wanted || spec.Rebalance == nil || !spec.Rebalance.Fill:
			p.New = false
			m.setPod(p)
			continue
		}
		if ready, _ := m.ready(p); !ready {
			return
		}
		added = append(added, name)
	}
	if len(added) > 0 && m.kafkaNow() != nil {
		m.fill(added)
	}
}

// fill begins to fill brokers.
func (m *Machine) fill(added []PodName) {
	spec, _ := m.spec(added[0])
	work := Rebalancing{Goal: balance.Fill, Throttle: throttleOf(spec),
		By: "rebalance policy of pod " + added[0].Type}
	for _, name := range added {
		spec, _ := m.spec(name)
		work.Brokers = append(work.Brokers, nodeID(name, spec))
		p := m.hard.Pods[name]
		p.New = false
		m.setPod(p)
	}
	slices.Sort(work.Brokers)
	m.begin(work)
	m.forget(planRebalance)
	m.record(JournalEntry{Kind: "command", Plan: planRebalance, By: work.By,
		Reason: "a larger count added them",
		What: Rebalance{Goal: work.Goal, Brokers: work.Brokers,
			Throttle: work.Throttle}.String(),
		Outcome: "the rebalance begins"})
}

// clearing is the work of moving the first of the partitions that are fragile off a node, with a
// throttle that is removed afterwards.
func clearing(node int, moves []rolling.Move, throttle int64) Rebalancing {
	list := make([]balance.Move, len(moves))
	for i, m := range moves {
		list[i] = balance.Move{Topic: m.Topic, Partition: m.Partition}
		for _, id := range m.Before {
			list[i].Before = append(list[i].Before, balance.BrokerID(id))
		}
		for _, id := range m.Replicas {
			list[i].After = append(list[i].After, balance.BrokerID(id))
		}
	}
	work := Rebalancing{Goal: balance.Clear, Brokers: []int{node}, Throttle: throttle,
		By: fmt.Sprintf("verdict on node %d", node), Round: 1, Throttled: true}
	work.Batch = balance.Batches(list, portion)[0]
	work.Total = len(work.Batch)
	return work
}

// cleared reports whether a work that was to move one portion only has done so.
func (r Rebalancing) cleared() bool { return r.Goal == balance.Clear && len(r.Batch) == 0 }

// clear begins to move fragile partitions off a node, unless something is being moved, or was since
// Kafka said where they are.
func (m *Machine) clear(node int, moves []rolling.Move, throttle int64) {
	r := m.hard.Rebalancing
	if r.under() || m.facts.Asked.Before(r.Ended) ||
		m.hard.Overrides.Interrupted[planRebalance] {
		return
	}
	m.begin(clearing(node, moves, throttle))
	m.forget(plans.Key(planRebalance, string(balance.Clear), ""))
}
