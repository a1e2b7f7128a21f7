package scheduler

import (
	"fmt"
	"maps"
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// Verify says, a sentence each, what in a hard state contradicts itself: what two instances
// hold, and instances of a service that was never set up. An empty list is what every state
// gives that a machine has written.
func Verify(h Hard) []string {
	v := verifier{volumes: map[string]string{}, tasks: map[mesos.TaskID]string{},
		reservations: map[mesos.ReservationID]string{}}
	if len(h.Pods) > 0 && h.Target.ID == "" {
		v.say("there are instances, and no configuration")
	}
	if len(h.Pods) > 0 && h.Framework == "" {
		v.say("there are instances, and no framework id")
	}
	for _, name := range slices.SortedFunc(maps.Keys(h.Pods), PodName.compare) {
		v.pod(h.Pods[name])
	}
	for _, id := range slices.Sorted(maps.Keys(h.Leftovers)) {
		l := h.Leftovers[id]
		what := fmt.Sprintf("what was left of %s", l.Pod)
		v.held(what, l.Reservation, l.Resources)
	}
	return v.found
}

// verifier remembers who holds what.
type verifier struct {
	found        []string
	reservations map[mesos.ReservationID]string
	volumes      map[string]string
	tasks        map[mesos.TaskID]string
}

func (v *verifier) say(format string, args ...any) {
	v.found = append(v.found, fmt.Sprintf(format, args...))
}

func (v *verifier) pod(p Pod) {
	name := p.Name.String()
	if p.Place != nil {
		all := slices.Clone(p.Place.Executor)
		for _, set := range p.Place.Sets {
			all = append(all, set.Resources...)
		}
		v.held(name, p.Place.Reservation, all)
	}
	for _, t := range p.Tasks {
		if other, twice := v.tasks[t.ID]; twice && t.ID != "" {
			v.say("the task %s is one of %s and of %s", t.ID, other, name)
		}
		v.tasks[t.ID] = name
	}
}

// held notes a reservation and its volumes.
func (v *verifier) held(who string, id mesos.ReservationID, resources resource.List) {
	if other, twice := v.reservations[id]; twice {
		v.say("the reservation %s is held by %s and by %s", id, other, who)
	}
	v.reservations[id] = who
	for _, r := range resources {
		volume := r.DiskInfo().PersistenceID
		if other, twice := v.volumes[volume]; twice && volume != "" {
			v.say("the volume %s is held by %s and by %s", volume, other, who)
		}
		v.volumes[volume] = who
	}
}
