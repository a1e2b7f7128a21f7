package server

import (
	"net/http"
	"net/url"
	"runtime"
	"slices"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// filter narrows an answer to a plan, a phase of it, or a step of that, by name; a nil part
// lets everything through.
type filter struct{ plan, phase, step *string }

func filterOf(r *http.Request) filter {
	query := r.URL.Query()
	return filter{one(query, "plan"), one(query, "phase"), one(query, "step")}
}

func one(query url.Values, name string) *string {
	if !query.Has(name) {
		return nil
	}
	text := query.Get(name)
	return &text
}

func lets(part *string, name string) bool { return part == nil || *part == name }

// invalid says what is wrong with a filter, in the predecessor's words.
func (f filter) invalid(v *scheduler.View) string {
	switch {
	case f.plan == nil && f.phase != nil:
		return "Phase specified without parent Plan."
	case f.phase == nil && f.step != nil:
		return "Step specified without parent Phase."
	case f.plan == nil:
		return ""
	}
	plan := findPlan(v, *f.plan)
	if plan == nil {
		return "Supplied plan not found in list of all available plans!"
	}
	phases, steps := 0, 0
	for _, phase := range plan.Phases {
		if !lets(f.phase, phase.Name) {
			continue
		}
		phases++
		for _, step := range phase.Steps {
			if lets(f.step, step.Name) {
				steps++
			}
		}
	}
	switch {
	case f.phase != nil && phases == 0:
		return "Supplied phase not found in set of possible phases with supplied plan!"
	case f.step != nil && steps == 0:
		return "Supplied step not found in set of possible steps with supplied plan and phase!"
	}
	return ""
}

// debugPlans answers with the plans' statuses in short, and with a tree of their names.
func debugPlans(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	f := filterOf(r)
	if problem := f.invalid(v); problem != "" {
		writeJSON(w, http.StatusOK, map[string]string{"invalid-input": problem})
		return
	}
	shape := api.DebugPlans{SchedulerState: schedulerState(v), Active: []string{},
		Plans: []api.DebugPlan{}, Topology: []api.DebugNode{}}
	for _, plan := range v.Plans {
		name := nameV1(plan.Name)
		shape.Topology = append(shape.Topology, topology(name, plan))
		if running(plan.Status) {
			shape.Active = append(shape.Active, name)
		}
		if lets(f.plan, name) || lets(f.plan, plan.Name) {
			shape.Plans = append(shape.Plans, debugPlan(name, plan, f))
		}
	}
	writeJSON(w, http.StatusOK, shape)
}

// running says that a plan works on something now.
func running(status plans.Status) bool {
	switch status {
	case plans.Prepared, plans.Starting, plans.Started, plans.InProgress:
		return true
	}
	return false
}

// schedulerState is the predecessor's word for what goes on.
func schedulerState(v *scheduler.View) string {
	at := func(plan string) bool {
		found := findPlan(v, plan)
		return found != nil && running(found.Status)
	}
	switch {
	case at(api.PlanDecommission):
		return "DECOMMISSIONING"
	case at(api.PlanRecovery):
		return "RECOVERING"
	case deployed(v):
		return "DEPLOYED"
	case at(api.PlanDeploy):
		return "DEPLOYING"
	}
	return "RUNNING"
}

func debugPlan(name string, plan scheduler.PlanView, f filter) api.DebugPlan {
	steps := count(plan)
	shape := api.DebugPlan{Name: name, Strategy: plan.Strategy, Status: string(plan.Status),
		TotalSteps: steps.total, CompletedSteps: steps.of[plans.Complete],
		Phases: []api.DebugPhase{}}
	for _, phase := range plan.Phases {
		if !lets(f.phase, phase.Name) {
			continue
		}
		of := api.DebugPhase{Name: phase.Name, Strategy: phase.Strategy,
			Status: string(phase.Status), Steps: []api.DebugStep{}}
		for _, step := range phase.Steps {
			if lets(f.step, step.Name) {
				of.Steps = append(of.Steps, api.DebugStep{Name: step.Name,
					Status: string(step.Status), Errors: []string{}})
			}
		}
		shape.Phases = append(shape.Phases, of)
	}
	return shape
}

func topology(name string, plan scheduler.PlanView) api.DebugNode {
	tree := api.DebugNode{Name: name, Type: "plan", Children: []api.DebugNode{}}
	for _, phase := range plan.Phases {
		branch := api.DebugNode{Name: phase.Name, Type: "phase", Children: []api.DebugNode{}}
		for _, step := range phase.Steps {
			branch.Children = append(branch.Children,
				api.DebugNode{Name: step.Name, Type: "step"})
		}
		tree.Children = append(tree.Children, branch)
	}
	return tree
}

// debugTaskStatuses answers with the Mesos state of each step's first task, as the predecessor
// does. A filter that fits nothing leaves nothing, and is no mistake.
func debugTaskStatuses(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	f, list := filterOf(r), []api.DebugPlanTasks{}
	for _, plan := range v.Plans {
		name := nameV1(plan.Name)
		if !lets(f.plan, name) && !lets(f.plan, plan.Name) {
			continue
		}
		of := api.DebugPlanTasks{Name: name, Phases: []api.DebugPhaseTasks{}}
		for _, phase := range plan.Phases {
			if lets(f.phase, phase.Name) {
				of.Phases = append(of.Phases, phaseTasks(v, phase, f))
			}
		}
		list = append(list, of)
	}
	writeJSON(w, http.StatusOK, list)
}

func phaseTasks(
	v *scheduler.View, phase scheduler.PhaseView, f filter,
) api.DebugPhaseTasks {
	shape := api.DebugPhaseTasks{Name: phase.Name, Steps: []api.DebugStepTasks{}}
	for _, step := range phase.Steps {
		if !lets(f.step, step.Name) {
			continue
		}
		of := api.DebugStepTasks{Name: step.Name, Tasks: []api.DebugTask{}}
		if pod := podOf(v, step); pod != nil && len(step.Tasks) > 0 {
			if task := findTask(*pod, step.Tasks[0]); task != nil {
				of.Tasks = append(of.Tasks, debugTask(*task))
			}
		}
		shape.Steps = append(shape.Steps, of)
	}
	return shape
}

func debugTask(task scheduler.TaskView) api.DebugTask {
	state := task.State
	if state == "" {
		state = "UNKNOWN" // never launched
	}
	return api.DebugTask{Name: task.FullName, ID: string(task.ID),
		Status: "TASK_" + string(state)}
}

// debugReservations answers with the ids of the reserved resources on each host.
func debugReservations(w http.ResponseWriter, _ *http.Request, v *scheduler.View) {
	hosts := map[string][]string{}
	add := func(host string, list resource.List) {
		for _, r := range list {
			id := r.Label("resource_id")
			if id != "" && !slices.Contains(hosts[host], id) {
				hosts[host] = append(hosts[host], id)
			}
		}
		slices.Sort(hosts[host])
	}
	for _, pod := range v.Pods {
		if pod.Place == nil {
			continue
		}
		add(pod.Hostname, pod.Place.Executor)
		for _, set := range pod.Place.Sets {
			add(pod.Hostname, set.Resources)
		}
	}
	for _, left := range v.Leftovers {
		add(left.Hostname, left.Resources)
	}
	writeJSON(w, http.StatusOK, hosts)
}

// maxThreads bounds the text of debugThreads.
const maxThreads = 1 << 20

// debugThreads answers with the stacks of all goroutines.
func debugThreads(w http.ResponseWriter, r *http.Request) {
	if !acceptsText(w, r) {
		return
	}
	text := make([]byte, maxThreads)
	text = text[:runtime.Stack(text, true)]
	write(w, http.StatusOK, api.TextType, text)
}
