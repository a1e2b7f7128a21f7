//go:build e2e && long

package e2e

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/zktest"
)

// TestCutOff has the network between the parts fail, below three brokers under load: the scheduler
// does not reach the master while a broker dies, and an agent does not reach it while nothing
// happens. What runs goes on, what died comes back once, and nothing is doubled (F24).
func TestCutOff(t *testing.T) {
	c := newCluster(t, "cut")
	master := c.mesosApart(4)
	relay := zktest.StartRelay(t, master, 0)
	c.install("--master", "http://"+relay.Address)
	c.awaitWhole(3, time.Minute)
	load := startLoad(t, c.bootstrap(), "load")
	c.schedulerCutOff(relay, load)
	c.agentCutOff(master, load)
	load.check()
	c.verb("uninstall", "--yes")
	if left := c.alive(); len(left) > 0 {
		t.Errorf("after uninstall: %v", left)
	}
}

// mesosApart runs a Mesos with real agents that belongs to no cluster, until the end of the test.
func (c *cluster) mesosApart(agents int) (master string) {
	c.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	master = l.Addr().String()
	l.Close()
	mesos := exec.Command(binary, "localmesos", "--agents", fmt.Sprint(agents), "--faults",
		"--listen", master, "--dir", filepath.Join(c.home, "apart"))
	mesos.Env = c.env
	if err := mesos.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { // before that of the cluster, which ends what is left
		if c.t.Failed() {
			c.run(2*time.Minute, "uninstall", "--yes", "--name", c.name)
		}
		mesos.Process.Kill()
		mesos.Wait()
	})
	eventually(c.t, time.Minute, "the Mesos answers", func() error {
		answer, err := http.Get("http://" + master + "/health")
		if err == nil {
			answer.Body.Close()
		}
		return err
	})
	return master
}

// alive are the brokers that run.
func (c *cluster) alive() []process {
	return slices.DeleteFunc(c.processes(),
		func(p process) bool { return !strings.Contains(p.args, "kafka.Kafka") })
}

// connected waits until the scheduler has a stream of events, or has lost it.
func (c *cluster) connected(want bool) {
	c.t.Helper()
	eventually(c.t, 2*time.Minute, fmt.Sprintf("connected: %v", want), func() error {
		s, err := c.status()
		if err == nil && s.Connected != want {
			err = errors.New("it is not so")
		}
		return err
	})
}

// schedulerCutOff closes the way to the master, kills a broker, and opens it again.
func (c *cluster) schedulerCutOff(relay *zktest.Relay, load *load) {
	c.t.Log("the scheduler is cut off from the master")
	before := c.taskIDs()
	others := []process{c.broker("kafka-0"), c.broker("kafka-2")}
	relay.Close()
	c.connected(false)
	c.kill(c.broker("kafka-1"))
	eventually(c.t, time.Minute, "the broker has ended", func() error {
		if now := c.alive(); len(now) != 2 {
			return fmt.Errorf("there run %v", now)
		}
		return nil
	})
	load.more(2000)
	relay.Open()
	c.connected(true)
	c.awaitRelaunch("kafka-1-broker", before)
	c.threeAt(others)
}

// agentCutOff keeps an agent from the master for so long that its task counts as unreachable.
func (c *cluster) agentCutOff(master string, load *load) {
	c.t.Log("an agent is cut off from the master")
	before, brokers := c.taskIDs(), c.alive()
	host := c.hostOf("kafka-2")
	order := func(args ...string) {
		c.t.Helper()
		c.must(time.Minute, append([]string{"localmesos", "chaos", "--yes", "--master",
			"http://" + master}, args...)...)
	}
	order("partition-agent", "--agent", host, "--agent-timeout", "2s")
	c.awaitState("kafka-2", "UNREACHABLE")
	load.more(2000)
	c.sameTasks(before, brokers)
	order("clear")
	c.awaitState("kafka-2", "RUNNING")
	c.awaitWhole(3, 2*time.Minute)
	c.sameTasks(before, brokers)
	c.threeAt(brokers)
}

// threeAt demands that three brokers run on three volumes, these among them.
func (c *cluster) threeAt(brokers []process) {
	c.t.Helper()
	now := c.alive()
	volumes, _ := filepath.Glob(filepath.Join(c.home, "apart", "*", "volumes", "roles", "*", "*"))
	more, _ := filepath.Glob(filepath.Join(c.home, "apart", "*", "*", "volumes", "roles", "*", "*"))
	if volumes = append(volumes, more...); len(now) != 3 || len(volumes) != 3 {
		c.t.Errorf("there run %v on %v", now, volumes)
	}
	for _, b := range brokers {
		if !slices.Contains(now, b) {
			c.t.Errorf("%v does not run any more, there run %v", b, now)
		}
	}
}
