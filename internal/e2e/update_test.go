//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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

	out := c.verb("update", "start", "--dry-run", "--set",
		"kafka.queued_max_requests=400")
	if n := strings.Count(out, "restart"); n < 3 ||
		!strings.Contains(out, "queued.max.requests") {
		t.Errorf("the preview names %d restarts and no setting:\n%s", n, out)
	}
	c.verb("update", "start", "--no-wait", "--reason", "shorter queues", "--set",
		"kafka.queued_max_requests=400", "--set", "service.deploy_strategy=serial-canary")
	c.awaitSteps("WAITING", "WAITING", "PENDING")
	c.queues(bootstrap, "500", "500", "500")

	c.verb("plan", "resume", "deploy", "broker")
	c.killScheduler()
	c.awaitSteps("COMPLETE", "WAITING", "PENDING")
	c.queues(bootstrap, "400", "500", "500")
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
	c.queues(bootstrap, "400", "400", "400")

	c.verb("update", "rollback", "--reason", "too short queues")
	c.awaitWhole(3, 3*time.Minute)
	c.queues(bootstrap, "500", "500", "500")
	if journal := c.verb("journal"); !strings.Contains(journal, "too short queues") {
		t.Errorf("the journal does not say why:\n%s", journal)
	}
	load.check()
	c.uninstall()
}

// TestBadUpdate changes what brokers take while they run, and restarts nobody; has what Kafka
// refuses refused before anything restarts; and rolls out a setting that keeps a broker from
// starting: one stays down, the others are left alone, producers go on, and a roll-back brings it
// back (F32, F36, C15).
func TestBadUpdate(t *testing.T) {
	c := newCluster(t, "bad")
	c.install()
	c.awaitWhole(3, 30*time.Second)
	load := startLoad(t, c.bootstrap(), "load")
	before := c.taskIDs()
	c.liveUpdate(before)
	c.verb("update", "start", "--no-wait", "--set", "kafka.queued_max_requests=0")
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
	for _, pod := range c.order()[1:] {
		if task := pod + "-broker"; now[task] != before[task] {
			t.Errorf("%s was restarted, although the one before it is not ready", task)
		}
	}
	c.verb("update", "rollback")
	c.awaitWhole(3, 3*time.Minute)
	load.check()
	c.uninstall()
}

// liveUpdate changes a property that brokers take while they run, and tries what they do not take.
func (c *cluster) liveUpdate(before map[string]string) {
	c.t.Helper()
	bootstrap := c.bootstrap()
	out := c.verb("update", "start", "--set", "kafka.num_io_threads=5")
	if !strings.Contains(out, "brokers take it while they run") {
		c.t.Errorf("the update does not say that it is live:\n%s", out)
	}
	c.settings(bootstrap, "num.io.threads", "5", "5", "5")
	for set, want := range map[string]string{
		"kafka.num_io_threads=0": "Kafka does not take num.io.threads",
		"kafka.num_io_thread=6":  "did you mean",
	} {
		_, said, code := c.run(time.Minute, "update", "start", "--set", set, "--name", c.name)
		if code != 2 || !strings.Contains(said, want) {
			c.t.Errorf("%s ended with %d: %s", set, code, said)
		}
	}
	if now := c.taskIDs(); !maps.Equal(now, before) {
		c.t.Errorf("somebody was restarted: %v, before %v", now, before)
	}
	c.verb("update", "rollback")
	c.settings(bootstrap, "num.io.threads", "8", "8", "8")
	if now := c.taskIDs(); !maps.Equal(now, before) {
		c.t.Errorf("the roll-back restarted somebody: %v, before %v", now, before)
	}
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
		all := c.processes()
		i := slices.IndexFunc(all,
			func(p process) bool { return strings.Contains(p.args, "kafka-sched scheduler") })
		if i < 0 {
			return fmt.Errorf("none")
		}
		c.kill(all[i])
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

// order is that of the pods in the deploy plan: who leads the quorum comes last.
func (c *cluster) order() (pods []string) {
	c.t.Helper()
	s, err := c.status()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, p := range s.Plans {
		for _, phase := range p.Phases {
			for _, step := range phase.Steps {
				if pod, _, _ := strings.Cut(step.Name, ":"); p.Name == "deploy" {
					pods = append(pods, pod)
				}
			}
		}
	}
	return pods
}

// queues demands what the brokers themselves, in the order of the plan, say of a property that
// they read when they start.
func (c *cluster) queues(bootstrap []string, want ...string) {
	c.t.Helper()
	byID := slices.Clone(want)
	for i, pod := range c.order() {
		id, err := strconv.Atoi(strings.TrimPrefix(pod, "kafka-"))
		if err != nil {
			c.t.Fatal(err)
		}
		byID[id] = want[i]
	}
	c.settings(bootstrap, "queued.max.requests", byID...)
}

// settings demands what the brokers themselves say of a property.
func (c *cluster) settings(bootstrap []string, name string, want ...string) {
	c.t.Helper()
	for id, value := range want {
		eventually(c.t, 30*time.Second, "a broker has its setting", func() error {
			got, err := setting(bootstrap, id, name)
			if err == nil && got != value {
				err = fmt.Errorf("broker %d has %s=%s, not %s", id, name, got, value)
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
