package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kafka-sched/kafka-sched/api"
)

// pairSpec is a pod of two tasks. The sidecar does not live unless it is allowed to by a file on
// its volume, and writes down how often it tried.
const pairSpec = `
name: pair
pods:
  pair:
    count: 1
    tasks:
      server:
        goal: RUNNING
        cmd: exec sleep 100000
        cpus: 0.1
        memory: 32
        readiness-check: {cmd: "true", interval: 1, timeout: 5}
        kill-grace-period: 2
      sidecar:
        goal: RUNNING
        cmd: |
          echo again >> data/tries
          [ -e data/allowed ] || { echo not allowed >&2; exit 7; }
          exec sleep 100000
        cpus: 0.1
        memory: 32
        volume: {path: data, type: ROOT, size: 10}
        kill-grace-period: 2
`

// A sidecar that fails takes its pod along at each new attempt; the pod backs off, says why, and
// comes up when the reason is gone, on the same volume.
func TestFailingSidecar(t *testing.T) {
	t.Parallel()
	s := newSite(t, pairSpec)
	s.start()
	var volume string
	s.eventually("the pod backs off", func() error {
		status := s.status()
		step := delayed(status)
		if step.Attempts < 2 || step.NextAttempt == nil {
			return fmt.Errorf("%+v", status.Plans)
		}
		if !strings.Contains(step.Reason, "launches failed, the last one with: ") ||
			!strings.Contains(step.Reason, "7") {
			t.Fatalf("the reason says nothing: %q", step.Reason)
		}
		volume = s.volume(status, "pair-0")
		return nil
	})
	for task := range s.processes("sleep\x00100000") {
		if task != "pair-0-server" { // which serves until the next attempt
			t.Errorf("while it backs off, there runs %s", task)
		}
	}
	if err := os.WriteFile(filepath.Join(volume, "allowed"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	status := s.whole()
	if now := s.volume(status, "pair-0"); now != volume {
		t.Errorf("it was on %s, is on %s", volume, now)
	}
	for _, plan := range status.Plans {
		for _, phase := range plan.Phases {
			if step := phase.Steps[0]; step.Attempts != 0 || step.Reason != "" {
				t.Errorf("when all is well: %+v", step)
			}
		}
	}
	if tries := len(strings.Fields(s.read(volume, "tries"))); tries < 3 || tries > 6 {
		t.Errorf("%d tries", tries)
	}
	pids := s.pids(2)

	// The end of either task relaunches both.
	before := ids(status)
	s.kill(pids["pair-0-sidecar"])
	s.eventually("both tasks are new", func() error {
		for task, id := range ids(s.status()) {
			if before[task] == id {
				return errors.New(task + " is not")
			}
		}
		return nil
	})
	s.whole()
	for task, pid := range s.pids(2) {
		if pids[task] == pid {
			t.Errorf("%s is the same process", task)
		}
	}
	if len(s.volumes()) != 1 || len(s.reservations()) != 1 {
		t.Errorf("volumes %v, reservations %v", s.volumes(), s.reservations())
	}
}

// delayed is the first step that backs off. The sidecar has no readiness check, so that the pod
// may have been complete for an instant, and then it is recovery that backs off.
func delayed(status *api.Service) api.Step {
	for _, plan := range status.Plans {
		for _, phase := range plan.Phases {
			if step := phase.Steps[0]; step.Status == api.StatusDelayed {
				return step
			}
		}
	}
	return api.Step{}
}
