package sim

import (
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// checkAcknowledged: an update is acknowledged only if the store knows what it said.
type checkAcknowledged struct{ w *world }

func (c *checkAcknowledged) stepped(ev scheduler.Event, out scheduler.Output) {
	from, _ := ev.(scheduler.FromMesos)
	updated, _ := from.Event.(mesos.Updated)
	s := updated.Status
	c.operation(from.Event, out)
	for _, call := range out.Calls {
		to, _ := call.(scheduler.ToMesos)
		ack, ok := to.Call.(mesos.Acknowledge)
		if !ok {
			continue
		}
		if ack.Task != s.Task || string(ack.UUID) != string(s.UUID) || len(s.UUID) == 0 {
			c.w.fail("acknowledged", "%s is acknowledged and did not come now", ack.Task)
			return
		}
		c.stored(s)
	}
}

// operation: feedback is acknowledged when it comes, and nothing waits for it any more.
func (c *checkAcknowledged) operation(ev mesos.Event, out scheduler.Output) {
	updated, _ := ev.(mesos.OperationUpdated)
	for _, call := range out.Calls {
		to, _ := call.(scheduler.ToMesos)
		ack, ok := to.Call.(mesos.AcknowledgeOperation)
		if !ok {
			continue
		}
		if ack.ID != updated.ID || string(ack.UUID) != string(updated.UUID) ||
			len(updated.UUID) == 0 {
			c.w.fail("acknowledged", "%s is acknowledged and did not come now", ack.ID)
		}
		for name, p := range c.w.store.hard.Pods {
			if p.Place != nil && slices.Contains(p.Place.Pending, ack.ID) {
				c.w.fail("acknowledged", "%s is, and %s is stored to wait for it", ack.ID, name)
			}
		}
		for id, l := range c.w.store.hard.Leftovers {
			if slices.Contains(l.Pending, ack.ID) {
				c.w.fail("acknowledged", "%s is, and %s is stored to wait for it", ack.ID, id)
			}
		}
	}
}

func (c *checkAcknowledged) stored(s mesos.Status) {
	for _, p := range c.w.store.hard.Pods {
		for _, t := range p.Tasks {
			if t.ID != s.Task || t.State.Terminal() {
				continue
			}
			late := t.State == mesos.Running && s.State == mesos.Starting
			if t.State != s.State && !late {
				c.w.fail("acknowledged", "%s is stored as %s and acknowledged as %s",
					s.Task, t.State, s.State)
			}
			if s.Ready != nil && (t.Ready == nil || *t.Ready != *s.Ready) {
				c.w.fail("acknowledged", "the readiness of %s is not stored", s.Task)
			}
		}
	}
}
