package server

import (
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// runningView is a view in which every task of kafka-0 runs.
func runningView() *scheduler.View {
	v := completeView()
	yes := true
	v.Pods[0].Hostname = "host-1"
	v.Pods[0].Tasks[0].Ready, v.Pods[0].Tasks[0].Goal = &yes, servicespec.GoalRunning
	return v
}

// obstacle is one thing in an instance's way, the codes of the reasons that tell of it, and what
// the summary says.
type obstacle struct {
	name        string
	way         func(v *scheduler.View, pod *scheduler.PodView, task *scheduler.TaskView)
	codes, says string
}

var unready = false

var obstacles = []obstacle{
	{"nothing", func(*scheduler.View, *scheduler.PodView, *scheduler.TaskView) {},
		"", "kafka-0 runs on host-1."},
	{"a stopped service", func(v *scheduler.View, _ *scheduler.PodView, t *scheduler.TaskView) {
		v.Intent, t.State = scheduler.Stop, mesos.Killed
	}, "stopped ended", "The service is stopped."},
	{"an uninstall", func(v *scheduler.View, _ *scheduler.PodView, _ *scheduler.TaskView) {
		v.Intent = scheduler.Uninstall
	}, "uninstalling", "being uninstalled"},
	{"a decommission", func(_ *scheduler.View, p *scheduler.PodView, _ *scheduler.TaskView) {
		p.Leaving = true
	}, "leaving", "decommissioned"},
	{"a restart", func(_ *scheduler.View, p *scheduler.PodView, t *scheduler.TaskView) {
		p.Request, t.State = scheduler.Restart, mesos.Killing
	}, "restarting ending", "wants kafka-0 to be restarted"},
	{"a replace", func(_ *scheduler.View, p *scheduler.PodView, _ *scheduler.TaskView) {
		p.Request = scheduler.Replace
	}, "replacing", "replaced"},
	{"a held plan", func(v *scheduler.View, _ *scheduler.PodView, t *scheduler.TaskView) {
		t.State = ""
		v.Plans[0].Held = &plans.Said{At: viewTime, By: "alice", Reason: "it is late."}
		v.Plans[0].Phases[0].Steps[0].Status = plans.Waiting
		v.Plans[0].Phases[0].Steps[0].Reason = "held by the operator"
	}, "held step", "The plan deploy is held by alice since 2026-05-04T03:02:01Z: it is late."},
	{"no master", func(v *scheduler.View, _ *scheduler.PodView, t *scheduler.TaskView) {
		v.Connected, t.State = false, ""
	}, "disconnected", "not connected"},
	{"a back-off", func(_ *scheduler.View, p *scheduler.PodView, t *scheduler.TaskView) {
		p.Failures, p.NotBefore = 3, viewTime.Add(time.Hour)
		t.State, t.Message = mesos.Failed, "exit code 1"
	}, "backoff ended",
		"3 launches of kafka-0 in a row failed; the next is tried at 2026-05-04T04"},
	{"no fitting offer", func(_ *scheduler.View, p *scheduler.PodView, t *scheduler.TaskView) {
		t.State = ""
		p.Refusal = fullView().Pods[2].Refusal
	}, "no-offer", "no agent fits kafka-2"},
	{"a step before", func(v *scheduler.View, _ *scheduler.PodView, t *scheduler.TaskView) {
		t.State = ""
		v.Plans[0].Phases[0].Steps[0].Status = plans.Pending
		v.Plans[0].Phases[0].Steps[0].Reason = "waits for the steps before it"
	}, "step", "kafka-0:[broker] of the plan deploy is PENDING: waits for the steps before it."},
	{"a pause", func(_ *scheduler.View, _ *scheduler.PodView, t *scheduler.TaskView) {
		t.Override = "PAUSED"
	}, "paused", "wants kafka-0-broker to be paused"},
	{"a lost agent", func(_ *scheduler.View, _ *scheduler.PodView, t *scheduler.TaskView) {
		t.State, t.Message = mesos.Unreachable, "health check timed out"
	}, "unreachable", "(host-1) cannot be reached, and the task may still run there: health"},
	{"a start", func(_ *scheduler.View, _ *scheduler.PodView, t *scheduler.TaskView) {
		t.State = mesos.Staging
	}, "starting", "kafka-0-broker is starting."},
	{"a check", func(_ *scheduler.View, _ *scheduler.PodView, t *scheduler.TaskView) {
		t.Ready = &unready
	}, "not-ready", "does not pass its readiness check"},
	{"nothing known", func(_ *scheduler.View, _ *scheduler.PodView, t *scheduler.TaskView) {
		t.State = ""
	}, "unknown", "has not come to it"},
}

// TestWhy puts one thing in kafka-0's way at a time.
func TestWhy(t *testing.T) {
	for _, c := range obstacles {
		v := runningView()
		c.way(v, &v.Pods[0], &v.Pods[0].Tasks[0])
		why := answerOf[api.Why](t, v, api.PathWhy, "/v2/pods/kafka-0/why")
		var codes []string
		for _, r := range why.Reasons {
			codes = append(codes, r.Code)
			if r.Help == "" || !strings.HasSuffix(r.Text, ".") {
				t.Errorf("%s: %+v", c.name, r)
			}
		}
		if strings.Join(codes, " ") != c.codes || !strings.Contains(why.Summary, c.says) ||
			why.Running != (c.codes == "") {
			t.Errorf("%s: %+v, want %s and %q", c.name, why, c.codes, c.says)
		}
	}
}

// A task that had to run once is no reason once it did.
func TestWhyOnce(t *testing.T) {
	v := runningView()
	v.Pods[0].Tasks = append(v.Pods[0].Tasks, scheduler.TaskView{Name: "init",
		FullName: "kafka-0-init", Goal: servicespec.GoalOnce, State: mesos.Finished})
	if why := explain(v, v.Pods[0], viewTime); !why.Running {
		t.Errorf("%+v", why)
	}
}

// What helps is about what most agents lack.
func TestHelp(t *testing.T) {
	lacks := func(codes ...offer.Code) *offer.Refusal {
		var agents []offer.AgentRefusal
		for _, code := range codes {
			agents = append(agents, offer.AgentRefusal{Reasons: []offer.Reason{{Code: code}}})
		}
		return offer.Because("kafka-1", agents...)
	}
	for _, c := range []struct {
		refusal *offer.Refusal
		says    string
	}{
		{lacks(offer.Placement, offer.PortTaken, offer.Placement), "placement rule"},
		{lacks(offer.PortTaken, offer.PortTaken, offer.Insufficient), "port: 0"},
		{lacks(), "agents are registered"}, {lacks(offer.OtherAgent), "another offer"},
		{&offer.Refusal{Kept: "agent-1"}, "Bring the agent of its reservation back"},
	} {
		if help := helpFor(c.refusal); !strings.Contains(help, c.says) {
			t.Errorf("%q, want %q", help, c.says)
		}
	}
	for _, code := range []offer.Code{offer.Insufficient, offer.PortTaken, offer.NoPort,
		offer.NoVolume, offer.Placement, offer.Maintenance, offer.Draining} {
		if helps[code] == "" {
			t.Errorf("nothing helps against %s", code)
		}
	}
}
