package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// patience bounds every wait of these tests; nothing waits that long unless it fails.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVar); dir != "" {
		os.Exit(child(dir))
	}
	goleak.VerifyTestMain(m)
}

// agent is a Mesos agent which acknowledges what it gets and can go away.
type agent struct {
	mu        sync.Mutex
	changed   chan struct{} // closed and replaced at every change
	deliver   func(mesos.ExecutorEvent)
	away      bool
	fatal     error
	statuses  []mesos.Status // each once, in the order of arrival
	presented [][]mesos.TaskID
	failing   int // so many updates fail
}

func newAgent() *agent { return &agent{changed: make(chan struct{})} }

func (a *agent) change(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
	close(a.changed)
	a.changed = make(chan struct{})
}

// await waits until ok, which is called with the lock held.
func (a *agent) await(ctx context.Context, ok func() bool) bool {
	for {
		a.mu.Lock()
		done, changed := ok(), a.changed
		a.mu.Unlock()
		if done {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

func (a *agent) Run(ctx context.Context, unacked func() ([]mesos.TaskInfo, []mesos.Status),
	deliver func(mesos.ExecutorEvent)) error {
	for {
		if !a.await(ctx, func() bool { return !a.away || a.fatal != nil }) {
			return ctx.Err()
		}
		if a.fatal != nil {
			return a.fatal
		}
		tasks, updates := unacked()
		deliver(mesos.ExecutorSubscribed{Agent: "a1"})
		var ids []mesos.TaskID
		for _, t := range tasks {
			ids = append(ids, t.ID)
		}
		a.change(func() { a.deliver, a.presented = deliver, append(a.presented, ids) })
		for _, s := range updates {
			a.take(s, deliver)
		}
		if !a.await(ctx, func() bool { return a.away || a.fatal != nil }) {
			return ctx.Err()
		}
		a.change(func() { a.deliver = nil })
		deliver(mesos.ExecutorDisconnected{Reason: "eof"})
	}
}

func (a *agent) Update(_ context.Context, s mesos.Status) error {
	a.mu.Lock()
	deliver, fails := a.deliver, a.failing > 0
	if fails {
		a.failing--
	}
	a.mu.Unlock()
	if deliver == nil || fails {
		return errors.New("no agent")
	}
	a.take(s, deliver)
	return nil
}

func (a *agent) take(s mesos.Status, deliver func(mesos.ExecutorEvent)) {
	a.change(func() {
		for _, old := range a.statuses {
			if string(old.UUID) == string(s.UUID) {
				return
			}
		}
		a.statuses = append(a.statuses, s)
	})
	deliver(mesos.ExecutorAcknowledged{Task: s.Task, UUID: s.UUID})
}

// run is an executor in this process.
type run struct {
	*agent
	t       *testing.T
	ctx     context.Context
	cancel  context.CancelFunc // as SIGTERM
	sandbox string
	ended   chan struct{}
	code    int
	err     error
}

func start(t *testing.T, change ...func(*Config)) *run {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	r := &run{agent: newAgent(), t: t, ctx: ctx, sandbox: t.TempDir(), ended: make(chan struct{})}
	cfg := Config{
		Sandbox: r.sandbox,
		Agent:   r.agent,
		Machine: executor.Config{RecoveryTimeout: time.Minute, ShutdownGrace: 5 * time.Second,
			Checkpoint: true},
		Logger: slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&cfg)
	}
	term, terminate := context.WithCancel(context.Background())
	r.cancel = terminate
	go func() {
		defer close(r.ended)
		r.code, r.err = Run(term, cfg)
	}()
	t.Cleanup(func() {
		terminate()
		<-r.ended
		cancel()
	})
	return r
}

// tell says something to the executor, once it is connected.
func (r *run) tell(ev mesos.ExecutorEvent) {
	r.t.Helper()
	var deliver func(mesos.ExecutorEvent)
	if !r.await(r.ctx, func() bool { deliver = r.deliver; return deliver != nil }) {
		r.t.Fatal("the executor does not connect")
	}
	deliver(ev)
}

func (r *run) launch(o executor.Order) {
	r.t.Helper()
	data, err := o.Encode()
	if err != nil {
		r.t.Fatal(err)
	}
	r.tell(mesos.ExecutorLaunch{Task: mesos.TaskInfo{ID: mesos.TaskID(o.Task), Data: data}})
}

// expect waits for a status of a task that ok likes.
func (r *run) expect(task string, what string, ok func(mesos.Status) bool) mesos.Status {
	r.t.Helper()
	var found mesos.Status
	if !r.await(r.ctx, func() bool {
		for _, s := range r.statuses {
			if string(s.Task) == task && ok(s) {
				found = s
				return true
			}
		}
		return false
	}) {
		r.t.Fatalf("no status %q of %s; there are:%s", what, task, r.text())
	}
	return found
}

func (r *run) state(task string, state mesos.TaskState) mesos.Status {
	r.t.Helper()
	return r.expect(task, string(state), func(s mesos.Status) bool { return s.State == state })
}

func (r *run) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	for _, s := range r.statuses {
		fmt.Fprintf(&b, "\n  %s", executor.Update{Status: s})
	}
	return b.String()
}

func (r *run) exit() (int, error) {
	r.t.Helper()
	select {
	case <-r.ended:
		return r.code, r.err
	case <-r.ctx.Done():
		r.t.Fatal("the executor does not end")
		return 0, nil
	}
}

// eventually polls for something that has no event of its own.
func (r *run) eventually(what string, ok func() bool) {
	r.t.Helper()
	eventually(r.ctx, r.t, what, ok)
}

func eventually(ctx context.Context, t *testing.T, what string, ok func() bool) {
	t.Helper()
	for !ok() {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("never: %s", what)
		}
	}
}

func (r *run) read(name string) string { return readFile(filepath.Join(r.sandbox, name)) }

func readFile(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(b)
}

// pid reads a process id that a task wrote into a file, when it is complete.
func (r *run) pid(name string) int {
	r.t.Helper()
	r.eventually(name, func() bool { return strings.HasSuffix(r.read(name), "\n") })
	pid, err := strconv.Atoi(strings.TrimSpace(r.read(name)))
	if err != nil {
		r.t.Fatal(err)
	}
	return pid
}

// gone reports whether a process does not run any more; nobody may have reaped it yet.
func gone(pid int) bool {
	stat := readFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, found := strings.Cut(stat, ") ")
	return !found || rest[0] == 'Z' || rest[0] == 'X'
}
