package scheduler

import (
	"reflect"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Which instances a pass looks at.
//
// An instance is restless from when anything of it changes until a pass has found nothing more to
// be done for it, now or at any later time: see rests. A pass looks at those that are restless,
// and so does what makes pictures and checks invariants. Commands, subscriptions and all that
// concerns the service as a whole make all of them restless, and that is the full pass. With
// Config.Thorough each pass is one; both must do the same.
//
// Those that were never launched and want a place rest too while there are no offers; what they
// want stands, see Machine.wanting.

// nameSet is a set of instances; all stands for every one that there is or may be.
type nameSet struct {
	all   bool
	names map[PodName]bool
}

func (s *nameSet) add(name PodName) {
	if s.all {
		return
	}
	if s.names == nil {
		s.names = map[PodName]bool{}
	}
	s.names[name] = true
}

func (s *nameSet) has(name PodName) bool { return s.all || s.names[name] }

// addAll takes in every instance; clear none.
func (s *nameSet) addAll() { *s = nameSet{all: true} }

func (s *nameSet) clear() { *s = nameSet{} }

// sorted lists the instances of a set that is not all.
func (s *nameSet) sorted() []PodName {
	list := make([]PodName, 0, len(s.names))
	for name := range s.names {
		list = append(list, name)
	}
	sortPods(list)
	return list
}

// stir makes an instance restless: something that concerns it has changed.
func (m *Machine) stir(name PodName) {
	if !m.restless.has(name) {
		m.restless.add(name)
		m.visiting = nil
	}
}

// stirAll makes all instances restless.
func (m *Machine) stirAll() {
	m.rouseWanting()
	m.restless.addAll()
	m.visiting = nil
}

// rouseWanting makes those restless that rest and want a place.
func (m *Machine) rouseWanting() {
	//tidy:unordered a set is added to another
	for name := range m.wanting {
		m.rouse(name)
	}
}

// rouse makes an instance restless that rests and wants a place.
func (m *Machine) rouse(name PodName) {
	if m.wanting[name] {
		delete(m.wanting, name)
		m.wants[wantOf(name)] = true
		m.stir(name)
	}
}

// rousePassedOver makes those restless that rest and want a place, and whose turn it is not any
// more: something that their plan waits for has fallen.
func (m *Machine) rousePassedOver(candidates []plans.Step) {
	if len(m.wanting) == 0 {
		return
	}
	turn := make(map[PodName]bool, len(m.wanting))
	for _, s := range candidates {
		if name := (PodName{s.Pod, s.Index}); m.wanting[name] {
			turn[name] = true
		}
	}
	if len(turn) == len(m.wanting) {
		return
	}
	//tidy:unordered a set is added to another
	for name := range m.wanting {
		if !turn[name] {
			m.rouse(name)
		}
	}
}

// wantOf is the key of an instance in wants.
func wantOf(name PodName) string { return "pod/" + name.String() }

// wantsOffers reports whether anything wants an offer, as last told.
func (m *Machine) wantsOffers() bool { return len(m.wants) > 0 || len(m.wanting) > 0 }

// visits lists the restless instances that have a record, by type and index. The list is never
// changed in place.
func (m *Machine) visits() []PodName {
	if m.restless.all {
		return m.podNames()
	}
	if m.visiting != nil {
		return m.visiting
	}
	m.visiting = []PodName{}
	if names := m.podNames(); len(m.restless.names) > len(names)/8 {
		for _, name := range names {
			if m.restless.names[name] {
				m.visiting = append(m.visiting, name)
			}
		}
		return m.visiting
	}
	for name := range m.restless.names {
		if _, known := m.hard.Pods[name]; known {
			m.visiting = append(m.visiting, name)
		}
	}
	sortPods(m.visiting)
	return m.visiting
}

// calm ends the restlessness of the instances for which a pass has found nothing more to be done.
func (m *Machine) calm() {
	if m.hard.Intent != Run || m.cfg.Thorough {
		m.stirAll()
		return
	}
	m.statuses() // of those that are calmed now for as long as they are calm
	var restless nameSet
	keep := func(name PodName) {
		switch _, known := m.hard.Pods[name]; {
		case m.rests(name):
			m.undrawn.add(name)
		case !known && m.wants[wantOf(name)] && m.mayRest(name):
			delete(m.wants, wantOf(name))
			m.wanting[name] = true
			m.undrawn.add(name)
		default:
			restless.add(name)
		}
	}
	if m.restless.all {
		m.undrawn.addAll()
		for _, name := range m.wantedPods() {
			keep(name)
		}
	} else {
		//tidy:unordered a set becomes another
		for name := range m.restless.names {
			keep(name)
		}
	}
	m.restless, m.visiting = restless, nil
}

// rests reports whether nothing is to be done for an instance before something of it changes,
// because it is all that the target wants, because it is on its way there, or because the plans
// have not come to it: whom they come to is looked at in any case.
func (m *Machine) rests(name PodName) bool {
	if m.tried[name] != "" || m.refusals[name] != nil || !m.mayRest(name) {
		return false
	}
	p, known := m.hard.Pods[name]
	return !known || m.plain(p, m.index.pods[name.Type])
}

// mayRest reports whether nothing is said of an instance for this pass alone, and it does not
// depend on what Kafka says.
func (m *Machine) mayRest(name PodName) bool {
	spec := m.index.pods[name.Type]
	if spec == nil || name.Index >= spec.Count || spec.Kafka != nil ||
		spec.ZooKeeper != nil || m.waits[name] != "" {
		return false
	}
	if r := m.recovery[name]; r != nil && !r.done {
		return false
	}
	return len(m.blocked) == 0 || !slices.ContainsFunc(m.index.steps[name],
		func(at stepAt) bool {
			return m.blocked[m.index.built[0].Phases[at.phase].Steps[at.step].ID] != ""
		})
}

// plain reports whether a record is that of an instance that is as it should be, or comes up.
// Whatever it says beyond what is named here is a reason to look at it again.
func (m *Machine) plain(p Pod, spec *servicespec.Pod) bool {
	if p.Place == nil || len(p.Place.More) > 0 || len(dropped(*p.Place, *spec)) > 0 {
		return false
	}
	for _, t := range p.Tasks {
		ts, wanted := taskSpec(*spec, t.Name)
		if !wanted || !m.plainTask(t, ts) {
			return false
		}
	}
	p.Name, p.Incarnation, p.Place, p.Executor = PodName{}, 0, nil, Executor{}
	p.Tasks, p.Ran, p.Failed = nil, false, nil
	return reflect.ValueOf(p).IsZero()
}

// plainTask is plain for one task: it was never launched, comes up, or does its work.
func (m *Machine) plainTask(t Task, ts servicespec.Task) bool {
	_, told := m.kills[t.ID]
	switch {
	case t.ID == "":
		return t.Deployed == "" && !t.Paused && !t.Again
	case told, !t.complete(ts) && !t.runs():
		return false
	case t.complete(ts) && (!t.WasReady || t.Deployed != m.hard.Target.ID):
		return false // completed notes it
	}
	t.Name, t.ID, t.State, t.Since, t.Reason, t.Message = "", "", "", time.Time{}, "", ""
	t.Executor, t.Last, t.Reached, t.IP = "", nil, nil, ""
	t.Ready, t.Healthy, t.Target, t.Launch = nil, nil, "", ""
	t.WasReady, t.Deployed, t.Params = false, "", nil
	return reflect.ValueOf(t).IsZero()
}
