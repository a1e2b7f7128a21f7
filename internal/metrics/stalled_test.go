package metrics

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// planned is a view with one plan, whose steps have these statuses.
func planned(at time.Time, status plans.Status, steps ...plans.Status) *scheduler.View {
	phase := scheduler.PhaseView{Name: "broker"}
	for _, step := range steps {
		phase.Steps = append(phase.Steps, scheduler.StepView{Status: step})
	}
	return &scheduler.View{At: at, Plans: []scheduler.PlanView{
		{Name: "deploy", Status: status, Phases: []scheduler.PhaseView{phase}}}}
}

// A plan is stalled when no step more is complete, whatever else its steps do; not when it is
// held or done.
func TestStalled(t *testing.T) {
	begin := time.Unix(1_800_000_000, 0)
	m := New(prometheus.NewRegistry())
	m.StalledAfter = 10 * time.Minute
	now := begin
	m.now = func() time.Time { return now }
	for _, c := range []struct {
		minutes int // since the beginning
		status  plans.Status
		steps   []plans.Status
		seconds string
		stalled string
	}{
		{0, plans.Pending, []plans.Status{plans.Pending, plans.Pending}, "0", "0"},
		{1, plans.InProgress, []plans.Status{plans.Starting, plans.Pending}, "60", "0"},
		{6, plans.InProgress, []plans.Status{plans.Delayed, plans.Pending}, "360", "0"},
		{11, plans.InProgress, []plans.Status{plans.Starting, plans.Pending}, "660", "1"},
		{12, plans.InProgress, []plans.Status{plans.Complete, plans.Pending}, "0", "0"},
		{22, plans.InProgress, []plans.Status{plans.Complete, plans.Starting}, "600", "1"},
		{23, plans.Waiting, []plans.Status{plans.Complete, plans.Waiting}, "0", "0"},
		{99, plans.Waiting, []plans.Status{plans.Complete, plans.Waiting}, "0", "0"},
		{100, plans.InProgress, []plans.Status{plans.Complete, plans.Starting}, "0", "0"},
		{111, plans.Complete, []plans.Status{plans.Complete, plans.Complete}, "0", "0"},
		{200, plans.Complete, []plans.Status{plans.Complete, plans.Complete}, "0", "0"},
	} {
		now = begin.Add(time.Duration(c.minutes) * time.Minute)
		m.Observe(planned(now, c.status, c.steps...))
		text := scrape(t, m)
		for _, line := range []string{
			`kafka_sched_plan_stalled_seconds{plan="deploy"} ` + c.seconds + "\n",
			`kafka_sched_plan_stalled{plan="deploy"} ` + c.stalled + "\n",
		} {
			if !strings.Contains(text, line) {
				t.Errorf("after %d minutes: no %s in\n%s", c.minutes, line, text)
			}
		}
	}
}

// A plan that is started again begins anew.
func TestStartedAgain(t *testing.T) {
	begin := time.Unix(1_800_000_000, 0)
	view := planned(begin, plans.InProgress, plans.Starting)
	before := follow(view, nil)
	view = planned(begin.Add(time.Hour), plans.InProgress, plans.Starting)
	if since := follow(view, before)["deploy"].since; since != begin {
		t.Errorf("it has been so far since %v", since)
	}
	view.Plans[0].Run.Number++
	if since := follow(view, before)["deploy"].since; since != view.At {
		t.Errorf("started again, it has been so far since %v", since)
	}
}
