package plans

import (
	"maps"
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
	children := stepsOfPhase(p.Name, which,
		func(step int) Status { return status(which.Steps[step]) }, o)
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

// Forget gives the overrides without all that was said of one plan, or of one phase by its key,
// as is due when it begins anew, and reports whether that was anything. Its maps are new and can
// be written to.
func (o Overrides) Forget(key string) (kept Overrides, changed bool) {
	kept = Overrides{
		Interrupted: without(o.Interrupted, key), Forced: without(o.Forced, key),
		Released: without(o.Released, key), Said: without(o.Said, key),
	}
	return kept, len(kept.Interrupted) < len(o.Interrupted) || len(kept.Said) < len(o.Said) ||
		len(kept.Forced) < len(o.Forced) || len(kept.Released) < len(o.Released)
}

func without[V any](said map[string]V, key string) map[string]V {
	kept := maps.Clone(said)
	if kept == nil {
		kept = map[string]V{}
	}
	maps.DeleteFunc(kept, func(k string, _ V) bool {
		return k == key || strings.HasPrefix(k, key+"/")
	})
	return kept
}
