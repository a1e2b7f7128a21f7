package localmesos

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

// scheduleAllocation arranges that free resources are offered in the next batch.
// Batches are one offer interval apart; nothing runs while nothing changes.
func (c *Cluster) scheduleAllocation() {
	if c.allocTimer == nil && !c.cfg.Stepped {
		passed := time.Since(c.batchBase) % c.cfg.OfferInterval
		if passed < 0 {
			passed += c.cfg.OfferInterval
		}
		c.allocTimer = c.later(c.cfg.OfferInterval-passed, c.allocateNow)
	}
}

// allocateNow offers everything that is free: first what roles are guaranteed, then of each
// agent all the rest to the role with the smallest share that takes it. What is reserved goes to
// its own role.
func (c *Cluster) allocateNow() {
	c.allocTimer.cancel()
	c.allocTimer = nil
	if c.closing {
		return
	}
	r := &round{cluster: c, wanting: c.candidates(),
		batch: map[*framework][]*offer{}, given: map[given]*offer{}}
	if c.guarantees() {
		r.share(c.guaranteed)
	}
	r.share(c.spare)
	for _, id := range sortedKeys(c.frameworks) {
		if f := c.frameworks[id]; len(r.batch[f]) > 0 {
			ev := &scheduler.Event{Type: scheduler.Event_OFFERS, Offers: &scheduler.Event_Offers{}}
			for _, o := range r.batch[f] {
				ev.Offers.Offers = append(ev.Offers.Offers, c.offerFor(o))
			}
			c.toFramework(f, ev)
		}
	}
	c.askBack()
}

// offerable tells whether anything of an agent may be offered.
func (a *agentNode) offerable() bool { return a.active() && a.out == nil && !a.Deactivated }

// free is what is neither used nor offered. It is nothing while executors that
// died before a restart hold more than an agent that was made smaller has.
func (c *Cluster) free(a *agentNode) []mesos.Resource {
	if a.freeKnown {
		return slices.Clone(a.rest)
	}
	a.rest, a.freeKnown = nil, true
	rest, ok := minus(a.total(), unallocate(c.used(a)))
	if !ok {
		return nil
	}
	rest, ok = minus(rest, unallocate(c.offered(a)))
	if !ok {
		panic("more is offered of agent " + a.Name + " than is free")
	}
	a.rest = rest
	return slices.Clone(rest)
}

// offerTo makes an offer of the part of an agent's free resources that a role may have.
func (c *Cluster) offerTo(
	f *framework, role string, a *agentNode, part func(string, []mesos.Resource) []mesos.Resource,
) *offer {
	rs := slices.DeleteFunc(c.free(a), func(r mesos.Resource) bool {
		return !allocatableTo(&r, role)
	})
	if !f.can(mesos.FrameworkInfo_Capability_RESERVATION_REFINEMENT) {
		rs = slices.DeleteFunc(rs, func(r mesos.Resource) bool { return len(r.Reservations) > 1 })
	}
	if c.tooFar(f, a) || !f.constraints.admit(role, a) ||
		a.hasGPUs() && !f.can(mesos.FrameworkInfo_Capability_GPU_RESOURCES) {
		return nil
	}
	rs = part(role, rs)
	if !c.allocatable(f, role, rs) || f.refuses(a, role, rs) {
		return nil
	}
	return &offer{framework: f, agent: a, role: role, resources: allocate(sortForOffer(rs), role)}
}

// sendOut makes a new offer known.
func (c *Cluster) sendOut(o *offer) {
	o.id, o.seq = c.newOfferID(), uint64(c.nextOffer)
	c.addOffer(o)
	c.allocations[o.role]++
	o.framework.allocations++
	if t := c.cfg.OfferTimeout; t > 0 {
		o.timeout = c.later(t, func() { c.removeOffer(o, true) })
	}
}

// tooFar tells whether an agent is in another region than the master, which only
// frameworks can use that say so.
func (c *Cluster) tooFar(f *framework, a *agentNode) bool {
	return c.cfg.Region != "" && a.cfg.Region != "" && a.cfg.Region != c.cfg.Region &&
		!f.can(mesos.FrameworkInfo_Capability_REGION_AWARE)
}

func (c *Cluster) newOfferID() string {
	c.nextOffer++
	return fmt.Sprintf("%s-O%d", c.masterID, c.nextOffer-1)
}

// allocatable applies the minimum below which nothing is offered.
func (c *Cluster) allocatable(f *framework, role string, rs []mesos.Resource) bool {
	filter := f.Info.V.OfferFilters[role].MinAllocatableResources
	if filter == nil {
		return enough(c.minAllocatable, rs)
	}
	var alternatives []map[string]milli
	for _, q := range filter.Quantities {
		wanted := map[string]milli{}
		for name, v := range q.Quantities {
			wanted[name] = milliOf(v.Value)
		}
		alternatives = append(alternatives, wanted)
	}
	return enough(alternatives, rs)
}

// enough tells whether resources have all of one of the alternatives.
func enough(alternatives []map[string]milli, rs []mesos.Resource) bool {
	for _, wanted := range alternatives {
		short := false
		for name, v := range wanted {
			short = short || scalarSum(rs, name) < v
		}
		if !short {
			return true
		}
	}
	return len(alternatives) == 0 && len(rs) > 0
}

// minAllocatable reads the flag of that name.
func minAllocatable(flag string) ([]map[string]milli, error) {
	var out []map[string]milli
	for alternative := range strings.SplitSeq(flag, "|") {
		values, err := parseFlag(alternative)
		if err != nil {
			return nil, err
		}
		wanted := map[string]milli{}
		for _, v := range values {
			if v.scalar == nil {
				return nil, fmt.Errorf("the amount of %s is no number", v.name)
			}
			wanted[v.name] = milliOf(*v.scalar)
		}
		out = append(out, wanted)
	}
	return out, nil
}

// refuses tells whether the framework has declined all of this not long ago.
func (f *framework) refuses(a *agentNode, role string, rs []mesos.Resource) bool {
	return slices.ContainsFunc(f.filters[a], func(fl *filter) bool {
		return fl.role == role && containsAll(fl.resources, rs)
	})
}

// refuse keeps declined resources from the framework for a while.
func (c *Cluster) refuse(f *framework, o *offer, rs []mesos.Resource, filters *mesos.Filters) {
	d := 5.0
	if filters != nil && filters.RefuseSeconds != nil {
		d = filters.GetRefuseSeconds()
	}
	c.scheduleAllocation()
	if d <= 0 || len(rs) == 0 {
		return
	}
	d = min(d, 365*24*3600)
	fl := &filter{role: o.role, resources: unallocate(rs)}
	f.setFilters(o.agent, append(f.filters[o.agent], fl))
	fl.expiry = c.later(time.Duration(d*float64(time.Second)), func() {
		f.setFilters(o.agent, slices.DeleteFunc(f.filters[o.agent], func(x *filter) bool {
			return x == fl
		}))
		c.scheduleAllocation()
	})
}

func (f *framework) setFilters(a *agentNode, filters []*filter) {
	if f.filters == nil {
		f.filters = map[*agentNode][]*filter{}
	}
	f.filters[a] = filters
	if len(filters) == 0 {
		delete(f.filters, a)
	}
}

// clearFilters forgets what a framework declined, for the given roles.
func (f *framework) clearFilters(roles []string) {
	for a, filters := range f.filters {
		f.setFilters(a, slices.DeleteFunc(filters, func(x *filter) bool {
			if !slices.Contains(roles, x.role) {
				return false
			}
			x.expiry.cancel()
			return true
		}))
	}
}

// forgetFilters forgets what frameworks declined of an agent that the master removes.
func (c *Cluster) forgetFilters(a *agentNode) {
	for _, f := range c.frameworks {
		for _, x := range f.filters[a] {
			x.expiry.cancel()
		}
		f.setFilters(a, nil)
	}
}

// removeOffer takes an offer back; rescind tells the framework.
func (c *Cluster) removeOffer(o *offer, rescind bool) {
	c.forgetOffer(o)
	if rescind {
		c.toFramework(o.framework, &scheduler.Event{Type: scheduler.Event_RESCIND,
			Rescind: &scheduler.Event_Rescind{OfferID: mesos.OfferID{Value: o.id}}})
	}
	c.scheduleAllocation()
}

// removeOffers takes back all offers that match.
func (c *Cluster) removeOffers(rescind bool, match func(*offer) bool) {
	for _, id := range sortedKeys(c.offers) {
		if o := c.offers[id]; match(o) {
			c.removeOffer(o, rescind)
		}
	}
}

// offerFor writes an offer in the words that its framework understands.
func (c *Cluster) offerFor(o *offer) mesos.Offer {
	a, f := o.agent, o.framework
	out := mesos.Offer{
		ID:          mesos.OfferID{Value: o.id},
		FrameworkID: mesos.FrameworkID{Value: f.id},
		AgentID:     mesos.AgentID{Value: a.id},
		Hostname:    a.cfg.Hostname,
		URL:         a.url(), Unavailability: c.unavailability(a),
		Domain: a.cfg.domain(), Attributes: a.cfg.attributes(),
		Resources:      cloneResources(o.resources),
		AllocationInfo: &mesos.Resource_AllocationInfo{Role: &o.role},
	}
	for _, e := range sortedExecutors(a) {
		if e.Framework == f.id && !e.Generated {
			out.ExecutorIDs = append(out.ExecutorIDs, e.Info.V.ExecutorID)
		}
	}
	if !f.can(mesos.FrameworkInfo_Capability_RESERVATION_REFINEMENT) {
		out.Resources = downgrade(out.Resources)
	}
	if !f.can(mesos.FrameworkInfo_Capability_MULTI_ROLE) {
		out.AllocationInfo, out.Resources = nil, unallocate(out.Resources)
	}
	return out
}

func (c *Cluster) masterInfo() *mesos.MasterInfo {
	info := &mesos.MasterInfo{
		ID: c.masterID, Port: ptr(uint32(c.port)), PID: ptr("master@" + c.masterAddr()),
		Hostname: &c.ip, Version: ptr(mesosVersion),
		Address: &mesos.Address{Hostname: &c.ip, IP: &c.ip, Port: int32(c.port)},
		Capabilities: []mesos.MasterInfo_Capability{
			{Type: mesos.MasterInfo_Capability_AGENT_UPDATE},
			{Type: mesos.MasterInfo_Capability_AGENT_DRAINING}, {Type: quotaV2}},
		Domain: domainOf(c.cfg.Region, c.cfg.Zone),
	}
	if ip := net.ParseIP(c.ip).To4(); ip != nil {
		info.IP = uint32(ip[0]) | uint32(ip[1])<<8 | uint32(ip[2])<<16 | uint32(ip[3])<<24
	}
	return info
}

// mesosVersion is the version of the API that is spoken.
const mesosVersion = "1.11.0"
