package loop

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const webSpec = `
name: web
scheduler: {user: nobody}
pods:
  web:
    count: 1
    tasks:
      server:
        goal: RUNNING
        cmd: sleep 1000
        cpus: 0.1
        memory: 32
        volume: {path: data, type: ROOT, size: 10}
        readiness-check: {cmd: "true", interval: 1, timeout: 5}
`

const kafkaSpec = `
name: kafka
scheduler: {user: nobody}
pods:
  kafka:
    count: 1
    kafka: {version: 4.3.1, heap: 256}
    tasks:
      broker:
        goal: RUNNING
        cpus: 1
        memory: 768
        ports:
          broker: {port: 0, advertise: true}
          controller: {port: 0}
        volume: {path: kafka-data, type: ROOT, size: 500}
        readiness-check: {tcp: {port: broker}, interval: 1, timeout: 5}
`

// bench is a loop with a real machine, and everything around it recorded in one order.
type bench struct {
	t     *testing.T
	store *store.Memory
	loop  *Loop
	ended chan struct{} // closed when Run has returned
	exit  *scheduler.Exit
	err   error
	stop  context.CancelFunc

	mu    sync.Mutex
	lines []string     // "event …", "stored …", "call …", "count …", "observed"
	calls []mesos.Call // those that left
	// Called, when set, while the loop waits for it.
	onApply, onObserve func()
	onAsk              func(context.Context, []string) scheduler.KafkaFacts
	onChange           error
}

// newBench makes a loop that does not run yet.
func newBench(t *testing.T, spec string, kept *store.Memory) *bench {
	t.Helper()
	service, problems := servicespec.Parse("spec.yml", []byte(spec), nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	hard, err := kept.Load()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, store: kept, ended: make(chan struct{}), stop: func() {}}
	var ids uint64
	b.loop = New(Config{
		Machine: scheduler.Restore(scheduler.Config{
			Target:      scheduler.Target{ID: "target-1", Service: service},
			ExecutorURI: "http://s/executor", KafkaURI: "http://s/kafka.tgz",
			UUID: func() (id [16]byte) {
				ids++
				copy(id[8:], fmt.Sprintf("%08d", ids))
				return id
			},
		}, hard),
		Store: b, Mesos: b, Kafka: b, Metrics: b, Logger: slog.New(b),
	})
	return b
}

// start runs the loop until the test, or the loop itself, ends.
func (b *bench) start() {
	ctx, cancel := context.WithCancel(context.Background())
	b.stop = cancel
	go func() {
		defer close(b.ended)
		b.exit, b.err = b.loop.Run(ctx)
	}()
	b.t.Cleanup(func() {
		cancel()
		<-b.ended
	})
}

// end ends a loop that was told to go on for ever, which is no error.
func (b *bench) end() {
	b.t.Helper()
	b.stop()
	<-b.ended
	if b.exit != nil || b.err != nil {
		b.t.Errorf("cancelled, Run gives %v, %v", b.exit, b.err)
	}
}

func (b *bench) record(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, fmt.Sprintf(format, args...))
}

// recorded gives the lines so far, and begins anew.
func (b *bench) recorded() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	lines := b.lines
	b.lines = nil
	return lines
}

// atFirst has the loop wait for something in the first transaction from now on, and counts them.
func (b *bench) atFirst(do func()) (transactions *int) {
	transactions = new(int)
	b.onApply = func() {
		if *transactions++; *transactions == 1 {
			do()
		}
	}
	return transactions
}

// Apply implements Store.
func (b *bench) Apply(writes []scheduler.Write) error {
	if b.onApply != nil {
		b.onApply()
	}
	if err := b.store.Apply(writes); err != nil {
		b.record("not stored: %v", err)
		return err
	}
	for _, w := range writes {
		text := scheduler.WriteText(w)
		if p, ok := w.(scheduler.WritePod); ok {
			for _, task := range p.Pod.Tasks {
				text += " " + string(task.ID)
			}
		}
		b.record("stored %s", text)
	}
	return nil
}

// Send implements Mesos.
func (b *bench) Send(call mesos.Call) {
	b.record("call %s", call)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, call)
}

// Ask implements Kafka.
func (b *bench) Ask(ctx context.Context, addresses []string) scheduler.KafkaFacts {
	b.record("ask %v", addresses)
	if b.onAsk != nil {
		return b.onAsk(ctx, addresses)
	}
	return scheduler.KafkaFacts{Error: "nobody is there"}
}

// AskAll implements Kafka.
func (b *bench) AskAll(ctx context.Context, addresses []string) scheduler.KafkaFacts {
	b.record("ask for all")
	return b.Ask(ctx, addresses)
}

// Change implements Kafka.
func (b *bench) Change(
	_ context.Context, addresses []string, change scheduler.KafkaChange,
) error {
	b.record("change %v at %v", change, addresses)
	return b.onChange
}

// Layout implements Kafka.
func (b *bench) Layout(
	_ context.Context, addresses []string, topics []string,
) scheduler.Layout {
	b.record("layout of %v at %v", topics, addresses)
	return scheduler.Layout{Error: "nobody is there"}
}

// Configs implements Kafka.
func (b *bench) Configs(
	_ context.Context, addresses []string, wish scheduler.ConfigWish,
) scheduler.Configs {
	b.record("configs of %v at %v", wish, addresses)
	return scheduler.Configs{Error: "nobody is there"}
}

// Count implements Metrics.
func (b *bench) Count(name string) { b.record("count %s", name) }

// Observe implements Metrics.
func (b *bench) Observe(*scheduler.View) {
	b.record("observed")
	if b.onObserve != nil {
		b.onObserve()
	}
}

// Sent implements Metrics; Send records the same.
func (b *bench) Sent(mesos.Call) {}

// Stepped implements Metrics.
func (b *bench) Stepped(scheduler.Event, time.Duration) {}

// Enabled implements slog.Handler; the loop tells each event at the level Debug.
func (b *bench) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (b *bench) Handle(_ context.Context, r slog.Record) error {
	if r.Message != "event" {
		return nil
	}
	r.Attrs(func(a slog.Attr) bool {
		b.record("event %s", a.Value.Resolve())
		return true
	})
	return nil
}

// WithAttrs implements slog.Handler.
func (b *bench) WithAttrs([]slog.Attr) slog.Handler { return b }

// WithGroup implements slog.Handler.
func (b *bench) WithGroup(string) slog.Handler { return b }

// offer is one that has room for one instance of either spec.
func offer(t *testing.T, id string) mesos.Event {
	t.Helper()
	list, err := resource.ParseList("cpus:4;mem:4096;disk:9000;ports:[31000-32000]")
	if err != nil {
		t.Fatal(err)
	}
	role := "web-role"
	if strings.HasPrefix(id, "kafka") {
		role = "kafka-role"
	}
	return mesos.Offers{Offers: []mesos.Offer{{ID: mesos.OfferID(id), Agent: "agent-1",
		Hostname: "one.test", IP: "127.0.0.1", Role: role,
		Resources: list.WithRole(role)}}}
}

// launched is the task of the latest launch that left.
func (b *bench) launched() mesos.TaskInfo {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found mesos.TaskInfo
	for _, call := range b.calls {
		accept, ok := call.(mesos.Accept)
		if !ok {
			continue
		}
		for _, op := range accept.Operations {
			if launch, ok := op.(mesos.Launch); ok {
				found = launch.Tasks[0]
			}
		}
	}
	return found
}

func status(task mesos.TaskID, state mesos.TaskState, ready bool) mesos.Event {
	return mesos.Updated{Status: mesos.Status{Task: task, Agent: "agent-1", State: state,
		Ready: &ready, UUID: []byte{1, 2, 3}}}
}

// deploy brings the one instance of a spec up, in a synctest bubble.
func (b *bench) deploy(name string) mesos.TaskID {
	b.t.Helper()
	b.loop.Deliver(mesos.Subscribed{Framework: "fw-1", Master: "m:5050"})
	b.loop.Deliver(offer(b.t, name+"-offer"))
	synctest.Wait()
	task := b.launched().ID
	if task == "" {
		b.t.Fatalf("nothing was launched:\n%s", strings.Join(b.recorded(), "\n"))
	}
	b.loop.Deliver(status(task, mesos.Starting, false))
	b.loop.Deliver(status(task, mesos.Running, true))
	synctest.Wait()
	return task
}
