package executor

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// TestStories runs testdata/*.txt. Each opens with why it exists; -rewrite writes the answers.
func TestStories(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt") // beside what package rapid leaves there
	if err != nil || len(paths) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) { tell(t, path) })
	}
}

func tell(t *testing.T, path string) {
	s := newStory(t, Config{})
	datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
		s.t = t
		if d.Cmd == "new" {
			cfg := Config{
				RecoveryTimeout: scan(t, d, "recovery", 15*time.Minute),
				ShutdownGrace:   scan(t, d, "grace", 5*time.Second),
				Checkpoint:      !d.HasArg("no-checkpoint"),
			}
			s = newStory(t, cfg)
			return s.do(Tick{})
		}
		return s.command(d)
	})
}

// story is a machine with a clock and a memory of what it did.
type story struct {
	t     testing.TB
	m     *Machine
	clock time.Time
	begin time.Time
	seen  *observer
}

func newStory(t testing.TB, cfg Config) *story {
	begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return &story{t: t, m: New(cfg, counter()), clock: begin, begin: begin, seen: newObserver()}
}

// counter makes ids whose first half counts.
func counter() func() [16]byte {
	n := uint32(0)
	return func() (id [16]byte) {
		n++
		binary.BigEndian.PutUint32(id[:], n)
		return id
	}
}

// do takes one step and gives its effects as text.
func (s *story) do(ev Event) string {
	s.t.Helper()
	var b strings.Builder
	effects := s.m.Step(s.clock, ev)
	if err := s.seen.step(ev, effects, s.m); err != nil {
		s.t.Fatalf("at +%s, %s: %v", s.clock.Sub(s.begin), ev, err)
	}
	for _, e := range effects {
		fmt.Fprintln(&b, e)
	}
	return b.String()
}

func (s *story) command(d *datadriven.TestData) string {
	var ev Event
	switch d.Cmd {
	case "subscribe":
		ev = Agent{mesos.ExecutorSubscribed{Agent: "a1"}}
	case "disconnect":
		ev = Agent{mesos.ExecutorDisconnected{Reason: "eof"}}
	case "shutdown":
		ev = Agent{mesos.ExecutorShutdown{}}
	case "refuse":
		ev = Agent{mesos.ExecutorRefused{Message: d.Input}}
	case "launch":
		ev = Agent{mesos.ExecutorLaunch{Task: s.taskInfo(d)}}
	case "kill":
		ev = Agent{s.kill(d)}
	case "started":
		ev = Started{Task: first(d), PID: 100}
	case "start-failed":
		ev = StartFailed{Task: first(d), Message: d.Input}
	case "exited":
		ev = exitedEvent(s.t, d)
	case "pass", "fail":
		kind := CheckKind(d.CmdArgs[1].Key)
		ev = Checked{Task: first(d), Kind: kind, Passed: d.Cmd == "pass", Detail: d.Input}
	case "ack":
		return s.ack(first(d))
	case "wait":
		return s.wait(d.CmdArgs[0].Key)
	case "unacknowledged":
		return s.unacknowledged()
	default:
		d.Fatalf(s.t.(*testing.T), "unknown command %s", d.Cmd)
	}
	return s.do(ev)
}

func first(d *datadriven.TestData) mesos.TaskID { return mesos.TaskID(d.CmdArgs[0].Key) }

// ack acknowledges the oldest update of a task that is not.
func (s *story) ack(id mesos.TaskID) string {
	task := s.m.task(id)
	if task == nil || len(task.pending) == 0 {
		return "nothing to acknowledge\n"
	}
	uuid := task.pending[0].status.UUID
	return s.do(Agent{mesos.ExecutorAcknowledged{Task: id, UUID: uuid}})
}

// wait lets time pass; the machine gets its tick whenever it asked for one.
func (s *story) wait(text string) string {
	d, err := time.ParseDuration(text)
	if err != nil {
		s.t.Fatal(err)
	}
	var b strings.Builder
	until := s.clock.Add(d)
	for {
		next := s.m.NextWake()
		if next.IsZero() || next.After(until) {
			break
		}
		s.clock = next
		fmt.Fprintf(&b, "at +%s\n%s", s.clock.Sub(s.begin), s.do(Tick{}))
	}
	s.clock = until
	return b.String()
}

func (s *story) unacknowledged() string {
	var b strings.Builder
	tasks, updates := s.m.Unacknowledged()
	if err := s.seen.present(updates); err != nil {
		s.t.Fatal(err)
	}
	for _, t := range tasks {
		fmt.Fprintln(&b, "task", t.ID)
	}
	for _, u := range updates {
		fmt.Fprintln(&b, Update{u})
	}
	return b.String()
}

func (s *story) kill(d *datadriven.TestData) mesos.ExecutorKill {
	kill := mesos.ExecutorKill{Task: first(d)}
	if d.HasArg("grace") {
		grace := scan(s.t, d, "grace", 0)
		kill.Grace = &grace
	}
	return kill
}

func exitedEvent(t testing.TB, d *datadriven.TestData) Exited {
	ev := Exited{Task: first(d)}
	if d.HasArg("signal") {
		d.ScanArgs(t.(*testing.T), "signal", &ev.Signal)
	} else {
		d.ScanArgs(t.(*testing.T), "status", &ev.Code)
	}
	if d.Input != "" {
		ev.Lines = strings.Split(d.Input, "\n")
	}
	return ev
}

// taskInfo reads "launch ID [task=] [kill-grace=] [readiness=] [health=] [interval=] [delay=]
// [grace-period=] [failures=]", or takes the input as the task's data.
func (s *story) taskInfo(d *datadriven.TestData) mesos.TaskInfo {
	info := mesos.TaskInfo{ID: first(d), Agent: "a1", Data: []byte(d.Input)}
	if d.Input != "" {
		return info
	}
	o := Order{Task: string(first(d)), Command: "exec run"}
	o.KillGrace = scan(s.t, d, "kill-grace", 0)
	if d.HasArg("task") {
		d.ScanArgs(s.t.(*testing.T), "task", &o.Task)
	}
	o.Readiness, o.Health = s.check(d, "readiness"), s.check(d, "health")
	data, err := o.Encode()
	if err != nil {
		s.t.Fatal(err)
	}
	info.Data = data
	return info
}

func (s *story) check(d *datadriven.TestData, name string) *Check {
	if !d.HasArg(name) {
		return nil
	}
	var kind string
	d.ScanArgs(s.t.(*testing.T), name, &kind)
	c := &Check{
		Interval:    scan(s.t, d, "interval", 0),
		Delay:       scan(s.t, d, "delay", 0),
		GracePeriod: scan(s.t, d, "grace-period", 0),
	}
	d.MaybeScanArgs(s.t.(*testing.T), "failures", &c.MaxConsecutiveFailures)
	switch kind {
	case "command":
		c.Command = &CommandCheck{Command: "true"}
	case "http":
		c.HTTP = &HTTPCheck{Host: "::1", Port: 8080, Path: "health"}
	case "tcp":
		c.TCP = &TCPCheck{Host: "127.0.0.1", Port: 9092}
	}
	return c
}

// scan reads a duration argument.
func scan(t testing.TB, d *datadriven.TestData, name string, fallback time.Duration) time.Duration {
	if !d.HasArg(name) {
		return fallback
	}
	var text string
	d.ScanArgs(t.(*testing.T), name, &text)
	v, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
