package scheduler

import (
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// TestDrainedAgent offers an agent that an operator drains, as one that was offered just before may
// be: nothing new goes there, until it is there again.
func TestDrainedAgent(t *testing.T) {
	service := trialService(t, 1, 100)
	m := Restore(Config{Target: Target{ID: "t", Service: service},
		UUID: func() (id [16]byte) { return id }}, Hard{})
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	step := func(ev mesos.Event) Output {
		now = now.Add(time.Second)
		out := m.Step(now, FromMesos{ev})
		m.Step(now, Tick{})
		return out
	}
	offers := mesos.Offers{Offers: trialOffers(t, 1)}
	o := &offers.Offers[0]
	o.Role, o.Resources = service.Role, o.Resources.WithRole(service.Role)
	step(mesos.Subscribed{Framework: "fw", Master: "m:5050"})
	seen := mesos.SeenAgent{ID: "a0", Hostname: "h0", Active: true, Deactivated: true,
		Drain: &mesos.Drain{Draining: true}}
	step(mesos.AgentsSeen{Agents: []mesos.SeenAgent{seen}})
	if n := len(launchedIn(step(offers))); n > 0 {
		t.Fatalf("%d were launched on an agent that is drained", n)
	}
	reason := m.View().Plans[0].Phases[0].Steps[0].Reason
	if want := "an operator drains 1"; !strings.Contains(reason, want) {
		t.Errorf("%q is not in %q", want, reason)
	}
	seen.Deactivated, seen.Drain = false, nil
	step(mesos.AgentsSeen{Agents: []mesos.SeenAgent{seen}})
	if n := len(launchedIn(step(offers))); n != 2 { // init and server
		t.Errorf("%d were launched on an agent that is there again", n)
	}
}
