package cli

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	zookeeper "github.com/go-zookeeper/zk"

	"github.com/kafka-sched/kafka-sched/internal/zk"
	"github.com/kafka-sched/kafka-sched/internal/zktest"
)

// plant puts a recorded tree of the predecessor into a ZooKeeper; what is ephemeral lasts as long
// as the session.
func plant(t *testing.T, address, name string) *zk.Session {
	t.Helper()
	session, err := zk.Dial(t.Context(), zk.SessionConfig{URI: "zk://" + address + "/x",
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("../internal/commons/testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		line = bytes.TrimSuffix(bytes.TrimSpace(line), []byte(","))
		if len(line) < 3 {
			continue
		}
		var node struct {
			Path      string
			Ephemeral bool
			Data      []byte
		}
		if err := json.Unmarshal(line, &node); err != nil {
			t.Fatal(err)
		}
		flags := int32(0)
		if node.Ephemeral {
			flags = zookeeper.FlagEphemeral
		}
		_, err := session.Conn.Create(node.Path, node.Data, flags, session.ACL())
		if err != nil {
			t.Fatal(node.Path, err)
		}
	}
	return session
}

// A state of the predecessor is looked at while its scheduler runs, and taken over once that has
// ended: into a file, into an exported one, and into ZooKeeper. Nothing is written before.
func TestStateMigrate(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	address := zktest.Start(t).Address
	scheduler := plant(t, address, "kafka")
	from := "zk://" + address + "/dcos-service-kafka"
	migrate := func(code int, text string, args ...string) {
		t.Helper()
		expect(t, code, text, append([]string{"state", "migrate-from-dcos", "--from", from},
			args...)...)
	}
	migrate(exitUsage, "--dry-run")
	migrate(exitUsage, "--dry-run", "--dry-run", "--to", at("a.db"))
	migrate(exitOK, "note: its scheduler runs and holds the lock", "--dry-run")
	migrate(exitOK, "86708565-587c-42f2-9002-148add7a4361 at kafka-broker-data (5000 MiB)",
		"--dry-run")
	migrate(exitFailed, "nothing was written: 1 of the above", "--to", at("a.db"))
	if exists(at("a.db")) {
		t.Error("something was written")
	}
	scheduler.Close()

	migrate(exitOK, "3 instances were taken over into "+at("a.db"), "--to", at("a.db"))
	migrate(exitConflict, "is there already", "--to", at("a.db"))
	expect(t, exitOK, "is whole: 6 entries, 3 instances", "state", "verify", "--db", at("a.db"))
	migrate(exitOK, "3 instances were taken over", "--to", at("a.json"))
	expect(t, exitOK, "6 entries were imported", "state", "import", at("a.json"), "--db",
		at("b.db"))
	to := "zk://" + address + "/kafka-sched/kafka"
	migrate(exitOK, "3 instances were taken over into "+to, "--to", to)
	migrate(exitConflict, "there is a state already", "--to", to)
	expect(t, exitOK, "host-2.example", "state", "inspect", "--state", to)

	code, printed := command("state", "migrate-from-dcos", "--from", from, "--dry-run", "--json")
	var report adoptionReport
	if err := json.Unmarshal([]byte(printed), &report); err != nil || code != exitOK ||
		len(report.Pods) != 3 || len(report.Pods[0].Reserved) != 8 || report.To != "" {
		t.Errorf("%d %v %s", code, err, printed)
	}
	from = "zk://" + address + "/dcos-service-none"
	migrate(exitNotFound, "there is no state of DC/OS Commons at /dcos-service-none", "--dry-run")
	from = "zk://" + address + "/other"
	migrate(exitUsage, "/dcos-service-NAME", "--dry-run")
}

// A service goes on with its operator's own spec, rendered with the variables that it had; one
// that cannot hold what is there is refused.
func TestStateMigrateToSpec(t *testing.T) {
	address := zktest.Start(t).Address
	plant(t, address, "mixed").Close()
	const spec = "../servicespec/testdata/predecessor/mixed.yml"
	t.Setenv("NODE_COUNT", "2")
	t.Setenv("NODE_CPUS", "0.5")
	t.Setenv("BACKUP_TARGET", "default-target")
	t.Setenv("DATA_PORT", "0")
	args := []string{"state", "migrate-from-dcos", "--dry-run", "--from",
		"zk://" + address + "/dcos-service-folder__mixed", "-f", spec}
	code, printed := command(args...)
	if code != exitOK || strings.Contains(printed, "note:") {
		t.Errorf("%d with the spec that it was installed from:\n%s", code, printed)
	}
	t.Setenv("NODE_CPUS", "0.6")
	expect(t, exitOK, "resource-set.cpus: 0.5 -> 0.6 (restart", args...)
	expect(t, exitFailed, "name, role, principal and user are for ever", append(args, "--set",
		"service.user=root")...)
}

// What install cannot adopt with is refused before anything is looked at.
func TestInstallAdoptFlags(t *testing.T) {
	t.Setenv("KAFKA_SCHED_HOME", t.TempDir())
	for _, x := range []struct{ says, flags string }{
		{"--adopt is for the Mesos that --master names", "--adopt"},
		{"go with --adopt", "--yes"},
		{"go with --adopt", "--adopt-pod a-0=host"},
		{"--adopt-from tells itself", "--adopt-from zk://127.0.0.1:1/dcos-service-a " +
			"--adopt-pod a-0=host --master 127.0.0.1:1"},
		{"/dcos-service-NAME", "--adopt-from zk://127.0.0.1:1/a --master 127.0.0.1:1"},
	} {
		expect(t, exitUsage, x.says, append([]string{"install"}, strings.Fields(x.flags)...)...)
	}
}
