package offer

import (
	"slices"

	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// region is what requirements have in common that may go to the same agents as far as these are
// told apart by where they are and who is there, and what was found out for them.
type region struct {
	req    Requirement // the first of them
	peers  *placement.Crowd
	judge  placement.Judge
	where  placement.ExprJudge
	counts bool // where depends on peers
	scorer placement.Scorer
	known  []location // by agent
}

// location is what was found out about one agent for a region.
type location struct {
	looked, out bool // it was looked at; it is out whoever the peers are
	// barred says that the other rule forbids the agent, with the peers of barredWith.
	barred     bool
	barredWith int
	// liked is the score, and scoredWith the state of the peers that it is of.
	liked, scoredWith int
	seats             placement.Seats
	onHost, inZone    *int
}

// regionOf finds the region of a requirement, or begins one.
func (t *Table) regionOf(req *Requirement) *region {
	for _, g := range t.regions {
		if g.req.near(req) {
			return g
		}
	}
	peers := req.crowd()
	g := &region{
		req: *req, known: make([]location, len(t.agents)), peers: peers,
		judge: req.Rule.JudgeIn(peers), where: req.where(peers),
		counts: req.Where != nil && req.Where.Counts(),
		scorer: placement.NewScorerIn(req.Prefer, peers),
	}
	if len(t.regions) == shapesMost {
		t.regions = t.regions[1:]
	}
	t.regions = append(t.regions, g)
	return g
}

// near says whether two requirements are of one region.
func (req *Requirement) near(o *Requirement) bool {
	return req.Peers == o.Peers &&
		slices.Equal(req.Rule.Constraints, o.Rule.Constraints) &&
		(req.Where == o.Where || req.Where != nil && o.Where != nil && req.Where.Equal(*o.Where)) &&
		slices.EqualFunc(req.Prefer, o.Prefer, placement.Preference.Equal)
}

// open says whether an agent is allowed, now.
func (g *region) open(t *Table, i int) bool {
	k := &g.known[i]
	if !k.looked {
		g.look(k, t.agents[i].place)
	}
	if k.out || !k.seats.Free() {
		return false
	}
	if g.counts && k.barredWith != g.peers.Changes() {
		g.bar(k, t.agents[i].place)
	}
	return !k.barred
}

// look finds out about an agent what does not depend on peers, and where to read what does.
func (g *region) look(k *location, at placement.Agent) {
	k.looked = true
	if k.out = !g.judge.AllowsAlone(at); k.out {
		return
	}
	g.bar(k, at)
	k.seats = g.judge.Seats(at)
	k.onHost, k.inZone = g.peers.Neighbours(at)
	k.liked, k.scoredWith = g.scorer.Score(at), g.peers.Changes()
}

// bar finds out whether the other rule forbids an agent, now.
func (g *region) bar(k *location, at placement.Agent) {
	k.barred, k.barredWith = !g.where.Evaluate(at).Allowed, g.peers.Changes()
}

// score sees to it that the score of an agent is that of the peers as they are.
func (g *region) score(t *Table, i int) {
	k := &g.known[i]
	if g.scorer.Counts() && k.scoredWith != g.peers.Changes() {
		k.liked, k.scoredWith = g.scorer.Score(t.agents[i].place), g.peers.Changes()
	}
}
