package scheduler

import (
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// Places that nobody ever saw: no task of them reported, and no offer had them. They may have never
// come to be, as a launch got lost; but a task may also have run there, and have ended with its
// machine before anybody heard of it.

// unseenAwaited is how long offers are awaited from the agent of such a place, and unseenLong how
// long where the master lists no agents to this framework, so that offers are all that tells.
const (
	unseenAwaited = time.Minute
	unseenLong    = 10 * time.Minute
)

// unseen reports whether nobody ever saw the place of an instance, and all that was launched there
// is known to have got lost on its way to the agent; if anything of it ran, nobody heard of it.
func (p Pod) unseen() bool {
	if p.Place == nil || p.Place.Confirmed {
		return false
	}
	launched := false
	for _, t := range p.Tasks {
		if t.ID == "" {
			continue
		}
		if t.State != mesos.Dropped && !t.unknownThere() ||
			t.Reached != nil && t.Reached.ID == t.ID {
			return false
		}
		launched = true
	}
	return launched
}

// unknownThere reports whether a task ended as its agent does not know it, and not as one that the
// agent had, and the executor of which is not there any more: Mesos says TASK_GONE of both.
func (t Task) unknownThere() bool {
	return t.State == mesos.Gone && t.Last != nil && t.Last.ID == t.ID &&
		t.Last.Source == sourceMaster && strings.HasSuffix(t.Last.Message, unknownToAgent)
}

// awaitUnseen notes since when offers are awaited for a place that nobody saw.
func (w *work) awaitUnseen(name PodName) {
	since, known := w.m.unseen[name]
	if !known {
		since = w.m.now
	}
	if w.unseen == nil {
		w.unseen = map[PodName]time.Time{}
	}
	w.unseen[name] = since
}

// lostPlace reports whether a reservation that nobody ever saw turns out not to be what it
// should: its agent makes an offer, and it is not in there, or its volumes are not; or it makes
// none, though offers are awaited for long, as it is not there any more, or has nothing left to
// offer, and the master lists no such reservation there. What may exist of it is freed as a
// leftover. When other parts are missing, an executor still has them.
// Where nobody knows of a task whether it runs, an offer without any part of it proves nothing.
func (w *work) lostPlace(p Pod) bool {
	m := w.m
	if p.Place == nil || p.Place.Confirmed || len(p.Place.Pending) > 0 || p.anyRuns() {
		return false
	}
	offered, part := false, resource.List{}
	ids := resourceIDs(placeResources(*p.Place))
	role := reservedRole(placeResources(*p.Place))
	for _, o := range w.table().Of(p.Place.Agent) {
		if o.Role != role {
			continue // what is reserved for one role is offered to no other
		}
		offered = true
		part = part.Add(o.Resources.Filter(func(r resource.Resource) bool {
			return slices.Contains(ids, r.Label(resource.ResourceID))
		})...)
	}
	whole := placeResources(*p.Place).WithRole(role)
	if !offered {
		patience := unseenAwaited
		if m.seen == nil {
			patience = unseenLong
		}
		return p.unseen() && !p.Place.Listed && !m.now.Before(w.unseen[p.Name].Add(patience))
	}
	if len(part) == 0 {
		return !p.anyLive()
	}
	return !part.Contains(whole) && part.WithoutVolumes().Contains(whole.WithoutVolumes())
}

// placesListed notes which places were made, of those that nobody saw and where all that was
// launched got lost. The master may list one before its agent has made it.
func (m *Machine) placesListed(ev mesos.AgentsSeen) {
	var reserved map[mesos.AgentID]resource.List
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		if !p.unseen() {
			continue
		}
		if reserved == nil {
			reserved = make(map[mesos.AgentID]resource.List, len(ev.Agents))
			for _, a := range ev.Agents {
				reserved[a.ID] = a.Reserved
			}
		}
		on, seen := reserved[p.Place.Agent]
		listed := on.WithoutRole().Contains(placeResources(*p.Place).WithoutRole())
		if seen && listed != p.Place.Listed {
			place := *p.Place
			place.Listed, p.Place = listed, &place
			m.setPod(p)
		}
	}
}
