package scheduler

import (
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
)

// What a configuration takes away from instances that it keeps: tasks, and with them resource
// sets. A launch that the configuration makes necessary does away with it; when there is none,
// it is done once the deployment is complete.

// passSurplus ends tasks that the target has no more, and frees the sets that no task has.
func (w *work) passSurplus(deploy plans.Assessment) {
	if deploy.Status != plans.Complete {
		return
	}
	for _, name := range w.m.visits() {
		w.surplus(name)
	}
}

func (w *work) surplus(name PodName) {
	m := w.m
	p := m.hard.Pods[name]
	spec, wanted := m.spec(name)
	if !wanted || p.Request != "" || p.Place == nil {
		return
	}
	var ends []mesos.TaskID
	for _, t := range p.Tasks {
		if _, known := taskSpec(spec, t.Name); !known && t.live() {
			ends = append(ends, t.ID)
		}
	}
	if len(ends) > 0 {
		w.killTasks(p, ends, nil)
		return
	}
	drop := dropped(*p.Place, spec)
	if len(drop) == 0 {
		return
	}
	place := *p.Place
	place.Sets = slices.DeleteFunc(slices.Clone(place.Sets), func(s offer.SetResources) bool {
		if !slices.Contains(drop, s.Name) {
			return false
		}
		m.setLeftover(m.leftOver(name, place, s))
		return true
	})
	p.Place = &place
	m.setPod(p.listing(spec))
}

// leftOver is the leftover that a set becomes which an instance has at a place no more.
func (m *Machine) leftOver(name PodName, at Place, set offer.SetResources) Leftover {
	return Leftover{Reservation: mesos.ReservationID(uuid(m.cfg.UUID())), Pod: name,
		Agent: at.Agent, Hostname: at.Hostname, Resources: set.Resources,
		Confirmed: at.Confirmed && !slices.Contains(at.Unseen, set.Name)}
}

// goneWith keeps a record of the sets of a place that a launch frees, until an offer shows that
// they are gone: its ACCEPT may be lost, and if the tasks came back that had them, what would be
// made for these had the same ids.
func (m *Machine) goneWith(name PodName, before Place, match offer.Match) {
	for _, set := range before.Sets {
		stays := func(s offer.SetResources) bool { return s.Name == set.Name }
		if slices.ContainsFunc(match.Sets, stays) {
			continue
		}
		l := m.leftOver(name, before, set)
		l.Freeing, m.freedAt[l.Reservation] = true, m.now
		m.setLeftover(l)
	}
}
