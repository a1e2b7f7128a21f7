//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
)

// awaitUpgrade waits until the upgrade is in a state.
func (c *cluster) awaitUpgrade(state string) {
	c.t.Helper()
	c.awaitCampaign("upgrade", state)
}

// awaitMigration waits until the migration is in a state.
func (c *cluster) awaitMigration(state string) {
	c.t.Helper()
	c.awaitCampaign("migrate", state)
}

// awaitCampaign waits until an upgrade or a migration is in a state. A slow machine may take long.
func (c *cluster) awaitCampaign(command, state string) {
	c.t.Helper()
	eventually(c.t, 20*time.Minute, "the "+command+" is "+state, func() error {
		s, err := c.campaign(command)
		if err == nil && s.State != state {
			err = fmt.Errorf("it is %s in %s: %s", s.State, s.Phase, s.Reason)
		}
		return err
	})
}

// campaign is how far an upgrade or a migration is.
func (c *cluster) campaign(command string) (s api.Campaign, err error) {
	out, errs, code := c.run(20*time.Second, command, "status", "--json", "--name", c.name)
	if err := json.Unmarshal([]byte(out), &s); code != 0 || err != nil {
		return s, fmt.Errorf("%s status: exit %d, %v: %s%s", command, code, err, out, errs)
	}
	return s, nil
}

// awaitCalm waits until no step of a roll is in hand, nothing is being recovered, and all that
// brokers host is in sync.
func (c *cluster) awaitCalm() {
	c.t.Helper()
	eventually(c.t, 10*time.Minute, "nothing is in hand", c.calm)
}

func (c *cluster) calm() error {
	s, err := c.status()
	if err != nil {
		return err
	}
	if p := s.Plan(api.PlanRecovery); p != nil && p.Status != api.StatusComplete {
		return fmt.Errorf("plan recovery is %s", p.Status)
	}
	for _, phase := range s.Plan(api.PlanDeploy).Phases {
		for _, step := range phase.Steps {
			if step.Status != api.StatusComplete && step.Status != api.StatusPending {
				return fmt.Errorf("step %s is %s", step.Name, step.Status)
			}
		}
	}
	if s.Kafka.Error != "" || len(s.Kafka.Brokers) != 3 || s.Kafka.OfflinePartitions > 0 {
		return fmt.Errorf("Kafka is %+v", s.Kafka)
	}
	for _, p := range s.Pods {
		if b := p.Broker; b != nil && (b.Fenced || b.NotInSync > 0) {
			return fmt.Errorf("%s is not in sync: %+v", p.Name, b)
		}
	}
	return nil
}

// brokerDies kills a broker where nothing is in hand, and demands that it comes back as it was.
func (c *cluster) brokerDies(pod, version string) {
	c.t.Helper()
	before := c.taskIDs()
	c.kill(c.broker(pod))
	eventually(c.t, 10*time.Minute, pod+" is back", func() error {
		if now := c.taskIDs()[pod+"-broker"]; now == "" || now == before[pod+"-broker"] {
			return fmt.Errorf("it has the task %q", now)
		}
		return c.calm()
	})
	if err := c.runs(pod, version); err != nil {
		c.t.Errorf("after it died: %v", err)
	}
}

// otherScheduler kills the scheduler, and waits until another one answers.
func (c *cluster) otherScheduler() {
	c.t.Helper()
	killed, _ := c.scheduler()
	c.killScheduler()
	eventually(c.t, 5*time.Minute, "another scheduler answers", func() error {
		if pid, _ := c.scheduler(); pid == killed {
			return fmt.Errorf("the latest is %d, which was killed", pid)
		}
		_, err := c.status()
		return err
	})
}

// runs says why a node does not run a version of Kafka, by the archive that it runs from.
func (c *cluster) runs(pod, version string) error {
	jar := fmt.Sprintf("/proc/%d/cwd/kafka/libs/kafka_2.13-%s.jar", c.broker(pod).pid, version)
	if _, err := os.Stat(jar); err != nil {
		return fmt.Errorf("%s does not run Kafka %s: %w", pod, version, err)
	}
	return nil
}

// versionIs demands that all brokers run a version of Kafka.
func (c *cluster) versionIs(version string) {
	c.t.Helper()
	for i := range 3 {
		if err := c.runs(fmt.Sprint("kafka-", i), version); err != nil {
			c.t.Error(err)
		}
	}
}

// protocolIs demands what brokers with ZooKeeper speak among each other.
func (c *cluster) protocolIs(line string) {
	c.t.Helper()
	for i := range 3 {
		pod := fmt.Sprint("kafka-", i)
		path := fmt.Sprintf("/proc/%d/cwd/server.properties", c.broker(pod).pid)
		text, err := os.ReadFile(path)
		lines := strings.Split(string(text), "\n")
		if err != nil || !slices.Contains(lines, "inter.broker.protocol.version="+line) {
			c.t.Errorf("%s does not speak %s: %v\n%s", pod, line, err, text)
		}
	}
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

// toFourAlone brings a cluster of one node from Kafka 3.9 to 4.3 with all features raised: every
// record is there, and nothing leads back, neither another upgrade nor a rollback, which Kafka
// refuses, and after which finalize goes on with the new version.
func (c *cluster) toFourAlone() {
	c.t.Helper()
	const records = 2000
	createTopic(c.t, c.bootstrap(), "kept", 3)
	produce(c.t, c.bootstrap(), "kept", records)
	c.verb("upgrade", "--to", "4.3.1", "--no-wait", "--finalize")
	c.awaitUpgrade(api.CampaignDone)
	if err := c.runs("kafka-0", "4.3.1"); err != nil {
		c.t.Error(err)
	}
	c.featuresRaised()
	c.refuses("is older than 4.3.1", "upgrade", "--to", "3.9.1")

	c.verb("upgrade", "rollback", "--no-wait")
	eventually(c.t, 5*time.Minute, "Kafka refuses to lower metadata.version", func() error {
		s, err := c.campaign("upgrade")
		if err == nil && !strings.Contains(s.Reason, "metadata") {
			err = fmt.Errorf("it is %s in %s: %s", s.State, s.Phase, s.Reason)
		}
		return err
	})
	c.verb("upgrade", "finalize", "--no-wait")
	c.awaitUpgrade(api.CampaignDone)
	c.featuresRaised()
	c.awaitWhole(1, 5*time.Minute)
	seen := consume(c.t, c.bootstrap(), "kept", 3)
	for i := range records {
		if n := seen[fmt.Sprint(i)]; n != 1 {
			c.t.Fatalf("record %d is there %d times", i, n)
		}
	}
}

// refuses demands that a command is refused, for a reason.
func (c *cluster) refuses(why string, args ...string) {
	c.t.Helper()
	out, errs, code := c.run(time.Minute, append(args, "--name", c.name)...)
	if code == 0 || !strings.Contains(out+errs, why) {
		c.t.Errorf("kafka-sched %v is not refused, as it %s: exit %d\n%s%s", args, why, code, out,
			errs)
	}
}

// rewritten is an example with pairs of texts replaced.
func rewritten(t *testing.T, file string, pairs ...string) string {
	t.Helper()
	text, err := os.ReadFile(example(t, file))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), file)
	text = []byte(strings.NewReplacer(pairs...).Replace(string(text)))
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// lighter is an example with one ZooKeeper server and one controller.
func lighter(t *testing.T, file string) string {
	t.Helper()
	return rewritten(t, file, "  zookeeper:\n    count: 3", "  zookeeper:\n    count: 1",
		"  controller:\n    count: 3", "  controller:\n    count: 1")
}
