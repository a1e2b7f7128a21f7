//go:build e2e && long

package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/zk"
	"github.com/kafka-sched/kafka-sched/internal/zktest"
)

// ensemblePassword is what brokers authenticate with.
const ensemblePassword = "not-to-be-seen"

// TestSecureEnsemble runs Kafka 3.9 on an ensemble of its own that answers over TLS alone, and lets
// nobody in without the password. The leader is restarted, and servers and brokers are rolled,
// under the load of idempotent producers: nothing is lost or doubled, no producer sees an error,
// and no partition is under its minimum. Nobody can read the password who may not.
func TestSecureEnsemble(t *testing.T) {
	c := newCluster(t, "kafka-zookeeper")
	id := zktest.NewIdentity(t)
	c.install("--file", secureEnsemble(t, 256), "--agents", "3", "--secrets", secretsOf(t, id))
	c.awaitOthers(nil)
	f := startTraffic(t, c.bootstrap())
	c.letsNobodyIn(id)

	leader, before := c.server("leader"), c.taskIDs()
	c.verb("pod", "restart", leader)
	c.awaitOthers(before, leader+"-server")
	f.calm("the leader restarted")

	f.reset()
	before = c.taskIDs()
	c.verb("update", "start", "--no-wait", "--file", secureEnsemble(t, 260), "--set",
		"kafka.queued_max_requests=400")
	c.awaitOthers(before, slices.Collect(maps.Keys(before))...)
	f.calm("servers and brokers rolled")

	plain := rewritten(t, "kafka-zookeeper.yml")
	if _, errs, code := c.run(time.Minute, "update", "start", "--file", plain, "--name",
		c.name); code == 0 || !strings.Contains(errs, "whether there is zookeeper.tls") {
		t.Errorf("an ensemble without its secrets: exit %d, %s", code, errs)
	}
	c.showsNoPassword()
	f.check()
	c.uninstall()
}

// awaitOthers waits until three servers and all brokers are whole, and tasks are other launches
// than before.
func (c *cluster) awaitOthers(before map[string]string, tasks ...string) {
	c.t.Helper()
	eventually(c.t, 10*time.Minute, "tasks are other launches", func() error {
		now := c.taskIDs()
		for _, task := range tasks {
			if now[task] == before[task] {
				return fmt.Errorf("%s was not launched anew", task)
			}
		}
		return c.servers(3)
	})
	c.awaitMigrant()
}

// secureEnsemble is the example of Kafka on ZooKeeper with an ensemble that is secure.
func secureEnsemble(t *testing.T, heap int) string {
	t.Helper()
	return rewritten(t, "kafka-zookeeper.yml", "      kafka-version: 3.9.1\n      heap: 256\n",
		fmt.Sprintf("      kafka-version: 3.9.1\n      heap: %d\n      jaas: zk/jaas.conf\n"+
			"      tls: {certificate: zk/server.pem, authority: zk/ca.pem}\n", heap))
}

// secretsOf makes a folder with the secrets that it names.
func secretsOf(t *testing.T, id zktest.Identity) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "zk"), 0o700); err != nil {
		t.Fatal(err)
	}
	module := "org.apache.zookeeper.server.auth.DigestLoginModule required"
	jaas := fmt.Sprintf("Server { %s user_kafka=%q; };\nClient { %[1]s username=\"kafka\" "+
		"password=%[2]q; };\n", module, ensemblePassword)
	files := map[string][]byte{"jaas.conf": []byte(jaas)}
	for name, from := range map[string]string{"server.pem": id.Both(t), "ca.pem": id.CAFile} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = text
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, "zk", name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// letsNobodyIn demands of each server that it says nothing in plain text, and reads nothing to who
// comes over TLS without the password.
func (c *cluster) letsNobodyIn(id zktest.Identity) {
	c.t.Helper()
	var e struct{ Address []string }
	out := c.must(20*time.Second, "endpoints", "client", "--json", "--name", c.name)
	if err := json.Unmarshal([]byte(out), &e); err != nil || len(e.Address) != 3 {
		c.t.Fatalf("endpoints client: %v in %s", err, out)
	}
	authority, err := os.ReadFile(id.CAFile)
	if err != nil {
		c.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	for _, address := range e.Address {
		if text := inPlainText(c.t, address); strings.Contains(text, "Mode:") {
			c.t.Errorf("%s answers in plain text: %s", address, text)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		host, _, _ := net.SplitHostPort(address)
		session, err := zk.Dial(ctx, zk.SessionConfig{URI: "zk://" + address + "/" + c.name,
			TLS:    &tls.Config{RootCAs: roots, ServerName: host},
			Logger: slog.New(slog.DiscardHandler)})
		cancel()
		if err != nil {
			c.t.Fatalf("%s over TLS: %v", address, err)
		}
		if list, _, err := session.Conn.Children(session.Path); err == nil {
			c.t.Errorf("%s reads %v to who did not authenticate", address, list)
		}
		session.Close()
	}
}

// inPlainText asks a server for its role in plain text, and gives what it says within a second.
func inPlainText(t *testing.T, address string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("srvr")); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(time.Second))
	text, _ := io.ReadAll(conn) // nothing until the deadline, or the end
	return string(text)
}

// showsNoPassword demands that what the scheduler keeps and shows, and what lies in sandboxes, is
// without the password.
func (c *cluster) showsNoPassword() {
	c.t.Helper()
	shown := []string{c.verb("config", "target"), c.verb("status", "--json"),
		c.verb("pod", "info", "zookeeper-0")}
	if slices.ContainsFunc(shown, func(text string) bool {
		return strings.Contains(text, ensemblePassword)
	}) {
		c.t.Errorf("the password is shown: %q", shown)
	}
	err := filepath.WalkDir(c.home, func(path string, d os.DirEntry, err error) error {
		open := strings.Contains(path, "/runs/") || strings.Contains(path, "/scheduler/")
		if err != nil || !open || !d.Type().IsRegular() || strings.Contains(path, "/libs/") {
			return nil // it may have gone meanwhile
		}
		if text, _ := os.ReadFile(path); strings.Contains(string(text), ensemblePassword) {
			c.t.Errorf("%s has the password", path)
		}
		return nil
	})
	if err != nil {
		c.t.Error(err)
	}
}
