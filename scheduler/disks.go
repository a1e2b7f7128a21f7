package scheduler

import (
	"fmt"
	"strings"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Log directories that a broker cannot use any more. With several of them a broker goes on without
// what lies there, and it never comes back by itself: somebody has to give the broker other disks.
// A fault policy with "disk: replace" does that, as a move to another agent, and so only while
// every partition keeps its minimum without the broker.

// failedDirs are the log directories of an instance that failed, none if that is not known.
func (m *Machine) failedDirs(p Pod, spec servicespec.Pod) []string {
	f := m.kafkaNow()
	if f == nil || spec.Kafka == nil || !spec.Kafka.Serves() {
		return nil
	}
	if b := f.broker(nodeID(p.Name, spec)); b != nil {
		return b.Failed
	}
	return nil
}

// passDisks plans, as far as their policies allow, that brokers leave agents where a log directory
// failed. The time counts from when that was first seen, and anew after a restart of the scheduler.
func (m *Machine) passDisks() {
	for _, name := range m.podNames() {
		p, policy := m.hard.Pods[name], m.faultPolicy(name)
		spec, _ := m.spec(name)
		if policy == nil || policy.Disk != servicespec.FaultReplace || m.kafkaNow() == nil {
			continue
		}
		failed := m.failedDirs(p, spec)
		since, known := m.diskLost[name]
		due := since.Add(policy.UnreachableTimeout.Duration())
		switch {
		case len(failed) == 0:
			delete(m.diskLost, name)
		case !known:
			m.diskLost[name] = m.now
			m.wakeBy(m.now.Add(policy.UnreachableTimeout.Duration()))
			m.note(Warn, "", "a log directory failed", "pod", name.String(),
				"directories", strings.Join(failed, ", "))
		case m.now.Before(due):
			m.wakeBy(due)
		case p.Request == "" && !p.Replacing && p.Move == nil && p.Place != nil:
			m.addMove(p, Move{Cause: CauseDisk, Why: failedText(failed)})
		}
	}
}

// failedText says which log directories failed.
func failedText(dirs []string) string {
	if len(dirs) == 1 {
		return "its log directory " + dirs[0] + " failed"
	}
	return fmt.Sprintf("its log directories %s failed", strings.Join(dirs, ", "))
}

// diskAdvice says what can be done about log directories that failed, "" if none did.
func (m *Machine) diskAdvice(p Pod, spec servicespec.Pod, dirs []string) string {
	id := nodeID(p.Name, spec)
	switch policy := m.faultPolicy(p.Name); {
	case len(dirs) == 0:
		return ""
	case policy != nil && policy.Disk == servicespec.FaultReplace:
		return "; " + failedText(dirs) + ", and its fault policy gives it another agent"
	}
	return fmt.Sprintf("; %s: broker move %d gives it another agent, and broker replace %d new "+
		"volumes", failedText(dirs), id, id)
}
