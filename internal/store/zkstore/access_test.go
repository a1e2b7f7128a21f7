package zkstore

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	gozk "github.com/go-zookeeper/zk"

	"github.com/kafka-sched/kafka-sched/internal/zk"
	"github.com/kafka-sched/kafka-sched/internal/zktest"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// With credentials each node of a state, its candidates and blobs included, is its user's alone;
// nobody else reads it, takes office or changes anything.
func TestAccess(t *testing.T) {
	server := zktest.Start(t).Address
	dial := func(auth string) *zk.Session {
		t.Helper()
		s, err := zk.Dial(t.Context(), zk.SessionConfig{Logger: slog.New(slog.DiscardHandler),
			URI: "zk://" + server + "/services/access", Auth: auth})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return s
	}
	owner := dial("ours:secret")
	ownsAll(t, owner, gozk.DigestACL(gozk.PermAll, "ours", "secret")[0])
	for _, other := range []string{"", "ours:wrong"} {
		stranger := dial(other)
		for what, do := range map[string]func() error{
			"Look":     func() error { _, err := Look(stranger); return err },
			"Snapshot": func() error { _, err := Snapshot(stranger); return err },
			"Open":     func() error { _, err := Open(stranger, "x", false); return err },
			"Campaign": func() error {
				_, err := stranger.Campaign(ElectionPath(stranger), nil)
				return err
			},
		} {
			err := do()
			if !errors.Is(err, gozk.ErrNoAuth) || !strings.Contains(err.Error(), "auth-file") {
				t.Errorf("%s of %q: %v", what, other, err)
			}
		}
	}
	again, err := Open(dial("ours:secret"), "test", false)
	if err != nil || len(again.hard.Files) != 2 {
		t.Errorf("the owner finds %d files: %v", len(again.hard.Files), err)
	}
}

// The same holds where ZooKeeper demands SASL.
func TestAccessBySASL(t *testing.T) {
	server := zktest.StartSASL(t, "ours", "secret")
	owner, err := zk.Dial(t.Context(), zk.SessionConfig{Logger: slog.New(slog.DiscardHandler),
		URI:  "zk://" + server.Address + "/services/access",
		SASL: &zk.Login{User: "ours", Password: "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	ownsAll(t, owner, gozk.ACL{Perms: gozk.PermAll, Scheme: "sasl", ID: "ours"})
}

// ownsAll has a session make a state of all kinds of nodes, each of which has to be its user's.
func ownsAll(t *testing.T, owner *zk.Session, want gozk.ACL) {
	t.Helper()
	if _, err := owner.Campaign(ElectionPath(owner), []byte("here")); err != nil {
		t.Fatal(err)
	}
	s, err := Open(owner, "test", false)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Apply([]scheduler.Write{file("small", 10, 1), file("large", 1<<20, 2)})
	if err != nil {
		t.Fatal(err)
	}
	nodes := 0
	var walk func(path string)
	walk = func(path string) {
		nodes++
		if acl, _, err := owner.Conn.GetACL(path); err != nil || len(acl) != 1 || acl[0] != want {
			t.Errorf("%s is for %v: %v", path, acl, err)
		}
		names, _, err := owner.Conn.Children(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			walk(path + "/" + n)
		}
	}
	walk("/services")
	if nodes < 12 {
		t.Errorf("only %d nodes were looked at", nodes)
	}
}
