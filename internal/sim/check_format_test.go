package sim

import (
	"slices"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// checkFormat: a volume is formatted as the first of a cluster only if the store says that it
// may be, and never a second time once another has members or still belongs to an instance.
// All others are formatted only after the cluster was founded.
func (w *world) checkFormat(n *node) {
	if n.t.wasAway && n.t.replaced {
		return // of an earlier place; it will be killed
	}
	hard := w.store.hard
	if n.format != "--standalone" {
		if !hard.Kafka.Founded {
			w.fail("format", "%s joins a cluster that is not founded", n.t.info.ID)
		}
		return
	}
	if hard.Kafka.Founder != n.volume.id {
		w.fail("format", "%s may not be formatted --standalone, only %q may",
			n.volume.id, hard.Kafka.Founder)
	}
	for _, c := range w.kafka.clusters {
		if c.inZooKeeper() {
			continue
		}
		if len(c.members) > 1 && c.zoo == nil || len(c.voters) > 1 || w.holder(c) != "" {
			w.fail("format", "%s founds a second cluster beside that of %s",
				n.volume.id, c.founder.id)
		}
	}
}

// inZooKeeper reports whether all that a cluster is stands in ZooKeeper: it has no controllers yet,
// or those that it had went with their data before one of them began the migration there.
func (c *cluster) inZooKeeper() bool {
	if c.zoo == nil || len(c.voters) > 0 && (c.zoo.KRaft || c.zoo.Migration) {
		return false
	}
	for _, v := range c.voters {
		if !v.destroyed {
			return false
		}
	}
	return true
}

// holder names the instance that holds the founder's volume of a cluster.
func (w *world) holder(c *cluster) string {
	var holder scheduler.PodName
	found := false
	for name, p := range w.store.hard.Pods {
		if slices.Contains(volumesOf(p), c.founder.id) {
			holder, found = name, true
		}
	}
	if !found {
		return ""
	}
	return holder.String()
}
