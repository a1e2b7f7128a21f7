package scheduler

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler/balance"
	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// How Kafka nodes go for good. A broker is emptied first: its replicas move to others, and it is
// looked twice that none is left, before it is stopped and after, because a topic may be created in
// between. Then the vote of its controller is taken, its registration forgotten, and only then
// what is reserved for it freed. Up to that point a configuration that wants it again undoes it
// all. A vote is taken from a node that has stopped: one that runs would take it back by itself.

// refuseSize says why Kafka cannot become as small as a configuration wants it, "" if it can.
func (m *Machine) refuseSize(next servicespec.Service) string {
	if !m.hard.Kafka.Founded {
		return ""
	}
	brokers, controllers := sizes(next)
	nowBrokers, nowControllers := sizes(m.hard.Target.Service)
	f := m.kafkaNow()
	switch {
	case brokers == 0 && nowBrokers > 0:
		return "at least one broker has to stay"
	case controllers < nowControllers && controllers < 2:
		return fmt.Sprintf("the quorum cannot shrink from %d controllers to %d: of the last two "+
			"none can go, because a majority has to agree to it", nowControllers, controllers)
	case brokers < nowBrokers && f != nil && f.MostReplicas > brokers:
		return fmt.Sprintf("topic %s has %d replicas, and %d brokers cannot hold them; "+
			"lower its replication factor first, or keep %d brokers", f.MostReplicated,
			f.MostReplicas, brokers, f.MostReplicas)
	}
	return ""
}

// sizes are how many brokers and how many controllers a configuration wants.
func sizes(s servicespec.Service) (brokers, controllers int) {
	for _, p := range s.Pods {
		if p.Kafka != nil && p.Kafka.Serves() {
			brokers += p.Count
		}
		if p.Kafka != nil && p.Kafka.Controls() {
			controllers += p.Count
		}
	}
	return brokers, controllers
}

// farewellOf is what Kafka has to do with the farewell of an instance.
func (m *Machine) farewellOf(name PodName) farewell {
	var f farewell
	spec, _ := m.spec(name)
	f.forgets = spec.Kafka != nil && m.hard.Kafka.Founded && !ofMigration(spec)
	f.empties = f.forgets && spec.Kafka.Serves()
	return f
}

// hosted says how many replicas a broker that leaves still has, and why that is not known.
func (m *Machine) hosted(p Pod) (replicas int, unknown string) {
	spec, _ := m.spec(p.Name)
	f, r := m.kafkaNow(), m.hard.Rebalancing
	if f == nil || len(f.Brokers) == 0 || f.Asked.Before(endedAt(p)) || f.Asked.Before(r.Ended) {
		m.curious = true
		return 0, "Kafka does not say what lies on it"
	}
	if b := f.broker(nodeID(p.Name, spec)); b != nil {
		return b.Hosted, ""
	}
	return 0, ""
}

// endedAt is when the last of the tasks of an instance ended, zero while one runs.
func endedAt(p Pod) time.Time {
	var ended time.Time
	for _, t := range p.Tasks {
		if t.live() {
			return time.Time{}
		}
		if t.Since.After(ended) {
			ended = t.Since
		}
	}
	return ended
}

// kafkaSince is what Kafka says of a cluster without an instance that has ended, nil if it was not
// asked since. The record of one that has lost its place does not say when it ended.
func (m *Machine) kafkaSince(p Pod) *KafkaFacts {
	f, ended := m.kafkaNow(), m.inquiry.changed
	if p.launched() {
		ended = endedAt(p)
	}
	if f == nil || f.Asked.Before(ended) {
		return nil
	}
	return f
}

// emptied reports whether the latest work of moving replicas was to empty a broker, and found, in
// the end, nothing left that had to leave it.
func (r Rebalancing) emptied(id int) bool {
	return r.empties(id) && !r.under() && !r.Cancelled && r.Problem == ""
}

// empties reports whether the latest work of moving replicas is to empty a broker that leaves.
func (r Rebalancing) empties(id int) bool {
	return r.Leaving && slices.Equal(r.Brokers, []int{id})
}

// empty moves the replicas off a broker that leaves. That Kafka counts none is not enough: who lies
// where is looked at as well.
func (m *Machine) empty(p Pod) {
	spec, _ := m.spec(p.Name)
	id := nodeID(p.Name, spec)
	r := m.hard.Rebalancing
	replicas, unknown := m.hosted(p)
	if unknown != "" || r.emptied(id) && replicas == 0 {
		return
	}
	if again := r.Ended.Add(emptyAgain); r.empties(id) && r.Problem != "" && m.now.Before(again) {
		m.wakeBy(again)
		return
	}
	if !r.under() {
		m.begin(Rebalancing{Goal: balance.Empty, Brokers: []int{id}, Leaving: true,
			Throttle: throttleOf(spec), By: "plan " + planDecommission})
	}
}

// emptyState says how far a broker is emptied.
func (m *Machine) emptyState(p Pod) (plans.Status, string) {
	spec, _ := m.spec(p.Name)
	replicas, unknown := m.hosted(p)
	r := m.hard.Rebalancing
	id := nodeID(p.Name, spec)
	mine := r.empties(id)
	switch {
	case mine && r.under():
		return plans.Started, fmt.Sprintf("%d replicas leave it: %s", replicas, m.rebalanceText(r))
	case r.under():
		return plans.Pending, fmt.Sprintf("waits for the plan %s: %s", planRebalance, r.progress())
	case mine && r.Problem != "":
		return plans.Pending, r.Problem + "; it is tried again"
	case unknown != "":
		return plans.Pending, unknown
	case replicas == 0 && r.emptied(id):
		return plans.Complete, ""
	}
	return plans.Pending, fmt.Sprintf("%d replicas have to leave it", replicas)
}

// holdFarewell says why a Kafka node, or a ZooKeeper server, that is to go for good may not be
// stopped now, "" if it may.
func (m *Machine) holdFarewell(p Pod) string {
	spec, _ := m.spec(p.Name)
	if spec.ZooKeeper != nil {
		return m.holdServerFarewell(p, spec)
	}
	if spec.Kafka == nil || !m.hard.Kafka.Founded || !p.anyRuns() {
		return ""
	}
	if spec.Kafka.Serves() {
		switch replicas, unknown := m.hosted(p); {
		case unknown != "":
			return unknown
		case replicas > 0:
			return fmt.Sprintf("%d replicas came to lie on it", replicas)
		}
	}
	return cmp.Or(m.holdQuorum(nodeID(p.Name, spec)), m.mayStop(p, spec))
}

// holdFreeing says why what an instance held may not be freed now, "" if it may: of a Kafka node it
// is looked once more, in what two brokers tell, that nothing is on it.
func (m *Machine) holdFreeing(p Pod) string {
	spec, _ := m.spec(p.Name)
	if spec.ZooKeeper != nil {
		return m.holdServerFreeing(p, spec)
	}
	if spec.Kafka == nil || !m.hard.Kafka.Founded || !p.launched() || ofMigration(spec) {
		return ""
	}
	return m.may(p, spec, "leave", (*rolling.Facts).MayLeave)
}

// holdQuorum says why the quorum cannot lose a node for good, "" if it can.
func (m *Machine) holdQuorum(id int) string {
	f := m.kafkaNow()
	switch {
	case f == nil:
		m.curious = true
		return "Kafka does not say who votes"
	case slices.Contains(f.Voters, id) && !f.majorityWithout(id):
		return fmt.Sprintf("without node %d the %d voters have no majority", id, len(f.Voters))
	}
	return ""
}

// forgetNode has the controllers forget a node that has stopped.
func (m *Machine) forgetNode(p Pod) {
	changes := m.memories(p)
	if len(changes) == 0 {
		return
	}
	if trouble := m.changeKafka(changes[0]); trouble != "" { // one after the other
		m.waits[p.Name] = trouble
	}
}

// memories are the changes that it takes for the controllers to forget a node that has stopped. One
// that has lost its place may still run, on an agent that is away.
func (m *Machine) memories(p Pod) []KafkaChange {
	spec, _ := m.spec(p.Name)
	f := m.kafkaSince(p)
	if f == nil || p.anyLive() {
		m.curious = true
		return nil
	}
	var list []KafkaChange
	id := nodeID(p.Name, spec)
	if !p.launched() && f.serves(id) {
		return nil
	}
	for _, r := range f.Replicas {
		if r.ID == id && r.Votes && f.majorityWithout(id) && (p.launched() || !r.Present) {
			list = append(list, RemoveVoter{Node: id, Directory: r.Directory})
		}
	}
	if spec.Kafka.Serves() && !spec.Kafka.OnZooKeeper() && m.registered(f, id, spec) {
		list = append(list, Unregister{Broker: id})
	}
	return list
}

// registered reports whether a broker that has stopped may still be registered. Older brokers do
// not tell of those that are fenced, so there it is one that nobody unregistered. In ZooKeeper it
// is as long as its session lasts.
func (m *Machine) registered(f *KafkaFacts, id int, spec servicespec.Pod) bool {
	return f.broker(id) != nil ||
		!spec.Kafka.OnZooKeeper() && !f.JoinsItself && !m.changed(Unregister{Broker: id})
}

// forgetState says whether the controllers have forgotten a node.
func (m *Machine) forgetState(p Pod) (plans.Status, string) {
	spec, _ := m.spec(p.Name)
	f := m.kafkaSince(p)
	switch {
	case !m.hard.Kafka.Founded:
		return plans.Complete, ""
	case p.anyLive():
		return plans.Pending, "waits until the tasks have ended"
	case f == nil:
		m.curious = true
		return plans.Pending, "Kafka does not say whether it knows it"
	case spec.Kafka.Controls() && len(f.Voters) == 0:
		m.curious = true
		return plans.Pending, "Kafka does not say who votes"
	}
	id := nodeID(p.Name, spec)
	b := f.broker(id)
	switch {
	case b != nil && b.Hosted > 0:
		return plans.Pending, fmt.Sprintf("%d replicas came to lie on it before it stopped",
			b.Hosted)
	case slices.Contains(f.Voters, id) && len(f.Replicas) > 0:
		return plans.Pending, m.waitOf(p.Name, "it is still a voter of the quorum")
	case spec.Kafka.Serves() && m.registered(f, id, spec):
		return plans.Pending, m.waitOf(p.Name, "it is still registered")
	}
	return plans.Complete, ""
}
