package sim

import (
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// Bounds of checkStorm.
const (
	mostSteps = 250 // in a second, whatever the reason
	mostTicks = 16  // in a second, asked for by the machine itself beside the one behind each event
)

// checkStorm: the machine neither wakes itself in a circle nor floods the master.
type checkStorm struct {
	w            *world
	second       time.Time
	steps, ticks int
}

func (c *checkStorm) stepped(ev scheduler.Event, out scheduler.Output) {
	if second := c.w.now.Truncate(time.Second); second != c.second {
		c.second, c.steps, c.ticks = second, 0, 0
	}
	c.steps++
	if _, ok := ev.(scheduler.Tick); ok {
		c.ticks++
	}
	events := c.steps - c.ticks
	if c.steps > mostSteps || c.ticks-events > mostTicks {
		c.w.fail("event storm", "%d steps, %d ticks among them, in one second", c.steps, c.ticks)
	}
}
