package scheduler

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// How executors come to be of the scheduler's release. An executor lives as long as anything of its
// instance runs, whatever becomes of the scheduler, so that a scheduler of a later release finds
// earlier ones; they go on to work with it. An instance that is launched anew as a whole gets a
// new one. RollExecutors has the plan deploy do that with all that have another one: with the
// verdict before each Kafka node, and at the pace of each pod's update policy.

// RollExecutors has the plan deploy launch those instances anew whose executor is another one than
// they would be launched with now.
type RollExecutors struct{}

func (RollExecutors) command() {}

// otherExecutor reports whether what runs of an instance does so under another executor than would
// be launched now, one of another release of this program as a rule; or with another Java runtime.
func (m *Machine) otherExecutor(p Pod) bool {
	if p.Place == nil || !p.anyRuns() {
		return false
	}
	return p.Executor.Command.Value != m.executorCommand(p.Place.Attributes) || m.otherJava(p)
}

// otherJava reports whether an instance that needs Java did not get the runtime that agents fetch
// now. Where that is fetched from changes with the scheduler's address, and what is fetched does
// not.
func (m *Machine) otherJava(p Pod) bool {
	spec, _ := m.spec(p.Name)
	if spec.Kafka == nil && spec.ZooKeeper == nil || m.cfg.JavaURI == "" {
		return false
	}
	file := strings.TrimPrefix(m.cfg.JavaURI, m.cfg.Address)
	return !slices.ContainsFunc(p.Executor.Command.URIs,
		func(u mesos.URI) bool { return strings.HasSuffix(u.Value, file) })
}

// exchanges reports whether the executor of an instance is to go: all that runs under it is to be
// launched again anyhow.
func (m *Machine) exchanges(p Pod) bool {
	return m.otherExecutor(p) &&
		!slices.ContainsFunc(p.Tasks, func(t Task) bool { return t.runs() && !t.Again })
}

// rollExecutors carries out RollExecutors.
func (m *Machine) rollExecutors() (tasks []string, text string, p *Problem) {
	switch c := m.hard.Campaign; {
	case m.hard.Intent != Run:
		return nil, "", problem(Conflict, "the service is stopped; what is started again gets a "+
			"new executor by itself")
	case c.under() && !c.Waiting():
		return nil, "", problem(Conflict, "the %s from %s to %s is under way, and launches nodes "+
			"anew itself; wait for it", c.Kind.noun(), c.From, c.To)
	}
	count := 0
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		spec, wanted := m.spec(name)
		if !wanted || p.Request != "" || !m.otherExecutor(p) {
			continue
		}
		p = p.withTasks(func(t *Task) {
			if ts, _ := taskSpec(spec, t.Name); t.live() && ts.Goal == servicespec.GoalRunning {
				t.Again = true
				tasks = append(tasks, name.fullName(t.Name))
			}
		})
		m.unforce(name)
		m.setPod(p)
		count++
	}
	if count == 0 {
		return nil, "", problem(AlreadyDone, "no instance runs under an executor of another "+
			"release, or with another Java runtime")
	}
	return tasks, fmt.Sprintf("the plan deploy launches %d of %d instances anew, whose executors "+
		"are of another release, or whose Java runtime is another one", count,
		len(m.hard.Pods)), nil
}

// unforce takes back that an operator forced steps of the plan deploy for an instance to their
// end.
func (m *Machine) unforce(name PodName) {
	m.derive()
	for _, at := range m.index.steps[name] {
		phase := m.index.built[0].Phases[at.phase]
		key := plans.Key(planDeploy, phase.Name, phase.Steps[at.step].Name)
		if m.hard.Overrides.Forced[key] {
			m.forget(key)
		}
	}
}
