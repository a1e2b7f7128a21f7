package scheduler

import (
	"maps"
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// lefts finds leftovers without looking at all of them. It is made when it is first asked for,
// and kept up to date from then on; none of its lists is ever changed in place.
type lefts struct {
	ids  []mesos.ReservationID // all, sorted; nil when not known
	on   map[mesos.AgentID][]mesos.ReservationID
	of   map[PodName][]mesos.ReservationID
	busy []mesos.ReservationID // those on which tasks may run
}

// leftIndex gives what finds leftovers.
func (m *Machine) leftIndex() *lefts {
	if m.lefts == nil {
		m.lefts = &lefts{on: map[mesos.AgentID][]mesos.ReservationID{},
			of: map[PodName][]mesos.ReservationID{}}
		//tidy:unordered the lists are kept sorted
		for _, l := range m.hard.Leftovers {
			m.lefts.add(l)
		}
	}
	return m.lefts
}

func (x *lefts) add(l Leftover) {
	x.ids = nil
	x.on[l.Agent] = withID(x.on[l.Agent], l.Reservation)
	x.of[l.Pod] = withID(x.of[l.Pod], l.Reservation)
	if len(l.Tasks) > 0 {
		x.busy = withID(x.busy, l.Reservation)
	}
}

func (x *lefts) remove(l Leftover) {
	x.ids = nil
	if x.on[l.Agent] = withoutID(x.on[l.Agent], l.Reservation); len(x.on[l.Agent]) == 0 {
		delete(x.on, l.Agent)
	}
	if x.of[l.Pod] = withoutID(x.of[l.Pod], l.Reservation); len(x.of[l.Pod]) == 0 {
		delete(x.of, l.Pod)
	}
	x.busy = withoutID(x.busy, l.Reservation)
}

func withID(list []mesos.ReservationID, id mesos.ReservationID) []mesos.ReservationID {
	i, has := slices.BinarySearch(list, id)
	if has {
		return list
	}
	return slices.Insert(slices.Clone(list), i, id)
}

func withoutID(list []mesos.ReservationID, id mesos.ReservationID) []mesos.ReservationID {
	i, has := slices.BinarySearch(list, id)
	if !has {
		return list
	}
	return slices.Delete(slices.Clone(list), i, i+1)
}

// setLeftover replaces the record of a leftover, or makes it one.
func (m *Machine) setLeftover(l Leftover) {
	m.settled = true
	x := m.leftIndex()
	before, known := m.hard.Leftovers[l.Reservation]
	same := known && before.Agent == l.Agent && before.Pod == l.Pod &&
		len(before.Tasks) == 0 && len(l.Tasks) == 0
	if known && !same {
		x.remove(before)
	}
	if !same {
		x.add(l)
	}
	m.hard.Leftovers[l.Reservation] = l
	m.holdings.leftovers = append(m.holdings.leftovers, l.Reservation)
	if m.leaving != nil {
		m.unnoted.leftovers = append(m.unnoted.leftovers, l.Reservation)
	}
	m.write(WriteLeftover{l})
}

func (m *Machine) dropLeftover(id mesos.ReservationID) {
	if l, known := m.hard.Leftovers[id]; known {
		m.leftIndex().remove(l)
	}
	delete(m.hard.Leftovers, id)
	delete(m.freedAt, id)
	m.settled = true
	m.due = true // plans may have waited for it
	m.write(DeleteLeftover{id})
}

// leftoverIDs lists all leftovers, sorted.
func (m *Machine) leftoverIDs() []mesos.ReservationID {
	x := m.leftIndex()
	if x.ids == nil {
		x.ids = slices.Sorted(maps.Keys(m.hard.Leftovers))
	}
	return slices.Clip(x.ids)
}

// leftoversOn lists those on an agent, sorted.
func (m *Machine) leftoversOn(agent mesos.AgentID) []mesos.ReservationID {
	return slices.Clip(m.leftIndex().on[agent])
}

// leftoversOf are what is left of an instance where it is waited for.
func (m *Machine) leftoversOf(name PodName) []Leftover {
	var list []Leftover
	for _, id := range m.leftIndex().of[name] {
		if l := m.hard.Leftovers[id]; !m.givenUp(l.Agent) {
			list = append(list, l)
		}
	}
	return list
}

// leftToFree lists the leftovers that are waited for.
func (m *Machine) leftToFree() []mesos.ReservationID {
	all := m.leftoverIDs()
	list := make([]mesos.ReservationID, 0, len(all))
	for _, id := range all {
		if len(m.hard.Agents) == 0 || !m.givenUp(m.hard.Leftovers[id].Agent) {
			list = append(list, id)
		}
	}
	return list
}
