package scheduler

import (
	"reflect"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Which instances a pass looks at.
//
// An instance is restless from when anything of it changes until a pass has found nothing more to
// be done for it, now or at any later time: see rests. A pass looks at those that are restless,
// and so does what makes pictures and checks invariants. Commands, subscriptions and all that
// concerns the service as a whole make all of them restless, and that is the full pass. With
// Config.Thorough each pass is one; both must do the same.

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
	m.restless.addAll()
	m.visiting = nil
}

// visits lists the restless instances that have a record, by type and index. The list is never
// changed in place.
func (m *Machine) visits() []PodName {
	if m.restless.all {
		return m.podNames()
	}
	if m.visiting == nil {
		m.visiting = slices.DeleteFunc(m.restless.sorted(), func(name PodName) bool {
			_, known := m.hard.Pods[name]
			return !known
		})
	}
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
		if !m.rests(name) {
			restless.add(name)
			return
		}
		m.undrawn.add(name)
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
// because it is all that the target wants, or because the plans have not come to it.
func (m *Machine) rests(name PodName) bool {
	p, known := m.hard.Pods[name]
	spec, wanted := m.spec(name)
	if !wanted || spec.Kafka != nil || m.waits[name] != "" || m.tried[name] != "" ||
		m.refusals[name] != nil {
		return false
	}
	if r := m.recovery[name]; r != nil && !r.done {
		return false
	}
	for _, at := range m.index.steps[name] {
		s := m.index.built[0].Phases[at.phase].Steps[at.step]
		if m.blocked[s.ID] != "" || known != m.done(planDeploy, s, p) {
			return false
		}
	}
	return !known || m.plain(p, spec)
}

// plain reports whether a record is that of an instance that is as it should be. Whatever it
// says beyond what is named here is a reason to look at it again.
func (m *Machine) plain(p Pod, spec servicespec.Pod) bool {
	if p.Place == nil || !p.Place.Confirmed || len(p.Place.Unseen) > 0 ||
		len(dropped(*p.Place, spec)) > 0 {
		return false
	}
	for _, t := range p.Tasks {
		ts, wanted := taskSpec(spec, t.Name)
		if !wanted || !m.plainTask(t, ts) {
			return false
		}
	}
	p.Name, p.Incarnation, p.Place, p.Executor = PodName{}, 0, nil, Executor{}
	p.Tasks, p.Ran, p.Failed = nil, false, nil
	return reflect.ValueOf(p).IsZero()
}

// plainTask is plain for one task: it was never wanted, or does its work for good.
func (m *Machine) plainTask(t Task, ts servicespec.Task) bool {
	_, told := m.kills[t.ID]
	switch {
	case t.ID == "":
		return t.Deployed == "" && !t.Paused && !t.Again
	case told, !t.complete(ts), !t.WasReady, t.Deployed != m.hard.Target.ID:
		return false
	}
	t.Name, t.ID, t.State, t.Since, t.Reason, t.Message = "", "", "", time.Time{}, "", ""
	t.Executor, t.Last, t.Reached, t.IP = "", nil, nil, ""
	t.Ready, t.Healthy, t.Target, t.Launch = nil, nil, "", ""
	t.WasReady, t.Deployed, t.Params = false, "", nil
	return reflect.ValueOf(t).IsZero()
}
