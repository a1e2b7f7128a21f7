//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// TestCanaryUpdate changes a setting of three brokers under load, broker by broker: the first two
// wait for the operator's word, the scheduler is killed in the middle and forgets nothing of
// what was said, and in the end one command takes it all back (F32).
func TestCanaryUpdate(t *testing.T) {
	c := newCluster(t, "canary")
	c.install()
	c.awaitWhole(3, 30*time.Second)
	bootstrap := c.bootstrap()
	load := startLoad(t, bootstrap, "load")

	out := c.verb("update", "start", "--dry-run", "--set", "kafka.num_io_threads=5")
	if n := strings.Count(out, "restart"); n < 3 || !strings.Contains(out, "num.io.threads") {
		t.Errorf("the preview names %d restarts and no setting:\n%s", n, out)
	}
	c.verb("update", "start", "--no-wait", "--reason", "more threads", "--set",
		"kafka.num_io_threads=5", "--set", "service.deploy_strategy=serial-canary")
	c.awaitSteps("WAITING", "WAITING", "PENDING")
	c.threads(bootstrap, "8", "8", "8")

	c.verb("plan", "resume", "deploy", "broker")
	c.killScheduler()
	c.awaitSteps("COMPLETE", "WAITING", "PENDING")
	c.threads(bootstrap, "5", "8", "8")
	c.killScheduler()
	c.awaitSteps("COMPLETE", "WAITING", "PENDING")

	c.verb("plan", "pause", "deploy", "--reason", "lunch")
	c.verb("plan", "resume", "deploy", "broker")
	c.killScheduler()
	eventually(t, 30*time.Second, "the plan is held as before", func() error {
		out, _, _ := c.run(20*time.Second, "plan", "status", "deploy", "--name", c.name)
		if !strings.Contains(out, "lunch") {
			return fmt.Errorf("nobody says why:\n%s", out)
		}
		return c.steps("COMPLETE", "PENDING", "PENDING")
	})
	c.verb("plan", "resume", "deploy")
	c.awaitSteps("COMPLETE", "COMPLETE", "COMPLETE")
	c.threads(bootstrap, "5", "5", "5")

	c.verb("update", "rollback", "--reason", "too many threads")
	c.awaitWhole(3, 3*time.Minute)
	c.threads(bootstrap, "8", "8", "8")
	if journal := c.verb("journal"); !strings.Contains(journal, "too many threads") {
		t.Errorf("the journal does not say why:\n%s", journal)
	}
	load.check()
	c.uninstall()
}

// TestBadUpdate rolls out a setting that Kafka refuses: one broker stays down, the others are left
// alone, producers go on, and a roll-back brings it back (F32, F36).
func TestBadUpdate(t *testing.T) {
	c := newCluster(t, "bad")
	c.install()
	c.awaitWhole(3, 30*time.Second)
	load := startLoad(t, c.bootstrap(), "load")
	before := c.taskIDs()
	c.verb("update", "start", "--no-wait", "--set", "kafka.num_io_threads=0")
	eventually(t, time.Minute, "the first broker fails, again and again", func() error {
		s, err := c.status()
		if err != nil {
			return err
		}
		for _, p := range s.Plans {
			for _, phase := range p.Phases {
				if step := phase.Steps[0]; p.Name == "deploy" && step.Attempts < 2 {
					return fmt.Errorf("step %s: %s, %s", step.Name, step.Status, step.Reason)
				}
			}
		}
		return nil
	})
	now := c.taskIDs()
	for _, task := range []string{"kafka-1-broker", "kafka-2-broker"} {
		if now[task] != before[task] {
			t.Errorf("%s was restarted, although the one before it is not ready", task)
		}
	}
	c.verb("update", "rollback")
	c.awaitWhole(3, 3*time.Minute)
	load.check()
	c.uninstall()
}

// verb runs a command on this cluster that has to succeed.
func (c *cluster) verb(args ...string) string {
	c.t.Helper()
	return c.must(4*time.Minute, append(args, "--name", c.name)...)
}

// killScheduler ends the scheduler's process without warning; another takes its place.
func (c *cluster) killScheduler() {
	c.t.Helper()
	eventually(c.t, 30*time.Second, "a scheduler runs", func() error {
		i := slices.IndexFunc(c.processes(),
			func(p process) bool { return strings.Contains(p.args, "kafka-sched scheduler") })
		if i < 0 {
			return fmt.Errorf("none")
		}
		c.kill(c.processes()[i])
		return nil
	})
}

// steps reports whether the steps of the deploy plan have these statuses, "" for any.
func (c *cluster) steps(want ...string) error {
	s, err := c.status()
	if err != nil {
		return err
	}
	var got []string
	for _, p := range s.Plans {
		for _, phase := range p.Phases {
			for _, step := range phase.Steps {
				if p.Name == "deploy" {
					got = append(got, string(step.Status))
				}
			}
		}
	}
	same := func(got, want string) bool { return want == "" || got == want }
	if !slices.EqualFunc(got, want, same) {
		return fmt.Errorf("the steps of deploy are %v, not %v", got, want)
	}
	return nil
}

func (c *cluster) awaitSteps(want ...string) {
	c.t.Helper()
	eventually(c.t, 2*time.Minute, "the plan gets on", func() error { return c.steps(want...) })
}

// threads demands what the brokers themselves say of num.io.threads.
func (c *cluster) threads(bootstrap []string, want ...string) {
	c.t.Helper()
	for id, threads := range want {
		eventually(c.t, 30*time.Second, "a broker has its setting", func() error {
			got, err := setting(bootstrap, id, "num.io.threads")
			if err == nil && got != threads {
				err = fmt.Errorf("broker %d has %s threads, not %s", id, got, threads)
			}
			return err
		})
	}
}

// setting asks a broker for one of its settings, over connections of its own.
func setting(bootstrap []string, broker int, name string) (string, error) {
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(bootstrap...), Timeout: 20 * time.Second,
		Transport: transport}
	answer, err := client.DescribeConfigs(context.Background(), &kafka.DescribeConfigsRequest{
		Resources: []kafka.DescribeConfigRequestResource{{
			ResourceType: kafka.ResourceTypeBroker, ResourceName: fmt.Sprint(broker),
			ConfigNames: []string{name}}}})
	if err != nil {
		return "", fmt.Errorf("broker %d: %w", broker, err)
	}
	for _, r := range answer.Resources {
		for _, entry := range r.ConfigEntries {
			return entry.ConfigValue, r.Error
		}
	}
	return "", fmt.Errorf("broker %d says nothing of %s", broker, name)
}

const notesSpec = `
name: notes
pods:
  note:
    count: 2
    tasks:
      server:
        goal: RUNNING
        cmd: sleep 100000
        cpus: 0.1
        memory: 32
        volume: {path: notes, type: ROOT, size: 10}
        kill-grace-period: 1
      write:
        goal: ONCE
        cmd: |
          while [ ! -e "$GATE" ]; do sleep 0.2; done
          echo "$TEXT" > "$FOLDER/$TASK_NAME"
        cpus: 0.1
        memory: 32
        env: {TEXT: nothing}
plans:
  deploy:
    phases:
      note:
        pod: note
        steps:
          - default: [[server]]
  write:
    strategy: serial
    phases:
      write:
        strategy: serial
        pod: note
        steps:
          - default: [[write]]
`

// TestPlanWithParameters starts a plan of the spec's own with parameters, kills the scheduler
// while its first step runs, and finds that the second one has the parameters all the same.
func TestPlanWithParameters(t *testing.T) {
	c := newCluster(t, "notes")
	folder := t.TempDir()
	spec := filepath.Join(folder, "notes.yml")
	if err := os.WriteFile(spec, []byte(notesSpec), 0o600); err != nil {
		t.Fatal(err)
	}
	c.must(3*time.Minute, "install", "--file", spec, "--name", c.name, "--agents", "2")
	gate := filepath.Join(folder, "gate")
	c.verb("plan", "start", "write", "-p", "TEXT=two words", "-p", "FOLDER="+folder,
		"-p", "GATE="+gate)
	c.await("write", "first step runs", "IN_PROGRESS STARTING STARTED")
	c.killScheduler()
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c.await("write", "plan is complete", "COMPLETE")
	for _, task := range []string{"note-0-write", "note-1-write"} {
		text, err := os.ReadFile(filepath.Join(folder, task))
		if err != nil || string(text) != "two words\n" {
			t.Errorf("%s wrote %q (%v)", task, text, err)
		}
	}
	c.uninstall()
}

// await waits until a plan has one of the statuses.
func (c *cluster) await(plan, what, statuses string) {
	c.t.Helper()
	eventually(c.t, time.Minute, what, func() error {
		s, err := c.status()
		if err != nil {
			return err
		}
		for _, p := range s.Plans {
			if p.Name == plan && !slices.Contains(strings.Fields(statuses), string(p.Status)) {
				return fmt.Errorf("plan %s is %s", plan, p.Status)
			}
		}
		return nil
	})
}
