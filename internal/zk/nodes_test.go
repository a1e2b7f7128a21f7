package zk

import (
	"context"
	"log/slog"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/google/go-cmp/cmp"

	"github.com/kafka-sched/kafka-sched/internal/zktest"
	"github.com/kafka-sched/kafka-sched/scheduler/migrate"
)

// The nodes as Kafka 3.9.1 writes them.
const (
	byBroker = `{"version":2,"brokerid":1,"timestamp":"1763778000000","kraftControllerEpoch":-1}`
	byKRaft  = `{"version":2,"brokerid":10000,"timestamp":"1763778000000",` +
		`"kraftControllerEpoch":3}`
	notCopied = `{"version":0,"kraft_metadata_offset":-1,"kraft_controller_id":10000,` +
		`"kraft_metadata_epoch":-1,"kraft_controller_epoch":3}`
	copied = `{"version":0,"kraft_metadata_offset":412,"kraft_controller_id":10000,` +
		`"kraft_metadata_epoch":3,"kraft_controller_epoch":3}`
)

// What tells of a migration is read in each of its states, and deleted only where a broker could
// not be the controller otherwise.
func TestMigrations(t *testing.T) {
	server := zktest.Start(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	session, err := Dial(ctx, SessionConfig{URI: Scheme + server.Address + "/kafka",
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	set := func(node, data string) {
		t.Helper()
		at := path.Join("/kafka", node)
		_ = session.Conn.Delete(at, -1)
		if data == "" {
			return
		}
		if _, err := session.Conn.Create(at, []byte(data), 0, zk.WorldACL(zk.PermAll)); err != nil {
			t.Fatal(err)
		}
	}
	set("/", "{}")
	ask := func(forget bool) *migrate.Nodes {
		t.Helper()
		facts := Migrations{}.Ask(ctx, server.Address+"/kafka", forget)
		if facts.Error != "" {
			t.Fatal(facts.Error)
		}
		return facts.Nodes
	}
	none := migrate.Nodes{Controller: -1, Offset: -1}
	for _, c := range []struct {
		name, controller, migration string
		want, left                  migrate.Nodes
	}{
		{"nothing is there", "", "", none, none},
		{"a broker is the controller", byBroker, "", migrate.Nodes{Controller: 1, Offset: -1},
			migrate.Nodes{Controller: 1, Offset: -1}},
		{"controllers wait", byBroker, notCopied,
			migrate.Nodes{Controller: 1, Migration: true, Offset: -1},
			migrate.Nodes{Controller: 1, Offset: -1}},
		{"they copy", byKRaft, notCopied,
			migrate.Nodes{Controller: 10000, KRaft: true, Migration: true, Offset: -1}, none},
		{"they have copied", byKRaft, copied,
			migrate.Nodes{Controller: 10000, KRaft: true, Migration: true, Offset: 412}, none},
	} {
		set("/controller", c.controller)
		set("/migration", c.migration)
		if diff := cmp.Diff(&c.want, ask(false)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if diff := cmp.Diff(&c.left, ask(true)); diff != "" {
			t.Errorf("%s, and is to be forgotten (-want +got):\n%s", c.name, diff)
		}
	}
	set("/controller", "not JSON")
	facts := Migrations{}.Ask(ctx, server.Address+"/kafka", true)
	if facts.Nodes != nil || !strings.Contains(facts.Error, "reading /kafka/controller") {
		t.Errorf("what cannot be read: %+v", facts)
	}
	server.Stop()
	facts = Migrations{Timeout: time.Second}.Ask(ctx, server.Address+"/kafka", false)
	if facts.Nodes != nil || !strings.Contains(facts.Error, "no ZooKeeper server") {
		t.Errorf("nobody answers: %+v", facts)
	}
}
