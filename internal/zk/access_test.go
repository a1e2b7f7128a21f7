package zk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/kafka-sched/kafka-sched/internal/zktest"
)

// as begins a session with the credentials of a file, none for "".
func as(t *testing.T, address, credentials string) *Session {
	t.Helper()
	access := Access{URI: "zk://" + address + "/services/kafka"}
	if credentials != "" {
		access.AuthFile = filepath.Join(t.TempDir(), "auth")
		if err := os.WriteFile(access.AuthFile, []byte(credentials+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := dialBy(t, access, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// What a session with credentials makes is its user's alone, also for a session that was cut off
// in between; and who is refused is told what to do.
func TestDigest(t *testing.T) {
	t.Parallel()
	server := zktest.Start(t)
	relay := zktest.StartRelay(t, server.Address, 0)
	owner := as(t, relay.Address, "kafka-sched:s3cr:et")
	const node = "/services/kafka"
	if err := owner.Ensure(node); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/services", node} {
		acl, _, err := owner.Conn.GetACL(path)
		if want := zk.DigestACL(zk.PermAll, "kafka-sched", "s3cr:et"); err != nil ||
			len(acl) != 1 || acl[0] != want[0] {
			t.Errorf("%s is %v for everybody, not %v: %v", path, acl, want, err)
		}
	}
	relay.Cut()
	eventually(t, func() error { // the first request may end with the connection
		_, err := owner.Conn.Set(node, []byte("mine"), -1)
		return err
	})
	if data, _, err := as(t, server.Address, "kafka-sched:s3cr:et").Conn.Get(node); err != nil ||
		string(data) != "mine" {
		t.Errorf("the same user reads %q: %v", data, err)
	}
	for _, other := range []string{"", "kafka-sched:wrong", "other:s3cr:et"} {
		s := as(t, server.Address, other)
		if _, _, err := s.Conn.Get(node); !errors.Is(err, zk.ErrNoAuth) {
			t.Errorf("%q may read: %v", other, err)
		}
		if _, err := s.Conn.Set(node, nil, -1); !errors.Is(err, zk.ErrNoAuth) {
			t.Errorf("%q may write: %v", other, err)
		}
		err := s.Ensure(node + "/below")
		if !errors.Is(err, zk.ErrNoAuth) || !strings.Contains(err.Error(), "--state-auth-file") {
			t.Errorf("%q is told %v", other, err)
		}
	}
}

// A path whose upper nodes are an administrator's, and the last one ours, can be used.
func TestPreparedPath(t *testing.T) {
	t.Parallel()
	server := zktest.Start(t)
	admin := as(t, server.Address, "admin:secret")
	ours := zk.DigestACL(zk.PermAll, "kafka-sched", "s3cr:et")
	if err := admin.Ensure("/services"); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Conn.Create("/services/kafka", nil, 0, ours); err != nil {
		t.Fatal(err)
	}
	s := as(t, server.Address, "kafka-sched:s3cr:et")
	if err := s.Ensure("/services/kafka/election"); err != nil {
		t.Error(err)
	}
	if err := s.Ensure("/services/other"); !errors.Is(err, zk.ErrNoAuth) {
		t.Errorf("it may make others: %v", err)
	}
}

// eventually waits until something works.
func eventually(t *testing.T, do func() error) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-tick.C {
		err := do()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// A file of credentials has to hold a user and a password.
func TestBadCredentials(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "auth")
	access := Access{URI: "zk://127.0.0.1:1/x", AuthFile: path}
	if _, err := access.Config(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := os.WriteFile(path, []byte("only-a-user"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := access.Config(); err == nil || !strings.Contains(err.Error(), "user:password") {
		t.Errorf("a file without password: %v", err)
	}
}
