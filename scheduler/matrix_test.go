package scheduler

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// TestCommandMatrix tells for every strategy and every state of a small plan what each command
// answers and does: files of matrix/, one a strategy. `go test ./scheduler -run
// TestCommandMatrix -rewrite` writes them anew.
//
//	matrix plan=P plans=S state=X   makes the state and prints it; then each command on it,
//	                                by itself: its target, the reply, the statuses right behind
//	                                it and, where they differ, behind the next tick
//
// The plan P is "deploy", of the phases a and b, or "backup", which has to be started, of c and
// d. A target is a phase, or a phase with the number of a step; "plan" is all of it. "ok" is the
// predecessor's sentence, whole and exact; "kills" and "launches" is what the tick does.
func TestCommandMatrix(t *testing.T) {
	datadriven.Walk(t, "matrix", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			m := &matrix{t: t}
			for _, arg := range d.CmdArgs {
				switch arg.Key {
				case "strategy":
					m.strategy = arg.Vals[0]
				case "plan":
					m.plan = arg.Vals[0]
				case "plans":
					m.plans = arg.Vals[0]
				case "state":
					m.state = arg.Vals[0]
				}
			}
			return m.run()
		})
	})
}

// matrix is one state with all commands on it.
type matrix struct {
	t                            *testing.T
	strategy, plan, plans, state string
	phases                       [2]string
}

// matrixSpec has a plan deploy of pods that run, and a plan backup of jobs. What a phase of steps
// makes of a parallel strategy has the name dependency.
func matrixSpec(strategy, plans string) string {
	steps := strings.HasPrefix(strategy, "dependency")
	strategy = strings.Replace(strategy, "dependency", "parallel", 1)
	var b strings.Builder
	b.WriteString("name: svc\nscheduler: {user: nobody}\npods:\n")
	counts := map[string]int{"a": 3, "b": 2, "c": 3, "d": 2}
	if steps {
		counts = map[string]int{"a": 2, "b": 1, "c": 2, "d": 1}
	}
	task := func(name, goal string) {
		fmt.Fprintf(&b, "      %s: {goal: %s, cmd: run, cpus: 0.1, memory: 32}\n", name, goal)
	}
	for _, pod := range []string{"a", "b", "c", "d"} {
		fmt.Fprintf(&b, "  %s:\n    count: %d\n    tasks:\n", pod, counts[pod])
		serves := pod == "a" || pod == "b"
		if serves {
			task("server", "RUNNING")
		} else {
			task("job", "ONCE")
		}
		if steps {
			task("first", "ONCE")
		}
	}
	b.WriteString("plans:\n")
	phase := func(pod, task string) {
		fmt.Fprintf(&b, "      %s:\n        strategy: %s\n        pod: %s\n", pod, strategy, pod)
		if steps {
			fmt.Fprintf(&b, "        steps:\n          - default: [[first], [%s]]\n", task)
		}
	}
	fmt.Fprintf(&b, "  deploy:\n    strategy: %s\n    phases:\n", plans)
	phase("a", "server")
	phase("b", "server")
	fmt.Fprintf(&b, "  backup:\n    strategy: %s\n    phases:\n", plans)
	phase("c", "job")
	phase("d", "job")
	return b.String()
}

// matrixStates are the states of a plan, and how they come to be; the rig comes with the plan
// started.
var matrixStates = []struct {
	name string
	make func(m *matrix, r *rig)
}{
	{"nothing-yet", func(m *matrix, r *rig) {}},
	{"canary-waiting", func(m *matrix, r *rig) { m.one(r); m.first(r) }},
	{"launching", func(m *matrix, r *rig) { m.one(r) }},
	{"one-done", func(m *matrix, r *rig) { m.one(r); m.first(r); m.release(r) }},
	{"back-off", func(m *matrix, r *rig) {
		m.one(r)
		r.report(&r.tasks[len(r.tasks)-1], mesos.Failed)
		r.settle()
	}},
	{"interrupted-plan", func(m *matrix, r *rig) {
		m.one(r)
		m.first(r)
		m.release(r)
		r.must(PlanCommand{Verb: PlanInterrupt, Plan: m.plan})
	}},
	{"interrupted-phase", func(m *matrix, r *rig) {
		m.one(r)
		m.first(r)
		m.release(r)
		r.must(PlanCommand{Verb: PlanInterrupt, Plan: m.plan, Phase: m.phases[0]})
	}},
	{"complete", func(m *matrix, r *rig) { m.complete(r, m.plan) }},
	{"stopped", func(m *matrix, r *rig) {
		m.one(r)
		m.first(r)
		m.release(r)
		r.must(PlanCommand{Verb: PlanStop, Plan: m.plan})
	}},
	{"not-started", func(m *matrix, r *rig) {}},
}

// begin gives a rig with the plan under way; for backup, deploy is complete.
func (m *matrix) begin() *rig {
	m.phases = [2]string{"a", "b"}
	r := newRig(m.t, matrixSpec(m.strategy, m.plans))
	if m.plan == "backup" {
		m.complete(r, "deploy")
		m.phases = [2]string{"c", "d"}
		if m.state != "not-started" {
			r.must(PlanCommand{Verb: PlanStart, Plan: m.plan})
		}
	}
	i := slices.IndexFunc(matrixStates, func(s struct {
		name string
		make func(m *matrix, r *rig)
	}) bool {
		return s.name == m.state
	})
	if i < 0 {
		m.t.Fatalf("unknown state %q", m.state)
	}
	matrixStates[i].make(m, r)
	return r
}

// release lets the canaries of the first phase go, one at a time, if it has any.
func (m *matrix) release(r *rig) {
	if strings.HasSuffix(m.strategy, "canary") {
		r.must(PlanCommand{Verb: PlanContinue, Plan: m.plan, Phase: m.phases[0]})
	}
}

// one launches the first step alone.
func (m *matrix) one(r *rig) {
	m.release(r)
	memory := 64 // for one task and its executor
	if strings.HasPrefix(m.strategy, "dependency") {
		memory = 96 // or for both tasks that the pods have there
	}
	r.offer(fmt.Sprintf("cpus:4;mem:%d;disk:1000;ports:[1025-2000]", memory))
}

// first completes the first step.
func (m *matrix) first(r *rig) {
	r.up(r.tasks[len(r.tasks)-1].info.Name)
}

// complete works on a plan until it is complete, releasing all canaries.
func (m *matrix) complete(r *rig, plan string) {
	for range 60 {
		p := r.plan(plan)
		if p.Status == "COMPLETE" {
			return
		}
		for _, ph := range p.Phases {
			if ph.Status == "WAITING" {
				r.release(plan, ph.Name)
			}
		}
		r.round()
	}
	m.t.Fatalf("%s does not become complete: %s", plan, statuses(r.plan(plan)))
}

// targets are what a command can be about; a plan is started and stopped as a whole.
func (m *matrix) targets(verb PlanVerb) []string {
	if verb == PlanStart || verb == PlanStop {
		return []string{"plan"}
	}
	return []string{"plan", m.phases[0], m.phases[0] + "/0", m.phases[0] + "/1",
		m.phases[1], m.phases[1] + "/0"}
}

var matrixVerbs = []PlanVerb{
	PlanStart, PlanStop, PlanContinue, PlanInterrupt, PlanForceComplete, PlanRestart}

// addressed makes a command on a target, by names or by ids.
func (m *matrix) addressed(p PlanView, verb PlanVerb, target string, byID bool) PlanCommand {
	c := PlanCommand{Verb: verb, Plan: p.Name}
	phase, number, _ := strings.Cut(target, "/")
	for _, ph := range p.Phases {
		if ph.Name != phase {
			continue
		}
		c.Phase = ph.Name
		if byID {
			c.Phase = ph.ID
		}
		if number != "" {
			step := ph.Steps[number[0]-'0']
			c.Step = step.Name
			if byID {
				c.Step = step.ID
			}
		}
	}
	return c
}

// run prints the state and what each command makes of it.
func (m *matrix) run() string {
	base := m.begin()
	before := base.plan(m.plan)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", statuses(before))
	for _, verb := range matrixVerbs {
		outcomes := map[string][]string{}
		var order []string
		for _, target := range m.targets(verb) {
			named := m.addressed(before, verb, target, false)
			text := m.outcome(base, named, before)
			if byID := m.addressed(before, verb, target, true); byID.Phase != named.Phase {
				if same := m.outcome(base, byID, before); same != text {
					m.t.Errorf("%s %s by id:\n%s\nby name:\n%s", verb, target, same, text)
				}
			}
			if outcomes[text] == nil {
				order = append(order, text)
			}
			outcomes[text] = append(outcomes[text], target)
		}
		for _, text := range order {
			fmt.Fprintf(&b, "%s %s: %s", verb, strings.Join(outcomes[text], ", "), text)
		}
	}
	return b.String()
}

// outcome is what a command answers and does.
func (m *matrix) outcome(base *rig, c PlanCommand, before PlanView) string {
	r := base.copied()
	reply := r.command(c)
	text := "ok"
	switch {
	case reply.Problem != nil && reply.Problem.Code == AlreadyDone &&
		reply.Problem.Message == "Command has already been reported or completed":
		text = "already done"
	case reply.Problem != nil:
		text = fmt.Sprintf("%s: %s", reply.Problem.Code, reply.Problem.Message)
	case reply.Message != sentence(c):
		text = reply.Message
	}
	after := r.plan(m.plan)
	launched, kills := len(r.tasks), len(r.kills)
	r.settle()
	later := statuses(r.plan(m.plan))
	if statuses(after) != statuses(before) {
		text += "\n    " + statuses(after)
	}
	if later != statuses(after) {
		text += "\n    then " + later
	}
	for _, id := range r.kills[kills:] {
		text += "\n    kills " + strings.Split(string(id), "__")[1]
	}
	for _, t := range r.tasks[launched:] {
		text += "\n    launches " + t.info.Name
	}
	return text + "\n"
}

// sentence is the predecessor's answer to a command that it takes.
func sentence(c PlanCommand) string {
	orNull := func(s string) string {
		if s == "" {
			return "null"
		}
		return s
	}
	switch c.Verb {
	case PlanStart:
		return "Received cmd: start " + c.Plan + " with parameters: {}"
	case PlanForceComplete, PlanRestart:
		return fmt.Sprintf("Received cmd: %s for Plan: %s, Phase: %s, Step: %s", c.Verb, c.Plan,
			orNull(c.Phase), orNull(c.Step))
	}
	return "Received cmd: " + string(c.Verb)
}
