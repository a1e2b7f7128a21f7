package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kafka-sched/kafka-sched/internal/localmesos"
)

// disksSpec has volumes on each kind of disk.
const disksSpec = `
name: disks
pods:
  store:
    count: 2
    tasks:
      server:
        goal: RUNNING
        cmd: |
          for v in root part-1 part-2 whole; do echo $TASK_NAME > $v/owner; done
          exec sleep 100000
        cpus: 0.1
        memory: 32
        volumes:
          a: {path: root, type: ROOT, size: 10}
          b: {path: part-1, type: PATH, size: 100}
          c: {path: part-2, type: PATH, size: 60}
          d: {path: whole, type: MOUNT, size: 50}
        readiness-check: {cmd: test -s whole/owner, interval: 1, timeout: 5}
        kill-grace-period: 2
`

// TestDisks runs pods on an agent with disks of each kind: PATH disks are shared, MOUNT disks are
// not, and what is freed is empty for whoever comes next.
func TestDisks(t *testing.T) {
	t.Parallel()
	s := newSite(t, disksSpec, func(cfg *localmesos.Config) {
		cfg.Agents[1].PathDisksMB = []int64{200, 330}
		cfg.Agents[1].MountDisksMB = []int64{40, 50, 60}
	})
	s.start()
	status := s.whole()
	disks := filepath.Join(s.cfg.Dir, "agents", "agent-1", "disks")
	owner := func(path string) string {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(disks, path, "owner"))
		if err != nil || len(found) == 0 {
			t.Fatalf("nothing at %s: %v", path, err)
		}
		var owners []string
		for _, file := range found {
			owners = append(owners, s.read(filepath.Dir(file), "owner"))
		}
		return strings.Join(owners, " ")
	}
	one := owner("mount-2")
	if another := owner("mount-3"); one == another {
		t.Errorf("both MOUNT disks are of %s", one)
	}
	if got := owner("path-*/volumes/roles/*/*"); strings.Count(got, one) != 2 ||
		len(strings.Fields(got)) != 4 {
		t.Errorf("the volumes on PATH disks are of %s", got)
	}
	if _, err := os.Stat(filepath.Join(disks, "mount-1")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the disk that is too small: %v", err)
	}
	if got := len(s.volumes()); got != 2 {
		t.Errorf("%d volumes on root disks", got)
	}
	for _, p := range status.Pods {
		if p.Hostname != "host-1.test" || len(p.Volumes) != 4 {
			t.Errorf("%s is on %s with volumes %v", p.Name, p.Hostname, p.Volumes)
		}
	}
	s.uninstall()
	s.eventually("the disks are empty", func() error {
		found, err := filepath.Glob(filepath.Join(disks, "path-*/volumes/roles/*/*"))
		more, err2 := filepath.Glob(filepath.Join(disks, "mount-*/*"))
		if found = append(found, more...); len(found) > 0 {
			return fmt.Errorf("%v", found)
		}
		return errors.Join(err, err2)
	})
}

// gpuSpec wants more instances than there are agents without GPUs.
const gpuSpec = `
name: gpus
pods:
  train:
    count: 3
    placement: '[["hostname", "UNIQUE"]]'
    tasks:
      server:
        goal: RUNNING
        cmd: exec sleep 100000
        cpus: 0.1
        memory: 32
        kill-grace-period: 2
`

// TestGPUs runs a service on a cluster where one agent has GPUs: it is offered only to services
// that want some.
func TestGPUs(t *testing.T) {
	t.Parallel()
	gpus := func(cfg *localmesos.Config) { cfg.Agents[2].GPUs = 2 }
	wants := strings.Replace(gpuSpec, "cpus: 0.1", "cpus: 0.1\n        gpus: 1", 1)
	t.Run("wanted", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, strings.Replace(wants, "count: 3", "count: 1", 1), gpus)
		s.start()
		if host := s.whole().Pod("train-0").Hostname; host != "host-2.test" {
			t.Errorf("it is on %s", host)
		}
	})
	t.Run("not wanted", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, gpuSpec, gpus)
		s.start()
		s.eventually("two run and the third finds no agent", func() error {
			status := s.status()
			hosts := map[string]bool{}
			for _, p := range status.Pods {
				hosts[p.Hostname] = true
			}
			if len(hosts) != 3 || hosts["host-2.test"] || !hosts[""] {
				return fmt.Errorf("on %v", hosts)
			}
			return nil
		})
	})
}
