package offer

import (
	"cmp"
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// shape is what requirements for new places have in common if they differ in nothing but names
// and ids, as those of the instances of one pod type do, and what was found out for them.
type shape struct {
	req    Requirement // the first of them
	wants  []portWant
	need   amounts
	region *region
	known  []standing // by agent
	// refused is what the last of them got, as long as the table and the peers are as they were.
	refused                *cause
	refusedAt, refusedWith int
	// ranking is nil before it is worth its while, and where there can be none, which unranked
	// says; asked says that somebody wanted the best agent before.
	ranking         *ranking
	unranked, asked bool
}

// standing is what was found out about one agent for a shape.
type standing struct {
	looked int            // the agent's version when it was looked at, plus one; 0 for never
	out    bool           // it cannot fit wherever it is
	spare  resource.Milli // GPUs that nobody would use
	room   float64
}

// shapesMost is how many shapes, and how many regions, a table remembers: some 150 bytes for each
// agent.
const shapesMost = 16

// shapeOf finds the shape of a requirement, or begins one.
func (t *Table) shapeOf(req *Requirement) *shape {
	for _, s := range t.shapes {
		if s.req.alike(req) {
			return s
		}
	}
	parts := req.parts()
	s := &shape{
		req: *req, wants: portWants(parts), need: total(parts), region: t.regionOf(req),
		known: make([]standing, len(t.agents)),
	}
	s.req.Sets = slices.Clone(req.Sets) // the caller may change theirs for the next one
	if len(t.shapes) == shapesMost {
		t.shapes = t.shapes[1:]
	}
	t.shapes = append(t.shapes, s)
	return s
}

// alike says whether two requirements for new places are of one shape.
func (req *Requirement) alike(o *Requirement) bool {
	return req.Role == o.Role && req.Executor == o.Executor &&
		slices.EqualFunc(req.Volumes, o.Volumes, VolumeNeed.alike) &&
		slices.EqualFunc(req.Sets, o.Sets, SetNeed.alike) && req.near(o)
}

func (n SetNeed) alike(o SetNeed) bool {
	return n.Name == o.Name && n.Scalars == o.Scalars &&
		slices.EqualFunc(n.Ports, o.Ports, func(a, b servicespec.Port) bool {
			return a.Name == b.Name && a.Port == b.Port && slices.Equal(a.Ranges, b.Ranges)
		}) && slices.EqualFunc(n.Volumes, o.Volumes, VolumeNeed.alike)
}

func (n VolumeNeed) alike(o VolumeNeed) bool {
	return n.Volume.Path == o.Volume.Path && n.Volume.Type == o.Volume.Type &&
		n.Volume.Size == o.Volume.Size && slices.Equal(n.Volume.Profiles, o.Volume.Profiles)
}

// open says whether an agent may fit, now.
func (s *shape) open(t *Table, i int, had *amounts) bool {
	k := &s.known[i]
	if k.looked != t.versions[i]+1 {
		s.look(t, i, had)
	}
	return !k.out && s.region.open(t, i)
}

// look finds out whether an agent has enough of each scalar. What it has may have become less.
func (s *shape) look(t *Table, i int, had *amounts) {
	k := &s.known[i]
	k.looked = t.versions[i] + 1
	a := t.agents[i]
	k.out = k.out || !had.hold(&s.need) || a.Unavailable != nil || a.draining || a.barred != ""
	if k.out {
		return
	}
	k.room = had.room(s.need)
	if s.need[gpusAt] == 0 {
		k.spare = had[gpusAt]
	}
}

// best gives the best of the agents that may fit, -1 if there is none.
func (s *shape) best(t *Table) int {
	if s.ranking != nil && s.ranking.left != s.region.peers.Left() {
		s.ranking = nil
	}
	if s.ranking == nil && s.asked && !s.unranked {
		s.ranking = s.rankAll(t)
		s.unranked = s.ranking == nil
	}
	s.asked = true
	if s.ranking != nil {
		return s.ranking.best(t, s)
	}
	had, first := t.amounts(s.req.Role), -1
	for i := range t.agents {
		if s.open(t, i, &had[i]) {
			s.region.score(t, i)
			if first < 0 || s.compare(i, first) < 0 {
				first = i
			}
		}
	}
	return first
}

// sorted gives the agents that may fit, the best first.
func (s *shape) sorted(t *Table) []int {
	had := t.amounts(s.req.Role)
	open := make([]int, 0, len(t.agents))
	for i := range t.agents {
		if s.open(t, i, &had[i]) {
			open = append(open, i)
		}
	}
	slices.SortFunc(open, s.compare)
	return open
}

// compare puts the better agent first.
func (s *shape) compare(i, j int) int {
	a, b := &s.known[i], &s.known[j]
	at, bt := &s.region.known[i], &s.region.known[j]
	return cmp.Or(
		cmp.Compare(bt.liked, at.liked),
		cmp.Compare(*at.onHost, *bt.onHost),
		cmp.Compare(*at.inZone, *bt.inZone),
		cmp.Compare(a.spare, b.spare),
		cmp.Compare(b.room, a.room),
		cmp.Compare(i, j), // agents are sorted by id
	)
}
