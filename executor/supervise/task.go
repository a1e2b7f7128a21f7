package supervise

import (
	"context"
	"fmt"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// drainTime is how long the output of a task is still read once its group was killed, should a
// process that left the group hold on to the pipe.
const drainTime = 2 * time.Second

// task is one task with, once Started was posted, its process.
type task struct {
	*supervisor
	id     mesos.TaskID
	order  executor.Order
	env    []string
	alive  context.Context // ends with the process; checks end with it
	finish context.CancelFunc

	process *process // set before Started is posted, so the loop may read it after
}

func (s *supervisor) newTask(e executor.Start) *task {
	t := &task{supervisor: s, id: e.Task, order: e.Order}
	t.env = taskEnv(s.cfg.Environ, s.cfg.Sandbox, e.Order.Env)
	t.alive, t.finish = context.WithCancel(s.ctx)
	return t
}

// run is the life of the task's process.
func (t *task) run() {
	defer t.finish()
	out, err := t.start()
	if err != nil {
		t.post(executor.StartFailed{Task: t.id, Message: err.Error()})
		return
	}
	t.post(executor.Started{Task: t.id, PID: t.process.pid})
	status := t.process.wait()
	t.finish()
	out.drain(drainTime)
	ev := executor.Exited{Task: t.id, Code: status.ExitStatus(), Lines: out.tail.lines()}
	if status.Signaled() {
		ev.Signal = unix.SignalName(status.Signal())
	}
	t.post(ev)
}

// start prepares the sandbox and starts the process.
func (t *task) start() (*output, error) {
	if err := t.awaitPorts(); err != nil {
		return nil, err
	}
	if err := writeFiles(t.root, t.order.Files, t.env); err != nil {
		return nil, err
	}
	out, err := newOutput(t.root, t.order, t.log)
	if err != nil {
		return nil, err
	}
	cmd := t.shell(t.order.Command)
	cmd.Stdout, cmd.Stderr = out.stdout, out.stderr
	t.process, err = t.fork.start(cmd)
	out.begin()
	if err == nil {
		if err = t.limit(t.process.pid); err != nil {
			t.process.signal(unix.SIGKILL)
			t.process.wait()
		}
	}
	if err != nil {
		out.drain(drainTime)
		return nil, fmt.Errorf("starting %s: %w", t.order.Task, err)
	}
	return out, nil
}

// shell is a command as the task itself or one of its checks runs it.
func (t *task) shell(command string) *exec.Cmd {
	cmd := exec.Command("/bin/sh", "-c", command)
	cmd.Dir, cmd.Env = t.cfg.Sandbox, t.env
	return cmd
}
