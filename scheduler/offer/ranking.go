package offer

import "cmp"

// ranking finds the best agent for one instance of a shape after the other, without a look at each:
// the agents of each zone are in a heap, the best on top.
//
// Agents in it may become worse, which is noticed when they come to the top, and never better. So
// there is one only where the order depends on nothing but the agents and how many peers are on a
// host and in a zone, and it is made anew when a peer has left or an agent was given something.
type ranking struct {
	zones []*heap
	left  int // how many peers had left when it was made
}

// heap is a binary heap of agents, the best first.
type heap []ranked

// ranked is an agent with what it was good for when it was put into its heap.
type ranked struct {
	agent, liked, onHost int
	room                 float64
}

// rank says how good an agent of a shape is now.
func (s *shape) rank(i int) ranked {
	at := &s.region.known[i]
	return ranked{agent: i, liked: at.liked, onHost: *at.onHost, room: s.known[i].room}
}

// compare puts the better agent of a zone first, as shape.compare does.
func (r ranked) compare(o ranked) int {
	return cmp.Or(cmp.Compare(o.liked, r.liked), cmp.Compare(r.onHost, o.onHost),
		cmp.Compare(o.room, r.room), cmp.Compare(r.agent, o.agent))
}

// rankAll makes the ranking of a shape; none if the order depends on more.
func (s *shape) rankAll(t *Table) *ranking {
	g := s.region
	if g.counts || g.scorer.Counts() {
		return nil
	}
	had, zones := t.amounts(s.req.Role), map[*int]*heap{}
	r := &ranking{left: g.peers.Left()}
	for i := range t.agents {
		open := s.open(t, i, &had[i])
		if len(g.known[i].seats) > 0 || s.known[i].spare > 0 {
			return nil
		}
		if !open {
			continue
		}
		in := g.known[i].inZone
		if t.agents[i].place.Zone == "" {
			in = nil // where nobody has neighbours
		}
		zone := zones[in]
		if zone == nil {
			zone = new(heap)
			zones[in] = zone
			r.zones = append(r.zones, zone)
		}
		*zone = append(*zone, s.rank(i))
	}
	for _, zone := range r.zones {
		for i := len(*zone)/2 - 1; i >= 0; i-- {
			zone.sink(i)
		}
	}
	return r
}

// sink moves an agent down to where none below it is better.
func (h heap) sink(i int) {
	for {
		best := i
		for _, child := range [...]int{2*i + 1, 2*i + 2} {
			if child < len(h) && h[child].compare(h[best]) < 0 {
				best = child
			}
		}
		if best == i {
			return
		}
		h[i], h[best] = h[best], h[i]
		i = best
	}
}

// top gives the best agent of a heap that may fit now, -1 if there is none.
func (h *heap) top(t *Table, s *shape, had []amounts) int {
	for len(*h) > 0 {
		first := (*h)[0]
		last := len(*h) - 1
		switch open := s.open(t, first.agent, &had[first.agent]); {
		case !open:
			(*h)[0], *h = (*h)[last], (*h)[:last]
		case s.rank(first.agent) != first:
			(*h)[0] = s.rank(first.agent)
		default:
			return first.agent
		}
		h.sink(0)
	}
	return -1
}

// best gives the best agent of all.
func (r *ranking) best(t *Table, s *shape) int {
	had, first := t.amounts(s.req.Role), -1
	for _, zone := range r.zones {
		i := zone.top(t, s, had)
		if i >= 0 && (first < 0 || s.compare(i, first) < 0) {
			first = i
		}
	}
	return first
}

// changed notes that something was taken of an agent, or given back to it.
func (s *shape) changed(t *Table, i int) {
	if s.ranking == nil || s.known[i].out {
		return
	}
	before := s.known[i].room
	s.look(t, i, &t.amounts(s.req.Role)[i])
	if !s.known[i].out && s.known[i].room > before {
		s.ranking = nil
	}
}
