package balance

import (
	"cmp"
	"slices"
)

// Replicas of partitions that are to have more or fewer of them, or that are new.

// chooser chooses brokers: in racks that have none of the partition first, and then the one with
// the least load.
type chooser struct {
	brokers []Broker // those that take something
	load    map[BrokerID]int64
	racks   map[BrokerID]string
}

func newChooser(c *Cluster) *chooser {
	t := &chooser{load: map[BrokerID]int64{}, racks: map[BrokerID]string{}}
	for _, b := range c.Brokers {
		if b.Standing == InService || b.Standing == Added {
			t.brokers = append(t.brokers, b)
			t.racks[b.ID] = b.Rack
		}
	}
	for i := range c.Partitions {
		for _, r := range c.Partitions[i].Replicas {
			t.load[r.Broker] += c.Partitions[i].bytes() + floor
		}
	}
	return t
}

// next is the best broker for one more replica; false says that there is none.
func (t *chooser) next(replicas []BrokerID) (BrokerID, bool) {
	inRack := map[string]int{}
	for _, id := range replicas {
		inRack[t.racks[id]]++
	}
	free := slices.DeleteFunc(slices.Clone(t.brokers),
		func(b Broker) bool { return slices.Contains(replicas, b.ID) })
	if len(free) == 0 {
		return 0, false
	}
	return slices.MinFunc(free, func(a, b Broker) int {
		return cmp.Or(cmp.Compare(inRack[a.Rack], inRack[b.Rack]),
			cmp.Compare(t.load[a.ID], t.load[b.ID]), cmp.Compare(a.ID, b.ID))
	}).ID, true
}

// Replicate gives the partitions of some topics so many replicas: those that have as many stay as
// they are, as do those for which there are too few brokers.
func Replicate(c *Cluster, factors map[string]int) []Move {
	t := newChooser(c)
	var moves []Move
	for i := range c.Partitions {
		p := &c.Partitions[i]
		factor := factors[p.Topic]
		if factor == 0 || factor == len(p.Replicas) ||
			factor > len(p.Replicas) && !t.suffice(p, factor) {
			continue
		}
		move := Move{Topic: p.Topic, Partition: p.ID, Before: p.brokers()}
		move.After = slices.Clone(move.Before)
		for len(move.After) > factor {
			move.After = t.shrink(move.After, p)
		}
		for len(move.After) < factor {
			id, _ := t.next(move.After)
			t.load[id] += p.bytes() + floor
			move.After = append(move.After, id)
			move.Bytes += p.bytes()
		}
		moves = append(moves, move)
	}
	return moves
}

// brokers are those of a partition's replicas.
func (p *Partition) brokers() []BrokerID {
	list := make([]BrokerID, len(p.Replicas))
	for i, r := range p.Replicas {
		list[i] = r.Broker
	}
	return list
}

// suffice reports whether there are brokers enough for a partition to have so many replicas.
func (t *chooser) suffice(p *Partition, factor int) bool {
	have := len(t.brokers)
	for _, r := range p.Replicas {
		if _, takes := t.racks[r.Broker]; !takes {
			have++ // it stays where it is
		}
	}
	return have >= factor
}

// shrink takes one replica away: the last that is not in sync, else the last on a broker that
// takes nothing, else the last of a rack that has another one, else the last.
func (t *chooser) shrink(replicas []BrokerID, p *Partition) []BrokerID {
	last := len(replicas) - 1
	drop := -1
	for _, is := range []func(i int) bool{
		func(i int) bool { return p.behind(replicas[i]) },
		func(i int) bool { _, takes := t.racks[replicas[i]]; return !takes },
		func(i int) bool { return i > 0 && t.sharesRack(replicas, i) },
	} {
		for i := last; i >= 0 && drop < 0; i-- {
			if is(i) {
				drop = i
			}
		}
	}
	if drop < 0 {
		drop = last
	}
	t.load[replicas[drop]] -= p.bytes() + floor
	return slices.Delete(replicas, drop, drop+1)
}

// behind reports whether the replica on a broker is not in sync.
func (p *Partition) behind(id BrokerID) bool {
	return slices.ContainsFunc(p.Replicas,
		func(r Replica) bool { return r.Broker == id && r.Behind })
}

// sharesRack says whether another replica is in the same rack.
func (t *chooser) sharesRack(replicas []BrokerID, i int) bool {
	rack := t.racks[replicas[i]]
	return rack != "" && slices.ContainsFunc(replicas, func(id BrokerID) bool {
		return id != replicas[i] && t.racks[id] == rack
	})
}

// Place chooses the brokers of new partitions from a number on up to another, by turns each first.
// Where there are too few brokers a partition has fewer replicas.
func Place(c *Cluster, from, to, factor int) [][]BrokerID {
	t := newChooser(c)
	var list [][]BrokerID
	for p := from; p < to; p++ {
		var replicas []BrokerID
		for len(replicas) < factor {
			id, ok := t.next(replicas)
			if !ok {
				break
			}
			t.load[id] += floor
			replicas = append(replicas, id)
		}
		turn := p % max(1, len(replicas))
		list = append(list, slices.Concat(replicas[turn:], replicas[:turn]))
	}
	return list
}
