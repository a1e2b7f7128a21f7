package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/upgrade"
)

// What releases of Kafka make of a cluster: which features nodes can have, and which nodes start.

// release is the Kafka that a node runs.
type release int

const (
	former release = iota
	latest
	bridge // the last with ZooKeeper
)

// releases are the versions by which operators know them.
var releases = [...]string{"4.2.1", "4.3.1", "3.9.1"}

// cordoning is the level of metadata.version from which on brokers can be cordoned.
const cordoning = 30

// abilities are the greatest levels of features that releases can have.
var abilities = [...]map[string]int{
	{upgrade.Metadata: 29, upgrade.Quorum: 1, "group.version": 1, "share.version": 1},
	{upgrade.Metadata: cordoning, upgrade.Quorum: 1, "group.version": 1, "share.version": 2},
	{upgrade.Metadata: 21, upgrade.Quorum: 1},
}

// release is the version in the spec of a shape.
func (s shape) release() string {
	return releases[s.kafka()]
}

// kafka is the release of a shape.
func (s shape) kafka() release {
	switch {
	case s.metadata != native:
		return bridge
	case s.former:
		return former
	}
	return latest
}

// features are those of a cluster that is founded; one of them is never raised by itself.
func (r release) features() map[string]int {
	levels := maps.Clone(abilities[r])
	levels[upgrade.Quorum] = 0
	return levels
}

// archive is where the scheduler serves a version of Kafka.
func archive(version string) string { return "/kafka-" + version + ".tgz" }

// releaseOf is the Kafka that the agent fetches for a task.
func (w *world) releaseOf(info mesos.TaskInfo) release {
	for _, u := range info.Executor.Command.URIs {
		for r, version := range releases {
			if strings.HasSuffix(u.Value, archive(version)) {
				return release(r)
			}
		}
	}
	return w.scenario.shape.kafka()
}

// starts reports whether a process comes up.
func (k *kafka) starts(n *node) bool {
	switch {
	case n.ended:
		return false
	case k.w.scenario.bad && n.release == latest:
		n.t.end(mesos.Failed, "Kafka "+releases[latest]+" does not start")
		return false
	}
	return n.volume.cluster == nil || k.fits(n, n.volume.cluster)
}

// fits ends a process that cannot do what its cluster has finalized.
func (k *kafka) fits(n *node, c *cluster) bool {
	for name, level := range c.features {
		if level > abilities[n.release][name] {
			n.t.end(mesos.Failed, "Kafka "+releases[n.release]+" does not know the features")
			return false
		}
	}
	return true
}

// featureFacts are the features that all nodes can have that answer.
func (k *kafka) featureFacts(c *cluster, addresses []string) []scheduler.FeatureFacts {
	var list []scheduler.FeatureFacts
	for _, name := range slices.Sorted(maps.Keys(c.features)) {
		f := scheduler.FeatureFacts{Name: name, Finalized: c.features[name],
			Greatest: abilities[latest][name]}
		for _, n := range k.nodes {
			if slices.Contains(addresses, n.client) || slices.Contains(addresses, n.controller) {
				f.Greatest = min(f.Greatest, abilities[n.release][name])
			}
		}
		list = append(list, f)
	}
	return list
}

// setFeature brings a feature to a level; it says why Kafka refuses that.
func (k *kafka) setFeature(c *cluster, change scheduler.SetFeature) string {
	now, known := c.features[change.Name]
	switch {
	case !known:
		return "there is no such feature"
	case change.Lower != (change.Level < now):
		return "" // it is so already
	}
	for _, n := range k.nodes {
		if n.volume.cluster == c && change.Level > abilities[n.release][change.Name] {
			return fmt.Sprintf("node %d cannot have that level", n.id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.brokers)) {
		if change.Level > abilities[c.brokers[id].node.release][change.Name] {
			return fmt.Sprintf("broker %d is registered and cannot have that level", id)
		}
	}
	c.features[change.Name] = change.Level
	return ""
}

// unfinished says what of an upgrade a service that is complete lacks, "" if nothing.
func (w *world) unfinished() string {
	hard := w.store.hard
	for _, n := range w.kafka.nodes {
		c := n.volume.cluster
		if c == nil || c.id != hard.Kafka.ID {
			continue
		}
		if c.cordoned[n.id] {
			return fmt.Sprintf("broker %d is cordoned and wanted", n.id)
		}
		begun := w.scenario.shape.kafka()
		if begun == former && hard.Campaign.Number > 0 && !hard.Campaign.Back {
			begun = latest
		}
		if c.zoo != nil && w.metadata() == inZooKeeper {
			continue // features are of controllers
		}
		if want := begun.features(); !maps.Equal(c.features, want) {
			return fmt.Sprintf("the features are %v, not %v", c.features, want)
		}
	}
	return ""
}
