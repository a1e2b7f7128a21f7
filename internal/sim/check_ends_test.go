package sim

import (
	"fmt"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// Never both ends are active: ZooKeeper is made to forget the controllers only on the way back,
// when none of them runs, and nobody has its metadata from them; a broker becomes the controller
// again only then; and controllers take over only from brokers that all take part in the migration.

// checkEnds: ZooKeeper is told to forget a migration only on the way back.
type checkEnds struct{ w *world }

func (c *checkEnds) stepped(_ scheduler.Event, out scheduler.Output) {
	for _, call := range out.Calls {
		ask, ok := call.(scheduler.AskMigration)
		if ok && ask.Forget && !c.w.operator.withdraws() {
			c.w.fail("ends", "ZooKeeper is to forget a migration that is not being undone: %s",
				c.w.store.hard.Campaign)
		}
	}
}

// stray reports whether a process is one of an earlier place, which will be killed.
func (n *node) stray() bool { return n.t.wasAway && n.t.replaced }

// checkForgotten: no controller runs, nor a broker whose metadata is with them, when ZooKeeper
// forgets them.
func (k *kafka) checkForgotten(c *cluster) {
	for _, n := range k.nodes {
		if n.volume.cluster == c && !n.elects && !n.stray() {
			k.w.fail("ends", "ZooKeeper forgets the migration, and %s runs", n.t.info.ID)
		}
	}
}

// checkElected: nobody has its metadata from controllers when a broker becomes the controller.
func (k *kafka) checkElected(c *cluster) {
	for _, n := range k.nodes {
		if n.volume.cluster == c && n.serves && !n.elects && !n.stray() {
			k.w.fail("ends", "broker %d is the controller, and %s has its metadata from others",
				c.zoo.Controller, n.t.info.ID)
		}
	}
}

// checkTaken: no broker runs that does not take part when the controllers take over.
func (k *kafka) checkTaken(c *cluster) {
	for _, n := range k.nodes {
		if n.volume.cluster == c && n.elects && !n.migrates && !n.stray() {
			k.w.fail("ends", "controller %d takes over, and %s does not take part",
				c.zoo.Controller, n.t.info.ID)
		}
	}
}

// unmigrated says in which way a cluster whose service is complete is in the middle of a migration,
// "" in none: it is wholly with ZooKeeper, which has nothing of a migration left, or wholly with
// the controllers, which have left ZooKeeper.
func (w *world) unmigrated() string {
	if w.scenario.shape.metadata == native || len(w.kafka.clusters) == 0 {
		return ""
	}
	c, now := w.kafka.clusters[0], w.metadata()
	done := w.store.hard.Campaign
	if finished := done.Number > 0 && !done.Back; finished != (now == migrated) {
		return fmt.Sprintf("the metadata is not where the campaign %s led", done)
	}
	for _, n := range w.kafka.nodes {
		if n.migrates || n.elects != (now == inZooKeeper) {
			return fmt.Sprintf("%s is in the middle of a migration", n.t.info.ID)
		}
	}
	if now == inZooKeeper && (c.zoo.KRaft || c.zoo.Migration || c.zoo.Controller < 0) {
		return fmt.Sprintf("ZooKeeper has %+v", c.zoo.Nodes)
	}
	return ""
}
