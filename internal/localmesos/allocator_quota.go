package localmesos

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/quota"
)

// What quotas do to offers: what a role is guaranteed comes first, nothing goes beyond a limit,
// and of the rest as much stays free as roles are still owed.

// quotaOf is the quota of the tree of roles that a role is in; only its top can have one.
func (c *Cluster) quotaOf(role string) quota.QuotaConfig {
	top, _, _ := strings.Cut(role, "/")
	return c.shares.Quotas[top].V
}

// guarantees tells whether any role was guaranteed anything.
func (c *Cluster) guarantees() bool {
	for _, q := range c.shares.Quotas {
		if len(q.V.Guarantees) > 0 {
			return true
		}
	}
	return false
}

// rescindForQuota takes offers back as far as limits need it, or guarantees of others.
func (c *Cluster) rescindForQuota(configs []quota.QuotaConfig) {
	for _, q := range configs {
		over := func() bool {
			held := c.heldBy(q.Role)
			for _, name := range sortedKeys(q.Limits) {
				if scalarSum(held, name) > milliOf(q.Limits[name].Value) {
					return true
				}
			}
			return false
		}
		for _, o := range newestFirst(slices.Collect(maps.Values(c.offers))) {
			if inTree(o.role, q.Role) && over() {
				c.removeOffer(o, true)
			}
		}
		c.rescindForGuarantees(&q)
	}
	c.scheduleAllocation()
}

// rescindForGuarantees takes offers of others back until they hold what is guaranteed. Which
// ones is chance with Mesos; these are the largest of the agents that came last.
func (c *Cluster) rescindForGuarantees(q *quota.QuotaConfig) {
	missing := amountsOf(q.Guarantees)
	size := func(o *offer) (sum milli) {
		for name := range q.Guarantees {
			sum += scalarSum(o.resources, name)
		}
		return sum
	}
	for _, a := range slices.Backward(c.agents) {
		offers := newestFirst(c.offersOf(a))
		slices.SortStableFunc(offers, func(x, y *offer) int {
			return cmp.Compare(size(y), size(x))
		})
		for _, o := range offers {
			if !positive(missing) {
				return
			}
			if inTree(o.role, q.Role) {
				continue
			}
			for name := range missing {
				missing[name] -= scalarSum(o.resources, name)
			}
			c.removeOffer(o, true)
		}
	}
}

func newestFirst(offers []*offer) []*offer {
	slices.SortFunc(offers, func(x, y *offer) int { return compareUint(y.seq, x.seq) })
	return offers
}

func amountsOf(values map[string]mesos.Value_Scalar) map[string]milli {
	out := map[string]milli{}
	for name, v := range values {
		out[name] = milliOf(v.Value)
	}
	return out
}

func positive(amounts map[string]milli) bool {
	for _, v := range amounts {
		if v > 0 {
			return true
		}
	}
	return false
}

// inTree tells whether a role is another one or below it.
func inTree(role, top string) bool { return role == top || strings.HasPrefix(role, top+"/") }

// heldBy is what is used by or offered to a role and those below it.
func (c *Cluster) heldBy(role string) []mesos.Resource {
	var held []mesos.Resource
	for _, a := range c.agents {
		for _, r := range append(c.used(a), c.offered(a)...) {
			if inTree(r.GetAllocationInfo().GetRole(), role) {
				held = append(held, r)
			}
		}
	}
	return held
}

// left is what of the given amounts a role does not hold.
func (c *Cluster) left(role string, of map[string]mesos.Value_Scalar) map[string]milli {
	if len(of) == 0 {
		return nil
	}
	out, held := amountsOf(of), c.heldBy(role)
	for name, v := range out {
		out[name] = max(0, v-scalarSum(held, name))
	}
	return out
}

// cut reduces unreserved scalars to the given amounts; those that are not named stay.
func cut(rs []mesos.Resource, to map[string]milli) []mesos.Resource {
	if len(to) == 0 {
		return rs
	}
	out := cloneResources(rs)
	for i := range out {
		r := &out[i]
		rest, limited := to[r.Name]
		if !limited || r.GetType() != mesos.SCALAR || len(r.Reservations) > 0 {
			continue
		}
		amount := min(rest, milliOf(r.Scalar.Value))
		to[r.Name] -= amount
		r.Scalar.Value = amount.float()
	}
	return slices.DeleteFunc(out, func(r mesos.Resource) bool { return isEmptyResource(&r) })
}

// withinLimits cuts unreserved resources to what a role may still have.
func (c *Cluster) withinLimits(role string, rs []mesos.Resource) []mesos.Resource {
	q := c.quotaOf(role)
	return cut(rs, c.left(q.Role, q.Limits))
}

// guaranteed is the part of resources that a role is owed, with all of what it was given no
// number for; nothing if it is owed nothing of it.
func (c *Cluster) guaranteed(role string, rs []mesos.Resource) []mesos.Resource {
	q := c.quotaOf(role)
	owed := c.left(q.Role, q.Guarantees)
	part := c.withinLimits(role, cut(rs, owed))
	for name := range q.Guarantees {
		if scalarSum(part, name) > 0 {
			return part
		}
	}
	return nil
}

// spare is the part of resources that a role may have without touching what others are owed.
func (c *Cluster) spare(role string, rs []mesos.Resource) []mesos.Resource {
	rs = c.withinLimits(role, rs)
	if !c.guarantees() {
		return rs
	}
	surplus := map[string]milli{}
	for _, top := range sortedKeys(c.shares.Quotas) {
		owed := c.left(top, c.shares.Quotas[top].V.Guarantees)
		for name, v := range owed {
			surplus[name] -= v
		}
	}
	for name := range surplus {
		for _, a := range c.agents {
			if a.offerable() {
				surplus[name] += scalarSum(unreserved(c.free(a)), name)
			}
		}
		surplus[name] = max(0, surplus[name])
	}
	return cut(rs, surplus)
}

func unreserved(rs []mesos.Resource) []mesos.Resource {
	return slices.DeleteFunc(rs, func(r mesos.Resource) bool { return len(r.Reservations) > 0 })
}
