package sim

import (
	"fmt"

	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// offTarget says in which way what runs is not what the target says, "" in none: all tasks that
// run for good, with the target's environment and resources, none of them paused.
func (w *world) offTarget() string {
	for _, name := range w.operator.pods() {
		p := w.store.hard.Pods[name]
		spec, wanted := w.wanted(name)
		if !wanted {
			return name.String() + " is not wanted"
		}
		for _, ts := range spec.Tasks {
			if ts.Goal != servicespec.GoalRunning {
				continue
			}
			if wrong := w.offSpec(p, spec, ts); wrong != "" {
				return fmt.Sprintf("%s-%s %s", name, ts.Name, wrong)
			}
		}
		for _, set := range p.Place.Sets {
			used := false
			for _, ts := range spec.Tasks {
				used = used || ts.Resources.Name == set.Name
			}
			if !used {
				return fmt.Sprintf("%s holds the set %s, which no task has", name, set.Name)
			}
		}
	}
	return ""
}

func (w *world) offSpec(p scheduler.Pod, spec servicespec.Pod, ts servicespec.Task) string {
	for _, a := range w.master.agents {
		for _, t := range a.taskList() {
			if t.info.Name != p.Name.String()+"-"+ts.Name || !t.alive() {
				continue
			}
			order := w.order(t.info)
			env := map[string]string{}
			for _, e := range order.Env {
				env[e.Name] = e.Value
			}
			for _, e := range ts.Env {
				if env[e.Name] != e.Value {
					return fmt.Sprintf("runs with %s=%q, not %q", e.Name, env[e.Name], e.Value)
				}
			}
			if got := t.resources.Total(resource.CPUs); got != ts.Resources.CPUs {
				return fmt.Sprintf("has %s cpus, not %s", got, ts.Resources.CPUs)
			}
			if isIdle(order) {
				return "is paused"
			}
			version := releases[w.releaseOf(t.info)]
			if spec.Kafka != nil && spec.Kafka.Version != version {
				return fmt.Sprintf("runs Kafka %s, not %s", version, spec.Kafka.Version)
			}
			return ""
		}
	}
	return "does not run"
}
