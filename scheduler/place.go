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

// Keys of the labels on our reservations, beside "resource_id", which package offer gives.
// "framework_id" is the predecessor's as well.
const (
	labelFramework   = "framework_id"
	labelService     = "service"
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
	// caretaker says that the controller of a Kafka node is to run alone.
	caretaker bool
}

// place looks for a place for tasks of an instance, and launches them there.
func (w *work) place(l launchOf) {
	m, name := w.m, l.pod
	p, known := m.hard.Pods[name]
	if !known {
		p = Pod{Name: name, Incarnation: 1}
	}
	if failures, notBefore := p.failures(l.tasks...); m.now.Before(notBefore) {
		m.waits[name] = fmt.Sprintf("backs off after %d failed launches", failures)
		return
	}
	if reason := m.holdFounding(name, l.spec); reason != "" {
		m.waits[name] = reason
		return
	}
	if !m.connected {
		m.waits[name] = m.disconnected()
		return
	}
	if p.Place != nil && !p.Place.Confirmed && p.anyRuns() {
		// A part of it may have been made: what runs, or not, is about to tell.
		m.waits[name] = "waits to see whether its reservation on " + p.hostname() + " was made"
		return
	}
	w.wants["pod/"+name.String()] = true
	if m.tried[name] != l.step {
		m.tried[name], m.refusals[name] = l.step, nil
	}
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
	offers := m.sortedOffers()
	match, refusal := offer.Evaluate(w.requirement(p, l, reservation), offers)
	m.refusals[name] = refusal
	m.noteOutcomes(name, offers, match, refusal)
	if refusal != nil {
		return
	}
	delete(m.tried, name)
	p.Caretaker = l.caretaker
	w.launch(p, l, match, reservation)
}

// outcomesMost is how many outcomes of offers are kept.
const outcomesMost = 100

// noteOutcomes keeps what became of offers that were looked at.
func (m *Machine) noteOutcomes(
	name PodName, offers []mesos.Offer, match offer.Match, refusal *offer.Refusal,
) {
	reasons := map[mesos.AgentID][]offer.Reason{}
	if refusal != nil {
		for _, a := range refusal.Agents {
			reasons[a.Agent] = a.Reasons
		}
	}
	for _, o := range offers {
		outcome := Outcome{At: m.now, Pod: name.String(), Agent: o.Agent, Host: o.Hostname,
			Offer: o, Reasons: reasons[o.Agent], Fits: refusal == nil}
		if outcome.Fits && o.ID != match.Offer {
			continue // another was better; nobody asked whether this one fits
		}
		m.outcomes = append(m.outcomes, outcome)
	}
	if n := len(m.outcomes); n > outcomesMost {
		m.outcomes = slices.Clone(m.outcomes[n-outcomesMost:])
	}
}

// lostPlace reports whether a reservation that nobody ever saw turns out not to be what it
// should: its agent makes an offer, and it is not in there, or its volumes are not. What may
// exist of it is freed as a leftover. When other parts are missing, an executor still has them.
func (m *Machine) lostPlace(p Pod) bool {
	if p.Place == nil || p.Place.Confirmed || p.anyLive() {
		return false
	}
	offered, part, role := false, resource.List{}, ""
	ids := resourceIDs(placeResources(*p.Place))
	for _, id := range sortedOffers(m.offers) {
		o := m.offers[id]
		if o.Agent == p.Place.Agent {
			offered, role = true, o.Role
			part = part.Add(o.Resources.Filter(func(r resource.Resource) bool {
				return slices.Contains(ids, r.Label(resource.ResourceID))
			})...)
		}
	}
	whole := placeResources(*p.Place).WithRole(role)
	return offered && !part.Contains(whole) &&
		(len(part) == 0 || part.WithoutVolumes().Contains(whole.WithoutVolumes()))
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
	for _, set := range p.Sets {
		list = append(list, set.Resources...)
	}
	return list
}

// requirement says what an instance needs for a launch: all of its sets if it has no place
// yet, and else those of the tasks to be launched.
func (w *work) requirement(p Pod, l launchOf, id mesos.ReservationID) offer.Requirement {
	m := w.m
	service := m.hard.Target.Service
	req := offer.Requirement{
		Pod: p.Name.String(), Role: service.Role, Principal: service.Principal,
		Reservation: id,
		Labels: []resource.Label{
			{Key: labelFramework, Value: string(m.hard.Framework)},
			{Key: labelService, Value: service.Name},
			{Key: labelPod, Value: p.Name.String()},
			{Key: labelReservation, Value: string(id)},
		},
		Executor: executorNeed, Rule: l.spec.Placement, Prefer: l.spec.Prefer,
		Volumes: m.volumes(l.spec.Volumes),
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
			Ports:   set.Ports, Volumes: m.volumes(set.Volumes),
		})
	}
	if slices.ContainsFunc(req.Sets, func(s offer.SetNeed) bool { return len(s.Ports) > 0 }) {
		req.Taken = w.takenPorts()
	}
	if p.Place == nil {
		req.Peers = w.peers(p.Name.Type)
	} else {
		req.Kept = &offer.Kept{
			Agent: p.Place.Agent, Hostname: p.Place.Hostname, Executor: p.Place.Executor,
			ExecutorRuns: p.anyRuns(), Sets: p.Place.Sets, Unseen: p.Place.Unseen,
			Drop: dropped(*p.Place, l.spec)}
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

// takenPorts are those of all places, and those that were found to be in use by others: agents
// that share one address offer all of its ports, each.
func (w *work) takenPorts() []offer.TakenPorts {
	if w.taken == nil {
		w.taken = slices.Clone(w.m.foreignPorts)
		for _, name := range w.m.podNames() {
			if place := w.m.hard.Pods[name].Place; place != nil {
				w.taken = append(w.taken, portsAt(*place)...)
			}
		}
	}
	return slices.Clip(w.taken)
}

// portsAt are the ports of a place, at its agent's address and under its name.
func portsAt(p Place) []offer.TakenPorts {
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
	return []offer.TakenPorts{{Host: p.IP, Ports: ranges}, {Host: p.Hostname, Ports: ranges}}
}

// placed takes in where an instance was just put.
func (w *work) placed(name PodName, p Place) {
	if w.taken != nil {
		w.taken = append(w.taken, portsAt(p)...)
	}
	if w.crowds[name.Type] != nil {
		w.crowds[name.Type] = append(w.crowds[name.Type], agentOf(p))
	}
}

func (m *Machine) volumes(specs []servicespec.Volume) []offer.VolumeNeed {
	var needs []offer.VolumeNeed
	for _, v := range specs {
		needs = append(needs, offer.VolumeNeed{
			Volume: v, ID: mesos.PersistenceID(uuid(m.cfg.UUID()))})
	}
	return needs
}

// peers are the places of the instances of a type that have one.
func (w *work) peers(kind string) []placement.Agent {
	if w.crowds[kind] == nil {
		crowd := []placement.Agent{}
		for _, name := range w.m.podNames() {
			if p := w.m.hard.Pods[name]; name.Type == kind && p.Place != nil {
				crowd = append(crowd, agentOf(*p.Place))
			}
		}
		w.crowds[kind] = crowd
	}
	return slices.Clip(w.crowds[kind])
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
