package commons

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/mesoshttp"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

const helloSpec = `
name: hello
scheduler: {user: nobody, principal: hello-principal}
pods:
  hello:
    count: 2
    tasks:
      server:
        goal: RUNNING
        cmd: ./server
        cpus: 0.5
        memory: 64
        ports: {http: {port: 0}, admin: {port: 8080}}
        volume: {path: data, type: ROOT, size: 50}
`

func hello(t *testing.T) scheduler.Target {
	t.Helper()
	s, problems := servicespec.Parse("hello.yml", []byte(helloSpec), nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return scheduler.Target{ID: "mine", Service: s}
}

// helloAgent is an agent that has all reserved for an instance of hello, and more if that is said.
func helloAgent(t *testing.T, n int, more string) mesos.SeenAgent {
	t.Helper()
	text := strings.ReplaceAll("cpus:0.1(hello-role:aN);mem:32(hello-role:bN);"+
		"disk:256(hello-role:cN);cpus:0.5(hello-role:dN);mem:64(hello-role:eN);"+
		"ports:[31007-31007](hello-role:fN);ports:[8080-8080](hello-role:gN);"+
		"disk:50(hello-role:hN)[vN:data];cpus:4"+more, "N", fmt.Sprint(n))
	list, err := resource.ParseList(text)
	if err != nil {
		t.Fatal(err)
	}
	list = list.WithPrincipal("hello-principal")
	for i := range list {
		for k := range list[i].Reservations {
			list[i].Reservations[k].Labels = append(list[i].Reservations[k].Labels,
				resource.Label{Key: "framework_id", Value: "fw"})
		}
	}
	return mesos.SeenAgent{ID: mesos.AgentID(fmt.Sprint("a", n)), IP: fmt.Sprint("10.0.0.", n),
		Hostname: fmt.Sprint("host-", n), Reserved: list}
}

func adoptFrom(
	t *testing.T, state mesoshttp.ClusterState, named map[string]string,
) (Found, scheduler.Adoption) {
	t.Helper()
	target := hello(t)
	f := FromMaster(state, target, named)
	return f, scheduler.Adopt(f.Predecessor, &target, noon)
}

// TestReservationsWithoutNames are of nobody in particular: which instance they are of has to be
// said, unless there is only one that they can be of. Nothing is guessed.
func TestReservationsWithoutNames(t *testing.T) {
	state := mesoshttp.ClusterState{Agents: []mesos.SeenAgent{helloAgent(t, 1, ""),
		helloAgent(t, 2, "")}}
	_, a := adoptFrom(t, state, nil)
	if got := strings.Join(a.Problems, "\n"); !strings.Contains(got,
		"on host-1 everything is reserved for one of hello-0, hello-1, and nothing says which: "+
			"say --adopt-pod hello-0=host-1") {
		t.Errorf("without names: %q", got)
	}
	_, a = adoptFrom(t, state, map[string]string{"hello-0": "host-2", "hello-1": "host-1"})
	if len(a.Problems) > 0 {
		t.Fatal(a.Problems)
	}
	p := a.Hard.Pods[scheduler.PodName{Type: "hello", Index: 0}]
	set := p.Place.Sets[0]
	if p.Place.Hostname != "host-2" || !p.Place.Confirmed || len(set.Ports) != 2 ||
		set.Ports[0].Number != 31007 || set.Ports[1].Number != 8080 ||
		len(set.Resources.Volumes()) != 1 || len(p.Place.Executor) != 3 {
		t.Errorf("%+v", p.Place)
	}
	if a.Hard.Framework != "" {
		t.Errorf("the framework is %s, which the master does not have", a.Hard.Framework)
	}
}

// TestTasksSayWhoseTheyAre has the master's tasks tell which instance is where, and what is
// reserved beside them completes it. What then is left over would be freed, and is refused.
func TestTasksSayWhoseTheyAre(t *testing.T) {
	agent := helloAgent(t, 1, "")
	held := agent.Reserved.Filter(func(r resource.Resource) bool {
		return len(r.Reservations) > 0
	}).WithoutRole()
	task := mesoshttp.TaskState{Framework: "fw", TaskInfo: mesos.TaskInfo{ID: "t-1",
		Name: "hello-1-server", Agent: "a1", Resources: held[3:],
		Labels: []resource.Label{{Key: "task_type", Value: "hello"}, {Key: "index", Value: "1"}},
		Discovery: &mesos.Discovery{Ports: []mesos.DiscoveryPort{{Name: "http", Number: 31007},
			{Name: "admin", Number: 8080}}}},
		Status: mesos.Status{Task: "t-1", State: mesos.Running, IP: "10.0.0.1"}}
	state := mesoshttp.ClusterState{Agents: []mesos.SeenAgent{agent},
		Tasks: []mesoshttp.TaskState{task},
		Frameworks: []mesoshttp.FrameworkState{{ID: "fw", Name: "hello",
			Principal: "hello-principal"}}}
	f, a := adoptFrom(t, state, nil)
	p := a.Hard.Pods[scheduler.PodName{Type: "hello", Index: 1}]
	if len(a.Problems) > 0 || f.Running || a.Hard.Framework != "fw" ||
		len(p.Place.Executor) != 3 || p.Tasks[0].ID != "t-1" {
		t.Errorf("%v %+v", a.Problems, p)
	}
	state.Frameworks[0].Active = true
	if f, _ := adoptFrom(t, state, nil); !f.Running {
		t.Error("nobody notices that its scheduler is connected")
	}
	state.Agents[0] = helloAgent(t, 1, ";cpus:7(hello-role:xN)")
	_, a = adoptFrom(t, state, nil)
	if got := strings.Join(a.Problems, "\n"); !strings.Contains(got, "and would be freed") {
		t.Errorf("what nobody has: %q", got)
	}
}
