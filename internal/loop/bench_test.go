package loop

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/metrics"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
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

// BenchmarkLoopDeploy deploys so many instances with everything but the wire: the loop, the store
// on a disk, the metrics. Every task starts and runs at once.
func BenchmarkLoopDeploy(b *testing.B) {
	for _, count := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			for b.Loop() {
				loopDeploy(b, filepath.Join(b.TempDir(), "state.db"), count)
			}
			b.ReportMetric(float64(count)*float64(b.N)/b.Elapsed().Seconds(), "pods/s")
		})
	}
}

// BenchmarkRestart measures how long a service of 10,000 running tasks takes from its file to the
// first picture.
func BenchmarkRestart(b *testing.B) {
	path := filepath.Join(b.TempDir(), "state.db")
	loopDeploy(b, path, 10000)
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		kept, err := store.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		hard, err := kept.Load()
		if err != nil {
			b.Fatal(err)
		}
		m := scheduler.Restore(scheduler.Config{UUID: func() [16]byte { return uuid.New() }}, hard)
		out := m.Step(time.Now(), scheduler.Tick{})
		if len(out.View.Pods) != 10000 {
			b.Fatalf("%d instances", len(out.View.Pods))
		}
		if err := kept.Close(); err != nil {
			b.Fatal(err)
		}
		hard = scheduler.Hard{}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(m)
		runtime.KeepAlive(out)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/10000, "B/task")
}

func loopDeploy(b *testing.B, path string, count int) {
	service, problems := servicespec.Parse("many.yml", fmt.Appendf(nil, manySpec, count), nil)
	if len(problems) > 0 {
		b.Fatal(problems)
	}
	kept, err := store.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer kept.Close()
	master := &quickMaster{news: make(chan struct{}, 1)}
	l := New(Config{
		Machine: scheduler.Restore(scheduler.Config{
			Target: scheduler.Target{ID: "t", Service: service},
			UUID:   func() [16]byte { return uuid.New() },
		}, scheduler.Hard{}),
		Store: kept, Mesos: master, Metrics: metrics.New(metrics.NewRegistry()),
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	ctx, cancel := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	defer parts.Wait()
	defer cancel()
	parts.Go(func() {
		if _, err := l.Run(ctx); err != nil {
			b.Error(err)
		}
	})
	parts.Go(func() { master.deliver(ctx, l) })
	master.tell(mesos.Subscribed{Framework: "fw", Master: "m:5050"})
	for agent := 0; agent*100 < count; agent++ {
		master.tell(manyOffer(b, service.Role, agent))
	}
	<-l.Begun()
	for {
		view, changed := l.Watch()
		if view.Plans[0].Status == plans.Complete {
			return
		}
		select {
		case <-changed:
		case <-time.After(time.Minute):
			b.Fatalf("the plan is %s", view.Plans[0].Status)
		}
	}
}

// manyOffer is one of an agent with room for a hundred instances.
func manyOffer(b *testing.B, role string, agent int) mesos.Offers {
	list, err := resource.ParseList("cpus:100;mem:100000;disk:100000;ports:[1025-2000]")
	if err != nil {
		b.Fatal(err)
	}
	return mesos.Offers{Offers: []mesos.Offer{{ID: mesos.OfferID(uuid.NewString()),
		Agent: mesos.AgentID(fmt.Sprint("a", agent)), Hostname: fmt.Sprint("h", agent),
		Role: role, Resources: list.WithRole(role)}}}
}

// quickMaster has every task start and run at once.
type quickMaster struct {
	mu     sync.Mutex
	events []mesos.Event
	news   chan struct{}
}

func (m *quickMaster) tell(ev mesos.Event) {
	m.mu.Lock()
	m.events = append(m.events, ev)
	m.mu.Unlock()
	select {
	case m.news <- struct{}{}:
	default:
	}
}

// deliver brings the loop what there is to tell, until the context ends.
func (m *quickMaster) deliver(ctx context.Context, l *Loop) {
	for {
		m.mu.Lock()
		events := m.events
		m.events = nil
		m.mu.Unlock()
		for _, ev := range events {
			l.Deliver(ev)
		}
		select {
		case <-m.news:
		case <-ctx.Done():
			return
		}
	}
}

// Send implements Mesos.
func (m *quickMaster) Send(call mesos.Call) {
	accept, _ := call.(mesos.Accept)
	for _, op := range accept.Operations {
		launch, _ := op.(mesos.Launch)
		for _, task := range launch.Tasks {
			for _, state := range []mesos.TaskState{mesos.Starting, mesos.Running} {
				m.tell(mesos.Updated{Status: mesos.Status{Task: task.ID, Agent: task.Agent,
					State: state, UUID: []byte{1}}})
			}
		}
	}
}
