package server

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// The client's reads of /v2, each with a query.
func TestClientReadsV2(t *testing.T) {
	ctx, c, yes := context.Background(), talk(t, richView(), &machine{}), true
	check := func(what string, err error, good bool) {
		t.Helper()
		if err != nil || !good {
			t.Errorf("%s: %v", what, err)
		}
	}
	plans, err := c.FindPlans(ctx, api.PlanQuery{Name: "deploy", Status: api.StatusInProgress,
		Summary: true, Page: api.Page{Limit: 5}})
	check("plans", err, len(plans.Plans) == 1 && len(plans.Plans[0].Phases[0].Steps) == 0)
	plan, revision, err := c.ReadPlan(ctx, "deploy")
	check("plan", err, plan.Held != nil && revision != "")
	phase, revision, err := c.ReadPhase(ctx, "deploy", "broker")
	check("phase", err, len(phase.Steps) == 3 && revision != "")
	step, revision, err := c.ReadStep(ctx, "deploy", "broker", "kafka-1:[broker]")
	check("step", err, step.Pod == "kafka-1" && revision != "")
	journal, err := c.Journal(ctx, api.JournalQuery{Kind: "command", Plan: "deploy",
		Since: viewTime.Add(-24 * time.Hour), Page: api.Page{Limit: 1}})
	check("journal", err, len(journal.Entries) == 1 && journal.NextCursor == "")
	history, err := c.History(ctx, api.HistoryQuery{Plan: "recovery"})
	check("history", err, len(history.Runs) == 1)
	first, err := c.FindPods(ctx, api.PodQuery{Type: "kafka", Page: api.Page{Limit: 2}})
	check("pods", err, len(first.Pods) == 2 && first.NextCursor != "")
	rest, err := c.FindPods(ctx, api.PodQuery{Status: "PENDING",
		Page: api.Page{Cursor: first.NextCursor}})
	check("more pods", err, len(rest.Pods) == 1 && rest.Pods[0].Name == "kafka-2")
	rest, err = c.FindPods(ctx, api.PodQuery{Host: "host-1.example"})
	check("pods of a host", err, len(rest.Pods) == 1)
	pod, revision, err := c.ReadPod(ctx, "kafka-2")
	check("pod", err, pod.Leaving && revision != "")
	tasks, err := c.Tasks(ctx, "kafka-0")
	check("tasks", err, len(tasks) == 1)
	task, revision, err := c.ReadTask(ctx, "kafka-0", "broker")
	check("task", err, task.FullName == "kafka-0-broker" && revision != "")
	why, err := c.Why(ctx, "kafka-2")
	check("why", err, len(why.Reasons) > 0 && len(why.Agents) == 2)
	configurations, err := c.FindConfigurations(ctx, api.Page{Limit: 2})
	check("configurations", err, len(configurations.Configurations) == 2)
	one, revision, err := c.ReadConfiguration(ctx, firstID)
	check("configuration", err, one.Number == 1 && revision != "")
	target, revision, err := c.ReadTarget(ctx)
	check("target", err, target.Target && revision != "")
	diff, err := c.Diff(ctx, firstID, "")
	check("diff", err, diff.To == target.ID && len(diff.Changes) == 1)
	diff, err = c.Diff(ctx, firstID, secondID)
	check("diff of two", err, diff.To == secondID && len(diff.Changes) == 2)
	offers, err := c.Offers(ctx, api.OfferQuery{Pod: "kafka-1", Host: "host-2.example", Fits: &yes})
	check("offers", err, len(offers.Offers) == 1)
	reservations, err := c.Reservations(ctx, api.Page{})
	check("reservations", err, len(reservations.Reservations) == 1)
	leftovers, err := c.Leftovers(ctx, api.Page{Limit: 1})
	check("leftovers", err, len(leftovers.Leftovers) == 1)
	agents, err := c.FindAgents(ctx, api.AgentAbandoned, api.Page{Limit: 5})
	check("agents", err, len(agents.Agents) == 1 && agents.Agents[0].AwaySince != nil)
	agent, revision, err := c.ReadAgent(ctx, "host-1.example")
	check("agent", err, agent.ID == "agent-0" && revision != "" && agent.Maintenance != nil &&
		slices.Equal(agent.Pods, []string{"kafka-0"}))
}

// The client's changes of /v2, with all that may go with them.
func TestClientChangesV2(t *testing.T) {
	m := &machine{reply: scheduler.Reply{Message: "It begins.", Tasks: []string{"t"},
		Preview: []scheduler.PlannedStep{{Step: "s"}}}}
	base := serve(t, config(richView(), m))
	c := client.New(base, client.WithCaller("alice"))
	defer c.Close()
	ctx := context.Background()
	taken := func(o api.Outcome, err error) {
		t.Helper()
		name, _ := nameAndAddress(m.caller.Who)
		if err != nil || !o.Changed || m.caller.Reason != "why" || name != "alice" {
			t.Errorf("%+v, %v, %+v", o, err, m.caller)
		}
	}
	taken(c.CommandService(ctx, "stop", api.ServiceCommand{Reason: "why"}))
	taken(c.CommandPlan(ctx, "deploy", api.VerbForceComplete,
		api.PlanCommand{Phase: "p", Step: "s", Reason: "why"}))
	taken(c.CommandPod(ctx, "kafka-0", api.CommandPause,
		api.PodCommand{Tasks: []string{"broker"}, Reason: "why"}))
	taken(c.AbandonAgent(ctx, "agent-2", api.AgentAbandon{Force: true, Reason: "why"}))
	taken(c.PutTarget(ctx, api.SetTarget{Spec: "name: x", Reason: "why"}))
	taken(c.Rollback(ctx, api.Rollback{ID: firstID, Reason: "why"}))
	if o, err := c.Rollback(ctx, api.Rollback{}, client.DryRun()); err != nil || !o.DryRun ||
		o.Changed || len(o.Steps) != 1 {
		t.Errorf("%+v, %v", o, err)
	}
	_, revision, err := c.ReadPod(ctx, "kafka-0")
	if err != nil {
		t.Fatal(err)
	}
	for revision, code := range map[client.Revision]string{
		revision: "", "": "", `"another"`: api.CodeRevision,
	} {
		_, err := c.CommandPod(ctx, "kafka-0", api.CommandRestart, api.PodCommand{},
			client.IfMatch(revision))
		var said *client.Error
		if errors.As(err, &said) != (code != "") || said != nil && said.Code != code {
			t.Errorf("at %q: %v", revision, err)
		}
	}
	m.times = 0
	for range 3 {
		_, err := c.CommandPod(ctx, "kafka-0", api.CommandReplace, api.PodCommand{},
			client.Once("k"))
		if err != nil {
			t.Error(err)
		}
	}
	var said *client.Error
	_, err = c.CommandPod(ctx, "kafka-1", api.CommandReplace, api.PodCommand{}, client.Once("k"))
	if m.times != 1 || !errors.As(err, &said) || said.Code != api.CodeKeyReused ||
		said.Status != http.StatusUnprocessableEntity {
		t.Errorf("%d commands, %v", m.times, err)
	}
}
