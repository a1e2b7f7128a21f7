package flight_test

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/flight"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

const webSpec = `
name: web
pods:
  web:
    count: 2
    tasks:
      server:
        goal: RUNNING
        cmd: ./serve
        env: {PASSWORD: hunter-2, COLOUR: blue}
        cpus: 1
        memory: 64
        volume: {path: data, type: ROOT, size: 50}
`

func parsed(t testing.TB, text string) servicespec.Service {
	t.Helper()
	service, problems := servicespec.Parse("web.yml", []byte(text), nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return service
}

// world is a machine with its recorder, and a clock.
type world struct {
	t       testing.TB
	dir     string
	now     time.Time
	ids     uint32
	cfg     scheduler.Config
	rec     *flight.Recorder
	machine *scheduler.Machine
	stored  scheduler.Hard
}

// newWorld begins a recording of a service that has no state yet.
func newWorld(t testing.TB, most int64) *world {
	t.Helper()
	w := &world{t: t, dir: filepath.Join(t.TempDir(), "recording"),
		now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	w.cfg = scheduler.Config{
		Target:      scheduler.Target{ID: "target-1", Service: parsed(t, webSpec)},
		ExecutorURI: "http://s/kafka-sched", UUID: func() (id [16]byte) {
			w.ids++
			id[15], id[14] = byte(w.ids), byte(w.ids>>8)
			return id
		}}
	w.start(most)
	return w
}

// start restores a machine from what is stored.
func (w *world) start(most int64) {
	w.rec, w.machine = flight.New(flight.Config{Dir: w.dir, Most: most, Machine: w.cfg,
		Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return w.now }}, w.stored)
	w.stored = w.machine.Hard()
	w.step(scheduler.Tick{})
}

// step gives the machine an event, and carries out what it writes as a loop does.
func (w *world) step(ev scheduler.Event) scheduler.Output {
	out := w.give(ev)
	w.rec.Keep()
	return out
}

// give is a step of which the recording is not kept yet.
func (w *world) give(ev scheduler.Event) scheduler.Output {
	w.now = w.now.Add(time.Millisecond)
	w.rec.Given(w.now, ev)
	out := w.machine.Step(w.now, ev)
	for _, write := range out.Writes {
		w.stored.Apply(write)
	}
	w.rec.Made(out)
	return out
}

// serve has two agents offer what they have, until everything runs.
func (w *world) serve() {
	w.t.Helper()
	w.step(scheduler.FromMesos{Event: mesos.Subscribed{Framework: "fw-1", Master: "m:5050"}})
	for i, agent := range []mesos.AgentID{"a1", "a2"} {
		list, err := resource.ParseList("cpus:1.5;mem:900;disk:9000")
		if err != nil {
			w.t.Fatal(err)
		}
		out := w.step(scheduler.FromMesos{Event: mesos.Offers{Offers: []mesos.Offer{{
			ID: mesos.OfferID("o-" + string(agent)), Agent: agent, Hostname: string(agent),
			Role: "web-role", Resources: list.WithRole("web-role")}}}})
		launched := 0
		for _, t := range launches(out) {
			launched++
			w.step(scheduler.FromMesos{Event: mesos.Updated{Status: mesos.Status{Task: t.ID,
				State: mesos.Running, Agent: agent, UUID: []byte{byte(i)}, Time: w.now}}})
			w.step(scheduler.Tick{})
		}
		if launched != 1 {
			w.t.Fatalf("%d tasks were launched on %s", launched, agent)
		}
	}
}

func launches(out scheduler.Output) (tasks []mesos.TaskInfo) {
	for _, c := range out.Calls {
		to, _ := c.(scheduler.ToMesos)
		accept, _ := to.Call.(mesos.Accept)
		for _, op := range accept.Operations {
			if launch, ok := op.(mesos.Launch); ok {
				tasks = append(tasks, launch.Tasks...)
			}
		}
	}
	return tasks
}

// command commands something.
func (w *world) command(c scheduler.Command) {
	w.step(scheduler.Commanded{ID: 7, Command: c,
		Caller: scheduler.Caller{Who: "ann", Reason: "because"}})
	w.step(scheduler.Tick{})
}

// segments are the files of the recording.
func (w *world) segments() []flight.Segment {
	w.t.Helper()
	all, err := flight.List(w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}
