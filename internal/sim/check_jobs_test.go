package sim

import (
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// checkJobs: a task that finished is never launched again, except after a replace, for another
// configuration if its goal is FINISH, or because of a command on a plan. Each of these is a
// reason for one more launch by each plan that has it.
type checkJobs struct {
	w       *world
	reasons map[string]int // by the full name of a task
	// done are the tasks of which a launch has finished in the place that they have, by that
	// and their full names, as far as that is stored.
	done map[string]bool
}

func newCheckJobs(w *world) *checkJobs {
	return &checkJobs{w, map[string]int{}, map[string]bool{}}
}

func (c *checkJobs) stepped(ev scheduler.Event, out scheduler.Output) {
	if commanded, ok := ev.(scheduler.Commanded); ok {
		c.commanded(commanded.Command)
	}
	c.note(ev)
	for _, info := range launches(out) {
		p, t, _ := c.w.stored(info.ID)
		key := jobKey(p, t)
		if isOnce(info) && c.done[key] {
			delete(c.done, key)
			if c.reasons[info.Name]--; c.reasons[info.Name] < 0 {
				c.w.fail("jobs", "%s is launched, and it has finished before", info.ID)
			}
		}
	}
}

// note keeps in mind what has finished.
func (c *checkJobs) note(ev scheduler.Event) {
	from, _ := ev.(scheduler.FromMesos)
	updated, ok := from.Event.(mesos.Updated)
	if p, t, known := c.w.stored(updated.Status.Task); ok && known && t.State == mesos.Finished {
		c.done[jobKey(p, t)] = true
	}
}

func jobKey(p scheduler.Pod, t scheduler.Task) string {
	if p.Place == nil {
		return ""
	}
	return string(p.Place.Reservation) + " " + t.Name
}

// commanded notes reasons for all tasks that a command can concern.
func (c *checkJobs) commanded(command scheduler.Command) {
	add := func(prefix string, most int) {
		for _, a := range []string{"init", "backup", "format", "once"} {
			for name := range c.w.store.hard.Pods {
				full := name.String() + "-" + a
				if strings.HasPrefix(full, prefix) && (most == 0 || a == "format") {
					c.reasons[full]++
				}
			}
		}
	}
	switch cmd := command.(type) {
	case scheduler.PodReplace:
		add(cmd.Pod+"-", 0)
	case scheduler.SetTarget, scheduler.Rollback:
		add("", 1)
	case scheduler.PlanCommand:
		if cmd.Verb != scheduler.PlanInterrupt && cmd.Verb != scheduler.PlanForceComplete {
			add("", 0)
		}
	}
}
