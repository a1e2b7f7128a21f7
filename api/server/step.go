package server

import (
	"fmt"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// planV1 is a plan as the predecessor shows it: without its name, with nothing of what this
// project adds, and with the pauses of pods in the statuses of the steps that they concern.
func planV1(v *scheduler.View, plan scheduler.PlanView) api.Plan {
	shape := api.Plan{Phases: []api.Phase{}, Strategy: plan.Strategy,
		Errors: texts(plan.Errors), Status: string(plan.Status)}
	for _, phase := range plan.Phases {
		of := api.Phase{ID: phase.ID, Name: phase.Name, Steps: []api.Step{},
			Strategy: phase.Strategy, Status: string(phase.Status)}
		for _, step := range phase.Steps {
			pod := podOf(v, step)
			shown := display(step.Status, pod)
			of.Steps = append(of.Steps, api.Step{ID: step.ID, Name: step.Name, Status: shown,
				Message: message(plan.Name, step, shown)})
		}
		shape.Phases = append(shape.Phases, of)
	}
	return shape
}

// podOf is the instance that a step works on, nil if it works on none.
func podOf(v *scheduler.View, step scheduler.StepView) *scheduler.PodView {
	return podNamed(v, step.Pod)
}

// display is the status that a step shows: that of the pause, while all tasks of its instance
// are paused or about to be.
func display(status plans.Status, pod *scheduler.PodView) string {
	if pod == nil || !pausedWhole(*pod) {
		return string(status)
	}
	switch status {
	case plans.Complete, plans.Started:
		return api.StatusPaused
	case plans.Prepared, plans.Starting:
		return api.StatusPausing
	}
	return string(status)
}

func pausedWhole(pod scheduler.PodView) bool {
	for _, task := range pod.Tasks {
		if task.Override != api.StatusPaused && task.Override != api.StatusPausing {
			return false
		}
	}
	return len(pod.Tasks) > 0
}

// message is the predecessor's line on a step, which begins with the name of a class of its.
func message(plan string, step scheduler.StepView, shown string) string {
	text := fmt.Sprintf("%s: %s [%s] with status: %s", stepClass(plan, step.Name), step.Name,
		step.ID, step.Status)
	if shown != string(step.Status) {
		text += " (display:" + shown + ")"
	}
	if plan == api.PlanRecovery {
		kind := "TRANSIENT"
		if step.Replaces {
			kind = "PERMANENT"
		}
		text += " RecoveryType: " + kind
	}
	return text
}

// stepClass is the predecessor's name for what a step of a plan does.
func stepClass(plan, step string) string {
	const scheduler = "com.mesosphere.sdk.scheduler."
	is := func(prefix string) bool { return strings.HasPrefix(step, prefix) }
	switch plan {
	case api.PlanRecovery:
		return scheduler + "recovery.RecoveryStep"
	case api.PlanUninstall, api.PlanDecommission:
		switch {
		case is("unreserve-"):
			return scheduler + "uninstall.ResourceCleanupStep"
		case is("deregister"):
			return scheduler + "uninstall.DeregisterStep"
		case is("erase-"):
			return scheduler + "decommission.EraseTaskStateStep"
		case plan == api.PlanDecommission:
			return scheduler + "decommission.TriggerDecommissionStep"
		}
		return scheduler + "uninstall.TaskKillStep"
	}
	return scheduler + "plan.DeploymentStep"
}
