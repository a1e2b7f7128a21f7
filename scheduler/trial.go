package scheduler

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Trial tells where the instances of a service would go, by what the machine itself does when
// offers come, without launching anything: each instance is fitted into what those before it left,
// as if it were stopped at that moment and all others ran.
type Trial struct {
	m      *Machine
	w      *work
	offers []mesos.Offer // what there is, reserved or not
}

// NewTrial begins with what each agent would offer if nothing of the service ran, and with the
// places that instances have there already. What is offered is for the service's role, whatever it
// was for.
func NewTrial(
	service servicespec.Service, offers []mesos.Offer, places map[PodName]Place,
) *Trial {
	ids := uint64(0)
	t := &Trial{m: Restore(Config{
		Target: Target{ID: "trial", Service: service},
		UUID: func() (id [16]byte) {
			ids++
			binary.BigEndian.PutUint64(id[8:], ids)
			return id
		},
	}, Hard{})}
	t.m.adoptTarget()
	//tidy:unordered each for itself
	for name, place := range places {
		t.m.filePod(Pod{Name: name, Incarnation: 1, Place: &place})
	}
	for _, o := range offers {
		o.Role = service.Role
		o.Resources = o.Resources.WithRole(o.Role)
		t.offers = append(t.offers, o)
	}
	return t
}

// Names lists the instances that the service shall have, in the order in which the plan deploy
// comes to them; those that it does not launch come last.
func (t *Trial) Names() []PodName {
	var names []PodName
	add := func(name PodName) {
		if _, wanted := t.m.spec(name); wanted && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, phase := range t.m.plans()[0].Phases {
		for _, s := range phase.Steps {
			add(PodName{s.Pod, s.Index})
		}
	}
	for _, p := range t.m.hard.Target.Service.Pods {
		for i := range p.Count {
			add(PodName{p.Type, i})
		}
	}
	return names
}

// Surplus lists the instances that have a place and that the service shall not have.
func (t *Trial) Surplus() []PodName {
	return slices.DeleteFunc(slices.Clone(t.m.podNames()), func(name PodName) bool {
		_, wanted := t.m.spec(name)
		return wanted
	})
}

// Placed gives the place of an instance, nil if it has none.
func (t *Trial) Placed(name PodName) *Place { return t.m.hard.Pods[name].Place }

// Places are all of them.
func (t *Trial) Places() map[PodName]Place {
	places := map[PodName]Place{}
	for _, name := range t.m.podNames() {
		if place := t.Placed(name); place != nil {
			places[name] = *place
		}
	}
	return places
}

// Offers are what the agents would offer now if nothing of the service ran.
func (t *Trial) Offers() []mesos.Offer { return slices.Clone(t.offers) }

// Place finds a place for an instance, or brings it back to the one that it has, and reserves what
// that takes.
func (t *Trial) Place(name PodName) (offer.Match, *offer.Refusal) {
	p := t.m.hard.Pods[name]
	p.Name = name
	match, refusal := t.ask(p)
	if refusal != nil {
		return match, refusal
	}
	i := slices.IndexFunc(t.offers, func(o mesos.Offer) bool { return o.Agent == match.Agent })
	o := &t.offers[i]
	t.m.filePod(Pod{Name: name, Incarnation: 1, Place: &Place{
		Agent: o.Agent, Hostname: o.Hostname, IP: o.IP, Domain: o.Domain,
		Attributes: o.Attributes, Reservation: t.reservation(p), Confirmed: true,
		Executor: match.Executor, Sets: match.Sets,
	}})
	o.Resources = carriedOut(o.Resources, match)
	t.w.offers.Take(match)
	t.w.occupy(*t.Placed(name))
	if len(match.Unreserve) > 0 {
		t.w = nil // what was given back is there for others
	}
	return match, nil
}

// Elsewhere tells whether an instance would find a place if it had none: replaced, it would.
func (t *Trial) Elsewhere(name PodName) (offer.Match, *offer.Refusal) {
	p := t.m.hard.Pods[name]
	without := Pod{Name: name, Incarnation: p.Incarnation + 1}
	t.m.filePod(without)
	defer t.m.filePod(p)
	return t.ask(without)
}

// ask fits an instance into what there is.
func (t *Trial) ask(p Pod) (offer.Match, *offer.Refusal) {
	if t.w == nil {
		t.m.offers = make(map[mesos.OfferID]mesos.Offer, len(t.offers))
		for _, o := range t.offers {
			t.m.offers[o.ID] = o
		}
		t.w = &work{m: t.m}
	}
	spec, _ := t.m.spec(p.Name)
	l := launchOf{pod: p.Name, spec: spec}
	for _, task := range spec.Tasks {
		l.tasks = append(l.tasks, task.Name)
	}
	return t.w.table().Evaluate(t.w.requirement(p, l, t.reservation(p)))
}

// reservation is what the ids of an instance's resources are derived from.
func (t *Trial) reservation(p Pod) mesos.ReservationID {
	if p.Place != nil {
		return p.Place.Reservation
	}
	return mesos.ReservationID(fmt.Sprintf("trial-%s", p.Name))
}

// carriedOut gives what an agent has once the operations of a match are done, as the master does
// them. The match is of these resources, so nothing can be missing.
func carriedOut(have resource.List, m offer.Match) resource.List {
	exchange := func(from, to resource.List) {
		rest, err := have.Sub(from)
		if err != nil {
			panic("scheduler: a match is of something else: " + err.Error())
		}
		have = rest.Add(to...)
	}
	exchange(m.Destroy, m.Destroy.WithoutVolumes())
	exchange(m.Unreserve, m.Unreserve.PopReservation())
	exchange(m.Reserve.PopReservation(), m.Reserve)
	exchange(m.Create.WithoutVolumes(), m.Create)
	return have
}

// FindPlaces tells from the labels on reserved resources which places the instances of a service
// have. Where an instance has several, the one that holds most counts.
func FindPlaces(service servicespec.Service, agents []mesos.Offer) map[PodName]Place {
	places := map[PodName]Place{}
	for _, o := range agents {
		for _, spec := range service.Pods {
			for i := range spec.Count {
				name := PodName{spec.Type, i}
				place, found := placeIn(service.Name, name, spec, o)
				held := func(p Place) int { return len(placeResources(p)) }
				if old, known := places[name]; found && (!known || held(old) < held(place)) {
					places[name] = place
				}
			}
		}
	}
	return places
}

// placeIn finds the place of an instance on one agent.
func placeIn(
	service string, name PodName, spec servicespec.Pod, o mesos.Offer,
) (Place, bool) {
	place := Place{Agent: o.Agent, Hostname: o.Hostname, IP: o.IP, Domain: o.Domain,
		Attributes: o.Attributes, Confirmed: true}
	held := map[string]resource.List{}
	for _, r := range o.Resources.WithoutRole() {
		id := mesos.ReservationID(r.Label(labelReservation))
		if r.Label(LabelService) != service || r.Label(labelPod) != name.String() || id == "" ||
			place.Reservation != "" && place.Reservation != id {
			continue
		}
		place.Reservation = id
		resourceID := r.Label(resource.ResourceID)
		held[resourceID] = held[resourceID].Add(r)
	}
	if place.Reservation == "" {
		return Place{}, false
	}
	take := func(set string, names ...string) resource.List {
		var list resource.List
		for _, of := range names {
			list = append(list, held[offer.ResourceID(place.Reservation, set, of)]...)
		}
		return list
	}
	scalars := []string{resource.CPUs, resource.GPUs, resource.Mem, resource.Disk}
	place.Executor = take("", append(pathsOf(spec.Volumes), scalars...)...)
	for _, task := range spec.Tasks {
		set := task.Resources
		got := offer.SetResources{Name: set.Name}
		if slices.ContainsFunc(place.Sets,
			func(s offer.SetResources) bool { return s.Name == set.Name }) {
			continue
		}
		got.Resources = take(set.Name, append(pathsOf(set.Volumes), scalars...)...)
		for _, port := range set.Ports {
			list := take(set.Name, offer.PortID(port.Name))
			if len(list) == 0 || len(list[0].Ranges) == 0 {
				continue
			}
			got.Ports = append(got.Ports, offer.PortUse{
				Name: port.Name, Number: int(list[0].Ranges[0].Begin)})
			got.Resources = append(got.Resources, list...)
		}
		if len(got.Resources) > 0 {
			place.Sets = append(place.Sets, got)
		}
	}
	return place, true
}

func pathsOf(volumes []servicespec.Volume) []string {
	var paths []string
	for _, v := range volumes {
		paths = append(paths, v.Path)
	}
	return paths
}

// Forbidden says what in a change of a service could not be rolled out.
func Forbidden(old, next servicespec.Service) []string {
	return forbidden(canonical(old), canonical(next))
}
