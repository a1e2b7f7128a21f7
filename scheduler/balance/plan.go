package balance

import (
	"cmp"
	"slices"
)

// Make plans what has to move for a goal.
func Make(c *Cluster, goal Goal, o Options) Plan {
	s := newSpread(c, o.tolerance())
	switch goal {
	case Even:
		s.levelAll(false)
	case Fill:
		s.levelAll(true)
	case Empty:
		s.empty()
	}
	s.evenLeaders()
	return s.plan()
}

// plan compares where everything is with where it was.
func (s *spread) plan() Plan {
	plan := Plan{Left: s.left, Brokers: make([]Preview, len(s.Brokers))}
	for i, b := range s.Brokers {
		plan.Brokers[i].Broker = b.ID
	}
	index := make(map[BrokerID]int32, len(s.Brokers))
	for i, b := range s.Brokers {
		index[b.ID] = int32(i)
	}
	for i := range s.Partitions {
		s.compare(int32(i), index, &plan)
	}
	slices.SortFunc(plan.Brokers, func(x, y Preview) int { return cmp.Compare(x.Broker, y.Broker) })
	slices.SortFunc(plan.Moves, func(x, y Move) int {
		return cmp.Or(cmp.Compare(x.Topic, y.Topic), cmp.Compare(x.Partition, y.Partition))
	})
	return plan
}

// compare adds what becomes of one partition.
func (s *spread) compare(i int32, index map[BrokerID]int32, plan *Plan) {
	p, at := &s.Partitions[i], s.at[i]
	move := Move{Topic: p.Topic, Partition: p.ID}
	var was []int32
	changed := false
	for slot, r := range p.Replicas {
		b, ok := index[r.Broker]
		if !ok {
			b = -1
		}
		was = append(was, b)
		changed = changed || b != at[slot]
		if ok {
			plan.Brokers[b].Before.add(s.size[i], slot == 0)
		}
	}
	for slot, b := range at {
		if b < 0 {
			continue
		}
		plan.Brokers[b].After.add(s.size[i], slot == 0)
		if !slices.Contains(was, b) {
			plan.Brokers[b].In += s.size[i]
			move.Bytes += s.size[i]
		}
	}
	if !changed {
		return
	}
	for slot, r := range p.Replicas {
		move.Before = append(move.Before, r.Broker)
		move.After = append(move.After, s.after(r, at[slot]))
		if b := was[slot]; b >= 0 && !slices.Contains(at, b) {
			plan.Brokers[b].Out += s.size[i]
		}
	}
	plan.Moves = append(plan.Moves, move)
	plan.Bytes += move.Bytes
}

// after is the broker of a replica that was on another one. Those on unlisted brokers stay.
func (s *spread) after(was Replica, b int32) BrokerID {
	if b < 0 {
		return was.Broker
	}
	return s.Brokers[b].ID
}

func (l *Load) add(bytes int64, leads bool) {
	l.Bytes += bytes
	l.Replicas++
	if leads {
		l.Leaders++
	}
}
