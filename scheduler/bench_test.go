package scheduler

import (
	"fmt"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

const manySpec = `
name: many
pods:
  web:
    count: %d
    tasks:
      server: {goal: RUNNING, cmd: sleep 1000, cpus: 0.1, memory: 32}
plans:
  deploy:
    phases:
      web: {pod: web, strategy: parallel}
`

// BenchmarkDeploy deploys so many instances from nothing to RUNNING, on agents with room for a
// hundred each: the machine alone, its outputs thrown away.
func BenchmarkDeploy(b *testing.B) {
	for _, count := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			service, problems := servicespec.Parse("many.yml",
				fmt.Appendf(nil, manySpec, count), nil)
			if len(problems) > 0 {
				b.Fatal(problems)
			}
			for b.Loop() {
				deployMany(b, service, count)
			}
			b.ReportMetric(float64(count)*float64(b.N)/b.Elapsed().Seconds(), "pods/s")
		})
	}
}

func deployMany(b *testing.B, service servicespec.Service, count int) {
	ids := uint64(0)
	m := Restore(Config{Target: Target{ID: "t", Service: service}, UUID: func() [16]byte {
		ids++
		var id [16]byte
		for i := range 8 {
			id[i] = byte(ids >> (8 * i))
		}
		return id
	}}, Hard{})
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	step := func(ev Event) Output {
		now = now.Add(time.Millisecond)
		return m.Step(now, ev)
	}
	step(FromMesos{mesos.Subscribed{Framework: "fw", Master: "m:5050"}})
	step(Tick{})
	for agents := 0; agents*100 < count; {
		var offers mesos.Offers
		for range min(100, (count+99)/100-agents) {
			agents++
			list, err := resource.ParseList("cpus:100;mem:100000;disk:100000;ports:[1025-2000]")
			if err != nil {
				b.Fatal(err)
			}
			offers.Offers = append(offers.Offers, mesos.Offer{
				ID:    mesos.OfferID(fmt.Sprint("o", agents)),
				Agent: mesos.AgentID(fmt.Sprint("a", agents)), Hostname: fmt.Sprint("h", agents),
				Role: service.Role, Resources: list.WithRole(service.Role)})
		}
		for _, task := range launchedIn(step(FromMesos{offers})) {
			step(FromMesos{mesos.Updated{Status: mesos.Status{Task: task.ID, Agent: task.Agent,
				State: mesos.Running, UUID: []byte{1}}}})
		}
		step(Tick{})
	}
	for _, p := range m.View().Plans {
		if p.Name == planDeploy && p.Status != "COMPLETE" {
			b.Fatalf("deploy is %s", p.Status)
		}
	}
}

// launchedIn lists the tasks that an output launches.
func launchedIn(out Output) []mesos.TaskInfo {
	var tasks []mesos.TaskInfo
	for _, call := range out.Calls {
		to, _ := call.(ToMesos)
		accept, _ := to.Call.(mesos.Accept)
		for _, op := range accept.Operations {
			if launch, ok := op.(mesos.Launch); ok {
				tasks = append(tasks, launch.Tasks...)
			}
		}
	}
	return tasks
}
