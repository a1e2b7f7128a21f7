//go:build e2e && long

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
)

// TestChain brings a cluster of Kafka 3.8 on ZooKeeper to Kafka 4.3 under the load of idempotent
// producers: binaries of 3.9, and back, and again with the protocol behind them; into the migration
// to three controllers, back out of it, and again, where a broker dies, to its end; the binaries of
// 4.3, and all features. Nothing is lost or doubled, no producer sees an error, and no partition
// is under its minimum because of us.
func TestChain(t *testing.T) {
	c := newCluster(t, "kafka-zookeeper")
	c.install("--file", rewritten(t, "kafka-zookeeper.yml", "3.9.1", "3.8.1"), "--agents", "3")
	c.awaitMigrant()
	c.knows()
	f := startTraffic(t, c.bootstrap())

	c.zooKeeperUpgrade(f)
	c.migration(f)
	c.toFour(f)
	c.withoutEnsemble(f)

	f.check()
	c.uninstall()
}

// zooKeeperUpgrade brings the cluster to Kafka 3.9, once with the binaries alone and back.
func (c *cluster) zooKeeperUpgrade(f *traffic) {
	c.t.Helper()
	began := time.Now()
	c.t.Log(c.must(5*time.Minute, "upgrade", "--to", "3.9.1", "--name", c.name, "--no-wait"))
	c.awaitUpgrade(api.CampaignWaiting)
	f.calm("binaries of 3.9")
	c.tellSplit("binaries of 3.9", began, time.Now())
	c.versionIs("3.9.1")
	c.protocolIs("3.8")

	f.reset()
	c.verb("upgrade", "rollback", "--no-wait")
	c.awaitUpgrade(api.CampaignRolledBack)
	c.awaitMigrant()
	f.calm("back to 3.8")
	c.versionIs("3.8.1")

	f.reset()
	c.verb("upgrade", "--to", "3.9.1", "--no-wait", "--pause-after", "binaries", "--finalize")
	c.awaitUpgrade(api.CampaignPaused)
	c.otherScheduler()
	c.verb("upgrade", "continue", "--no-wait")
	c.awaitUpgrade(api.CampaignDone)
	f.calm("binaries and protocol of 3.9")
	c.versionIs("3.9.1")
	c.protocolIs("3.9")
	if _, errs, code := c.run(time.Minute, "upgrade", "rollback", "--name", c.name); code == 0 ||
		!strings.Contains(errs, "no way back") {
		c.t.Errorf("a protocol that was raised was lowered: exit %d, %s", code, errs)
	}
}

// migration brings the cluster to KRaft, once into the migration and out of it again.
func (c *cluster) migration(f *traffic) {
	c.t.Helper()
	spec := example(c.t, "kafka-migrated.yml")
	f.reset()
	c.verb("migrate", "start", "--file", spec, "--no-wait", "--pause-after", "enter")
	c.awaitMigration(api.CampaignPaused)
	f.calm("into the migration")
	c.verb("migrate", "rollback", "--no-wait")
	c.awaitMigration(api.CampaignRolledBack)
	c.awaitMigrant()
	f.calm("and out of it")

	f.reset()
	c.verb("migrate", "start", "--file", spec, "--no-wait", "--pause-after", "dual-write")
	c.awaitMigration(api.CampaignPaused)
	c.awaitCalm()
	f.calm("into the migration again")
	c.brokerDies("kafka-1", "3.9.1")
	f.reset()
	c.verb("migrate", "continue", "--no-wait")
	c.awaitMigration(api.CampaignWaiting)
	c.finalized(f, "into KRaft")
}

// toFour brings the cluster to Kafka 4.3 with all features. What the service became by its
// migration is what this machine has recorded of it.
func (c *cluster) toFour(f *traffic) {
	c.t.Helper()
	c.verb("update", "start", "--dry-run", "--set", "kafka.queued_max_requests=400")
	f.reset()
	began := time.Now()
	c.t.Log(c.must(5*time.Minute, "upgrade", "--to", "4.3.1", "--name", c.name, "--no-wait",
		"--finalize"))
	c.awaitUpgrade(api.CampaignDone)
	f.calm(fmt.Sprintf("to 4.3 in %v", time.Since(began).Round(time.Second)))
	c.versionIs("4.3.1")
	c.featuresRaised()
	c.tellVerdicts()
}

// withoutEnsemble takes away the ZooKeeper servers, which nobody needs any more.
func (c *cluster) withoutEnsemble(f *traffic) {
	c.t.Helper()
	text, err := os.ReadFile(example(c.t, "kafka-migrated.yml"))
	if err != nil {
		c.t.Fatal(err)
	}
	spec := strings.ReplaceAll(string(text), " version: 3.9.1", " version: 4.3.1")
	begin, end := strings.Index(spec, "  zookeeper:\n"), strings.Index(spec, "  kafka:\n    count")
	may := spec[:begin] + "  zookeeper:\n    allow-decommission: true\n" +
		spec[begin+len("  zookeeper:\n"):]
	f.reset()
	for _, text := range []string{may, spec[:begin] + spec[end:]} {
		path := filepath.Join(c.t.TempDir(), "kafka.yml")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			c.t.Fatal(err)
		}
		c.verb("update", "start", "--no-wait", "--file", path)
		c.awaitMigrant()
	}
	eventually(c.t, 10*time.Minute, "the servers are gone", func() error {
		s, err := c.status()
		if err == nil && len(s.Pods) != 6 {
			err = fmt.Errorf("there are %d pods", len(s.Pods))
		}
		return err
	})
	f.calm("without ZooKeeper")
}
