package balance

import (
	"cmp"
	"slices"
)

// level moves load from brokers above their due to those below, first from those above the
// tolerance, then to those below it. With onlyAdded nothing goes to others than those that were
// added; with a rack, nothing leaves or enters it.
type level struct {
	*spread
	on        [][]replica
	onlyAdded bool
	rack      int32 // -1 for all
}

func (l *level) run() {
	brokers := l.members()
	if !l.onlyAdded {
		for _, b := range l.sorted(brokers, l.excess) {
			if l.over(b) {
				l.relieve(b)
			}
		}
	}
	for _, b := range l.sorted(brokers, l.room) {
		if l.under(b) && l.wants(b) {
			l.feed(b, brokers)
		}
	}
}

// members are the brokers that take part.
func (l *level) members() []int32 {
	var list []int32
	for i := range l.Brokers {
		if b := int32(i); l.takes(b) && (l.rack < 0 || l.spread.rack[b] == l.rack) {
			list = append(list, b)
		}
	}
	return list
}

// sorted sorts brokers by an amount, the largest first.
func (l *level) sorted(brokers []int32, amount func(int32) int64) []int32 {
	list := slices.Clone(brokers)
	slices.SortFunc(list, func(x, y int32) int {
		return cmp.Or(cmp.Compare(amount(y), amount(x)),
			cmp.Compare(l.Brokers[x].ID, l.Brokers[y].ID))
	})
	return list
}

// wants reports whether a broker may get something by this leveling.
func (l *level) wants(b int32) bool {
	return !l.onlyAdded || l.Brokers[b].Standing == Added
}

// relieve moves replicas off a broker until it is within the tolerance.
func (l *level) relieve(from int32) {
	l.give(from, func() bool { return !l.over(from) }, func(p int32, slot int) int32 {
		return l.best(p, slot)
	})
}

// feed moves replicas to a broker until it is within the tolerance, from those with most.
func (l *level) feed(to int32, brokers []int32) {
	for _, from := range l.sorted(brokers, l.excess) {
		if l.excess(from) <= 0 || !l.under(to) {
			return
		}
		l.give(from, func() bool { return !l.under(to) }, func(p int32, slot int) int32 {
			if l.weight(p) <= l.room(to) && l.may(p, slot, to) {
				return to
			}
			return -1
		})
	}
}

// give moves replicas of a broker, the largest first, to where they may go, until it is enough.
// None moves that is more than what the broker has above its due.
func (l *level) give(from int32, enough func() bool, where func(p int32, slot int) int32) {
	list := l.on[from]
	kept := list[:0]
	for i, r := range list {
		if enough() {
			kept = append(kept, list[i:]...)
			break
		}
		to := int32(-1)
		if l.weight(r.partition) <= l.excess(from) {
			to = where(r.partition, int(r.slot))
		}
		if to < 0 {
			kept = append(kept, r)
			continue
		}
		l.move(r.partition, int(r.slot), to)
	}
	l.on[from] = kept
}

// best is the broker with the most room that a replica may go to and that stays within its due, -1
// for none.
func (l *level) best(p int32, slot int) int32 {
	best := int32(-1)
	for rack, list := range l.byRoom {
		if l.rack >= 0 && int32(rack) != l.rack {
			continue
		}
		for _, b := range list {
			if l.room(b) < l.weight(p) || best >= 0 && l.compareRoom(best, b) <= 0 {
				break
			}
			if l.wants(b) && l.may(p, slot, b) {
				best = b
				break
			}
		}
	}
	return best
}

// levelAll levels the whole cluster, and then each rack in itself.
func (s *spread) levelAll(onlyAdded bool) {
	l := &level{spread: s, on: s.replicasOn(), onlyAdded: onlyAdded, rack: -1}
	l.run()
	if s.racks == 1 {
		return
	}
	for rack := range int32(s.racks) {
		l.rack = rack
		members := l.members()
		var total int64
		for _, b := range members {
			total += s.load[b]
		}
		s.share(total, members)
		slices.SortFunc(s.byRoom[rack], s.compareRoom)
	}
	l.on = s.replicasOn()
	for rack := range int32(s.racks) {
		l.rack = rack
		l.run()
	}
}
