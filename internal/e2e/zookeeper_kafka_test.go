//go:build e2e && long

package e2e

import (
	"fmt"
	"testing"
	"time"
)

// TestKafkaZooKeeperExample runs Kafka 3.9 with an ensemble of its own: messages go in while a
// broker is killed, a server is killed, and the leader of the ensemble is restarted by command.
// None that was acknowledged is lost.
func TestKafkaZooKeeperExample(t *testing.T) {
	c := newCluster(t, "kafka-zookeeper")
	c.install("--file", example(t, "kafka-zookeeper.yml"), "--agents", "3")
	c.awaitOnZooKeeper()
	bootstrap := c.bootstrap()
	l := startLoad(t, bootstrap, "load")
	l.more(500)

	c.kill(c.inSandbox(c.server("follower"), "QuorumPeerMain"))
	l.more(500)
	c.kill(c.broker("kafka-1"))
	l.more(500)
	c.awaitOnZooKeeper()

	leader := c.server("leader")
	before := c.taskIDs()
	c.must(20*time.Second, "pod", "restart", leader, "--name", c.name)
	eventually(t, time.Minute, "the leader is another launch", func() error {
		if c.taskIDs()[leader+"-server"] == before[leader+"-server"] {
			return fmt.Errorf("%s still runs", leader)
		}
		return nil
	})
	l.more(500)
	c.awaitOnZooKeeper()
	for task, id := range c.taskIDs() {
		if before[task] != id && task != leader+"-server" {
			t.Errorf("%s was launched anew, too", task)
		}
	}
	l.check()
	c.verb("uninstall", "--yes")
}
