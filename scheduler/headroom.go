package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Headroom for a restart in place: what a configuration wants more of a resource set is reserved
// beside what runs before that is stopped for it. Where there is no room nothing is stopped, and
// the step says what is missing; with "planned: replace" in its fault policy an instance leaves.
//
// What is reserved so has the ids of the set, so that the next launch finds it, whatever came in
// between. Place.More says of which sets more may be there than they hold, and when no launch
// comes for it, because the configuration was taken back, it is given back.

// How long a refusal for want of room lasts until it counts, and how old an offer may be that
// was made before a reservation which it lacks.
const (
	crampedLong = time.Minute
	offersOld   = 10 * time.Second
)

// secure says what an instance waits for that is to be launched again with more than its sets
// hold, "" when it may be stopped.
func (w *work) secure(p Pod, l launchOf) string {
	m := w.m
	sets := grows(p, l.spec, l.tasks)
	if len(sets) == 0 || !p.Place.Confirmed || m.endsNow(p.Name) {
		return ""
	}
	w.wants[wantOf(p.Name)] = true
	if !m.offersOf(p.Place.Agent) {
		return fmt.Sprintf("waits for an offer of its agent %s, to reserve there what the "+
			"configuration wants more before anything is stopped", p.hostname())
	}
	if enough, some := m.secured(p, l.spec, sets); enough {
		delete(m.cramped, p.Name)
		return ""
	} else if some && !w.giveBack(p, l.spec) {
		return "" // the launch itself sees to it
	} else if some {
		return "what an earlier configuration wanted more is given back first"
	}
	l.tasks = slices.DeleteFunc(slices.Clone(l.tasks), func(task string) bool {
		ts, _ := taskSpec(l.spec, task)
		return !slices.Contains(sets, ts.Resources.Name) // a new one is made by the launch
	})
	req := w.requirement(p, l, p.Place.Reservation)
	req.Kept.Beside = true
	match, refusal := w.table().Evaluate(req)
	if refusal != nil {
		m.cramp(p, refusal)
		return refusal.String() + "; nothing is stopped before there is"
	}
	delete(m.cramped, p.Name)
	place := *p.Place
	for _, set := range sets {
		if !slices.Contains(place.More, set) {
			place.More = append(slices.Clip(place.More), set)
		}
	}
	p.Place = &place
	m.setPod(p)
	m.securedAt[p.Name] = m.now
	w.reserveMore(match)
	m.note(Info, CountReserves, "reserve more", "pod", p.Name.String(), "host", place.Hostname)
	return "what the configuration wants more is being reserved on " + place.Hostname
}

// secured reports whether the offers in hand have all that some sets of an instance are to hold
// more, and whether they have any of it.
func (m *Machine) secured(p Pod, spec servicespec.Pod, sets []string) (enough, some bool) {
	enough = true
	for _, t := range spec.Tasks {
		need := t.Resources
		i := slices.IndexFunc(p.Place.Sets,
			func(s offer.SetResources) bool { return s.Name == need.Name })
		if i < 0 || !slices.Contains(sets, need.Name) {
			continue
		}
		held, more := p.Place.Sets[i].Resources, resource.List{}
		ids := resourceIDs(held)
		//tidy:unordered a sum
		for _, o := range m.offers {
			for _, r := range o.Resources {
				if o.Agent == p.Place.Agent && r.DiskInfo().PersistenceID == "" &&
					slices.Contains(ids, r.Label(resource.ResourceID)) {
					more = append(more, r)
				}
			}
		}
		has := func(name string) resource.Milli { return held.Total(name) + more.Total(name) }
		some = some || len(more) > 0
		enough = enough && need.CPUs <= has(resource.CPUs) && need.GPUs <= has(resource.GPUs) &&
			need.Memory.Milli() <= has(resource.Mem)
	}
	return enough, some
}

// grows lists the resource sets of some tasks of an instance that are to hold more than they do;
// none if others of it are to hold less, since they may have it from those.
func grows(p Pod, spec servicespec.Pod, tasks []string) []string {
	var sets []string
	if p.Place == nil || len(dropped(*p.Place, spec)) > 0 {
		return nil
	}
	for _, name := range tasks {
		ts, ok := taskSpec(spec, name)
		if !ok || slices.Contains(sets, ts.Resources.Name) {
			continue
		}
		i := slices.IndexFunc(p.Place.Sets,
			func(s offer.SetResources) bool { return s.Name == ts.Resources.Name })
		if i < 0 {
			continue
		}
		had, need := p.Place.Sets[i].Resources, ts.Resources
		cpus, gpus, mem := need.CPUs-had.Total(resource.CPUs),
			need.GPUs-had.Total(resource.GPUs), need.Memory.Milli()-had.Total(resource.Mem)
		if min(cpus, gpus, mem) < 0 {
			return nil
		}
		if max(cpus, gpus, mem) > 0 {
			sets = append(sets, need.Name)
		}
	}
	return sets
}

// offersOf reports whether an offer of an agent is in hand.
func (m *Machine) offersOf(id mesos.AgentID) bool {
	//tidy:unordered one is as good as another
	for _, o := range m.offers {
		if o.Agent == id {
			return true
		}
	}
	return false
}

// reserveMore puts what a match reserves into the ACCEPT of its offer.
func (w *work) reserveMore(match offer.Match) {
	w.offers.Take(match)
	w.operations[match.Offer] = append(w.operations[match.Offer], offer.Operations(match)...)
}

// doubted are the sets of an instance's place that more may be reserved for than they hold, and of
// which nobody knows whether a task runs with them.
func doubted(p Pod, spec servicespec.Pod) []string {
	return slices.DeleteFunc(slices.Clone(p.Place.More), func(set string) bool {
		return !slices.ContainsFunc(p.Tasks, func(t Task) bool {
			ts, known := taskSpec(spec, t.Name)
			return known && t.unsure() && ts.Resources.Name == set
		})
	})
}

// moreAfter are the sets of a place that more was reserved for and that a launch does not use.
func moreAfter(place *Place, l launchOf) []string {
	if place == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(place.More),
		func(set string) bool { return usesSet(l, set) })
}

// cramp notes that an instance has no room for what is wanted more, and has it leave when that
// lasts and its policy says so.
func (m *Machine) cramp(p Pod, refusal *offer.Refusal) {
	since, known := m.cramped[p.Name]
	if !known {
		since = m.now
		m.cramped[p.Name] = since
	}
	if due := since.Add(crampedLong); m.now.Before(due) {
		m.wakeBy(due)
		return
	}
	if p.Move == nil {
		m.planMove(p, CauseRoom, "its agent has no room for the configuration: "+refusal.String())
	}
}

// cramps reports whether the target still wants more of an instance than its sets hold.
func (m *Machine) cramps(p Pod) bool {
	spec, wanted := m.spec(p.Name)
	var all []string
	for _, ts := range spec.Tasks {
		all = append(all, ts.Name)
	}
	return wanted && len(grows(p, spec, all)) > 0
}

// passMore gives back what was reserved for launches that did not come.
func (w *work) passMore() {
	m := w.m
	for _, name := range m.visits() {
		p := m.hard.Pods[name]
		spec, wanted := m.spec(name)
		if p.Place == nil || len(p.Place.More) == 0 || !wanted || p.Request != "" {
			continue
		}
		if !m.cramps(p) {
			w.giveBack(p, spec)
		}
	}
}

// giveBack frees what the offers of an instance's agent have of its sets beside what runs; it
// reports whether there was any.
func (w *work) giveBack(p Pod, spec servicespec.Pod) (any bool) {
	m := w.m
	w.wants["more/"+p.Name.String()] = true
	for _, id := range slices.Sorted(maps.Keys(m.offers)) {
		o := m.offers[id]
		if o.Agent != p.Place.Agent {
			continue
		}
		place := *p.Place
		place.More = slices.DeleteFunc(slices.Clone(place.More), func(set string) bool {
			extra, clear := extraOf(p, spec, set, o)
			any = any || len(extra) > 0
			if len(extra) > 0 {
				w.operations[o.ID] = append(w.operations[o.ID],
					mesos.Unreserve{Resources: extra})
			}
			return clear && !m.now.Before(m.securedAt[p.Name].Add(offersOld))
		})
		if len(place.More) < len(p.Place.More) {
			p.Place = &place
			m.setPod(p)
		}
		break
	}
	return any
}

// extraOf gives what an offer has of a set beside what runs, and whether it has nothing of it.
// Nobody can tell it from the set itself, should that have ended unseen, but by its being less.
func extraOf(
	p Pod, spec servicespec.Pod, set string, o mesos.Offer,
) (extra resource.List, clear bool) {
	i := slices.IndexFunc(p.Place.Sets, func(s offer.SetResources) bool { return s.Name == set })
	runs := slices.ContainsFunc(p.Tasks, func(t Task) bool {
		ts, known := taskSpec(spec, t.Name)
		return known && t.runs() && ts.Resources.Name == set
	})
	if i < 0 || !runs {
		return nil, i < 0
	}
	clear = true
	held := p.Place.Sets[i].Resources
	for _, r := range o.Resources {
		id := r.Label(resource.ResourceID)
		if id == "" || !slices.Contains(resourceIDs(held), id) {
			continue
		}
		clear = false
		if r.Scalar > 0 && r.DiskInfo().PersistenceID == "" && r.Scalar < held.Total(r.Name) {
			extra = append(extra, r)
		}
	}
	return extra, clear
}
