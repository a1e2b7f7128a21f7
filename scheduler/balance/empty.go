package balance

import (
	"cmp"
	"slices"
)

// empty moves everything off the brokers that leave, the largest replicas first, each to the
// broker that is the farthest below its due.
func (s *spread) empty() {
	on := s.replicasOn()
	var all []replica
	for i := range s.Brokers {
		if s.Brokers[i].Standing == Leaving {
			all = append(all, on[i]...)
		}
	}
	sortBySize(all, s.size)
	for _, r := range all {
		to, reason := s.refuge(r.partition, int(r.slot))
		if to < 0 {
			p := &s.Partitions[r.partition]
			s.left = append(s.left, Left{p.Topic, p.ID,
				s.Brokers[s.at[r.partition][r.slot]].ID, reason})
			continue
		}
		s.move(r.partition, int(r.slot), to)
	}
}

// refuge is where a replica of a leaving broker goes, or why it cannot: to a rack that keeps the
// replicas as far apart as they are, or, if no such rack is left, to any.
func (s *spread) refuge(p int32, slot int) (int32, string) {
	from := s.rack[s.at[p][slot]]
	apart := s.alone(p, slot, from)
	best, full, racked := int32(-1), int32(-1), false
	for pass := range 2 {
		for rack, list := range s.byRoom {
			if pass == 0 && apart && int32(rack) != from && !s.alone(p, slot, int32(rack)) {
				continue
			}
			for _, b := range list {
				racked = racked || pass == 0
				if s.hosts(b, p) {
					continue
				}
				if !s.fits(b, p) {
					full = b
					continue
				}
				if best < 0 || s.compareRoom(b, best) < 0 {
					best = b
				}
				break
			}
		}
		if best >= 0 || racked && full >= 0 {
			break
		}
	}
	switch {
	case best >= 0:
		return best, ""
	case full >= 0:
		return -1, "no broker that may take it has room on its disks"
	}
	return -1, "every broker that stays has a replica of it already"
}

// sortBySize sorts replicas, the largest first, and leaves those of one size as they are.
func sortBySize(list []replica, size []int64) {
	slices.SortStableFunc(list, func(x, y replica) int {
		return cmp.Compare(size[y.partition], size[x.partition])
	})
}
