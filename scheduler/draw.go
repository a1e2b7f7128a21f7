package scheduler

import (
	"slices"

	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// How pictures are made without drawing everything anew: what did not change since the picture
// before is taken from there. A picture that somebody has is never changed.

// drawing is what the latest picture shows of the instances and of the plan deploy.
type drawing struct {
	target string // the id of the one that it is of
	intent Intent
	names  []PodName // those of pods
	pods   []PodView
	steps  [][]StepView // by phase
	// leaving are the steps of the phases of the plan uninstall, by their ids.
	leaving   map[string][]StepView
	endpoints []EndpointView
}

// redrawn takes in all that changed since the latest picture. all says that anything may have.
func (m *Machine) redrawn() (changed []PodName, all bool) {
	names := m.wantedPods()
	same := m.drawn.target == m.hard.Target.ID && m.drawn.intent == m.hard.Intent &&
		len(names) == len(m.drawn.names) && (len(names) == 0 || &names[0] == &m.drawn.names[0])
	if !same || m.restless.all || m.undrawn.all {
		m.drawn.target, m.drawn.intent, m.drawn.names = m.hard.Target.ID, m.hard.Intent, names
		m.undrawn.clear()
		return names, true
	}
	//tidy:unordered a set is added to another
	for name := range m.restless.names {
		m.undrawn.add(name)
	}
	changed = m.undrawn.sorted()
	m.undrawn.clear()
	return changed, false
}

// drawPods gives the pictures of all instances.
func (m *Machine) drawPods(changed []PodName, all bool) []PodView {
	d := &m.drawn
	switch {
	case all:
		d.pods = slices.Grow([]PodView(nil), len(d.names))[:len(d.names)]
	case len(changed) > 0:
		d.pods = slices.Clone(d.pods)
	}
	for _, name := range changed {
		if i, drawn := slices.BinarySearchFunc(d.names, name, PodName.compare); drawn {
			d.pods[i] = m.viewPod(name)
		}
	}
	if all || len(changed) > 0 {
		d.endpoints = m.endpoints()
	}
	return slices.Clip(d.pods)
}

// wantedPods are the instances of the target and those that have a record, sorted. The list is
// never changed in place.
func (m *Machine) wantedPods() []PodName {
	target := m.hard.Intent == Run || m.hard.Intent == Stop
	if !target {
		return m.podNames()
	}
	m.derive()
	if m.index.wanted != nil {
		return m.index.wanted
	}
	names := m.podNames()
	for _, p := range m.hard.Target.Service.Pods {
		for i := range p.Count {
			if _, known := m.hard.Pods[PodName{p.Type, i}]; !known {
				names = append(names, PodName{p.Type, i})
			}
		}
	}
	sortPods(names)
	m.index.wanted = slices.Clip(names)
	return m.index.wanted
}

// viewPlan makes the picture of a plan, of whose steps those of some instances have changed.
func (m *Machine) viewPlan(p plans.Plan, changed []PodName, all bool) PlanView {
	said, assessed := m.saidOf(p.Name), m.assess(p)
	v := PlanView{Name: p.Name, Strategy: string(p.Strategy), Status: assessed.Status,
		Errors: p.Errors, Run: m.hard.Runs[p.Name], Held: m.heldBy(p.Name)}
	steps := m.stepsToDraw(p, changed, all)
	may := map[string]bool{}
	if len(changed) > 0 || steps == nil {
		for i := range assessed.Candidates {
			if s := &assessed.Candidates[i]; s.Pod != "" {
				may[s.ID] = true
			}
		}
	}
	v.Phases = make([]PhaseView, 0, len(p.Phases))
	for i, ph := range p.Phases {
		pv := PhaseView{ID: ph.ID, Name: ph.Name, Strategy: string(ph.Strategy),
			Status: assessed.Phases[i].Status, Held: m.heldBy(plans.Key(p.Name, ph.Name, ""))}
		draw := func(j int) StepView {
			s := ph.Steps[j]
			sv := m.viewStep(p.Name, ph.Name, s, assessed.Phases[i].Steps[j])
			if sv.Status == plans.Pending && s.Pod != "" && !may[s.ID] &&
				(byItself(p.Name) || v.Run.Active) {
				sv.Reason = "waits for the steps before it"
			}
			if held := orHeld(v.Held, pv.Held); held != nil && said.Interrupted[p.Name] ||
				sv.Status == plans.Pending && held != nil {
				sv.Reason = heldText(held)
			}
			return sv
		}
		for j := range ph.Steps {
			if text := ph.Steps[j].Error; text != "" {
				v.Errors = append(v.Errors, text)
			}
		}
		if p.Name == planUninstall {
			pv.Steps = m.drawLeaving(ph, assessed.Phases[i].Steps, draw)
		} else {
			pv.Steps = m.drawSteps(p.Name, i, len(ph.Steps), steps, draw)
		}
		v.Phases = append(v.Phases, pv)
	}
	return v
}

// stepsToDraw are the steps of a plan, by phase, that have to be drawn anew, nil for all. What is
// shown of a step depends on its own instance alone, but where some steps are held as canaries.
func (m *Machine) stepsToDraw(p plans.Plan, changed []PodName, all bool) [][]int {
	canary := slices.ContainsFunc(p.Phases, func(ph plans.Phase) bool {
		return ph.Strategy != servicespec.Serial && ph.Strategy != servicespec.Parallel &&
			ph.Strategy != plans.Dependency
	})
	if all || canary || p.Name != planDeploy || m.sorts() ||
		len(m.drawn.steps) != len(p.Phases) {
		return nil
	}
	steps := make([][]int, len(p.Phases))
	for _, name := range changed {
		for _, at := range m.index.steps[name] {
			steps[at.phase] = append(steps[at.phase], at.step)
		}
	}
	return steps
}

// drawSteps gives the pictures of the steps of a phase.
func (m *Machine) drawSteps(
	plan string, phase, count int, which [][]int, draw func(step int) StepView,
) []StepView {
	if which == nil {
		steps := slices.Grow([]StepView(nil), count)
		for j := range count {
			steps = append(steps, draw(j))
		}
		if plan == planDeploy {
			m.drawn.steps = append(m.drawn.steps[:min(phase, len(m.drawn.steps))], steps)
		}
		return steps
	}
	if len(which[phase]) > 0 {
		steps := slices.Clone(m.drawn.steps[phase])
		for _, j := range which[phase] {
			steps[j] = draw(j)
		}
		m.drawn.steps[phase] = steps
	}
	return m.drawn.steps[phase]
}

// drawLeaving gives the pictures of the steps of a phase of the plan uninstall, which has one for
// each host: those of the picture before if nothing has come of any of them.
func (m *Machine) drawLeaving(
	ph plans.Phase, statuses []plans.Status, draw func(step int) StepView,
) []StepView {
	drawn := m.drawn.leaving[ph.ID]
	same := len(drawn) == len(ph.Steps) && len(m.hard.Overrides.Interrupted) == 0
	for j := 0; same && j < len(drawn); j++ {
		reason := ""
		if statuses[j] != plans.Complete {
			_, reason = m.stepState(planUninstall, ph.Steps[j])
		}
		same = drawn[j].ID == ph.Steps[j].ID && drawn[j].Status == statuses[j] &&
			drawn[j].Reason == reason
	}
	if same {
		return drawn
	}
	drawn = m.drawSteps(planUninstall, 0, len(ph.Steps), nil, draw)
	if m.drawn.leaving == nil {
		m.drawn.leaving = map[string][]StepView{}
	}
	m.drawn.leaving[ph.ID] = drawn
	return drawn
}
