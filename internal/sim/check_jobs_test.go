package sim

import (
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// checkJobs: a task that finished is never launched again, except after a replace, for another
// configuration if its goal is FINISH, or because of a command on a plan. Each of these is a
// reason for one more launch by each plan that has it.
type checkJobs struct {
	w       *world
	reasons map[string]int // see commanded
	again   map[string]int // launches after the first one had finished, by the full name
	// done are the tasks of which a launch has finished in the place that they have, by that
	// and their full names, as far as that is stored.
	done map[string]bool
}

func newCheckJobs(w *world) *checkJobs {
	return &checkJobs{w, map[string]int{}, map[string]int{}, map[string]bool{}}
}

func (c *checkJobs) stepped(ev scheduler.Event, out scheduler.Output) {
	if commanded, ok := ev.(scheduler.Commanded); ok {
		c.commanded(commanded.Command)
	}
	for _, j := range journal(out, "action ") { // as if an operator had started it
		c.commanded(scheduler.PlanCommand{Verb: scheduler.PlanStart, Plan: j.Plan})
	}
	for _, pod := range slices.Concat(replacedByPolicy(out), replacedByMove(out)) {
		c.reasons[pod.String()]++
	}
	c.note(ev)
	for _, info := range launches(out) {
		p, t, _ := c.w.stored(info.ID)
		key := jobKey(p, t)
		if isOnce(info) && c.done[key] {
			delete(c.done, key)
			if c.again[info.Name]++; c.again[info.Name] > c.most(p, t.Name) {
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

// jobsOf are the jobs that each plan has.
var jobsOf = map[string][]string{"deploy": {"init", "format", "once"},
	"backup": {"backup", "format"}, "verify": {"backup", "format"}}

// commanded notes the reasons that a command gives: for the jobs of a plan that is done again or
// begins, for those that another configuration concerns, or for those of an instance.
func (c *checkJobs) commanded(command scheduler.Command) {
	switch cmd := command.(type) {
	case scheduler.PodReplace:
		c.reasons[cmd.Pod]++
	case scheduler.SetTarget, scheduler.Rollback:
		c.reasons["format"]++
	case scheduler.PlanCommand:
		switch cmd.Verb {
		case scheduler.PlanInterrupt, scheduler.PlanForceComplete:
			return
		case scheduler.PlanContinue:
			if !custom(cmd.Plan) {
				return
			}
		}
		for _, job := range jobsOf[cmd.Plan] {
			c.reasons[job]++
		}
	}
}

// most is how often a task may be launched again after it finished, for all reasons that there
// were.
func (c *checkJobs) most(p scheduler.Pod, task string) int {
	return c.reasons[task] + c.reasons[p.Name.String()] + c.w.operator.lost[p.Name.String()]
}
