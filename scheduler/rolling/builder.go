package rolling

import (
	"slices"
	"time"
)

// Builder puts Facts together: the brokers, the topics, and then the answers of one, two or more
// brokers about the partitions. Where answers differ, the facts are pessimistic: a replica is in
// sync only if all say so, there is a leader only if all name the same, and the partition counts
// as disputed.
type Builder struct {
	facts  *Facts
	topics map[string]int32
	rows   [][]row        // by topic, by partition id
	far    map[place]*row // of ids that are far from all others
}

// place is a topic's number and a partition's id.
type place struct{ topic, id int32 }

// row is where a partition is, and how many answers told of it.
type row struct {
	at   int32
	told int32
}

// NewBuilder begins facts that were asked for at a time.
func NewBuilder(asked time.Time) *Builder {
	return &Builder{
		facts: &Facts{Asked: asked, Quorum: Quorum{Leader: None},
			index: make(map[NodeID]int32)},
		topics: make(map[string]int32),
		far:    make(map[place]*row),
	}
}

// Broker adds what is known of a broker, or replaces it.
func (b *Builder) Broker(broker Broker) {
	b.facts.Brokers[b.broker(broker.ID)] = broker
}

// broker is the index of a broker, which is added if it is new.
func (b *Builder) broker(id NodeID) int32 {
	i, ok := b.facts.index[id]
	if !ok {
		i = int32(len(b.facts.Brokers))
		b.facts.index[id] = i
		b.facts.Brokers = append(b.facts.Brokers, Broker{ID: id, Behind: -1})
	}
	return i
}

// Quorum sets what is known of the controllers.
func (b *Builder) Quorum(q Quorum) { b.facts.Quorum = q }

// Topic adds a topic and returns its number. Of several minimums that are told the greatest
// counts.
func (b *Builder) Topic(name string, minISR int) int32 {
	i, ok := b.topics[name]
	if !ok {
		i = int32(len(b.facts.topics))
		b.topics[name] = i
		b.facts.topics = append(b.facts.topics, Topic{Name: name})
		b.rows = append(b.rows, nil)
	}
	b.facts.topics[i].MinISR = max(b.facts.topics[i].MinISR, minISR)
	return i
}

// Answer begins the partitions that one more broker tells of.
func (b *Builder) Answer(from NodeID) { b.facts.Answers = append(b.facts.Answers, from) }

// Partition adds what the present answer says of a partition. The slices are not kept.
func (b *Builder) Partition(topic, id int32, leader NodeID, replicas, isr []NodeID) {
	r := b.row(place{topic, id})
	r.told++
	if r.told > 1 {
		b.compare(&b.facts.partitions[r.at], leader, replicas, isr)
		return
	}
	r.at = int32(len(b.facts.partitions))
	p := Partition{Topic: topic, ID: id, first: int32(len(b.facts.replicas)),
		count: uint16(len(replicas)), leader: -1, offline: leader == None}
	if leader != None {
		p.leader = b.broker(leader)
	}
	for _, id := range replicas {
		b.facts.replicas = append(b.facts.replicas,
			Replica{Broker: b.broker(id), InSync: slices.Contains(isr, id)})
	}
	b.facts.partitions = append(b.facts.partitions, p)
}

// near is how far apart the ids of a topic's partitions may be told to be kept in one row.
const near = 1024

// row is the row of a partition. Ids follow each other from 0; those that do not are kept apart, so
// that a wrong one costs nothing.
func (b *Builder) row(at place) *row {
	if r := b.far[at]; r != nil {
		return r
	}
	rows := &b.rows[at.topic]
	if at.id < 0 || int(at.id) >= len(*rows)+near {
		b.far[at] = new(row)
		return b.far[at]
	}
	for int(at.id) >= len(*rows) {
		*rows = append(*rows, row{})
	}
	return &(*rows)[at.id]
}

// compare takes in what another answer says of a partition.
func (b *Builder) compare(p *Partition, leader NodeID, replicas, isr []NodeID) {
	f := b.facts
	if f.leaderOf(p) != leader {
		p.leader, p.disputed = -1, true
	}
	p.offline = p.offline || leader == None
	known := f.replicasOf(p)
	same := len(known) == len(replicas)
	for i := range known {
		id := f.Brokers[known[i].Broker].ID
		same = same && replicas[i] == id
		if known[i].InSync != slices.Contains(isr, id) {
			known[i].InSync, p.disputed = false, true
		}
	}
	if same {
		return
	}
	p.disputed = true
	all := slices.Clone(known)
	for _, id := range replicas {
		i := b.broker(id)
		if !slices.ContainsFunc(all, func(r Replica) bool { return r.Broker == i }) {
			all = append(all, Replica{Broker: i})
		}
	}
	p.first, p.count = int32(len(f.replicas)), uint16(len(all))
	f.replicas = append(f.replicas, all...)
}

// Moving marks a partition as one that ListPartitionReassignments names.
func (b *Builder) Moving(topic string, id int32) {
	if t, ok := b.topics[topic]; ok {
		if r := b.row(place{t, id}); r.told > 0 {
			b.facts.partitions[r.at].moving = true
		}
	}
}

// Facts ends the work. The builder must not be used again.
func (b *Builder) Facts() *Facts {
	f := b.facts
	for _, rows := range b.rows {
		for i := range rows {
			b.complete(&rows[i])
		}
	}
	//tidy:unordered each partition is looked at by itself
	for _, r := range b.far {
		b.complete(r)
	}
	b.sortBrokers()
	b.fillIndex()
	b.facts = nil
	return f
}

// complete disputes a partition that not all who answered told of.
func (b *Builder) complete(r *row) {
	if r.told > 0 && int(r.told) != len(b.facts.Answers) {
		b.facts.partitions[r.at].disputed = true
	}
}

// sortBrokers brings the brokers in order and corrects all that refers to them.
func (b *Builder) sortBrokers() {
	f := b.facts
	now := make([]int32, len(f.Brokers)) // by former index
	slices.SortFunc(f.Brokers, func(x, y Broker) int { return int(x.ID) - int(y.ID) })
	for i, broker := range f.Brokers {
		now[f.index[broker.ID]] = int32(i)
		f.index[broker.ID] = int32(i)
	}
	for i := range f.replicas {
		f.replicas[i].Broker = now[f.replicas[i].Broker]
	}
	for i := range f.partitions {
		if p := &f.partitions[i]; p.leader >= 0 {
			p.leader = now[p.leader]
		}
	}
}

// fillIndex lists the partitions by broker, all in one array, and those that are offline.
func (b *Builder) fillIndex() {
	f := b.facts
	count := make([]int, len(f.Brokers))
	all := 0
	for i := range f.partitions {
		for _, r := range f.replicasOf(&f.partitions[i]) {
			count[r.Broker]++
			all++
		}
	}
	pool := make([]int32, all)
	f.on = make([][]int32, len(f.Brokers))
	for i, n := range count {
		f.on[i], pool = pool[:0:n], pool[n:]
	}
	for i := range f.partitions {
		p := &f.partitions[i]
		for _, r := range f.replicasOf(p) {
			f.on[r.Broker] = append(f.on[r.Broker], int32(i))
		}
		if p.offline {
			f.offline = append(f.offline, int32(i))
		}
	}
}
