package sim

import (
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// checkEssential: the failure of a task that is not essential ends no other task. While all plans
// are complete and nothing else happens than such failures, nobody is killed.
type checkEssential struct {
	w      *world
	quiet  bool
	stale  bool           // whether quiet has to be found out anew
	killed []mesos.TaskID // in the end none of them lives
}

func (c *checkEssential) stepped(ev scheduler.Event, out scheduler.Output) {
	switch ev := ev.(type) {
	case scheduler.Commanded:
		c.quiet = false
	case scheduler.FromMesos:
		c.quiet = c.quiet && c.harmless(ev.Event)
	}
	c.stale = c.stale || !c.quiet || len(out.Writes) > 0
	for _, call := range out.Calls {
		to, _ := call.(scheduler.ToMesos)
		kill, ok := to.Call.(mesos.Kill)
		if !ok {
			continue
		}
		if !slices.Contains(c.killed, kill.Task) {
			c.killed = append(c.killed, kill.Task)
		}
		if !c.quiet {
			continue
		}
		if _, t, known := c.w.stored(kill.Task); known && !t.State.Terminal() {
			c.w.fail("essential", "%s is killed, and nothing happened but failures of tasks "+
				"that are not essential", kill.Task)
		}
	}
	if _, tick := ev.(scheduler.Tick); tick {
		c.killed = slices.DeleteFunc(c.killed, func(id mesos.TaskID) bool {
			_, t, known := c.w.stored(id)
			return !known || t.State.Terminal()
		})
		if !c.stale {
			return
		}
		c.stale = false
		c.quiet = len(c.killed) == 0 && c.concerned() && !c.stirs() &&
			allComplete(c.w.process.picture())
	}
}

// stirs reports whether what is stored shows already that something is to do or being done.
func (c *checkEssential) stirs() bool {
	if c.w.store.hard.Intent != scheduler.Run {
		return true
	}
	for _, p := range c.w.store.hard.Pods {
		if p.Request != "" || p.Recovery != nil {
			return true
		}
	}
	return false
}

// concerned reports whether any task is not essential.
func (c *checkEssential) concerned() bool {
	return slices.ContainsFunc(c.w.store.hard.Target.Service.Pods, func(p servicespec.Pod) bool {
		return slices.ContainsFunc(p.Tasks, func(t servicespec.Task) bool { return !t.Essential })
	})
}

// harmless reports whether an event ends no task by right: it tells of no agent that is to be left,
// and of no end but those of tasks that are not essential.
func (c *checkEssential) harmless(ev mesos.Event) bool {
	switch ev := ev.(type) {
	case mesos.InverseOffers, mesos.AgentsSeen:
		return false
	case mesos.Offers:
		return !slices.ContainsFunc(ev.Offers,
			func(o mesos.Offer) bool { return o.Unavailable != nil })
	case mesos.Updated:
		switch ev.Status.State {
		case mesos.Staging, mesos.Starting, mesos.Running:
			return true
		case mesos.GoneByOperator:
			return false // it tells that the agent is gone, with all that ran there
		}
		return strings.Contains(string(ev.Status.Task), "-agent__")
	}
	return true
}

// allComplete reports whether nothing is to do or being done.
func allComplete(v *scheduler.View) bool {
	for _, p := range v.Plans {
		if p.Status != plans.Complete && (!custom(p.Name) || p.Run.Number > 0) {
			return false
		}
	}
	for _, p := range v.Pods {
		if p.Request != "" || p.Leaving {
			return false
		}
		for _, t := range p.Tasks {
			down := t.Goal == servicespec.GoalRunning && t.State != mesos.Running &&
				t.Name != "agent"
			if down || t.State == mesos.Killing || t.Override != "" || t.Goal == "" {
				return false
			}
		}
	}
	return true
}
