//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"

	"github.com/kafka-sched/kafka-sched/api/client"
)

// TestFullDisk installs into a home on a disk without room. A disk of its own needs the right
// to mount; where there is none, the test says so and checks that install compares what the
// volumes need with the disk that there is (F9).
func TestFullDisk(t *testing.T) {
	c := newCluster(t, "kafka")
	disk := filepath.Join(c.home, "disk")
	if err := os.Mkdir(disk, 0o755); err != nil {
		t.Fatal(err)
	}
	err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=1m")
	if err != nil {
		t.Logf("a small disk cannot be mounted here (%v): only a demand larger than the disk "+
			"that there is can be tried", err)
		c.refuse(bad{args: c.smallInstall("--set", "brokers.disk=99999999"), code: codeMachine,
			cause: "MiB are free", remedy: "set KAFKA_SCHED_HOME to a larger disk"})
		return
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk, 0); err != nil {
			t.Errorf("unmounting: %v", err)
		}
	})
	on := *c
	on.home = filepath.Join(disk, "home")
	on.env = append(on.env, "KAFKA_SCHED_HOME="+on.home)
	t.Cleanup(on.cleanup)
	on.refuse(bad{args: on.smallInstall(), code: codeMachine,
		cause: "volumes of 3 pods: 1500", remedy: "at " + on.home + " 0 MiB are free; make room"})

	// Not even the cluster's own few files fit: what was written has to go again.
	filler := filepath.Join(disk, "filler")
	if err := fill(filler); err != nil {
		t.Fatal(err)
	}
	spec := on.write("tiny.yml", "name: kafka\npods:\n  web:\n    count: 1\n    tasks:\n"+
		"      main:\n        goal: RUNNING\n        cmd: sleep 1000\n"+
		"        cpus: 0.1\n        memory: 32\n")
	on.refuse(bad{args: []string{"install", "-f", spec}, code: codeMachine,
		cause: "no space left on device", remedy: "make room there"})
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("", disk, "", unix.MS_REMOUNT, "size=340m"); err != nil {
		t.Fatal(err)
	}
	on.fullWhileItRuns(spec, filler)
}

// fullWhileItRuns fills the disk that a scheduler has its state on, gives it more to store than
// its file has room for, and makes room again: nothing is done that is not stored, the task runs
// on, and then the scheduler goes on.
func (c *cluster) fullWhileItRuns(spec, filler string) {
	c.t.Helper()
	c.must(time.Minute, "install", "-f", spec, "--quiet")
	tasks := c.taskIDs()
	text, err := os.ReadFile(spec)
	if err == nil {
		err = fill(filler)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	pid, url := c.scheduler()
	asked := client.New(url)
	defer asked.Close()
	stored, err := asked.TargetID(c.t.Context())
	for i := 0; err == nil; i++ {
		if i == 100 {
			c.t.Fatal("there is room for everything")
		}
		next, id := fmt.Sprintf("%s        labels: large:%d%s\n", text, i,
			strings.Repeat("x", 500_000)), uuid.NewString()
		if _, err = asked.SetTarget(c.t.Context(), id, next, nil); err == nil {
			stored = id
		}
	}
	c.t.Logf("%s is the latest that was accepted, then: %v", stored, err)
	eventually(c.t, time.Minute, "the scheduler ends", func() error {
		if syscall.Kill(pid, 0) == nil {
			return fmt.Errorf("%d runs", pid)
		}
		return nil
	})
	if err := os.Remove(filler); err != nil {
		c.t.Fatal(err)
	}
	eventually(c.t, time.Minute, "all is whole", func() error {
		_, err := c.complete()
		return err
	})
	if now := c.taskIDs(); !maps.Equal(now, tasks) {
		c.t.Errorf("the tasks were %v, are %v", tasks, now)
	}
	_, url = c.scheduler()
	again := client.New(url)
	defer again.Close()
	if now, err := again.TargetID(c.t.Context()); now != stored || err != nil {
		c.t.Errorf("the target was %s, is %s (%v)", stored, now, err)
	}
	c.must(time.Minute, "pod", "restart", "web-0")
}

// fill writes a file until its disk is full.
func fill(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	block := make([]byte, 4096)
	for {
		if _, err := f.Write(block); errors.Is(err, unix.ENOSPC) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
