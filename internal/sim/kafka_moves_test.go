package sim

import (
	"maps"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/balance"
)

func topicName(i int) string { return "topic-" + string(rune('a'+i%26)) }

// mostReplicas is the largest number of replicas, and a topic that has it.
func (c *cluster) mostReplicas() (most int, topic string) {
	for i, p := range c.partitions {
		if len(p.replicas) > most {
			most, topic = len(p.replicas), topicName(i)
		}
	}
	return most, topic
}

// move begins to move a partition; it is done as soon as all replicas that it gains are there, and
// one that is in sync stays.
func (k *kafka) move(c *cluster, m balance.Move) {
	i := int(m.Partition)
	if i >= len(c.partitions) || m.Topic != topicName(i) {
		k.w.fail("moves", "there is no %s-%d", m.Topic, i)
		return
	}
	c.moving[i] = m
	k.w.after(k.w.between(100*time.Millisecond, 10*time.Second), func() { k.arrive(c, i, m) })
}

func (k *kafka) arrive(c *cluster, i int, m balance.Move) {
	if !slices.Equal(c.moving[i].After, m.After) {
		return // cancelled, or another one by now
	}
	p := c.partitions[i]
	ready, isr := k.governed(c) && k.led(c, p), map[int]bool{}
	for _, id := range m.After {
		gained := !slices.Contains(p.replicas, int(id))
		ready = ready && (!gained || k.serves(c, int(id)))
		if gained || p.isr[int(id)] {
			isr[int(id)] = true
		}
	}
	ready = ready && len(isr) > 0
	if !ready {
		k.w.after(k.w.between(time.Second, 10*time.Second), func() { k.arrive(c, i, m) })
		return
	}
	delete(c.moving, i)
	p.replicas, p.isr = nil, isr
	for _, id := range m.After {
		p.replicas = append(p.replicas, int(id))
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
		if c := k.at(call.Addresses); c != nil && k.governed(c) {
			l = k.layout(c, asked)
		}
		if p.life == life {
			p.step(scheduler.FromMoves{Wish: call.Wish, Moves: scheduler.Weigh(l, call.Wish)})
		}
	})
}

// layout is what lies where, as the brokers tell that serve.
func (k *kafka) layout(c *cluster, asked time.Time) scheduler.Layout {
	l := scheduler.Layout{Asked: asked}
	for _, id := range slices.Sorted(maps.Keys(c.brokers)) {
		if k.serves(c, id) {
			l.Cluster.Brokers = append(l.Cluster.Brokers,
				balance.Broker{ID: balance.BrokerID(id)})
		}
	}
	for i, p := range c.partitions {
		one := balance.Partition{Topic: topicName(i), ID: int32(i)}
		for _, id := range p.replicas {
			one.Replicas = append(one.Replicas, balance.Replica{Broker: balance.BrokerID(id),
				Bytes: int64(i) << 20})
		}
		l.Cluster.Partitions = append(l.Cluster.Partitions, one)
	}
	for _, i := range slices.Sorted(maps.Keys(c.moving)) {
		l.Moving = append(l.Moving, scheduler.TopicPartition{Topic: topicName(i),
			Partition: int32(i)})
	}
	return l
}
