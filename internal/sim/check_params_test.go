package sim

import (
	"maps"
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// checkParams: the parameters of a plan reach all that it launches, and win over what the spec
// says.
type checkParams struct{ w *world }

func (c *checkParams) stepped(ev scheduler.Event, out scheduler.Output) {
	for _, info := range launches(out) {
		_, t, _ := c.w.stored(info.ID)
		env := map[string]string{}
		for _, e := range c.w.order(info).Env {
			env[e.Name] = e.Value // later entries win
		}
		for key, value := range t.Params {
			if env[key] != value {
				c.w.fail("parameters", "%s has %s=%q, and the record %q", info.ID, key,
					env[key], value)
			}
		}
		plan, ok := c.launchedBy(info.ID)
		given, certain := c.w.operator.params[plan]
		if ok && certain && !maps.Equal(t.Params, given) {
			c.w.fail("parameters", "the plan %s was started with %v and launches %s with %v",
				plan, given, info.ID, t.Params)
		}
	}
}

// launchedBy names the started plan that made a launch.
func (c *checkParams) launchedBy(id mesos.TaskID) (string, bool) {
	for plan, run := range c.w.store.hard.Runs {
		for _, s := range run.Steps {
			if slices.Contains(s.Tasks, id) {
				return plan, true
			}
		}
	}
	return "", false
}
