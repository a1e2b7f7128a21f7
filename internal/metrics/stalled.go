package metrics

import (
	"time"

	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// progress is how far a plan is, and since when it is no further.
type progress struct {
	complete, total int
	working         bool
	run             int64
	since           time.Time
}

// follow says how far the plans of a view are, from how far they were.
func follow(view *scheduler.View, before map[string]progress) map[string]progress {
	all := make(map[string]progress, len(view.Plans))
	for _, plan := range view.Plans {
		now := progress{working: working(plan), run: plan.Run.Number}
		for _, phase := range plan.Phases {
			now.total += len(phase.Steps)
			for i := range phase.Steps {
				if phase.Steps[i].Status == plans.Complete {
					now.complete++
				}
			}
		}
		last, known := before[plan.Name]
		now.since = last.since
		if !known || last != now {
			now.since = view.At
		}
		all[plan.Name] = now
	}
	return all
}

// working says whether a plan should make progress: it is not done and nobody holds it.
func working(plan scheduler.PlanView) bool {
	return plan.Status != plans.Complete && plan.Status != plans.Waiting
}

// stalled tells how long a plan is no further, if it should be.
func (s sink) stalled(plan scheduler.PlanView, still, most time.Duration) {
	if !working(plan) {
		still = 0
	}
	if most == 0 {
		most = DefaultStalledAfter
	}
	s.put(planStalledSeconds, max(0, still).Seconds(), plan.Name)
	s.is(planStalled, still >= most, plan.Name)
}
