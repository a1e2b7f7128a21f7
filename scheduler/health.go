package scheduler

import (
	"fmt"
	"math"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// A Kafka node that fails its health check is not ended by its executor, which knows nothing of the
// other nodes: a slow network makes all of them fail at once. The executor only tells, and the
// machine has the node restarted, as an operator would, once it has failed as often as the spec
// says. So the verdict is asked first, and one goes at a time.

// countHealth counts the failures of a task's health check in a row. They are counted anew after
// a restart of the scheduler.
func (m *Machine) countHealth(id mesos.TaskID, healthy *bool) {
	switch {
	case healthy == nil:
	case *healthy:
		delete(m.inquiry.sick, id)
	default:
		m.inquiry.sick[id]++
	}
}

// passHealth has the Kafka nodes restarted that have failed their health checks too often.
func (m *Machine) passHealth() {
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		spec, ok := m.spec(name)
		if !ok || spec.Kafka == nil || p.Request != "" || len(m.inquiry.sick) == 0 {
			continue
		}
		t, _ := p.task(spec.Kafka.Task)
		ts, _ := taskSpec(spec, t.Name)
		failures := m.inquiry.sick[t.ID]
		if ts.Health == nil || !t.runs() || failures < max(1, ts.Health.MaxConsecutiveFailures) {
			continue
		}
		delete(m.inquiry.sick, t.ID)
		m.carryOut(Commanded{Command: PodRestart{Pod: name.String()},
			Caller: Caller{Who: "health check of pod " + name.Type,
				Reason: fmt.Sprintf("%s failed its health check %s", name.fullName(t.Name),
					times(failures))}})
	}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times in a row", n)
}

// healthOf is the health check of a task as its executor is told of it.
func healthOf(spec servicespec.Pod, ts servicespec.Task, c *executor.Check) *executor.Check {
	if c != nil && spec.Kafka != nil && spec.Kafka.Task == ts.Name {
		c.MaxConsecutiveFailures = math.MaxInt32
	}
	return c
}
