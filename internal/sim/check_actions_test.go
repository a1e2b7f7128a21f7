package sim

import (
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// checkActions: an action starts its own plan, never again within its cool-down, and never one
// that an operator has interrupted; and the start is stored with the cause in one batch.
type checkActions struct {
	w    *world
	last map[string]time.Time
}

func (c *checkActions) stepped(_ scheduler.Event, out scheduler.Output) {
	hard := c.w.store.hard
	for _, j := range journal(out, "action ") {
		name := strings.TrimPrefix(j.By, "action ")
		i := slices.IndexFunc(hard.Target.Service.Actions,
			func(a servicespec.Action) bool { return a.Name == name })
		if i < 0 || hard.Target.Service.Actions[i].Plan != j.Plan || j.Code != "" {
			c.w.fail("actions", "%s starts %s: %s %s", j.By, j.Plan, j.Code, j.Outcome)
			return
		}
		cooldown := hard.Target.Service.Actions[i].Cooldown.Duration()
		if last, ever := c.last[name]; ever && c.w.now.Before(last.Add(cooldown)) {
			c.w.fail("actions", "%s starts %s again after %s", j.By, j.Plan, c.w.now.Sub(last))
		}
		if hard.Overrides.Interrupted[j.Plan] || !hard.Runs[j.Plan].Active {
			c.w.fail("actions", "%s starts %s, which is held", j.By, j.Plan)
		}
		if !hard.Actions[name].Last.Equal(j.At) {
			c.w.fail("actions", "%s started %s and does not know it", j.By, j.Plan)
		}
		c.last[name] = c.w.now
	}
	for name := range c.last {
		if _, known := hard.Actions[name]; !known {
			delete(c.last, name) // a configuration without it begins anew
		}
	}
}
