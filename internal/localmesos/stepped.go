package localmesos

import (
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
)

// What a cluster with Config.Stepped does not do by itself: rounds of the allocator, the steps of
// a fail-over, and noticing that an executor has left, so that the replay of a recording can have
// them at the recorded place among everything else, however slow the machine is.

// holdAtMost is how long an executor's end is kept at most.
const holdAtMost = 5 * time.Second

// exits are the ends of executors that wait, and how many were let, by executor id.
type exits struct {
	let     map[string]int
	waiting []func()
}

// Batch makes a round of the allocator.
func (c *Cluster) Batch() {
	c.post(func() {
		if !c.closing {
			c.allocateNow()
		}
	})
}

// Recover, Lead and Rejoin are the steps of a fail-over: the new master is there and reads its
// registry; it answers; the agents register with it.
func (c *Cluster) Recover() { c.step(func() { c.refuseAll(notFinished) }) }

// Lead is a step of a fail-over, see Recover.
func (c *Cluster) Lead() { c.step(func() { c.lead(0) }) }

// Rejoin is a step of a fail-over, see Recover.
func (c *Cluster) Rejoin() { c.step(c.rejoinAll) }

// step runs something in the loop, and waits for it.
func (c *Cluster) step(f func()) {
	done := make(chan struct{})
	if !c.post(func() { f(); close(done) }) {
		return
	}
	select {
	case <-done:
	case <-c.loopDone:
	}
}

// LetExit lets one end of an executor be noticed, be it over or still to come.
func (c *Cluster) LetExit(executor string) {
	c.post(func() {
		c.exits.let[executor]++
		c.resumeExits()
	})
}

func (c *Cluster) resumeExits() {
	waiting := c.exits.waiting
	c.exits.waiting = nil
	for _, f := range waiting {
		f()
	}
}

// holdsExit keeps the end of an executor that left on its own, with nothing left to run, or that
// did not come back to its agent, until it is let.
func (c *Cluster) holdsExit(e *executorRun, status *int32) bool {
	left := status != nil && *status == 0 && !c.running(e)
	late := e.Ending != nil && e.Ending.Reason == mesos.REASON_EXECUTOR_REREGISTRATION_TIMEOUT
	if !c.cfg.Stepped || c.closing || e.Generated || !left && !late {
		return false
	}
	x := &c.exits
	if x.let[e.id] > 0 {
		x.let[e.id]--
		return false
	}
	x.waiting = append(x.waiting, func() { c.executorEnded(e, status) })
	if !e.held {
		e.held = true
		c.later(holdAtMost, func() {
			if e.agent.executors[e.key()] == e {
				x.let[e.id]++
				c.resumeExits()
			}
		})
	}
	return true
}

// running tells whether an executor has a task that is not over.
func (c *Cluster) running(e *executorRun) bool {
	for _, t := range c.executorTasks(e) {
		if !t.terminal() {
			return true
		}
	}
	return false
}
