package rolling

import (
	"cmp"
	"slices"
	"time"
)

// Risk is a topic that no restart can keep available, whatever the order.
type Risk struct {
	Topic      string
	Replicas   int // of its partitions, the fewest
	MinISR     int
	Partitions int // how many of its partitions
	// Movable is whether each of them could be moved away from a node before it goes.
	Movable bool
}

// Forecast names, before a roll begins, the topics of which partitions are unavailable for writes
// whenever one of their brokers is away: those with as many replicas as min.insync.replicas, or
// fewer. With a single replica they cannot be read either.
func (f *Facts) Forecast() []Risk {
	risks := make([]Risk, len(f.topics))
	for i := range f.partitions {
		p := &f.partitions[i]
		if !f.fragile(p) {
			continue
		}
		r := &risks[p.Topic]
		if r.Partitions == 0 {
			*r = Risk{Topic: f.topics[p.Topic].Name, Replicas: int(p.count),
				MinISR: f.minISR(p), Movable: true}
		}
		r.Partitions++
		r.Replicas = min(r.Replicas, int(p.count))
		r.Movable = r.Movable && f.hasSpare(p, nil)
	}
	risks = slices.DeleteFunc(risks, func(r Risk) bool { return r.Partitions == 0 })
	slices.SortFunc(risks, func(x, y Risk) int { return cmp.Compare(x.Topic, y.Topic) })
	return risks
}

// hasSpare reports whether a broker that hosts nothing of a partition could take a replica of it,
// now or when it is back.
func (f *Facts) hasSpare(p *Partition, down []NodeID) bool {
	for i := range f.Brokers {
		b := &f.Brokers[i]
		if (b.Up() || slices.Contains(down, b.ID)) && !f.hosts(p, i) {
			return true
		}
	}
	return false
}

// hosts reports whether a broker has a replica of a partition.
func (f *Facts) hosts(p *Partition, broker int) bool {
	return slices.ContainsFunc(f.replicasOf(p), func(r Replica) bool {
		return int(r.Broker) == broker
	})
}

// longGone is how far behind a voter is that does not run, rather than being slow for a moment.
const longGone = 10 * time.Second

// Order brings the nodes of a roll in the order in which they go: first those that are down
// already, then brokers rack by rack, then controllers, and last the one that leads the quorum,
// so that it changes hands once. It is made anew before each node, as leaders change.
func (f *Facts) Order(nodes []NodeID) []NodeID {
	class := func(id NodeID) int {
		b, known := f.Broker(id)
		v, votes := f.Quorum.voter(id)
		switch {
		case id == f.Quorum.Leader:
			return 3
		case (known || !votes) && !b.Up(), votes && (v.Behind < 0 || v.Behind > longGone):
			return 0
		case votes:
			return 2
		}
		return 1
	}
	ordered := slices.Clone(nodes)
	slices.SortStableFunc(ordered, func(x, y NodeID) int {
		bx, _ := f.Broker(x)
		by, _ := f.Broker(y)
		return cmp.Or(cmp.Compare(class(x), class(y)), cmp.Compare(bx.Rack, by.Rack),
			cmp.Compare(x, y))
	})
	return ordered
}
