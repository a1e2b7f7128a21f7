//go:build e2e && long

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
)

// TestUpgrade brings three nodes from Kafka 3.9 to 4.3 under the load of idempotent producers:
// first to the new binaries and back again, then to the end, with the scheduler killed in the
// middle and all features raised. Nothing is lost or doubled, no producer sees an error, and no
// partition is under its minimum.
func TestUpgrade(t *testing.T) {
	c := newCluster(t, "upgrade")
	c.install("--set", "service.kafka_version=3.9.1")
	c.awaitWhole(3, 5*time.Minute)
	f := startTraffic(t, c.bootstrap())

	began := time.Now()
	t.Log(c.must(5*time.Minute, "upgrade", "--to", "4.3.1", "--name", c.name, "--no-wait"))
	c.awaitUpgrade(api.CampaignWaiting, 20*time.Minute)
	f.calm(fmt.Sprintf("new binaries in %v", time.Since(began).Round(time.Second)))
	c.versionIs("4.3.1")
	f.reset()
	began = time.Now()
	c.verb("upgrade", "rollback", "--no-wait")
	c.awaitUpgrade(api.CampaignRolledBack, 20*time.Minute)
	c.awaitWhole(3, 10*time.Minute)
	f.calm(fmt.Sprintf("and back in %v", time.Since(began).Round(time.Second)))
	c.versionIs("3.9.1")

	f.reset()
	began = time.Now()
	c.verb("upgrade", "--to", "4.3.1", "--no-wait", "--finalize")
	eventually(t, 15*time.Minute, "a node is upgraded", func() error {
		if s := c.upgradeSteps(); s["COMPLETE"] < 1 {
			return fmt.Errorf("the steps are %v", s)
		}
		return nil
	})
	c.killScheduler()
	c.awaitUpgrade(api.CampaignDone, 20*time.Minute)
	f.calm(fmt.Sprintf("an upgrade in %v", time.Since(began).Round(time.Second)))
	c.awaitWhole(3, 10*time.Minute)
	c.versionIs("4.3.1")
	c.tellVerdicts()
	c.featuresRaised()
	f.check()
	c.verb("update", "start", "--set", "kafka.queued_max_requests=400")
	c.uninstall()
}

// awaitUpgrade waits until the upgrade is in a state.
func (c *cluster) awaitUpgrade(state string, timeout time.Duration) {
	c.t.Helper()
	eventually(c.t, timeout, "the upgrade is "+state, func() error {
		out, errs, code := c.run(20*time.Second, "upgrade", "status", "--json", "--name", c.name)
		var s api.Campaign
		if err := json.Unmarshal([]byte(out), &s); code != 0 || err != nil {
			return fmt.Errorf("upgrade status: exit %d, %v: %s%s", code, err, out, errs)
		}
		if s.State != state {
			return fmt.Errorf("it is %s in %s: %s", s.State, s.Phase, s.Reason)
		}
		return nil
	})
}

// upgradeSteps counts the steps of the plan upgrade by their status.
func (c *cluster) upgradeSteps() map[string]int {
	found := map[string]int{}
	s, err := c.status()
	if p := s.Plan("upgrade"); err == nil && p != nil {
		for _, phase := range p.Phases {
			for _, step := range phase.Steps {
				found[step.Status]++
			}
		}
	}
	return found
}

// versionIs demands that all nodes run a version of Kafka, by the archives that they run from.
func (c *cluster) versionIs(version string) {
	c.t.Helper()
	for i := range 3 {
		p := c.broker(fmt.Sprint("kafka-", i))
		jar := fmt.Sprintf("/proc/%d/cwd/kafka/libs/kafka_2.13-%s.jar", p.pid, version)
		if _, err := os.Stat(jar); err != nil {
			c.t.Errorf("kafka-%d does not run Kafka %s: %v", i, version, err)
		}
	}
}

// featuresRaised demands that all features but that of the quorum are as high as they can be.
func (c *cluster) featuresRaised() {
	c.t.Helper()
	var list api.FeatureList
	out := c.verb("feature", "describe", "--json")
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		c.t.Fatalf("feature describe --json: %v in %s", err, out)
	}
	for _, f := range list.Features {
		if f.Name != "kraft.version" && f.Finalized != f.Greatest {
			c.t.Errorf("feature %s is %d of %d", f.Name, f.Finalized, f.Greatest)
		}
	}
	if len(list.Features) < 4 {
		c.t.Errorf("only these features: %s", out)
	}
}
