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

// late says which phase of the plan deploy waits for ever, because all controllers, without which
// its brokers cannot start, wait for it.
func (s Service) late() []string {
	pods := podsOf(s)
	kafka := func(phase Phase, controls bool) bool {
		pod := pods[phase.Pod]
		return pod != nil && pod.Kafka != nil && pod.Kafka.Controls() == controls
	}
	for _, plan := range s.Plans {
		for _, phase := range plan.Phases {
			early := func(other Phase) bool {
				return kafka(other, true) && !plan.after(other, phase)
			}
			if plan.Name == deployPlan && kafka(phase, false) &&
				!slices.ContainsFunc(plan.Phases, early) {
				return []string{fmt.Sprintf("plan %s, phase %s: its brokers cannot start before "+
					"controllers do; put a phase of controllers first", plan.Name, phase.Name)}
			}
		}
	}
	return nil
}

// after reports whether a phase of the plan begins only when another one is complete.
func (p Plan) after(phase, other Phase) bool {
	names := p.PhaseNames()
	if p.Strategy == Serial {
		return slices.Index(names, other.Name) < slices.Index(names, phase.Name)
	}
	awaited := []string{phase.Name}
	for i := 0; i < len(awaited); i++ {
		for _, text := range p.Phases[slices.Index(names, awaited[i])].DependsOn {
			if on, _ := DependencyOf(text, names); !slices.Contains(awaited, on) {
				awaited = append(awaited, on)
			}
		}
	}
	return phase.Name != other.Name && slices.Contains(awaited, other.Name)
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
