package scheduler

import (
	"maps"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// target decides with which configuration the service goes on.
func (a *adopting) target(own servicespec.Service, want *Target) {
	number := int64(0)
	earlier := func(id string) {
		number++
		a.hard.Earlier = append(a.hard.Earlier, EarlierTarget{ID: id, Number: number,
			Service: a.old.Configs[id], Since: a.now, By: "adoption", Updates: a.old.Deployed})
	}
	for _, id := range slices.Sorted(maps.Keys(a.old.Configs)) {
		if id != a.old.TargetID {
			earlier(id)
		}
	}
	t := Target{ID: a.old.TargetID, Service: own}
	switch {
	case want == nil:
		t.Service.Plans = a.likelyPlans(own)
	default:
		for _, reason := range forbidden(canonical(own), canonical(want.Service)) {
			a.problem("%s", reason)
		}
		if a.differs(own, want.Service) {
			earlier(t.ID)
			t.ID = want.ID
		}
		t.Service = want.Service
	}
	a.missesVariables(t.Service)
	t.Number, t.Since, t.By, t.Updates = number+1, a.now, "adoption", a.old.Deployed
	a.hard.Target = t
}

// ofDCOS are the variables that tasks had of DC/OS alone.
var ofDCOS = []string{"FRAMEWORK_HOST", "FRAMEWORK_VIP_HOST", "SCHEDULER_API_HOSTNAME",
	"SCHEDULER_API_PORT", "PLACEMENT_REFERENCED_REGION", "PLACEMENT_REFERENCED_ZONE",
	"MESOS_CONTAINER_IP"}

// missesVariables tells which tasks use variables that they will not have from their next launch
// on.
func (a *adopting) missesVariables(s servicespec.Service) {
	for _, pod := range s.Pods {
		for _, t := range pod.Tasks {
			texts := []string{t.Command}
			for _, c := range t.Configs {
				texts = append(texts, c.Text)
			}
			all := strings.Join(texts, "\n")
			for _, name := range ofDCOS {
				own := slices.ContainsFunc(t.Env,
					func(v servicespec.EnvVar) bool { return v.Name == name })
				if strings.Contains(all, name) && !own {
					a.notef("%s-%s uses the variable %s, which DC/OS gave it: name a spec that "+
						"does without it, or sets it, before the task is launched again",
						pod.Type, t.Name, name)
				}
			}
		}
	}
}

// differs tells the differences to the configuration that is wanted, and reports whether tasks have
// to be launched again for them.
func (a *adopting) differs(own, want servicespec.Service) (restarts bool) {
	for _, c := range servicespec.Diff(own, want) {
		if strings.HasPrefix(c.Path, "plans.") || c.Class == servicespec.Nothing {
			continue
		}
		a.notef("%s (%s: %s)", c, c.Class, c.Reason)
		restarts = restarts || c.Class == servicespec.Restart || c.Class == servicespec.Replace
	}
	return restarts
}

// likelyPlans gives the plan deploy that the predecessor's must have been like, as far as what it
// launched tells: it stores no plans. What no instance of a pod ever launched is launched by no
// step, and what runs to its end comes before what stays.
func (a *adopting) likelyPlans(s servicespec.Service) []servicespec.Plan {
	launched := map[string]bool{}
	for _, t := range a.old.Tasks {
		pod := labelOf(t.Info.Labels, oldPodLabel)
		index := labelOf(t.Info.Labels, oldIndexLabel)
		if t.Info.ID != "" {
			launched[pod+"/"+strings.TrimPrefix(t.Name, pod+"-"+index+"-")] = true
		}
	}
	plan := servicespec.Plan{Name: planDeploy, Strategy: servicespec.Serial}
	for _, pod := range s.Pods {
		phase := servicespec.Phase{Name: pod.Type, Strategy: servicespec.Serial, Pod: pod.Type}
		var steps [][]string
		var stay, never []string
		for _, ts := range pod.Tasks {
			switch {
			case !launched[pod.Type+"/"+ts.Name]:
				never = append(never, ts.Name)
			case ts.Goal == servicespec.GoalRunning:
				stay = append(stay, ts.Name)
			default:
				steps = append(steps, []string{ts.Name})
			}
		}
		if len(never) == len(pod.Tasks) { // nothing of the pod is there yet
			plan.Phases = append(plan.Phases, phase)
			continue
		}
		if len(stay) > 0 {
			steps = append(steps, stay)
		}
		if len(steps) > 1 || len(never) > 0 {
			phase.Steps = []servicespec.InstanceSteps{{Default: true, Steps: steps}}
		}
		for _, name := range never {
			a.notef("no %s-%s was ever launched, and no plan will: the predecessor stores no "+
				"plans; name the spec to have them back", pod.Type, name)
		}
		plan.Phases = append(plan.Phases, phase)
	}
	return []servicespec.Plan{plan}
}

// settle notes what is complete under the target, as a machine would.
func (a *adopting) settle() {
	t := &a.hard.Target
	complete := true
	for _, name := range slices.SortedFunc(maps.Keys(a.hard.Pods), PodName.compare) {
		p := a.hard.Pods[name]
		p.Tasks = slices.Clone(p.Tasks)
		for i := range p.Tasks {
			task := &p.Tasks[i]
			want := t.Service.TaskLaunchHash(name.Type, anyIndex, task.Name)
			if task.ID != "" && task.Deployed != "" && task.Launch == want {
				task.Deployed = t.ID
			}
		}
		a.hard.Pods[name] = p
	}
	for _, phase := range plans.Build(t.Service)[0].Phases {
		for _, s := range phase.Steps {
			p := a.hard.Pods[PodName{s.Pod, s.Index}]
			for _, name := range s.Tasks {
				task, _ := p.task(name)
				complete = complete && task.Deployed == t.ID
			}
		}
	}
	if complete && a.old.Deployed {
		t.Done = a.now
	}
}

// Writes are what a store has to be filled with.
func (a Adoption) Writes() []Write {
	writes := []Write{WriteTarget{a.Hard.Target}, WriteIntent{a.Hard.Intent}}
	if a.Hard.Framework != "" {
		writes = append(writes, WriteFramework{a.Hard.Framework})
	}
	for _, e := range a.Hard.Earlier {
		writes = append(writes, WriteEarlier{e})
	}
	for _, name := range slices.SortedFunc(maps.Keys(a.Hard.Pods), PodName.compare) {
		writes = append(writes, WritePod{a.Hard.Pods[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(a.Hard.Files)) {
		writes = append(writes, WriteFile{name, a.Hard.Files[name]})
	}
	return writes
}
