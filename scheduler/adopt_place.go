package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// How what the predecessor reserved becomes places. Each of its resources has an id of its own, as
// ours have, so that a record of them is all that it takes for the instance to return to them; see
// docs/decisions.

// placeOf is where an instance lies, with all that any of its tasks holds.
func (a *adopting) placeOf(g group) *Place {
	last := g.tasks[len(g.tasks)-1].Info
	place := &Place{Agent: last.Agent,
		Hostname: labelOf(last.Labels, oldHostLabel),
		Domain: mesos.Domain{Region: labelOf(last.Labels, oldRegionLabel),
			Zone: labelOf(last.Labels, oldZoneLabel)},
		Attributes: oldAttributes(labelOf(last.Labels, oldAttrsLabel)),
		Reservation: mesos.ReservationID(offer.ResourceID(
			mesos.ReservationID(a.old.Framework), "adopted", g.name.String())),
	}
	if place.Hostname == "" {
		place.Hostname = string(place.Agent)
	}
	for _, t := range g.tasks {
		if t.Reached != nil {
			place.IP = t.Reached.IP
		}
		a.reserved(g.name, t.Name, t.Info.Executor.Resources)
		a.reserved(g.name, t.Name, t.Info.Resources)
		place.Executor = heldNow(place.Executor, t.Info.Executor.Resources)
		ts, known := a.specOf(g.name, t)
		set := ts.Resources.Name
		if !known {
			set = g.name.taskName(t.Name) + "-resource-set"
		}
		i := slices.IndexFunc(place.Sets,
			func(s offer.SetResources) bool { return s.Name == set })
		if i < 0 {
			i = len(place.Sets)
			place.Sets = append(place.Sets, offer.SetResources{Name: set})
		}
		place.Sets[i].Resources = heldNow(place.Sets[i].Resources, t.Info.Resources)
		place.Sets[i].Ports = a.ports(ts, t, place.Sets[i])
	}
	return place
}

// reserved refuses resources that could not be found again.
func (a *adopting) reserved(name PodName, task string, list resource.List) {
	for _, r := range list {
		var last resource.Reservation
		if n := len(r.Reservations); n > 0 {
			last = r.Reservations[n-1]
		}
		switch {
		case !last.Dynamic || r.Label(resource.ResourceID) == "":
			a.problem("%s: %s holds %s, which has no reservation with a resource_id", name, task, r)
		case r.Shared || r.Revocable || r.Provider != "":
			a.problem("%s: %s holds %s, which is shared, revocable or of a resource provider",
				name, task, r)
		case r.Label(labelFramework) != "" && r.Label(labelFramework) != string(a.old.Framework):
			a.problem("%s: %s holds %s, which is reserved for the framework %s", name, task, r,
				r.Label(labelFramework))
		}
	}
}

// heldNow joins what two tasks hold of one set: a resource that both have is as the later says.
func heldNow(held, later resource.List) resource.List {
	ids := resourceIDs(later)
	kept := held.Filter(func(r resource.Resource) bool {
		return !slices.Contains(ids, r.Label(resource.ResourceID))
	})
	return append(kept, later.WithoutRole()...)
}

// ports tells which port of a set is which: the predecessor announces them all by name, but for
// those without one in the announcement, which are fixed or in the environment.
func (a *adopting) ports(
	ts servicespec.Task, t PredecessorTask, set offer.SetResources,
) []offer.PortUse {
	held := portsOf(set.Resources)
	var uses []offer.PortUse
	for _, p := range ts.Resources.Ports {
		number := p.Port
		if d := t.Info.Discovery; d != nil {
			for _, said := range d.Ports {
				if said.Name == p.Name {
					number = said.Number
				}
			}
		}
		if number == 0 && len(ts.Resources.Ports) == 1 && len(held) == 1 &&
			held[0].Begin == held[0].End {
			number = int(held[0].Begin)
		}
		if number == 0 || !held.Has(uint64(number)) {
			if t.Info.ID != "" {
				a.notef("%s: which port is %s is not known; it gets another with its next launch",
					t.Name, p.Name)
			}
			continue
		}
		uses = append(uses, offer.PortUse{Name: p.Name, Number: number})
	}
	if len(uses) < len(set.Ports) {
		return set.Ports
	}
	return uses
}

func portsOf(list resource.List) resource.Ranges {
	var all resource.Ranges
	for _, r := range list {
		if r.Name == resource.Ports {
			all = all.Add(r.Ranges)
		}
	}
	return all
}

// oldAttributes reads "rack:rack-1;disk:ssd".
func oldAttributes(text string) []mesos.Attribute {
	var list []mesos.Attribute
	for part := range strings.SplitSeq(text, ";") {
		if name, value, ok := strings.Cut(part, ":"); ok {
			list = append(list, mesos.Attribute{Name: name, Value: value})
		}
	}
	return list
}

// compare tells in what an instance is not as the target wants it. What would cost a volume is a
// problem.
func (a *adopting) compare(p Pod) {
	pod := podSpec(a.hard.Target.Service, p.Name.Type)
	if pod == nil || p.Name.Index >= pod.Count {
		a.notef("%s is not wanted by the configuration: it is decommissioned, and its volumes %s "+
			"on %s are destroyed", p.Name, joinIDs(p.Place.volumes()),
			p.Place.Hostname)
		return
	}
	wanted := map[string]servicespec.Volume{}
	for _, v := range pod.Volumes {
		wanted["/"+v.Path] = v
	}
	seen := map[string]bool{}
	for _, ts := range pod.Tasks {
		set := ts.Resources
		if seen[set.Name] {
			continue
		}
		seen[set.Name] = true
		for _, v := range set.Volumes {
			wanted[set.Name+"/"+v.Path] = v
		}
		i := slices.IndexFunc(p.Place.Sets,
			func(s offer.SetResources) bool { return s.Name == set.Name })
		if i < 0 {
			a.notef("%s has nothing reserved for %s yet", p.Name, set.Name)
			continue
		}
		a.compareSet(p, set, p.Place.Sets[i])
	}
	a.compareVolumes(p, "", p.Place.Executor, wanted)
	for _, s := range p.Place.Sets {
		a.compareVolumes(p, s.Name, s.Resources, wanted)
	}
	for _, at := range slices.Sorted(maps.Keys(wanted)) {
		a.problem("%s has no volume at %s, and would get an empty one there", p.Name,
			wanted[at].Path)
	}
}

func (a *adopting) compareSet(p Pod, want servicespec.ResourceSet, has offer.SetResources) {
	for _, x := range []struct {
		name string
		want resource.Milli
	}{{resource.CPUs, want.CPUs}, {resource.GPUs, want.GPUs},
		{resource.Mem, want.Memory.Milli()}} {
		if got := has.Resources.Total(x.name); got != x.want {
			a.notef("%s has %s %s reserved for %s, and is to have %s from its next launch on",
				p.Name, got, x.name, has.Name, x.want)
		}
	}
	for _, port := range want.Ports {
		if port.Port != 0 && !portsOf(has.Resources).Has(uint64(port.Port)) {
			a.notef("%s does not hold the port %d (%s) that it is to have from its next launch on",
				p.Name, port.Port, port.Name)
		}
	}
}

// compareVolumes takes the volumes that are there out of those that are wanted.
func (a *adopting) compareVolumes(
	p Pod, set string, list resource.List, wanted map[string]servicespec.Volume,
) {
	for _, r := range list.Volumes() {
		d := r.DiskInfo()
		at := set + "/" + d.ContainerPath
		want, ok := wanted[at]
		delete(wanted, at)
		kind := d.Source
		if kind == "" {
			kind = "ROOT"
		}
		switch {
		case !ok:
			a.problem("%s holds the volume %s for %s, and the configuration has none there: its "+
				"data would be destroyed", p.Name, d.PersistenceID, d.ContainerPath)
		case want.Type != kind:
			a.problem("%s: the volume at %s is a %s one, and is to be a %s one", p.Name,
				d.ContainerPath, kind, want.Type)
		case want.Size.Milli() > r.Scalar:
			a.notef("%s: the volume at %s has %s, and the configuration says %s; it stays "+
				"as it is", p.Name, d.ContainerPath, mebibytes(r.Scalar),
				mebibytes(want.Size.Milli()))
		}
	}
}

func mebibytes(m resource.Milli) string { return fmt.Sprintf("%s MiB", m) }
