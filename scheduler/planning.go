package scheduler

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Names of plans that mean something to the machine. Update is what a spec may declare for
// every deployment but the first; it is shown as deploy. Plans of any other name run only when
// an operator starts them.
const (
	planDeploy       = "deploy"
	planUpdate       = "update"
	planRecovery     = "recovery"
	planDecommission = "decommission"
	planMaintenance  = "maintenance"
	planRebalance    = "rebalance"
	planUninstall    = "uninstall"
)

// byItself reports whether a plan works without being started.
func byItself(plan string) bool {
	switch plan {
	case planDeploy, planRecovery, planDecommission, planMaintenance, planRebalance,
		planUninstall, string(Upgrading), string(Migrating):
		return true
	}
	return false
}

// plans lists what there is to do, in the order in which it is worked on. They are made anew
// from the target and the state each time; nothing of them is kept but what operators said and
// what the steps of started plans did.
func (m *Machine) plans() []plans.Plan {
	if m.hard.Intent == Uninstall || m.hard.Intent == Uninstalled {
		return []plans.Plan{m.uninstallPlan()}
	}
	built := m.built()
	list := make([]plans.Plan, 0, len(built)+2)
	list = append(list, built[0], m.recoveryPlan())
	list[0].Errors = m.planErrors
	if leaving := m.decommissionPlan(); len(leaving.Phases) > 0 {
		list = append(list, leaving)
	}
	if moving := m.maintenancePlan(); len(moving.Phases) > 0 {
		list = append(list, moving)
	}
	if m.hard.Rebalancing.shown() {
		list = append(list, m.hard.Rebalancing.plan())
	}
	if m.hard.Campaign.shown() {
		list = append(list, m.campaignPlan())
	}
	return append(list, built[1:]...)
}

// noteReached notes which steps of plans that were not started have nothing to do, because what
// they launch has done its work for other plans. As in the predecessor, that is looked at when a
// process begins or a target does; it only shows, and a start does all steps.
func (m *Machine) noteReached() {
	m.reachedBefore = map[string]bool{}
	for _, plan := range m.index.built {
		if byItself(plan.Name) {
			continue
		}
		for _, phase := range plan.Phases {
			for _, s := range phase.Steps {
				p := m.hard.Pods[PodName{s.Pod, s.Index}]
				spec, _ := m.spec(PodName{s.Pod, s.Index})
				all := len(s.Tasks) > 0
				for _, name := range s.Tasks {
					t, _ := p.task(name)
					ts, _ := taskSpec(spec, name)
					all = all && t.ID != "" && t.complete(ts) && !m.outdated(p, spec, t)
				}
				m.reachedBefore[s.ID] = all
			}
		}
	}
}

// declaredPlans gives the service of a target with the plans that are worked on: update in the
// place of deploy, if it is an update, and under its name.
func declaredPlans(t Target) servicespec.Service {
	s := t.Service
	updates := t.Updates && slices.ContainsFunc(s.Plans,
		func(p servicespec.Plan) bool { return p.Name == planUpdate })
	var list []servicespec.Plan
	for _, p := range s.Plans {
		switch {
		case p.Name == planUpdate && updates:
			p.Name = planDeploy
		case p.Name == planUpdate, p.Name == planDeploy && updates:
			continue
		}
		list = append(list, p)
	}
	s.Plans = list
	return s
}

// recoveryPlan has a phase for each instance that is, or was, brought back: of one step, or, in a
// new place, of those that built it up before.
func (m *Machine) recoveryPlan() plans.Plan {
	names := make([]PodName, 0, len(m.recovery))
	for name := range m.recovery {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		return m.recovery[names[i]].Order < m.recovery[names[j]].Order
	})
	plan := plans.Plan{Name: planRecovery, Strategy: servicespec.Parallel}
	if len(names) == 0 && !m.passed {
		plan.Strategy = servicespec.Serial // what the predecessor shows before it looked
	}
	for _, name := range names {
		if _, ok := m.spec(name); !ok {
			continue
		}
		plan.Phases = append(plan.Phases, m.recovery[name].phaseOf(name))
	}
	return plan
}

// phaseOf gives the phase of an instance that is brought back, which is built once.
func (r *recovery) phaseOf(name PodName) plans.Phase {
	same := func(b builtRecovery) bool {
		return b.order == r.Order && slices.EqualFunc(b.steps, r.Steps, slices.Equal)
	}
	if r.built != nil && same(*r.built) {
		return r.built.phase
	}
	strategy := servicespec.Parallel
	if len(r.Steps) > 1 {
		strategy = servicespec.Serial
	}
	unique := fmt.Sprint(planRecovery, " ", r.Order) // so that no two have the same ids
	phase := plans.NewPhase(unique, stepName(name, r.Steps[len(r.Steps)-1]), strategy)
	for _, tasks := range r.Steps {
		phase.Steps = append(phase.Steps, plans.NewStep(
			unique, phase.Name, name.Type, name.Index, tasks))
	}
	r.built = &builtRecovery{r.Order, r.Steps, phase}
	return phase
}

func stepName(name PodName, tasks []string) string {
	return fmt.Sprintf("%s:[%s]", name, strings.Join(tasks, ", "))
}

// saidOf gives what operators said, as it holds for a plan: one that has to be started and was
// not, or was stopped, is held.
func (m *Machine) saidOf(plan string) plans.Overrides {
	o := m.hard.Overrides
	if byItself(plan) || m.hard.Runs[plan].Active {
		return o
	}
	o = copyOverrides(o)
	o.Interrupted[plan] = true
	return o
}

// assess derives the statuses of a plan and of what is in it.
func (m *Machine) assess(p plans.Plan) plans.Assessment {
	if p.Name == planDeploy && !m.sorts() {
		return m.assessDeploy(p)
	}
	return plans.Assess(p, m.stepStatus(p.Name), m.saidOf(p.Name))
}

// stepStatus gives the function that tells a plan's steps their status.
func (m *Machine) stepStatus(plan string) func(plans.Step) plans.Status {
	return func(s plans.Step) plans.Status {
		status, _ := m.stepState(plan, s)
		return status
	}
}

// stepState is a step's status and, in a sentence, what it waits for.
func (m *Machine) stepState(plan string, s plans.Step) (plans.Status, string) {
	switch {
	case s.Error != "":
		return plans.Error, s.Error
	case plan == planUninstall:
		return m.uninstallState(s)
	case plan == planDecommission:
		return m.decommissionState(s)
	case plan == planMaintenance:
		return m.moveState(s)
	case plan == planRebalance:
		return m.rebalanceState(s)
	case plan == string(m.hard.Campaign.Kind):
		return m.campaignState(s)
	}
	p := m.hard.Pods[PodName{s.Pod, s.Index}]
	p.Name = PodName{s.Pod, s.Index}
	if m.done(plan, s, p) {
		return plans.Complete, ""
	}
	spec, _ := m.spec(p.Name)
	if plan == planRecovery && p.Request != "" {
		return plans.Prepared, m.waitOf(p.Name, "its tasks are being stopped")
	}
	if blocked := m.blocked[s.ID]; blocked != "" {
		return plans.Pending, blocked
	}
	status, reason := plans.Complete, ""
	for _, task := range s.Tasks {
		state, why := m.taskState(plan, s, p, spec, task)
		if progress[state] < progress[status] {
			status, reason = state, why
		}
	}
	return status, reason
}

// progress orders statuses: a step is where the least advanced of its tasks is.
var progress = map[plans.Status]int{plans.Delayed: 1, plans.Pending: 2, plans.Prepared: 3,
	plans.Starting: 4, plans.Started: 5, plans.Complete: 6}

// done reports whether a step's work is over. What becomes of its tasks afterwards is for
// recovery to see to.
func (m *Machine) done(plan string, s plans.Step, p Pod) bool {
	switch plan {
	case planDeploy:
		for _, task := range s.Tasks {
			if t, _ := p.task(task); !m.deployed(p, t) {
				return false
			}
		}
		return true
	case planRecovery:
		r := m.recovery[p.Name]
		return r != nil && r.done
	}
	return m.hard.Runs[plan].Steps[s.ID].Done
}

// taskState is where a step stands with one of its tasks.
func (m *Machine) taskState(
	plan string, s plans.Step, p Pod, spec servicespec.Pod, task string,
) (plans.Status, string) {
	t, _ := p.task(task)
	ts, _ := taskSpec(spec, task)
	switch {
	case !byItself(plan) && !m.hard.Runs[plan].Active && !m.begun(plan, s):
		if m.reachedBefore[s.ID] {
			return plans.Complete, ""
		}
		return plans.Pending, "the plan waits to be started"
	case m.wanted(plan, s, p, spec, ts):
		return m.missingState(s, p, t)
	case t.restsAsWanted(), plan == planDeploy && m.leftToOthers(p, ts, t):
		return plans.Complete, ""
	}
	switch ready, reason := m.taskReady(p, spec, ts, t); {
	case ready:
		return plans.Complete, ""
	case t.State == mesos.Staging || t.State == mesos.Starting:
		return plans.Starting, p.Name.fullName(task) + " is " + string(t.State) +
			" on " + p.hostname()
	case m.waits[p.Name] != "":
		return plans.Started, m.waits[p.Name]
	default:
		return plans.Started, reason
	}
}

// missingState is where the launch of a task that is wanted stands.
func (m *Machine) missingState(s plans.Step, p Pod, t Task) (plans.Status, string) {
	_, notBefore := p.failures(s.Tasks...)
	switch {
	case m.endsNow(p.Name):
		return plans.Prepared, m.waitOf(p.Name, "its tasks are being stopped")
	case m.now.Before(notBefore) && !t.runs():
		return plans.Delayed, m.delayReason(p, s.Tasks)
	case m.waits[p.Name] != "" && t.runs() && m.wants[wantOf(p.Name)]:
		return plans.Prepared, m.waits[p.Name] // more is to be reserved before it is stopped
	case m.waits[p.Name] != "":
		return plans.Pending, m.waits[p.Name]
	case t.runs():
		return plans.Pending, "it is to be rolled"
	}
	status := plans.Pending
	if m.tried[p.Name] == s.ID {
		status = plans.Prepared
	}
	_, away := m.away(p)
	switch {
	case p.Place != nil && !t.unsure() && m.outlooks[p.Place.Agent].Drain:
		return status, m.drainReason(p)
	case away && m.faultPolicy(p.Name) != nil:
		return status, m.awayReason(p)
	case m.refusals[p.Name] != nil && m.tried[p.Name] == s.ID:
		return status, m.refusals[p.Name].Tell()
	case t.unsure():
		return status, m.awayReason(p)
	case p.Place != nil:
		return status, "no offer of its agent came yet"
	}
	return status, "no offers came yet"
}

// begun reports whether a step of a started plan launched anything.
func (m *Machine) begun(plan string, s plans.Step) bool {
	step, begun := m.hard.Runs[plan].Steps[s.ID]
	return begun && !step.Again
}

func (p Pod) hostname() string {
	if p.Place == nil {
		return ""
	}
	return p.Place.Hostname
}

// delayReason says how often tasks of an instance failed, and why: what ended first took the rest
// along.
func (m *Machine) delayReason(p Pod, tasks []string) string {
	spec, _ := m.spec(p.Name)
	var cause Task
	for _, t := range p.Tasks {
		ts, _ := taskSpec(spec, t.Name)
		mine := slices.Contains(tasks, t.Name)
		if !mine || t.Message == "" || t.live() || t.complete(ts) {
			continue
		}
		if cause.Message == "" || t.Since.Before(cause.Since) {
			cause = t
		}
	}
	failures, _ := p.failures(tasks...)
	if cause.Message == "" {
		return launchesFailed(failures)
	}
	return launchesFailed(failures) + ", the last one with: " + cause.Message
}

func launchesFailed(n int) string {
	if n == 1 {
		return "1 launch failed"
	}
	return fmt.Sprintf("%d launches failed", n)
}

func (m *Machine) waitOf(name PodName, otherwise string) string {
	if reason := m.waits[name]; reason != "" {
		return reason
	}
	return otherwise
}
