package localmesos

import (
	"fmt"
	"strings"
	"testing"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/kafka-sched/kafka-sched/executor"
)

func simulatedConfig(tb testing.TB, agents int) Config {
	cfg := Config{Dir: tb.TempDir(), MasterAddr: "127.0.0.1:0", Simulate: true, Faults: true,
		OfferInterval: 50 * time.Millisecond, UpdateRetry: 5 * time.Minute}
	for i := range agents {
		cfg.Agents = append(cfg.Agents, Agent{Name: fmt.Sprintf("agent-%05d", i),
			Addr: fmt.Sprintf("10.0.%d.%d:5051", i>>8, i&255), CPUs: 8, MemMB: 32768,
			DiskMB: 100000, Ports: [][2]uint64{{31000, 32000}}, Region: "r",
			Zone: fmt.Sprintf("z-%d", i%3), Attributes: map[string]string{"rack": "r-1"}})
	}
	return cfg
}

// offers collects offers until there are n.
func (f *testFramework) offers(n int) []mesos.Offer {
	f.t.Helper()
	var all []mesos.Offer
	for len(all) < n {
		ev := f.await(fmt.Sprintf("%d offers, after %d", n, len(all)),
			func(ev *scheduler.Event) bool { return ev.Type == scheduler.Event_OFFERS })
		all = append(all, ev.Offers.Offers...)
	}
	return all
}

func (f *testFramework) orderedTask(o mesos.Offer, id string, order executor.Order,
) mesos.Offer_Operation {
	f.t.Helper()
	op := f.launch(o, id, f.testExecutor("e-"+id),
		reserved(scalarResource("cpus", 1)), reserved(scalarResource("mem", 1024)))
	data, err := order.Encode()
	if err != nil {
		f.t.Fatal(err)
	}
	op.Launch.TaskInfos[0].Data = data
	return op
}

func (f *testFramework) launchOn(o mesos.Offer, id string, order executor.Order) {
	f.t.Helper()
	f.accept(o, reserve(reserved(scalarResource("cpus", 1)),
		reserved(scalarResource("mem", 1024))), f.orderedTask(o, id, order))
}

func simulatedPods(i int) executor.Order {
	return executor.Order{Command: "./server", Readiness: &executor.Check{
		TCP: &executor.TCPCheck{Host: "127.0.0.1", Port: 1}}}
}

func isReady(s mesos.TaskStatus) bool { return s.GetCheckStatus().GetTCP().GetSucceeded() }

// A thousand agents, tasks on some of them, agents that die, a master that fails over, and a
// restart: the tasks are what they were, and nothing else is left (TestMain looks for
// goroutines).
func TestSimulatedCluster(t *testing.T) {
	const agents, tasks = 1000, 40
	cfg := simulatedConfig(t, agents)
	c := start(t, cfg)
	f := subscribeAs(t, c.MasterURL(), frameworkOf(t), mediaProtobuf)
	offers := f.offers(agents)
	for i := range tasks {
		f.launchOn(offers[i], fmt.Sprint("t-", i), simulatedPods(i))
	}
	for i := range tasks {
		id := fmt.Sprint("t-", i)
		f.status(id, mesos.TASK_STARTING)
		f.status(id, mesos.TASK_RUNNING)
		if s := f.status(id, mesos.TASK_RUNNING); !isReady(s) {
			t.Fatalf("the second update is not that of readiness: %v", s)
		}
	}
	f.launchOn(offers[tasks], "once", executor.Order{Command: "sleep 0.1"})
	for _, s := range []mesos.TaskState{mesos.TASK_STARTING, mesos.TASK_RUNNING,
		mesos.TASK_FINISHED} {
		f.status("once", s)
	}
	f.kill("t-0")
	f.status("t-0", mesos.TASK_KILLED)

	for _, fault := range []Fault{
		{Action: KillAgent, Agent: "agent-00500", Timeout: Span(50 * time.Millisecond)},
		{Action: PowerOffAgent, Agent: offers[1].AgentID.Value,
			Timeout: Span(50 * time.Millisecond)},
	} {
		if _, err := c.Inject(fault); err != nil {
			t.Fatal(err)
		}
	}
	f.status("t-1", mesos.TASK_UNREACHABLE)
	if _, err := c.Inject(Fault{Action: EndFaults}); err != nil {
		t.Fatal(err)
	}

	f.reconciled("t-2", mesos.TASK_RUNNING)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	f.cancel()
	c = start(t, fixedMaster(cfg, c))
	f = subscribeAs(t, c.MasterURL(), f.again(), mediaProtobuf)
	f.reconciled("t-3", mesos.TASK_RUNNING)
	f.offers(agents)
	f.kill("t-3")
	f.status("t-3", mesos.TASK_KILLED)
}

// fixedMaster gives a configuration the master's address of a running cluster.
func fixedMaster(cfg Config, c *Cluster) Config {
	cfg.MasterAddr = strings.TrimPrefix(c.MasterURL(), "http://")
	return cfg
}

// BenchmarkSimulatedOffers measures how fast all agents are offered again after a REVIVE, over
// HTTP and protobuf.
func BenchmarkSimulatedOffers(b *testing.B) {
	for _, agents := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprint(agents), func(b *testing.B) { benchOffers(b, agents) })
	}
}

func benchOffers(b *testing.B, agents int) {
	c, err := Start(simulatedConfig(b, agents))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	f := subscribeAs(b, c.MasterURL(), frameworkOf(b), mediaProtobuf)
	held := f.offers(agents)
	b.ResetTimer()
	for range b.N {
		decline := &scheduler.Call_Decline{Filters: &mesos.Filters{RefuseSeconds: ptr(60.0)}}
		for _, o := range held {
			decline.OfferIDs = append(decline.OfferIDs, o.ID)
		}
		f.call(&scheduler.Call{Type: scheduler.Call_DECLINE, Decline: decline})
		f.revive()
		held = f.offers(agents)
	}
	b.ReportMetric(float64(agents)*float64(b.N)/b.Elapsed().Seconds(), "offers/s")
	f.cancel()
}

// BenchmarkSimulatedDeploy measures a framework that does nothing but launch a task on each
// agent, with a reservation, and acknowledge its updates.
func BenchmarkSimulatedDeploy(b *testing.B) {
	for _, tasks := range []int{100, 1000} {
		b.Run(fmt.Sprint(tasks), func(b *testing.B) {
			for range b.N {
				benchDeploy(b, tasks)
			}
			b.ReportMetric(float64(tasks)*float64(b.N)/b.Elapsed().Seconds(), "pods/s")
		})
	}
}

func benchDeploy(b *testing.B, tasks int) {
	b.StopTimer()
	c, err := Start(simulatedConfig(b, 10_000))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	f := subscribeAs(b, c.MasterURL(), frameworkOf(b), mediaProtobuf)
	defer f.cancel()
	offers := f.offers(10_000)
	f.call(&scheduler.Call{Type: scheduler.Call_SUPPRESS})
	b.StartTimer()
	for i := range tasks {
		f.launchOn(offers[i], fmt.Sprint("t-", i), simulatedPods(i))
	}
	for ready := 0; ready < tasks; {
		ev := f.await("an update", func(ev *scheduler.Event) bool {
			return ev.Type == scheduler.Event_UPDATE
		})
		f.ack(ev.Update.Status)
		if isReady(ev.Update.Status) {
			ready++
		}
	}
	b.StopTimer()
}
