package sim

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/balance"
)

// mostTopics bounds how many topics the clients of a cluster create.
const mostTopics = 8

// createTopic is what a client does at some time: a topic of one partition, on whatever brokers
// Kafka takes, those that are being emptied too.
func (k *kafka) createTopic(c *cluster) {
	var up []balance.BrokerID
	for id, b := range c.brokers {
		if b.fenced.IsZero() {
			up = append(up, balance.BrokerID(id))
		}
	}
	if len(up) == 0 || len(c.partitions) >= mostTopics || !k.quorum(c) {
		return
	}
	slices.Sort(up)
	k.w.rng.Shuffle(len(up), func(i, j int) { up[i], up[j] = up[j], up[i] })
	p := balance.Partition{Topic: fmt.Sprintf("topic-%d", len(c.partitions))}
	for _, id := range up[:min(2, len(up))] {
		p.Replicas = append(p.Replicas, balance.Replica{Broker: id,
			Bytes: int64(k.w.rng.IntN(1 << 30))})
	}
	c.partitions = append(c.partitions, p)
}

// hosted counts the replicas that a broker has, or is about to have.
func (c *cluster) hosted(id int) int {
	n := 0
	for _, p := range c.partitions {
		onto := slices.Contains(c.moving[p.Topic].After, balance.BrokerID(id))
		if onto || slices.ContainsFunc(p.Replicas,
			func(r balance.Replica) bool { return r.Broker == balance.BrokerID(id) }) {
			n++
		}
	}
	return n
}

func (c *cluster) mostReplicas() (most int, topic string) {
	for _, p := range c.partitions {
		if len(p.Replicas) > most {
			most, topic = len(p.Replicas), p.Topic
		}
	}
	return most, topic
}

// move begins to move a partition; it is done as soon as all its new replicas are there.
func (k *kafka) move(c *cluster, m balance.Move) {
	c.moving[m.Topic] = m
	k.w.after(k.w.between(100*time.Millisecond, 10*time.Second), func() { k.arrive(c, m) })
}

func (k *kafka) arrive(c *cluster, m balance.Move) {
	if !slices.Equal(c.moving[m.Topic].After, m.After) {
		return // cancelled, or another one by now
	}
	for _, id := range m.After {
		if b := c.brokers[int(id)]; b == nil || !b.fenced.IsZero() || !k.quorum(c) {
			k.w.after(k.w.between(time.Second, 10*time.Second), func() { k.arrive(c, m) })
			return
		}
	}
	delete(c.moving, m.Topic)
	for i := range c.partitions {
		p := &c.partitions[i]
		if p.Topic != m.Topic {
			continue
		}
		size := p.Replicas[0].Bytes
		p.Replicas = nil
		for _, id := range m.After {
			p.Replicas = append(p.Replicas, balance.Replica{Broker: id, Bytes: size})
		}
	}
}

// weigh answers what lies where, or does not.
func (k *kafka) weigh(p *process, call scheduler.AskMoves) {
	w, asked, life := k.w, k.w.now, p.life
	if w.chance(0.05 * w.scenario.asked) {
		return
	}
	w.after(w.between(2*time.Millisecond, time.Second), func() {
		l := scheduler.Layout{Asked: asked, Error: "no leader of the quorum"}
		if c := k.at(call.Addresses); c != nil && k.quorum(c) {
			l = k.layout(c, asked)
		}
		if p.life == life {
			p.step(scheduler.FromMoves{Wish: call.Wish, Moves: scheduler.Weigh(l, call.Wish)})
		}
	})
}

// layout is what lies where on the brokers that are up.
func (k *kafka) layout(c *cluster, asked time.Time) scheduler.Layout {
	l := scheduler.Layout{Asked: asked}
	for _, id := range slices.Sorted(maps.Keys(c.brokers)) {
		if c.brokers[id].fenced.IsZero() {
			l.Cluster.Brokers = append(l.Cluster.Brokers,
				balance.Broker{ID: balance.BrokerID(id)})
		}
	}
	for _, p := range c.partitions {
		p.Replicas = slices.Clone(p.Replicas)
		l.Cluster.Partitions = append(l.Cluster.Partitions, p)
	}
	for _, topic := range slices.Sorted(maps.Keys(c.moving)) {
		l.Moving = append(l.Moving, scheduler.TopicPartition{Topic: topic})
	}
	return l
}
