package executor

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// TestInvariantsOverRandomEvents throws everything an agent and a supervisor may say, in any
// order and as often as they like, at a machine that an observer watches; then the agent
// becomes a good one, every process ends when told to, and the machine has to come to an end.
func TestInvariantsOverRandomEvents(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		recovery := rapid.SampledFrom([]time.Duration{0, time.Minute})
		cfg := Config{
			RecoveryTimeout: recovery.Draw(rt, "recovery"),
			ShutdownGrace:   5 * time.Second,
			Checkpoint:      rapid.Bool().Draw(rt, "checkpoint"),
		}
		w := &world{story: newStory(t, cfg), rt: rt}
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			w.random()
		}
		w.settle()
	})
}

// world is a supervisor and an agent around a machine.
type world struct {
	*story
	rt *rapid.T
}

func (w *world) step(ev Event) {
	effects := w.m.Step(w.clock, ev)
	if err := w.seen.step(ev, effects, w.m); err != nil {
		w.rt.Fatalf("at +%s, %s: %v", w.clock.Sub(w.begin), ev, err)
	}
}

func (w *world) agent(ev mesos.ExecutorEvent) { w.step(Agent{ev}) }

func (w *world) subscribe() {
	_, updates := w.m.Unacknowledged()
	if err := w.seen.present(updates); err != nil {
		w.rt.Fatal(err)
	}
	w.agent(mesos.ExecutorSubscribed{Agent: "a1"})
}

// random makes one thing happen. A process starts, ends and answers checks at most once, as a
// supervisor has it; the agent may say anything.
func (w *world) random() {
	id := mesos.TaskID(rapid.SampledFrom([]string{"t1", "t2", "t3"}).Draw(w.rt, "task"))
	task := w.m.task(id)
	switch rapid.IntRange(0, 11).Draw(w.rt, "event") {
	case 0:
		w.subscribe()
	case 1:
		w.agent(mesos.ExecutorDisconnected{})
	case 2, 3:
		w.agent(mesos.ExecutorLaunch{Task: w.info(id)})
	case 4:
		grace := time.Duration(rapid.IntRange(0, 20).Draw(w.rt, "grace")) * time.Second
		w.agent(mesos.ExecutorKill{Task: id, Grace: &grace})
	case 5:
		if rapid.IntRange(0, 9).Draw(w.rt, "really") == 0 {
			w.agent(mesos.ExecutorShutdown{})
		}
	case 6, 7:
		if task != nil && len(task.pending) > 0 {
			i := rapid.IntRange(0, len(task.pending)-1).Draw(w.rt, "which")
			if task.pending[i].tries > 0 {
				uuid := task.pending[i].status.UUID
				w.agent(mesos.ExecutorAcknowledged{Task: id, UUID: uuid})
			}
		}
	case 8:
		w.clock = w.clock.Add(time.Duration(rapid.IntRange(0, 30000).Draw(w.rt, "ms")) * 1e6)
		w.step(Tick{})
	case 9:
		if task != nil && task.phase == starting {
			w.step(Started{Task: id, PID: 7})
		}
	case 10:
		w.process(id, task)
	case 11:
		for kind, out := range w.seen.task(id).inFlight {
			if out {
				passed := rapid.Bool().Draw(w.rt, "passed")
				w.step(Checked{Task: id, Kind: kind, Passed: passed, Detail: fmt.Sprint(passed)})
				return
			}
		}
	}
}

// process ends a task's process or says that there was none.
func (w *world) process(id mesos.TaskID, task *task) {
	if task == nil || task.phase == over {
		return
	}
	if task.phase == starting {
		w.step(StartFailed{Task: id, Message: "no"})
		return
	}
	w.step(Exited{Task: id, Code: rapid.IntRange(0, 1).Draw(w.rt, "status")})
}

func (w *world) info(id mesos.TaskID) mesos.TaskInfo {
	o := Order{Task: string(id), Command: "run", KillGrace: 3 * time.Second}
	if id != "t1" {
		o.Readiness = &Check{TCP: &TCPCheck{Port: 1}, Interval: time.Second}
	}
	if id == "t3" {
		o.Health = &Check{TCP: &TCPCheck{Port: 1}, Interval: time.Second,
			GracePeriod: 10 * time.Second, MaxConsecutiveFailures: 2}
	}
	data, err := o.Encode()
	if err != nil {
		w.rt.Fatal(err)
	}
	return mesos.TaskInfo{ID: id, Data: data}
}

// settle plays the good agent and supervisor until the machine has ended.
func (w *world) settle() {
	w.subscribe()
	w.agent(mesos.ExecutorLaunch{Task: w.info("t1")})
	for range 200 {
		if w.seen.exited {
			return
		}
		for _, task := range w.m.tasks {
			id := task.info.ID
			if task.phase == starting {
				w.step(Started{Task: id, PID: 7})
			}
			w.agent(mesos.ExecutorKill{Task: id})
			if task.phase == running {
				w.step(Exited{Task: id, Signal: "SIGTERM"})
			}
			if len(task.pending) > 0 {
				uuid := task.pending[0].status.UUID
				w.agent(mesos.ExecutorAcknowledged{Task: id, UUID: uuid})
			}
		}
	}
	w.rt.Fatalf("the machine did not come to an end")
}
