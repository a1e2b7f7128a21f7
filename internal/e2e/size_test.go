//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestSize lets a cluster grow from three brokers to four and shrink back under load: nobody else
// restarts, the new broker is filled with a throttle, the scheduler dies while it is emptied, and
// nothing is lost (C10).
func TestSize(t *testing.T) {
	c := newCluster(t, "size")
	c.install("--agents", "4")
	c.awaitWhole(3, 30*time.Second)
	load := startLoad(t, c.bootstrap(), "load")
	before := c.taskIDs()
	c.verb("update", "start", "--set", "brokers.count=4")
	c.awaitWhole(4, time.Minute)
	if out := c.verb("rebalance", "--to-new", "--preview"); !strings.Contains(out, "partition") {
		t.Errorf("the preview says:\n%s", out)
	}
	c.verb("rebalance", "--to-new", "--throttle", "100M")
	eventually(t, 2*time.Minute, "the new broker is filled", func() error {
		out := c.verb("rebalance", "status")
		if !strings.Contains(out, "is DONE") {
			return fmt.Errorf("%s", out)
		}
		return nil
	})
	if out := c.verb("broker", "describe", "3"); strings.Contains(out, " 0 partitions hosted") {
		t.Errorf("broker 3 hosts nothing:\n%s", out)
	}
	c.verb("update", "start", "--set", "brokers.count=3")
	c.killScheduler()
	c.awaitWhole(3, 3*time.Minute)
	for task, id := range c.taskIDs() {
		if before[task] != id {
			t.Errorf("%s was relaunched", task)
		}
	}
	load.check()
	c.uninstall()
}
