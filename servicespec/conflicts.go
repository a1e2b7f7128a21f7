package servicespec

import (
	"fmt"
	"slices"
)

// Conflicts says in a sentence each which phases launch tasks in one step that cannot run at once,
// as one would take the place or the name of the other. As with the predecessor that is no mistake
// in the file, but the steps are in error for ever.
func (s Service) Conflicts() []string {
	pods := podsOf(s)
	var list []string
	for _, plan := range s.Plans {
		for _, phase := range plan.Phases {
			pod := pods[phase.Pod]
			if pod == nil {
				continue
			}
			for _, names := range launches(phase, *pod) {
				reason := apart(*pod, names)
				sentence := fmt.Sprintf("plan %s, phase %s: %s; launch them in steps of their own",
					plan.Name, phase.Name, reason)
				if reason != "" && !slices.Contains(list, sentence) {
					list = append(list, sentence)
				}
			}
		}
	}
	return append(list, s.late()...)
}

// late plays the plan deploy through, and says which phase waits for ever, because all controllers,
// without which its brokers cannot start, wait for it.
func (s Service) late() []string {
	pods := podsOf(s)
	for _, plan := range s.Plans {
		if plan.Name != deployPlan {
			continue
		}
		done, controllers := map[string]bool{}, false
		waits := func(phase Phase) bool {
			pod := pods[phase.Pod]
			return pod != nil && pod.Kafka != nil && !pod.Kafka.Controls() && !controllers
		}
		for before := -1; before < len(done); {
			before = len(done)
			for i, phase := range plan.Phases {
				if !plan.mayBegin(i, done) || waits(phase) {
					continue
				}
				done[phase.Name] = true
				pod := pods[phase.Pod]
				controllers = controllers || pod != nil && pod.Kafka != nil && pod.Kafka.Controls()
			}
		}
		for i, phase := range plan.Phases {
			if plan.mayBegin(i, done) && waits(phase) {
				return []string{fmt.Sprintf("plan %s, phase %s: its brokers cannot start before "+
					"controllers do; put a phase of controllers first", plan.Name, phase.Name)}
			}
		}
	}
	return nil
}

// mayBegin reports whether all that comes before the i-th phase of a plan is done.
func (p Plan) mayBegin(i int, done map[string]bool) bool {
	switch p.Strategy {
	case Serial:
		return i == 0 || done[p.Phases[i-1].Name]
	case Dependency:
		names := p.PhaseNames()
		return !slices.ContainsFunc(p.Phases[i].DependsOn, func(text string) bool {
			on, _ := DependencyOf(text, names)
			return !done[on]
		})
	}
	return true
}

// launches gives the tasks of each step that a phase can have.
func launches(phase Phase, pod Pod) [][]string {
	if phase.Steps == nil {
		var all []string
		for _, t := range pod.Tasks {
			all = append(all, t.Name)
		}
		return [][]string{all}
	}
	var steps [][]string
	for _, s := range phase.Steps {
		steps = append(steps, s.Steps...)
	}
	return steps
}

// apart says why tasks of a pod cannot be launched in one step, "" when they can.
func apart(pod Pod, names []string) string {
	sets, prefixes := map[string]string{}, map[string]string{}
	for _, t := range pod.Tasks {
		if !slices.Contains(names, t.Name) {
			continue
		}
		set := t.Resources.Name
		if other, taken := sets[set]; taken {
			return fmt.Sprintf("the tasks %s and %s share the resource set %s, and so cannot run "+
				"at once", other, t.Name, set)
		}
		sets[set] = t.Name
		if t.Discovery == nil || t.Discovery.Prefix == "" {
			continue
		}
		prefix := t.Discovery.Prefix
		if other, taken := prefixes[prefix]; taken {
			return fmt.Sprintf("the tasks %s and %s share the discovery prefix %s, and so cannot "+
				"run at once", other, t.Name, prefix)
		}
		prefixes[prefix] = t.Name
	}
	return ""
}
