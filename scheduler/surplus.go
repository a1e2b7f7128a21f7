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
		m.setLeftover(Leftover{Reservation: mesos.ReservationID(uuid(m.cfg.UUID())),
			Pod: name, Agent: place.Agent, Hostname: place.Hostname, Resources: s.Resources,
			Confirmed: place.Confirmed && !slices.Contains(place.Unseen, s.Name)})
		return true
	})
	p.Place = &place
	m.setPod(p.listing(spec))
}
