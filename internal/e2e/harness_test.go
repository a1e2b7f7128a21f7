//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/internal/testbin"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	os.Exit(testbin.With(func(path string) int {
		binary = path
		return m.Run()
	}))
}

// cluster is one cluster of one test, in a home of its own.
type cluster struct {
	t    *testing.T
	home string
	name string
	env  []string
	// program is the one that commands are of.
	program string
}

// newCluster prepares a home; what is left of the cluster is ended and reported at the end.
func newCluster(t *testing.T, name string) *cluster {
	t.Helper()
	home := t.TempDir()
	c := &cluster{t: t, home: home, name: name, program: binary,
		env: append(os.Environ(), "KAFKA_SCHED_HOME="+home)}
	t.Cleanup(c.cleanup)
	return c
}

// cleanup uninstalls what is still there, then ends by pid whatever belongs to this home.
func (c *cluster) cleanup() {
	if c.t.Failed() {
		c.dump()
	}
	c.replay()
	if _, err := os.Stat(filepath.Join(c.home, c.name)); err == nil {
		c.run(2*time.Minute, "uninstall", "--yes", "--name", c.name)
	}
	for _, p := range c.processes() {
		syscall.Kill(p.pid, syscall.SIGKILL)
	}
	eventually(c.t, 20*time.Second, "processes of the home end", func() error {
		if left := c.processes(); len(left) > 0 {
			return fmt.Errorf("still running: %v", left)
		}
		return nil
	})
}

// replay replays what the schedulers of this home recorded; one may still run.
func (c *cluster) replay() {
	segments, err := filepath.Glob(filepath.Join(c.home, "*", "scheduler", "recording", "*.rec.gz"))
	if err != nil {
		c.t.Error(err)
	}
	for _, path := range segments {
		out, errs, code := c.run(2*time.Minute, "debug", "replay", "--diff", path)
		if code != 0 {
			c.t.Errorf("the replay of %s: exit %d\n%s%s", path, code, tailOf(out, 4000), errs)
		}
	}
}

// dump shows what helps to understand a failure.
func (c *cluster) dump() {
	out, _, _ := c.run(20*time.Second, "status", "--name", c.name)
	c.t.Logf("status:\n%s", out)
	logs, _ := filepath.Glob(filepath.Join(c.home, c.name, "*", "*.log"))
	keeper, _ := filepath.Glob(filepath.Join(c.home, c.name, "*.log"))
	for _, path := range append(logs, keeper...) {
		c.t.Logf("%s:\n%s", path, tail(path, 6000))
	}
}

func tail(path string, n int) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return tailOf(string(data), n)
}

// tailOf is the end of a text.
func tailOf(text string, n int) string { return text[max(0, len(text)-n):] }

// run runs a command of the CLI and gives its output and exit code.
func (c *cluster) run(timeout time.Duration, args ...string) (string, string, int) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.program, args...)
	cmd.Env = c.env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatalf("kafka-sched %v: %v", args, err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// startLogged starts a process that writes all it says to a file.
func (c *cluster) startLogged(cmd *exec.Cmd, path string) {
	c.t.Helper()
	out, err := os.Create(path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
}

// must runs a command that has to succeed.
func (c *cluster) must(timeout time.Duration, args ...string) string {
	c.t.Helper()
	stdout, stderr, code := c.run(timeout, args...)
	if code != 0 {
		c.t.Fatalf("kafka-sched %v: exit %d\n%s\n%s", args, code, stdout, stderr)
	}
	return stdout
}

// small are the options that keep three brokers light on a test machine.
func (c *cluster) small(args ...string) []string {
	return append([]string{"--name", c.name, "--set", "brokers.heap.size=256",
		"--set", "brokers.mem=768", "--set", "brokers.disk=500",
		"--set", "brokers.cpus=0.5"}, args...)
}

// install installs with small brokers and waits for the end.
func (c *cluster) install(args ...string) {
	c.t.Helper()
	c.must(5*time.Minute, append([]string{"install"}, c.small(args...)...)...)
}

// status is the service's status document; the error is for eventually.
func (c *cluster) status() (status, error) {
	stdout, stderr, code := c.run(20*time.Second, "status", "--json", "--name", c.name)
	var s status
	if code != 0 {
		return s, fmt.Errorf("status: exit %d: %s", code, stderr)
	}
	if err := json.Unmarshal([]byte(stdout), &s); err != nil {
		return s, fmt.Errorf("status --json: %w in %s", err, stdout)
	}
	return s, nil
}

type status struct {
	URL string `json:"url"`
	api.Service
}

// complete is the status document, with an error if a plan is not complete; if any are named, one
// of them.
func (c *cluster) complete(named ...string) (status, error) {
	s, err := c.status()
	if err != nil {
		return s, err
	}
	for _, p := range s.Plans {
		asked := len(named) == 0 || slices.Contains(named, p.Name)
		if asked && p.Status != api.StatusComplete {
			return s, fmt.Errorf("plan %s is %s", p.Name, p.Status)
		}
	}
	return s, nil
}

// awaitFound waits until the scheduler is connected and has found all tasks of the deploy plan.
func (c *cluster) awaitFound() {
	c.t.Helper()
	eventually(c.t, 2*time.Minute, "all tasks are found", func() error {
		s, err := c.complete(api.PlanDeploy)
		if err == nil && (!s.Connected || s.Plan(api.PlanDeploy) == nil) {
			err = fmt.Errorf("connected: %v, plans: %v", s.Connected, s.Plans)
		}
		return err
	})
}

// whole reports whether all brokers are ready and in sync and nothing is left to do.
func (c *cluster) whole(brokers int) error {
	s, err := c.complete()
	if err != nil {
		return err
	}
	if len(s.Kafka.Brokers) != brokers || len(s.Kafka.Voters) != brokers {
		return fmt.Errorf("brokers %v, voters %v", s.Kafka.Brokers, s.Kafka.Voters)
	}
	if len(s.Pods) != brokers || len(s.Leftovers) != 0 || s.Kafka.OfflinePartitions != 0 {
		return fmt.Errorf("pods %d, leftovers %d, offline partitions %d", len(s.Pods),
			len(s.Leftovers), s.Kafka.OfflinePartitions)
	}
	for _, p := range s.Pods {
		if p.Broker == nil || p.Broker.Fenced || p.Broker.NotInSync > 0 {
			return fmt.Errorf("%s is not in sync: %+v", p.Name, p.Broker)
		}
	}
	return nil
}

// awaitWhole waits until the cluster is whole.
func (c *cluster) awaitWhole(brokers int, timeout time.Duration) {
	c.t.Helper()
	eventually(c.t, timeout, "the cluster is whole", func() error { return c.whole(brokers) })
}

// bootstrap are the addresses that "endpoints broker --json" gives.
func (c *cluster) bootstrap() []string {
	c.t.Helper()
	var e struct{ Address, DNS []string }
	out := c.must(20*time.Second, "endpoints", "broker", "--json", "--name", c.name)
	if err := json.Unmarshal([]byte(out), &e); err != nil || len(e.Address) == 0 {
		c.t.Fatalf("endpoints broker --json: %v in %s", err, out)
	}
	return e.Address
}

// process is one process of this home.
type process struct {
	pid  int
	args string
}

// processes lists what runs with this home in its environment or works below it.
func (c *cluster) processes() []process {
	var list []process
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		if pid == os.Getpid() {
			continue
		}
		environ, _ := os.ReadFile(filepath.Join(dir, "environ"))
		cwd, _ := os.Readlink(filepath.Join(dir, "cwd"))
		args, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		if len(args) == 0 || !strings.Contains(string(environ), c.home) &&
			!strings.HasPrefix(cwd, c.home) {
			continue
		}
		list = append(list, process{pid, strings.ReplaceAll(string(args), "\x00", " ")})
	}
	return list
}

// find gives the processes whose command line holds all the words; at least one must be there.
func (c *cluster) find(words ...string) []process {
	c.t.Helper()
	var found []process
	for _, p := range c.processes() {
		ok := true
		for _, w := range words {
			ok = ok && strings.Contains(p.args, w)
		}
		if ok {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		c.t.Fatalf("no process with %v among %v", words, c.processes())
	}
	return found
}

// broker is the JVM of one broker, told by where it works.
func (c *cluster) broker(pod string) process {
	c.t.Helper()
	return c.inSandbox(pod, "kafka.Kafka")
}

// executor is the executor of one pod instance.
func (c *cluster) executor(pod string) process {
	c.t.Helper()
	return c.inSandbox(pod, "kafka-sched executor")
}

func (c *cluster) inSandbox(pod, words string) process {
	c.t.Helper()
	s, err := c.status()
	if err != nil {
		c.t.Fatal(err)
	}
	p := s.Pod(pod)
	if p == nil || len(p.Tasks) == 0 {
		c.t.Fatalf("no pod %s in %+v", pod, s.Pods)
	}
	for _, found := range c.find(words) {
		cwd, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", found.pid))
		if strings.Contains(cwd, "/"+p.Tasks[0].ExecutorID+"/") {
			return found
		}
	}
	c.t.Fatalf("no %q in the sandbox of %s (%s)", words, pod, p.Tasks[0].ExecutorID)
	return process{}
}

// kill sends SIGKILL.
func (c *cluster) kill(p process) {
	c.t.Helper()
	if err := syscall.Kill(p.pid, syscall.SIGKILL); err != nil {
		c.t.Fatalf("killing %v: %v", p, err)
	}
}

// volumes are the volumes' folders on disk.
func (c *cluster) volumes() []string {
	found, _ := filepath.Glob(filepath.Join(c.home, c.name, "mesos", "*", "*", "volumes",
		"roles", "*", "*"))
	more, _ := filepath.Glob(filepath.Join(c.home, c.name, "mesos", "*", "volumes", "roles",
		"*", "*"))
	return append(found, more...)
}

// taskIDs are the ids of the current tasks by full name.
func (c *cluster) taskIDs() map[string]string {
	c.t.Helper()
	s, err := c.status()
	if err != nil {
		c.t.Fatal(err)
	}
	ids := map[string]string{}
	for _, p := range s.Pods {
		for _, t := range p.Tasks {
			ids[t.FullName] = t.ID
		}
	}
	return ids
}

// eventually polls until a condition holds.
func eventually(t *testing.T, timeout time.Duration, what string, holds func() error) {
	t.Helper()
	deadline := time.Now().Add(timeout)
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		err := holds()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %s until %s: %v", timeout, what, err)
		}
		<-tick.C
	}
}

// masterState is what the embedded master's operator API says.
func (c *cluster) masterState() []byte {
	c.t.Helper()
	data, err := os.ReadFile(filepath.Join(c.home, c.name, "mesos", "localmesos.json"))
	if err != nil {
		c.t.Fatal(err)
	}
	var a struct {
		MasterURL string `json:"master_url"`
	}
	if err := json.Unmarshal(data, &a); err != nil {
		c.t.Fatal(err)
	}
	resp, err := http.Post(a.MasterURL+"/api/v1", "application/json",
		strings.NewReader(`{"type":"GET_AGENTS"}`))
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	b.ReadFrom(resp.Body)
	return b.Bytes()
}
