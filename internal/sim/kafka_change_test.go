package sim

import (
	"cmp"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/balance"
	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
)

// replicas are the copies of a quorum's log, as its leader tells of them.
func (k *kafka) replicas(c *cluster) []scheduler.QuorumReplica {
	var list []scheduler.QuorumReplica
	for id, v := range c.voters {
		list = append(list, scheduler.QuorumReplica{ID: id, Directory: string(v.id), Votes: true,
			Present: k.runs(id, v), Caught: true})
	}
	for _, n := range k.nodes {
		if n.volume.cluster == c && c.voters[n.id] != n.volume {
			list = append(list, scheduler.QuorumReplica{ID: n.id, Directory: string(n.volume.id),
				Present: true, Caught: k.w.flip(0.8)})
		}
	}
	slices.SortFunc(list, func(x, y scheduler.QuorumReplica) int {
		return cmp.Or(cmp.Compare(x.ID, y.ID), cmp.Compare(x.Directory, y.Directory))
	})
	return list
}

// runs reports whether a node runs on a volume.
func (k *kafka) runs(id int, v *volume) bool {
	return slices.ContainsFunc(k.nodes, func(n *node) bool { return n.id == id && n.volume == v })
}

// change makes a change of the cluster, sooner or later, or never, and tells what became of it, or
// does not.
func (k *kafka) change(p *process, call scheduler.ChangeKafka) {
	w, life := k.w, p.life
	level := w.scenario.asked
	if w.chance(0.05 * level) {
		return
	}
	silent := w.chance(0.05 * level)
	w.after(w.between(2*time.Millisecond, time.Second), func() {
		ev := scheduler.KafkaChanged{Change: call.Change, Error: k.apply(call)}
		if p.life == life && !silent {
			p.step(ev)
		}
	})
}

// apply makes a change; it says why Kafka refuses it, "" if it does not.
func (k *kafka) apply(call scheduler.ChangeKafka) string {
	c := k.at(call.Addresses)
	if c == nil || !k.governed(c) {
		return "no leader of the quorum"
	}
	switch call.Change.(type) {
	case scheduler.AddVoter, scheduler.RemoveVoter:
		if !k.quorum(c) {
			return "no leader of the quorum"
		}
	}
	k.w.tell("kafka is to %s", call.Change)
	switch change := call.Change.(type) {
	case scheduler.AddVoter:
		return k.addVoter(c, change)
	case scheduler.RemoveVoter:
		if v := c.voters[change.Node]; v != nil && v.id == mesos.PersistenceID(change.Directory) {
			delete(c.voters, change.Node)
			if !k.quorum(c) { // the ones that are left have to agree
				c.voters[change.Node] = v
				return "the request timed out"
			}
		}
	case scheduler.Unregister:
		if b := c.brokers[change.Broker]; b != nil && b.fenced.IsZero() {
			k.w.fail("unregister", "broker %d is unregistered and runs", change.Broker)
		}
		if n, _ := c.hosts(change.Broker); n > 0 {
			k.w.fail("unregister", "broker %d is unregistered and has %d replicas",
				change.Broker, n)
		}
		delete(c.brokers, change.Broker)
	case scheduler.StartMoves:
		for _, m := range change.Moves {
			k.move(c, m)
		}
	case scheduler.MoveReplicas:
		for _, m := range change.Moves {
			k.move(c, balance.Move{Topic: m.Topic, Partition: m.Partition,
				Before: brokersOf(m.Before), After: brokersOf(m.Replicas)})
		}
	case scheduler.CancelMoves:
		for _, m := range change.Moves {
			delete(c.moving, int(m.Partition))
		}
	case scheduler.SetFeature:
		return k.setFeature(c, change)
	case scheduler.Cordon:
		c.cordoned[change.Broker] = change.On
	default:
		return k.applyDeclared(c, change)
	}
	return ""
}

// brokersOf gives nodes as package balance has them.
func brokersOf(nodes []rolling.NodeID) []balance.BrokerID {
	var list []balance.BrokerID
	for _, id := range nodes {
		list = append(list, balance.BrokerID(id))
	}
	return list
}

func (k *kafka) addVoter(c *cluster, change scheduler.AddVoter) string {
	if c.voters[change.Node] != nil {
		return "" // there is one of that id
	}
	v := k.volumes[mesos.PersistenceID(change.Directory)]
	if v == nil || !k.runs(change.Node, v) {
		return "the request timed out"
	}
	c.voters[change.Node] = v
	return ""
}

// at is the cluster of the nodes that listen at addresses.
func (k *kafka) at(addresses []string) *cluster {
	for _, address := range addresses {
		for _, n := range k.nodes {
			if n.client == address || n.controller == address {
				return n.volume.cluster
			}
		}
	}
	return nil
}
