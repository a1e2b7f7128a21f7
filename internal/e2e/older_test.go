//go:build e2e && long

package e2e

import (
	"testing"
	"time"
)

// TestOlderKafka has three combined nodes of Kafka 3.9, whose controllers do not become voters by
// themselves, installed, one replaced and one restarted under load.
func TestOlderKafka(t *testing.T) {
	c := newCluster(t, "older")
	c.install("--set", "service.kafka_version=3.9.1")
	c.awaitWhole(3, 30*time.Second)
	load := startLoad(t, c.bootstrap(), "load")
	before := c.taskIDs()
	c.verb("pod", "replace", "kafka-1")
	c.awaitRelaunch("kafka-1-broker", before)
	c.awaitWhole(3, 2*time.Minute)
	before = c.taskIDs()
	c.verb("pod", "restart", "kafka-0")
	c.awaitRelaunch("kafka-0-broker", before)
	c.awaitWhole(3, 2*time.Minute)
	load.check()
	c.uninstall()
}
