package sim

import (
	"maps"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// checkUpgrade: a node is launched with another release than it ran with only when all those that
// were before it came back, so that a release that does not start takes down one node; but for the
// way back, which leads to what was good. No feature is raised before every node was launched with
// the latest release, and the operator said that there need be no way back.
type checkUpgrade struct {
	w *world
	// ran are the releases that nodes came up with, by the volumes that they have; over are the
	// latest launches that changed them.
	ran  map[mesos.ReservationID]release
	over map[scheduler.PodName]mesos.TaskID
	// launched are the releases of all launches.
	launched map[mesos.TaskID]release
}

func newCheckUpgrade(w *world) *checkUpgrade {
	return &checkUpgrade{w, map[mesos.ReservationID]release{},
		map[scheduler.PodName]mesos.TaskID{}, map[mesos.TaskID]release{}}
}

func (c *checkUpgrade) stepped(_ scheduler.Event, out scheduler.Output) {
	if !c.w.scenario.shape.former {
		return
	}
	for _, info := range launches(out) {
		if p, _, ok := c.w.stored(info.ID); ok && c.w.isKafka(p.Name) {
			c.launch(p, info)
		}
	}
	for _, call := range out.Calls {
		change, _ := call.(scheduler.ChangeKafka)
		if raise, ok := change.Change.(scheduler.SetFeature); ok && !raise.Lower {
			c.raise(raise)
		}
	}
}

// launch checks the launch of a node.
func (c *checkUpgrade) launch(p scheduler.Pod, info mesos.TaskInfo) {
	now := c.w.releaseOf(info)
	c.launched[info.ID] = now
	if isIdle(c.w.order(info)) || p.Place == nil {
		return
	}
	before, ran := c.ran[p.Place.Reservation]
	c.ran[p.Place.Reservation] = now
	maps.DeleteFunc(c.over, func(_ scheduler.PodName, id mesos.TaskID) bool {
		return c.w.kafka.came[id]
	})
	if _, again := c.over[p.Name]; again && ran && before == now {
		c.over[p.Name] = info.ID
	}
	maps.DeleteFunc(c.over, func(name scheduler.PodName, id mesos.TaskID) bool {
		return !c.has(name, id)
	})
	if !ran || before == now || c.w.store.hard.Campaign.Back {
		return // or it is the way back, which leads to what was good
	}
	for name, id := range c.over {
		if name != p.Name && c.launched[id] == now {
			c.w.fail("upgrade", "%s is launched with Kafka %s, and %s did not come back with it",
				p.Name, releases[now], name)
		}
	}
	c.over[p.Name] = info.ID
}

// has reports whether the latest launch of an instance is this one.
func (c *checkUpgrade) has(name scheduler.PodName, id mesos.TaskID) bool {
	p, t, ok := c.w.stored(id)
	return ok && p.Name == name && t.ID == id
}

// raise checks that a feature may be raised.
func (c *checkUpgrade) raise(raise scheduler.SetFeature) {
	hard := c.w.store.hard
	if !hard.Campaign.Finalize || hard.Campaign.Back {
		c.w.fail("upgrade", "Kafka is to %s, and nobody said that this may be done", raise)
	}
	for name, p := range hard.Pods {
		for _, t := range p.Tasks {
			if c.w.isKafka(name) && t.ID != "" && c.launched[t.ID] != latest {
				c.w.fail("upgrade", "Kafka is to %s, and %s runs Kafka %s", raise, t.ID,
					releases[c.launched[t.ID]])
			}
		}
	}
}

// isKafka reports whether an instance is a Kafka node.
func (w *world) isKafka(name scheduler.PodName) bool {
	spec, wanted := w.wanted(name)
	return wanted && spec.Kafka != nil
}
