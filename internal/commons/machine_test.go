package commons

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// world is a machine that went on from a recorded tree, and the resources that the agents have
// reserved for it.
type world struct {
	t       *testing.T
	machine *scheduler.Machine
	hard    scheduler.Hard
	now     time.Time
	calls   []mesos.Call // of the last steps
	view    *scheduler.View
	// held are the resources of each agent, whether in use or not.
	held map[mesos.AgentID]resource.List
	ids  byte
}

func adoptedWorld(t *testing.T, name string) *world {
	a := scheduler.Adopt(decoded(t, name).Predecessor, nil, noon)
	if len(a.Problems) > 0 {
		t.Fatal(a.Problems)
	}
	w := &world{t: t, now: noon, hard: throughStore(t, a),
		held: map[mesos.AgentID]resource.List{}}
	for _, p := range w.hard.Pods {
		w.held[p.Place.Agent] = w.held[p.Place.Agent].Add(holding(p)...)
	}
	w.machine = scheduler.Restore(scheduler.Config{Target: w.hard.Target,
		ExecutorURI: "http://s/executor", UUID: func() (id [16]byte) {
			w.ids++
			id[15] = w.ids
			return id
		}}, w.hard)
	w.step(scheduler.Tick{})
	w.calls = nil
	w.mesos(mesos.Subscribed{Framework: w.hard.Framework, Master: "m:5050"})
	return w
}

// holding is all that is reserved for an instance.
func holding(p scheduler.Pod) resource.List {
	list := slices.Clone(p.Place.Executor)
	for _, s := range p.Place.Sets {
		list = append(list, s.Resources...)
	}
	return list
}

func (w *world) step(ev scheduler.Event) {
	w.now = w.now.Add(time.Second)
	out := w.machine.Step(w.now, ev)
	for _, write := range out.Writes {
		w.hard.Apply(write)
	}
	for _, c := range out.Calls {
		if to, is := c.(scheduler.ToMesos); is {
			w.calls = append(w.calls, to.Call)
		}
	}
	if out.View != nil {
		w.view = out.View
	}
}

func (w *world) mesos(ev mesos.Event) {
	w.step(scheduler.FromMesos{Event: ev})
	w.step(scheduler.Tick{})
}

// take gives the calls of the last steps and forgets them.
func (w *world) take() []mesos.Call {
	calls := w.calls
	w.calls = nil
	return calls
}

func texts(calls []mesos.Call) string {
	var all []string
	for _, c := range calls {
		all = append(all, c.String())
	}
	return strings.Join(all, "\n")
}

// report has the master tell that all live tasks run.
func (w *world) report() {
	for _, p := range w.hard.Pods {
		for _, t := range p.Tasks {
			if t.ID != "" && !t.State.Terminal() {
				w.mesos(mesos.Updated{Status: mesos.Status{Task: t.ID, State: mesos.Running,
					Agent: p.Place.Agent, Reason: "REASON_RECONCILIATION"}})
			}
		}
	}
}

// offer makes an offer of an agent with what nothing uses of that which is held there.
func (w *world) offer(agent mesos.AgentID, host, role string, free resource.List) {
	w.mesos(mesos.Offers{Offers: []mesos.Offer{{ID: mesos.OfferID("o-" + w.now.String()),
		Agent: agent, Hostname: host, IP: "10.0.0.9", Role: role,
		Resources: free.WithRole(role)}}})
}

// planStatus is how a plan is shown.
func (w *world) planStatus(name string) plans.Status {
	for _, p := range w.view.Plans {
		if p.Name == name {
			return p.Status
		}
	}
	w.t.Fatalf("there is no plan %s", name)
	return ""
}

// TestTasksOfThePredecessorRunOn has a machine go on from recorded states: it asks for each live
// task, and does not touch one.
func TestTasksOfThePredecessorRunOn(t *testing.T) {
	for _, name := range []string{"kafka", "mixed"} {
		t.Run(name, func(t *testing.T) {
			w := adoptedWorld(t, name)
			asked := texts(w.take())
			for _, p := range w.hard.Pods {
				for _, task := range p.Tasks {
					live := task.ID != "" && !task.State.Terminal()
					if live && !strings.Contains(asked, string(task.ID)) {
						t.Errorf("nobody asks for %s:\n%s", task.ID, asked)
					}
				}
			}
			w.report()
			for range 100 {
				w.now = w.now.Add(time.Minute)
				w.step(scheduler.Tick{})
			}
			for _, c := range w.take() {
				switch c.(type) {
				case mesos.Kill, mesos.Accept, mesos.Revive:
					t.Errorf("%s", c)
				}
			}
			if s := w.planStatus("deploy"); s != plans.Complete {
				t.Errorf("the plan deploy is %s", s)
			}
		})
	}
}

// TestRestartInThePlaceOfThePredecessor restarts instances that the predecessor launched: they
// come up under our executor, with what was reserved for them and not one resource more or less,
// on the same volumes.
func TestRestartInThePlaceOfThePredecessor(t *testing.T) {
	for name, pods := range map[string][]string{"kafka": {"kafka-0", "kafka-2"},
		"mixed": {"node-0", "data-1"}} {
		for _, pod := range pods {
			t.Run(pod, func(t *testing.T) {
				w := adoptedWorld(t, name)
				w.report()
				w.take()
				before := w.pod(pod)
				w.step(scheduler.Commanded{Command: scheduler.PodRestart{Pod: pod}})
				w.step(scheduler.Tick{})
				for _, task := range before.Tasks {
					if task.ID != "" && !task.State.Terminal() {
						if !strings.Contains(texts(w.calls), string(task.ID)) {
							t.Fatalf("%s is not killed: %s", task.ID, texts(w.calls))
						}
						w.mesos(mesos.Updated{Status: mesos.Status{Task: task.ID,
							State: mesos.Killed, Agent: before.Place.Agent}})
					}
				}
				w.take()
				role := w.hard.Target.Service.Role
				w.offer(before.Place.Agent, before.Place.Hostname, role, holding(before))
				w.launchedInPlace(before)
			})
		}
	}
}

func (w *world) pod(name string) scheduler.Pod {
	for n, p := range w.hard.Pods {
		if n.String() == name {
			return p
		}
	}
	w.t.Fatalf("there is no %s", name)
	return scheduler.Pod{}
}

// launchedInPlace checks that an ACCEPT launched an instance on what it held.
func (w *world) launchedInPlace(before scheduler.Pod) {
	w.t.Helper()
	var used resource.List
	for _, c := range w.take() {
		accept, is := c.(mesos.Accept)
		if !is {
			continue
		}
		for _, op := range accept.Operations {
			launch, is := op.(mesos.Launch)
			if !is {
				w.t.Errorf("something else than a launch: %s", c)
				continue
			}
			for _, task := range launch.Tasks {
				used = append(used, task.Resources...)
				if command := task.Executor.Command.Value; !strings.Contains(command, "executor") {
					w.t.Errorf("the executor is not ours: %q", command)
				}
				if len(task.Data) == 0 {
					w.t.Error("there is no order for our executor")
				}
			}
			if len(launch.Tasks) > 0 {
				used = append(used, launch.Tasks[0].Executor.Resources...)
			}
		}
	}
	for _, set := range before.Place.Sets {
		for _, v := range set.Resources.Volumes() {
			if runsWith(before, set.Name) && !used.WithoutRole().Contains(resource.List{v}) {
				w.t.Errorf("the volume %s is not used again:\n%s", v, used)
			}
		}
	}
	if !holding(before).Contains(used.WithoutRole()) || len(used) == 0 {
		w.t.Errorf("it uses %s\nand held %s", used, holding(before))
	}
}

// runsWith reports whether a task that stays runs with a set of an instance in the recordings.
func runsWith(p scheduler.Pod, set string) bool {
	return p.Name.Type != "data" || set != "format-resource-set"
}

// TestReplaceWhatThePredecessorReserved frees all of it, its volumes first, once nothing runs
// there.
func TestReplaceWhatThePredecessorReserved(t *testing.T) {
	w := adoptedWorld(t, "kafka")
	w.report()
	before := w.pod("kafka-1")
	w.step(scheduler.Commanded{Command: scheduler.PodReplace{Pod: "kafka-1"}})
	w.mesos(mesos.Updated{Status: mesos.Status{Task: before.Tasks[0].ID, State: mesos.Killed,
		Agent: before.Place.Agent}})
	w.take()
	w.offer(before.Place.Agent, before.Place.Hostname, "kafka-role", holding(before))
	var destroyed, unreserved resource.List
	for _, c := range w.take() {
		if accept, is := c.(mesos.Accept); is {
			for _, op := range accept.Operations {
				switch op := op.(type) {
				case mesos.Destroy:
					destroyed = append(destroyed, op.Volumes...)
				case mesos.Unreserve:
					unreserved = append(unreserved, op.Resources...)
				}
			}
		}
	}
	all := holding(before)
	if !destroyed.WithoutRole().Equal(all.Volumes()) ||
		!unreserved.WithoutRole().Equal(all.WithoutVolumes()) {
		t.Errorf("destroyed %s\nunreserved %s\nheld %s", destroyed, unreserved, all)
	}
}

// TestPausingGoesOn has a machine carry out a pause that was asked of the predecessor.
func TestPausingGoesOn(t *testing.T) {
	w := adoptedWorld(t, "kafka-pausing")
	w.report()
	task := w.pod("kafka-0").Tasks[0]
	if !strings.Contains(texts(w.take()), "kill "+string(task.ID)) {
		t.Errorf("%s is not ended, to be launched anew as paused", task.ID)
	}
}

// TestUpdateGoesOn has a machine carry on an update in the middle of which the predecessor ended:
// the instance that was being launched is waited for, and only then the next is rolled.
func TestUpdateGoesOn(t *testing.T) {
	w := adoptedWorld(t, "kafka-mid-update")
	first, next := w.pod("kafka-0"), w.pod("kafka-1")
	w.step(scheduler.Tick{})
	if calls := texts(w.take()); strings.Contains(calls, "kill ") {
		t.Fatalf("something is ended before kafka-0 is up:\n%s", calls)
	}
	ready := true
	w.mesos(mesos.Updated{Status: mesos.Status{Task: first.Tasks[0].ID, State: mesos.Running,
		Agent: first.Place.Agent, Ready: &ready}})
	w.offer(next.Place.Agent, next.Place.Hostname, "kafka-role", resource.List{
		resource.NewScalar("cpus", 8000), resource.NewScalar("mem", 8_000_000)})
	calls := texts(w.take())
	if strings.Contains(calls, "kill ") || !strings.Contains(calls, "[reserve cpus:1") {
		t.Errorf("the cpu more is not reserved before kafka-1 is ended:\n%s", calls)
	}
}
