//go:build e2e && long

package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/zk"
	"github.com/kafka-sched/kafka-sched/internal/zktest"
)

var (
	takeoverPods  = flag.Int("pods", 2000, "how many tasks TestTakeoverOfMany has")
	takeoverDelay = flag.Duration("delay", 0, "how much later ZooKeeper hears and answers in it")
)

// TestTakeoverOfMany has two schedulers of a service with many tasks, on a ZooKeeper of three
// servers: the leader ends in order, dies, and both end, and it tells how long each time nobody
// was there who had found all tasks. No task is launched anew.
func TestTakeoverOfMany(t *testing.T) {
	var addresses []string
	for _, s := range zktest.StartEnsemble(t, 3) {
		addresses = append(addresses, zktest.StartRelay(t, s.Address, *takeoverDelay).Address)
	}
	first := newCluster(t, "many")
	master := first.simulate(*takeoverPods)
	spec := filepath.Join(first.home, "many.yml")
	text := fmt.Sprintf(manySpec, *takeoverPods)
	if err := os.WriteFile(spec, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	install := func(c *cluster) {
		c.must(10*time.Minute, "install", "--name", c.name, "--master", master, "-f", spec,
			"--quiet", "--timeout", "10m", "--state-session-timeout", sessionTimeout.String(),
			"--state", "zk://"+strings.Join(addresses, ",")+"/kafka-sched/many")
	}
	began := time.Now()
	install(first)
	took := time.Since(began).Seconds()
	t.Logf("%d pods in %.1f s, %.0f pods/s, %.3f transactions each, %s", *takeoverPods, took,
		float64(*takeoverPods)/took, float64(transactions(t, addresses[0]))/
			float64(*takeoverPods), first.memory())
	second := newCluster(t, "many")
	install(second)
	tasks := first.taskIDs()
	if len(tasks) != *takeoverPods || first.role()+second.role() != "10" {
		t.Fatalf("%d tasks, roles %s and %s", len(tasks), first.role(), second.role())
	}
	standby, leader := second, first
	for _, how := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		standby.holdsCopy()
		standby.takesOver(leader, how, tasks)
		standby, leader = leader, standby
		eventually(t, time.Minute, "the other stands by", func() error {
			if role := standby.role(); role != "0" {
				return fmt.Errorf("its role is %q", role)
			}
			return nil
		})
	}
	began = time.Now()
	first.must(10*time.Minute, "uninstall", "--yes", "--name", "many", "--quiet", "--timeout", "9m")
	t.Logf("uninstalled in %.1f s", time.Since(began).Seconds())
}

// transactions is how many who leads has written since it took office.
func transactions(t *testing.T, server string) int64 {
	t.Helper()
	session, err := zk.Dial(t.Context(), zk.SessionConfig{
		URI: "zk://" + server + "/kafka-sched/many", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	var commit struct{ Batch int64 }
	text, _, err := session.Conn.Get(session.Path + "/commit")
	if err == nil {
		err = json.Unmarshal(text, &commit)
	}
	if err != nil || commit.Batch == 0 {
		t.Fatalf("no transactions are counted: %v in %s", err, text)
	}
	return commit.Batch
}

// memory is what the scheduler has resident, and had at most.
func (c *cluster) memory() string {
	c.t.Helper()
	pid, _ := c.scheduler()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		c.t.Fatal(err)
	}
	return strings.Join(regexp.MustCompile(`Vm(HWM|RSS):\s+\d+ kB`).FindAllString(
		string(status), -1), ", ")
}

// holdsCopy waits until the standby holds a copy of the state.
func (c *cluster) holdsCopy() {
	c.t.Helper()
	eventually(c.t, time.Minute, "the standby holds a copy", func() error {
		standing, _ := c.logged("standing by")
		if at, _ := c.logged("a copy of the state is held"); at.Before(standing) {
			return fmt.Errorf("it has not since %s", standing)
		}
		return nil
	})
}

// takesOver ends the leader in some way and waits for the standby.
func (c *cluster) takesOver(leader *cluster, how syscall.Signal, tasks map[string]string) {
	c.t.Helper()
	pid, _ := leader.scheduler()
	began := time.Now()
	if err := syscall.Kill(pid, how); err != nil {
		c.t.Fatal(err)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for c.role() != "1" {
		if <-tick.C; time.Since(began) > 2*time.Minute {
			c.t.Fatalf("nobody takes over after %s", how)
		}
	}
	answers := time.Since(began)
	for _, what := range []string{"this scheduler leads", "all tasks are reconciled"} {
		eventually(c.t, 2*time.Minute, what, func() error {
			at, line := c.logged(what)
			if at.Before(began) {
				return fmt.Errorf("it is not logged since %s", began)
			}
			c.t.Logf("%s, and %.2f s later: %s", how, at.Sub(began).Seconds(), line)
			return nil
		})
	}
	c.t.Logf("%s: another answers as the leader after %.2f s", how, answers.Seconds())
	c.awaitFound()
	if now := c.taskIDs(); !maps.Equal(now, tasks) {
		c.t.Error("the tasks are others after the takeover")
	}
}

// logged is the last line of the scheduler's log that says something, and its time.
func (c *cluster) logged(what string) (at time.Time, last string) {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join(c.home, c.name, "scheduler", "scheduler.log"))
	if err != nil {
		c.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, what) {
			last = strings.TrimSpace(line)
		}
	}
	stamp, _, _ := strings.Cut(strings.TrimPrefix(last, "time="), " ")
	at, _ = time.Parse(time.RFC3339Nano, stamp)
	return at, last
}
