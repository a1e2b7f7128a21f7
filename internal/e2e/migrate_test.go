//go:build e2e && long

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
)

// TestMigrate brings a cluster of Kafka 3.9 with an ensemble of its own to KRaft under the load of
// idempotent producers: first into KRaft and all the way back to ZooKeeper, then, with the
// scheduler killed in the middle, to the end. Nothing is lost or doubled, no producer sees an
// error, no partition is under its minimum, and what Kafka knows beside the data is the same.
func TestMigrate(t *testing.T) {
	c := newCluster(t, "kafka-zookeeper")
	before, spec := lighter(t, "kafka-zookeeper.yml"), lighter(t, "kafka-migrated.yml")
	c.install("--file", before, "--agents", "3")
	c.awaitMigrant()
	c.verb("topic", "create", "kept", "--partitions", "2", "--replication", "3",
		"--config", "retention.ms=86400000")
	c.verb("quota", "set", "--user", "alice", "producer_byte_rate=1048576")
	f := startTraffic(t, c.bootstrap())

	plan := c.must(time.Minute, "migrate", "start", "--file", spec, "--dry-run", "--name", c.name)
	t.Log(plan)
	began := time.Now()
	c.verb("migrate", "start", "--file", spec, "--no-wait")
	c.awaitMigration(api.CampaignWaiting, 10*time.Minute)
	f.calm(fmt.Sprintf("into KRaft in %v", time.Since(began).Round(time.Second)))
	c.nothingDiffers()

	f.reset()
	began = time.Now()
	c.verb("migrate", "rollback", "--no-wait")
	c.awaitMigration(api.CampaignRolledBack, 10*time.Minute)
	c.awaitMigrant()
	f.calm(fmt.Sprintf("and back in %v", time.Since(began).Round(time.Second)))

	f.reset()
	began = time.Now()
	c.verb("migrate", "start", "--file", spec, "--no-wait", "--pause-after", "enter")
	c.awaitMigration(api.CampaignPaused, 10*time.Minute)
	c.killScheduler()
	c.verb("migrate", "continue", "--no-wait")
	c.awaitMigration(api.CampaignWaiting, 10*time.Minute)
	c.nothingDiffers()
	c.verb("migrate", "finalize", "--no-wait")
	c.awaitMigration(api.CampaignDone, 5*time.Minute)
	f.calm(fmt.Sprintf("a migration in %v", time.Since(began).Round(time.Second)))
	if _, errs, code := c.run(time.Minute, "migrate", "rollback", "--name", c.name); code == 0 ||
		!strings.Contains(errs, "no way back") {
		t.Errorf("a migration that was finalized was undone: exit %d, %s", code, errs)
	}
	c.tellVerdicts()
	f.check()
	c.uninstall()
}

// lighter is an example with one ZooKeeper server and one controller.
func lighter(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(example(t, file))
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"zookeeper", "controller"} {
		text = bytes.Replace(text, []byte("  "+kind+":\n    count: 3"),
			[]byte("  "+kind+":\n    count: 1"), 1)
	}
	path := filepath.Join(t.TempDir(), file)
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// awaitMigrant waits until all three brokers are in all that they host.
func (c *cluster) awaitMigrant() {
	c.t.Helper()
	eventually(c.t, 5*time.Minute, "all brokers are in sync", func() error {
		s, err := c.status()
		if err != nil {
			return err
		}
		for _, plan := range []string{api.PlanDeploy, api.PlanRecovery} {
			if p := s.Plan(plan); p != nil && p.Status != api.StatusComplete {
				return fmt.Errorf("plan %s is %s", plan, p.Status)
			}
		}
		return nil
	})
}

// awaitMigration waits until the migration is in a state.
func (c *cluster) awaitMigration(state string, timeout time.Duration) {
	c.t.Helper()
	eventually(c.t, timeout, "the migration is "+state, func() error {
		out, errs, code := c.run(20*time.Second, "migrate", "status", "--json", "--name", c.name)
		var s api.Campaign
		if err := json.Unmarshal([]byte(out), &s); code != 0 || err != nil {
			return fmt.Errorf("migrate status: exit %d, %v: %s%s", code, err, out, errs)
		}
		if s.State != state {
			return fmt.Errorf("it is %s in %s: %s", s.State, s.Phase, s.Reason)
		}
		return nil
	})
}

// nothingDiffers demands that all is there that was before the migration.
func (c *cluster) nothingDiffers() {
	c.t.Helper()
	var s api.MigrateComparison
	out := c.verb("migrate", "compare", "--json")
	if err := json.Unmarshal([]byte(out), &s); err != nil || len(s.Differences) > 0 ||
		s.Kinds[0].Now < 2 {
		c.t.Errorf("migrate compare: %v in %s", err, out)
	}
}
