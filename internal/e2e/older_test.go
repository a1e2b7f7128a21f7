//go:build e2e && long

package e2e

import (
	"testing"
	"time"
)

// TestOlderKafka has three combined nodes of Kafka 3.9, whose controllers do not become voters by
// themselves, installed, one replaced, all rolled and one restarted under the load of idempotent
// producers.
func TestOlderKafka(t *testing.T) {
	c := newCluster(t, "older")
	c.install("--set", "service.kafka_version=3.9.1")
	c.awaitWhole(3, 30*time.Second)
	f := startTraffic(t, c.bootstrap())
	before := c.taskIDs()
	c.verb("pod", "replace", "kafka-1")
	c.awaitRelaunch("kafka-1-broker", before)
	c.awaitWhole(3, 2*time.Minute)
	f.reset()
	c.verb("update", "start", "--set", "kafka.queued_max_requests=400")
	c.awaitWhole(3, 5*time.Minute)
	c.settings(c.bootstrap(), "queued.max.requests", "400", "400", "400")
	f.calm("a roll of Kafka 3.9")
	c.tellVerdicts()
	before = c.taskIDs()
	c.verb("pod", "restart", "kafka-0")
	c.awaitRelaunch("kafka-0-broker", before)
	c.awaitWhole(3, 2*time.Minute)
	f.check()
	c.uninstall()
}
