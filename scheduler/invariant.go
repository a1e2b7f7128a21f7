package scheduler

import (
	"fmt"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// check looks for broken invariants (doc.go numbers them). It is cheap, and runs with every
// picture in production too: a machine that contradicts itself must not go on.
func (m *Machine) check() error {
	tasks := map[mesos.TaskID]PodName{}
	reservations := map[mesos.ReservationID]PodName{}
	volumes := map[mesos.PersistenceID]PodName{}
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		if p.Name != name {
			return fmt.Errorf("the record of %s is filed under %s", p.Name, name)
		}
		seen := map[string]bool{}
		for _, t := range p.Tasks {
			if seen[t.Name] {
				return fmt.Errorf("%s has two tasks named %s", name, t.Name)
			}
			seen[t.Name] = true
			if other, dup := tasks[t.ID]; dup && t.ID != "" {
				return fmt.Errorf("%s and %s share task id %s", name, other, t.ID)
			}
			tasks[t.ID] = name
			if t.live() && p.Place == nil {
				return fmt.Errorf("task %s runs without a reservation", t.ID)
			}
		}
		if p.Place == nil {
			continue
		}
		if other, dup := reservations[p.Place.Reservation]; dup {
			return fmt.Errorf("%s and %s share reservation %s", name, other,
				p.Place.Reservation)
		}
		reservations[p.Place.Reservation] = name
		for _, id := range volumesIn(placeResources(*p.Place)) {
			if other, dup := volumes[id]; dup {
				return fmt.Errorf("%s and %s share volume %s", name, other, id)
			}
			volumes[id] = name
		}
	}
	for _, id := range m.leftoverIDs() {
		if name, dup := reservations[id]; dup {
			return fmt.Errorf("reservation %s is a leftover and belongs to %s", id, name)
		}
	}
	return nil
}
