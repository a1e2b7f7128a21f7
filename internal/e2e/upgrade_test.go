//go:build e2e && long

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
)

// TestUpgrade brings three nodes from Kafka 3.9 to 4.3 under the load of idempotent producers:
// first to the new binaries and back again; then, paused in the middle while a node dies, and with
// the scheduler killed, to the end, with all features raised. Nothing is lost or doubled, no
// producer sees an error, and no partition is under its minimum because of us (C7).
func TestUpgrade(t *testing.T) {
	c := newCluster(t, "upgrade")
	c.install("--set", "service.kafka_version=3.9.1")
	c.awaitWhole(3, 5*time.Minute)
	f := startTraffic(t, c.bootstrap())

	began := time.Now()
	t.Log(c.must(5*time.Minute, "upgrade", "--to", "4.3.1", "--name", c.name, "--no-wait"))
	c.awaitUpgrade(api.CampaignWaiting)
	f.calm("new binaries")
	c.tellSplit("new binaries", began, time.Now())
	c.versionIs("4.3.1")

	f.reset()
	began = time.Now()
	c.verb("upgrade", "rollback", "--no-wait")
	c.awaitUpgrade(api.CampaignRolledBack)
	c.awaitWhole(3, 10*time.Minute)
	f.calm("and back")
	c.tellSplit("and back", began, time.Now())
	c.versionIs("3.9.1")

	f.reset()
	c.verb("upgrade", "--to", "4.3.1", "--no-wait", "--finalize")
	c.pausedUpgrade(f)
	c.verb("upgrade", "continue", "--no-wait")
	c.killScheduler()
	c.awaitUpgrade(api.CampaignDone)
	f.calm("to the end, over a pause and another scheduler")
	c.awaitWhole(3, 10*time.Minute)
	c.versionIs("4.3.1")
	c.tellVerdicts()
	c.featuresRaised()
	f.check()
	c.verb("update", "start", "--dry-run", "--set", "kafka.queued_max_requests=400")
	c.uninstall()
}

// pausedUpgrade pauses an upgrade once the first node has the new version. A node that dies
// meanwhile comes back with the version that it had.
func (c *cluster) pausedUpgrade(f *traffic) {
	c.t.Helper()
	eventually(c.t, 15*time.Minute, "a node is upgraded", func() error {
		if s := c.upgradeSteps(); s["COMPLETE"] < 1 {
			return fmt.Errorf("the steps are %v", s)
		}
		return nil
	})
	c.verb("upgrade", "pause")
	c.awaitUpgrade(api.CampaignPaused)
	c.awaitCalm()
	f.calm("up to the pause")
	pod, version := "kafka-0", "4.3.1"
	for i := range 3 {
		if name := fmt.Sprint("kafka-", i); c.runs(name, "3.9.1") == nil {
			pod, version = name, "3.9.1"
		}
	}
	c.t.Logf("%s, which runs Kafka %s, dies", pod, version)
	c.brokerDies(pod, version)
	f.reset()
}
