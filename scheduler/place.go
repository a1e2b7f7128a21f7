package scheduler

import (
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// Keys of the labels on our reservations. "resource_id" and "framework_id" are those of the
// predecessor; one id covers all that an instance holds.
const (
	labelReservation = resource.ResourceID
	labelFramework   = "framework_id"
	labelService     = "service"
	labelPod         = "pod"
)

// executorNeed is what an executor itself is given.
var executorNeed = offer.Scalars{CPUs: 100, Mem: 32, Disk: 256}

// place looks for a place for an instance that has nothing running, and launches it there, its
// controller alone if it is to be a caretaker.
func (w *work) place(name PodName, spec servicespec.Pod, caretaker bool) {
	m := w.m
	p, known := m.hard.Pods[name]
	if !known {
		p = Pod{Name: name, Incarnation: 1}
	}
	if m.now.Before(p.NotBefore) {
		m.waits[name] = fmt.Sprintf("backs off after %d failed launches", p.Failures)
		return
	}
	if reason := m.holdFounding(name, spec); reason != "" {
		m.waits[name] = reason
		return
	}
	if !m.connected {
		m.waits[name] = "no Mesos master is connected"
		return
	}
	w.wants["pod/"+name.String()] = true
	if len(m.offers) == 0 {
		return
	}
	if m.lostPlace(p) {
		p = m.leave(p)
		m.setPod(p)
	}
	reservation := mesos.ReservationID(uuid(m.cfg.UUID()))
	if p.Place != nil {
		reservation = p.Place.Reservation
	}
	match, refusal := offer.Evaluate(m.requirement(p, spec, reservation), m.sortedOffers())
	m.refusals[name] = refusal
	if refusal != nil {
		return
	}
	p.Caretaker = caretaker
	w.launch(p, spec, match, reservation)
}

// lostPlace reports whether a reservation that nobody ever saw turns out not to be what it
// should: its agent makes an offer, and it is not in there, or its volumes are not. What may
// exist of it is freed as a leftover. When other parts are missing, an executor still has them.
func (m *Machine) lostPlace(p Pod) bool {
	if p.Place == nil || p.Place.Confirmed || p.anyLive() {
		return false
	}
	offered, part, role := false, resource.List{}, ""
	for _, id := range sortedOffers(m.offers) {
		o := m.offers[id]
		if o.Agent == p.Place.Agent {
			offered, role = true, o.Role
			part = part.Add(o.Resources.Labelled(
				labelReservation, string(p.Place.Reservation))...)
		}
	}
	whole := placeResources(*p.Place).WithRole(role)
	return offered && !part.Contains(whole) &&
		(len(part) == 0 || withoutVolumes(part).Contains(withoutVolumes(whole)))
}

func (m *Machine) sortedOffers() []mesos.Offer {
	offers := make([]mesos.Offer, 0, len(m.offers))
	for _, id := range sortedOffers(m.offers) {
		offers = append(offers, m.offers[id])
	}
	return offers
}

// placeResources is all that a place holds.
func placeResources(p Place) resource.List {
	list := append(resource.List(nil), p.Executor...)
	for _, t := range p.Tasks {
		list = append(list, t.Resources...)
	}
	return list
}

// requirement says what an instance needs, or, if it has a place, what it holds.
func (m *Machine) requirement(
	p Pod, spec servicespec.Pod, id mesos.ReservationID,
) offer.Requirement {
	service := m.hard.Target.Service
	req := offer.Requirement{
		Pod: p.Name.String(), Role: service.Role, Principal: service.Principal,
		Labels: []resource.Label{
			{Key: labelReservation, Value: string(id)},
			{Key: labelFramework, Value: string(m.hard.Framework)},
			{Key: labelService, Value: service.Name},
			{Key: labelPod, Value: p.Name.String()},
		},
		Executor: executorNeed, Rule: spec.Placement, Peers: m.peers(p.Name),
		Volumes: m.volumes(spec.Volumes), Taken: m.takenPorts(),
	}
	for _, t := range spec.Tasks {
		req.Tasks = append(req.Tasks, offer.TaskNeed{
			Name: t.Name,
			Scalars: offer.Scalars{CPUs: t.Resources.CPUs, GPUs: t.Resources.GPUs,
				Mem: t.Resources.Memory},
			Ports: t.Resources.Ports, Volumes: m.volumes(t.Resources.Volumes),
		})
	}
	if p.Place != nil {
		req.Kept = &offer.Kept{
			Agent: p.Place.Agent, Executor: p.Place.Executor, Tasks: p.Place.Tasks}
	}
	return req
}

// takenPorts are those of all places, and those that were found to be in use by others: agents
// that share one address offer all of its ports, each.
func (m *Machine) takenPorts() []offer.TakenPorts {
	taken := slices.Clone(m.foreignPorts)
	for _, name := range m.podNames() {
		if place := m.hard.Pods[name].Place; place != nil {
			taken = append(taken, portsAt(*place)...)
		}
	}
	return taken
}

// portsAt are the ports of a place, at its agent's address and under its name.
func portsAt(p Place) []offer.TakenPorts {
	var ports resource.Ranges
	for _, r := range placeResources(p) {
		if r.Name == resource.Ports {
			ports = ports.Add(r.Ranges)
		}
	}
	return []offer.TakenPorts{{Host: p.IP, Ports: ports}, {Host: p.Hostname, Ports: ports}}
}

func (m *Machine) volumes(specs []servicespec.Volume) []offer.VolumeNeed {
	var needs []offer.VolumeNeed
	for _, v := range specs {
		needs = append(needs, offer.VolumeNeed{
			Volume: v, ID: mesos.PersistenceID(uuid(m.cfg.UUID()))})
	}
	return needs
}

// peers are the places of the other instances of the same type.
func (m *Machine) peers(name PodName) []placement.Agent {
	var peers []placement.Agent
	for _, other := range m.podNames() {
		p := m.hard.Pods[other]
		if other == name || other.Type != name.Type || p.Place == nil {
			continue
		}
		agent := placement.Agent{
			Hostname: p.Place.Hostname,
			Region:   p.Place.Domain.Region, Zone: p.Place.Domain.Zone,
		}
		for _, a := range p.Place.Attributes {
			agent.Attributes = append(agent.Attributes,
				placement.Attribute{Name: a.Name, Value: a.Value})
		}
		peers = append(peers, agent)
	}
	return peers
}

// launch records an instance's place and tasks and puts the operations into the ACCEPT.
func (w *work) launch(
	p Pod, spec servicespec.Pod, match offer.Match, reservation mesos.ReservationID,
) {
	m := w.m
	o := m.offers[match.Offer]
	p.Place = &Place{
		Agent: o.Agent, Hostname: o.Hostname, IP: o.IP, Domain: o.Domain,
		Attributes: o.Attributes, Reservation: reservation,
		Executor: match.Executor, Tasks: match.Tasks,
		Confirmed: len(match.Reserve) == 0,
	}
	m.hard.Pods[p.Name] = p // so that the orders of a first broker know its own place
	m.found(p, spec)
	p.Executor = mesos.ExecutorID(fmt.Sprintf("%s__%s__%s",
		m.hard.Target.Service.Name, p.Name.Type, uuid(m.cfg.UUID())))
	p.Launch = m.launchHash(p, spec)
	p.Tasks = make([]Task, 0, len(spec.Tasks))
	for _, t := range spec.Tasks {
		id := mesos.TaskID(fmt.Sprintf("%s__%s__%s", m.hard.Target.Service.Name,
			p.Name.fullName(t.Name), uuid(m.cfg.UUID())))
		p.Tasks = append(p.Tasks, Task{Name: t.Name, ID: id, State: mesos.Staging,
			Since: m.now, Target: m.hard.Target.ID})
		m.asked[id] = question{again: m.now.Add(askMax / 4), wait: askMax / 4}
	}
	m.setPod(p)
	delete(w.wants, "pod/"+p.Name.String())
	o.Resources = match.Remaining
	m.offers[match.Offer] = o
	ops := append(offer.Operations(match), m.launchOperation(p, spec, o.Role))
	w.operations[match.Offer] = append(w.operations[match.Offer], ops...)
	if len(match.Reserve) > 0 {
		m.note(Info, CountReserves, "reserve", "pod", p.Name.String(), "host", o.Hostname,
			"reservation", string(reservation))
	}
	m.note(Info, CountLaunches, "launch", "pod", p.Name.String(), "host", o.Hostname)
}

// free destroys and unreserves what is offered of leftovers and strays, and forgets leftovers
// that are gone.
func (w *work) free() {
	m := w.m
	held := map[mesos.ReservationID]bool{}
	for _, name := range m.podNames() {
		if place := m.hard.Pods[name].Place; place != nil {
			held[place.Reservation] = true
		}
	}
	for _, id := range sortedOffers(m.offers) {
		w.freeIn(m.offers[id], held)
	}
	for _, id := range m.leftoverIDs() {
		w.wants["leftover/"+string(id)] = true
	}
}

// freeIn frees what one offer holds of reservations that no instance has.
func (w *work) freeIn(o mesos.Offer, held map[mesos.ReservationID]bool) {
	m := w.m
	ours := map[mesos.ReservationID]resource.List{}
	var order []mesos.ReservationID
	for _, r := range o.Resources {
		id, ok := m.ownReservation(r)
		if !ok || held[id] {
			continue
		}
		if ours[id] == nil {
			order = append(order, id)
		}
		ours[id] = append(ours[id], r)
	}
	for _, id := range m.leftoverIDs() {
		l := m.hard.Leftovers[id]
		if l.Agent != o.Agent || ours[id] != nil || !l.Freeing && l.Confirmed ||
			len(l.Tasks) > 0 {
			continue
		}
		if !l.Freeing {
			// It was never seen; the offer may be older than it, so one more is awaited.
			l.Freeing = true
			m.setLeftover(l)
			continue
		}
		delete(m.hard.Leftovers, id)
		m.write(DeleteLeftover{id})
		m.note(Info, CountUnreserves, "reservation freed", "reservation", string(id),
			"host", l.Hostname)
	}
	for _, id := range order {
		l, known := m.hard.Leftovers[id]
		if known && !l.Confirmed {
			l.Confirmed, l.Freeing = true, false
			m.setLeftover(l)
		}
		if known &&
			!withoutVolumes(ours[id]).Contains(withoutVolumes(l.Resources.WithRole(o.Role))) {
			continue // a part of it is still in use
		}
		if known && !l.Freeing {
			l.Freeing = true
			m.setLeftover(l)
		}
		w.operations[o.ID] = append(w.operations[o.ID], freeing(ours[id])...)
	}
}

// ownReservation gives the id of a reservation that this framework made.
func (m *Machine) ownReservation(r resource.Resource) (mesos.ReservationID, bool) {
	if len(r.Reservations) == 0 {
		return "", false
	}
	last := r.Reservations[len(r.Reservations)-1]
	if !last.Dynamic || last.Role != m.hard.Target.Service.Role {
		return "", false
	}
	var id, framework string
	for _, l := range last.Labels {
		switch l.Key {
		case labelReservation:
			id = l.Value
		case labelFramework:
			framework = l.Value
		}
	}
	return mesos.ReservationID(id), id != "" && framework == string(m.hard.Framework)
}

// freeing gives the operations that destroy the volumes in a list and unreserve all of it.
func freeing(list resource.List) []mesos.Operation {
	var ops []mesos.Operation
	if volumes := list.Volumes(); len(volumes) > 0 {
		ops = append(ops, mesos.Destroy{Volumes: volumes})
	}
	return append(ops, mesos.Unreserve{Resources: withoutVolumes(list)})
}

// withoutVolumes gives what a list comes to once the volumes in it are destroyed. An offer may
// show that state: the DESTROY was carried out and the UNRESERVE behind it was lost.
func withoutVolumes(list resource.List) resource.List {
	var plain resource.List
	for _, r := range list {
		if r.DiskInfo().PersistenceID != "" {
			disk := *r.Disk
			disk.PersistenceID, disk.Principal, disk.ContainerPath = "", "", ""
			r.Disk = &disk
			if disk == (resource.DiskInfo{}) {
				r.Disk = nil
			}
		}
		plain = append(plain, r)
	}
	return plain.Merged()
}

func (m *Machine) leftoverIDs() []mesos.ReservationID {
	ids := make([]mesos.ReservationID, 0, len(m.hard.Leftovers))
	for id := range m.hard.Leftovers {
		ids = append(ids, id)
	}
	sortIDs(ids)
	return ids
}

// uuid prints 16 random bytes as a version 4 UUID.
func uuid(b [16]byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
