package scheduler

import (
	"encoding/binary"
	"fmt"
	"maps"
	"runtime"
	"slices"
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

func manyService(b *testing.B, count int) servicespec.Service {
	b.Helper()
	service, problems := servicespec.Parse("many.yml", fmt.Appendf(nil, manySpec, count), nil)
	if len(problems) > 0 {
		b.Fatal(problems)
	}
	return service
}

// BenchmarkDeploy deploys so many instances from nothing to RUNNING, on agents with room for a
// hundred each: the machine alone, its outputs thrown away.
func BenchmarkDeploy(b *testing.B) {
	for _, count := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			service := manyService(b, count)
			for b.Loop() {
				deployMany(b, service, count)
			}
			b.ReportMetric(float64(count)*float64(b.N)/b.Elapsed().Seconds(), "pods/s")
		})
	}
}

// BenchmarkUninstall takes so many instances away again, whose agents are offered ten at a time.
func BenchmarkUninstall(b *testing.B) {
	for _, count := range []int{1000, 10000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			service := manyService(b, count)
			for b.Loop() {
				b.StopTimer()
				m, now := deployMany(b, service, count)
				b.StartTimer()
				uninstallMany(b, m, now)
			}
			b.ReportMetric(float64(count)*float64(b.N)/b.Elapsed().Seconds(), "pods/s")
		})
	}
}

// uninstallMany uninstalls a service: its tasks end when they are killed, and what is unreserved is
// not offered as reserved any more.
func uninstallMany(b *testing.B, m *Machine, now time.Time) {
	step := func(ev Event) Output {
		now = now.Add(time.Millisecond)
		return m.Step(now, ev)
	}
	step(Commanded{ID: 1, Command: ServiceUninstall{}})
	for _, call := range step(Tick{}).Calls {
		to, _ := call.(ToMesos)
		if kill, ok := to.Call.(mesos.Kill); ok {
			step(FromMesos{mesos.Updated{Status: mesos.Status{Task: kill.Task,
				Agent: kill.Agent, State: mesos.Killed, UUID: []byte{1}}}})
		}
	}
	step(Tick{})
	reserved := map[mesos.AgentID]resource.List{}
	for _, l := range m.View().Leftovers {
		reserved[l.Agent] = append(reserved[l.Agent], l.Resources...)
	}
	agents := slices.Sorted(maps.Keys(reserved))
	role := m.View().Target.Role
	for round := 0; round < 3; round++ {
		for group := range slices.Chunk(agents, 10) {
			var offers mesos.Offers
			for _, agent := range group {
				offers.Offers = append(offers.Offers, mesos.Offer{
					ID: mesos.OfferID(fmt.Sprint("u", round, agent)), Agent: agent, Role: role,
					Resources: reserved[agent]})
			}
			for _, call := range step(FromMesos{offers}).Calls {
				to, _ := call.(ToMesos)
				if accept, ok := to.Call.(mesos.Accept); ok {
					reserved[mesos.AgentID(string(accept.Offers[0])[2:])] = nil
				}
			}
		}
		if step(Tick{}); m.finished {
			return
		}
	}
	b.Fatalf("%d leftovers stay", len(m.View().Leftovers))
}

// BenchmarkHeapPerTask measures what a machine of 10,000 running tasks and the picture that readers
// have of it take of the heap.
func BenchmarkHeapPerTask(b *testing.B) {
	const count = 10000
	service := manyService(b, count)
	inUse := func() uint64 {
		runtime.GC()
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	var each float64
	for b.Loop() {
		before := inUse()
		m, _ := deployMany(b, service, count)
		view := m.View()
		each = float64(inUse()-before) / count
		runtime.KeepAlive(m)
		runtime.KeepAlive(view)
	}
	b.ReportMetric(each, "B/task")
}

// deployMany gives the machine when all is deployed, and its time.
func deployMany(
	b *testing.B, service servicespec.Service, count int,
) (*Machine, time.Time) {
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
	return m, now
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

const ruledSpec = `
name: ruled
pods:
  web:
    count: 100
    placement: "hostname:MAX_PER:1,@zone:GROUP_BY:3,rack:GROUP_BY:20,hostname:UNLIKE:old-.*"
    tasks:
      server:
        goal: RUNNING
        cmd: sleep 1000
        cpus: 1
        memory: 2048
        ports: {http: {port: 0}}
        volume: {path: data, type: ROOT, size: 5000}
plans:
  deploy:
    phases:
      web: {pod: web, strategy: parallel}
`

// BenchmarkOfferCycle is one step of the machine: offers come, instances with a rule get their
// places, the ACCEPTs go out and the rest is declined.
func BenchmarkOfferCycle(b *testing.B) {
	b.Run("10000x100", func(b *testing.B) {
		service, problems := servicespec.Parse("ruled.yml", []byte(ruledSpec), nil)
		if len(problems) > 0 {
			b.Fatal(problems)
		}
		offers := mesos.Offers{Offers: manyOffers(b, service.Role, 10000)}
		ids := uint64(0)
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			m := Restore(Config{Target: Target{ID: "t", Service: service},
				UUID: func() (id [16]byte) {
					ids++
					binary.LittleEndian.PutUint64(id[:], ids)
					return id
				}}, Hard{})
			now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			m.Step(now, FromMesos{mesos.Subscribed{Framework: "fw", Master: "m:5050"}})
			m.Step(now, Tick{})
			b.StartTimer()
			out := m.Step(now.Add(time.Second), FromMesos{offers})
			if n := len(launchedIn(out)); n != 100 {
				b.Fatalf("%d were launched", n)
			}
		}
	})
}

// manyOffers are those of agents in 3 zones and 20 racks.
func manyOffers(b *testing.B, role string, agents int) []mesos.Offer {
	list, err := resource.ParseList("cpus:16;mem:32000;disk:100000;ports:[1025-2000]")
	if err != nil {
		b.Fatal(err)
	}
	offers := make([]mesos.Offer, agents)
	for i := range offers {
		host := fmt.Sprint("h", i)
		offers[i] = mesos.Offer{
			ID: mesos.OfferID(fmt.Sprint("o", i)), Agent: mesos.AgentID(fmt.Sprint("a", i)),
			Hostname: host, IP: host, Role: role, Resources: list.WithRole(role),
			Domain:     mesos.Domain{Region: "eu", Zone: fmt.Sprint("z", i%3)},
			Attributes: []mesos.Attribute{{Name: "rack", Value: fmt.Sprint("r", i%20)}},
		}
	}
	return offers
}
