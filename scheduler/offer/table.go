package offer

import (
	"cmp"
	"slices"
	"sort"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// Table holds the offers in hand, ready for one requirement after the other.
//
// It remembers what it found out: for every shape of requirement (shape.go) and every agent
// whether the agent is out of the question, and of the others what makes one better; what that has
// to do with places (region.go) also for all shapes with the same rule. It holds until something
// is taken of the agent, so an agent that cannot fit costs one look at a flag,
// and only the best is looked into piece by piece.
//
// What one agent offers to one role is put together, however many offers it came in.
type Table struct {
	agents   []*agent         // sorted by id, then role; none of them is ever changed
	versions []int            // of each agent, counts what was taken
	hosts    map[string][]int // the agents under each address and host name, once it is wanted
	taken    int              // counts what was taken, so that memos know when they are stale
	had      map[string][]amounts
	shapes   []*shape
	regions  []*region
	lent     bool // a refusal has agents, so that they are cloned before one is replaced
}

// agent is what is offered of one agent to one role.
type agent struct {
	mesos.Offer
	ids   []mesos.OfferID
	place placement.Agent
	// ports are in use there by those whom the agent does not know of: agents that share an
	// address each offer all of its ports.
	ports resource.Ranges
	// draining says that an operator wants the agent to become empty.
	draining bool
	// barred says why nothing can run there, "" if all is well.
	barred string
}

// NewTable makes a table of offers. Offers of one agent to different roles cannot go into one
// ACCEPT, so they stay apart (Mesos: src/master/validation.cpp, validateAllocationRole).
func NewTable(offers []mesos.Offer) *Table {
	sorted := make([]*mesos.Offer, len(offers))
	for i := range offers {
		sorted[i] = &offers[i]
	}
	slices.SortFunc(sorted, func(a, b *mesos.Offer) int {
		return cmp.Or(cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Role, b.Role),
			cmp.Compare(a.ID, b.ID))
	})
	t := &Table{had: map[string][]amounts{}, agents: make([]*agent, 0, len(offers))}
	ids, agents := make([]mesos.OfferID, len(sorted)), make([]agent, len(sorted))
	for i, o := range sorted {
		ids[i] = o.ID
		if n := len(t.agents); n > 0 && t.agents[n-1].Agent == o.Agent &&
			t.agents[n-1].Role == o.Role {
			t.agents[n-1].join(o)
			t.agents[n-1].ids = ids[i-len(t.agents[n-1].ids) : i+1]
			continue
		}
		agents[i] = agent{Offer: *o, ids: ids[i : i+1], place: Place(*o)}
		t.agents = append(t.agents, &agents[i])
	}
	t.versions = make([]int, len(t.agents))
	return t
}

// join takes in another offer of the agent.
func (a *agent) join(o *mesos.Offer) {
	a.Resources = a.Resources.Add(o.Resources...)
	for _, e := range o.Executors {
		if !slices.Contains(a.Executors, e) {
			a.Executors = append(slices.Clip(a.Executors), e)
		}
	}
	if a.Unavailable == nil {
		a.Unavailable = o.Unavailable
	}
}

// match begins a match with what the agent offers.
func (a *agent) match() Match {
	return Match{Offer: a.ID, Offers: a.ids, Agent: a.Agent, Role: a.Role}
}

// Bundle is what is offered of one agent to one role; the ID of the offer is the lowest of IDs.
type Bundle struct {
	mesos.Offer
	IDs []mesos.OfferID
}

// Len is how many bundles there are, and Bundle gives one of them as it is now; they are sorted by
// the ids of their agents.
func (t *Table) Len() int { return len(t.agents) }

// Bundle gives the i-th bundle.
func (t *Table) Bundle(i int) Bundle { return t.agents[i].bundle() }

func (a *agent) bundle() Bundle { return Bundle{a.Offer, a.ids} }

// Of gives what there is now of one agent.
func (t *Table) Of(id mesos.AgentID) []Bundle {
	var out []Bundle
	for i := t.first(id); i < len(t.agents) && t.agents[i].Agent == id; i++ {
		out = append(out, t.agents[i].bundle())
	}
	return out
}

// Get gives what there is now of the agent and role of a match.
func (t *Table) Get(m Match) Bundle { return t.agents[t.index(m)].bundle() }

// index finds the agent of a match, which must be of this table.
func (t *Table) index(m Match) int {
	i := t.first(m.Agent)
	for t.agents[i].Role != m.Role {
		i++
	}
	return i
}

// first gives the index of the first entry of an agent, or of those after it.
func (t *Table) first(id mesos.AgentID) int { return firstOf(t.agents, id) }

func firstOf(agents []*agent, id mesos.AgentID) int {
	return sort.Search(len(agents), func(i int) bool { return agents[i].Agent >= id })
}

// at gives the entries of a host.
func (t *Table) at(host string) []int {
	if t.hosts == nil {
		t.hosts = make(map[string][]int, len(t.agents))
		for i, a := range t.agents {
			t.hosts[a.Hostname] = append(t.hosts[a.Hostname], i)
			if a.IP != a.Hostname {
				t.hosts[a.IP] = append(t.hosts[a.IP], i)
			}
		}
		delete(t.hosts, "")
	}
	return t.hosts[host]
}

// Occupy notes ports in use on a host, which is an agent's address or host name: no new place
// there gets them, although they may be offered. The agent by which they are in use, "" for none,
// knows of it: what it offers itself is free.
func (t *Table) Occupy(host string, ports resource.Ranges, by mesos.AgentID) {
	for _, i := range t.at(host) {
		now := *t.agents[i]
		if now.Agent == by && by != "" {
			continue
		}
		offered := portsIn(now.Resources).Intersect(ports)
		if !now.ports.Contains(offered) {
			now.ports = now.ports.Add(offered)
			t.replace(i, &now)
		}
	}
}

// Drain notes that an operator wants an agent to become empty: nothing new goes there.
func (t *Table) Drain(id mesos.AgentID) {
	for i := t.first(id); i < len(t.agents) && t.agents[i].Agent == id; i++ {
		now := *t.agents[i]
		now.draining = true
		t.replace(i, &now)
	}
}

// Bar notes why nothing of the service can run on an agent, unless that is "".
func (t *Table) Bar(id mesos.AgentID, why string) {
	for i := t.first(id); why != "" && i < len(t.agents) && t.agents[i].Agent == id; i++ {
		now := *t.agents[i]
		now.barred = why
		t.replace(i, &now)
	}
}

// Take takes from the table what a match of it uses, so that the next requirement is fitted into
// what remains. The peers of later ones are the caller's to count.
func (t *Table) Take(m Match) {
	i := t.index(m)
	now := *t.agents[i]
	now.Resources = m.Remaining
	t.replace(i, &now)
	//tidy:unordered each role by itself
	for role, had := range t.had {
		had[i] = offered(role, &now.Offer)
	}
	for _, s := range t.shapes {
		s.changed(t, i)
	}
}

// replace puts in what an agent has become.
func (t *Table) replace(i int, now *agent) {
	if t.lent {
		t.agents, t.lent = slices.Clone(t.agents), false
	}
	t.agents[i] = now
	t.taken++
	t.versions[i]++
}

// amounts gives what each agent has for new places of a role.
func (t *Table) amounts(role string) []amounts {
	had := t.had[role]
	if had == nil {
		had = make([]amounts, len(t.agents))
		for i, a := range t.agents {
			had[i] = offered(role, &a.Offer)
		}
		t.had[role] = had
	}
	return had
}

// Evaluate finds the best place for an instance among the offers, or tells why there is none.
// Exactly one of the results is set.
//
// An instance without a reservation may go wherever its rule and the resources allow. Of these
// places the one whose preferences weigh most is the best: an operator's wish goes before what is
// good by default, and who wants both writes a rule. Among equals what is best follows from what
// brokers want, which is not to fall together: the host with the fewest peers, then the zone
// with the fewest, then an agent without GPUs for who wants none, then the agent with the most
// room (how many times the instance would fit by its scarcest scalar: spread, not packed), then
// the lowest agent id. An agent with a maintenance window, or that is drained, gets nothing new.
//
// An instance with a reservation goes back to it, window or not, and nowhere else; what its
// sets want more is reserved there, what they want less is given back, and what one of them
// gives back another may have.
func (t *Table) Evaluate(req Requirement) (Match, *Refusal) {
	if req.Kept != nil {
		return t.returnToKept(&req)
	}
	s := t.shapeOf(&req)
	if s.refused != nil && s.refusedAt == t.taken && s.refusedWith == s.region.peers.Changes() {
		return Match{}, &Refusal{Pod: req.Pod, cause: s.refused}
	}
	if m, ok := t.best(s, &req); ok {
		return m, nil
	}
	r := t.refuse(&req)
	s.refused, s.refusedAt, s.refusedWith = r.cause, t.taken, s.region.peers.Changes()
	return Match{}, r
}

// best tries the agents that are not out of the question, the best first.
func (t *Table) best(s *shape, req *Requirement) (Match, bool) {
	first := s.best(t)
	if first < 0 {
		return Match{}, false
	}
	parts := req.parts()
	try := func(i int) (Match, bool) {
		m, reasons := req.place(parts, s.wants, t.agents[i])
		s.known[i].out = len(reasons) > 0
		return m, len(reasons) == 0
	}
	if m, ok := try(first); ok {
		return m, true
	}
	for _, i := range s.sorted(t) {
		if m, ok := try(i); ok {
			return m, true
		}
	}
	return Match{}, false
}
