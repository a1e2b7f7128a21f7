package sim

import (
	"reflect"
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// checkStored: what the machine shows is what the store holds, whenever somebody looks.
type checkStored struct{ w *world }

func (c *checkStored) shown(v *scheduler.View) {
	h := c.w.store.hard
	if v.Framework != h.Framework || v.Intent != h.Intent || v.TargetID != h.Target.ID ||
		v.Kafka.ClusterID != h.Kafka.ID || v.Kafka.Founded != h.Kafka.Founded ||
		len(v.Leftovers) != len(h.Leftovers) {
		c.w.fail("stored", "the machine shows another service than is stored")
	}
	for _, l := range v.Leftovers {
		if s := h.Leftovers[l.Reservation]; s.Freeing != l.Freeing || s.Agent != l.Agent ||
			s.Confirmed != l.Confirmed {
			c.w.fail("stored", "leftover %s is stored otherwise", l.Reservation)
		}
	}
	known := 0
	for _, p := range v.Pods {
		stored, ok := h.Pods[p.Name]
		if ok {
			known++
		}
		c.pod(p, stored)
	}
	if known != len(h.Pods) {
		c.w.fail("stored", "%d of %d stored instances are shown", known, len(h.Pods))
	}
}

func (c *checkStored) pod(v scheduler.PodView, p scheduler.Pod) {
	if v.Incarnation != p.Incarnation || v.Request != p.Request {
		c.w.fail("stored", "instance %s is stored otherwise", v.Name)
	}
	var reservation mesos.ReservationID
	if p.Place != nil {
		reservation = p.Place.Reservation
	}
	if v.Reservation != reservation {
		c.w.fail("stored", "the place of %s is stored otherwise", v.Name)
	}
	for _, t := range v.Tasks {
		var stored scheduler.Task
		for _, s := range p.Tasks {
			if s.Name == t.Name && s.ID != "" {
				stored = s
			}
		}
		if stored.ID == "" { // what it ran in the place before is shown until it has another
			i := slices.IndexFunc(p.Tasks,
				func(s scheduler.Task) bool { return s.Name == t.Name })
			if i >= 0 && p.Tasks[i].Last != nil {
				stored.ID, stored.State = p.Tasks[i].Last.ID, p.Tasks[i].Last.State
			}
		}
		if stored.ID != t.ID || stored.State != t.State ||
			!reflect.DeepEqual(stored.Ready, t.Ready) {
			c.w.fail("stored", "task %s is stored otherwise", t.FullName)
		}
	}
}
