package server

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// statuses are those of plans, for queries.
var statuses = []string{
	api.StatusError, api.StatusWaiting, api.StatusPending, api.StatusPrepared,
	api.StatusStarting, api.StatusStarted, api.StatusDelayed, api.StatusInProgress,
	api.StatusComplete,
}

// planShapeV2 is a plan with all that it consists of.
func planShapeV2(plan scheduler.PlanView, now time.Time) api.Plan {
	shape := planFrame(plan)
	for i, phase := range plan.Phases {
		shape.Phases[i] = phaseShapeV2(phase, now)
	}
	return shape
}

// planFrame is a plan whose phases have no steps.
func planFrame(plan scheduler.PlanView) api.Plan {
	shape := api.Plan{Name: plan.Name, Phases: make([]api.Phase, 0, len(plan.Phases)),
		Strategy: plan.Strategy, Errors: texts(plan.Errors), Status: string(plan.Status),
		Progress: &api.Progress{}, Held: heldShape(plan.Held)}
	for _, phase := range plan.Phases {
		frame := phaseFrame(phase)
		shape.Phases = append(shape.Phases, frame)
		shape.Progress.Total += frame.Progress.Total
		shape.Progress.Complete += frame.Progress.Complete
	}
	if run := plan.Run; run.Number > 0 {
		shape.Run = &api.PlanRun{Number: run.Number, Active: run.Active, Params: run.Params,
			Since: instant(run.Since), By: run.By}
	}
	return shape
}

func phaseShapeV2(phase scheduler.PhaseView, now time.Time) api.Phase {
	shape := phaseFrame(phase)
	shape.Steps = make([]api.Step, 0, len(phase.Steps))
	for _, step := range phase.Steps {
		shape.Steps = append(shape.Steps, stepShapeV2(step, now))
	}
	return shape
}

func phaseFrame(phase scheduler.PhaseView) api.Phase {
	shape := api.Phase{ID: phase.ID, Name: phase.Name, Steps: []api.Step{},
		Strategy: phase.Strategy, Status: string(phase.Status),
		Progress: &api.Progress{Total: len(phase.Steps)}, Held: heldShape(phase.Held)}
	for i := range phase.Steps {
		if phase.Steps[i].Status == plans.Complete {
			shape.Progress.Complete++
		}
	}
	return shape
}

func stepShapeV2(step scheduler.StepView, now time.Time) api.Step {
	shape := stepShape(step, now)
	shape.Held = heldShape(step.Held)
	return shape
}

func heldShape(said *plans.Said) *api.Held {
	if said == nil {
		return nil
	}
	return &api.Held{At: said.At.UTC(), By: said.By, Reason: said.Reason}
}

func (x *v2) plans(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	q := newQuestion(r)
	name, status := q.text("name"), q.oneOf("status", statuses...)
	summary, page := q.is("summary"), q.page()
	if !q.answerable(w, r) {
		return
	}
	wanted, place := []scheduler.PlanView{}, map[string]int{}
	for i, plan := range v.Plans {
		place[plan.Name] = i + 1
		if (name == "" || plan.Name == name) && (status == "" || string(plan.Status) == status) {
			wanted = append(wanted, plan)
		}
	}
	part, next := pageOf(wanted, page, func(plan scheduler.PlanView) string { return plan.Name },
		func(plan scheduler.PlanView, last string) bool { return place[plan.Name] > place[last] })
	list := api.PlanList{Plans: make([]api.Plan, 0, len(part)), NextCursor: next}
	for _, plan := range part {
		if summary {
			list.Plans = append(list.Plans, planFrame(plan))
		} else {
			list.Plans = append(list.Plans, planShapeV2(plan, x.Now()))
		}
	}
	writeJSON(w, http.StatusOK, list)
}

// planOf finds a plan by its own name, nil when there is none.
func planOf(v *scheduler.View, name string) *scheduler.PlanView {
	for i := range v.Plans {
		if v.Plans[i].Name == name {
			return &v.Plans[i]
		}
	}
	return nil
}

func (x *v2) plan(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	plan := planOf(v, param(r, "plan"))
	if plan == nil {
		missing(w, r, "Plan", param(r, "plan"))
		return
	}
	q := newQuestion(r)
	summary := q.is("summary")
	if !q.answerable(w, r) || unchanged(w, r, planRevision(*plan)) {
		return
	}
	if summary {
		writeJSON(w, http.StatusOK, planFrame(*plan))
		return
	}
	writeJSON(w, http.StatusOK, planShapeV2(*plan, x.Now()))
}

// findPhase finds the phase that the path names, or answers 404.
func findPhase(
	w http.ResponseWriter, r *http.Request, v *scheduler.View,
) *scheduler.PhaseView {
	plan, name := planOf(v, param(r, "plan")), param(r, "phase")
	if plan == nil {
		missing(w, r, "Plan", param(r, "plan"))
		return nil
	}
	for i, phase := range plan.Phases {
		if phase.Name == name || phase.ID == name {
			return &plan.Phases[i]
		}
	}
	missing(w, r, "Phase", name)
	return nil
}

func (x *v2) phase(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	phase := findPhase(w, r, v)
	if phase != nil && newQuestion(r).answerable(w, r) &&
		!unchanged(w, r, phaseRevision(*phase)) {
		writeJSON(w, http.StatusOK, phaseShapeV2(*phase, x.Now()))
	}
}

func (x *v2) step(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	phase := findPhase(w, r, v)
	if phase == nil {
		return
	}
	name := param(r, "step")
	for i := range phase.Steps {
		step := &phase.Steps[i]
		if step.Name != name && step.ID != name {
			continue
		}
		if newQuestion(r).answerable(w, r) && !unchanged(w, r, stepRevision(*step)) {
			writeJSON(w, http.StatusOK, stepShapeV2(*step, x.Now()))
		}
		return
	}
	missing(w, r, "Step", name)
}

// verbs are the commands on plans by their names in /v2.
var verbs = map[string]scheduler.PlanVerb{
	api.VerbStart: scheduler.PlanStart, api.VerbStop: scheduler.PlanStop,
	api.VerbContinue: scheduler.PlanContinue, api.VerbInterrupt: scheduler.PlanInterrupt,
	api.CommandForceComplete: scheduler.PlanForceComplete,
	api.VerbRestart:          scheduler.PlanRestart,
}

func (x *v2) planCommand(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	name := param(r, "plan")
	verb, known := verbs[param(r, "command")]
	if !known {
		fail(w, r, http.StatusNotFound, api.CodeNotFound, "There is no such command on plans; "+
			"there are "+strings.Join(sortedKeys(verbs), ", ")+".")
		return
	}
	var given api.PlanCommand
	if !newQuestion(r).answerable(w, r) || !optionalBody(w, r, &given) {
		return
	}
	if wrong := wrongPlanCommand(verb, given); wrong != "" {
		fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest, wrong)
		return
	}
	if planOf(v, name) == nil {
		missing(w, r, "Plan", name)
		return
	}
	command := scheduler.PlanCommand{Verb: verb, Plan: name, Phase: given.Phase,
		Step: given.Step, Params: given.Params, Force: given.Force}
	x.answerOutcome(w, r, command, given.Reason, func(v *scheduler.View) string {
		if plan := planOf(v, name); plan != nil {
			return planRevision(*plan)
		}
		return `""` // it went away; the machine says so to who does not ask for a revision
	})
}

// wrongPlanCommand says what makes no sense in a command, "" for nothing.
func wrongPlanCommand(verb scheduler.PlanVerb, given api.PlanCommand) string {
	whole := verb == scheduler.PlanStart || verb == scheduler.PlanStop
	switch {
	case whole && given.Phase+given.Step != "":
		return fmt.Sprintf("A plan is told to %s as a whole, without a phase or a step.", verb)
	case given.Step != "" && given.Phase == "":
		return "A step needs its phase beside it."
	case len(given.Params) > 0 && verb != scheduler.PlanStart:
		return "Only start takes params."
	case given.Force && verb != scheduler.PlanStart && verb != scheduler.PlanRestart:
		return "Only start and restart can be forced."
	}
	for _, name := range sortedKeys(given.Params) {
		switch {
		case !envName.MatchString(name):
			return fmt.Sprintf("%q in params cannot be the name of an environment variable: "+
				"that has letters, digits and _ and does not begin with a digit.", name)
		case strings.ContainsRune(given.Params[name], 0):
			return fmt.Sprintf("The value of %s in params has a zero byte.", name)
		}
	}
	return ""
}
