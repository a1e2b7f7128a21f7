package plans

import (
	"maps"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// canarySteps is how many steps of a canary phase wait for the operator, one by one.
const canarySteps = 2

// canaries gives the steps of a phase that are held for the operator, and those that the
// operator let go while others are still held; both are empty outside of the canary stage.
//
// Nothing is remembered of a phase before the first release: until then the canaries are its
// first steps that want work, which stays true because none of its steps is worked on. One that
// the operator forced instead is asked for all the same, unless that makes all complete.
func canaries(plan string, phase Phase, steps []child, o Overrides) (held, free []int) {
	switch phase.Strategy {
	case servicespec.SerialCanary, servicespec.ParallelCanary, DependencyCanary:
	default:
		return nil, nil
	}
	if o.Released[Key(plan, phase.Name, "")] {
		return nil, nil
	}
	for i, step := range phase.Steps {
		if o.Released[Key(plan, phase.Name, step.Name)] {
			free = append(free, i)
		}
	}
	complete := true
	for i, step := range phase.Steps {
		key := Key(plan, phase.Name, step.Name)
		asked := wantsWork(steps[i].status) || o.Forced[key]
		if len(held)+len(free) < canarySteps && asked && !o.Released[key] {
			held = append(held, i)
		}
		complete = complete && steps[i].status == Complete
	}
	if len(held) == 0 || complete {
		return nil, nil
	}
	return held, free
}

// Release lets the next canary step of a phase go: the first time one step, the second time the
// second one and with it all others. ok is false when the phase, given by its index, holds no
// canary step. The overrides that it is called on stay as they are.
func (o Overrides) Release(
	p Plan, phase int, status func(Step) Status,
) (released Overrides, ok bool) {
	which := p.Phases[phase]
	children := stepsOfPhase(p.Name, which, status, o)
	held, _ := canaries(p.Name, which, children, o)
	if len(held) == 0 {
		return o, false
	}
	o.Released = maps.Clone(o.Released)
	if o.Released == nil {
		o.Released = map[string]bool{}
	}
	o.Released[Key(p.Name, which.Name, which.Steps[held[0]].Name)] = true
	if len(held) == 1 {
		o.Released[Key(p.Name, which.Name, "")] = true
	}
	return o, true
}

// Forget gives the overrides without all that was said of one plan, as is due when it begins
// anew for another configuration. Its maps are new and can be written to.
func (o Overrides) Forget(plan string) Overrides {
	return Overrides{
		Interrupted: without(o.Interrupted, plan),
		Forced:      without(o.Forced, plan),
		Released:    without(o.Released, plan),
	}
}

func without(keys map[string]bool, plan string) map[string]bool {
	kept := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if key == plan || strings.HasPrefix(key, plan+"/") {
			continue
		}
		kept[key] = keys[key]
	}
	return kept
}
