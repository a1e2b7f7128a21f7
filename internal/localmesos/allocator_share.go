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
// that was made fewer offers is first.
func (x *candidates) sort() {
	if len(x.list) < 2 {
		return
	}
	slices.SortStableFunc(x.list, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(x.share(a)/a.weight, x.share(b)/b.weight),
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
