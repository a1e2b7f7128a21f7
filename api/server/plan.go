package server

import (
	"fmt"
	"net/http"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// nameV1 is the name of a plan in the predecessor's half, which calls the uninstall plan
// "deploy": its package manager asks only for that.
func nameV1(plan string) string {
	if plan == api.PlanUninstall {
		return api.PlanDeploy
	}
	return plan
}

// findPlan finds a plan by its own name or by the one that the predecessor's half gives it.
func findPlan(v *scheduler.View, name string) *scheduler.PlanView {
	for _, same := range []func(string) bool{
		func(plan string) bool { return plan == name },
		func(plan string) bool { return nameV1(plan) == name },
	} {
		for i := range v.Plans {
			if same(v.Plans[i].Name) {
				return &v.Plans[i]
			}
		}
	}
	return nil
}

func planNames(w http.ResponseWriter, _ *http.Request, v *scheduler.View) {
	names := make([]string, 0, len(v.Plans))
	for _, plan := range v.Plans {
		names = append(names, nameV1(plan.Name))
	}
	writeJSON(w, http.StatusOK, names)
}

// planName is the plan that the path names; the deprecated paths name none and mean "deploy".
func planName(r *http.Request) string {
	if name := param(r, "plan"); name != "" {
		return name
	}
	return api.PlanDeploy
}

func plan(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	name := planName(r)
	found := findPlan(v, name)
	if found == nil {
		missing(w, r, "Plan", name)
		return
	}
	status := http.StatusAccepted
	switch {
	case found.Status == plans.Error || len(found.Errors) > 0:
		status = http.StatusExpectationFailed
	case found.Status == plans.Complete:
		status = http.StatusOK
	}
	writeJSON(w, status, planV1(v, *found))
}

// planCommand checks what the predecessor checks, in its order, and then asks the machine.
func (h *handlers) planCommand(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	name, verb := planName(r), scheduler.PlanVerb(param(r, "command"))
	if !knownVerb(string(verb)) {
		notFound(w, r)
		return
	}
	command := scheduler.PlanCommand{Verb: verb}
	echo := ""
	if verb == scheduler.PlanStart {
		given, ok := startParameters(w, r)
		if !ok {
			return
		}
		command.Params, echo = values(given), printed(given)
	}
	plan := findPlan(v, name)
	if plan == nil {
		missing(w, r, "Plan", name)
		return
	}
	command.Plan = plan.Name
	switch verb {
	case scheduler.PlanStart, scheduler.PlanStop:
	default:
		takesStep := verb == scheduler.PlanForceComplete || verb == scheduler.PlanRestart
		if !address(w, r, plan, &command, takesStep) {
			return
		}
	}
	reply, ok := h.command(w, r, command)
	switch {
	case !ok:
	case done(reply) && verb != scheduler.PlanStart && verb != scheduler.PlanStop:
		sentence(w, http.StatusAlreadyReported, api.TextAlreadyDone)
	default:
		writeJSON(w, http.StatusOK,
			api.Message{Message: "Received cmd: " + received(name, echo, command)})
	}
}

func knownVerb(verb string) bool {
	switch scheduler.PlanVerb(verb) {
	case scheduler.PlanStart, scheduler.PlanStop, scheduler.PlanContinue,
		scheduler.PlanInterrupt, scheduler.PlanForceComplete, scheduler.PlanRestart:
		return true
	}
	return false
}

// address reads the phase and the step, both by name or id. Names that do not exist, also the
// empty one, are answered with 404 here.
func address(
	w http.ResponseWriter, r *http.Request, plan *scheduler.PlanView,
	command *scheduler.PlanCommand, withStep bool,
) bool {
	query := r.URL.Query()
	withStep = withStep && query.Has("step")
	if !query.Has("phase") {
		if withStep {
			fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest, "Missing phase")
		}
		return !withStep
	}
	command.Phase = query.Get("phase")
	var phases []scheduler.PhaseView
	for _, phase := range plan.Phases {
		if phase.Name == command.Phase || phase.ID == command.Phase {
			phases = append(phases, phase)
		}
	}
	if len(phases) == 0 || command.Phase == "" {
		missing(w, r, "Phase", command.Phase)
		return false
	}
	if !withStep {
		return true
	}
	command.Step = query.Get("step")
	for _, step := range phases[0].Steps {
		if command.Step != "" && (step.Name == command.Step || step.ID == command.Step) {
			return true
		}
	}
	missing(w, r, "Step", command.Step)
	return false
}

// received is the predecessor's echo of a command.
func received(name, parameters string, c scheduler.PlanCommand) string {
	switch c.Verb {
	case scheduler.PlanStart:
		return fmt.Sprintf("start %s with parameters: %s", name, parameters)
	case scheduler.PlanForceComplete, scheduler.PlanRestart:
		return fmt.Sprintf("%s for Plan: %s, Phase: %s, Step: %s", c.Verb, name,
			orNull(c.Phase), orNull(c.Step))
	default:
		return string(c.Verb)
	}
}

func orNull(s string) string {
	if s == "" {
		return "null"
	}
	return s
}
