package localmesos

import (
	"cmp"
	"slices"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
)

// amounts are the scalars that shares are made of.
type amounts [3]milli

var sharedScalars = [len(amounts{})]string{"cpus", "mem", "disk"}

func (x *amounts) add(rs []mesos.Resource) {
	for i, name := range sharedScalars {
		x[i] += scalarSum(rs, name)
	}
}

// candidate is a role of a framework that wants offers.
type candidate struct {
	framework *framework
	role      string
	held      amounts
	weight    float64
}

// candidates are those who want offers. With one there is nothing to share, and nothing is
// counted.
type candidates struct {
	list  []*candidate
	total amounts
	// offered is how many offers were made to roles.
	offered map[string]int
}

func (c *Cluster) candidates() *candidates {
	out := &candidates{offered: c.allocations}
	for _, id := range sortedKeys(c.frameworks) {
		f := c.frameworks[id]
		if f.Completed || !f.connected() {
			continue
		}
		for _, role := range rolesOf(&f.Info.V) {
			if !f.Suppressed[role] {
				out.list = append(out.list, &candidate{framework: f, role: role,
					weight: c.weight(role)})
			}
		}
	}
	if len(out.list) > 1 {
		c.countShares(out)
	}
	return out
}

// countShares counts what there is and what the candidates hold of it.
func (c *Cluster) countShares(out *candidates) {
	for _, a := range c.agents {
		if !a.active() {
			continue
		}
		out.total.add(a.total())
		for _, e := range a.executors {
			out.hold(e.Framework, e.resources())
		}
	}
	for _, t := range c.tasks {
		if !t.terminal() {
			out.hold(t.Framework, t.Info.V.Resources)
		}
	}
	for _, o := range c.offers {
		out.hold(o.framework.id, o.resources)
	}
}

func (x *candidates) hold(framework string, rs []mesos.Resource) {
	for _, w := range x.list {
		if w.framework.id == framework {
			w.holds(rs)
		}
	}
}

// holds adds what is allocated to the candidate's role.
func (w *candidate) holds(rs []mesos.Resource) {
	for i := range rs {
		if rs[i].GetAllocationInfo().GetRole() == w.role {
			w.held.add(rs[i : i+1])
		}
	}
}

// sort puts those first who have the smallest dominant share: the largest of the parts of all
// cpus, memory and disk, divided by the weight of the role. Of those with the same share the one
// that was drawn is first, then the one that was made fewer offers.
func (x *candidates) sort(drawn []Lot) {
	if len(x.list) < 2 {
		return
	}
	slices.SortStableFunc(x.list, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(x.share(a)/a.weight, x.share(b)/b.weight),
			cmp.Compare(a.place(drawn), b.place(drawn)),
			cmp.Compare(x.offered[a.role], x.offered[b.role]),
			cmp.Compare(a.framework.allocations, b.framework.allocations))
	})
}

func (x *candidates) share(w *candidate) float64 {
	share := 0.0
	for i, all := range x.total {
		if all > 0 {
			share = max(share, float64(w.held[i])/float64(all))
		}
	}
	return share
}

// Lot is who was given something of an agent; no framework is any.
type Lot struct{ Framework, Role string }

func (l Lot) is(w *candidate) bool {
	return l.Role == w.role && (l.Framework == "" || l.Framework == w.framework.id)
}

// Draw says, by the ids of agents, who was given something of each in a round, and in which
// order to go over the agents. What is chance with a real allocator, that order and who comes
// first of those with the same share, then falls so that it comes to the same, as far as that is
// possible. Replays of recordings use it.
func (c *Cluster) Draw(order []string, lots map[string][]Lot) {
	c.post(func() { c.lots, c.turns = lots, order })
}

// place is where a candidate was drawn, behind all if it was not.
func (w *candidate) place(drawn []Lot) int {
	for i, l := range drawn {
		if l.is(w) {
			return i
		}
	}
	return len(drawn)
}

// round is one round of the allocator.
type round struct {
	cluster *Cluster
	wanting *candidates
	batch   map[*framework][]*offer
	given   map[given]*offer // the same offers, of which there may be ten thousand
}

// given is what there is one offer of in a round.
type given struct {
	framework *framework
	agent     *agentNode
	role      string
}

// share goes over the agents once, each with all who want offers.
func (r *round) share(part func(string, []mesos.Resource) []mesos.Resource) {
	agents := slices.DeleteFunc(slices.Clone(r.cluster.agents), func(a *agentNode) bool {
		return !a.offerable()
	})
	if turns := r.cluster.turns; len(turns) > 0 {
		slices.SortStableFunc(agents, func(x, y *agentNode) int {
			return cmp.Compare(slices.Index(turns, x.id), slices.Index(turns, y.id))
		})
	}
	for len(agents) > 0 {
		i := r.next(agents, part)
		a := agents[i]
		if i == 0 {
			agents = agents[1:]
		} else {
			agents = slices.Delete(agents, i, i+1)
		}
		r.wanting.sort(r.cluster.lots[a.id])
		for _, w := range r.wanting.list {
			if o := r.cluster.offerTo(w.framework, w.role, a, part); o != nil {
				r.give(o)
				w.holds(o.resources)
			}
		}
	}
}

// next is the agent whose turn it is: the first, unless another was drawn.
func (r *round) next(
	agents []*agentNode, part func(string, []mesos.Resource) []mesos.Resource,
) int {
	if len(r.cluster.lots) == 0 {
		return 0
	}
	for i, a := range agents {
		drawn := r.cluster.lots[a.id]
		r.wanting.sort(drawn)
		for _, w := range r.wanting.list {
			if r.cluster.offerTo(w.framework, w.role, a, part) == nil {
				continue
			}
			if w.place(drawn) < len(drawn) {
				return i
			}
			break
		}
	}
	return 0
}

// give adds an offer to the round, to what the same role got of the agent if it did.
func (r *round) give(o *offer) {
	of := given{o.framework, o.agent, o.role}
	if have := r.given[of]; have != nil {
		have.resources = sortForOffer(plus(have.resources, o.resources))
		o.agent.touch()
		return
	}
	r.cluster.sendOut(o)
	r.given[of] = o
	r.batch[o.framework] = append(r.batch[o.framework], o)
}
