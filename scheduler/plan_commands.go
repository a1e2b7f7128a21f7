package scheduler

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
)

// planCommand carries out a verb on a plan, phase or step.
func (m *Machine) planCommand(c PlanCommand, by Caller) (string, *Problem) {
	if text, p, steers := m.steersCampaign(c, by); steers {
		return text, p
	}
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
	if p := checkParams(c.Params); p != nil {
		return "", p
	}
	e := edit{m: m, plan: plan, phase: phase, step: step, by: by, params: c.Params,
		said: copyOverrides(m.hard.Overrides), a: m.assess(plan), forces: c.Force}
	if done := e.apply(c.Verb); done {
		return "", problem(AlreadyDone, "Command has already been reported or completed")
	}
	m.hard.Overrides = e.said
	m.write(WriteOverrides{e.said})
	return planMessage(c), nil
}

// paramsMost is how many bytes the parameters of a plan may have: no process can be started with
// much more than that in one variable (MAX_ARG_STRLEN of Linux is 128 KiB).
const paramsMost = 100_000

// checkParams refuses parameters that no environment can have, nil if there are none.
func checkParams(params map[string]string) *Problem {
	size := 0
	for _, name := range sortedKeys(params) {
		size += len(name) + len(params[name])
		switch {
		case !isVariable(name):
			return problem(InvalidRequest, "%q is no name of a parameter: it needs letters, "+
				"digits and underscores, no digit first", name)
		case strings.ContainsRune(params[name], 0):
			return problem(InvalidRequest, "the value of %s has a zero byte", name)
		}
	}
	if size > paramsMost {
		return problem(InvalidRequest, "the parameters have %d bytes; a task can be given %d",
			size, paramsMost)
	}
	return nil
}

// isVariable reports whether a name is one that an environment variable can have.
func isVariable(name string) bool {
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
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
		var params []string
		for _, key := range sortedKeys(c.Params) {
			params = append(params, key+"="+c.Params[key])
		}
		return fmt.Sprintf("Received cmd: start %s with parameters: {%s}", c.Plan,
			strings.Join(params, ", "))
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

// edit is one command on a plan, a phase of it or a step, while it is carried out.
type edit struct {
	m           *Machine
	plan        plans.Plan
	phase, step string
	by          Caller
	params      map[string]string
	said        plans.Overrides // a copy that is changed
	a           plans.Assessment
	forces      bool // what is launched anew is taken down whatever Kafka says
}

// status is that of what the command is about, and held says that it waits for an operator.
func (e *edit) status() (status plans.Status, held bool) {
	if e.phase == "" {
		return e.a.Status, e.m.saidOf(e.plan.Name).Interrupted[e.plan.Name]
	}
	for i, ph := range e.plan.Phases {
		if ph.Name != e.phase {
			continue
		}
		status, held = e.a.Phases[i].Status, e.a.Phases[i].Interrupted
		for j, s := range ph.Steps {
			if s.Name == e.step {
				status, held = e.a.Phases[i].Steps[j], false
			}
		}
		break
	}
	return status, held
}

// apply carries out a verb; it reports whether there was nothing to change.
func (e *edit) apply(verb PlanVerb) bool {
	key := plans.Key(e.plan.Name, e.phase, e.step)
	status, held := e.status()
	switch verb {
	case PlanInterrupt:
		if e.said.Interrupted[key] || held || status == plans.Complete {
			return true
		}
		e.hold(key)
	case PlanStop:
		e.stop(key)
	case PlanStart:
		e.start(status)
	case PlanContinue:
		return e.proceed(key, status)
	case PlanForceComplete:
		return !e.force()
	case PlanRestart:
		if status == plans.Pending {
			return true
		}
		e.release(key)
		e.activate()
		e.again()
		e.forceNodes()
	}
	return false
}

// forceNodes has the Kafka nodes of the steps taken down once whatever Kafka says.
func (e *edit) forceNodes() {
	if !e.forces {
		return
	}
	e.each(func(_, _ int, s plans.Step) {
		name := PodName{s.Pod, s.Index}
		p, known := e.m.hard.Pods[name]
		if spec, ok := e.m.spec(name); known && ok && spec.Kafka != nil && p.launched() {
			p.Force = true
			e.m.setPod(p)
		}
	})
}

// hold interrupts, and says who did.
func (e *edit) hold(key string) {
	e.said.Interrupted[key] = true
	e.said.Said[key] = plans.Said{At: e.m.now, By: e.by.Who, Reason: e.by.Reason}
}

// release ends an interrupt.
func (e *edit) release(key string) {
	delete(e.said.Interrupted, key)
	delete(e.said.Said, key)
}

// activate lets a plan work that has to be started.
func (e *edit) activate() {
	run := e.m.hard.Runs[e.plan.Name]
	if byItself(e.plan.Name) || run.Active {
		return
	}
	run.Active, run.Number = true, run.Number+1
	run.Since, run.By = e.m.now, e.by.Who
	e.m.setRun(e.plan.Name, run)
}

// start begins a plan, anew if it is complete, with the parameters of the command alone.
func (e *edit) start(status plans.Status) {
	e.release(e.plan.Name)
	if status == plans.Complete {
		run := e.m.hard.Runs[e.plan.Name]
		run.Active = false // so that it counts as another start
		e.m.setRun(e.plan.Name, run)
		e.again()
	}
	e.activate()
	run := e.m.hard.Runs[e.plan.Name]
	run.Params = maps.Clone(e.params)
	e.m.setRun(e.plan.Name, run)
	e.forceNodes()
}

// proceed undoes an interrupt, or lets the next canary step of a phase go.
func (e *edit) proceed(key string, status plans.Status) bool {
	if e.said.Interrupted[key] {
		e.release(key)
		e.activate()
		return false
	}
	if i, _, err := e.plan.Find(e.phase, ""); err == nil && i >= 0 {
		if said, ok := e.said.Release(e.plan, i, e.m.stepStatus(e.plan.Name)); ok {
			e.said = said
			return false
		}
	}
	if e.phase == "" && !byItself(e.plan.Name) && !e.m.hard.Runs[e.plan.Name].Active {
		e.activate()
		return false
	}
	return status == plans.Complete || status == plans.Prepared || status == plans.Starting ||
		status == plans.Started || status == plans.InProgress
}

// stop holds a plan and lets it begin anew when it is started; what runs goes on.
func (e *edit) stop(key string) {
	e.again()
	run := e.m.hard.Runs[e.plan.Name]
	if byItself(e.plan.Name) {
		e.hold(key)
		return
	}
	run.Active = false
	e.m.setRun(e.plan.Name, run)
	e.release(key)
}

// each calls a function for all steps that the command is about.
func (e *edit) each(do func(phase int, step int, s plans.Step)) {
	for i, ph := range e.plan.Phases {
		for j, s := range ph.Steps {
			if e.phase != "" && ph.Name != e.phase || e.step != "" && s.Name != e.step {
				continue
			}
			do(i, j, s)
		}
	}
}

// force marks the steps as complete; false means that they all were.
func (e *edit) force() bool {
	changed := false
	e.each(func(i, j int, s plans.Step) {
		if e.a.Phases[i].Steps[j] == plans.Complete {
			return
		}
		key := plans.Key(e.plan.Name, e.plan.Phases[i].Name, s.Name)
		e.said.Forced[key] = true
		e.said.Said[key] = plans.Said{At: e.m.now, By: e.by.Who, Reason: e.by.Reason}
		changed = true
		if p, ok := e.m.hard.Pods[PodName{s.Pod, s.Index}]; ok && e.plan.Name == planDeploy {
			e.m.setPod(p.withTasks(func(t *Task) {
				t.Again = t.Again && !slices.Contains(s.Tasks, t.Name)
			}))
		}
	})
	return changed
}

// restarted takes the place of a target's id in Task.Deployed once a task was launched again for
// its step of the plan deploy, or for another target, until it is complete.
const restarted = "restarted"

// again undoes what was forced and lets the steps be done once more. A task of the plan deploy
// that only just comes up is new enough.
func (e *edit) again() {
	m, name := e.m, e.plan.Name
	run := m.hard.Runs[name]
	run.Steps = maps.Clone(run.Steps)
	e.each(func(i, _ int, s plans.Step) {
		key := plans.Key(name, e.plan.Phases[i].Name, s.Name)
		delete(e.said.Forced, key)
		delete(e.said.Said, key)
		pod := PodName{s.Pod, s.Index}
		if m.tried[pod] == s.ID {
			delete(m.tried, pod)
		}
		p, ok := m.hard.Pods[pod]
		step, begun := run.Steps[s.ID]
		step.Tasks, step.Done, step.Again = p.liveOf(step.Tasks), false, true
		if delete(run.Steps, s.ID); begun && len(step.Tasks) > 0 {
			run.Steps[s.ID] = step
		}
		if name == planMaintenance && ok && p.Move != nil {
			m.setPod(p.retried())
		}
		if s.Pod == "" || s.Subject != "" || !ok || p.Request != "" || !p.launched() {
			return
		}
		switch name {
		case planDeploy:
			m.setPod(p.withTasks(func(t *Task) {
				coming := t.State == mesos.Staging || t.State == mesos.Starting
				if slices.Contains(s.Tasks, t.Name) && t.ID != "" && !coming {
					t.Again = true
					t.Failures, t.NotBefore = 0, time.Time{}
				}
			}))
		case planRecovery:
			p.Request = Restart
			m.setPod(p.forgiven())
		default:
			if failures, _ := p.failures(s.Tasks...); failures > 0 {
				m.setPod(p.forgiven(s.Tasks...))
			}
		}
	})
	m.setRun(name, run)
}

func copyOverrides(o plans.Overrides) plans.Overrides {
	own := func(m map[string]bool) map[string]bool {
		if m == nil {
			return map[string]bool{}
		}
		return maps.Clone(m)
	}
	c := plans.Overrides{Interrupted: own(o.Interrupted), Forced: own(o.Forced),
		Released: own(o.Released), Said: maps.Clone(o.Said)}
	if c.Said == nil {
		c.Said = map[string]plans.Said{}
	}
	return c
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
