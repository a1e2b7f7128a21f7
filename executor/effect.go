package executor

import (
	"fmt"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// Effect is something that the machine wants done; its String form is one line and holds
// nothing secret: no environment, no file.
type Effect interface {
	String() string
	effect()
}

// Sig is one of the two signals that the machine uses.
type Sig string

// The signals of an orderly and of a forced end.
const (
	Term Sig = "SIGTERM"
	Kill Sig = "SIGKILL"
)

// The effects of the machine. They are carried out in the order given; none is awaited.
type (
	// Start wants a task's process; Started or StartFailed answers it.
	Start struct {
		Task  mesos.TaskID
		Order Order
	}
	// Signal goes to every process of the task's group.
	Signal struct {
		Task mesos.TaskID
		Sig  Sig
	}
	// RunCheck wants one run of a check; Checked answers it, within Check.Timeout.
	RunCheck struct {
		Task  mesos.TaskID
		Kind  CheckKind
		Check Check
	}
	// Update wants a status sent to the agent. Whether that worked need not be told: what is
	// not acknowledged is sent again.
	Update struct{ Status mesos.Status }
	// Exit ends the executor with the exit status Code. No effect follows it.
	Exit struct {
		Code   int
		Reason string
	}
)

func (Start) effect()    {}
func (Signal) effect()   {}
func (RunCheck) effect() {}
func (Update) effect()   {}
func (Exit) effect()     {}

func (e Start) String() string { return fmt.Sprintf("start %s (%s)", e.Task, e.Order.Task) }

func (e Signal) String() string { return fmt.Sprintf("signal %s %s", e.Task, e.Sig) }

func (e RunCheck) String() string {
	return fmt.Sprintf("check %s %s %s timeout=%s", e.Task, e.Kind, e.Check, e.Check.Timeout)
}

func (e Update) String() string {
	var b strings.Builder
	s := e.Status
	fmt.Fprintf(&b, "update %s %s", s.Task, s.State)
	if s.Ready != nil {
		fmt.Fprintf(&b, " ready=%t", *s.Ready)
	}
	if s.Healthy != nil {
		fmt.Fprintf(&b, " healthy=%t", *s.Healthy)
	}
	if s.Reason != "" {
		fmt.Fprintf(&b, " %s", s.Reason)
	}
	if s.Message != "" {
		fmt.Fprintf(&b, " %q", s.Message)
	}
	fmt.Fprintf(&b, " id=%s", short(s.UUID))
	return b.String()
}

func (e Exit) String() string { return fmt.Sprintf("exit %d %q", e.Code, e.Reason) }
