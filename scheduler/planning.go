package scheduler

import (
	"fmt"
	"sort"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Names of the plans that the machine makes itself.
const (
	planDeploy    = "deploy"
	planRecovery  = "recovery"
	planUninstall = "uninstall"
)

// plans lists what there is to do, in the order in which it is worked on. They are made anew
// from the target and the state each time; nothing of them is kept but what operators said.
func (m *Machine) plans() []plans.Plan {
	if m.hard.Intent == Uninstall || m.hard.Intent == Uninstalled {
		return []plans.Plan{m.uninstallPlan()}
	}
	var list []plans.Plan
	for _, p := range m.built() {
		if p.Name == planDeploy {
			list = append(list, p)
		}
	}
	return append(list, m.recoveryPlan())
}

// built are the plans of the target, made once for each target.
func (m *Machine) built() []plans.Plan {
	if m.builtFor != m.hard.Target.ID || m.builtPlans == nil {
		m.builtFor, m.builtPlans = m.hard.Target.ID, plans.Build(m.hard.Target.Service)
	}
	return m.builtPlans
}

// recoveryPlan has a phase of one step for each instance that is, or was, brought back.
func (m *Machine) recoveryPlan() plans.Plan {
	names := make([]PodName, 0, len(m.recovery))
	for name := range m.recovery {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		return m.recovery[names[i]].order < m.recovery[names[j]].order
	})
	plan := plans.Plan{Name: planRecovery, Strategy: servicespec.Parallel}
	for _, name := range names {
		spec, ok := m.spec(name)
		if !ok {
			continue
		}
		var tasks []string
		for _, t := range spec.Tasks {
			tasks = append(tasks, t.Name)
		}
		phase := fmt.Sprintf("%s:[%s]", name, strings.Join(tasks, ", "))
		plan.Phases = append(plan.Phases, plans.NewPhase(planRecovery, phase,
			servicespec.Serial,
			plans.NewStep(planRecovery, phase, name.Type, name.Index, tasks)))
	}
	return plan
}

// uninstallPlan names everything that was there when uninstalling began, or was met since.
func (m *Machine) uninstallPlan() plans.Plan {
	if m.leaving == nil {
		m.leaving = map[string]bool{}
	}
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		for _, t := range p.Tasks {
			if t.ID != "" {
				m.leave1("kill-tasks", "kill-task-"+string(t.ID))
			}
		}
		if p.Place != nil {
			m.leave1("unreserve-resources-"+p.Place.Hostname,
				"unreserve-"+string(p.Place.Reservation))
		}
	}
	for _, id := range m.leftoverIDs() {
		m.leave1("unreserve-resources-"+m.hard.Leftovers[id].Hostname, "unreserve-"+string(id))
	}
	m.leave1("deregister-service", "deregister")
	keys := make([]string, 0, len(m.leaving))
	for key := range m.leaving {
		keys = append(keys, key)
	}
	order := map[string]int{"kill": 0, "unre": 1, "dere": 2}
	sort.Slice(keys, func(i, j int) bool {
		a, b := order[keys[i][:4]], order[keys[j][:4]]
		return a < b || a == b && keys[i] < keys[j]
	})
	plan := plans.Plan{Name: planUninstall, Strategy: plans.Dependency}
	for _, key := range keys {
		phase, step, _ := strings.Cut(key, "/")
		if n := len(plan.Phases); n == 0 || plan.Phases[n-1].Name != phase {
			plan.Phases = append(plan.Phases,
				plans.NewPhase(planUninstall, phase, servicespec.Parallel))
		}
		last := &plan.Phases[len(plan.Phases)-1]
		last.Steps = append(last.Steps,
			plans.NewSubjectStep(planUninstall, phase, step, step))
	}
	return plan
}

func (m *Machine) leave1(phase, step string) { m.leaving[phase+"/"+step] = true }

// stepStatus gives the function that tells a plan's steps their status.
func (m *Machine) stepStatus(plan string) func(plans.Step) plans.Status {
	return func(s plans.Step) plans.Status {
		status, _ := m.stepState(plan, s)
		return status
	}
}

// stepState is a step's status and, in a sentence, what it waits for.
func (m *Machine) stepState(plan string, s plans.Step) (plans.Status, string) {
	if s.Error != "" {
		return plans.Error, s.Error
	}
	if plan == planUninstall {
		return m.uninstallState(s)
	}
	name := PodName{s.Pod, s.Index}
	p := m.hard.Pods[name]
	if plan == planDeploy && p.Deployed != "" {
		if p.Deployed == m.hard.Target.ID {
			return plans.Complete, ""
		}
		if m.outdated(p) && p.anyLive() {
			return plans.Pending, m.waitOf(name, "it is to be rolled")
		}
	}
	if r := m.recovery[name]; plan == planRecovery && r != nil && r.done {
		return plans.Complete, ""
	}
	return m.instanceState(name, p)
}

// instanceState is where an instance stands on its way to be complete.
func (m *Machine) instanceState(name PodName, p Pod) (plans.Status, string) {
	if p.anyLive() && !p.allUnsure() {
		if m.fallen(p) {
			return plans.Pending, m.waitOf(name, "one of its tasks ended")
		}
		if reason := m.waits[name]; reason != "" {
			return plans.Started, reason
		}
		for _, t := range p.Tasks {
			if t.State == mesos.Staging || t.State == mesos.Starting {
				return plans.Starting, fmt.Sprintf("%s is %s on %s",
					name.fullName(t.Name), t.State, p.Place.Hostname)
			}
		}
		if ok, reason := m.ready(p); !ok {
			return plans.Started, reason
		}
		return plans.Complete, ""
	}
	if ok, _ := m.ready(p); ok && p.launched() {
		return plans.Complete, "" // all its tasks ran to their end
	}
	if m.now.Before(p.NotBefore) {
		return plans.Delayed, m.delayReason(p)
	}
	if reason := m.waits[name]; reason != "" {
		return plans.Pending, reason
	}
	if r := m.refusals[name]; r != nil {
		return plans.Prepared, r.String()
	}
	if p.launched() && p.allUnsure() && p.anyLive() {
		return plans.Prepared, fmt.Sprintf("its agent %s is not reachable", p.Place.Hostname)
	}
	return plans.Pending, "no offers came yet"
}

// delayReason says how often an instance failed, and why: what ended first took the rest along.
func (m *Machine) delayReason(p Pod) string {
	spec, _ := m.spec(p.Name)
	var cause Task
	for _, t := range p.Tasks {
		ts, _ := taskSpec(spec, t.Name)
		if t.Message == "" || t.live() || t.complete(ts) {
			continue
		}
		if cause.Message == "" || t.Since.Before(cause.Since) {
			cause = t
		}
	}
	if cause.Message == "" {
		return launchesFailed(p.Failures)
	}
	return launchesFailed(p.Failures) + ", the last one with: " + cause.Message
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

// uninstallState says whether what a step of the uninstall plan names is still there.
func (m *Machine) uninstallState(s plans.Step) (plans.Status, string) {
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		for _, t := range p.Tasks {
			if s.Subject == "kill-task-"+string(t.ID) && t.live() {
				return plans.Started, "the task is " + string(t.State)
			}
		}
		if p.Place != nil && s.Subject == "unreserve-"+string(p.Place.Reservation) {
			return plans.Pending, "waits until the tasks have ended"
		}
	}
	for _, id := range m.leftoverIDs() {
		if s.Subject == "unreserve-"+string(id) {
			return plans.Prepared, "waits for an offer of its agent"
		}
	}
	if s.Subject == "deregister" && m.hard.Intent != Uninstalled {
		return plans.Pending, "waits until everything is freed"
	}
	return plans.Complete, ""
}
