package scheduler

import (
	"maps"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// LooseReservations are what an agent has reserved for the predecessor and no task tells of.
type LooseReservations struct {
	Agent     mesos.SeenAgent
	Resources resource.List
}

// loose finds the instances that loose reservations are of: first what those have that are known,
// then instances of which nothing but this is left. They have no names on them, so it goes by what
// the target wants: the same amounts, ports, and paths of volumes.
func (a *adopting) loose(s servicespec.Service) {
	rest := map[mesos.AgentID]resource.List{}
	for _, l := range a.old.Loose {
		rest[l.Agent.ID] = l.Resources
	}
	for _, name := range slices.SortedFunc(maps.Keys(a.hard.Pods), PodName.compare) {
		if pod := podSpec(s, name.Type); pod != nil {
			p := a.hard.Pods[name]
			rest[p.Place.Agent] = a.complete(&p, *pod, rest[p.Place.Agent])
			a.hard.Pods[name] = p
		}
	}
	for i := range s.Pods {
		a.unnamed(&s.Pods[i], rest)
	}
	for _, l := range a.old.Loose {
		for _, r := range rest[l.Agent.ID] {
			if a.old.Orphaned {
				a.notef("on %s %s is of no instance that the spec describes; it stays reserved",
					l.Agent.Hostname, r)
				continue
			}
			a.problem("on %s %s is of no instance that the spec describes, and would be freed; "+
				"free it yourself, or name the spec that it is of", l.Agent.Hostname, r)
		}
	}
}

// complete gives an instance the sets, and the share of its executor, that no task told of.
func (a *adopting) complete(p *Pod, pod servicespec.Pod, list resource.List) resource.List {
	place := *p.Place
	place.Sets = slices.Clone(place.Sets)
	if len(place.Executor) == 0 {
		if got, rest, ok := claimExecutor(list, pod); ok {
			place.Executor, list = got, rest
		}
	}
	for _, ts := range pod.Tasks {
		if slices.ContainsFunc(place.Sets,
			func(s offer.SetResources) bool { return s.Name == ts.Resources.Name }) {
			continue
		}
		if set, rest, ok := claimSet(list, ts.Resources); ok {
			place.Sets, list = append(place.Sets, set), rest
		}
	}
	p.Place = &place
	return list
}

// unnamed makes instances of a pod of what is reserved on agents: one an agent.
func (a *adopting) unnamed(pod *servicespec.Pod, rest map[mesos.AgentID]resource.List) {
	var missing []PodName
	for i := range pod.Count {
		if name := (PodName{pod.Type, i}); a.hard.Pods[name].Place == nil {
			missing = append(missing, name)
		}
	}
	var places []*Place
	for _, l := range a.old.Loose {
		if place, left, ok := claimPod(rest[l.Agent.ID], *pod); ok {
			place.Agent, place.Hostname, place.IP = l.Agent.ID, l.Agent.Hostname, l.Agent.IP
			place.Domain, place.Attributes = l.Agent.Domain, l.Agent.Attributes
			rest[l.Agent.ID] = left
			places = append(places, place)
		}
	}
	for _, place := range places {
		name, known := a.nameOf(place, missing, len(places))
		if !known {
			a.problem("on %s everything is reserved for one of %s, and nothing says which: say "+
				"--adopt-pod %s=%s, if it is that", place.Hostname, joinNames(missing),
				cmpName(missing, pod.Type), place.Hostname)
			continue
		}
		place.Confirmed = true
		place.Reservation = mesos.ReservationID(offer.ResourceID(mesos.ReservationID(
			resourceIDs(placeResources(*place))[0]), "adopted", name.String()))
		p := Pod{Name: name, Incarnation: 1, Place: place, Ran: true}
		a.hard.Pods[name] = p.listing(*pod)
		missing = slices.DeleteFunc(missing, func(n PodName) bool { return n == name })
	}
}

// nameOf says which instance a place is of: the one that was named for its host, or the only one
// that there is.
func (a *adopting) nameOf(place *Place, missing []PodName, places int) (PodName, bool) {
	for _, name := range missing {
		if a.old.Hosts[name.String()] == place.Hostname {
			return name, true
		}
	}
	if len(missing) == 1 && places == 1 {
		return missing[0], true
	}
	return PodName{}, false
}

func joinNames(names []PodName) string {
	text := make([]string, len(names))
	for i, n := range names {
		text[i] = n.String()
	}
	return strings.Join(text, ", ")
}

func cmpName(names []PodName, kind string) string {
	if len(names) == 0 {
		return kind + "-0"
	}
	return names[0].String()
}

// claimPod takes what an instance of a pod holds out of a list.
func claimPod(
	list resource.List, pod servicespec.Pod,
) (place *Place, rest resource.List, ok bool) {
	place = &Place{}
	if place.Executor, rest, ok = claimExecutor(list, pod); !ok {
		return nil, list, false
	}
	seen := map[string]bool{}
	for _, ts := range pod.Tasks {
		if seen[ts.Resources.Name] {
			continue
		}
		seen[ts.Resources.Name] = true
		var set offer.SetResources
		if set, rest, ok = claimSet(rest, ts.Resources); !ok {
			return nil, list, false
		}
		place.Sets = append(place.Sets, set)
	}
	return place, rest, true
}

func claimExecutor(
	list resource.List, pod servicespec.Pod,
) (got, rest resource.List, ok bool) {
	c := claim{rest: list}
	c.scalar(resource.CPUs, executorNeed.CPUs)
	c.scalar(resource.Mem, executorNeed.Mem.Milli())
	c.scalar(resource.Disk, executorNeed.Disk.Milli())
	c.volumes(pod.Volumes)
	return c.got, c.rest, !c.failed
}

// claimSet takes a resource set out of a list. The dynamic ports come in the order in which they
// are there, which is that of the set.
func claimSet(
	list resource.List, set servicespec.ResourceSet,
) (offer.SetResources, resource.List, bool) {
	c := claim{rest: list}
	c.scalar(resource.CPUs, set.CPUs)
	c.scalar(resource.GPUs, set.GPUs)
	c.scalar(resource.Mem, set.Memory.Milli())
	c.volumes(set.Volumes)
	uses := make([]offer.PortUse, len(set.Ports))
	for _, fixed := range []bool{true, false} {
		for i, p := range set.Ports {
			if (p.Port != 0) == fixed {
				uses[i] = offer.PortUse{Name: p.Name, Number: c.port(uint64(p.Port))}
			}
		}
	}
	return offer.SetResources{Name: set.Name, Resources: c.got, Ports: slices.Clip(uses)},
		c.rest, !c.failed
}

// claim takes resources out of a list one by one.
type claim struct {
	got, rest resource.List
	failed    bool
}

func (c *claim) take(what func(resource.Resource) bool) resource.Resource {
	i := slices.IndexFunc(c.rest, what)
	if i < 0 {
		c.failed = true
		return resource.Resource{}
	}
	r := c.rest[i]
	c.got, c.rest = append(c.got, r), slices.Concat(c.rest[:i], c.rest[i+1:])
	return r
}

func (c *claim) scalar(name string, amount resource.Milli) {
	if amount > 0 {
		c.take(func(r resource.Resource) bool {
			return r.Name == name && r.Scalar == amount && r.Disk == nil
		})
	}
}

func (c *claim) volumes(want []servicespec.Volume) {
	for _, v := range want {
		c.take(func(r resource.Resource) bool {
			return r.DiskInfo().PersistenceID != "" && r.DiskInfo().ContainerPath == v.Path &&
				r.Scalar >= v.Size.Milli()
		})
	}
}

// port takes the resource of one port, any if the number is 0.
func (c *claim) port(number uint64) int {
	r := c.take(func(r resource.Resource) bool {
		return r.Name == resource.Ports && len(r.Ranges) == 1 &&
			r.Ranges[0].Begin == r.Ranges[0].End && (number == 0 || r.Ranges.Has(number))
	})
	if len(r.Ranges) == 0 {
		return 0
	}
	return int(r.Ranges[0].Begin)
}
