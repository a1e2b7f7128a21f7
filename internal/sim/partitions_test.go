package sim

import (
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
)

// partition is one partition of the model of Kafka.
type partition struct {
	replicas []int
	minimum  int
	isr      map[int]bool
}

// grow gives a broker that registers for the first time something to host. The first three share
// all that there is; later ones get partitions with two of the others.
func (c *cluster) grow(id int) {
	if slices.ContainsFunc(c.partitions, func(p *partition) bool {
		return slices.Contains(p.replicas, id)
	}) {
		return
	}
	var ids []int
	for known := range c.brokers {
		ids = append(ids, known)
	}
	slices.Sort(ids)
	if len(ids) <= 3 {
		if len(c.partitions) == 0 {
			for range 4 {
				c.partitions = append(c.partitions, &partition{isr: map[int]bool{id: true}})
			}
		}
		for _, p := range c.partitions {
			p.replicas = append(p.replicas, id)
			p.minimum = max(1, len(p.replicas)-1)
		}
		return
	}
	others := slices.DeleteFunc(ids, func(other int) bool { return other == id })
	for i := range 2 {
		p := &partition{minimum: 2, isr: map[int]bool{}}
		p.replicas = []int{id, others[i%len(others)], others[(i+1)%len(others)]}
		for _, r := range p.replicas[1:] {
			p.isr[r] = true
		}
		c.partitions = append(c.partitions, p)
	}
}

// serves reports whether a broker is registered and not fenced.
func (k *kafka) serves(c *cluster, id int) bool {
	b := c.brokers[id]
	return b != nil && !k.w.now.Before(b.unfenced) &&
		(b.fenced.IsZero() || k.w.now.Before(b.fenced))
}

// led reports whether a replica in sync of a partition serves.
func (k *kafka) led(c *cluster, p *partition) bool {
	for id := range p.isr {
		if k.serves(c, id) {
			return true
		}
	}
	return false
}

// lost reports whether the data of all replicas in sync of a partition are gone for good.
func (c *cluster) lost(p *partition) bool {
	for id := range p.isr {
		if b := c.brokers[id]; b != nil && !b.node.volume.destroyed {
			return false
		}
	}
	return true
}

// settle brings the ISRs to what they are now: who is fenced has left them, unless it would be the
// last, and who has caught up is in those that have a leader.
func (k *kafka) settle(c *cluster) {
	for _, p := range c.partitions {
		for _, id := range p.replicas {
			if p.isr[id] && !k.serves(c, id) && len(p.isr) > 1 {
				delete(p.isr, id)
			}
		}
		for _, id := range p.replicas {
			b := c.brokers[id]
			if !p.isr[id] && k.serves(c, id) && !k.w.now.Before(b.synced) && k.led(c, p) {
				p.isr[id] = true
			}
		}
	}
}

// hosts counts what a broker hosts, and what of that it is not in sync with.
func (c *cluster) hosts(id int) (hosted, behind int) {
	for _, p := range c.partitions {
		if slices.Contains(p.replicas, id) {
			hosted++
			if !p.isr[id] {
				behind++
			}
		}
	}
	return hosted, behind
}

// whole is what those at the addresses say of each partition.
func (k *kafka) whole(c *cluster, asked time.Time, answer map[int]bool) *rolling.Facts {
	b := rolling.NewBuilder(asked)
	q := rolling.Quorum{Leader: rolling.None}
	for id, v := range c.voters {
		voter := rolling.Voter{ID: rolling.NodeID(id), Behind: -1}
		for _, n := range k.nodes {
			if n.id == id && n.volume == v {
				voter.Behind = 0
				q.Leader = max(q.Leader, rolling.NodeID(id))
			}
		}
		if answer[id] {
			voter.Answered = asked
		}
		q.Voters = append(q.Voters, voter)
	}
	if c.zoo != nil {
		q = k.elected(c, q, answer)
	}
	b.Quorum(q)
	var tell []int
	for id := range c.brokers {
		if !k.listed(c, id) {
			continue
		}
		broker := rolling.Broker{ID: rolling.NodeID(id), Registered: true,
			Fenced: !k.serves(c, id)}
		if answer[id] {
			broker.Answered = asked
			if !broker.Fenced {
				tell = append(tell, id)
			}
		}
		b.Broker(broker)
	}
	slices.Sort(tell)
	if i := k.controllerAmong(c, tell); i > 0 {
		tell[0], tell[i] = tell[i], tell[0]
	}
	for _, id := range tell[:min(2, len(tell))] {
		b.Answer(rolling.NodeID(id))
		for i, p := range c.partitions {
			k.tellOf(b, c, i, p)
		}
	}
	return b.Facts()
}

// tellOf tells of one partition, each of a topic of its own, as their minimums differ.
func (k *kafka) tellOf(b *rolling.Builder, c *cluster, i int, p *partition) {
	topic := b.Topic(topicName(i), p.minimum)
	leader := rolling.None
	var replicas, isr []rolling.NodeID
	for _, id := range p.replicas {
		replicas = append(replicas, rolling.NodeID(id))
		if p.isr[id] {
			isr = append(isr, rolling.NodeID(id))
			if leader == rolling.None && k.serves(c, id) {
				leader = rolling.NodeID(id)
			}
		}
	}
	b.Partition(topic, int32(i), leader, replicas, isr)
}

// answering are the nodes at some addresses that answer.
func (k *kafka) answering(addresses []string) map[int]bool {
	ids := map[int]bool{}
	for _, n := range k.nodes {
		if slices.Contains(addresses, n.client) || !n.serves &&
			slices.Contains(addresses, n.controller) {
			ids[n.id] = true
		}
	}
	return ids
}

// partitionFacts are the numbers of KafkaFacts that partitions make.
func (k *kafka) partitionFacts(c *cluster, f *scheduler.KafkaFacts) {
	for i := range f.Brokers {
		f.Brokers[i].Hosted, f.Brokers[i].NotInSync = c.hosts(f.Brokers[i].ID)
	}
	for _, p := range c.partitions {
		if !k.led(c, p) {
			f.OfflinePartitions++
		}
	}
}
