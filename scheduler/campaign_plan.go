package scheduler

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler/upgrade"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// A campaign as a plan. Its steps show what the plan deploy does with each node, and how far each
// feature is; they are not worked on themselves.

// campaignPlan is the campaign as a plan.
func (m *Machine) campaignPlan() plans.Plan {
	c := m.hard.Campaign
	plan := plans.Plan{Name: string(c.Kind), Strategy: servicespec.Serial}
	unique := fmt.Sprint(c.Kind, " ", c.Number) // so that no two have the same ids
	deploy := m.built()[0]
	for _, phase := range c.Phases {
		shown := plans.NewPhase(unique, phase.Name, servicespec.Serial)
		for _, name := range phase.steps(deploy) {
			shown.Steps = append(shown.Steps,
				plans.NewSubjectStep(unique, phase.Name, name, phase.Name+"/"+name))
		}
		plan.Phases = append(plan.Phases, shown)
	}
	return plan
}

// steps names the steps of a phase: the nodes in the order of the plan deploy, the features, or
// what else it is.
func (p CampaignPhase) steps(deploy plans.Plan) []string {
	var names []string
	for _, rolled := range deploy.Phases {
		for _, s := range rolled.Steps {
			if !p.edits(s.Pod) {
				continue
			}
			name := PodName{s.Pod, s.Index}.String()
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	for _, name := range p.Raise {
		if name != upgrade.Others {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return []string{p.Name}
	}
	return names
}

// edits reports whether a phase changes the configuration of a pod type.
func (p CampaignPhase) edits(pod string) bool {
	return slices.ContainsFunc(p.Edits, func(e Edit) bool { return e.Pod == pod })
}

// campaignState says how far a step of the campaign's plan is.
func (m *Machine) campaignState(s plans.Step) (plans.Status, string) {
	c := m.hard.Campaign
	at := slices.IndexFunc(c.Phases, func(p CampaignPhase) bool {
		return s.Subject == p.Name+"/"+s.Name
	})
	switch {
	case !c.under(), at >= 0 && at < c.At:
		return plans.Complete, ""
	case at > c.At && c.Back:
		return plans.Pending, "it is undone"
	case at != c.At:
		return plans.Pending, "waits for the phases before"
	}
	phase := c.Phases[at]
	switch {
	case c.Waiting():
		return plans.Waiting, fmt.Sprintf("waits for the operator: %s finalize goes on, and %[1]s "+
			"rollback goes back to %s", c.Kind, c.From)
	case !c.Begun:
		return plans.Pending, cmp.Or(m.campaignTrouble, "it is about to begin")
	case c.Kind == Migrating && m.rolledOut(phase):
		return plans.Started, m.campaignTrouble
	case len(phase.Edits) > 0:
		return m.nodeState(c, s.Name)
	}
	return m.featureState(c, phase, s.Name)
}

// nodeState says how far the plan deploy is with a node.
func (m *Machine) nodeState(c Campaign, pod string) (plans.Status, string) {
	m.derive()
	for _, phase := range m.index.built[0].Phases {
		for _, s := range phase.Steps {
			name := PodName{s.Pod, s.Index}
			if name.String() != pod {
				continue
			}
			status, reason := m.stepState(planDeploy, s)
			key := plans.Key(planDeploy, phase.Name, s.Name)
			if m.hard.Overrides.Forced[key] && m.passedOver(m.hard.Pods[name]) {
				return plans.Pending, fmt.Sprintf("the step %s of the plan deploy was forced to "+
					"its end without it; plan restart deploy %s %[1]s has it done", s.Name,
					phase.Name)
			}
			if status == plans.Complete && m.hard.Pods[name].Down != nil {
				return plans.Started, "it is not back in all that it was in yet"
			}
			if status == plans.Complete && m.passedOver(m.hard.Pods[name]) {
				return plans.Pending, "it is not launched with that yet"
			}
			if status == plans.Complete && c.Back { // it waits for the phase to be undone
				return plans.Pending, "it is undone"
			}
			return status, reason
		}
	}
	return plans.Complete, ""
}

// featureState says how far a feature is.
func (m *Machine) featureState(
	c Campaign, phase CampaignPhase, name string,
) (plans.Status, string) {
	if m.facts == nil || len(m.facts.Features) == 0 {
		return plans.Pending, m.campaignTrouble
	}
	change := c.nextFeature(phase, m.facts.Features)
	only := phase
	only.Raise = []string{name}
	switch own := c.nextFeature(only, m.facts.Features); {
	case own == nil && c.Back:
		return plans.Pending, cmp.Or(m.campaignTrouble, "it is undone")
	case change == nil && m.campaignTrouble != "":
		return plans.Pending, m.campaignTrouble
	case own == nil:
		return plans.Complete, ""
	case change.Name == name:
		return plans.Started, cmp.Or(m.campaignTrouble, change.String())
	}
	return plans.Pending, "features are changed one at a time"
}

// campaignTold says in a sentence how far the campaign is, and what holds it.
func (m *Machine) campaignTold() string {
	c := m.hard.Campaign
	if !c.under() {
		return m.chainTold()
	}
	phase := c.phase()
	if phase == nil {
		return ""
	}
	for _, name := range phase.steps(m.built()[0]) {
		status, reason := m.campaignState(plans.Step{Name: name, Subject: phase.Name + "/" + name})
		if status != plans.Complete && reason != "" && reason != "it is undone" {
			return name + ": " + reason
		}
	}
	return ""
}
