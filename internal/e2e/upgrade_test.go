//go:build e2e && long

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
)

// TestUpgrade brings three nodes from Kafka 3.9 to 4.3 under the load of idempotent producers:
// first to the new binaries and back again; then, paused in the middle while a node dies, and with
// the scheduler killed, to the end, with all features raised. Nothing is lost or doubled, no
// producer sees an error, and no partition is under its minimum because of us.
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

// TestAnotherJava has the agents of three brokers fetch another Java runtime than their own: one
// broker after the other comes to run with it, under the load of idempotent producers.
func TestAnotherJava(t *testing.T) {
	c := newCluster(t, "java")
	c.install()
	c.awaitWhole(3, 5*time.Minute)
	f := startTraffic(t, c.bootstrap())
	if own := c.javaOf("kafka-0"); strings.HasPrefix(own, c.home) {
		t.Fatalf("the broker runs %s before", own)
	}
	before := c.taskIDs()
	out := c.verb("self-upgrade", "--jre", javaHome(t), "--roll-executors", "--no-wait")
	t.Log(out)
	eventually(t, 20*time.Minute, "all are launched anew", func() error {
		for task, id := range c.taskIDs() {
			if before[task] == id {
				return fmt.Errorf("%s is as before", task)
			}
		}
		return c.whole(3)
	})
	f.calm("a roll to another Java")
	for i := range 3 {
		pod := fmt.Sprint("kafka-", i)
		if own := c.javaOf(pod); !strings.HasPrefix(own, c.home) {
			t.Errorf("%s runs %s", pod, own)
		}
	}
	c.tellVerdicts()
	f.check()
	c.uninstall()
}

// javaOf is the program that a broker is.
func (c *cluster) javaOf(pod string) string {
	c.t.Helper()
	path, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", c.broker(pod).pid))
	if err != nil {
		c.t.Fatal(err)
	}
	return path
}

// javaHome is the folder of the Java runtime of this machine.
func javaHome(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("java")
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(filepath.Dir(path))
}
