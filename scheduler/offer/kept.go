package offer

import (
	"fmt"
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// returnToKept brings an instance back to the reservation that it holds.
//
// What it holds is taken from the offer, by the ids on it, and not from the record: an earlier
// change of it may have been lost on its way, and then this one mends it. Only when nothing is
// there under an id, or a volume is missing, is the offer refused: then something still runs
// on it, or the reservation is not what it should be.
func returnToKept(req *Requirement, offers []mesos.Offer) (Match, *Refusal) {
	candidates := make([]candidate, len(offers))
	var best *Match
	for i := range offers {
		o, c := &offers[i], &candidates[i]
		c.offer, c.reasons = o, otherAgent
		if o.Agent != req.Kept.Agent {
			continue
		}
		var match Match
		match, c.reasons = req.resume(o)
		if len(c.reasons) == 0 && (best == nil || o.ID < best.Offer) {
			best = &match
		}
	}
	if best != nil {
		return *best, nil
	}
	r := refusal(req, candidates)
	r.Kept, r.KeptHost = req.Kept.Agent, req.Kept.Hostname
	return Match{}, r
}

// otherAgent is what is wrong with every agent but the one of the reservation.
var otherAgent = []Reason{{Code: OtherAgent}}

// resume fits the instance into what it holds of one offer of its agent.
func (req *Requirement) resume(o *mesos.Offer) (Match, []Reason) {
	kept := req.Kept
	p := newPool(req, o)
	m := Match{Offer: o.ID, Agent: o.Agent, Executor: kept.Executor.WithoutRole()}
	parts := make([]SetNeed, 0, 1+len(req.Sets))
	if !kept.ExecutorRuns {
		parts = append(parts, SetNeed{Scalars: req.Executor, Volumes: req.Volumes})
	}
	parts = append(parts, req.Sets...)
	holdings := make([]holding, len(parts))
	for i := range parts {
		p.keep(&m, &holdings[i], &parts[i], kept.set(parts[i].Name), o)
	}
	p.takePorts(holdings, parts)
	for i := range parts {
		p.grow(&holdings[i], &parts[i])
	}
	if len(p.reasons) > 0 {
		return Match{}, p.reasons
	}
	m.Sets = kept.others(&m, req.Sets, o)
	for i := range parts {
		resources, ports := m.hold(req, parts[i].Name, &holdings[i])
		if parts[i].Name == "" {
			m.Executor = resources
			continue
		}
		m.Sets = append(m.Sets, SetResources{parts[i].Name, resources, ports})
	}
	slices.SortStableFunc(m.Sets, func(a, b SetResources) int {
		return kept.position(a.Name) - kept.position(b.Name)
	})
	var err error
	if m.Remaining, err = o.Resources.Sub(m.Used); err != nil {
		panic(fmt.Sprintf("returning %s took more than offer %s holds: %v", req.Pod, o.ID, err))
	}
	return m, nil
}

// set is what is on record of a set, "" being the executor's; it is empty for a new set.
func (k *Kept) set(name string) SetResources {
	if name == "" {
		return SetResources{Resources: k.Executor}
	}
	for _, s := range k.Sets {
		if s.Name == name {
			return s
		}
	}
	return SetResources{Name: name}
}

// position orders sets as they were, new ones last.
func (k *Kept) position(name string) int {
	for i := range k.Sets {
		if k.Sets[i].Name == name {
			return i
		}
	}
	return len(k.Sets)
}

// others are the sets that nothing is to be launched with, as they are; those that are to be
// dropped are freed if the offer has them.
func (k *Kept) others(m *Match, wanted []SetNeed, o *mesos.Offer) []SetResources {
	var out []SetResources
	for _, s := range k.Sets {
		if slices.ContainsFunc(wanted, func(n SetNeed) bool { return n.Name == s.Name }) {
			continue
		}
		if slices.Contains(k.Drop, s.Name) {
			if there, missing := present(o, s.Resources); len(missing) == 0 {
				m.giveBack(there)
				continue
			}
		}
		s.Resources = s.Resources.WithoutRole()
		out = append(out, s)
	}
	return out
}

// present gives what an offer holds under the ids of a list, and what is missing there.
func present(o *mesos.Offer, list resource.List) (resource.List, []Reason) {
	var there resource.List
	var missing []Reason
	seen := map[string]bool{}
	for _, r := range list {
		id := r.Label(resource.ResourceID)
		volume := r.DiskInfo().PersistenceID
		if seen[id] && volume == "" {
			continue
		}
		seen[id] = true
		found := o.Resources.Filter(func(x resource.Resource) bool {
			return x.Name == r.Name && x.Label(resource.ResourceID) == id &&
				x.DiskInfo().PersistenceID == volume
		})
		if len(found) == 0 {
			missing = append(missing, notReserved(r))
		}
		there = append(there, found...)
	}
	return there, missing
}

func notReserved(r resource.Resource) Reason {
	if id := r.DiskInfo().PersistenceID; id != "" {
		return Reason{Code: NotReserved, Name: id, Detail: "volume"}
	}
	return Reason{Code: NotReserved, Name: r.Name, Need: r.Scalar, Ports: r.Ranges}
}

// keep decides what a set keeps of what the offer holds for it, and what it gives back.
func (p *pool) keep(
	m *Match, h *holding, need *SetNeed, had SetResources, o *mesos.Offer,
) {
	there, missing := present(o, had.Resources)
	if len(missing) > 0 {
		p.reasons = append(p.reasons, missing...)
		return
	}
	var volumes []VolumeNeed
	for _, v := range need.Volumes {
		if !slices.ContainsFunc(there, func(r resource.Resource) bool {
			return r.DiskInfo().PersistenceID != "" && r.DiskInfo().ContainerPath == v.Volume.Path
		}) {
			volumes = append(volumes, v)
		}
	}
	h.ports = keptPorts(need.Ports, had.Ports)
	wanted := need.Scalars.amounts()
	for _, r := range there {
		stays, goes := split(r, need, h.ports, &wanted)
		if !stays.Empty() {
			h.kept = append(h.kept, stays)
		}
		if !goes.Empty() {
			m.giveBack(resource.List{goes})
		}
	}
	p.takeVolumes(h, volumes, false)
}

// split parts a held resource into what stays and what goes back; wanted is what is still to
// be had of each scalar, and becomes less by what stays.
func split(
	r resource.Resource, need *SetNeed, ports []PortUse, wanted *amounts,
) (stays, goes resource.Resource) {
	stays, goes = r, r
	switch {
	case r.DiskInfo().PersistenceID != "":
		path := r.DiskInfo().ContainerPath
		if slices.ContainsFunc(need.Volumes,
			func(v VolumeNeed) bool { return v.Volume.Path == path }) {
			return stays, resource.Resource{}
		}
		return resource.Resource{}, goes
	case r.Name == resource.Ports:
		var used resource.Ranges
		for _, p := range ports {
			if p.Number != 0 {
				n := uint64(p.Number)
				used = used.Add(resource.Ranges{{Begin: n, End: n}})
			}
		}
		stays.Ranges = r.Ranges.Intersect(used)
		goes.Ranges, _ = r.Ranges.Sub(stays.Ranges)
		return stays, goes
	}
	i := slices.Index(scalarNames[:], r.Name)
	if i < 0 {
		return resource.Resource{}, goes
	}
	stays.Scalar = min(r.Scalar, wanted[i])
	goes.Scalar = r.Scalar - stays.Scalar
	wanted[i] -= stays.Scalar
	return stays, goes
}

// keptPorts are the ports that a set has already and may keep, by the index of the port wanted;
// those that it is to get have the number 0.
func keptPorts(wanted []servicespec.Port, had []PortUse) []PortUse {
	ports := make([]PortUse, len(wanted))
	for i := range wanted {
		for _, h := range had {
			if h.Name == wanted[i].Name && within(&wanted[i]).Has(uint64(h.Number)) {
				ports[i] = h
			}
		}
	}
	return ports
}

// grow takes from what is free of the offer what a set wants beyond what it keeps.
func (p *pool) grow(h *holding, need *SetNeed) {
	wanted := need.Scalars.amounts()
	for i, name := range scalarNames {
		for _, r := range h.kept {
			if r.Name == name && r.DiskInfo().PersistenceID == "" {
				wanted[i] -= r.Scalar
			}
		}
		var free resource.Milli
		for k := range p.free {
			if p.free[k].Name == name && plain(&p.free[k]) {
				free += p.free[k].Scalar
			}
		}
		if free < wanted[i] {
			p.refuse(Reason{Code: Insufficient, Name: name, Need: wanted[i], Have: free})
		}
	}
	p.takeScalars(h, wanted)
}

// giveBack adds to what is destroyed and unreserved.
func (m *Match) giveBack(list resource.List) {
	m.Used = m.Used.Add(list...)
	m.Destroy = append(m.Destroy, list.Volumes()...)
	m.Unreserve = m.Unreserve.Add(list.WithoutVolumes()...)
}
