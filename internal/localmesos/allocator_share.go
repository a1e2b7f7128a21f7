package localmesos

import (
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
}

// candidates are those who want offers. With one there is nothing to share, and nothing is
// counted.
type candidates struct {
	list  []*candidate
	total amounts
}

func (c *Cluster) candidates() *candidates {
	out := &candidates{}
	for _, id := range sortedKeys(c.frameworks) {
		f := c.frameworks[id]
		if f.Completed || !f.connected() {
			continue
		}
		for _, role := range rolesOf(&f.Info.V) {
			if !f.Suppressed[role] {
				out.list = append(out.list, &candidate{framework: f, role: role})
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
			out.hold(e.Framework, e.Info.V.Resources)
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
// cpus, memory and disk.
func (x *candidates) sort() {
	if len(x.list) < 2 {
		return
	}
	slices.SortStableFunc(x.list, func(a, b *candidate) int {
		left, right := x.share(a), x.share(b)
		switch {
		case left < right:
			return -1
		case left > right:
			return 1
		}
		return 0
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
