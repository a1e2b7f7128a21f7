package sim

import (
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// checkStages: a migration keeps its order. No broker is launched into it before the controllers
// have a quorum; none with its metadata from the controllers before these have all of it, and
// write each change to ZooKeeper; none out of the migration as long as ZooKeeper names one of the
// controllers. No controller is launched without ZooKeeper before the operator has said that there
// need be no way back, and all brokers were launched with their metadata from the controllers.
type checkStages struct {
	w *world
	// launched is how each launch has its metadata.
	launched map[mesos.TaskID]stage
}

// stage is how a node has its metadata.
type stage int

const (
	outside stage = iota // from ZooKeeper
	inside               // from ZooKeeper, and it takes part in the migration
	beyond               // from the controllers
	guides               // it is a controller that takes part in the migration
	guided               // it is a controller beyond it
)

func newCheckStages(w *world) *checkStages {
	return &checkStages{w, map[mesos.TaskID]stage{}}
}

func (c *checkStages) stepped(_ scheduler.Event, out scheduler.Output) {
	if c.w.scenario.shape.metadata == native {
		return
	}
	for _, info := range launches(out) {
		if stage, is := c.stageOf(info); is {
			c.launched[info.ID] = stage
			c.launch(info.ID, stage)
		}
	}
}

// stageOf reads the properties that a node is launched with.
func (c *checkStages) stageOf(info mesos.TaskInfo) (s stage, is bool) {
	order := c.w.order(info)
	for _, f := range order.Files {
		if f.Path != "server.properties" || isIdle(order) {
			continue
		}
		migrates := strings.Contains(f.Text, "zookeeper.metadata.migration.enable=true\n")
		switch {
		case strings.Contains(f.Text, "broker.id=") && migrates:
			return inside, true
		case strings.Contains(f.Text, "broker.id="):
			return outside, true
		case strings.Contains(f.Text, "process.roles=broker\n"):
			return beyond, true
		case migrates:
			return guides, true
		}
		return guided, true
	}
	return outside, false
}

// launch checks the launch of a node.
func (c *checkStages) launch(id mesos.TaskID, as stage) {
	if len(c.w.kafka.clusters) == 0 {
		return
	}
	cluster, hard := c.w.kafka.clusters[0], c.w.store.hard
	zoo := cluster.zoo
	switch {
	case as == outside && zoo.KRaft:
		c.w.fail("stages", "%s is launched out of the migration, and controller %d has the "+
			"metadata", id, zoo.Controller)
	case as == inside && len(cluster.voters) == 0 && !c.w.operator.withdraws():
		c.w.fail("stages", "%s is launched into the migration, and there are no controllers", id)
	case as == beyond && !(zoo.KRaft && zoo.Copied()):
		c.w.fail("stages", "%s is launched to have its metadata from the controllers, and these "+
			"have not all of it: %+v", id, zoo.Nodes)
	case as == guided && (!hard.Campaign.Finalize || hard.Campaign.Back):
		c.w.fail("stages", "%s is launched without ZooKeeper, and nobody said that this may be "+
			"done", id)
	case as == guided:
		c.all(id)
	}
}

// all checks that no broker has its metadata from ZooKeeper any more.
func (c *checkStages) all(id mesos.TaskID) {
	for _, p := range c.w.store.hard.Pods {
		for _, t := range p.Tasks {
			if s, node := c.launched[t.ID]; node && (s == outside || s == inside) {
				c.w.fail("stages", "%s is launched without ZooKeeper, and %s has its metadata "+
					"from there", id, t.ID)
			}
		}
	}
}
