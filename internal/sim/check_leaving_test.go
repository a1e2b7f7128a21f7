package sim

import (
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// checkLeaving: an instance that was decommissioned leaves nothing behind: no task, and no
// reservation that is not a leftover yet.
type checkLeaving struct{ w *world }

func (c *checkLeaving) stepped(ev scheduler.Event, out scheduler.Output) {
	if c.w.store.hard.Intent != scheduler.Run {
		return
	}
	for _, write := range out.Writes {
		if gone, ok := write.(scheduler.DeletePod); ok {
			c.gone(gone.Name)
		}
	}
}

func (c *checkLeaving) gone(name scheduler.PodName) {
	if _, wanted := c.w.wanted(name); wanted {
		c.w.fail("leaving", "the record of %s is gone, which the target wants", name)
	}
	var left []string
	for _, l := range c.w.store.hard.Leftovers {
		for _, r := range l.Resources {
			left = append(left, r.Label(resource.ResourceID))
		}
	}
	for _, a := range c.w.master.agents {
		for _, t := range a.taskList() {
			if strings.HasPrefix(t.info.Name, name.String()+"-") && t.alive() && !t.wasAway {
				c.w.fail("leaving", "%s is gone, and %s is %s", name, t.info.ID, t.state)
			}
		}
		for _, r := range reservedOn(a) {
			if a.heir {
				break // nobody knows before it is offered; then it is freed as a stray
			}
			if r.Label("pod") == name.String() &&
				!slices.Contains(left, r.Label(resource.ResourceID)) {
				c.w.fail("leaving", "%s is gone, and %s holds %s of it", name, a.id, r)
			}
		}
	}
}
