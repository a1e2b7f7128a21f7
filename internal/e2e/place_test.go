//go:build e2e && long

package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestBrokerMoves moves a broker of a loaded cluster to a fourth agent, lets all disks grow, and
// has a count that is put back fill and empty a broker by itself (C12).
func TestBrokerMoves(t *testing.T) {
	c := newCluster(t, "moves")
	c.install("--agents", "4")
	c.awaitWhole(3, 5*time.Minute)
	load := startLoad(t, c.bootstrap(), "load")
	free := c.freeHost()
	ids := c.taskIDs()
	c.verb("broker", "move", "1", "--to", free)
	eventually(t, 8*time.Minute, "kafka-1 has moved", func() error {
		if now := c.taskIDs(); now["kafka-1-broker"] == ids["kafka-1-broker"] {
			return errors.New("it has its old id")
		}
		return c.whole(3)
	})
	if host := c.hostOf("kafka-1"); host != free {
		t.Fatalf("kafka-1 is on %s, not on %s", host, free)
	}

	before := c.podVolumes("kafka-0")
	preview := c.verb("update", "start", "--set", "brokers.disk=700", "--dry-run")
	if !strings.Contains(preview, "grows from 500 to 700 MB") {
		t.Errorf("the preview says:\n%s", preview)
	}
	c.must(10*time.Minute, "update", "start", "--set", "brokers.disk=700", "--name", c.name)
	eventually(t, 8*time.Minute, "all disks have grown", func() error {
		if now := c.podVolumes("kafka-0"); slices.Equal(now, before) {
			return fmt.Errorf("the volumes of kafka-0 are still %v", now)
		}
		return c.whole(3)
	})
	if n := len(c.volumes()); n != 3 {
		t.Errorf("there are %d volumes", n)
	}
	out, errs, code := c.run(time.Minute, "update", "start", "--set", "brokers.disk=10",
		"--name", c.name)
	if code == 0 || !strings.Contains(errs, "would shrink from 700 to 10 MB") {
		t.Errorf("a disk without room for the data: exit %d\n%s%s", code, out, errs)
	}
	load.check()
	c.uninstall()
}

// freeHost is the host of an agent without a pod.
func (c *cluster) freeHost() string {
	c.t.Helper()
	s, err := c.status()
	if err != nil {
		c.t.Fatal(err)
	}
	near := s.Pods[0].Hostname
	near = near[:strings.LastIndexByte(near, '.')+1] // which net it is depends on who else is there
	for n := range 9 {
		host := fmt.Sprint(near, n+1)
		taken := false
		for _, p := range s.Pods {
			taken = taken || p.Hostname == host
		}
		if !taken {
			return host
		}
	}
	c.t.Fatal("no host is free")
	return ""
}

// TestControllersGrow lets the controllers, a pod of their own, become three, five, and three again
// while messages flow, and replaces one: one at a time, with a quorum all the while (C6).
func TestControllersGrow(t *testing.T) {
	c := newCluster(t, "quorum")
	spec := filepath.Join(t.TempDir(), "quorum.yml")
	write := func(controllers int) {
		text := strings.Replace(apartSpec, "count: 1\n", fmt.Sprintf("count: %d\n", controllers), 1)
		if err := os.WriteFile(spec, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(1)
	c.must(5*time.Minute, "install", "-f", spec, "--name", c.name)
	c.awaitApart(2, 10000)
	load := startLoad(t, c.bootstrap(), "load")
	three := []int{10000, 10001, 10002}
	for _, voters := range [][]int{three, {10000, 10001, 10002, 10003, 10004}, three} {
		ids := c.taskIDs()
		write(len(voters))
		c.must(10*time.Minute, "update", "start", "-f", spec, "--name", c.name)
		eventually(t, 8*time.Minute, fmt.Sprint("the voters are ", voters),
			func() error { return c.apart(2, voters...) })
		for task, id := range c.taskIDs() {
			if was, known := ids[task]; known && was != id {
				t.Errorf("%s was relaunched", task)
			}
		}
	}
	ids, old := c.taskIDs(), c.podVolumes("controller-1")
	c.verb("pod", "replace", "controller-1")
	eventually(t, 8*time.Minute, "controller-1 is back", func() error {
		if now := c.taskIDs(); now["controller-1-node"] == ids["controller-1-node"] {
			return errors.New("it has its old id")
		}
		return c.apart(2, three...)
	})
	if now := c.podVolumes("controller-1"); slices.Equal(now, old) {
		t.Errorf("controller-1 has the volume %v as before", now)
	}
	load.check()
	c.uninstall()
}
