package supervise

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

func TestTaskRunsInItsSandbox(t *testing.T) {
	r := start(t, func(c *Config) {
		c.Environ = []string{"PATH=" + os.Getenv("PATH"), "BOTH=executor",
			"MESOS_EXECUTOR_AUTHENTICATION_TOKEN=secret", "LIBPROCESS_PORT=0"}
	})
	r.launch(executor.Order{
		Task:    "kafka-0-broker",
		Command: `pwd; cat conf/a.properties; ./tool; env | sort > environment; echo bad >&2`,
		Env:     []executor.EnvVar{{Name: "BOTH", Value: "order"}, {Name: "ID", Value: "<7>"}},
		Files: []executor.File{
			{Path: "conf/a.properties", Text: "node.id={{ID}}\n", Template: true},
			{Path: "tool", Text: "#!/bin/sh\necho '{{ID}}'\n", Executable: true},
		},
	})
	r.state("kafka-0-broker", mesos.Finished)
	if code, err := r.exit(); code != 0 || err != nil {
		t.Errorf("exit %d %v", code, err)
	}
	want := r.sandbox + "\nnode.id=<7>\n{{ID}}\n"
	if got := r.read("kafka-0-broker.out"); got != want {
		t.Errorf("stdout is %q, want %q", got, want)
	}
	if got := r.read("kafka-0-broker.err"); got != "bad\n" {
		t.Errorf("stderr is %q", got)
	}
	env := r.read("environment")
	if strings.Contains(env, "secret") || strings.Contains(env, "LIBPROCESS") {
		t.Errorf("the task sees the agent's secrets:\n%s", env)
	}
	if !strings.Contains(env, "BOTH=order\n") || !strings.Contains(env, "PWD="+r.sandbox+"\n") {
		t.Errorf("the environment is:\n%s", env)
	}
}

func TestFailureSaysTheLastLines(t *testing.T) {
	r := start(t)
	r.launch(executor.Order{Task: "a", Command: `for i in 1 2 3 4 5 6 7; do echo "line $i"; done
		printf 'no newline' >&2; exit 3`})
	got := r.state("a", mesos.Failed).Message
	// The two streams are two pipes: their order is that of reading.
	if !strings.HasPrefix(got, "exited with status 3: ") || strings.Count(got, "\n") != 4 ||
		!strings.Contains(got, "line 7") {
		t.Errorf("message is %q", got)
	}
}

func TestKillReachesTheWholeGroup(t *testing.T) {
	r := start(t)
	r.launch(executor.Order{Task: "a", KillGrace: time.Minute,
		Command: `sleep 1000 & echo $! > child; echo $$ > leader; exec sleep 1000`})
	child, leader := r.pid("child"), r.pid("leader")
	for _, pid := range []int{child, leader} {
		if group, err := unix.Getpgid(pid); err != nil || group != leader {
			t.Errorf("the group of %d is %d (%v), not %d", pid, group, err, leader)
		}
		session, err := unix.Getsid(pid)
		if own, _ := unix.Getsid(0); err != nil || session != own {
			t.Errorf("the session of %d is %d (%v), not the executor's %d", pid, session, err, own)
		}
	}
	r.tell(mesos.ExecutorKill{Task: "a"})
	if got := r.state("a", mesos.Killed).Message; got != "was ended by SIGTERM" {
		t.Errorf("message is %q", got)
	}
	r.state("a", mesos.Killing)
	r.eventually("no process is left", func() bool { return gone(child) && gone(leader) })
}

func TestKillAfterTheGracePeriod(t *testing.T) {
	r := start(t)
	r.launch(executor.Order{Task: "stubborn", KillGrace: time.Hour,
		Command: `trap "" TERM; echo $$ > leader; sleep 1000; sleep 1000`})
	r.launch(executor.Order{Task: "orderly", KillGrace: time.Minute,
		Command: `trap "echo bye; exit 0" TERM; sleep 1000 & echo $! > child; wait`})
	leader, child := r.pid("leader"), r.pid("child")
	r.tell(mesos.ExecutorKill{Task: "orderly"})
	if got := r.state("orderly", mesos.Killed).Message; got != "exited with status 0" {
		t.Errorf("message is %q", got)
	}
	if got := r.read("orderly.out"); got != "bye\n" {
		t.Errorf("the last words are %q", got)
	}
	r.tell(mesos.ExecutorKill{Task: "stubborn"})
	r.state("stubborn", mesos.Killing)
	if gone(leader) {
		t.Error("the task did not ignore SIGTERM")
	}
	grace := 50 * time.Millisecond
	r.tell(mesos.ExecutorKill{Task: "stubborn", Grace: &grace})
	if got := r.state("stubborn", mesos.Killed).Message; got != "was ended by SIGKILL" {
		t.Errorf("message is %q", got)
	}
	r.eventually("no process is left", func() bool { return gone(leader) && gone(child) })
}

func TestTheRestOfTheGroupEndsWithItsLeader(t *testing.T) {
	r := start(t)
	r.launch(executor.Order{Task: "a", Command: `sleep 1000 & echo $! > child`})
	r.state("a", mesos.Finished)
	child := r.pid("child")
	r.eventually("the child is gone", func() bool { return gone(child) })
}

// A process that left the group cannot be found, and must not keep the task from ending by
// holding on to its output. The agent kills it with the rest of the session or container.
func TestWhoLeftTheGroupDoesNotHoldTheTask(t *testing.T) {
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Fatal(err)
	}
	r := start(t)
	r.launch(executor.Order{Task: "a", Command: `setsid sh -c 'echo $$ > left; exec sleep 1000' &
		until [ -s left ]; do sleep 0.01; done; echo done`})
	r.state("a", mesos.Finished)
	_ = syscall.Kill(r.pid("left"), syscall.SIGKILL)
	if got := r.read("a.out"); got != "done\n" {
		t.Errorf("stdout is %q", got)
	}
}

func TestCommandThatCannotStart(t *testing.T) {
	r := start(t)
	if err := os.Mkdir(filepath.Join(r.sandbox, "a.out"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.launch(executor.Order{Task: "a", Command: "true"})
	if got := r.state("a", mesos.Failed).Message; !strings.Contains(got, "opening a.out") {
		t.Errorf("message is %q", got)
	}
	if _, err := Run(t.Context(), Config{Sandbox: filepath.Join(r.sandbox, "no")}); err == nil {
		t.Error("no error without a sandbox")
	}
}

func TestAgentAwayAndBack(t *testing.T) {
	r := start(t)
	r.launch(executor.Order{Task: "a", Command: `until [ -e go ]; do sleep 0.01; done`})
	r.launch(executor.Order{Task: "b", Command: `sleep 1000`, KillGrace: time.Minute})
	r.state("a", mesos.Running)
	r.state("b", mesos.Running)
	r.change(func() { r.away = true })
	r.await(r.ctx, func() bool { return r.deliver == nil })
	if err := os.WriteFile(filepath.Join(r.sandbox, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	r.change(func() { r.away = false })
	r.state("a", mesos.Finished)
	if len(r.presented) != 2 || len(r.presented[1]) != 0 {
		t.Errorf("presented are %v, want no task the second time", r.presented)
	}
	r.tell(mesos.ExecutorKill{Task: "b"})
	r.state("b", mesos.Killed)
	if code, err := r.exit(); code != 0 || err != nil {
		t.Errorf("exit %d %v", code, err)
	}
}

// No process is involved here, so the time until the update is sent again need not pass (F15).
func TestUpdatesThatFailAreSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		r.change(func() { r.failing = 2 })
		began := time.Now()
		r.tell(mesos.ExecutorLaunch{Task: mesos.TaskInfo{ID: "a", Data: []byte("nonsense")}})
		r.state("a", mesos.Failed)
		if waited := time.Since(began); waited != 15*time.Second {
			t.Errorf("it arrived after %s", waited)
		}
		if code, err := r.exit(); code != 0 || err != nil {
			t.Errorf("exit %d %v", code, err)
		}
	})
}

func TestAgentThatStaysAway(t *testing.T) {
	r := start(t, func(c *Config) { c.Machine.RecoveryTimeout = 200 * time.Millisecond })
	r.launch(executor.Order{Task: "a", KillGrace: time.Minute,
		Command: `echo $$ > leader; exec sleep 1000`})
	leader := r.pid("leader")
	r.state("a", mesos.Running)
	r.change(func() { r.away = true })
	if code, err := r.exit(); code != 1 || err != nil {
		t.Errorf("exit %d %v", code, err)
	}
	if !gone(leader) {
		t.Error("the task outlived its executor")
	}
}

func TestAgentThatRefuses(t *testing.T) {
	r := start(t)
	r.launch(executor.Order{Task: "a", Command: `echo $$ > leader; exec sleep 1000`})
	leader := r.pid("leader")
	refusal := errors.New("executor cannot be found")
	r.change(func() { r.fatal = refusal })
	if code, err := r.exit(); code != 1 || !errors.Is(err, refusal) {
		t.Errorf("exit %d %v", code, err)
	}
	if !gone(leader) {
		t.Error("the task outlived its executor")
	}
}

func TestTerminationEndsTheTasks(t *testing.T) {
	r := start(t)
	r.launch(executor.Order{Task: "a", KillGrace: time.Minute,
		Command: `trap "exit 0" TERM; echo $$ > leader; sleep 1000 & wait`})
	leader := r.pid("leader")
	r.cancel()
	if code, err := r.exit(); code != 0 || err != nil {
		t.Errorf("exit %d %v", code, err)
	}
	if got := r.state("a", mesos.Killed).Message; got != "exited with status 0" || !gone(leader) {
		t.Errorf("message is %q", got)
	}
}
