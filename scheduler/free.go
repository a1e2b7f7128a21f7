package scheduler

import (
	"maps"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// free destroys and unreserves what is offered of leftovers and strays, and forgets leftovers
// that are gone.
func (w *work) free() {
	m := w.m
	if len(m.offers) > 0 {
		var owners map[string]mesos.ReservationID // once an offer holds something of ours
		for i := range w.table().Len() {
			o := w.table().Bundle(i)
			if owners == nil && (len(m.hard.Leftovers) > 0 ||
				slices.ContainsFunc(o.Resources, m.owns)) {
				owners = m.owners()
			}
			w.freeIn(o.Offer, o.IDs, owners)
		}
	}
	for _, id := range m.leftToFree() {
		w.wants["leftover/"+string(id)] = true
	}
}

// held is the owner of what an instance holds; see owners.
const held = mesos.ReservationID("held")

// owners tells for each id on a reserved resource which leftover it belongs to, or that an
// instance has it, as for the id of the reservation as a whole.
func (m *Machine) owners() map[string]mesos.ReservationID {
	owners := map[string]mesos.ReservationID{}
	for _, id := range m.leftoverIDs() {
		for _, r := range resourceIDs(m.hard.Leftovers[id].Resources) {
			owners[r] = id
		}
	}
	for _, name := range m.podNames() {
		if place := m.hard.Pods[name].Place; place != nil {
			owners[string(place.Reservation)] = held
			for _, r := range resourceIDs(placeResources(*place)) {
				owners[r] = held
			}
		}
	}
	return owners
}

// freeIn frees what one offer, or several of one place, hold of reservations that no instance has:
// what is on record as left over, whichever framework reserved it, and all else of this one.
func (w *work) freeIn(
	o mesos.Offer, offers []mesos.OfferID, owners map[string]mesos.ReservationID,
) {
	m := w.m
	ours := m.unowned(o.Resources, owners)
	m.forgetFreed(o, offers, ours)
	for _, id := range slices.Sorted(maps.Keys(ours)) {
		delete(m.feedback.shown, id) // it is offered, so nobody else has to free it
		l, known := m.hard.Leftovers[id]
		if !known {
			l, known = m.strayFound(o.Agent, o.Hostname, id, ours[id])
		}
		if known && !l.Confirmed {
			l.Confirmed, l.Freeing, l.Pending = true, false, nil
			m.setLeftover(l)
		}
		there := resourceIDs(ours[id])
		if known && slices.ContainsFunc(resourceIDs(l.Resources),
			func(r string) bool { return !slices.Contains(there, r) }) {
			continue // a part of it is still in use
		}
		ops := freeing(ours[id])
		if known {
			ops = w.freed(o, l, ops)
		}
		w.operations[o.ID] = append(w.operations[o.ID], ops...)
	}
}

// freed notes that a leftover is told to go, and gives the operations for it their ids.
func (w *work) freed(o mesos.Offer, l Leftover, ops []mesos.Operation) []mesos.Operation {
	ops, ids := w.identified(o, ops)
	w.m.freedAt[l.Reservation] = w.m.now
	if !l.Freeing || len(l.Pending)+len(ids) > 0 {
		l.Freeing, l.Pending = true, ids
		w.m.setLeftover(l)
		w.m.await(ids, l.Pod, l.Reservation, o.Agent)
	}
	return ops
}

// forgetFreed drops the leftovers of an offer's agent that the offer shows to be gone.
func (m *Machine) forgetFreed(
	o mesos.Offer, offers []mesos.OfferID, ours map[mesos.ReservationID]resource.List,
) {
	for _, id := range m.leftoversOn(o.Agent) {
		l := m.hard.Leftovers[id]
		if reservedRole(l.Resources) != o.Role || ours[id] != nil ||
			!l.Freeing && l.Confirmed || len(l.Tasks) > 0 || len(l.Pending) > 0 ||
			m.crossed(offers, l) {
			continue
		}
		if !l.Freeing {
			// It was never seen; the offer may be older than it, so one more is awaited.
			l.Freeing = true
			m.setLeftover(l)
			continue
		}
		m.forgetLeftover(l)
	}
}

// crossed reports whether all that is offered of an agent may have been offered before the master
// heard that a leftover is to go, as all has that is known in the pass that says so: what comes
// back to the agent meanwhile, as an executor ends, is offered by itself. What nobody has reserved
// was in the offer that the leftover was in.
func (m *Machine) crossed(offers []mesos.OfferID, l Leftover) bool {
	told, soon := m.freedAt[l.Reservation]
	if !soon || !m.now.Before(told.Add(offersOld)) {
		return false
	}
	return m.now.Equal(told) || !slices.ContainsFunc(offers, func(id mesos.OfferID) bool {
		return slices.ContainsFunc(m.offers[id].Resources, func(r resource.Resource) bool {
			n := len(r.Reservations)
			return n == 0 || !r.Reservations[n-1].Dynamic
		})
	})
}

// owns reports whether a resource is reserved by this framework.
func (m *Machine) owns(r resource.Resource) bool {
	_, ours := m.ownReservation(r)
	return ours
}

// forgetLeftover is the end of a leftover.
func (m *Machine) forgetLeftover(l Leftover) {
	m.dropLeftover(l.Reservation)
	m.note(Info, CountUnreserves, "reservation freed", "reservation", string(l.Reservation),
		"host", l.Hostname)
}

// ownReservation gives the id of a reserved resource of this framework.
func (m *Machine) ownReservation(r resource.Resource) (string, bool) {
	if len(r.Reservations) == 0 {
		return "", false
	}
	last := r.Reservations[len(r.Reservations)-1]
	id := r.Label(resource.ResourceID)
	ours := last.Dynamic && slices.Contains(last.Labels,
		resource.Label{Key: labelFramework, Value: string(m.hard.Framework)}) &&
		m.ownRole(last.Role)
	return id, id != "" && ours
}

// ownRole says whether a role is the service's, or what one of its pods has below another, now or
// at some time.
func (m *Machine) ownRole(role string) bool {
	own := m.hard.Target.Service.Role
	return role == own || strings.HasSuffix(role, "/"+own)
}

// freeing gives the operations that destroy the volumes in a list and unreserve all of it.
func freeing(list resource.List) []mesos.Operation {
	var ops []mesos.Operation
	if volumes := list.Volumes(); len(volumes) > 0 {
		ops = append(ops, mesos.Destroy{Volumes: volumes})
	}
	return append(ops, mesos.Unreserve{Resources: list.WithoutVolumes()})
}
