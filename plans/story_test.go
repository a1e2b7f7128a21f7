package plans

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// story is a plan with the world that a scenario tells of.
type story struct {
	plans    []Plan // of the last spec
	plan     Plan
	statuses map[string]Status
	o        Overrides
}

// TestStories runs the scenarios of testdata. Every command but spec and find prints the
// assessment that holds after it:
//
//	plan <name> <strategy>   makes a plan of "phase <name> <strategy>: step, step, …" lines,
//	                         where a step is instance[tasks], a plain subject, or !error
//	spec                     builds the plans of a spec
//	use <plan>               takes one of the plans that spec built
//	set                      sets statuses: "phase/step STATUS" or "phase/* STATUS"
//	interrupt, proceed, force, unforce   with a key
//	release <phase>, forget, find phase=… step=…
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := &story{statuses: map[string]Status{}, o: silence()}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			return s.run(t, d)
		})
	})
}

func (s *story) run(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "plan":
		s.begin(t, d)
	case "spec":
		return s.spec(d.Input)
	case "use":
		s.use(t, word(d))
	case "set":
		s.set(t, d.Input)
	case "interrupt":
		s.o.Interrupted[word(d)] = true
	case "proceed":
		delete(s.o.Interrupted, word(d))
	case "force":
		s.o.Forced[word(d)] = true
	case "release":
		phase, _, err := s.plan.Find(word(d), "")
		if err != nil {
			t.Fatal(err)
		}
		released, ok := s.o.Release(s.plan, phase, s.status)
		if !ok {
			return "nothing is held\n"
		}
		s.o = released
	case "forget":
		s.o, _ = s.o.Forget(s.plan.Name)
	case "find":
		return s.find(d)
	default:
		t.Fatalf("unknown command %s", d.Cmd)
	}
	return show(Assess(s.plan, s.status, s.o))
}

// silence is what operators say before they say anything.
func silence() Overrides {
	o, _ := Overrides{}.Forget("")
	return o
}

// word gives the argument of a command, which may hold what datadriven takes for lists.
func word(d *datadriven.TestData) string {
	if d.Input != "" {
		return strings.TrimSpace(d.Input)
	}
	return d.CmdArgs[0].Key
}

func (s *story) begin(t *testing.T, d *datadriven.TestData) {
	s.plan = Plan{Name: d.CmdArgs[0].Key, Strategy: Strategy(d.CmdArgs[1].Key)}
	s.statuses, s.o = map[string]Status{}, silence()
	for line := range strings.Lines(d.Input) {
		head, tail, _ := strings.Cut(strings.TrimSpace(line), ":")
		words := strings.Fields(head)
		if words[0] == "error" {
			s.plan.Errors = append(s.plan.Errors, strings.TrimSpace(tail))
			continue
		}
		if len(words) < 3 || words[0] != "phase" {
			t.Fatalf("%q is no phase", line)
		}
		phase := NewPhase(s.plan.Name, words[1], Strategy(words[2]))
		for _, text := range words[3:] { // after=PHASE or after=PHASE/INDEX
			text = strings.ReplaceAll(strings.TrimPrefix(text, "after="), "/", ":")
			on, index := servicespec.DependencyOf(text, nil)
			phase.After = append(phase.After, After{on, index})
		}
		for text := range strings.FieldsSeq(tail) {
			phase.Steps = append(phase.Steps, s.step(t, phase.Name, text))
		}
		s.plan.Phases = append(s.plan.Phases, phase)
	}
}

func (s *story) step(t *testing.T, phase, text string) Step {
	text, failed := strings.CutPrefix(text, "!")
	instance, tasks, ok := strings.Cut(strings.TrimSuffix(text, "]"), "[")
	if !ok {
		return NewSubjectStep(s.plan.Name, phase, text, text)
	}
	dash := strings.LastIndexByte(instance, '-')
	index, err := strconv.Atoi(instance[dash+1:])
	if err != nil {
		t.Fatal(err)
	}
	step := NewStep(s.plan.Name, phase, instance[:dash], index, strings.Split(tasks, ","))
	if failed {
		step.Error = "it cannot be done"
	}
	return step
}

func (s *story) spec(text string) string {
	service, errs := servicespec.Parse("spec", []byte(text), nil)
	if errs != nil {
		return fmt.Sprintln(errs)
	}
	s.plans = Build(service)
	var b strings.Builder
	for _, plan := range s.plans {
		fmt.Fprintf(&b, "%s %s\n", plan.Name, plan.Strategy)
		for _, phase := range plan.Phases {
			fmt.Fprintf(&b, "  %s %s\n", phase.Name, phase.Strategy)
			for _, step := range phase.Steps {
				fmt.Fprintf(&b, "    %s\n", step.Name)
				if step.Error != "" {
					fmt.Fprintf(&b, "      %s\n", step.Error)
				}
			}
		}
	}
	return b.String()
}

func (s *story) use(t *testing.T, name string) {
	i := slices.IndexFunc(s.plans, func(p Plan) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("the spec has no plan %s", name)
	}
	s.plan, s.statuses = s.plans[i], map[string]Status{}
}

func (s *story) set(t *testing.T, input string) {
	for line := range strings.Lines(input) {
		line = strings.TrimSpace(line)
		space := strings.LastIndexByte(line, ' ')
		phase, step, _ := strings.Cut(line[:space], "/")
		at, _, err := s.plan.Find(phase, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, candidate := range s.plan.Phases[at].Steps {
			if step == "*" || step == candidate.Name {
				s.statuses[candidate.ID] = Status(line[space+1:])
			}
		}
	}
}

func (s *story) status(step Step) Status {
	if status, ok := s.statuses[step.ID]; ok {
		return status
	}
	return Pending
}

func (s *story) find(d *datadriven.TestData) string {
	var phase, step string
	for line := range strings.Lines(d.Input) {
		key, text, _ := strings.Cut(strings.TrimSpace(line), "=")
		if key == "phase" {
			phase = text
		} else {
			step = text
		}
	}
	i, j, err := s.plan.Find(phase, step)
	if err != nil {
		return err.Error() + "\n"
	}
	return fmt.Sprintf("phase %d step %d\n", i, j)
}

// show prints an assessment.
func show(a Assessment) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", a.Plan.Name, a.Status)
	for i, phase := range a.Plan.Phases {
		fmt.Fprintf(&b, "  %s %s %s\n", phase.Name, phase.Strategy, a.Phases[i].Status)
		for j, step := range phase.Steps {
			fmt.Fprintf(&b, "    %s %s\n", step.Name, a.Phases[i].Steps[j])
		}
	}
	b.WriteString("next:")
	for _, step := range a.Candidates {
		b.WriteString(" " + step.Name)
	}
	return strings.TrimSuffix(b.String(), ":") + "\n"
}

func TestForgetKeepsOtherPlans(t *testing.T) {
	keys := map[string]bool{"deploy": true, "deploy/a/b": true, "deploy2": true, "backup/a": true}
	o := Overrides{Interrupted: keys, Forced: keys, Released: map[string]bool{"deploy/a": true}}
	got, changed := o.Forget("deploy")
	want := map[string]bool{"deploy2": true, "backup/a": true}
	if !maps.Equal(got.Interrupted, want) || !maps.Equal(got.Forced, want) ||
		len(got.Released) != 0 || !changed {
		t.Errorf("%+v", got)
	}
	if len(keys) != 4 {
		t.Error("the receiver was changed")
	}
}

// TestIDsAreStable fails when ids of existing plans change, which they must never do: clients
// keep them.
func TestIDsAreStable(t *testing.T) {
	step := NewStep("deploy", "broker", "kafka", 0, []string{"broker"})
	phase := NewPhase("deploy", "broker", servicespec.Serial, step)
	if phase.ID != "22202da8-33a7-5249-b5db-9c8fd105b4b1" ||
		step.ID != "9d2a8717-b92d-5c6f-ab93-9b5edc3bccee" {
		t.Errorf("%s %s", phase.ID, step.ID)
	}
	other := NewSubjectStep("deploy", "broker", "kafka-0:[broker]", "x")
	if other.ID != step.ID {
		t.Errorf("%s is not made of the names alone", other.ID)
	}
	if NewPhase("deploybroker", "", servicespec.Serial).ID == phase.ID {
		t.Error("names run together")
	}
}
