package offer

import (
	"cmp"
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// returnToKept brings an instance back to the reservation that it holds.
//
// What it holds is taken from the offer, by the ids on it, and not from the record: an earlier
// change of it may have been lost on its way, and then this one mends it. What is on record of
// a set tells only what must be there for the offer to do. That is anything at all, since a
// task has the whole set or nothing of it: as long as nothing is there, something still runs on
// it, and once something is, nobody will bring the rest - but where more was reserved beside what
// may still run, which has the same ids: there it is all of it. And it is every volume, because
// what has data is never replaced by something empty.
func (t *Table) returnToKept(req *Requirement) (Match, *Refusal) {
	for i := t.first(req.Kept.Agent); i < len(t.agents); i++ {
		if t.agents[i].Agent != req.Kept.Agent {
			break
		}
		if m, reasons := req.resume(t.agents[i]); len(reasons) == 0 {
			return m, nil
		}
	}
	r := t.refuse(req)
	r.Kept, r.KeptHost = req.Kept.Agent, req.Kept.Hostname
	return Match{}, r
}

// resume fits the instance into what it holds of what its agent offers, and into what is free
// there or becomes so. What is missing is told first, and then what else would be, were it
// there.
func (req *Requirement) resume(a *agent) (Match, []Reason) {
	kept, parts, o := req.Kept, req.parts(), &a.Offer
	if kept.ExecutorRuns {
		parts[0] = SetNeed{}
	}
	m := a.match()
	var goes, inUse resource.List
	m.Sets, goes = kept.others(req.Sets, o)
	holdings, fixed := make([]holding, len(parts)), fixedPorts(parts)
	var reasons []Reason
	own := portsIn(goes)
	for i := range parts {
		had := kept.record(parts, i)
		there, missing := kept.present(had, o)
		missing = missing.WithRole(o.Role)
		there = append(there, missing...)
		back := holdings[i].keep(&parts[i], had, there, fixed)
		if kept.Beside {
			inUse = append(inUse, missing...)
			holdings[i].kept = holdings[i].kept.Add(back...)
		} else {
			reasons = lacking(reasons, missing)
			goes = append(goes, back...)
		}
		own = own.Add(portsIn(there)).Add(portsIn(had.Resources))
	}
	if len(goes) > 0 {
		m.Destroy, m.Unreserve = goes.Volumes(), goes.WithoutVolumes()
	}
	p := newPool(req, a, o.Resources.Add(m.Unreserve.PopReservation()...))
	p.reasons = reasons
	p.taken, _ = p.taken.Sub(p.taken.Intersect(own))
	if p.fill(holdings, portWants(parts), "more"); len(p.reasons) > 0 {
		return Match{}, p.reasons
	}
	m.hold(req, parts, holdings)
	if kept.ExecutorRuns {
		m.Executor = kept.Executor.WithoutRole()
	}
	slices.SortStableFunc(m.Sets, func(a, b SetResources) int {
		return cmp.Compare(kept.position(a.Name), kept.position(b.Name))
	})
	m.Used, _ = m.Used.Sub(inUse) // it is no part of what is offered
	m.settle(req, o, goes)
	return m, nil
}

// record is what is on record of a part, the first of which is the executor; nothing of an
// executor that runs, nor of a new set.
func (k *Kept) record(parts []SetNeed, i int) SetResources {
	if i > 0 {
		if at := k.position(parts[i].Name); at < len(k.Sets) {
			return k.Sets[at]
		}
	} else if !k.ExecutorRuns {
		return SetResources{Resources: k.Executor}
	}
	return SetResources{}
}

// position orders sets as they were, new ones last.
func (k *Kept) position(name string) int {
	i := slices.IndexFunc(k.Sets, func(s SetResources) bool { return s.Name == name })
	if i < 0 {
		return len(k.Sets)
	}
	return i
}

// others are the sets that nothing is to be launched with, as they are; and what goes back of
// those that are to be dropped, if the offer has them.
func (k *Kept) others(wanted []SetNeed, o *mesos.Offer) (stay []SetResources, goes resource.List) {
	for _, s := range k.Sets {
		if slices.ContainsFunc(wanted, func(n SetNeed) bool { return n.Name == s.Name }) {
			continue
		}
		if slices.Contains(k.Drop, s.Name) && !k.Beside {
			there, missing := k.present(s, o)
			if len(there) > 0 || len(missing) == 0 {
				goes = append(goes, there...)
				continue
			}
		}
		s.Resources = s.Resources.WithoutRole()
		stay = append(stay, s)
	}
	return stay, goes
}

// present gives what an offer holds of a set, and what must be there and is missing.
func (k *Kept) present(s SetResources, o *mesos.Offer) (there, missing resource.List) {
	ids := map[string]bool{}
	for _, r := range s.Resources {
		if id := r.Label(resource.ResourceID); id != "" {
			ids[id] = true
		}
	}
	there = o.Resources.Filter(func(r resource.Resource) bool {
		return len(r.Reservations) > 0 && ids[r.Label(resource.ResourceID)]
	})
	if slices.Contains(k.Unseen, s.Name) {
		return there, nil
	}
	ended := len(there) > 0
	if slices.Contains(k.Doubted, s.Name) {
		ended = there.WithoutRole().WithoutVolumes().
			Contains(s.Resources.WithoutRole().WithoutVolumes())
	}
	missing = s.Resources.Filter(func(r resource.Resource) bool {
		volume := volumeOf(r)
		return volume == "" && !ended || volume != "" && !hasVolume(there, volume)
	})
	return there, missing
}

// volumeOf is the persistence id of a volume, "" of anything else.
func volumeOf(r resource.Resource) string { return r.DiskInfo().PersistenceID }

func hasVolume(l resource.List, id string) bool {
	return slices.ContainsFunc(l, func(r resource.Resource) bool { return volumeOf(r) == id })
}

// lacking adds what is missing to reasons: each volume, and the sum of anything else.
func lacking(reasons []Reason, missing resource.List) []Reason {
	for _, r := range missing {
		if id := volumeOf(r); id != "" {
			reasons = append(reasons, Reason{Code: NotReserved, Name: id, Detail: "volume"})
			continue
		}
		i := slices.IndexFunc(reasons, func(known Reason) bool {
			return known.Name == r.Name && known.Detail == ""
		})
		if i < 0 {
			i = len(reasons)
			reasons = append(reasons, Reason{Code: NotReserved, Name: r.Name})
		}
		reasons[i].Need += r.Scalar
		reasons[i].Ports = reasons[i].Ports.Add(r.Ranges)
	}
	return reasons
}

// keep decides what a set keeps of what is there for it, and what it is to get. The rest goes
// back: first that which is not of a role above ours, since others can use it too.
func (h *holding) keep(
	need *SetNeed, had SetResources, there resource.List, fixed resource.Ranges,
) (goes resource.List) {
	h.wanted = need.Scalars.amounts()
	h.ports = keptPorts(need.Ports, had.Ports, portsIn(there), fixed)
	slices.SortStableFunc(there, func(a, b resource.Resource) int {
		return cmp.Compare(len(b.Reservations), len(a.Reservations))
	})
	for _, r := range there {
		stays, back := h.split(r, need, had)
		if !stays.Empty() {
			h.kept = h.kept.Add(stays)
		}
		if !back.Empty() {
			goes = append(goes, back)
		}
	}
	for _, v := range need.Volumes {
		if !slices.ContainsFunc(h.kept, v.is) {
			h.volumes = append(h.volumes, v)
		}
	}
	return goes
}

// is says whether a resource is the volume at the path that is wanted.
func (n *VolumeNeed) is(r resource.Resource) bool {
	return volumeOf(r) != "" && r.DiskInfo().ContainerPath == n.Volume.Path
}

// split parts a resource of a set into what stays and what goes back.
func (h *holding) split(
	r resource.Resource, need *SetNeed, had SetResources,
) (stays, goes resource.Resource) {
	stays, goes = r, r
	scalar := slices.Index(scalarNames[:], r.Name)
	switch {
	case volumeOf(r) != "":
		if hasVolume(had.Resources, volumeOf(r)) && slices.ContainsFunc(need.Volumes,
			func(n VolumeNeed) bool { return n.is(r) }) {
			return stays, resource.Resource{}
		}
		return resource.Resource{}, goes
	case r.Name == resource.Ports:
		var used resource.Ranges
		for _, p := range h.ports {
			if p.Number != 0 {
				used = used.Add(onePort(p.Number))
			}
		}
		stays.Ranges = r.Ranges.Intersect(used)
		goes.Ranges, _ = r.Ranges.Sub(stays.Ranges)
		return stays, goes
	case scalar < 0 || !plain(&r):
		return resource.Resource{}, goes
	}
	stays.Scalar = min(r.Scalar, h.wanted[scalar])
	goes.Scalar -= stays.Scalar
	h.wanted[scalar] -= stays.Scalar
	return stays, goes
}

// keptPorts are the ports that a set has already and keeps, by the index of the port wanted;
// those that it is to get have the number 0. A fixed port is kept whatever it was called, a
// dynamic one if it had that name and is nobody's fixed port.
func keptPorts(
	wanted []servicespec.Port, had []PortUse, held, fixed resource.Ranges,
) []PortUse {
	if len(wanted) == 0 {
		return nil
	}
	ports := make([]PortUse, len(wanted))
	for i := range wanted {
		w := &wanted[i]
		number := w.Port
		if number == 0 {
			number = portNamed(had, w.Name)
			if fixed.Has(uint64(number)) || !within(w).Has(uint64(number)) {
				continue
			}
		}
		if rest, ok := held.Sub(onePort(number)); ok {
			held = rest
			ports[i] = PortUse{Name: w.Name, Number: number}
		}
	}
	return ports
}

// portNamed gives the number that a port has, 0 if there is none of that name.
func portNamed(ports []PortUse, name string) int {
	for _, p := range ports {
		if p.Name == name {
			return p.Number
		}
	}
	return 0
}
