package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler/balance"
)

// How declared topics come to have as many replicas as is declared. Where the brokers' pods have a
// throttle for what nobody asked for, that is a work of moving replicas as any other: in portions,
// with the throttle removed in the end. Else Kafka is told of one topic after the other.

// holdReplicas says why replicas of a topic are not added or taken away now, "" if they may be.
func (m *Machine) holdReplicas(d TopicDrift, factor int) string {
	switch f := m.kafkaNow(); {
	case d.Moving:
		return "its partitions are being reassigned"
	case m.hard.Rebalancing.under():
		return "replicas are being moved: it comes after that"
	case f == nil:
		return "Kafka does not answer"
	default:
		for _, b := range f.Brokers {
			if b.Fenced || b.NotInSync > 0 {
				return fmt.Sprintf("waits until broker %d has all of its replicas in sync", b.ID)
			}
		}
	}
	gone := m.leavingBrokers()
	stay := slices.DeleteFunc(slices.Clone(m.kafkaNow().Brokers),
		func(b BrokerFacts) bool { return slices.Contains(gone, b.ID) })
	if factor > len(stay) {
		return fmt.Sprintf("%d replicas need as many brokers, and %d stay", factor, len(stay))
	}
	return ""
}

// replicate has a topic given as many replicas as is declared.
func (m *Machine) replicate(c ReplicateTopic) {
	throttle := m.quiet()
	if throttle == 0 {
		m.tryChange(c.Topic, c)
		return
	}
	r := m.hard.Rebalancing
	if r.under() || m.hard.Overrides.Interrupted[planRebalance] {
		return
	}
	if r.Goal == balance.Factors {
		again := r.Ended.Add(emptyAgain)
		if r.Cancelled || r.Problem != "" {
			again = r.Ended.Add(tryMost)
		}
		if m.now.Before(again) || m.declared.found.Asked.Before(r.Ended) {
			m.wakeBy(maxTime(again, m.now.Add(time.Second)))
			return
		}
	}
	work := Rebalancing{Goal: balance.Factors, Throttle: throttle, By: "declared topics"}
	m.begin(work)
	m.forget(plans.Key(planRebalance, string(balance.Factors), ""))
	m.record(JournalEntry{Kind: "declared", Plan: planRebalance, By: "scheduler",
		What: c.String(), Outcome: fmt.Sprintf("begun, throttled to %d", throttle)})
}

// quiet is the throttle of what is copied for declared topics, 0 for none.
func (m *Machine) quiet() int64 {
	for _, spec := range m.hard.Target.Service.Pods {
		if throttle := throttleOf(spec); throttle > 0 && spec.Kafka != nil && spec.Kafka.Serves() {
			return throttle
		}
	}
	return 0
}

// factors are how many replicas the partitions of declared topics are to have, by topic.
func (m *Machine) factors() map[string]int {
	list := map[string]int{}
	for _, t := range m.hard.Target.Service.Topics() {
		if t.Replication > 0 {
			list[t.Name] = t.Replication
		}
	}
	return list
}

// factorMoves plans the moves for a wish of that goal.
func factorMoves(c *balance.Cluster, factors map[string]int) balance.Plan {
	plan := balance.Plan{Moves: balance.Replicate(c, factors)}
	for _, m := range plan.Moves {
		plan.Bytes += m.Bytes
	}
	return plan
}

// factorsText names topics with how many replicas they are to have.
func factorsText(factors map[string]int) string {
	text := ""
	for i, name := range slices.Sorted(maps.Keys(factors)) {
		if i == inText {
			return text + fmt.Sprintf(" and %d more", len(factors)-inText)
		}
		text += fmt.Sprintf(" %s=%d", name, factors[name])
	}
	return text
}
