package server

import (
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
)

// The ids of the configurations of richView, oldest first; the target is fullView's.
const (
	firstID  = "00000000-0000-4000-8000-000000000001"
	secondID = "00000000-0000-4000-8000-000000000002"
)

// richView is fullView with all that only /v2 shows.
func richView() *scheduler.View {
	v := fullView()
	hour := func(n int) time.Time { return viewTime.Add(time.Duration(n) * time.Hour) }
	said := &plans.Said{At: hour(-1), By: "alice (10.0.0.9:1234)", Reason: "the disks are full"}
	plan := &v.Plans[0]
	plan.Held, plan.Phases[0].Held, plan.Phases[0].Steps[2].Held = said, said, said
	plan.Run = scheduler.PlanRun{Number: 3, Active: true, Params: map[string]string{"A": "1"},
		Since: hour(-2), By: "alice (10.0.0.9:1234)"}
	v.TargetNumber, v.TargetSince, v.TargetBy, v.TargetDone = 3, hour(-3), "bob", hour(-2)
	first, second := fullService(), fullService()
	first.Pods[0].Count, second.Pods[0].Tasks[0].Command = 1, "run <that>"
	v.Earlier = []scheduler.EarlierTarget{
		{ID: firstID, Number: 1, Since: hour(-9), Service: first},
		{ID: secondID, Number: 2, Since: hour(-8), By: "bob", Done: hour(-7), Service: second},
	}
	v.Journal = []scheduler.JournalEntry{
		{Number: 11, At: hour(-9), Kind: "plan-start", Plan: "deploy", What: "plan deploy",
			Outcome: "PENDING"},
		{Number: 12, At: hour(-8), Kind: "plan-start", Plan: "recovery", What: "plan recovery",
			Outcome: "PENDING"},
		{Number: 13, At: hour(-7), Kind: "plan-complete", Plan: "deploy", What: "plan deploy",
			Outcome: "COMPLETE"},
		{Number: 14, At: hour(-6), Kind: "command", Plan: "deploy", What: "interrupt deploy",
			By: "alice (10.0.0.9:1234)", Reason: "the disks are full", Outcome: "done"},
		{Number: 15, At: hour(-5), Kind: "command", What: "restart kafka-9", By: "10.0.0.8:1",
			Outcome: "Pod kafka-9 not found", Code: "not-found"},
		{Number: 16, At: hour(-4), Kind: "plan-start", Plan: "deploy", What: "plan deploy",
			By: "alice (10.0.0.9:1234)", Reason: "again", Outcome: "PENDING"},
	}
	list, _ := resource.ParseList("cpus:4;mem:4096")
	for i, fits := range []bool{false, true, false} {
		o := scheduler.Outcome{At: hour(i), Pod: "kafka-1",
			Agent: "agent-1", Host: "host-2.example",
			Offer: mesos.Offer{ID: mesos.OfferID("o" + string(rune('1'+i))), Resources: list}}
		if !fits {
			o.Refusal = offer.Because("kafka-1", offer.AgentRefusal{Agent: o.Agent,
				Reasons: []offer.Reason{{Code: offer.Maintenance}}})
		}
		v.Outcomes = append(v.Outcomes, o)
	}
	pod := &v.Pods[0]
	pod.Place = &scheduler.Place{Agent: pod.Agent, Hostname: pod.Hostname, Executor: list,
		Confirmed: true, Sets: []offer.SetResources{{Name: "broker", Resources: list}}}
	v.Pods[1].Failures, v.Pods[1].NotBefore = 2, viewTime.Add(90*time.Second)
	v.Pods[1].Tasks[0].Override = "PAUSED"
	v.Pods[2].Leaving = true
	return v
}
