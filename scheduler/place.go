package scheduler

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// Keys of the labels on our reservations, beside "resource_id", which package offer gives.
// "framework_id" is the predecessor's as well.
const (
	labelFramework   = "framework_id"
	LabelService     = "service"
	labelPod         = "pod"
	labelReservation = "reservation" // the Place.Reservation that it is a part of
)

// executorNeed is what an executor itself is given.
var executorNeed = offer.Scalars{CPUs: 100, Mem: 32, Disk: 256}

// launchOf says what is to be launched, and for whom.
type launchOf struct {
	pod   PodName
	spec  servicespec.Pod
	tasks []string
	// plan and step, by its id, are those that want it.
	plan, step string
	// beside says that it is only looked whether what it takes more is free beside what runs.
	beside bool
	// caretaker says that the controller of a Kafka node is to run alone.
	caretaker bool
	// before is the configuration that it is launched with, nil for the target; see asBefore.
	before *EarlierTarget
}

// place looks for a place for tasks of an instance, and launches them there.
func (w *work) place(l launchOf) {
	m, name := w.m, l.pod
	p, known := m.hard.Pods[name]
	if !known {
		p = Pod{Name: name, Incarnation: 1, New: m.adds(l.spec)}
	}
	if failures, notBefore := p.failures(l.tasks...); m.now.Before(notBefore) {
		m.waits[name] = fmt.Sprintf("backs off after %d failed launches", failures)
		return
	}
	reason := cmp.Or(m.holdFounding(name, l.spec), m.holdSecondLeader(name, l.spec),
		m.holdOutside(p, l))
	if reason != "" {
		m.waits[name] = reason
		return
	}
	if !m.connected {
		m.waits[name] = m.disconnected()
		return
	}
	if p.Place != nil && !p.Place.Confirmed && (p.anyRuns() || len(p.Place.Pending) > 0) {
		// A part of it may have been made: what runs, or not, is about to tell.
		m.waits[name] = "waits to see whether its reservation on " + p.hostname() + " was made"
		return
	}
	if m.goesYet(p, l) {
		m.waits[name] = "waits until what was reserved on " + p.hostname() +
			" for a task that was taken away is freed"
		return
	}
	w.wants[wantOf(name)] = true
	if m.tried[name] != l.step {
		m.tried[name], m.refusals[name] = l.step, nil
	}
	if p.unseen() {
		w.awaitUnseen(name)
	}
	if len(m.offers) == 0 {
		return
	}
	if w.lostPlace(p) {
		p = m.leave(p.gone(m.now)) // nobody tells, and what they would run on is offered
		m.setPod(p)
	}
	reservation := mesos.ReservationID(uuid(m.cfg.UUID()))
	if p.Place != nil {
		reservation = p.Place.Reservation
	}
	match, refusal := w.table().Evaluate(w.requirement(p, l, reservation))
	m.refusals[name] = refusal
	w.noteOutcomes(name, match, refusal)
	if refusal != nil {
		return
	}
	delete(m.tried, name)
	p.Caretaker = l.caretaker
	w.launch(p, l, match, reservation)
}

// goesYet reports whether a launch adds a set to a place while one that it had is not freed yet:
// that may be of the same name, and so of the same ids, and nobody could tell one from the other.
func (m *Machine) goesYet(p Pod, l launchOf) bool {
	adds := p.Place != nil && slices.ContainsFunc(l.tasks, func(task string) bool {
		ts, known := taskSpec(l.spec, task)
		return known && !slices.ContainsFunc(p.Place.Sets,
			func(s offer.SetResources) bool { return s.Name == ts.Resources.Name })
	})
	return adds && slices.ContainsFunc(m.leftoversOf(p.Name), func(left Leftover) bool {
		return slices.ContainsFunc(left.Resources, func(r resource.Resource) bool {
			return r.Label(labelReservation) == string(p.Place.Reservation)
		})
	})
}

// outcomesMost is how many outcomes of offers are kept for readers.
const outcomesMost = 100

func (m *Machine) latestOutcomes() []Outcome {
	return slices.Clip(m.outcomes[max(0, len(m.outcomes)-outcomesMost):])
}

// noteOutcomes keeps what became of offers that were looked at.
func (w *work) noteOutcomes(name PodName, match offer.Match, refusal *offer.Refusal) {
	m, table := w.m, w.table()
	note := func(o mesos.Offer) {
		m.outcomes = append(m.outcomes, Outcome{At: m.now, Pod: name.String(), Agent: o.Agent,
			Host: o.Hostname, Offer: o, Refusal: refusal})
	}
	if refusal == nil {
		note(table.Get(match).Offer) // nobody asked whether others fit: this one was better
	} else {
		for i := max(0, table.Len()-outcomesMost); i < table.Len(); i++ {
			note(table.Bundle(i).Offer)
		}
	}
	if n := len(m.outcomes); n > outcomesMost*5/4 { // not each time: readers have the list
		m.outcomes = slices.Clone(m.outcomes[n-outcomesMost:])
	}
}

// table is what is offered, ready for one instance after the other.
func (w *work) table() *offer.Table {
	if w.offers == nil {
		offers := make([]mesos.Offer, 0, len(w.m.offers))
		//tidy:unordered the table sorts them
		for _, o := range w.m.offers {
			offers = append(offers, o)
		}
		w.offers = offer.NewTable(offers)
		for i := range w.offers.Len() {
			id := w.offers.Bundle(i).Agent
			if seen := w.m.seen[id]; seen.Drain != nil || seen.Deactivated {
				w.offers.Drain(id)
			}
			w.offers.Bar(id, w.m.unfit(w.offers.Bundle(i).Attributes))
			w.occupyBy(w.m.lodgersAt(w.offers.Bundle(i).IP))
			w.occupyBy(w.m.lodgersAt(w.offers.Bundle(i).Hostname))
		}
		for _, taken := range w.m.foreignPorts {
			w.offers.Occupy(taken.host, taken.ports, "")
		}
	}
	return w.offers
}

// reservedRole is the role that resources of one place are reserved for.
func reservedRole(list resource.List) string {
	for _, r := range list {
		if n := len(r.Reservations); n > 0 {
			return r.Reservations[n-1].Role
		}
	}
	return ""
}

// placeResources is all that a place holds.
func placeResources(p Place) resource.List {
	list := append(resource.List(nil), p.Executor...)
	for _, set := range p.Sets {
		list = append(list, set.Resources...)
	}
	return list
}

// seenResources is what a place holds without the sets that were added to it and that nobody saw:
// what may have been made of those is freed as a stray.
func seenResources(p Place) resource.List {
	if p.Confirmed {
		p.Sets = slices.DeleteFunc(slices.Clone(p.Sets), func(s offer.SetResources) bool {
			return slices.Contains(p.Unseen, s.Name)
		})
	}
	return placeResources(p)
}

// each goes through the resources of a place, in the order of placeResources.
func (p *Place) each(yield func(*resource.Resource) bool) {
	for i := range p.Executor {
		if !yield(&p.Executor[i]) {
			return
		}
	}
	for _, set := range p.Sets {
		for i := range set.Resources {
			if !yield(&set.Resources[i]) {
				return
			}
		}
	}
}

// hasPorts reports whether a place has ports.
func (p *Place) hasPorts() bool {
	return slices.ContainsFunc(p.Sets, func(s offer.SetResources) bool { return len(s.Ports) > 0 })
}

// volumes are the ids of the volumes of a place.
func (p *Place) volumes() []mesos.PersistenceID {
	var ids []mesos.PersistenceID
	for r := range p.each {
		if r.Disk != nil && r.Disk.PersistenceID != "" {
			ids = append(ids, mesos.PersistenceID(r.Disk.PersistenceID))
		}
	}
	return ids
}

// hasVolume reports whether a place has a volume.
func (p *Place) hasVolume(id mesos.PersistenceID) bool {
	for r := range p.each {
		if r.Disk != nil && r.Disk.PersistenceID != "" &&
			mesos.PersistenceID(r.Disk.PersistenceID) == id {
			return true
		}
	}
	return false
}

// has reports whether a resource of a place has an id.
func (p *Place) has(id string) bool {
	for r := range p.each {
		if r.Label(resource.ResourceID) == id {
			return true
		}
	}
	return false
}

// requirement says what an instance needs for a launch: all of its sets if it has no place
// yet, and else those of the tasks to be launched.
func (w *work) requirement(p Pod, l launchOf, id mesos.ReservationID) offer.Requirement {
	m := w.m
	service := m.hard.Target.Service
	req := offer.Requirement{
		Pod: p.Name.String(), Role: service.RoleOf(l.spec), Principal: service.Principal,
		Reservation: id,
		Labels: []resource.Label{
			{Key: labelFramework, Value: string(m.hard.Framework)},
			{Key: LabelService, Value: service.Name},
			{Key: labelPod, Value: p.Name.String()},
			{Key: labelReservation, Value: string(id)},
		},
		Executor: executorNeed, Rule: l.spec.Placement, Where: l.spec.Where, Prefer: l.spec.Prefer,
		Volumes: m.volumes(l.spec.Volumes, l.beside),
	}
	seen := map[string]bool{}
	for _, t := range l.spec.Tasks {
		set := t.Resources
		if seen[set.Name] || p.Place != nil && !usesSet(l, set.Name) {
			continue
		}
		seen[set.Name] = true
		req.Sets = append(req.Sets, offer.SetNeed{
			Name:    set.Name,
			Scalars: offer.Scalars{CPUs: set.CPUs, GPUs: set.GPUs, Mem: set.Memory},
			Ports:   set.Ports, Volumes: m.volumes(set.Volumes, l.beside),
		})
	}
	if p.Place == nil {
		req.Peers = m.peers(p.Name.Type)
		req.Rule = aimed(req.Rule, p.Move)
	} else {
		req.Kept = &offer.Kept{
			Agent: p.Place.Agent, Hostname: p.Place.Hostname, Executor: p.Place.Executor,
			ExecutorRuns: p.anyRuns(), Sets: p.Place.Sets, Unseen: p.Place.Unseen,
			Doubted: doubted(p, l.spec),
			Drop:    dropped(*p.Place, l.spec)}
	}
	return req
}

// usesSet reports whether a task to be launched has a resource set.
func usesSet(l launchOf, set string) bool {
	return slices.ContainsFunc(l.tasks, func(name string) bool {
		ts, ok := taskSpec(l.spec, name)
		return ok && ts.Resources.Name == set
	})
}

// dropped are the sets of a place that the spec has no more.
func dropped(place Place, spec servicespec.Pod) []string {
	var names []string
	for _, set := range place.Sets {
		if !slices.ContainsFunc(spec.Tasks,
			func(t servicespec.Task) bool { return t.Resources.Name == set.Name }) {
			names = append(names, set.Name)
		}
	}
	return names
}

// takenPorts are ports in use on a host, which is an agent's address or host name.
type takenPorts struct {
	host  string
	ports resource.Ranges
}

// occupyBy sees to it that nobody gets the ports of some instances.
func (w *work) occupyBy(names []PodName) {
	for _, name := range names {
		w.occupy(*w.m.hard.Pods[name].Place)
	}
}

// occupy sees to it that nobody gets the ports of a place: agents that share one address offer
// all of its ports, each.
func (w *work) occupy(p Place) {
	for _, taken := range portsAt(p) {
		w.offers.Occupy(taken.host, taken.ports, p.Agent)
	}
}

// portsAt are the ports of a place, at its agent's address and under its name.
func portsAt(p Place) []takenPorts {
	var ports []resource.Range
	for _, set := range p.Sets {
		for _, port := range set.Ports {
			ports = append(ports, resource.Range{
				Begin: uint64(port.Number), End: uint64(port.Number)})
		}
	}
	if len(ports) == 0 {
		return nil
	}
	ranges := resource.NewRanges(ports...)
	return []takenPorts{{p.IP, ranges}, {p.Hostname, ranges}}
}

// volumes gives each volume the id that it is made under, or none where nothing is made.
func (m *Machine) volumes(specs []servicespec.Volume, beside bool) []offer.VolumeNeed {
	var needs []offer.VolumeNeed
	for _, v := range specs {
		need := offer.VolumeNeed{Volume: v}
		if !beside {
			need.ID = mesos.PersistenceID(uuid(m.cfg.UUID()))
		}
		needs = append(needs, need)
	}
	return needs
}

// peers are the places of the instances of a type that have one, counted once and from then on
// kept up to date.
func (m *Machine) peers(kind string) *placement.Crowd {
	crowd := m.crowds[kind]
	if crowd == nil {
		crowd = placement.NewCrowd()
		for _, name := range m.podNames() {
			if p := m.hard.Pods[name]; name.Type == kind && p.Place != nil {
				crowd.Add(agentOf(*p.Place))
			}
		}
		m.crowds[kind] = crowd
	}
	return crowd
}

// lodgersAt are the instances that have a place with ports on a host, by its address or name; as
// peers are, they are looked up once and then kept up to date.
func (m *Machine) lodgersAt(host string) []PodName {
	if m.lodgers == nil {
		m.lodgers = map[string][]PodName{}
		for _, name := range m.podNames() {
			if place := m.hard.Pods[name].Place; place != nil {
				m.lodge(name, *place)
			}
		}
	}
	return m.lodgers[host]
}

func (m *Machine) lodge(name PodName, at Place) {
	if !at.hasPorts() {
		return
	}
	for _, host := range []string{at.IP, at.Hostname} {
		m.lodgers[host] = append(m.lodgers[host], name)
	}
}

// unlodge is the opposite of lodge.
func (m *Machine) unlodge(name PodName, from Place) {
	if !from.hasPorts() {
		return
	}
	for _, host := range []string{from.IP, from.Hostname} {
		if i := slices.Index(m.lodgers[host], name); i >= 0 {
			m.lodgers[host] = slices.Delete(m.lodgers[host], i, i+1)
		}
	}
}

// moved keeps peers, lodgers and marks up to date when the place of an instance changes.
func (m *Machine) moved(name PodName, from, to *Place) {
	if from == to {
		return
	}
	if spec := m.index.pods[name.Type]; spec != nil && spec.ZooKeeper != nil {
		clear(m.index.marks)
	}
	crowd := m.crowds[name.Type]
	if from != nil {
		m.unlodge(name, *from)
		if crowd != nil {
			crowd.Remove(agentOf(*from))
		}
	}
	if to != nil {
		if m.lodgers != nil {
			m.lodge(name, *to)
		}
		if crowd != nil {
			crowd.Add(agentOf(*to))
		}
	}
}

// agentOf is what placement rules can ask of a place.
func agentOf(p Place) placement.Agent {
	agent := placement.Agent{
		Hostname: p.Hostname, Region: p.Domain.Region, Zone: p.Domain.Zone}
	for _, a := range p.Attributes {
		agent.Attributes = append(agent.Attributes, placement.Attribute(a))
	}
	return agent
}

// uuid prints 16 random bytes as a version 4 UUID.
func uuid(b [16]byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
