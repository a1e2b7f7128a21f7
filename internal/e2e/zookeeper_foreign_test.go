//go:build e2e && long

package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/kafka-sched/kafka-sched/internal/zk"
	"github.com/kafka-sched/kafka-sched/internal/zktest"
)

// TestForeignEnsemble runs Kafka 3.9 on a ZooKeeper that is none of the service's. The brokers are
// rolled under the load of idempotent producers: nothing is lost or doubled, no producer sees an
// error, and no partition is under its minimum. What operators do with Kafka works in this mode,
// too; what does not is refused with the reason.
func TestForeignEnsemble(t *testing.T) {
	server := zktest.Start(t)
	c := newCluster(t, "kafka-zookeeper")
	c.install("--file", onForeign(t, server.Address+"/kafka/one"), "--agents", "3")
	c.awaitMigrant()
	c.registeredAt("zk://" + server.Address + "/kafka/one/brokers/ids")
	f := startTraffic(t, c.bootstrap())
	c.verb("update", "start", "--set", "kafka.queued_max_requests=400")
	c.awaitMigrant()
	c.settings(c.bootstrap(), "queued.max.requests", "400", "400", "400")
	f.calm("a roll of brokers on a ZooKeeper of others")
	c.ledAsPreferred(trafficTopic)
	c.tellVerdicts()
	c.doesAllInZooKeeperMode()
	f.check()
	c.uninstall()
}

// ledAsPreferred waits until the first of their replicas leads each of a topic's partitions.
func (c *cluster) ledAsPreferred(topic string) {
	c.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.bootstrap()...))
	if err != nil {
		c.t.Fatal(err)
	}
	defer client.Close()
	eventually(c.t, 2*time.Minute, "leaders are back", func() error {
		all, err := kadm.NewClient(client).ListTopics(context.Background(), topic)
		if err != nil {
			return err
		}
		for id, p := range all[topic].Partitions {
			if len(p.Replicas) != 3 || p.Leader != p.Replicas[0] {
				return fmt.Errorf("%d leads partition %d of %v", p.Leader, id, p.Replicas)
			}
		}
		return all.Error()
	})
}

// onForeign is the example of Kafka on ZooKeeper without servers of its own.
func onForeign(t *testing.T, connect string) string {
	t.Helper()
	text, err := os.ReadFile(example(t, "kafka-zookeeper.yml"))
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), "  zookeeper:\n    count: 3")
	_, brokers, cut := strings.Cut(rest, "  kafka:\n")
	if !cut {
		t.Fatalf("the example is another one:\n%s", text)
	}
	path := filepath.Join(t.TempDir(), "kafka.yml")
	brokers = strings.Replace(brokers, "zookeeper: zookeeper", "zookeeper: '"+connect+"'", 1)
	if err := os.WriteFile(path, []byte(before+"  kafka:\n"+brokers), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// registeredAt demands that three brokers are registered at a node of ZooKeeper.
func (c *cluster) registeredAt(uri string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	session, err := zk.Dial(ctx, zk.SessionConfig{URI: uri, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		c.t.Fatal(err)
	}
	defer session.Close()
	if ids, _, err := session.Conn.Children(session.Path); err != nil || len(ids) != 3 {
		c.t.Errorf("%s has %v, %v", uri, ids, err)
	}
}

// doesAllInZooKeeperMode does what operators do with brokers that keep metadata in ZooKeeper.
func (c *cluster) doesAllInZooKeeperMode() {
	c.t.Helper()
	password := filepath.Join(c.t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("secret"), 0o600); err != nil {
		c.t.Fatal(err)
	}
	for _, line := range []string{
		"topic create kept --partitions 2 --replication 3 --config retention.ms=86400000",
		"topic partitions kept 3", "topic replication kept 2",
		"topic config kept retention.ms 1000", "topic delete-config kept retention.ms",
		"topic show kept", "topic offsets kept", "topic producer_test kept 10", "group list",
		"quota set --user alice producer_byte_rate=1048576", "quota list",
		"user set alice --password-file " + password, "user list", "user delete alice --yes",
		"log-dir list", "transaction list", "election preferred kept", "reassignment list",
		"rebalance --preview", "broker list", "broker describe 0", "feature describe",
		"topic delete kept",
	} {
		c.t.Logf("%s: %s", line, tailOf(c.verb(strings.Fields(line)...), 300))
	}
	for line, reason := range map[string]string{
		"acl list":           "SECURITY_DISABLED",
		"upgrade --to 4.3.1": "migrate to KRaft there",
		"upgrade rollback":   "there is no upgrade",
		"migrate rollback":   "there is no migration",
	} {
		args := append(strings.Fields(line), "--name", c.name)
		out, errs, code := c.run(time.Minute, args...)
		if code == 0 || !strings.Contains(out+errs, reason) {
			c.t.Errorf("%s: exit %d, without %q: %s%s", line, code, reason, out, errs)
		}
	}
}
