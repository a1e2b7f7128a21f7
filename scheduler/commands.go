package scheduler

import (
	"errors"
	"fmt"
	"reflect"
	"sort"
	"strings"

	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// commanded carries out, or refuses, what an operator asked, and always replies.
func (m *Machine) commanded(c Commanded) {
	r := Reply{ID: c.ID}
	final := m.hard.Intent == Uninstall || m.hard.Intent == Uninstalled
	switch cmd := c.Command.(type) {
	case ServiceUninstall:
		r.Message, r.Problem = m.uninstall(final)
	case PlanCommand:
		r.Message, r.Problem = m.planCommand(cmd)
	case PodRestart:
		r.Tasks, r.Message, r.Problem = m.request(cmd.Pod, Restart, final)
	case PodReplace:
		r.Tasks, r.Message, r.Problem = m.request(cmd.Pod, Replace, final)
	case ServiceStop:
		r.Message, r.Problem = m.changeIntent(Stop, final)
	case ServiceStart:
		r.Message, r.Problem = m.changeIntent(Run, final)
	case SetTarget:
		r.Message, r.Problem = m.setTarget(cmd, final)
	}
	m.out.Replies = append(m.out.Replies, r)
	outcome := r.Message
	if r.Problem != nil {
		outcome = string(r.Problem.Code) + ": " + r.Problem.Message
	}
	m.note(Info, CountCommands, "command", "command", commandText(c.Command),
		"from", c.Caller.Who, "outcome", outcome)
}

func problem(code ProblemCode, format string, args ...any) *Problem {
	return &Problem{code, fmt.Sprintf(format, args...)}
}

// errFinal refuses everything that an uninstalling service cannot do any more.
var errFinal = problem(Conflict, "the service is being uninstalled; that cannot be undone")

func (m *Machine) uninstall(final bool) (string, *Problem) {
	if final {
		return "", problem(AlreadyDone, "the service is being uninstalled already")
	}
	m.setIntent(Uninstall)
	return "uninstalling: all tasks are killed, all reservations and volumes freed", nil
}

func (m *Machine) changeIntent(to Intent, final bool) (string, *Problem) {
	switch {
	case final:
		return "", errFinal
	case m.hard.Intent == to && to == Stop:
		return "", problem(AlreadyDone, "the service is stopped already")
	case m.hard.Intent == to:
		return "", problem(AlreadyDone, "the service is started already")
	}
	m.setIntent(to)
	if to == Stop {
		return "stopping: all tasks are told to end, data and reservations stay", nil
	}
	return "starting: all tasks go back to their places", nil
}

// request notes what an operator wants of one instance; the pass does it.
func (m *Machine) request(pod string, what Request, final bool) ([]string, string, *Problem) {
	if final {
		return nil, "", errFinal
	}
	for _, name := range m.podNames() {
		if name.String() != pod {
			continue
		}
		p := m.hard.Pods[name]
		if p.Request == what {
			return nil, "", problem(AlreadyDone, "a %s of %s is under way already", what, pod)
		}
		if p.Request == Replace {
			return nil, "", problem(Conflict, "%s is being replaced", pod)
		}
		if reason := m.refuseReplace(p); what == Replace && reason != "" {
			return nil, "", problem(Conflict, "%s", reason)
		}
		var tasks []string
		for _, t := range p.Tasks {
			tasks = append(tasks, name.fullName(t.Name))
		}
		sort.Strings(tasks)
		p.Request = what
		m.setPod(p)
		return tasks, fmt.Sprintf("%s of %s begins", what, pod), nil
	}
	return nil, "", problem(NotFound, "Pod %s not found", pod)
}

// setTarget makes another configuration the target, if this release can roll it out.
func (m *Machine) setTarget(cmd SetTarget, final bool) (string, *Problem) {
	if final {
		return "", errFinal
	}
	old, next := canonical(m.hard.Target.Service), canonical(cmd.Service)
	if reflect.DeepEqual(old, next) {
		return "", problem(AlreadyDone, "the service has this configuration already")
	}
	if reasons := forbidden(old, next); len(reasons) > 0 {
		return "", problem(Conflict, "this change cannot be rolled out: %s",
			strings.Join(reasons, "; "))
	}
	m.hard.Target = Target{ID: cmd.ID, Service: cmd.Service}
	m.write(WriteTarget{m.hard.Target})
	m.hard.Overrides = m.hard.Overrides.Forget(planDeploy)
	m.write(WriteOverrides{m.hard.Overrides})
	return "configuration " + cmd.ID + " is the target now", nil
}

// canonical gives a service as the store would give it back, so that two can be compared: an
// empty list and none are the same there.
func canonical(s servicespec.Service) servicespec.Service {
	data, err := s.Encode()
	if err == nil {
		s, err = servicespec.DecodeService(data)
	}
	if err != nil {
		panic("scheduler: a service has no canonical form: " + err.Error())
	}
	return s
}

// forbidden says what in a change needs more than restarts in place.
func forbidden(old, next servicespec.Service) []string {
	var reasons []string
	refuse := func(format string, args ...any) {
		reasons = append(reasons, fmt.Sprintf(format, args...))
	}
	if old.Name != next.Name || old.Role != next.Role || old.Principal != next.Principal ||
		old.User != next.User {
		refuse("name, role, principal and user are for ever")
	}
	for _, o := range old.Pods {
		var n *servicespec.Pod
		for i := range next.Pods {
			if next.Pods[i].Type == o.Type {
				n = &next.Pods[i]
			}
		}
		if n == nil {
			refuse("pod %s cannot be removed", o.Type)
			continue
		}
		if n.Count < o.Count {
			refuse("the count of pod %s cannot shrink from %d to %d", o.Type, o.Count, n.Count)
		}
		if !reflect.DeepEqual(footprint(o), footprint(*n)) {
			refuse("pod %s needs other resources, ports or volumes than it has reserved",
				o.Type)
		}
	}
	return reasons
}

// footprint is what instances of a pod have reserved.
func footprint(p servicespec.Pod) any {
	sets := map[string]servicespec.ResourceSet{}
	for _, t := range p.Tasks {
		set := t.Resources
		set.Ports = append([]servicespec.Port(nil), set.Ports...)
		for i := range set.Ports {
			set.Ports[i] = servicespec.Port{Name: set.Ports[i].Name, Port: set.Ports[i].Port}
		}
		sets[t.Name] = set
	}
	return []any{sets, p.Volumes, p.Kafka != nil}
}

// planCommand carries out a verb on a plan, phase or step.
func (m *Machine) planCommand(c PlanCommand) (string, *Problem) {
	var plan plans.Plan
	for _, p := range m.plans() {
		if p.Name == c.Plan {
			plan = p
		}
	}
	if plan.Name == "" {
		return "", problem(NotFound, "Plan %s not found", c.Plan)
	}
	phase, step, p := address(plan, c)
	if p != nil {
		return "", p
	}
	o := copyOverrides(m.hard.Overrides)
	done := m.apply(c.Verb, plan, phase, step, &o)
	if done {
		return "", problem(AlreadyDone, "Command has already been reported or completed")
	}
	m.hard.Overrides = o
	m.write(WriteOverrides{o})
	return planMessage(c), nil
}

// planMessage is what the predecessor answers.
func planMessage(c PlanCommand) string {
	null := func(s string) string {
		if s == "" {
			return "null"
		}
		return s
	}
	switch c.Verb {
	case PlanForceComplete, PlanRestart:
		return fmt.Sprintf("Received cmd: %s for Plan: %s, Phase: %s, Step: %s",
			c.Verb, c.Plan, null(c.Phase), null(c.Step))
	case PlanStart:
		return fmt.Sprintf("Received cmd: start %s with parameters: {}", c.Plan)
	default:
		return "Received cmd: " + string(c.Verb)
	}
}

// address resolves the phase and step of a command to the names in the plan.
func address(plan plans.Plan, c PlanCommand) (phase, step string, p *Problem) {
	if c.Phase == "" && c.Step != "" {
		return "", "", problem(InvalidRequest, "Missing phase")
	}
	if c.Phase == "" {
		return "", "", nil
	}
	i, j, err := plan.Find(c.Phase, c.Step)
	var missing plans.NotFound
	switch {
	case errors.As(err, &missing) && missing.Kind == "step":
		return "", "", problem(NotFound, "Step %s not found", c.Step)
	case err != nil:
		return "", "", problem(NotFound, "Phase %s not found", c.Phase)
	case j >= 0:
		step = plan.Phases[i].Steps[j].Name
	}
	return plan.Phases[i].Name, step, nil
}

// apply changes the overrides as a verb says; it reports whether there was nothing to change.
func (m *Machine) apply(
	verb PlanVerb, plan plans.Plan, phase, step string, o *plans.Overrides,
) bool {
	key := plans.Key(plan.Name, phase, step)
	assessed := plans.Assess(plan, m.stepStatus(plan.Name), m.hard.Overrides)
	status := assessed.Status
	for i, ph := range plan.Phases {
		if ph.Name == phase {
			status = assessed.Phases[i].Status
		}
	}
	switch verb {
	case PlanInterrupt, PlanStop:
		if o.Interrupted[key] || status == plans.Complete {
			return verb == PlanInterrupt
		}
		o.Interrupted[key] = true
	case PlanContinue, PlanStart:
		if o.Interrupted[key] {
			delete(o.Interrupted, key)
			return false
		}
		if i, _, err := plan.Find(phase, ""); err == nil && i >= 0 {
			released, ok := o.Release(plan, i, m.stepStatus(plan.Name))
			if ok {
				*o = released
				return false
			}
		}
		return verb == PlanContinue
	case PlanForceComplete:
		return !force(plan, phase, step, assessed, o)
	case PlanRestart:
		return !m.restartSteps(plan, phase, step, o)
	}
	return false
}

// force marks the steps addressed as complete; false means that they all were.
func force(
	plan plans.Plan, phase, step string, assessed plans.Assessment, o *plans.Overrides,
) bool {
	changed := false
	for i, ph := range plan.Phases {
		for j, s := range ph.Steps {
			if phase != "" && ph.Name != phase || step != "" && s.Name != step {
				continue
			}
			if assessed.Phases[i].Steps[j] == plans.Complete {
				continue
			}
			o.Forced[plans.Key(plan.Name, ph.Name, s.Name)] = true
			changed = true
		}
	}
	return changed
}

// restarted takes the place of a target's id in Pod.Deployed when a step of the deploy plan is
// to be done again. The instance was complete once, so recovery brings it back as well, without
// regard to the order of the plan: Kafka nodes need each other to come up.
const restarted = "restarted"

// restartSteps undoes what was forced and restarts the instances that the steps are about.
func (m *Machine) restartSteps(plan plans.Plan, phase, step string, o *plans.Overrides) bool {
	changed := false
	for _, ph := range plan.Phases {
		for _, s := range ph.Steps {
			if phase != "" && ph.Name != phase || step != "" && s.Name != step {
				continue
			}
			key := plans.Key(plan.Name, ph.Name, s.Name)
			if o.Forced[key] {
				delete(o.Forced, key)
				changed = true
			}
			p, ok := m.hard.Pods[PodName{s.Pod, s.Index}]
			if s.Pod == "" || !ok || p.Request != "" || !p.launched() {
				continue
			}
			if plan.Name == planDeploy && p.Deployed != "" {
				// It counts as outdated, so that it is rolled like a new configuration: one
				// instance after the other, each when the others are ready.
				p.Deployed, p.Launch = restarted, ""
			} else {
				p.Request = Restart
			}
			m.setPod(p)
			changed = true
		}
	}
	return changed
}

func copyOverrides(o plans.Overrides) plans.Overrides {
	c := plans.Overrides{Interrupted: map[string]bool{}, Forced: map[string]bool{},
		Released: map[string]bool{}}
	for k, v := range o.Interrupted {
		c.Interrupted[k] = v
	}
	for k, v := range o.Forced {
		c.Forced[k] = v
	}
	for k, v := range o.Released {
		c.Released[k] = v
	}
	return c
}
