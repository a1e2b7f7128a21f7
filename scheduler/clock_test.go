package scheduler

import (
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// clockSpec is a service whose instances are replaced when their agent was silent for long.
const clockSpec = `
name: web
scheduler: {user: nobody}
pods:
  web:
    count: 2
    fault-policy: {unreachable-timeout: 600, action: replace}
    tasks:
      server: {goal: RUNNING, cmd: ./server, cpus: 1, memory: 64}
`

// clockHard is the state of a service with an instance that failed at noon, and one that cannot be
// reached since then, as they are stored.
func clockHard(t *testing.T, noon time.Time) (Config, Hard) {
	t.Helper()
	r := newRig(t, clockSpec)
	web := func(n int) PodName { return PodName{"web", n} }
	place := func(agent mesos.AgentID) *Place {
		return &Place{Agent: agent, Hostname: string(agent), Confirmed: true,
			Reservation: mesos.ReservationID("r-" + agent)}
	}
	h := Hard{Framework: "fw", Target: r.cfg.Target, Intent: Run, Pods: map[PodName]Pod{}}
	h.Target.Done = noon.Add(-time.Hour)
	failed := Task{Name: "server", ID: "t-0", State: mesos.Failed, Failures: 3, Since: noon,
		NotBefore: noon.Add(4 * time.Second), Target: "target-1", Deployed: "target-1"}
	silent := Task{Name: "server", ID: "t-1", State: mesos.Unreachable, Since: noon,
		Target: "target-1", Deployed: "target-1"}
	h.Pods[web(0)] = Pod{Name: web(0), Incarnation: 1, Place: place("a0"),
		Tasks: []Task{failed}, Ran: true}
	h.Pods[web(1)] = Pod{Name: web(1), Incarnation: 1, Place: place("a1"),
		Tasks: []Task{silent}, Ran: true}
	h.Agents = map[mesos.AgentID]Agent{"a1": {ID: "a1", Hostname: "a1", Away: noon}}
	return r.cfg, h
}

// TestClockSetBack restarts a scheduler whose clock was set back by an hour (F29): nobody waits an
// hour more for what was due in seconds or minutes.
func TestClockSetBack(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	cfg, hard := clockHard(t, noon)
	m := Restore(cfg, hard)
	now := noon.Add(-time.Hour)
	stored := hard.clone()
	step := func(ev Event) {
		for _, w := range m.Step(now, ev).Writes {
			stored.Apply(w)
		}
	}
	step(Tick{})
	p := stored.Pods[PodName{"web", 0}]
	if at := p.Tasks[0].NotBefore; at.After(now.Add(backoffMax)) {
		t.Errorf("web-0 backs off until %s, and it is %s", at, now)
	}
	if away := stored.Agents["a1"].Away; away.After(now) {
		t.Errorf("a1 is away since %s, and it is %s", away, now)
	}
	step(FromMesos{mesos.Subscribed{Framework: "fw", Master: "m:5050"}})
	for range 25 {
		now = now.Add(30 * time.Second)
		step(Tick{})
		step(FromMesos{mesos.Updated{Status: mesos.Status{Task: "t-1", Agent: "a1",
			State: mesos.Unreachable, Source: "SOURCE_MASTER"}}})
	}
	if p := stored.Pods[PodName{"web", 1}]; p.Request != Replace && p.Incarnation == 1 {
		t.Errorf("web-1 is not replaced after its time-out: %+v", p)
	}
}

// TestClockJumpsWhileItRuns has the clock of a running machine jump back and forth (F29): its time
// never goes back, nothing is launched twice or ended for it, and it goes on.
func TestClockJumpsWhileItRuns(t *testing.T) {
	r := newRig(t, clockSpec)
	rounds := func() {
		for range 10 {
			r.round()
		}
	}
	rounds()
	if len(r.tasks) != 2 {
		t.Fatalf("%d tasks were launched", len(r.tasks))
	}
	for _, jump := range []time.Duration{-time.Hour, time.Hour, -30 * time.Minute, 2 * time.Hour} {
		r.now = r.now.Add(jump)
		r.step(Tick{})
		r.step(FromMesos{mesos.Offers{}})
		if wake := r.machine.NextWake(); !wake.IsZero() && wake.Before(r.machine.now) {
			t.Errorf("after a jump of %s it wants a tick at %s, and it is %s", jump, wake,
				r.machine.now)
		}
	}
	rounds()
	if len(r.tasks) != 2 || len(r.kills) > 0 {
		t.Errorf("%d launches instead of 2, kills %v", len(r.tasks), r.kills)
	}
}
