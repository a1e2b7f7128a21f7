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
	return slices.Concat(list, s.apartEnsembles(), s.late())
}

// apartEnsembles says which phases bring up the servers of a ZooKeeper ensemble one after another,
// and so would wait for the first of them for ever.
func (s Service) apartEnsembles() []string {
	pods := podsOf(s)
	var list []string
	for _, plan := range s.Plans {
		for _, phase := range plan.Phases {
			pod := pods[phase.Pod]
			if plan.Name == deployPlan && pod != nil && pod.ZooKeeper != nil && pod.Count > 1 &&
				phase.Strategy != Parallel {
				list = append(list, fmt.Sprintf("plan %s, phase %s: no ZooKeeper server of an "+
					"ensemble serves alone; give the phase the strategy parallel (they are "+
					"stopped one at a time all the same)", plan.Name, phase.Name))
			}
		}
	}
	return list
}

// late plays the plan deploy through, and says which phase waits for ever, because all that its
// brokers cannot start without, controllers or an ensemble, waits for it.
func (s Service) late() []string {
	pods := podsOf(s)
	for _, plan := range s.Plans {
		if plan.Name != deployPlan {
			continue
		}
		done, up := map[string]bool{}, map[string]bool{}
		waits := func(phase Phase) bool {
			needs := pods[phase.Pod].needs()
			return needs != "" && !up[needs]
		}
		for before := -1; before < len(done); {
			before = len(done)
			for i, phase := range plan.Phases {
				if !plan.mayBegin(i, done) || waits(phase) {
					continue
				}
				done[phase.Name] = true
				up[pods[phase.Pod].offers()] = true
			}
		}
		for i, phase := range plan.Phases {
			if plan.mayBegin(i, done) && waits(phase) {
				needs := pods[phase.Pod].needs()
				return []string{fmt.Sprintf("plan %s, phase %s: its brokers cannot start before "+
					"%s do; put a phase of %s first", plan.Name, phase.Name, needs, needs)}
			}
		}
	}
	return nil
}

// controllersUp names the controllers among what brokers need.
const controllersUp = "controllers"

// needs is what must be up before the instances of a pod can come up, "" for nothing.
func (p *Pod) needs() string {
	switch {
	case p == nil || p.Kafka == nil || p.Kafka.Controls() || p.Kafka.External() != "":
		return ""
	case p.Kafka.ZooKeeper != "":
		return "the servers of pod " + p.Kafka.ZooKeeper
	}
	return controllersUp
}

// offers is what is up with the instances of a pod.
func (p *Pod) offers() string {
	switch {
	case p == nil:
	case p.ZooKeeper != nil:
		return "the servers of pod " + p.Type
	case p.Kafka != nil && p.Kafka.Controls():
		return controllersUp
	}
	return ""
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
