package executor

import (
	"fmt"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// Event is something that the machine is told; its String form is one line.
type Event interface {
	String() string
	event()
}

// CheckKind says which of a task's checks is meant.
type CheckKind string

// The two checks that a task can have.
const (
	Readiness CheckKind = "readiness"
	Health    CheckKind = "health"
)

// The events of the machine.
type (
	// Agent wraps what the agent said. SIGTERM to the executor is told as its shutdown.
	Agent struct{ Event mesos.ExecutorEvent }
	// Started answers a Start effect: the task's process runs.
	Started struct {
		Task mesos.TaskID
		PID  int
	}
	// StartFailed answers a Start effect: there is no process, and Message says why.
	StartFailed struct {
		Task    mesos.TaskID
		Message string
	}
	// Exited says that a task's process ended and that its group is gone. Signal is the name
	// of the signal that ended it ("SIGKILL"), or "" when it exited with the status Code.
	// Lines are the last lines that it wrote, the newest last.
	Exited struct {
		Task   mesos.TaskID
		Code   int
		Signal string
		Lines  []string
	}
	// Checked answers a RunCheck effect; each is answered exactly once. Detail says why the
	// check failed, or what it saw.
	Checked struct {
		Task   mesos.TaskID
		Kind   CheckKind
		Passed bool
		Detail string
	}
	// Tick says that the time of NextWake has come.
	Tick struct{}
)

func (Agent) event()       {}
func (Started) event()     {}
func (StartFailed) event() {}
func (Exited) event()      {}
func (Checked) event()     {}
func (Tick) event()        {}

func (e Agent) String() string {
	switch ev := e.Event.(type) {
	case mesos.ExecutorSubscribed:
		return fmt.Sprintf("subscribed to %s", ev.Agent)
	case mesos.ExecutorDisconnected:
		return fmt.Sprintf("disconnected %q", ev.Reason)
	case mesos.ExecutorLaunch:
		return fmt.Sprintf("launch %s", ev.Task.ID)
	case mesos.ExecutorKill:
		if ev.Grace != nil {
			return fmt.Sprintf("kill %s grace=%s", ev.Task, *ev.Grace)
		}
		return fmt.Sprintf("kill %s", ev.Task)
	case mesos.ExecutorAcknowledged:
		return fmt.Sprintf("acknowledged %s %s", ev.Task, short(ev.UUID))
	case mesos.ExecutorShutdown:
		return "shutdown"
	case mesos.ExecutorRefused:
		return fmt.Sprintf("refused %q", ev.Message)
	default:
		return fmt.Sprintf("%T", ev)
	}
}

func (e Started) String() string {
	return fmt.Sprintf("started %s pid=%d", e.Task, e.PID)
}

func (e StartFailed) String() string {
	return fmt.Sprintf("start-failed %s %q", e.Task, e.Message)
}

func (e Exited) String() string {
	end := fmt.Sprintf("status=%d", e.Code)
	if e.Signal != "" {
		end = "signal=" + e.Signal
	}
	return fmt.Sprintf("exited %s %s lines=%d", e.Task, end, len(e.Lines))
}

func (e Checked) String() string {
	result := "failed"
	if e.Passed {
		result = "passed"
	}
	return strings.TrimSuffix(
		fmt.Sprintf("checked %s %s %s %q", e.Task, e.Kind, result, e.Detail), ` ""`)
}

func (Tick) String() string { return "tick" }

// short gives the first half of an update's id, enough for one's eyes.
func short(uuid []byte) string {
	return fmt.Sprintf("%x", uuid[:min(4, len(uuid))])
}
