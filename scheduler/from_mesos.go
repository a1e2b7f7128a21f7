package scheduler

import (
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// fromMesos applies what the master said to the state; the pass does the rest.
func (m *Machine) fromMesos(ev mesos.Event) {
	switch ev := ev.(type) {
	case mesos.Subscribed:
		m.subscribed(ev)
	case mesos.Disconnected:
		m.connected, m.lost = false, ev.Reason
		m.stirAll()
		m.note(Warn, CountDisconnects, "disconnected from the master", "reason", ev.Reason)
	case mesos.Offers:
		for _, o := range ev.Offers {
			m.offers[o.ID] = o
			m.agentHeard(o.Agent)
			m.offeredBy(o)
			m.note(Debug, CountOffers, "offer", "id", string(o.ID), "host", o.Hostname)
		}
	case mesos.Rescinded:
		// Offers are never held beyond the step that brought them, so there is nothing to
		// forget: an ACCEPT that crossed the rescission is answered with a lost task.
		m.note(Debug, CountRescinds, "offer rescinded", "id", string(ev.Offer))
	case mesos.Updated:
		m.updated(ev.Status)
	case mesos.ExecutorFailed:
		m.executorFailed(ev)
		// The statuses of its tasks come by themselves; asking makes sure that they do.
		m.askAbout(m.hitBy(ev))
	case mesos.Refused:
		m.refused(ev)
	case mesos.OperationUpdated:
		m.operationUpdated(ev)
	case mesos.InverseOffers:
		m.inverseOffered(ev)
	case mesos.AgentsSeen:
		m.agentsSeen(ev)
	}
}

// disconnected says that there is no master, and why.
func (m *Machine) disconnected() string {
	if m.lost == "" {
		return "no Mesos master is connected"
	}
	return "no Mesos master is connected: " + m.lost
}

func (m *Machine) subscribed(ev mesos.Subscribed) {
	if m.hard.Framework != ev.Framework {
		m.hard.Framework = ev.Framework
		m.write(WriteFramework{ev.Framework})
	}
	m.connected, m.master = true, ev.Master
	m.stirAll()
	m.told = false
	m.wants = map[string]bool{}
	m.kills = map[mesos.TaskID]time.Time{}
	m.askAboutAll()
	m.askOperations()
	m.note(Info, CountSubscribes, "subscribed", "framework", string(ev.Framework),
		"master", ev.Master)
}

func (m *Machine) exit(code int, reason string) {
	m.out.Calls = append(m.out.Calls, Exit{code, reason})
	m.finished = true
}

// hitBy are the instances whose executor, or whose agent, failed.
func (m *Machine) hitBy(ev mesos.ExecutorFailed) []PodName {
	if ev.Executor == "" {
		return m.podsOn(ev.Agent)
	}
	if name, known := m.executorAt[ev.Executor]; known {
		return []PodName{name}
	}
	return nil
}

// updated applies one status update, and acknowledges it once it is stored.
func (m *Machine) updated(s mesos.Status) {
	m.note(Debug, CountStatus+string(s.State), "status", "task", string(s.Task),
		"state", string(s.State), "reason", s.Reason, "message", s.Message)
	s = precise(s)
	m.noteHeard(s.Task)
	m.heardOf(s)
	m.drained(s)
	p, i, known := m.findTask(s.Task)
	switch {
	case !known && s.State.Terminal():
		m.strayEnded(s.Task)
	case !known && !s.State.Terminal() && s.Agent != "":
		m.killStray(s, "a task that nobody knows is killed")
	case known && s.State.Terminal():
		_, told := m.kills[s.Task]
		delete(m.asked, s.Task)
		delete(m.kills, s.Task)
		m.ended(p, i, s, told)
	case known && p.Tasks[i].live():
		delete(m.asked, s.Task)
		m.progressed(p, i, s)
	case known:
		// Late or out of order, as a rule, and then the kill is in vain. Nothing may run on
		// that was taken for ended, since another launch may have taken its place.
		m.killStray(s, "a task that was taken for ended is killed")
	}
	if len(s.UUID) > 0 {
		m.send(mesos.Acknowledge{Task: s.Task, Agent: s.Agent, UUID: s.UUID})
	}
}

// killStray ends a task that should not be there: one of an earlier place, come back.
func (m *Machine) killStray(s mesos.Status, why string) {
	switch s.State {
	case mesos.Unreachable, mesos.Unknown, mesos.Lost, mesos.Killing:
		return
	}
	if at, ok := m.kills[s.Task]; ok && m.now.Before(at.Add(killAgain)) {
		return
	}
	m.note(Warn, "", why, "task", string(s.Task))
	m.send(mesos.Kill{Task: s.Task, Agent: s.Agent})
}

// strayEnded notes that a task does not run any more on what is to be freed.
func (m *Machine) strayEnded(task mesos.TaskID) {
	for _, id := range m.leftIndex().busy {
		l := m.hard.Leftovers[id]
		if i := slices.Index(l.Tasks, task); i >= 0 {
			l.Tasks = slices.Concat(l.Tasks[:i], l.Tasks[i+1:])
			m.setLeftover(l)
		}
	}
}

// progressed applies a status that is not terminal.
func (m *Machine) progressed(p Pod, i int, s mesos.Status) {
	t := p.Tasks[i]
	old := t
	if t.State != s.State && !(t.State == mesos.Running && s.State == mesos.Starting) {
		t.State = s.State
		if !old.unsure() || !t.unsure() { // else it has been away since
			t.Since = m.now
		}
	}
	t.Reason, t.Message = s.Reason, s.Message
	if s.Ready != nil {
		if *s.Ready && (t.Ready == nil || !*t.Ready) {
			m.freshAfter = m.now
		}
		t.Ready = s.Ready
	}
	if s.Healthy != nil {
		t.Healthy = s.Healthy
	}
	m.countHealth(t.ID, s.Healthy)
	if s.IP != "" {
		t.IP = s.IP
	}
	if t.unsure() {
		m.kafkaAway(p, old)
		m.asked[t.ID] = question{again: m.now.Add(askMax), wait: askMax}
	}
	seen := s.State == mesos.Starting || s.State == mesos.Running || s.State == mesos.Killing
	ran := s.State == mesos.Running && !p.Ran
	p.Ran = p.Ran || ran
	confirmed := seen && m.confirm(&p, t.Name)
	if confirmed || ran || !sameTask(old, t) {
		p = p.withTask(i, m.reported(p, t, s))
		if spec, ok := m.settles(p); ok && spec.Kafka == nil && spec.ZooKeeper == nil {
			p, _ = m.completed(p, spec) // of which nobody but its reports tells
		}
		m.setPod(p)
	}
}

// reported keeps a status with its task.
func (m *Machine) reported(p Pod, t Task, s mesos.Status) Task {
	s.Task, s.Executor = same(s.Task, t.ID), same(s.Executor, t.Executor)
	if p.Place != nil {
		s.Agent, s.IP = same(s.Agent, p.Place.Agent), same(s.IP, p.Place.IP)
	}
	t.IP = same(t.IP, s.IP)
	t.Last = &StatusUpdate{ID: s.Task, Executor: s.Executor, Agent: s.Agent, State: s.State,
		Source: s.Source, Reason: s.Reason, Message: s.Message, At: m.now,
		Ready: s.Ready, Healthy: s.Healthy, IP: s.IP}
	if s.IP != "" {
		t.Reached = t.Last
	}
	return t
}

// same gives a text that is known already if it is no other, so that it is in memory once: each
// status names its task, executor and agent anew.
func same[T ~string](text, known T) T {
	if text == known {
		return known
	}
	return text
}

// confirm notes that a task was seen, and with it all that it was launched with; it reports
// whether that is news.
func (m *Machine) confirm(p *Pod, task string) bool {
	if p.Place == nil {
		return false
	}
	spec, _ := m.spec(p.Name)
	ts, _ := taskSpec(spec, task)
	i := slices.Index(p.Place.Unseen, ts.Resources.Name)
	if p.Place.Confirmed && i < 0 {
		return false
	}
	place := *p.Place
	place.Confirmed, place.Listed = true, false
	if i >= 0 {
		place.Unseen = slices.Concat(place.Unseen[:i], place.Unseen[i+1:])
	}
	if len(place.Unseen) == 0 {
		place.Pending = nil // what runs on it says as much as its operations would
	}
	p.Place = &place
	return true
}

// sameTask reports whether two records of a task say the same.
func sameTask(a, b Task) bool {
	same := func(x, y *bool) bool { return (x == nil) == (y == nil) && (x == nil || *x == *y) }
	return a.State == b.State && a.Reason == b.Reason && a.Message == b.Message &&
		a.IP == b.IP && same(a.Ready, b.Ready) && same(a.Healthy, b.Healthy)
}

// ended applies a terminal status: the instance's own, or the operator's doing, or a failure.
func (m *Machine) ended(p Pod, i int, s mesos.Status, told bool) {
	t := p.Tasks[i]
	if !t.live() {
		return
	}
	if m.steadyNow(t) {
		t.Failures, t.NotBefore = 0, time.Time{}
	}
	delete(m.inquiry.sick, t.ID)
	m.kafkaAway(p, t)
	wasReady := t.WasReady
	t.State, t.Since, t.Reason, t.Message = s.State, m.now, s.Reason, m.explained(p, s)
	t.Ready, t.Healthy = nil, nil
	failed := m.failure(p.withTask(i, t), i, told)
	if failed {
		p = m.countFailure(p)
		t.Failures++
		wait := m.cfg.Backoff.wait(t.Failures)
		if wasReady && t.Failures == 1 {
			wait = 0
		}
		t.NotBefore = m.now.Add(wait)
		m.note(Warn, CountFailures, "task failed", "task", p.Name.fullName(t.Name),
			"state", string(s.State), "reason", s.Reason, "message", s.Message)
	}
	t = m.reported(p, t, s)
	p = p.withTask(i, t)
	if t.Failures > 0 && s.Reason == reasonLaunchFailed {
		p = m.giveUpPlace(p)
	}
	m.setPod(m.withoutAgent(p, s.State))
	if failed {
		m.haltUpdate(p, t)
	}
}

// withoutAgent has an instance replaced whose agent an operator declared gone for ever: its
// volumes will not come back.
func (m *Machine) withoutAgent(p Pod, state mesos.TaskState) Pod {
	spec, wanted := m.spec(p.Name)
	if state != mesos.GoneByOperator || !wanted || p.Request == Replace || m.hard.Intent != Run {
		return p
	}
	m.note(Warn, "", "the agent is gone, the instance is replaced", "pod", p.Name.String())
	p.Request, p.Force = Replace, spec.Kafka != nil // nobody can save what is gone
	return p.marked(Replace).forgiven()
}

// reasonLaunchFailed is the reason of a task whose process never began, above all because a
// port that the agent had offered is in use.
const reasonLaunchFailed = "REASON_CONTAINER_LAUNCH_FAILED"

// giveUpPlace lets an instance that could not even begin, twice, look for another place and
// other ports: nothing of it was ever there. One with a fixed port stays, since it would find
// the same port elsewhere and its operator has to know.
func (m *Machine) giveUpPlace(p Pod) Pod {
	failures, _ := p.failures()
	if p.Ran || p.deployed() || p.Place == nil || failures < 2 || p.anyLive() {
		return p
	}
	spec, _ := m.spec(p.Name)
	for _, t := range spec.Tasks {
		for _, port := range t.Resources.Ports {
			if port.Port != 0 {
				return p
			}
		}
	}
	m.note(Warn, "", "the place is given up, because nothing can begin there",
		"pod", p.Name.String(), "host", p.Place.Hostname)
	m.foreignPorts = append(m.foreignPorts, portsAt(*p.Place)...)
	p = m.leave(p)
	p.Incarnation++
	failed := p.Tasks
	p = p.emptied()
	return p.withTasks(func(t *Task) { // the back-off goes on
		_, i := Pod{Tasks: failed}.task(t.Name)
		t.Failures, t.NotBefore = failed[i].Failures, failed[i].NotBefore
	})
}

// failure reports whether the end of a task counts against it. One that was killed because we
// told so, or would have been told soon, has not failed.
func (m *Machine) failure(p Pod, i int, told bool) bool {
	t := p.Tasks[i]
	if m.hard.Intent != Run || p.Request != "" || p.Caretaker {
		return false
	}
	spec, wanted := m.spec(p.Name)
	ts, _ := taskSpec(spec, t.Name)
	if !wanted || t.complete(ts) || t.blameless() {
		return false
	}
	if t.State != mesos.Killed {
		return true
	}
	others := slices.ContainsFunc(slices.Concat(p.Tasks[:i], p.Tasks[i+1:]),
		func(o Task) bool {
			os, ok := taskSpec(spec, o.Name)
			return ok && fell(o, os)
		})
	return !told && !others && !toggled(t, ts) && !m.outdated(p, spec, t)
}
