package offer

import (
	"cmp"
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// shape is what requirements for new places have in common if they differ in nothing but names
// and ids, as those of the instances of one pod type do, and what was found out for them.
type shape struct {
	req    Requirement // the first of them
	wants  []portWant
	need   amounts
	peers  *placement.Crowd
	judge  placement.Judge
	scorer placement.Scorer
	known  []standing // by agent
	// refused is what the last of them got, as long as the table and the peers are as they were.
	refused                *cause
	refusedAt, refusedWith int
}

// standing is what was found out about one agent for a shape.
type standing struct {
	looked int  // the agent's version when it was looked at, plus one; 0 for never
	out    bool // it cannot fit whoever the peers are
	// liked is the score, and scoredWith the state of the peers that it is of.
	liked, scoredWith int
	spare             resource.Milli // GPUs that nobody would use
	room              float64
	seats             placement.Seats
	onHost, inZone    *int
}

// shapesMost is how many shapes a table remembers: about a hundred bytes for each agent and shape.
const shapesMost = 16

// shapeOf finds the shape of a requirement, or begins one.
func (t *Table) shapeOf(req *Requirement) *shape {
	for _, s := range t.shapes {
		if s.req.alike(req) {
			return s
		}
	}
	parts, peers := req.parts(), req.crowd()
	s := &shape{
		req: *req, wants: portWants(parts), need: total(parts),
		known: make([]standing, len(t.agents)), peers: peers,
		judge:  req.Rule.JudgeIn(peers),
		scorer: placement.NewScorerIn(req.Prefer, peers),
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
	return req.Role == o.Role && req.Executor == o.Executor && req.Peers == o.Peers &&
		slices.EqualFunc(req.Volumes, o.Volumes, VolumeNeed.alike) &&
		slices.EqualFunc(req.Sets, o.Sets, SetNeed.alike) &&
		slices.Equal(req.Rule.Constraints, o.Rule.Constraints) &&
		slices.EqualFunc(req.Prefer, o.Prefer, placement.Preference.Equal)
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
	return !k.out && k.seats.Free()
}

// look finds out about an agent what does not depend on peers. What was found of its place in
// the world stays; what it has may have become less.
func (s *shape) look(t *Table, i int, had *amounts) {
	k, a := &s.known[i], t.agents[i]
	again := k.looked > 0
	k.looked = t.versions[i] + 1
	if k.out = k.out || !had.hold(&s.need) || a.Unavailable != nil; k.out {
		return
	}
	k.room = had.room(s.need)
	if s.need[gpusAt] == 0 {
		k.spare = had[gpusAt]
	}
	if again {
		return
	}
	if k.out = !s.judge.AllowsAlone(a.place); k.out {
		return
	}
	k.seats = s.judge.Seats(a.place)
	k.onHost, k.inZone = s.peers.Neighbours(a.place)
	k.liked, k.scoredWith = s.scorer.Score(a.place), s.peers.Changes()
}

// best gives the best of the agents that may fit, -1 if there is none.
func (s *shape) best(t *Table) int {
	had, first := t.amounts(s.req.Role), -1
	for i := range t.agents {
		if s.open(t, i, &had[i]) {
			s.score(t, i)
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

// score sees to it that the score of an agent is that of the peers as they are.
func (s *shape) score(t *Table, i int) {
	k := &s.known[i]
	if s.scorer.Counts() && k.scoredWith != s.peers.Changes() {
		k.liked, k.scoredWith = s.scorer.Score(t.agents[i].place), s.peers.Changes()
	}
}

// compare puts the better agent first.
func (s *shape) compare(i, j int) int {
	a, b := &s.known[i], &s.known[j]
	return cmp.Or(
		cmp.Compare(b.liked, a.liked),
		cmp.Compare(*a.onHost, *b.onHost),
		cmp.Compare(*a.inZone, *b.inZone),
		cmp.Compare(a.spare, b.spare),
		cmp.Compare(b.room, a.room),
		cmp.Compare(i, j), // agents are sorted by id
	)
}
