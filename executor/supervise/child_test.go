package supervise

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// childVar makes this test binary an executor in the sandbox that it names.
const childVar = "KAFKA_SCHED_TEST_EXECUTOR_SANDBOX"

// child is an executor of a process of its own. It launches one task, whose command is in the
// file "command" of the sandbox.
func child(sandbox string) int {
	command, err := os.ReadFile(filepath.Join(sandbox, "command"))
	if err != nil {
		return 90
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	order := executor.Order{Task: "a", Command: string(command), KillGrace: time.Minute}
	data, err := order.Encode()
	if err != nil {
		return 91
	}
	a := newAgent()
	go func() {
		a.await(ctx, func() bool { return a.deliver != nil })
		a.deliver(mesos.ExecutorLaunch{Task: mesos.TaskInfo{ID: "a", Data: data}})
	}()
	code, err := Run(ctx, Config{
		Sandbox: sandbox,
		Agent:   a,
		Machine: executor.Config{RecoveryTimeout: time.Minute, ShutdownGrace: 5 * time.Second},
		Logger:  slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return 92
	}
	return code
}

// startChild starts an executor of its own whose task writes its process id into "leader".
func startChild(t *testing.T, command string) (*exec.Cmd, *run) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	r := &run{agent: newAgent(), t: t, ctx: ctx, sandbox: t.TempDir()}
	err := os.WriteFile(filepath.Join(r.sandbox, "command"), []byte(command), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(r.sandbox, "executor.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childVar+"="+r.sandbox)
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd, r
}

// No broker survives its executor: the task's leader dies even if the executor is killed and
// cannot do anything about it, also when it replaced the shell (as "exec java" does).
func TestNoTaskSurvivesItsExecutor(t *testing.T) {
	for _, command := range []string{
		`echo $$ > leader; exec sleep 1000`,
		`trap "" TERM HUP; echo $$ > leader; while :; do sleep 0.1; done`,
	} {
		cmd, r := startChild(t, command)
		leader := r.pid("leader")
		// Threads of the executor come and go; the bond is to one that stays.
		r.eventually("it runs", func() bool {
			return strings.Contains(r.read("executor.log"), "RUNNING")
		})
		if gone(leader) {
			t.Fatalf("%s: ended too early:\n%s", command, r.read("executor.log"))
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		r.eventually("the leader is gone", func() bool { return gone(leader) })
	}
}

func TestSIGTERMEndsTheExecutorInOrder(t *testing.T) {
	cmd, r := startChild(t,
		`trap "echo bye > last; exit 0" TERM; echo $$ > leader; sleep 1000 & wait`)
	leader := r.pid("leader")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the executor: %v\n%s", err, r.read("executor.log"))
	}
	if !gone(leader) || r.read("last") != "bye\n" {
		t.Errorf("the task did not end in order:\n%s", r.read("executor.log"))
	}
}
