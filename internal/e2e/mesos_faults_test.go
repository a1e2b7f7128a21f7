//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/localmesos"
)

// TestMesosMisbehaves disturbs the Mesos below three brokers that are written to with acks=all
// all the time, one fault after the other on one cluster, because a cluster takes long to make.
func TestMesosMisbehaves(t *testing.T) {
	c := newCluster(t, "chaos")
	c.install("--faults", "--agents", "4", "-f", replacing(t))
	c.awaitWhole(3, time.Minute)
	load := startLoad(t, c.bootstrap(), "load")
	for _, part := range []struct {
		name string
		run  func(*cluster)
	}{
		{"agent killed and back", (*cluster).agentKilledAndBack},
		{"master fails over", (*cluster).masterFailsOver},
		{"scheduler dies between RESERVE and LAUNCH", (*cluster).diesBeforeLaunch},
		{"agent drained", (*cluster).agentDrained},
		{"agent gone for good", (*cluster).agentGoneForGood},
	} {
		began := time.Now()
		t.Logf("%s", part.name)
		part.run(c)
		t.Logf("%s: %.0f s", part.name, time.Since(began).Seconds())
	}
	load.check()
	c.uninstall()
}

// replacing is the example of a Kafka cluster with a fault policy that replaces brokers soon.
func replacing(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "examples", "kafka.yml"))
	if err != nil {
		t.Fatal(err)
	}
	const count = "    count: {{BROKER_COUNT}}\n"
	spec := strings.Replace(string(text), count, count+
		"    fault-policy: {unreachable-timeout: 15, action: replace, max-replacements: 1}\n", 1)
	if spec == string(text) {
		t.Fatalf("examples/kafka.yml has no line %q any more", count)
	}
	path := filepath.Join(t.TempDir(), "replacing.yml")
	if err := os.WriteFile(path, []byte(spec), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// chaos orders a fault of the embedded Mesos.
func (c *cluster) chaos(args ...string) string {
	c.t.Helper()
	return c.must(30*time.Second, append([]string{"localmesos", "chaos", "--yes", "--name",
		c.name}, args...)...)
}

// faults is what is wrong with the embedded Mesos.
func (c *cluster) faults() (s localmesos.FaultState) {
	c.t.Helper()
	if err := json.Unmarshal([]byte(c.chaos("status", "--json")), &s); err != nil {
		c.t.Fatal(err)
	}
	return s
}

// rules are the faults that still wait for something to spoil.
func (c *cluster) rules() []string { return c.faults().Rules }

// mesosWell waits until the master leads, and all agents are registered with it.
func (c *cluster) mesosWell() {
	c.t.Helper()
	eventually(c.t, time.Minute, "the embedded Mesos is well", func() error {
		s := c.faults()
		if s.Master != "leading" || slices.ContainsFunc(s.Agents,
			func(a localmesos.FaultAgentState) bool { return a.State != "well" }) {
			return fmt.Errorf("the master is %s, the agents %v", s.Master, s.Agents)
		}
		return nil
	})
}

// hostOf is the agent that a pod is on, by its host name.
func (c *cluster) hostOf(pod string) string {
	c.t.Helper()
	s, err := c.status()
	if err != nil {
		c.t.Fatal(err)
	}
	if p := s.Pod(pod); p != nil && p.Hostname != "" {
		return p.Hostname
	}
	c.t.Fatalf("%s is nowhere: %+v", pod, s.Pods)
	return ""
}

// awaitState waits until the first task of a pod is in a state.
func (c *cluster) awaitState(pod, state string) {
	c.t.Helper()
	eventually(c.t, 30*time.Second, pod+" is "+state, func() error {
		s, err := c.status()
		if err != nil {
			return err
		}
		if p := s.Pod(pod); p == nil || !strings.HasSuffix(p.Tasks[0].State, state) {
			return fmt.Errorf("pod %+v", p)
		}
		return nil
	})
}

// agentKilledAndBack lets an agent be unreachable for less than the fault policy allows: nothing
// is started, moved or lost.
func (c *cluster) agentKilledAndBack() {
	ids, jvms, volumes := c.taskIDs(), c.find("kafka.Kafka"), c.volumes()
	c.chaos("kill-agent", "--agent", c.hostOf("kafka-1"), "--agent-timeout", "2s",
		"--for", "6s")
	c.awaitState("kafka-1", "UNREACHABLE")
	c.sameTasks(ids, jvms)
	c.awaitState("kafka-1", "RUNNING")
	c.awaitWhole(3, time.Minute)
	c.sameTasks(ids, jvms)
	if now := c.volumes(); len(now) != len(volumes) {
		c.t.Fatalf("volumes were %v, are %v", volumes, now)
	}
}

// masterFailsOver lets the master fail over while a broker is being restarted.
func (c *cluster) masterFailsOver() {
	ids := c.taskIDs()
	c.must(time.Minute, "pod", "restart", "kafka-2", "--name", c.name)
	c.chaos("failover", "--election", "3s", "--recovery", "1s", "--rejoin", "2s")
	c.awaitRelaunch("kafka-2-broker", ids)
}

// diesBeforeLaunch loses the launch of a broker whose place was just reserved, and ends the
// scheduler at that moment: the broker comes up in that place, and nothing is reserved twice.
func (c *cluster) diesBeforeLaunch() {
	ids := c.taskIDs()
	c.chaos("lose-launches", "--match", "kafka-0", "--delay", "8s")
	c.must(time.Minute, "pod", "replace", "kafka-0", "--name", c.name)
	eventually(c.t, time.Minute, "the launch is lost", func() error {
		if rules := c.rules(); len(rules) > 0 {
			return fmt.Errorf("rules %v", rules)
		}
		return nil
	})
	c.killScheduler()
	eventually(c.t, 2*time.Minute, "kafka-0 is back", func() error {
		if err := c.whole(3); err != nil {
			return err
		}
		if now := c.taskIDs(); now["kafka-0-broker"] == ids["kafka-0-broker"] {
			return fmt.Errorf("it has its old task")
		}
		return nil
	})
	c.oneReservationEach()
}

// awaitElsewhere waits until a broker is on another agent, and in sync.
func (c *cluster) awaitElsewhere(pod, host string) {
	c.t.Helper()
	eventually(c.t, 2*time.Minute, pod+" is elsewhere, and in sync", func() error {
		s, err := c.status()
		if err != nil {
			return err
		}
		p := s.Pod(pod)
		if p.Hostname == host || p.Broker == nil || p.Broker.Fenced || p.Broker.NotInSync > 0 {
			return fmt.Errorf("%s is on %s: %+v", pod, p.Hostname, p.Broker)
		}
		return nil
	})
}

// agentDrained drains an agent: its broker ends, waits where the fault policy does not let it
// leave by plan, and goes on in its place when the agent is offered again.
func (c *cluster) agentDrained() {
	host, ids, volumes := c.hostOf("kafka-2"), c.taskIDs(), c.volumes()
	c.chaos("drain", "--agent", host, "--grace", "30s")
	c.awaitState("kafka-2", "KILLED")
	c.chaos("reactivate", "--agent", host)
	c.awaitRelaunch("kafka-2-broker", ids)
	if now := c.volumes(); c.hostOf("kafka-2") != host || !slices.Equal(now, volumes) {
		c.t.Fatalf("volumes were %v, are %v", volumes, now)
	}
}

// agentGoneForGood switches a machine off. The fault policy replaces its broker elsewhere; when
// the machine is back after all, what is left there is freed.
func (c *cluster) agentGoneForGood() {
	host := c.hostOf("kafka-1")
	c.chaos("power-off", "--agent", host, "--agent-timeout", "2s")
	c.awaitElsewhere("kafka-1", host)
	c.chaos("return-agent", "--agent", host)
	c.awaitWhole(3, time.Minute)
	if volumes := c.volumes(); len(volumes) != 3 {
		c.t.Fatalf("volumes: %v", volumes)
	}
}
