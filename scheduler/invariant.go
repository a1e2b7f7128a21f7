package scheduler

import (
	"fmt"
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// holdings tell who holds what nobody else may: the instances by the reservations and volumes of
// their places. Tasks have an index of their own.
type holdings struct {
	reservations map[mesos.ReservationID]PodName
	volumes      map[mesos.PersistenceID]PodName
	// unchecked are the instances, and leftovers the reservations, that changed since invariants
	// were last looked at.
	unchecked nameSet
	leftovers []mesos.ReservationID
}

func newHoldings() holdings {
	return holdings{reservations: map[mesos.ReservationID]PodName{},
		volumes: map[mesos.PersistenceID]PodName{}}
}

// check looks for broken invariants (doc.go numbers them) in what changed, with every picture and
// in production too: a machine that contradicts itself must not go on.
func (m *Machine) check() error {
	if m.cfg.Thorough {
		m.holdings = newHoldings()
		for _, name := range m.podNames() {
			m.holdings.unchecked.add(name)
		}
		m.holdings.leftovers = m.leftoverIDs()
	}
	h := &m.holdings
	for _, name := range h.unchecked.sorted() {
		p, known := m.hard.Pods[name]
		if !known {
			continue
		}
		if err := m.checkTasks(name, p); err != nil {
			return err
		}
		if err := m.checkPlace(name, p.Place); err != nil {
			return err
		}
	}
	h.unchecked.clear()
	for _, id := range h.leftovers {
		_, left := m.hard.Leftovers[id]
		if name := h.reservations[id]; left && m.hasReservation(name, id) {
			return fmt.Errorf("reservation %s is a leftover and belongs to %s", id, name)
		}
	}
	h.leftovers = nil
	return nil
}

func (m *Machine) checkTasks(name PodName, p Pod) error {
	if p.Name != name {
		return fmt.Errorf("the record of %s is filed under %s", p.Name, name)
	}
	for i, t := range p.Tasks {
		if slices.ContainsFunc(p.Tasks[:i], func(o Task) bool { return o.Name == t.Name }) {
			return fmt.Errorf("%s has two tasks named %s", name, t.Name)
		}
		if t.ID == "" {
			continue
		}
		if other := m.taskAt[t.ID]; other != name || slices.ContainsFunc(p.Tasks[:i],
			func(o Task) bool { return o.ID == t.ID }) {
			return fmt.Errorf("%s and %s share task id %s", name, other, t.ID)
		}
		if t.live() && p.Place == nil {
			return fmt.Errorf("task %s runs without a reservation", t.ID)
		}
	}
	return nil
}

func (m *Machine) checkPlace(name PodName, place *Place) error {
	if place == nil {
		return nil
	}
	h, id := &m.holdings, place.Reservation
	if other := h.reservations[id]; other != name && m.hasReservation(other, id) {
		return fmt.Errorf("%s and %s share reservation %s", name, other, id)
	}
	if _, left := m.hard.Leftovers[id]; left {
		return fmt.Errorf("reservation %s is a leftover and belongs to %s", id, name)
	}
	h.reservations[id] = name
	for _, id := range place.volumes() {
		if other := h.volumes[id]; other != name && m.hasVolume(other, id) {
			return fmt.Errorf("%s and %s share volume %s", name, other, id)
		}
		h.volumes[id] = name
	}
	return nil
}

func (m *Machine) hasReservation(name PodName, id mesos.ReservationID) bool {
	place := m.hard.Pods[name].Place
	return place != nil && place.Reservation == id
}

func (m *Machine) hasVolume(name PodName, id mesos.PersistenceID) bool {
	place := m.hard.Pods[name].Place
	return place != nil && place.hasVolume(id)
}

// letGo forgets what an instance held in a place that it has no more.
func (h *holdings) letGo(name PodName, before, now *Place) {
	if before == nil || before == now {
		return
	}
	if now == nil || now.Reservation != before.Reservation {
		if h.reservations[before.Reservation] == name {
			delete(h.reservations, before.Reservation)
		}
	}
	for _, id := range before.volumes() {
		if h.volumes[id] == name {
			delete(h.volumes, id)
		}
	}
}
