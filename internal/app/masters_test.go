package app

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/kafka-sched/kafka-sched/internal/zktest"
)

// masters is a ZooKeeper where masters say that they lead, which only they may read.
type masters struct {
	*testing.T
	conn *zk.Conn
	acl  []zk.ACL
}

// quiet discards what the client of a test says.
type quiet struct{}

func (quiet) Printf(string, ...any) {}

func newMasters(t *testing.T, server *zktest.Server) *masters {
	conn, _, err := zk.Connect([]string{server.Address}, 10*time.Second, zk.WithLogger(quiet{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	m := &masters{t, conn, zk.DigestACL(zk.PermAll, "mesos", "geheim")}
	if err := conn.AddAuth("digest", []byte("mesos:geheim")); err != nil {
		t.Fatal(err)
	}
	m.create("/mesos", "", 0)
	return m
}

func (m *masters) create(path, data string, flags int32) string {
	m.Helper()
	name, err := m.conn.Create(path, []byte(data), flags, m.acl)
	if err != nil {
		m.Fatal(err)
	}
	return name
}

// elect makes a master one that leads once all before it have gone.
func (m *masters) elect(url string) (node string) {
	m.Helper()
	host, text, err := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	if err != nil {
		m.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		m.Fatal(err)
	}
	info, err := json.Marshal(map[string]any{"hostname": "localhost", "port": port,
		"address": map[string]any{"hostname": "localhost", "ip": host, "port": port}})
	if err != nil {
		m.Fatal(err)
	}
	return m.create("/mesos/json.info_", string(info), zk.FlagSequence)
}

// TestMastersInZooKeeper deploys on the master that ZooKeeper names, whose address is in a file
// with its password. First none leads, then one that nobody listens for, then the true one; the
// step says so, and nobody the password.
func TestMastersInZooKeeper(t *testing.T) {
	t.Parallel()
	server := zktest.Start(t)
	m := newMasters(t, server)
	s := newSite(t, strings.Replace(webSpec, "count: 3", "count: 1", 1))
	real := s.options.Master
	file := filepath.Join(s.dir, "masters")
	address := "zk://mesos:geheim@" + server.Address + "/mesos\n"
	if err := os.WriteFile(file, []byte(address), 0o600); err != nil {
		t.Fatal(err)
	}
	s.options.Master = "file://" + file
	s.start()
	s.waits("no master leads below /mesos in ZooKeeper at " + server.Address)
	away := m.elect("http://127.0.0.1:1")
	s.waits("127.0.0.1:1: connect: connection refused")
	m.elect(real)
	if err := m.conn.Delete(away, -1); err != nil {
		t.Fatal(err)
	}
	s.whole()
	if at := s.status().Mesos.Master; at != real {
		t.Errorf("subscribed at %s, not %s", at, real)
	}
	s.silent("geheim")
}

// waits waits until a step waits for a reason.
func (s *site) waits(reason string) {
	s.t.Helper()
	s.eventually("a step says "+reason, func() error {
		status := s.status()
		for _, plan := range status.Plans {
			for _, phase := range plan.Phases {
				for _, step := range phase.Steps {
					if strings.Contains(step.Reason, reason) {
						return nil
					}
				}
			}
		}
		return fmt.Errorf("%+v, %+v", status.Mesos, status.Plans)
	})
}
