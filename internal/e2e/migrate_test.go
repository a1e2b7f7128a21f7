//go:build e2e && long

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
)

// migrant is a cluster of Kafka 3.9 with an ensemble of its own, which knows what a migration has
// to keep, the file that brings it to KRaft, and its load.
func migrant(t *testing.T) (c *cluster, spec string, f *traffic) {
	t.Helper()
	c = newCluster(t, "kafka-zookeeper")
	before, spec := lighter(t, "kafka-zookeeper.yml"), lighter(t, "kafka-migrated.yml")
	c.install("--file", before, "--agents", "3")
	c.awaitMigrant()
	c.knows()
	return c, spec, startTraffic(t, c.bootstrap())
}

// TestMigrate brings a cluster of Kafka 3.9 with an ensemble of its own to KRaft under the load of
// idempotent producers: first into KRaft and all the way back to ZooKeeper, then, with the
// scheduler killed in the middle, to the end. Nothing is lost or doubled, no producer sees an
// error, no partition is under its minimum, and what Kafka knows beside the data is the same (C8).
func TestMigrate(t *testing.T) {
	c, spec, f := migrant(t)

	plan := c.must(time.Minute, "migrate", "start", "--file", spec, "--dry-run", "--name", c.name)
	t.Log(plan)
	began := time.Now()
	c.verb("migrate", "start", "--file", spec, "--no-wait")
	c.awaitMigration(api.CampaignWaiting)
	f.calm(fmt.Sprintf("into KRaft in %v", time.Since(began).Round(time.Second)))
	c.nothingDiffers()

	f.reset()
	began = time.Now()
	c.verb("migrate", "rollback", "--no-wait")
	c.awaitMigration(api.CampaignRolledBack)
	c.awaitMigrant()
	f.calm(fmt.Sprintf("and back in %v", time.Since(began).Round(time.Second)))

	f.reset()
	began = time.Now()
	c.verb("migrate", "start", "--file", spec, "--no-wait", "--pause-after", "enter")
	c.awaitMigration(api.CampaignPaused)
	c.otherScheduler()
	c.verb("migrate", "continue", "--no-wait")
	c.awaitMigration(api.CampaignWaiting)
	c.finalized(f, fmt.Sprintf("a migration in %v", time.Since(began).Round(time.Second)))
	c.tellVerdicts()
	f.check()
	c.uninstall()
}

// TestMigrateBack takes a migration back from behind its first phases, one after the other, with a
// broker that dies while it is paused; from behind the last one TestMigrate does.
func TestMigrateBack(t *testing.T) {
	c, spec, f := migrant(t)

	for _, phase := range []string{"controllers", "enter", "dual-write"} {
		f.reset()
		c.verb("migrate", "start", "--file", spec, "--no-wait", "--pause-after", phase)
		c.awaitMigration(api.CampaignPaused)
		c.awaitCalm()
		f.calm("up to the end of " + phase)
		c.brokerDies("kafka-2", "3.9.1")
		f.reset()
		c.verb("migrate", "rollback", "--no-wait")
		c.awaitMigration(api.CampaignRolledBack)
		c.awaitMigrant()
		f.calm("back from " + phase)
		c.nothingDiffers()
	}
	c.tellVerdicts()
	f.check()
	c.uninstall()
}

// TestMigrateThenUpgrade brings such a cluster on to Kafka 4.3 with all features by one command,
// which pauses at the end of the migration, where the scheduler is killed, and behind the new
// binaries of the brokers.
func TestMigrateThenUpgrade(t *testing.T) {
	c, spec, f := migrant(t)

	began := time.Now()
	c.t.Log(c.must(5*time.Minute, "migrate", "start", "--file", spec, "--then-upgrade", "4.3.1",
		"--then-finalize", "--pause-after", "finalize", "--pause-after", "upgrade:brokers",
		"--no-wait", "--name", c.name))
	c.awaitMigration(api.CampaignWaiting)
	f.calm("into KRaft")
	c.nothingDiffers()
	f.reset()
	c.verb("migrate", "finalize", "--no-wait")
	c.awaitMigration(api.CampaignPaused)
	f.calm("the end of the migration")
	c.versionIs("3.9.1")

	f.reset()
	c.otherScheduler()
	c.verb("migrate", "continue", "--no-wait")
	c.awaitUpgrade(api.CampaignPaused)
	f.calm("the binaries of 4.3")
	c.versionIs("4.3.1")
	c.verb("upgrade", "continue", "--no-wait")
	c.awaitUpgrade(api.CampaignDone)
	f.calm(fmt.Sprintf("the whole chain in %v", time.Since(began).Round(time.Second)))
	c.awaitMigration(api.CampaignDone)
	c.featuresRaised()
	c.tellVerdicts()
	f.check()
	c.uninstall()
}

// knows gives the cluster something to know beside data.
func (c *cluster) knows() {
	c.t.Helper()
	c.verb("topic", "create", "kept", "--partitions", "2", "--replication", "3",
		"--config", "retention.ms=86400000")
	c.verb("quota", "set", "--user", "alice", "producer_byte_rate=1048576")
}

// finalized ends a migration that waits: all is as it was, and there is no way back.
func (c *cluster) finalized(f *traffic, what string) {
	c.t.Helper()
	c.nothingDiffers()
	c.verb("migrate", "finalize", "--no-wait")
	c.awaitMigration(api.CampaignDone)
	f.calm(what)
	if _, errs, code := c.run(time.Minute, "migrate", "rollback", "--name", c.name); code == 0 ||
		!strings.Contains(errs, "no way back") {
		c.t.Errorf("a migration that was finalized was undone: exit %d, %s", code, errs)
	}
}

// awaitMigrant waits until all three brokers are in all that they host.
func (c *cluster) awaitMigrant() {
	c.t.Helper()
	eventually(c.t, 10*time.Minute, "all brokers are in sync", func() error {
		_, err := c.complete(api.PlanDeploy, api.PlanRecovery)
		return err
	})
}
