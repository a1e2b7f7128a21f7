package scheduler

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

var (
	pairsTried = flag.Int("pairs", 400, "how many pairs of commands are tried, 0 for all")
	pairsSeed  = flag.Uint64("pairs-seed", 1, "which ones")
)

// pairsPerCrash is with how many pairs one is tried again with a crash after each event.
const pairsPerCrash = 100

// TestPairsOfCommands gives in a state of a plan any two commands, one right after the other, and
// then, as an operator who holds nothing up any more, continues everything. Nothing fails, so all
// that was begun must become complete, what deploy wants must run, and nothing may be launched
// more often than the commands ask for. A crash anywhere must not change what comes of it.
func TestPairsOfCommands(t *testing.T) {
	bases := map[string]*pairBase{}
	rng := rand.New(rand.NewPCG(*pairsSeed, 0))
	if *pairsTried == 0 {
		for _, c := range pairStates() {
			b := newPairBase(t, c)
			for _, first := range b.commands {
				for _, second := range b.commands {
					b.try(t, first, second, false)
				}
			}
		}
		return
	}
	states := pairStates()
	for n := range *pairsTried {
		state := states[rng.IntN(len(states))]
		key := fmt.Sprint(state.strategy, state.plans, state.plan, state.state)
		b := bases[key]
		if b == nil {
			b = newPairBase(t, state)
			bases[key] = b
		}
		first, second := rng.IntN(len(b.commands)), rng.IntN(len(b.commands))
		b.try(t, b.commands[first], b.commands[second], n%pairsPerCrash == 0)
	}
}

// pairStates are the states of the matrix.
func pairStates() []matrix {
	var list []matrix
	for _, strategy := range []string{"serial", "parallel", "serial-canary", "parallel-canary",
		"dependency", "dependency-canary"} {
		for _, order := range []string{"serial", "parallel"} {
			for _, plan := range []string{"deploy", "backup"} {
				for _, state := range matrixStates {
					if state.name == "not-started" && plan == "deploy" ||
						state.name == "canary-waiting" && !strings.HasSuffix(strategy, "canary") {
						continue
					}
					list = append(list, matrix{strategy: strategy, plan: plan, plans: order,
						state: state.name})
				}
			}
		}
	}
	return list
}

// pairBase is a state and the commands that are tried in it.
type pairBase struct {
	m        matrix
	rig      *rig
	commands []Command
	launches map[string]int // by the full name of a task
}

func newPairBase(t *testing.T, m matrix) *pairBase {
	m.t = t
	b := &pairBase{m: m}
	b.rig = b.m.begin()
	b.launches = b.rig.launches()
	view := b.rig.plan(m.plan)
	for _, verb := range matrixVerbs {
		for _, target := range b.m.targets(verb) {
			b.commands = append(b.commands, b.m.addressed(view, verb, target, false))
		}
	}
	other := map[string]string{"deploy": "backup", "backup": "deploy"}[m.plan]
	for _, verb := range matrixVerbs {
		b.commands = append(b.commands, PlanCommand{Verb: verb, Plan: other})
	}
	for _, pod := range []string{"a-0", b.m.phases[0] + "-0"} {
		b.commands = append(b.commands, PodRestart{Pod: pod}, PodReplace{Pod: pod},
			PodPause{Pod: pod},
			PodResume{Pod: pod}, BackoffReset{pod})
	}
	b.commands = append(b.commands, ServiceStop{}, ServiceStart{})
	return b
}

// launches counts the launches by the full names of tasks.
func (r *rig) launches() map[string]int {
	n := map[string]int{}
	for _, t := range r.tasks {
		n[t.info.Name]++
	}
	return n
}

// try gives two commands and looks at what comes of them.
func (b *pairBase) try(t *testing.T, first, second Command, crashes bool) {
	name := fmt.Sprintf("%s/%s/%s/%s: %s, %s", b.m.strategy, b.m.plans, b.m.plan, b.m.state,
		commandText(first), commandText(second))
	end := func(crash int) (*rig, string) {
		r := b.rig.copied()
		r.events, r.crashAfter = 0, crash
		r.command(first)
		r.command(second)
		if missing := b.m.finish(r); missing != "" {
			t.Errorf("%s\nwith a crash after %d: %s\n%s", name, crash, missing,
				plansText(r.machine.view()))
		}
		return r, outcome(r.stored)
	}
	r, want := end(0)
	b.limit(t, r, name, first, second)
	if !crashes {
		return
	}
	for crash := 1; crash < r.events; crash++ {
		if _, got := end(crash); got != want {
			t.Errorf("%s\nafter a crash behind event %d:\n%s\nwithout:\n%s",
				name, crash, got, want)
			return
		}
	}
}

// limit sees that nothing was launched more often than it had to be: once, and once more for each
// command that ends tasks.
func (b *pairBase) limit(t *testing.T, r *rig, name string, commands ...Command) {
	most := 1
	for _, c := range commands {
		switch c := c.(type) {
		case PodPause:
			most += 2 // and the resume at the end
		case PodRestart, PodReplace, PodResume, ServiceStop:
			most++
		case PlanCommand:
			if c.Verb == PlanRestart || c.Verb == PlanStart || c.Verb == PlanStop {
				most++
			}
		}
	}
	for task, n := range r.launches() {
		if n-b.launches[task] > most {
			t.Errorf("%s\n%s was launched %d times more, %d at most are due", name, task,
				n-b.launches[task], most)
		}
	}
}

// finish continues everything until all that was begun is complete; it gives what is missing.
func (m *matrix) finish(r *rig) string {
	missing := ""
	for range 60 {
		if missing = r.unfinished(); missing == "" {
			return ""
		}
		m.helpOn(r)
		r.round()
	}
	return missing
}

// helpOn takes back all that holds anything up.
func (m *matrix) helpOn(r *rig) {
	if r.stored.Intent == Stop {
		r.command(ServiceStart{})
	}
	for _, name := range r.machine.podNames() {
		if p := r.stored.Pods[name]; p.paused() {
			r.command(PodResume{Pod: name.String()})
		}
	}
	for _, key := range sortedKeys(r.stored.Overrides.Interrupted) {
		parts := append(strings.SplitN(key, "/", 3), "", "")
		r.command(PlanCommand{
			Verb: PlanContinue, Plan: parts[0], Phase: parts[1], Step: parts[2]})
	}
	for _, p := range r.machine.view().Plans {
		run := r.stored.Runs[p.Name]
		if p.Status == plans.Complete || !byItself(p.Name) && run.Number == 0 {
			continue
		}
		if !byItself(p.Name) && !run.Active {
			r.command(PlanCommand{Verb: PlanContinue, Plan: p.Name})
		}
		for _, ph := range p.Phases {
			if ph.Status == plans.Waiting {
				r.command(PlanCommand{Verb: PlanContinue, Plan: p.Name, Phase: ph.Name})
			}
		}
	}
}

// unfinished says what is missing, "" for nothing.
func (r *rig) unfinished() string {
	r.settle()
	for _, p := range r.machine.view().Plans {
		if (byItself(p.Name) || r.stored.Runs[p.Name].Number > 0) && p.Status != plans.Complete {
			return "plan " + p.Name + " is " + string(p.Status)
		}
	}
	for _, name := range r.machine.podNames() {
		if p := r.stored.Pods[name]; p.Request != "" || p.Recovery != nil || p.paused() {
			return name.String() + " is not as it should be"
		}
	}
	if len(r.kills) > 0 || len(r.stored.Leftovers) > 0 || r.stored.Intent != Run {
		return "something is still under way"
	}
	if len(r.stored.Overrides.Interrupted) > 0 {
		return "something is held"
	}
	return r.missing()
}

// missing names a task that deploy wants and that does not run, or has not run.
func (r *rig) missing() string {
	for _, ph := range r.machine.built()[0].Phases {
		for _, s := range ph.Steps {
			if r.stored.Overrides.Forced[plans.Key(planDeploy, ph.Name, s.Name)] {
				continue
			}
			name := PodName{s.Pod, s.Index}
			spec, _ := r.machine.spec(name)
			for _, task := range s.Tasks {
				ts, _ := taskSpec(spec, task)
				t := r.find(name.fullName(task))
				runs := t != nil && t.state == mesos.Running
				if runs != (ts.Goal == servicespec.GoalRunning) {
					return fmt.Sprintf("%s runs: %t", name.fullName(task), runs)
				}
			}
		}
	}
	return ""
}

// outcome is what a store holds in the end, without ids and places, without what counts and
// dates, and without what a new process sees anew: recoveries, and which steps of a plan that
// does not work have nothing to do.
func outcome(h Hard) string {
	lines := []string{string(h.Intent)}
	for _, key := range sortedKeys(h.Overrides.Forced) {
		if strings.HasPrefix(key, planDeploy) {
			lines = append(lines, "forced "+key)
		}
	}
	for name, p := range h.Pods {
		text := name.String()
		for _, t := range p.Tasks {
			text += fmt.Sprintf(" %s:%s:%s:%t:%t:%t:%t", t.Name, t.State, t.Deployed, t.Again,
				t.Paused, t.Idle, t.Resumed)
		}
		lines = append(lines, text)
	}
	for plan, run := range h.Runs {
		if plan != planRecovery {
			lines = append(lines, fmt.Sprintf("%s active=%t %s", plan, run.Active, run.Seen))
		}
	}
	sort.Strings(lines)
	return strings.Join(slices.Compact(lines), "\n")
}
