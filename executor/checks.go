package executor

import (
	"fmt"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// retell is how often a task that is not ready may say that it has a new reason.
const retell = 15 * time.Second

// check is one check of a running task.
type check struct {
	kind     CheckKind
	spec     Check
	next     time.Time // when it runs again; zero means never
	inFlight bool
	grace    time.Time // failures before count only after a pass (health)
	passed   bool      // has ever passed
	failures int       // in a row (health)
	told     string    // the reason reported last (readiness)
	toldAt   time.Time
}

func newChecks(o Order, now time.Time) []*check {
	var checks []*check
	if c := o.Readiness; c != nil {
		checks = append(checks, &check{kind: Readiness, spec: *c, next: now.Add(c.Delay)})
	}
	if c := o.Health; c != nil {
		checks = append(checks, &check{kind: Health, spec: *c, next: now.Add(c.Delay),
			grace: now.Add(c.GracePeriod)})
	}
	return checks
}

// runChecks starts what is due. A task that is being ended is not asked any more.
func (m *Machine) runChecks(t *task) {
	for _, c := range t.checks {
		if m.due(t.checkAt(c)) {
			c.inFlight = true
			m.emit(RunCheck{Task: t.info.ID, Kind: c.kind, Check: c.spec})
		}
	}
}

// checkAt is when a check is to be run; zero while it runs or when it never will again.
func (t *task) checkAt(c *check) time.Time {
	if t.phase != running || t.ending != nil || c.inFlight {
		return time.Time{}
	}
	return c.next
}

func (m *Machine) checked(ev Checked) {
	t := m.task(ev.Task)
	if t == nil || t.phase != running || t.ending != nil {
		return
	}
	for _, c := range t.checks {
		if c.kind != ev.Kind || !c.inFlight {
			continue
		}
		c.inFlight, c.next = false, m.now.Add(c.spec.Interval)
		if c.kind == Readiness {
			m.readiness(t, c, ev)
		} else {
			m.health(t, c, ev)
		}
	}
}

// readiness reports the first pass, after which the check has done its work, and until then
// why the task is not ready: at once the first time, then when the reason changes.
func (m *Machine) readiness(t *task, c *check, ev Checked) {
	const reason = "REASON_TASK_CHECK_STATUS_UPDATED"
	if ev.Passed {
		c.next = time.Time{}
		t.ready = &ev.Passed
		m.report(t, mesos.Running, reason, "")
		return
	}
	detail := "not ready: " + cut(ev.Detail, maxDetail)
	if t.ready == nil || detail != c.told && !m.now.Before(c.toldAt.Add(retell)) {
		t.ready, c.told, c.toldAt = &ev.Passed, detail, m.now
		m.report(t, mesos.Running, reason, detail)
	}
}

// health reports every failure that counts, and health only when it returns; so does Mesos'
// own executor. Unlike Mesos', a task that ends for its health has failed, not been killed.
func (m *Machine) health(t *task, c *check, ev Checked) {
	const reason = "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED"
	if ev.Passed {
		c.passed, c.failures = true, 0
		if t.well == nil || !*t.well {
			t.well = &ev.Passed
			m.report(t, mesos.Running, reason, "")
		}
		return
	}
	if !c.passed && m.now.Before(c.grace) {
		return
	}
	c.failures++
	t.well = &ev.Passed
	detail := cut(ev.Detail, maxDetail)
	m.report(t, mesos.Running, reason, "not healthy: "+detail)
	if c.failures >= c.spec.MaxConsecutiveFailures {
		failed := "health check failed"
		if c.failures > 1 {
			failed = fmt.Sprintf("health check failed %d times in a row", c.failures)
		}
		m.end(t, unhealthy, t.order.KillGrace, failed+": "+detail)
	}
}
