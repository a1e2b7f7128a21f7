package plans

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

var (
	planStrategies  = []Strategy{servicespec.Serial, servicespec.Parallel, Dependency}
	plainStrategies = []Strategy{servicespec.Serial, servicespec.Parallel, Dependency}
	canaryOnes      = []Strategy{servicespec.SerialCanary, servicespec.ParallelCanary,
		DependencyCanary}
	stepStatuses = []Status{Pending, Prepared, Starting, Started, Delayed, Complete}
)

// drawPlan makes any plan without errors.
func drawPlan(t *rapid.T, strategies []Strategy) Plan {
	p := Plan{Name: "p", Strategy: rapid.SampledFrom(planStrategies).Draw(t, "strategy")}
	for i := range rapid.IntRange(0, 4).Draw(t, "phases") {
		name := fmt.Sprint("phase", i)
		phase := NewPhase(p.Name, name, rapid.SampledFrom(strategies).Draw(t, "phase strategy"))
		for j := range rapid.IntRange(0, 5).Draw(t, "steps") {
			index := rapid.IntRange(0, 2).Draw(t, "index")
			step := NewStep(p.Name, name, "pod", index, []string{fmt.Sprint("task", j)})
			if rapid.IntRange(0, 5).Draw(t, "kind") == 0 {
				step = NewSubjectStep(p.Name, name, fmt.Sprint("subject", j), "x")
			}
			phase.Steps = append(phase.Steps, step)
		}
		p.Phases = append(p.Phases, phase)
	}
	return p
}

// world holds the status of every step by its id.
type world map[string]Status

func (w world) status(s Step) Status { return w[s.ID] }

func drawWorld(t *rapid.T, p Plan, statuses []Status) world {
	w := world{}
	for _, phase := range p.Phases {
		for _, step := range phase.Steps {
			w[step.ID] = rapid.SampledFrom(statuses).Draw(t, step.Name)
		}
	}
	return w
}

func drawOverrides(t *rapid.T, p Plan) Overrides {
	o := Overrides{Interrupted: map[string]bool{}, Forced: map[string]bool{},
		Released: map[string]bool{}}
	seldom := rapid.Map(rapid.IntRange(0, 7), func(n int) bool { return n == 0 })
	o.Interrupted[Key(p.Name, "", "")] = seldom.Draw(t, "interrupt plan")
	for _, phase := range p.Phases {
		key := Key(p.Name, phase.Name, "")
		o.Interrupted[key] = seldom.Draw(t, "interrupt phase")
		o.Released[key] = seldom.Draw(t, "release phase")
		for _, step := range phase.Steps {
			key := Key(p.Name, phase.Name, step.Name)
			o.Interrupted[key] = seldom.Draw(t, "interrupt step")
			o.Forced[key] = seldom.Draw(t, "force step")
			o.Released[key] = seldom.Draw(t, "release step")
		}
	}
	return o
}

func everyStrategy() []Strategy { return slices.Concat(plainStrategies, canaryOnes) }

func TestCandidatesMayBeWorkedOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t, everyStrategy())
		w := drawWorld(t, p, stepStatuses)
		o := drawOverrides(t, p)
		a := Assess(p, w.status, o)
		seen := map[string]bool{}
		for _, c := range a.Candidates {
			phase := phaseOf(p, c)
			key := Key(p.Name, phase.Name, c.Name)
			if seen[c.ID] || !wantsWork(w[c.ID]) || o.Forced[key] || o.Interrupted[key] ||
				o.Interrupted[Key(p.Name, phase.Name, "")] || o.Interrupted[p.Name] {
				t.Fatalf("%s must not be a candidate", c.Name)
			}
			seen[c.ID] = true
		}
		if show(a) != show(Assess(p, w.status, o)) {
			t.Fatal("a second assessment differs")
		}
	})
}

func phaseOf(p Plan, s Step) Phase {
	for _, phase := range p.Phases {
		for _, step := range phase.Steps {
			if step.ID == s.ID {
				return phase
			}
		}
	}
	return Phase{}
}

func TestCompleteMeansAllAndNothingToDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t, everyStrategy())
		w := drawWorld(t, p, []Status{Complete, Complete, Complete, Pending, Delayed})
		o := drawOverrides(t, p)
		a := Assess(p, w.status, o)
		complete := true
		for i, phase := range p.Phases {
			for j := range phase.Steps {
				complete = complete && a.Phases[i].Steps[j] == Complete
			}
		}
		if complete != (a.Status == Complete) {
			t.Fatalf("status is %s\n%s", a.Status, show(a))
		}
		if complete && len(a.Candidates) > 0 {
			t.Fatalf("complete, with candidates\n%s", show(a))
		}
		if a.Status == Error {
			t.Fatalf("an error without one\n%s", show(a))
		}
	})
}

func TestSerialKeepsTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t, everyStrategy())
		p.Strategy = servicespec.Serial
		w := drawWorld(t, p, stepStatuses)
		a := Assess(p, w.status, drawOverrides(t, p))
		first := slices.IndexFunc(a.Phases, func(x PhaseAssessment) bool {
			return x.Status != Complete
		})
		serial := map[string]int{}
		for _, c := range a.Candidates {
			phase := phaseOf(p, c)
			if phase.ID != p.Phases[first].ID {
				t.Fatalf("%s goes before its phase may begin\n%s", c.Name, show(a))
			}
			if serial[phase.ID]++; phase.Strategy == servicespec.Serial && serial[phase.ID] > 1 {
				t.Fatalf("a serial phase offers two steps\n%s", show(a))
			}
		}
	})
}

// TestInstancesKeepTheOrder is about phases of Dependency: no step of an instance goes before
// an earlier one of the same instance is complete.
func TestInstancesKeepTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t, []Strategy{Dependency})
		w := drawWorld(t, p, stepStatuses)
		a := Assess(p, w.status, Overrides{})
		for _, c := range a.Candidates {
			for _, step := range phaseOf(p, c).Steps {
				if step.ID == c.ID {
					break
				}
				if c.Pod != "" && step.Pod == c.Pod && step.Index == c.Index &&
					w[step.ID] != Complete {
					t.Fatalf("%s goes before %s\n%s", c.Name, step.Name, show(a))
				}
			}
		}
	})
}

// TestEveryPlanEnds works on the candidates until there are none, and releases canaries only
// then: every plan must end complete, and each canary phase must ask twice at most.
func TestEveryPlanEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t, everyStrategy())
		w := drawWorld(t, p, []Status{Pending, Pending, Prepared, Complete})
		var o Overrides
		asked := map[int]int{}
		for range 1000 {
			a := Assess(p, w.status, o)
			if a.Status == Complete {
				return
			}
			for _, c := range a.Candidates {
				w[c.ID] = Complete
			}
			if len(a.Candidates) > 0 {
				continue
			}
			if a.Status != Waiting {
				t.Fatalf("nothing to do, and not waiting\n%s", show(a))
			}
			progress := false
			for i := range p.Phases {
				next, ok := o.Release(p, i, w.status)
				if ok && !progress {
					o, progress = next, true
					asked[i]++
				}
			}
			if !progress {
				t.Fatalf("stuck\n%s", show(a))
			}
		}
		t.Fatalf("it does not end: %v", asked)
	})
}

func TestCanariesGoOneByOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t, canaryOnes)
		p.Strategy = servicespec.Parallel
		w := drawWorld(t, p, []Status{Pending, Complete})
		var o Overrides
		if a := Assess(p, w.status, o); len(a.Candidates) > 0 {
			t.Fatalf("a canary phase began by itself\n%s", show(a))
		}
		for i, phase := range p.Phases {
			pending := 0
			for _, step := range phase.Steps {
				if w[step.ID] == Pending {
					pending++
				}
			}
			for asked := range canarySteps {
				next, ok := o.Release(p, i, w.status)
				if ok != (asked < pending) {
					t.Fatalf("release %d of %d pending says %v", asked, pending, ok)
				}
				o = next
				going := Assess(p, w.status, o).Candidates
				if asked == 0 && pending > 0 && len(going) != 1 {
					t.Fatalf("the first release lets %d go", len(going))
				}
				for _, c := range going {
					if phaseOf(p, c).ID == phase.ID {
						w[c.ID] = Complete
					}
				}
			}
			for _, step := range phase.Steps {
				w[step.ID] = Complete
			}
		}
	})
}
