package scheduler

import (
	"fmt"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// What the actions of a spec do: they start a plan, as an operator would, when tasks of one
// instance failed so often, or when a metric is beyond a bound.
//
// Nothing happens twice for one cause. Failures up to a start count no more; a metric must have
// come back within its bound before it can be beyond it again. Both is stored in the step that
// starts the plan. A cause that comes during the cool-down, or while the plan runs, waits for
// the end of that, if it lasts so long. What an operator interrupted stays so.

// countFailure gives the record of an instance of which a task failed now. Times are kept only
// as far as an action of the spec can count them.
func (m *Machine) countFailure(p Pod) Pod {
	most, window := 0, time.Duration(0)
	for _, a := range m.hard.Target.Service.Actions {
		if a.Pod == p.Name.Type && a.Failures > 0 {
			most, window = max(most, a.Failures), max(window, a.Within.Duration())
		}
	}
	var failed []time.Time
	for _, at := range append(slices.Clip(p.Failed), m.now) {
		if m.now.Before(at.Add(window)) {
			failed = append(failed, at)
		}
	}
	p.Failed = failed[max(0, len(failed)-most):]
	return p
}

// passActions starts the plans of the actions that have a cause.
func (m *Machine) passActions() {
	m.forgetActions()
	for _, a := range m.hard.Target.Service.Actions {
		run := m.hard.Actions[a.Name]
		cause := m.cause(a, &run)
		if cause == "" {
			continue
		}
		if calm := run.Last.Add(a.Cooldown.Duration()); !run.Last.IsZero() && m.now.Before(calm) {
			m.wakeBy(calm)
			continue
		}
		if m.heldPlan(a.Plan) {
			continue
		}
		run.Last, run.Crossed = m.now, a.Metric != ""
		m.setAction(a.Name, run)
		m.carryOut(Commanded{Command: PlanCommand{Verb: PlanStart, Plan: a.Plan},
			Caller: Caller{Who: "action " + a.Name, Reason: cause}})
	}
}

// forgetActions drops what is kept of actions that the spec has no more.
func (m *Machine) forgetActions() {
	for _, name := range sortedKeys(m.hard.Actions) {
		if !slices.ContainsFunc(m.hard.Target.Service.Actions,
			func(a servicespec.Action) bool { return a.Name == name }) {
			m.hard.Actions = without(m.hard.Actions, name)
			m.write(DeleteAction{name})
		}
	}
}

func (m *Machine) setAction(name string, run ActionRun) {
	m.hard.Actions = with(m.hard.Actions, name, run)
	m.write(WriteAction{name, run})
}

// heldPlan reports whether a plan is under way, or held by an operator.
func (m *Machine) heldPlan(name string) bool {
	built := m.built()
	i := slices.IndexFunc(built, func(p plans.Plan) bool { return p.Name == name })
	under := i >= 0 && m.hard.Runs[name].Active &&
		m.assess(built[i]).Status != plans.Complete
	return under || m.hard.Overrides.Interrupted[name]
}

// cause says why an action is to start its plan, "" if it is not. It notes that a metric is
// within its bound again.
func (m *Machine) cause(a servicespec.Action, run *ActionRun) string {
	if a.Metric == "" {
		return m.failedOften(a, *run)
	}
	value, known := m.metric(a)
	if !known {
		return ""
	}
	bound, word := a.Above, "above"
	crossed := bound != nil && value > *bound
	if bound == nil {
		bound, word = a.Below, "below"
		crossed = bound != nil && value < *bound
	}
	switch {
	case crossed && !run.Crossed:
		return fmt.Sprintf("%s of pod %s is %g, %s %g", a.Metric, a.Pod, value, word, *bound)
	case !crossed && run.Crossed:
		run.Crossed = false
		m.setAction(a.Name, *run)
	}
	return ""
}

// failedOften says which instance has failed as often as an action wants.
func (m *Machine) failedOften(a servicespec.Action, run ActionRun) string {
	for _, name := range m.podNames() {
		if name.Type != a.Pod {
			continue
		}
		n := 0
		for _, at := range m.hard.Pods[name].Failed {
			if at.After(run.Last) && m.now.Before(at.Add(a.Within.Duration())) {
				n++
			}
		}
		if n >= a.Failures {
			return fmt.Sprintf("%s failed %d times within %s", name, n, a.Within.Duration())
		}
	}
	return ""
}

// metric gives the value of what an action watches; known is false while nobody knows it.
func (m *Machine) metric(a servicespec.Action) (value float64, known bool) {
	switch a.Metric {
	case servicespec.MetricFailedLaunches, servicespec.MetricUnreachableInstances,
		servicespec.MetricUnreadyInstances:
		return float64(m.podMetric(a)), true
	}
	f := m.kafkaNow()
	if f == nil {
		return 0, false
	}
	n := 0
	switch a.Metric {
	case servicespec.MetricMissingVoters:
		n = len(f.Voters) - len(f.Present)
	case servicespec.MetricOfflinePartitions:
		n = f.OfflinePartitions
	case servicespec.MetricFencedBrokers, servicespec.MetricReplicasNotInSync:
		for _, b := range f.Brokers {
			if a.Metric == servicespec.MetricReplicasNotInSync {
				n += b.NotInSync
			} else if b.Fenced {
				n++
			}
		}
	}
	return float64(n), true
}

// podMetric gives the value of a metric that the machine knows for itself.
func (m *Machine) podMetric(a servicespec.Action) int {
	pod := podSpec(m.hard.Target.Service, a.Pod)
	if pod == nil {
		return 0
	}
	n := 0
	for i := range pod.Count {
		p := m.hard.Pods[PodName{a.Pod, i}]
		switch a.Metric {
		case servicespec.MetricFailedLaunches:
			failures, _ := p.failures()
			n = max(n, failures)
		case servicespec.MetricUnreachableInstances:
			if _, away := p.away(); away {
				n++
			}
		case servicespec.MetricUnreadyInstances:
			if ready, _ := m.ready(p); !ready || !p.launched() {
				n++
			}
		}
	}
	return n
}
