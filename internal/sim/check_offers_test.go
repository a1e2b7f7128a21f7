package sim

import (
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// checkOffers: within one life of the process an offer is used once, at once, never after it
// was rescinded, and never one that another life was given. Whether more is used than offered
// the model of the agent sees.
type checkOffers struct {
	w    *world
	life int
	open map[mesos.OfferID]bool
}

func (c *checkOffers) stepped(ev scheduler.Event, out scheduler.Output) {
	if c.life != c.w.process.life {
		c.life, c.open = c.w.process.life, map[mesos.OfferID]bool{}
	}
	if from, ok := ev.(scheduler.FromMesos); ok {
		switch ev := from.Event.(type) {
		case mesos.Offers:
			for _, o := range ev.Offers {
				c.open[o.ID] = true
			}
		case mesos.Rescinded:
			delete(c.open, ev.Offer)
		}
	}
	for _, call := range out.Calls {
		to, _ := call.(scheduler.ToMesos)
		var used []mesos.OfferID
		switch call := to.Call.(type) {
		case mesos.Accept:
			used = call.Offers
		case mesos.Decline:
			used = call.Offers
		}
		for _, id := range used {
			if !c.open[id] {
				c.w.fail("offers", "%s is used and not at hand", id)
			}
			delete(c.open, id)
		}
	}
	for id := range c.open {
		if !c.w.exits(out) {
			c.w.fail("offers", "%s is neither accepted nor declined", id)
		}
	}
}

func (w *world) exits(out scheduler.Output) bool {
	for _, call := range out.Calls {
		if _, ok := call.(scheduler.Exit); ok {
			return true
		}
	}
	return false
}
