//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMainJob installs a cluster with one command, moves 10,000 messages through it, kills
// every kind of process in turn under load, replaces a broker, uninstalls, and installs again.
// One test holds it all, because a cluster takes long to make (F44).
func TestMainJob(t *testing.T) {
	c := newCluster(t, "kafka")
	c.install()
	c.awaitWhole(3, 30*time.Second)
	bootstrap := c.bootstrap()

	createTopic(t, bootstrap, "demo", 3)
	produce(t, bootstrap, "demo", 10_000)
	if seen := consume(t, bootstrap, "demo", 3); len(seen) != 10_000 {
		t.Fatalf("consumed %d different messages of 10,000", len(seen))
	}
	if out := c.must(time.Minute, append([]string{"install"}, c.small()...)...); !strings.Contains(
		strings.ToLower(out), "already") {
		t.Fatalf("a second install does not say that all is there:\n%s", out)
	}
	if _, stderr, code := c.run(time.Minute, append([]string{"install"}, c.small("--set",
		"kafka.num_partitions=7")...)...); code == 0 || !strings.Contains(stderr,
		"update start") {
		t.Fatalf("install with other options: exit %d\n%s", code, stderr)
	}

	c.killEach(bootstrap)
	c.replace(bootstrap)
	c.stopAndStart(bootstrap)
	c.uninstall()

	c.install()
	c.awaitWhole(3, 30*time.Second)
	c.uninstall()
}

// killEach kills each kind of process, and all at once, while messages are produced.
func (c *cluster) killEach(bootstrap []string) {
	t := c.t
	load := startLoad(t, bootstrap, "load")

	volumes, ids := c.volumes(), c.taskIDs()
	if len(volumes) != 3 {
		t.Fatalf("volumes: %v", volumes)
	}
	t.Log("SIGKILL a broker")
	c.kill(c.broker("kafka-1"))
	c.awaitRelaunch("kafka-1-broker", ids)

	t.Log("SIGKILL an executor")
	ids = c.taskIDs()
	jvm := c.broker("kafka-2")
	c.kill(c.executor("kafka-2"))
	eventually(t, 10*time.Second, "no broker survives its executor", func() error {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", jvm.pid)); err == nil {
			return fmt.Errorf("broker %d lives", jvm.pid)
		}
		return nil
	})
	c.awaitRelaunch("kafka-2-broker", ids)

	ids = c.taskIDs()
	jvms := c.find("kafka.Kafka")
	for _, daemon := range []string{"kafka-sched scheduler", "kafka-sched localmesos"} {
		t.Logf("SIGKILL %s", daemon)
		old := c.find(daemon)[0]
		c.kill(old)
		eventually(t, 30*time.Second, daemon+" is back", func() error {
			for _, p := range c.processes() {
				if strings.Contains(p.args, daemon) && p.pid != old.pid {
					return nil
				}
			}
			return fmt.Errorf("not yet")
		})
		c.awaitWhole(3, time.Minute)
		c.sameTasks(ids, jvms)
	}

	t.Log("SIGKILL everything at once")
	for _, p := range c.processes() {
		if strings.Contains(p.args, "kafka-sched keep") {
			c.kill(p)
		}
	}
	for _, p := range c.processes() {
		c.kill(p)
	}
	c.must(3*time.Minute, "start", "--name", c.name)
	c.awaitWhole(3, 2*time.Minute)
	if now := c.volumes(); !slices.Equal(now, volumes) {
		t.Fatalf("volumes were %v, are %v", volumes, now)
	}
	load.check()
}

// awaitRelaunch waits until the cluster is whole with a new task for one that was killed and
// the same for all others.
func (c *cluster) awaitRelaunch(task string, before map[string]string) {
	c.t.Helper()
	began := time.Now()
	eventually(c.t, 2*time.Minute, task+" is back", func() error {
		now := c.taskIDs()
		if now[task] == before[task] {
			return fmt.Errorf("it has its old id")
		}
		return c.whole(3)
	})
	c.t.Logf("%s back in all ISRs after %.1f s", task, time.Since(began).Seconds())
	for name, id := range c.taskIDs() {
		if name != task && before[name] != id {
			c.t.Fatalf("%s was relaunched as well", name)
		}
	}
}

// sameTasks demands that nothing was relaunched and every broker's process is the same.
func (c *cluster) sameTasks(ids map[string]string, jvms []process) {
	c.t.Helper()
	if now := c.taskIDs(); !maps.Equal(now, ids) {
		c.t.Fatalf("tasks were %v, are %v", ids, now)
	}
	if now := c.find("kafka.Kafka"); !slices.Equal(now, jvms) {
		c.t.Fatalf("brokers were %v, are %v", jvms, now)
	}
}

// replace gives kafka-1 a new volume.
func (c *cluster) replace(bootstrap []string) {
	before := c.volumes()
	s, err := c.status()
	if err != nil {
		c.t.Fatal(err)
	}
	old := s.Pod("kafka-1").Volumes
	c.must(time.Minute, "pod", "replace", "kafka-1", "--name", c.name)
	eventually(c.t, 3*time.Minute, "kafka-1 has a new volume and is in sync", func() error {
		if err := c.whole(3); err != nil {
			return err
		}
		s, err := c.status()
		if err != nil {
			return err
		}
		if now := s.Pod("kafka-1").Volumes; slices.Equal(now, old) {
			return fmt.Errorf("it has its old volume")
		}
		return nil
	})
	after := c.volumes()
	if len(after) != 3 || slices.Equal(before, after) {
		c.t.Fatalf("volumes before %v, after %v", before, after)
	}
	createTopic(c.t, c.bootstrap(), "after-replace", 3)
	produce(c.t, c.bootstrap(), "after-replace", 1000)
}

// stopAndStart stops the service cleanly and brings it back with its data.
func (c *cluster) stopAndStart(bootstrap []string) {
	c.must(6*time.Minute, "stop", "--name", c.name)
	if left := c.processes(); len(left) > 0 {
		c.t.Fatalf("after stop: %v", left)
	}
	c.must(3*time.Minute, "start", "--name", c.name)
	c.awaitWhole(3, time.Minute)
	if seen := consume(c.t, c.bootstrap(), "demo", 3); len(seen) != 10_000 {
		c.t.Fatalf("after stop and start %d of 10,000 messages are there", len(seen))
	}
}

// uninstall removes the cluster and checks that nothing is left.
func (c *cluster) uninstall() {
	c.t.Helper()
	c.must(3*time.Minute, "uninstall", "--yes", "--name", c.name)
	if left := c.processes(); len(left) > 0 {
		c.t.Fatalf("after uninstall: %v", left)
	}
	if left, _ := filepath.Glob(filepath.Join(c.home, "*")); len(left) > 0 {
		c.t.Fatalf("after uninstall: %v", left)
	}
}

// TestSchedulerKilledWhileDeploying kills the scheduler at ten different moments of the first
// deployment; each time it must end with exactly three brokers and three volumes (F1).
func TestSchedulerKilledWhileDeploying(t *testing.T) {
	c := newCluster(t, "crash")
	c.must(5*time.Minute, append([]string{"install", "--no-wait"}, c.small()...)...)
	// The kills are spread over the deployment, each a random-like while after the last.
	waits := []int{50, 150, 300, 100, 700, 400, 900, 200, 1500, 600}
	for i, ms := range waits {
		timer := time.NewTimer(time.Duration(ms) * time.Millisecond)
		<-timer.C
		eventually(t, 30*time.Second, "a scheduler runs", func() error {
			for _, p := range c.processes() {
				if strings.Contains(p.args, "kafka-sched scheduler") {
					t.Logf("kill %d, scheduler %d", i+1, p.pid)
					c.kill(p)
					return nil
				}
			}
			return fmt.Errorf("none")
		})
	}
	c.awaitWhole(3, 3*time.Minute)
	if volumes := c.volumes(); len(volumes) != 3 {
		t.Fatalf("volumes: %v", volumes)
	}
	if n := len(c.find("kafka.Kafka")); n != 3 {
		t.Fatalf("%d brokers run", n)
	}
	c.oneReservationEach()
	c.uninstall()
}

// oneReservationEach demands that each agent has reserved what one broker needs and no more.
func (c *cluster) oneReservationEach() {
	c.t.Helper()
	state := string(c.masterState())
	s, err := c.status()
	if err != nil {
		c.t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, p := range s.Pods {
		ids[p.Reservation] = true
	}
	label := regexp.MustCompile(`"key":\s*"reservation",\s*"value":\s*"([^"]+)"`)
	seen := map[string]bool{}
	for _, found := range label.FindAllStringSubmatch(state, -1) {
		if seen[found[1]] = true; !ids[found[1]] {
			c.t.Fatalf("reservation %s belongs to no instance", found[1])
		}
	}
	if len(seen) != len(ids) {
		c.t.Fatalf("%d instances, %d reservations", len(ids), len(seen))
	}
}

// TestTwoClusters runs two names side by side on one machine. The first runs Kafka 3.9; when the
// other one is gone, it is brought to 4.3.
func TestTwoClusters(t *testing.T) {
	a := newCluster(t, "one")
	b := &cluster{t: t, home: a.home, name: "two", program: a.program, env: a.env}
	a.install("--set", "brokers.count=1", "--set", "service.kafka_version=3.9.1")
	b.install("--set", "brokers.count=1")
	a.awaitWhole(1, time.Minute)
	b.awaitWhole(1, time.Minute)
	b.must(3*time.Minute, "uninstall", "--yes", "--name", "two")
	a.awaitWhole(1, time.Minute)
	a.toFourAlone()
	a.uninstall()
}
