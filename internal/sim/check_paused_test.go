package sim

import (
	"strings"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// checkPaused: a task that the operator paused is launched with the order that does nothing, and
// any other one with its own.
type checkPaused struct{ w *world }

func (c *checkPaused) stepped(ev scheduler.Event, out scheduler.Output) {
	for _, info := range launches(out) {
		p, t, ok := c.w.stored(info.ID)
		if !ok {
			c.w.fail("stored", "%s is launched, and not stored", info.ID)
			return
		}
		idle := isIdle(c.w.order(info))
		if idle != (t.Paused && !p.Caretaker) || idle != t.Idle {
			c.w.fail("paused", "%s is launched idle: %t; paused: %t", info.ID, idle, t.Paused)
		}
	}
}

// isIdle reports whether an order is that of a paused task.
func isIdle(o executor.Order) bool { return strings.Contains(o.Command, "This task is PAUSED") }

// neverReady reports whether a task is one that does nothing.
func neverReady(o executor.Order) bool {
	return isIdle(o) || o.Readiness.Command != nil && o.Readiness.Command.Command == "exit 1"
}

// order decodes what an executor is told of a task, once for each.
func (w *world) order(info mesos.TaskInfo) executor.Order {
	if o, known := w.orders[info.ID]; known {
		return o
	}
	o, err := executor.DecodeOrder(info.Data)
	if err != nil {
		w.fail("orders", "%s: %v", info.ID, err)
	}
	w.orders[info.ID] = o
	return o
}
