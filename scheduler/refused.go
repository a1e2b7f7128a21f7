package scheduler

import (
	"fmt"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// The codes of an Exit that are not 0.
const (
	// ExitFailed is a failure that a new process may find mended.
	ExitFailed = 1
	// ExitFrameworkEnded says that the master has ended the framework for ever: no new process
	// changes that, and somebody has to decide what becomes of what it holds.
	ExitFrameworkEnded = 8
)

// endedFor are the ends of what masters say of a framework that they will never take again
// (Master::subscribe): of one that was torn down or whose fail-over time has passed.
var endedFor = []string{"Framework has been removed",
	"Completed framework attempted to re-register"}

// refused ends the process: the master will not have this framework, and a new attempt does not
// mend it.
func (m *Machine) refused(ev mesos.Refused) {
	if m.hard.Intent == Uninstalled {
		m.exit(0, "uninstalled")
		return
	}
	code, reason := ExitFailed, "the master refuses this framework: "+ev.Message
	for _, end := range endedFor {
		if strings.Contains(ev.Message, end) && m.hard.Framework != "" {
			code, reason = ExitFrameworkEnded, m.endedText(ev.Message)
		}
	}
	if strings.Contains(ev.Message, "Framework failed over") {
		reason += ": another scheduler has subscribed with its id; only one may run"
	}
	m.note(Err, "", "the master refuses this framework", "message", ev.Message)
	m.exit(code, reason)
}

// endedText says what became of a framework that was ended, and what can be done.
func (m *Machine) endedText(message string) string {
	return fmt.Sprintf("the master has ended framework %s for ever (%s): it was torn down, or no "+
		"scheduler was connected for its fail-over time. Its tasks were killed; its reservations "+
		"and volumes are still there. kafka-sched start --forget-framework %s goes on with them "+
		"as a new framework", m.hard.Framework, message, m.hard.Framework)
}
