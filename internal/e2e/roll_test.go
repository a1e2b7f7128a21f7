//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
)

// TestRollUnderLoad rolls three brokers under the load of idempotent producers: by a changed
// setting, then by the next one while the scheduler, a broker and the quorum's leader are killed,
// and at last tries to restart a broker while another one hangs. Nothing is lost or doubled, no
// producer sees an error, and no partition is under its minimum because of us (C11).
func TestRollUnderLoad(t *testing.T) {
	c := newCluster(t, "roll")
	c.install()
	c.awaitWhole(3, 30*time.Second)
	f := startTraffic(t, c.bootstrap())

	began := time.Now()
	c.verb("update", "start", "--no-wait", "--set", "kafka.queued_max_requests=400")
	c.awaitWhole(3, 4*time.Minute)
	f.calm(fmt.Sprintf("a roll of %v", time.Since(began).Round(time.Second)))
	c.tellVerdicts()

	f.reset()
	c.verb("update", "start", "--no-wait", "--set", "kafka.queued_max_requests=300")
	c.awaitSteps("COMPLETE", "", "")
	c.killScheduler()
	c.kill(c.broker("kafka-0"))
	c.awaitSteps("COMPLETE", "COMPLETE", "")
	s, err := c.status()
	if err != nil || s.Kafka.Leader == nil {
		t.Fatalf("nobody leads the quorum: %+v, %v", s.Kafka, err)
	}
	leader, tasks := fmt.Sprint("kafka-", *s.Kafka.Leader), c.taskIDs()
	c.kill(c.broker(leader))
	eventually(t, time.Minute, "the leader is launched again", func() error {
		if c.taskIDs()[leader+"-broker"] == tasks[leader+"-broker"] {
			return errors.New("not yet")
		}
		return nil
	})
	c.awaitWhole(3, 4*time.Minute)

	c.holdsWhileOneHangs()
	f.check()
	c.uninstall()
}

// tellVerdicts logs how long each node waited, and what was said of it.
func (c *cluster) tellVerdicts() {
	var journal api.Journal
	out := c.verb("journal", "--json")
	if err := json.Unmarshal([]byte(out), &journal); err != nil {
		c.t.Fatalf("journal --json: %v in %s", err, out)
	}
	said := 0
	for _, e := range journal.Entries {
		if e.Kind == api.KindVerdict {
			said++
			c.t.Logf("%s %s: %s", e.At.Format("15:04:05.000"), e.What, e.Result)
		}
	}
	if said < 3 {
		c.t.Errorf("%d verdicts in the journal of a roll of three", said)
	}
}

// holdsWhileOneHangs demands that a broker is not restarted while another one hangs, that it says
// why, and that it goes on by itself once that one is back.
func (c *cluster) holdsWhileOneHangs() {
	t := c.t
	t.Helper()
	hanging, before := c.broker("kafka-1"), c.taskIDs()
	if err := syscall.Kill(hanging.pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "it is known that it hangs", func() error {
		if out := c.verb("status"); !strings.Contains(out, "the broker is fenced") {
			return fmt.Errorf("status:\n%s", out)
		}
		return nil
	})
	c.verb("pod", "restart", "kafka-0")
	for range 3 {
		eventually(t, 30*time.Second, "the verdict says why", func() error {
			out := c.verb("debug", "why", "kafka-0")
			if !strings.Contains(out, "has to stay") {
				return fmt.Errorf("no verdict:\n%s", out)
			}
			return nil
		})
		if now := c.taskIDs(); now["kafka-0-broker"] != before["kafka-0-broker"] {
			t.Fatal("a broker was restarted while another one hung")
		}
	}
	if err := syscall.Kill(hanging.pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, 2*time.Minute, "it is restarted", func() error {
		if now := c.taskIDs(); now["kafka-0-broker"] == before["kafka-0-broker"] {
			return fmt.Errorf("not yet")
		}
		return nil
	})
	c.awaitWhole(3, 2*time.Minute)
}
