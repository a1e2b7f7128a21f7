//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/testbin"
)

// pairSpec is a service of shells, two under each executor.
const pairSpec = `
name: pair
pods:
  web:
    count: 3
    placement: '[["hostname", "UNIQUE"]]'
    resource-sets:
      one: {cpus: 0.1, memory: 32}
      two: {cpus: 0.1, memory: 32}
    tasks:
      server: {goal: RUNNING, essential: true, cmd: exec sleep 100001, resource-set: one}
      side: {goal: RUNNING, essential: false, cmd: exec sleep 100002, resource-set: two}
`

// selfUpgraded is what self-upgrade --json tells.
type selfUpgraded struct {
	From, To    string
	Framework   string   `json:"framework_id"`
	Others      []string `json:"other_executors"`
	WayBack     string   `json:"way_back"`
	Tasks, Kept int
}

// selfUpgrade runs self-upgrade and reads what it tells.
func (c *cluster) selfUpgrade(args ...string) selfUpgraded {
	c.t.Helper()
	var told selfUpgraded
	out := c.must(5*time.Minute, append([]string{"self-upgrade", "--json", "--name", c.name},
		args...)...)
	if err := json.Unmarshal([]byte(out), &told); err != nil {
		c.t.Fatalf("%v in %s", err, out)
	}
	return told
}

// shells are the processes of the tasks of pairSpec by the sandbox of the executor and what they
// run: "web-0__….../sleep 100001".
func (c *cluster) shells() map[string]int {
	found := map[string]int{}
	for _, p := range c.processes() {
		cwd, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", p.pid))
		if args := strings.TrimSpace(p.args); strings.HasPrefix(args, "sleep 10000") {
			found[cwd+" "+args] = p.pid
		}
	}
	return found
}

// executors are the executors' processes by their sandboxes.
func (c *cluster) executors() map[string]int {
	found := map[string]int{}
	for _, p := range c.processes() {
		cwd, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", p.pid))
		if strings.Contains(p.args, "kafka-sched executor") {
			found[cwd] = p.pid
		}
	}
	return found
}

// releases are those of the scheduler and of the executors, by pod.
func (c *cluster) releases() (scheduler string, executors map[string]string) {
	c.t.Helper()
	s, err := c.status()
	if err != nil {
		c.t.Fatal(err)
	}
	executors = map[string]string{}
	for _, p := range s.Pods {
		if p.Executor != nil {
			executors[p.Name] = p.Executor.Version
		}
	}
	return s.Version, executors
}

// TestSelfUpgrade has a program of a later release take over a service of shells: with the same
// framework and address, while every task goes on. Executors of the earlier release go on to work,
// start a task again that ended, and are exchanged when told so. The way back is the same (C13).
func TestSelfUpgrade(t *testing.T) {
	c := newCluster(t, "pair")
	later := filepath.Join(t.TempDir(), "kafka-sched")
	if err := testbin.Build(later, "9.9.9"); err != nil {
		t.Fatal(err)
	}
	before, shells, executors := c.installPairs()

	c.program = later
	told := c.selfUpgrade()
	after, err := c.status()
	if err != nil {
		t.Fatal(err)
	}
	if told.To != "9.9.9" || told.From != before.Version || told.Kept != 6 ||
		len(told.Others) != 3 || told.Framework != before.FrameworkID {
		t.Errorf("%+v", told)
	}
	if after.Version != "9.9.9" || after.URL != before.URL ||
		after.FrameworkID != before.FrameworkID {
		t.Errorf("release %s at %s as %s, before at %s as %s", after.Version, after.URL,
			after.FrameworkID, before.URL, before.FrameworkID)
	}
	if !maps.Equal(c.shells(), shells) || !maps.Equal(c.executors(), executors) {
		t.Errorf("processes:\n%v %v, before:\n%v %v", c.shells(), c.executors(), shells, executors)
	}
	_, was := c.releases()
	back, _, _ := strings.Cut(told.WayBack, " ")

	c.restartSide(shells)
	if !maps.Equal(c.executors(), executors) {
		t.Errorf("executors %v, before %v", c.executors(), executors)
	}
	if _, now := c.releases(); !maps.Equal(now, was) {
		t.Errorf("executors of %v, before %v", now, was)
	}

	told = c.selfUpgrade("--roll-executors")
	if len(told.Others) > 0 {
		t.Errorf("executors of another release: %v", told.Others)
	}
	c.awaitShells(6)
	for box := range c.executors() {
		if executors[box] != 0 {
			t.Errorf("the executor in %s is still there", box)
		}
	}
	all := map[string]string{"web-0": "9.9.9", "web-1": "9.9.9", "web-2": "9.9.9"}
	if _, now := c.releases(); !maps.Equal(now, all) {
		t.Errorf("executors of %v", now)
	}

	shells, c.program = c.shells(), back
	told = c.selfUpgrade()
	if release, _ := c.releases(); release != before.Version || told.Kept != 6 {
		t.Errorf("release %s after the way back: %+v", release, told)
	}
	if !maps.Equal(c.shells(), shells) {
		t.Errorf("processes %v, before %v", c.shells(), shells)
	}
	c.must(2*time.Minute, "uninstall", "--yes", "--name", c.name)
}

// installPairs installs a service of pairSpec, and tells how it is then: its status, the process of
// each task, and those of its executors.
func (c *cluster) installPairs(args ...string) (
	before status, shells, executors map[string]int,
) {
	c.t.Helper()
	spec := filepath.Join(c.t.TempDir(), "svc.yml")
	if err := os.WriteFile(spec, []byte(pairSpec), 0o644); err != nil {
		c.t.Fatal(err)
	}
	c.must(5*time.Minute, append([]string{"install", "-f", spec}, args...)...)
	before, err := c.status()
	if err != nil {
		c.t.Fatal(err)
	}
	shells, executors = c.shells(), c.executors()
	if len(shells) != 6 || len(executors) != 3 {
		c.t.Fatalf("%d shells, %d executors", len(shells), len(executors))
	}
	return before, shells, executors
}

// restartSide ends the task beside the first server, and waits until its executor has started
// another one.
func (c *cluster) restartSide(shells map[string]int) {
	c.t.Helper()
	victim := ""
	for at := range shells { //tidy:unordered any will do
		if strings.HasSuffix(at, "100002") {
			victim = at
		}
	}
	if err := syscall.Kill(shells[victim], syscall.SIGKILL); err != nil {
		c.t.Fatal(err)
	}
	eventually(c.t, time.Minute, "the task is there again, in the same sandbox", func() error {
		if now := c.shells(); now[victim] == 0 || now[victim] == shells[victim] {
			return fmt.Errorf("%v", now)
		}
		return nil
	})
}

// awaitShells waits until so many shells run and are known to.
func (c *cluster) awaitShells(count int) {
	c.t.Helper()
	eventually(c.t, time.Minute, "all shells run", func() error {
		if _, err := c.complete(); err != nil {
			return err
		}
		if n := len(c.shells()); n != count {
			return fmt.Errorf("%d shells run", n)
		}
		return nil
	})
}
