package scheduler

import (
	"slices"
	"sort"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// How instances go for good while the service stays: those that a
// smaller count or a removed pod leaves over, one after the other.

// farewell is what there was of an instance when its decommissioning began, so that the plan
// keeps its steps while they come true.
type farewell struct {
	order int
	tasks []string // sorted
	ids   []string // of its resources
	// empties says that it is a broker whose replicas have to leave it, forgets that it is a Kafka
	// node that the controllers have to forget.
	empties, forgets bool
}

// decommissionPlan has a phase for each instance that the target does not want: later pods of
// the spec first, those of removed pods before all, and of one pod the highest index first.
func (m *Machine) decommissionPlan() plans.Plan {
	plan := plans.Plan{Name: planDecommission, Strategy: servicespec.Serial}
	if m.hard.Intent == Run || m.hard.Intent == Stop {
		m.noteLeaving()
	}
	names := make([]PodName, 0, len(m.farewells))
	for name := range m.farewells {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		return m.farewells[names[i]].order < m.farewells[names[j]].order
	})
	for _, name := range names {
		f := m.farewells[name]
		phase := plans.NewPhase(planDecommission, name.String(), servicespec.Serial)
		add := func(verb, what string) {
			phase.Steps = append(phase.Steps, plans.NewSubjectStep(planDecommission,
				phase.Name, verb+"-"+what, verb+" "+what))
			last := &phase.Steps[len(phase.Steps)-1]
			last.Pod, last.Index = name.Type, name.Index
		}
		if f.empties {
			add("empty", name.String())
		}
		for _, task := range f.tasks {
			add("kill", name.fullName(task))
		}
		if f.forgets {
			add("forget", name.String())
		}
		for _, id := range f.ids {
			add("unreserve", id)
		}
		for _, task := range f.tasks {
			add("erase", name.fullName(task))
		}
		if len(phase.Steps) > 0 {
			plan.Phases = append(plan.Phases, phase)
		}
	}
	return plan
}

// noteLeaving takes in who is to go, and forgets whom the target wants again.
func (m *Machine) noteLeaving() {
	var leaving []PodName
	for _, name := range m.visits() {
		if _, wanted := m.spec(name); !wanted && m.farewells[name].order == 0 {
			leaving = append(leaving, name)
		}
	}
	for name := range m.farewells {
		if _, wanted := m.spec(name); wanted {
			delete(m.farewells, name)
		}
	}
	position := func(n PodName) int {
		return slices.IndexFunc(m.hard.Target.Service.Pods,
			func(p servicespec.Pod) bool { return p.Type == n.Type })
	}
	sort.SliceStable(leaving, func(i, j int) bool {
		a, b := position(leaving[i]), position(leaving[j])
		if (a < 0) != (b < 0) {
			return a < 0
		}
		return a > b || a == b && leaving[i].Index > leaving[j].Index
	})
	for _, name := range leaving {
		p := m.hard.Pods[name]
		f := m.farewellOf(name)
		f.order = m.nextOrder()
		for _, t := range p.Tasks {
			if t.ID != "" || m.remembered(p) {
				f.tasks = append(f.tasks, t.Name)
			}
		}
		slices.Sort(f.tasks)
		if p.Place != nil {
			f.ids = resourceIDs(placeResources(*p.Place))
		}
		for _, l := range m.leftoversOf(name) {
			f.ids = append(f.ids, resourceIDs(l.Resources)...)
		}
		m.farewells[name] = f
	}
}

// resourceIDs are the ids on reserved resources, each once, in their order.
func resourceIDs(list resource.List) []string {
	var ids []string
	for _, r := range list {
		if id := r.Label(resource.ResourceID); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// hasID reports whether a resource of a list has an id.
func hasID(list resource.List, id string) bool {
	return slices.ContainsFunc(list,
		func(r resource.Resource) bool { return r.Label(resource.ResourceID) == id })
}

// forgetEmpty forgets the instances that are to go and have nothing, and left nothing.
func (m *Machine) forgetEmpty() {
	for _, name := range m.visits() {
		p := m.hard.Pods[name]
		_, wanted := m.spec(name)
		if !wanted && !p.launched() && p.Place == nil && len(m.leftoversOf(name)) == 0 &&
			!m.remembered(p) {
			m.forgetPod(name)
		}
	}
}

// remembered reports whether Kafka may count on an instance of which nothing is there, as it was
// being replaced: as a voter, or as a broker that has replicas. It may have become either before it
// was complete, and in its last moment, since Kafka was asked.
func (m *Machine) remembered(p Pod) bool {
	if p.launched() || !m.farewellOf(p.Name).forgets {
		return false
	}
	spec, _ := m.spec(p.Name)
	id, f := nodeID(p.Name, spec), m.kafkaNow()
	if p.Replacing && m.kafkaSince(p) == nil {
		return true // for all that anybody knows
	}
	return p.deployed() || f != nil && (slices.Contains(f.Voters, id) || f.broker(id) != nil)
}

// forgetPod is the end of an instance.
func (m *Machine) forgetPod(name PodName) {
	m.dropPod(name)
	m.forget(plans.Key(planDecommission, name.String(), ""))
	m.note(Info, "", "instance decommissioned", "pod", name.String())
}

// decommission does one step of what it takes to let an instance go, and wants a pass more if
// that changed anything.
func (w *work) decommission(s plans.Step) {
	m, name := w.m, PodName{s.Pod, s.Index}
	p, known := m.hard.Pods[name]
	if !known {
		return
	}
	switch verb, what := subject(s); verb {
	case "empty":
		m.empty(p)
	case "forget":
		m.forgetNode(p)
	case "kill":
		if hold := m.holdFarewell(p); hold != "" && !m.endsNow(name) {
			m.waits[name] = hold
			return
		}
		for _, t := range p.Tasks {
			if t.live() && m.lingers(p) && name.fullName(t.Name) == what {
				ends := []mesos.TaskID{t.ID}
				spec, _ := m.spec(name)
				w.killTasks(m.takenDown(p, spec, ends, false), ends, nil)
				m.due = m.due || m.connected
			}
		}
	case "unreserve":
		switch {
		case p.Place == nil:
		case m.lingers(p): // the kill was forced
			w.kill(p, nil)
		case m.holdFreeing(p) != "":
			m.waits[name] = m.holdFreeing(p)
		default:
			m.setPod(m.leave(p).gone(m.now)) // what lives is on an agent that was given up
			m.due = true
		}
	case "erase":
		p.Tasks = slices.DeleteFunc(slices.Clone(p.Tasks),
			func(t Task) bool { return name.fullName(t.Name) == what })
		m.due = true
		if p.launched() {
			m.setPod(p)
			return
		}
		if p.Place != nil { // its freeing was forced, so that nobody waits for it
			m.leave(p)
		}
		m.forgetPod(name)
	}
}

// decommissionState says how far a step of the decommission plan has come.
func (m *Machine) decommissionState(s plans.Step) (plans.Status, string) {
	name := PodName{s.Pod, s.Index}
	p, known := m.hard.Pods[name]
	if !known {
		return plans.Complete, ""
	}
	verb, what := subject(s)
	switch verb {
	case "empty":
		return m.emptyState(p)
	case "forget":
		return m.forgetState(p)
	case "kill":
		for _, t := range p.Tasks {
			_, sent := m.kills[t.ID]
			if name.fullName(t.Name) == what && t.live() && !sent &&
				m.lingers(p) {
				return plans.Pending, m.waitOf(name, "the task runs")
			}
		}
	case "unreserve":
		if p.Place != nil && p.Place.has(what) {
			return plans.Pending, m.absence(p.Place.Agent,
				m.waitOf(name, "waits until the tasks have ended"))
		}
		for _, l := range m.leftoversOf(name) {
			if hasID(l.Resources, what) {
				return plans.Prepared,
					m.absence(l.Agent, "waits for an offer of its agent "+l.Hostname)
			}
		}
	case "erase":
		if slices.ContainsFunc(p.Tasks, func(t Task) bool {
			return name.fullName(t.Name) == what
		}) {
			return plans.Pending, "waits until everything is freed"
		}
	}
	return plans.Complete, ""
}

// subject takes apart what a step of the decommission plan is about.
func subject(s plans.Step) (verb, what string) {
	verb, what, _ = strings.Cut(s.Subject, " ")
	return verb, what
}
