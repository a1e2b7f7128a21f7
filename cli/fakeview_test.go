package cli

import (
	"fmt"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
)

// stages are the statuses that a step comes through, one a look.
var stages = []string{
	api.StatusPending, api.StatusStarting, api.StatusStarted, api.StatusComplete,
}

// service makes the status document of the present stage.
func (f *fake) service() api.Service {
	now := f.now()
	leader := 0
	s := api.Service{
		Name: f.name, FrameworkID: "F-1", Connected: true, Master: f.self,
		Intent: f.memory.Intent, TargetID: f.memory.Target, Version: f.release, At: now, Now: now,
		Health: 200, Plans: []api.Plan{}, Pods: []api.Pod{}, Leftovers: []api.Leftover{},
		Endpoints: []api.NamedEndpoint{{Name: "broker"}},
		Kafka: api.Kafka{
			ClusterID: "abcdefghijklmnopqrstuv", Founded: true, Asked: &now, Leader: &leader,
			Voters: []int{}, Brokers: []int{},
		},
	}
	for i := range f.memory.Count {
		p := f.pod(i, now)
		s.Pods = append(s.Pods, p)
		if p.Broker != nil {
			s.Kafka.Brokers = append(s.Kafka.Brokers, i)
			s.Kafka.Voters = append(s.Kafka.Voters, i)
		}
		e := &s.Endpoints[0]
		e.Address = append(e.Address, fmt.Sprintf("127.0.0.%d:9092", i+1))
		e.DNS = append(e.DNS, fmt.Sprintf("127.0.0.%d:9092", i+1))
	}
	if f.memory.Intent == api.IntentUninstall {
		s.Plans = append(s.Plans, f.uninstallPlan())
		return s
	}
	s.Plans = append(s.Plans, f.deployPlan(),
		api.Plan{Name: api.PlanRecovery, Strategy: "parallel", Phases: []api.Phase{},
			Errors: []string{}, Status: api.StatusComplete})
	return s
}

// stage is how far an instance has come; they come one after the other.
func (f *fake) stage(i int) string {
	if f.mode == "stuck" {
		return api.StatusPending
	}
	at := f.memory.Looks - i
	if f.mode == "failing" && i == 1 {
		at = min(at, 1)
	}
	return stages[min(max(at, 0), len(stages)-1)]
}

func (f *fake) pod(i int, now time.Time) api.Pod {
	since := now.Add(-90 * time.Second)
	name := fmt.Sprintf("kafka-%d", i)
	ready := true
	t := api.Task{
		Name: "broker", FullName: name + "-broker", ID: name + "-broker__1", Goal: "RUNNING",
		Since: &since, ExecutorID: "kafka__1", TargetID: f.memory.Target,
		Ports: []api.Port{{Name: "broker", Port: 9092}},
	}
	p := api.Pod{
		Name: name, Type: "kafka", Index: i, Incarnation: 1, Launched: true, AgentID: "S0",
		Hostname: fmt.Sprintf("127.0.0.%d", i+1), IP: "127.0.0.1", Volumes: []string{},
	}
	switch stage := f.stage(i); {
	case f.memory.Intent != api.IntentRun:
		t.State = "KILLED"
		if f.memory.Looks <= i+1 {
			t.State = "RUNNING"
		}
	case stage == api.StatusPending:
		p.Launched, p.AgentID, p.Hostname = false, "", ""
		t.Since, t.ExecutorID, t.ID = nil, "", ""
		p.Refusal = "127.0.0.1 has 1 of 2 cpus"
	case f.mode == "failing" && i == 1:
		t.State, t.Message = "FAILED", "exited with status 1"
	case stage == api.StatusComplete:
		t.State, t.Ready = "RUNNING", &ready
		p.Broker = &api.Broker{ID: i, Address: p.Hostname + ":9092", Registered: true}
		p.Executor = &api.Executor{Version: f.memory.Executors,
			Current: f.memory.Executors == f.release}
	default:
		t.State = "STARTING"
	}
	p.Tasks = []api.Task{t}
	return p
}

func (f *fake) deployPlan() api.Plan {
	phase := api.Phase{ID: "p-1", Name: "broker", Strategy: "serial", Status: api.StatusComplete}
	age := 90.0
	for i := range f.memory.Count {
		st := api.Step{
			ID: fmt.Sprintf("s-%d", i), Name: fmt.Sprintf("kafka-%d:[broker]", i),
			Status: f.stage(i), AgeSeconds: &age, Pod: fmt.Sprintf("kafka-%d", i),
			Tasks: []string{"broker"},
		}
		switch {
		case f.mode == "failing" && i == 1:
			st.Attempts, st.Reason = min(f.memory.Looks, mostFailures), "it failed"
		case st.Status == api.StatusPending:
			st.Reason = "waits for an offer"
		}
		if st.Status != api.StatusComplete {
			phase.Status = api.StatusInProgress
		}
		phase.Steps = append(phase.Steps, st)
	}
	return api.Plan{
		Name: api.PlanDeploy, Strategy: "serial", Phases: []api.Phase{phase},
		Errors: []string{}, Status: phase.Status,
	}
}

// uninstallPlan is done after some looks, and then the fake ends.
func (f *fake) uninstallPlan() api.Plan {
	p := api.Plan{Name: api.PlanUninstall, Strategy: "dependency", Errors: []string{},
		Status: api.StatusInProgress}
	for i, name := range []string{"kill-tasks", "unreserve-resources", "deregister-service"} {
		status := api.StatusInProgress
		if f.memory.Looks > i+1 {
			status = api.StatusComplete
		}
		p.Phases = append(p.Phases, api.Phase{ID: name, Name: name, Strategy: "parallel",
			Status: status, Steps: []api.Step{{ID: name, Name: name, Status: status}}})
	}
	if f.memory.Looks > 3 {
		p.Status = api.StatusComplete
		if f.gone != nil {
			f.gone()
		}
	}
	return p
}
