//go:build e2e && long

package e2e

import (
	"fmt"
	"testing"
	"time"
)

// TestEnsembleGrows lets the ensemble of three brokers grow from one server to five, and replaces
// one of them, and lets it shrink again, under the load of idempotent producers. Nothing is lost or
// doubled, no producer sees an error, and no partition is under its minimum because of us.
func TestEnsembleGrows(t *testing.T) {
	c := newCluster(t, "kafka-zookeeper")
	c.install("--file", ensembleOf(t, 1), "--agents", "5")
	c.awaitMigrant()
	c.knows()
	f := startTraffic(t, c.bootstrap())
	for _, count := range []int{3, 5} {
		c.resizeEnsemble(f, count)
	}

	f.reset()
	before := c.taskIDs()
	follower := c.server("follower")
	c.verb("pod", "replace", follower)
	eventually(t, 10*time.Minute, follower+" is another launch", func() error {
		if c.taskIDs()[follower+"-server"] == before[follower+"-server"] {
			return fmt.Errorf("%s still runs", follower)
		}
		return nil
	})
	c.awaitMigrant()
	eventually(t, 10*time.Minute, "five serve", func() error { return c.servers(5) })
	f.calm("a server replaced")

	for _, count := range []int{3, 1} {
		c.resizeEnsemble(f, count)
	}
	f.check()
	c.uninstall()
}

// ensembleOf is the example of Kafka on ZooKeeper with so many servers.
func ensembleOf(t *testing.T, count int) string {
	t.Helper()
	return rewritten(t, "kafka-zookeeper.yml", "  zookeeper:\n    count: 3",
		fmt.Sprintf("  zookeeper:\n    allow-decommission: true\n    count: %d", count))
}

// resizeEnsemble brings the ensemble to another size.
func (c *cluster) resizeEnsemble(f *traffic, count int) {
	c.t.Helper()
	f.reset()
	began := time.Now()
	c.verb("update", "start", "--no-wait", "--file", ensembleOf(c.t, count))
	goal := fmt.Sprint("the ensemble has ", count, " servers")
	eventually(c.t, 20*time.Minute, goal, func() error {
		s, err := c.status()
		if err == nil && (len(s.Pods) != 3+count || len(s.Leftovers) > 0) {
			err = fmt.Errorf("there are %d pods and %d leftovers", len(s.Pods), len(s.Leftovers))
		}
		if err != nil {
			return err
		}
		return c.servers(count)
	})
	c.awaitMigrant()
	f.calm(fmt.Sprintf("an ensemble of %d in %v", count, time.Since(began).Round(time.Second)))
}
