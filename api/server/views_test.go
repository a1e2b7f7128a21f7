package server

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/metrics"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// viewTime is when the canned views were made; the tests' clock is a minute later.
var viewTime = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

const frameworkOfViews = "11111111-aaaa-4bbb-8ccc-000000000001-0000"

// recordedView is the service of the recordings with kafka-0 … kafka-2 in these statuses; a
// pending step's instance was never launched.
func recordedView(status plans.Status, steps ...plans.Status) *scheduler.View {
	phase := scheduler.PhaseView{ID: "uuid-1", Name: "broker", Strategy: "serial", Status: status}
	v := &scheduler.View{
		At: viewTime, Service: "kafka", Framework: frameworkOfViews, Connected: true,
		Intent: scheduler.Run, TargetID: "uuid-5",
	}
	broker := scheduler.EndpointView{Name: "broker",
		VIP: &servicespec.VIP{Prefix: "broker", Port: 9092}}
	tasks := []string{"uuid-10", "uuid-54", "uuid-59"}
	for i, step := range steps {
		name := scheduler.PodName{Type: "kafka", Index: i}
		phase.Steps = append(phase.Steps, scheduler.StepView{
			ID: fmt.Sprintf("uuid-%d", i+2), Name: name.String() + ":[broker]", Status: step,
			Pod: name.String(), Tasks: []string{"broker"},
		})
		task := scheduler.TaskView{Name: "broker", FullName: name.String() + "-broker"}
		pod := scheduler.PodView{Name: name, Launched: step != plans.Pending}
		if pod.Launched {
			task.ID = mesos.TaskID("kafka__" + task.FullName + "__" + tasks[i%len(tasks)])
			task.State, pod.IP = mesos.Running, fmt.Sprintf("10.0.0.%d", i+2)
			address := pod.IP
			task.IP = pod.IP
			task.Last = &scheduler.StatusUpdate{ID: task.ID, State: mesos.Running, IP: pod.IP,
				Source: "SOURCE_EXECUTOR"}
			task.Reached = task.Last
			if step == plans.Starting {
				task.State, address = mesos.Staging, fmt.Sprintf("host-%d.example", i+1)
				task.IP, task.Last, task.Reached = "", nil, nil
			}
			broker.Address = append(broker.Address, address+":9092")
			broker.DNS = append(broker.DNS, fmt.Sprintf("host-%d.example:9092", i+1))
			broker.Tasks = append(broker.Tasks, task.FullName)
			broker.Ports = append(broker.Ports, 9092)
		}
		pod.Tasks = []scheduler.TaskView{task}
		v.Pods = append(v.Pods, pod)
	}
	v.Endpoints = []scheduler.EndpointView{broker}
	v.Plans = []scheduler.PlanView{
		{Name: "deploy", Strategy: "serial", Status: status, Phases: []scheduler.PhaseView{phase}},
		{Name: "recovery", Strategy: "parallel", Status: plans.Complete},
	}
	return v
}

func completeView() *scheduler.View {
	return recordedView(plans.Complete, plans.Complete, plans.Complete, plans.Complete)
}

func launchedView() *scheduler.View {
	return recordedView(plans.Starting, plans.Starting, plans.Pending, plans.Pending)
}

// startedView is before the registration.
func startedView() *scheduler.View {
	v := recordedView(plans.Pending, plans.Pending, plans.Pending, plans.Pending)
	v.Framework, v.Connected, v.Plans[1].Strategy = "", false, "serial"
	return v
}

// fullView has a value in every field that a shape shows.
func fullView() *scheduler.View {
	v := recordedView(plans.InProgress, plans.Complete, plans.Delayed, plans.Pending)
	yes, no := true, false
	v.Master, v.Suppressed = "127.0.0.1:5050", true
	v.TargetID = "0b9e4a44-6c1c-4a8e-8a52-6f3f0d6f2a11"
	v.Target = fullService()
	step := &v.Plans[0].Phases[0].Steps[1]
	step.Reason, step.Attempts = "It failed 2 times and is tried again soon.", 2
	step.Since, step.NotBefore = viewTime.Add(-30*time.Second), viewTime.Add(90*time.Second)
	pod := &v.Pods[0]
	pod.Incarnation, pod.Agent, pod.Hostname = 2, "agent-0", "host-1.example"
	pod.Domain = mesos.Domain{Region: "region-1", Zone: "zone-a"}
	pod.Volumes, pod.Reservation = []mesos.PersistenceID{"volume-1"}, "reservation-1"
	pod.Request = scheduler.Restart
	task := &pod.Tasks[0]
	task.Since, task.Ready, task.Healthy = viewTime.Add(-time.Hour), &yes, &no
	task.Reason, task.Message = "REASON_TASK_CHECK_STATUS_UPDATED", "all is <well>"
	last := task.Last
	last.At, last.Ready, last.Healthy = task.Since, task.Ready, task.Healthy
	last.Reason, last.Message, last.Agent = task.Reason, task.Message, "agent-0"
	last.Executor = "executor-1"
	task.Executor, task.Target, task.Goal = "executor-1", v.TargetID, servicespec.GoalRunning
	task.Ports = []offer.PortUse{{Name: "broker", Number: 9092}}
	pod.Broker = &scheduler.BrokerFacts{ID: 0, Address: "10.0.0.2:9092", Fenced: true,
		Hosted: 9, NotInSync: 2, Leads: 3}
	v.Pods[2].Refusal = offer.Because("kafka-2",
		offer.AgentRefusal{Agent: "agent-0", Hostname: "host-1.example", Reasons: []offer.Reason{
			{Code: offer.Insufficient, Name: "mem", Need: 2048000, Have: 512500},
			{Code: offer.PortTaken, Name: "broker",
				Ports: resource.Ranges{{Begin: 9092, End: 9092}}},
		}},
		offer.AgentRefusal{Agent: "agent-1", Hostname: "host-2.example",
			Reasons: []offer.Reason{{Code: offer.OtherAgent}}},
	)
	v.Leftovers = []scheduler.Leftover{{
		Reservation: "reservation-0", Pod: pod.Name, Agent: "agent-2", Hostname: "host-3.example",
		Resources: resource.List{{Disk: &resource.DiskInfo{PersistenceID: "volume-0"}}},
		Freeing:   true,
	}}
	v.Away = map[mesos.AgentID]scheduler.Agent{"agent-2": {ID: "agent-2",
		Hostname: "host-3.example", Away: viewTime.Add(-time.Hour),
		Fate: scheduler.FateAbandoned, Decided: viewTime, By: "alice", Why: "burnt"}}
	v.Seen = map[mesos.AgentID]mesos.SeenAgent{"agent-0": {ID: "agent-0",
		Unavailable: &mesos.Unavailability{Start: viewTime, Duration: time.Hour}}}
	v.Kafka = scheduler.KafkaView{ClusterID: "MkU3OEVBNTcwNTJENDM2Qg", Founded: true,
		Facts: &scheduler.KafkaFacts{Asked: viewTime, Leader: 0, Voters: []int{0, 1},
			Brokers: []scheduler.BrokerFacts{*pod.Broker}, OfflinePartitions: 4}}
	return v
}

func fullService() servicespec.Service {
	limit := uint64(128000)
	return servicespec.Service{
		Name: "kafka", Principal: "kafka-principal", User: "nobody", Role: "kafka-role",
		Pods: []servicespec.Pod{{
			Type: "kafka", Count: 3, URIs: []string{"file.tgz"}, PreReservedRole: "*",
			Placement: placement.Rule{Constraints: []placement.Constraint{
				{Field: "hostname", Operator: placement.MaxPer, Param: "1"}}},
			RLimits: []servicespec.RLimit{{Name: "RLMT_NOFILE", Soft: &limit}},
			Volumes: []servicespec.Volume{{Path: "data", Type: "ROOT", Size: 5000}},
			Kafka: &servicespec.Kafka{Process: "combined", Version: "4.3.1", Heap: 512,
				Properties: map[string]string{"min.insync.replicas": "2"}, Task: "broker"},
			Tasks: []servicespec.Task{{
				Name: "broker", Goal: servicespec.GoalRunning, Essential: true, Command: "run <it>",
				Env:       []servicespec.EnvVar{{Name: "B", Value: "2"}, {Name: "A", Value: "1"}},
				Configs:   []servicespec.Config{{Name: "p", Text: "a={{A}}", Dest: "p.conf"}},
				Readiness: &servicespec.Check{Command: "true", Interval: 5 * time.Second},
				Health: &servicespec.Check{TCP: &servicespec.TCPCheck{Port: "broker"},
					Timeout: 1500 * time.Millisecond, MaxConsecutiveFailures: 3},
				KillGrace: 5 * time.Minute,
				Discovery: &servicespec.Discovery{Prefix: "x", Visibility: "CLUSTER"},
				Labels:    []resource.Label{{Key: "team", Value: "a"}},
				Resources: servicespec.ResourceSet{Name: "set", CPUs: 1500, Memory: 2048,
					Ports: []servicespec.Port{
						{Name: "broker", Port: 9092, EnvKey: "PORT",
							VIP: &servicespec.VIP{Prefix: "broker", Port: 9092}},
						{Name: "dynamic", Ranges: []resource.Range{{Begin: 1, End: 2}}},
					}},
			}},
		}},
	}
}

// uninstallView is in the middle of an uninstall.
func uninstallView() *scheduler.View {
	v := completeView()
	v.Intent = scheduler.Uninstall
	v.Plans = []scheduler.PlanView{{
		Name: "uninstall", Strategy: "dependency", Status: plans.InProgress,
		Phases: []scheduler.PhaseView{
			{ID: "uuid-315", Name: "kill-tasks", Strategy: "parallel", Status: plans.Complete,
				Steps: []scheduler.StepView{{ID: "uuid-316", Name: "kill-task-kafka-0",
					Status: plans.Complete}}},
			{ID: "uuid-320", Name: "unreserve-resources-host-1.example", Strategy: "parallel",
				Status: plans.Prepared, Steps: []scheduler.StepView{{ID: "uuid-321",
					Name: "unreserve-uuid-18", Status: plans.Prepared}}},
		},
	}}
	return v
}

// machine is a stand-in for the loop: it gives one reply to every command and keeps the last.
type machine struct {
	reply   scheduler.Reply
	err     error
	command scheduler.Command
	caller  scheduler.Caller
	times   int
}

func (m *machine) do(
	_ context.Context, c scheduler.Command, by scheduler.Caller,
) (scheduler.Reply, error) {
	m.command, m.caller = c, by
	m.times++
	return m.reply, m.err
}

// config is that of a server on a view.
func config(v *scheduler.View, m *machine) Config {
	return Config{
		View: func() *scheduler.View { return v },
		Do:   m.do,
		ParseSpec: func(text []byte, _ map[string]string) (servicespec.Service, error) {
			if !strings.HasPrefix(string(text), "name: ") {
				return servicespec.Service{}, fmt.Errorf("line 1: no name")
			}
			return servicespec.Service{Name: string(text[len("name: "):])}, nil
		},
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; version=0.0.4")
			fmt.Fprintln(w, "kafka_sched_connected 1")
		}),
		OldMetrics: oldMetrics{},
		Version:    "1.2.3",
		Now:        func() time.Time { return viewTime.Add(time.Minute) },
	}
}

// oldMetrics has one of each kind.
type oldMetrics struct{}

func (oldMetrics) Old() metrics.OldValues {
	rates := metrics.Rates{Count: 7, Mean: 0.5, M1: 1, M5: 5, M15: 15}
	return metrics.OldValues{
		Counters: map[string]int64{"offers.received": 7},
		Meters:   map[string]metrics.Rates{"answers": rates},
		Timers: map[string]metrics.Durations{"offers.process": {Rates: rates,
			Min: 1, Max: 4, Mean: 2, Deviation: 3, Quantiles: [...]float64{5, 6, 7, 8, 9, 10}}},
	}
}

func (oldMetrics) OldHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprintln(w, "offers_received 7")
	})
}

func (oldMetrics) Requests(next http.Handler) http.Handler { return next }

// ask puts one request to a server on a view.
func ask(t *testing.T, c Config, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	New(c).ServeHTTP(w, r)
	return w
}
