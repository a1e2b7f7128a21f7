package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/plans"
)

// What is kept of plans beyond their statuses: which steps of started plans are done, when
// plans began and ended, and the journal of it.

// journalMost is how many entries the journal keeps.
const journalMost = 1000

// wordsMost is how many bytes the journal keeps of a command, and of its outcome.
const wordsMost = 4096

// record adds an entry to the journal and drops the oldest beyond the bound.
func (m *Machine) record(e JournalEntry) {
	e.Number, e.At = 1, m.now
	e.What, e.Outcome = shortened(e.What), shortened(e.Outcome)
	if n := len(m.hard.Journal); n > 0 {
		e.Number = m.hard.Journal[n-1].Number + 1
	}
	m.hard.Journal = append(slices.Clip(m.hard.Journal), e)
	m.write(WriteJournal{e})
	for len(m.hard.Journal) > journalMost {
		m.write(DeleteJournal{m.hard.Journal[0].Number})
		m.hard.Journal = m.hard.Journal[1:]
	}
}

// shortened cuts a text that is too long for the journal.
func shortened(text string) string {
	if len(text) <= wordsMost {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:wordsMost], ""), len(text))
}

// setRun replaces what is kept of a plan. Records are values: a caller hands in maps of its own.
func (m *Machine) setRun(plan string, r PlanRun) {
	runs := maps.Clone(m.hard.Runs)
	if runs == nil {
		runs = map[string]PlanRun{}
	}
	runs[plan] = r
	m.hard.Runs = runs
	m.write(WriteRun{plan, r})
}

// followSteps notes which steps of started plans have reached their goals.
func (m *Machine) followSteps() {
	m.derive()
	for _, plan := range m.index.built {
		if byItself(plan.Name) || len(m.hard.Runs[plan.Name].Steps) == 0 {
			continue
		}
		for _, phase := range plan.Phases {
			for _, s := range phase.Steps {
				run := m.hard.Runs[plan.Name]
				step, launched := run.Steps[s.ID]
				if !launched || step.Done || !m.reached(s, step) {
					continue
				}
				step.Done, step.Again = true, false
				run.Steps = maps.Clone(run.Steps)
				run.Steps[s.ID] = step
				m.setRun(plan.Name, run)
			}
		}
	}
}

// reached reports whether all that a step launched did what it is there for.
func (m *Machine) reached(s plans.Step, run StepRun) bool {
	p := m.hard.Pods[PodName{s.Pod, s.Index}]
	spec, _ := m.spec(p.Name)
	for _, name := range s.Tasks {
		t, _ := p.task(name)
		ts, _ := taskSpec(spec, name)
		ready, _ := m.taskReady(p, spec, ts, t)
		if !slices.Contains(run.Tasks, t.ID) || !ready && !t.restsAsWanted() {
			return false
		}
	}
	return true
}

// tells reports whether a plan began, or came to an end.
func (m *Machine) tells(a plans.Assessment) bool {
	return turned(a.Plan.Name, a.Status, m.hard.Runs[a.Plan.Name].Seen) != ""
}

// turned is the kind of what there is to tell of a plan that has come from a status to another, ""
// for nothing.
func turned(plan string, now, seen plans.Status) string {
	switch {
	case working(now) && !working(seen):
		return "plan-start"
	case now == plans.Complete && (working(seen) || plan == planDeploy && seen != plans.Complete):
		return "plan-complete"
	case now == plans.Error && seen != plans.Error:
		return "plan-halt"
	case now == plans.Waiting && working(seen):
		return "plan-wait"
	}
	return ""
}

// followPlans notes in the journal which plans began, and which came to an end. None did if none
// had before they were worked on, and that changed no record.
func (m *Machine) followPlans(before []plans.Assessment, writes int) {
	if len(m.out.Writes) == writes && !slices.ContainsFunc(before, m.tells) {
		return
	}
	for _, p := range m.plans() {
		plan, status := p.Name, m.assess(p).Status
		run := m.hard.Runs[plan]
		kind := turned(plan, status, run.Seen)
		if kind == "" {
			continue
		}
		run.Seen = status
		if working(status) {
			run.Seen = plans.InProgress
		}
		if kind == "plan-start" && byItself(plan) {
			run.Number, run.Since, run.By = run.Number+1, m.now, ""
		}
		m.setRun(plan, run)
		m.record(JournalEntry{Kind: kind, Plan: plan, By: run.By, What: "plan " + plan,
			Outcome: string(status)})
		if plan == planDeploy && status == plans.Complete && m.hard.Target.Done.IsZero() {
			m.hard.Target.Done = m.now
			m.write(WriteTarget{m.hard.Target})
		}
	}
}

// working reports whether a plan of that status is under way.
func working(s plans.Status) bool {
	switch s {
	case plans.Complete, plans.Waiting, plans.Error, "":
		return false
	}
	return true
}
