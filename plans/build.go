package plans

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// deploy is the plan that comes first.
const deploy = "deploy"

// Build makes the plans that a service declares, deploy first, the others in the order of the
// spec. A step that cannot be carried out, because its tasks exclude each other, carries the
// reason as its Error.
func Build(s servicespec.Service) []Plan {
	built := make([]Plan, 0, len(s.Plans))
	for _, declared := range s.Plans {
		plan := Plan{Name: declared.Name, Strategy: declared.Strategy}
		names := declared.PhaseNames()
		for _, phase := range declared.Phases {
			built := buildPhase(s, declared.Name, phase)
			for _, text := range phase.DependsOn {
				on, index := servicespec.DependencyOf(text, names)
				built.After = append(built.After, After{on, index})
			}
			plan.Phases = append(plan.Phases, built)
		}
		built = append(built, plan)
	}
	slices.SortStableFunc(built, func(a, b Plan) int {
		return rank(a.Name) - rank(b.Name)
	})
	return built
}

func rank(plan string) int {
	if plan == deploy {
		return 0
	}
	return 1
}

func buildPhase(s servicespec.Service, plan string, declared servicespec.Phase) Phase {
	phase := NewPhase(plan, declared.Name, declared.Strategy)
	if declared.Steps != nil && phase.Strategy == servicespec.Parallel {
		phase.Strategy = Dependency
	}
	if declared.Steps != nil && phase.Strategy == servicespec.ParallelCanary {
		phase.Strategy = DependencyCanary
	}
	for _, pod := range s.Pods {
		if pod.Type != declared.Pod {
			continue
		}
		for index := range pod.Count {
			for _, tasks := range stepsOf(declared, pod, index) {
				step := NewStep(plan, phase.Name, pod.Type, index, tasks)
				step.Error = conflict(pod, tasks)
				phase.Steps = append(phase.Steps, step)
			}
		}
	}
	return phase
}

// stepsOf lists the task names of each step of one instance.
func stepsOf(phase servicespec.Phase, pod servicespec.Pod, index int) [][]string {
	if phase.Steps == nil {
		var all []string
		for _, task := range pod.Tasks {
			all = append(all, task.Name)
		}
		return [][]string{all}
	}
	var steps [][]string
	for _, s := range phase.Steps {
		if s.Default {
			steps = s.Steps
		} else if s.Index == index {
			return s.Steps
		}
	}
	return steps
}

// conflict says why the tasks cannot be launched together, "" when they can.
func conflict(pod servicespec.Pod, names []string) string {
	sets, prefixes := map[string]string{}, map[string]string{}
	for _, task := range pod.Tasks {
		if !slices.Contains(names, task.Name) {
			continue
		}
		if other, taken := sets[task.Resources.Name]; taken {
			return fmt.Sprintf("the tasks %s and %s share the resource set %s and cannot run at "+
				"the same time; put them into steps of their own", other, task.Name,
				task.Resources.Name)
		}
		sets[task.Resources.Name] = task.Name
		if task.Discovery == nil || task.Discovery.Prefix == "" {
			continue
		}
		if other, taken := prefixes[task.Discovery.Prefix]; taken {
			return fmt.Sprintf("the tasks %s and %s share the discovery prefix %s and cannot run "+
				"at the same time; put them into steps of their own", other, task.Name,
				task.Discovery.Prefix)
		}
		prefixes[task.Discovery.Prefix] = task.Name
	}
	return ""
}

// NewPhase makes a phase of a plan. The steps must have been made for the same plan and phase.
func NewPhase(plan, name string, strategy Strategy, steps ...Step) Phase {
	return Phase{ID: id(plan, name, ""), Name: name, Strategy: strategy, Steps: steps}
}

// NewStep makes a step that launches tasks of a pod instance: "kafka-0:[broker, exporter]".
func NewStep(plan, phase, pod string, index int, tasks []string) Step {
	name := fmt.Sprintf("%s-%d:[%s]", pod, index, strings.Join(tasks, ", "))
	return Step{ID: id(plan, phase, name), Name: name, Pod: pod, Index: index,
		Tasks: slices.Clone(tasks)}
}

// NewSubjectStep makes a step about something other than a pod instance: a task to kill, a
// reservation to free. The name must be unique in its phase.
func NewSubjectStep(plan, phase, name, subject string) Step {
	return Step{ID: id(plan, phase, name), Name: name, Subject: subject}
}

// namespace is the UUID, in its 16 bytes, under which all ids are made; it must never change.
const namespace = "kafka-sched/plan"

// id derives a UUID of version 5 (RFC 9562) from names.
func id(plan, phase, step string) string {
	sum := sha1.Sum([]byte(namespace + plan + "\x00" + phase + "\x00" + step))
	sum[6] = sum[6]&0x0f | 0x50
	sum[8] = sum[8]&0x3f | 0x80
	text := hex.EncodeToString(sum[:16])
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}
