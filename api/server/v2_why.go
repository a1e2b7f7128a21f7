package server

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

func (x *v2) why(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	pod, ok := withPod(w, r, v)
	if ok && newQuestion(r).answerable(w, r) {
		writeJSON(w, http.StatusOK, explain(v, *pod, x.Now()))
	}
}

// explain says why an instance is not running where, and what would help: what operators want
// first, then what the scheduler waits for, then what the tasks themselves lack.
func explain(v *scheduler.View, pod scheduler.PodView, now time.Time) api.Why {
	shape := api.Why{Pod: pod.Name.String(), Reasons: []api.WhyReason{},
		Agents: []api.AgentRefusal{}}
	e := &explanation{view: v, pod: pod, now: now}
	e.wanted()
	open := e.openSteps()
	e.held(open)
	e.waiting(open)
	for _, task := range pod.Tasks {
		e.task(task)
	}
	shape.Running = len(e.reasons) == 0 && allRun(pod)
	switch {
	case shape.Running:
		shape.Summary = fmt.Sprintf("%s runs on %s.", pod.Name, pod.Hostname)
	case len(e.reasons) == 0:
		e.add("unknown", "The scheduler has not come to it yet.",
			"Wait a moment, and look at the plans.")
		fallthrough
	default:
		shape.Summary = e.reasons[0].Text
	}
	shape.Reasons = append(shape.Reasons, e.reasons...)
	if pod.Refusal != nil {
		shape.Agents = append(shape.Agents, refusals(pod.Refusal)...)
	}
	return shape
}

// allRun says whether every task runs and is ready, or did what it had to.
func allRun(pod scheduler.PodView) bool {
	for _, task := range pod.Tasks {
		running := task.State == mesos.Running && (task.Ready == nil || *task.Ready)
		once := task.Goal != servicespec.GoalRunning
		if !running && !(once && (task.State == mesos.Finished || task.State == "")) {
			return false
		}
	}
	return true
}

// explanation collects reasons.
type explanation struct {
	view    *scheduler.View
	pod     scheduler.PodView
	now     time.Time
	reasons []api.WhyReason
}

func (e *explanation) add(code, text, help string) {
	e.reasons = append(e.reasons, api.WhyReason{Code: code, Text: text, Help: help})
}

// wanted tells what operators want of the service and of the instance.
func (e *explanation) wanted() {
	name := e.pod.Name.String()
	switch e.view.Intent {
	case scheduler.Stop:
		e.add("stopped", "The service is stopped.", "Start the service again.")
	case scheduler.Uninstall, scheduler.Uninstalled:
		e.add("uninstalling", "The service is being uninstalled.",
			"Nothing: that cannot be undone.")
	}
	if e.pod.Leaving {
		e.add("leaving", name+" is being decommissioned: the target does not want it.",
			"Set a target whose count includes it, once it is gone.")
	}
	switch e.pod.Request {
	case scheduler.Restart:
		e.add("restarting", "An operator wants "+name+" to be restarted.",
			"Wait: it goes back to its place.")
	case scheduler.Replace:
		e.add("replacing", "An operator wants "+name+" to be replaced.",
			"Wait: it gets a new place.")
	}
}

// openStep is a step of the instance that is not complete, and what it is part of.
type openStep struct {
	plan  *scheduler.PlanView
	phase *scheduler.PhaseView
	*scheduler.StepView
}

// openSteps finds them.
func (e *explanation) openSteps() (open []openStep) {
	name := e.pod.Name.String()
	for i := range e.view.Plans {
		plan := &e.view.Plans[i]
		for j := range plan.Phases {
			phase := &plan.Phases[j]
			for k := range phase.Steps {
				step := &phase.Steps[k]
				if step.Pod == name && step.Status != plans.Complete {
					open = append(open, openStep{plan, phase, step})
				}
			}
		}
	}
	return open
}

// held tells which holds of operators concern a step of the instance that is not complete.
func (e *explanation) held(open []openStep) {
	for _, s := range open {
		e.hold("plan "+s.plan.Name, s.plan.Held)
		e.hold("phase "+s.phase.Name+" of the plan "+s.plan.Name, s.phase.Held)
		e.hold("step "+s.Name+" of the plan "+s.plan.Name, s.Held)
	}
}

func (e *explanation) hold(what string, said *plans.Said) {
	if said == nil {
		return
	}
	text := fmt.Sprintf("The %s is held", what)
	if said.By != "" {
		text += " by " + said.By
	}
	if !said.At.IsZero() {
		text += " since " + said.At.UTC().Format(time.RFC3339)
	}
	if said.Reason != "" {
		text += ": " + said.Reason
	}
	e.add("held", strings.TrimSuffix(text, ".")+".", "Continue the "+what+".")
}

// waiting tells what the scheduler waits for.
func (e *explanation) waiting(open []openStep) {
	name := e.pod.Name.String()
	if !e.view.Connected {
		e.add("disconnected", "The scheduler is not connected to a Mesos master.",
			"See that a master leads, and read the scheduler's log.")
	}
	if e.pod.NotBefore.After(e.now) {
		e.add("backoff", fmt.Sprintf("%d launches of %s in a row failed; the next is tried at %s.",
			e.pod.Failures, name, e.pod.NotBefore.UTC().Format(time.RFC3339)),
			"Read its logs and mend what they tell; reset-backoff lets it be launched at once.")
	}
	if e.pod.Refusal != nil {
		e.add("no-offer", fullStop(e.pod.Refusal.String()), helpFor(e.pod.Refusal))
	}
	if j := e.pod.Verdict; j != nil {
		e.add("verdict", fmt.Sprintf("It is to %s, and Kafka cannot bear that yet: %s",
			j.What, fullStop(j.Verdict.Sentence())), "Mend what the sentence names; it goes on "+
			"by itself. Who takes the loss may restart or replace it with force.")
	}
	for _, s := range open {
		if s.Reason != "" {
			e.add("step", fmt.Sprintf("The step %s of the plan %s is %s: %s", s.Name,
				s.plan.Name, s.Status, fullStop(s.Reason)),
				"Look at what comes before it in the plan "+s.plan.Name+".")
		}
	}
}

// fullStop ends a text with a full stop.
func fullStop(text string) string { return strings.TrimSuffix(text, ".") + "." }

// helps is what to do about each kind of refusal.
var helps = map[offer.Code]string{
	offer.Insufficient: "Free what is missing on an agent, add an agent that has it, or ask " +
		"for less in the spec.",
	offer.PortTaken: "Free the port on an agent, or let the scheduler choose one with port: 0.",
	offer.NoPort:    "Free a port of the range on an agent, or widen the range in the spec.",
	offer.NoVolume: "Add an agent with such a disk, or ask for another kind or size in the " +
		"spec.",
	offer.Placement:   "Add an agent that the placement rule allows, or loosen the rule.",
	offer.Maintenance: "Wait for the end of the maintenance, or add an agent.",
	offer.Draining:    "Reactivate the agent, or add one.",
	offer.Platform:    "Install an executor for the agent's CPU with --executor, or add an agent.",
}

// helpFor says what would make an offer fit, for what most agents lack.
func helpFor(refusal *offer.Refusal) string {
	if refusal.Kept != "" {
		return "Bring the agent of its reservation back; or replace the instance, which gives " +
			"its data up."
	}
	agents := refusal.Agents()
	if len(agents) == 0 {
		return "See that agents are registered with the master and offer resources to the " +
			"service's role."
	}
	count, most := map[offer.Code]int{}, offer.Code("")
	for _, agent := range agents {
		for _, reason := range agent.Reasons {
			count[reason.Code]++
			if count[reason.Code] > count[most] {
				most = reason.Code
			}
		}
	}
	if help := helps[most]; help != "" {
		return help
	}
	return "Wait for another offer of the agent."
}

// task tells what a task lacks.
func (e *explanation) task(task scheduler.TaskView) {
	said := task.Message
	if said != "" {
		said = ": " + said
	}
	said = fullStop(said)
	switch {
	case task.Override == "PAUSED" || task.Override == "PAUSING":
		e.add("paused", fmt.Sprintf("An operator wants %s to be paused.", task.FullName),
			"Resume the instance.")
	case task.State == mesos.Unreachable || task.State == mesos.Lost ||
		task.State == mesos.Unknown:
		e.add("unreachable", fmt.Sprintf("The agent of %s (%s) cannot be reached, and the task "+
			"may still run there%s", task.FullName, e.pod.Hostname, said),
			"Bring the agent back; or replace the instance, which gives its data up.")
	case task.State == mesos.Staging || task.State == mesos.Starting:
		e.add("starting", fmt.Sprintf("%s is starting%s", task.FullName, said),
			"Wait; its logs tell how far it is.")
	case task.State == mesos.Killing:
		e.add("ending", fmt.Sprintf("%s is ending%s", task.FullName, said),
			"Wait; it is killed when its grace period is over.")
	case task.State == mesos.Running && task.Ready != nil && !*task.Ready:
		e.add("not-ready", fmt.Sprintf("%s runs and does not pass its readiness check%s",
			task.FullName, said), "Read its logs.")
	case task.State != "" && task.State.Terminal() && task.Goal == servicespec.GoalRunning:
		e.add("ended", fmt.Sprintf("%s ended (%s)%s", task.FullName, task.State, said),
			"Read its logs; the scheduler launches it again.")
	}
}
