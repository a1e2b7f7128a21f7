package server

import (
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// The configurations of mixedView.
const (
	earlierOfMixed = "0b9e4a44-6c1c-4a8e-8a52-6f3f0d6f2a25"
	targetOfMixed  = "0b9e4a44-6c1c-4a8e-8a52-6f3f0d6f2a62"
)

// mixedView is a service in a folder with pods of several tasks: node-0 is paused but for its
// task init, which never ran; data-0 is being replaced; node-1 was never launched.
func mixedView() *scheduler.View {
	v := &scheduler.View{
		At: viewTime, Service: "folder/mixed", Framework: frameworkOfViews, Connected: true,
		Intent: scheduler.Run, TargetID: targetOfMixed, Target: mixedService("./server --new"),
		Earlier: []scheduler.EarlierTarget{{ID: earlierOfMixed, Service: mixedService("./server"),
			Done: viewTime.Add(-time.Hour)}},
		Files: map[string]string{"notes": "second version", "edge": "x", "empty": ""},
		Plans: mixedPlans(),
		Pods: []scheduler.PodView{dataPod(), nodePod(),
			{Name: scheduler.PodName{Type: "node", Index: 1}}},
		Leftovers: []scheduler.Leftover{{Reservation: "uuid-9", Agent: "S1",
			Hostname: "host-2.example", Resources: reserved("uuid-9")}},
		Outcomes: mixedOutcomes(),
	}
	for _, pod := range v.Pods {
		for i := range pod.Tasks {
			pod.Tasks[i].Reached = pod.Tasks[i].Last
		}
	}
	return v
}

func mixedService(server string) servicespec.Service {
	ports := []servicespec.Port{{Name: "http", EnvKey: "NODE_HTTP_PORT",
		VIP: &servicespec.VIP{Prefix: "node", Port: 80}}}
	task := func(name, command string, goal servicespec.Goal) servicespec.Task {
		return servicespec.Task{Name: name, Command: command, Goal: goal, Essential: true,
			Resources: servicespec.ResourceSet{Name: name + "-resource-set", Ports: ports}}
	}
	serve := task("server", server, servicespec.GoalRunning)
	serve.Configs = []servicespec.Config{{Name: "conf", Text: "a={{A}}\n", Dest: "c"}}
	serve.Health = &servicespec.Check{Command: "./check", Interval: 5 * time.Second}
	serve.Readiness = &servicespec.Check{HTTP: &servicespec.HTTPCheck{Path: "/ready"}}
	return servicespec.Service{
		Name: "folder/mixed", User: "nobody", Role: "folder__mixed-role",
		Pods: []servicespec.Pod{{Type: "node", Count: 2, Tasks: []servicespec.Task{
			task("init", "./init", servicespec.GoalOnce), serve,
		}}, {Type: "data", Count: 1, Tasks: []servicespec.Task{
			task("server", "./data", servicespec.GoalRunning)}}},
	}
}

// reserved is a list of resources under one id.
func reserved(id string) resource.List {
	list, err := resource.ParseList("mem:32;cpus:1.5;ports:[1025-1025]")
	if err != nil {
		panic(err)
	}
	for i := range list {
		list[i].Reservations = []resource.Reservation{{Dynamic: true, Role: "folder__mixed-role",
			Principal: "p", Labels: []resource.Label{
				{Key: "resource_id", Value: id}, {Key: "framework_id", Value: "f"}}}}
	}
	return list
}

func nodePod() scheduler.PodView {
	yes, no := true, false
	list := reserved("uuid-3")
	volume := resource.NewScalar(resource.Disk, 500000)
	volume.Disk = &resource.DiskInfo{PersistenceID: "uuid-4", Principal: "p",
		ContainerPath: "node-data", Source: "MOUNT", Root: "/mnt/a"}
	place := &scheduler.Place{Executor: list,
		Sets:       []offer.SetResources{{Name: "server", Resources: reserved("uuid-4")}},
		Attributes: []mesos.Attribute{{Name: "rack", Value: "r1"}, {Name: "x", Value: "y"}}}
	return scheduler.PodView{
		Name: scheduler.PodName{Type: "node"}, Launched: true, Agent: "S0",
		Hostname: "host-1.example", Reservation: "uuid-3", Place: place,
		Domain: mesos.Domain{Region: "region-1", Zone: "zone-a"},
		Tasks: []scheduler.TaskView{
			{Name: "server", FullName: "node-0-server", ID: "folder.mixed__node-0-server__uuid-7",
				State: mesos.Running, Override: "PAUSED", IP: "10.0.0.1", Target: earlierOfMixed,
				Executor: "folder.mixed__node__uuid-8", Resources: append(list, volume),
				Since: viewTime, Ready: &no, Healthy: &yes, Message: "paused",
				Reason: "REASON_TASK_CHECK_STATUS_UPDATED",
				Ports:  []offer.PortUse{{Name: "http", Number: 1025}},
				Last: &scheduler.StatusUpdate{ID: "folder.mixed__node-0-server__uuid-7",
					Executor: "folder.mixed__node__uuid-8", Agent: "S0", State: mesos.Running,
					Source: "SOURCE_EXECUTOR", Reason: "REASON_TASK_CHECK_STATUS_UPDATED",
					Message: "paused", At: viewTime, Ready: &no, Healthy: &yes, IP: "10.0.0.1"}},
			{Name: "init", FullName: "node-0-init", Override: "PAUSED", Superseded: true,
				ID: "folder.mixed__node-0-init__uuid-2", State: mesos.Finished, IP: "10.0.0.1",
				Last: &scheduler.StatusUpdate{ID: "folder.mixed__node-0-init__uuid-2",
					State: mesos.Finished, IP: "10.0.0.1"}},
		},
	}
}

func dataPod() scheduler.PodView {
	return scheduler.PodView{
		Name: scheduler.PodName{Type: "data"}, Launched: true, Agent: "S1",
		Hostname: "host-2.example", Reservation: "uuid-5", Request: scheduler.Replace,
		Domain: mesos.Domain{Region: "region-1", Zone: "zone-b"},
		Tasks: []scheduler.TaskView{{Name: "server", FullName: "data-0-server",
			ID: "folder.mixed__data-0-server__uuid-6", State: mesos.Staging,
			Override: "DECOMMISSIONING"}},
	}
}

func mixedPlans() []scheduler.PlanView {
	step := func(id, name string, status plans.Status, tasks ...string) scheduler.StepView {
		pod, _, _ := cutStep(name)
		return scheduler.StepView{ID: id, Name: name, Status: status, Pod: pod, Tasks: tasks}
	}
	plan := func(name string, status plans.Status, phase string,
		steps ...scheduler.StepView) scheduler.PlanView {
		return scheduler.PlanView{Name: name, Strategy: "serial", Status: status,
			Phases: []scheduler.PhaseView{{ID: "uuid-" + phase, Name: phase, Strategy: "serial",
				Status: status, Steps: steps}}}
	}
	return []scheduler.PlanView{
		plan("deploy", plans.InProgress, "node-deploy",
			step("uuid-1", "node-0:[server, init]", plans.Complete, "server", "init"),
			step("uuid-2", "node-1:[server]", plans.Pending, "server")),
		plan("recovery", plans.InProgress, "recovery",
			step("uuid-3", "node-0:[server]", plans.Starting, "server"),
			replaces(step("uuid-4", "data-0:[server]", plans.Prepared, "server"))),
		plan("decommission", plans.Pending, "node-2",
			step("uuid-5", "kill-node-2-server", plans.Pending),
			step("uuid-6", "unreserve-uuid-9", plans.Pending),
			step("uuid-7", "erase-node-2-server", plans.Pending)),
		plan("backup", plans.Waiting, "backup"),
	}
}

func replaces(step scheduler.StepView) scheduler.StepView {
	step.Replaces = true
	return step
}

// cutStep takes "node-0:[server]" apart; other names are of steps that concern no instance.
func cutStep(name string) (pod, tasks string, ok bool) {
	for i := range name {
		if name[i] == ':' {
			return name[:i], name[i+1:], true
		}
	}
	return "", "", false
}

func mixedOutcomes() []scheduler.Outcome {
	list, err := resource.ParseList("cpus:0.5;mem:1000;ports:[1025-2180, 2182-3887]")
	if err != nil {
		panic(err)
	}
	of := mesos.Offer{ID: "O0", Agent: "S0", Hostname: "small-1.example", Role: "r",
		Resources: append(list, resource.Resource{Name: "x", Kind: resource.SetKind,
			Set: []string{"a", "b"}}),
		Attributes: []mesos.Attribute{{Name: "rack", Value: "räck \"1\""}},
		Executors:  []mesos.ExecutorID{"e"},
		Domain:     mesos.Domain{Region: "region-1", Zone: "zone-a"}}
	reasons := []offer.Reason{
		{Code: offer.Insufficient, Name: "mem", Need: 2048000, Have: 512500},
		{Code: offer.Insufficient, Name: "disk", Need: 2048000, Have: 512500},
		{Code: offer.PortTaken, Name: "http", Ports: resource.Ranges{{Begin: 1, End: 1}}},
		{Code: offer.NoVolume, Name: "data", Need: 1000, Detail: "ROOT"},
		{Code: offer.Placement, Detail: "the zone must be another one"},
		{Code: offer.Maintenance}, {Code: offer.OtherAgent},
	}
	return []scheduler.Outcome{
		{At: viewTime, Pod: "node-0", Agent: "S0", Host: of.Hostname, Offer: of,
			Refusal: offer.Because("node-0",
				offer.AgentRefusal{Agent: "S0", Reasons: reasons})},
		{At: viewTime, Pod: "node-0", Agent: "S1"},
	}
}
