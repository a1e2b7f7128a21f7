package scheduler

import (
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// Reconciliation: what the master is asked about tasks. After it subscribed a scheduler asks about
// each task that its records have; for all that the master has, to find those that nobody knows, it
// asks once the known ones were heard of, as else it would be told of each of them twice.

// askAbout marks the live tasks of some instances for an explicit reconciliation.
func (m *Machine) askAbout(names []PodName) {
	for _, name := range names {
		for _, t := range m.hard.Pods[name].Tasks {
			if t.live() {
				m.asked[t.ID] = question{again: m.now, wait: askFirst / 2}
			}
		}
	}
}

// askAboutAll begins anew: nothing is known of what the records have.
func (m *Machine) askAboutAll() {
	m.asked = map[mesos.TaskID]question{}
	m.askAbout(m.podNames())
	m.unheard = unheard{m.now, map[mesos.TaskID]bool{}}
	for id := range m.asked {
		m.unheard.tasks[id] = true
	}
	if m.implicit = m.now; len(m.unheard.tasks) > 0 {
		m.implicit = m.now.Add(implicitFirst)
	}
	for _, id := range m.leftIndex().busy {
		for _, t := range m.hard.Leftovers[id].Tasks {
			m.asked[t] = question{again: m.now, wait: askFirst / 2}
		}
	}
}

// unheard are the tasks that were live when the scheduler subscribed and have had no status since.
type unheard struct {
	since time.Time
	tasks map[mesos.TaskID]bool
}

// noteHeard says when the last of them has had one: from then on all that runs is known.
func (m *Machine) noteHeard(task mesos.TaskID) {
	if !m.unheard.tasks[task] {
		return
	}
	delete(m.unheard.tasks, task)
	if len(m.unheard.tasks) == 0 {
		m.implicit = m.now
		m.note(Info, "", "all tasks are reconciled", "since_subscribed",
			m.now.Sub(m.unheard.since).String())
	}
}

// reconcile asks the master about tasks: those in doubt by name, and all from time to time. It
// comes before what a pass launches, about which the master has nothing to tell.
func (m *Machine) reconcile() {
	if !m.connected {
		return
	}
	if due := m.questions(); due != nil {
		m.send(mesos.Reconcile{Tasks: due})
	}
	if !m.now.Before(m.implicit) {
		m.send(mesos.Reconcile{})
		m.implicit = m.now.Add(implicitEvery)
	}
}

// questions lists the tasks that the master is to be asked about now, and forgets those that are
// in doubt no more.
func (m *Machine) questions() []mesos.TaskOnAgent {
	if !m.settled && !m.anyDue() {
		return nil
	}
	m.settled = false
	var due []mesos.TaskOnAgent
	ask := func(task mesos.TaskID, agent mesos.AgentID) {
		q, open := m.asked[task]
		if !open || m.now.Before(q.again) {
			return
		}
		due = append(due, mesos.TaskOnAgent{Task: task, Agent: agent})
		wait := min(max(q.wait*2, askFirst), askMax)
		m.asked[task] = question{again: m.now.Add(wait), wait: wait}
	}
	var pods nameSet
	lost := map[mesos.TaskID]bool{}
	//tidy:unordered a set becomes two
	for id := range m.asked {
		if p, i, known := m.findTask(id); known && p.Tasks[i].live() {
			pods.add(p.Name)
		} else {
			lost[id] = true
		}
	}
	for _, name := range pods.sorted() {
		for _, t := range m.hard.Pods[name].Tasks {
			if t.live() {
				ask(t.ID, m.hard.Pods[name].Place.Agent)
			}
		}
	}
	for _, id := range m.leftIndex().busy {
		for _, t := range m.hard.Leftovers[id].Tasks {
			delete(lost, t)
			ask(t, m.hard.Leftovers[id].Agent)
		}
	}
	for id := range lost {
		delete(m.asked, id)
	}
	return due
}

// anyDue reports whether it is time for any question.
func (m *Machine) anyDue() bool {
	for _, q := range m.asked { //tidy:unordered one is enough
		if !m.now.Before(q.again) {
			return true
		}
	}
	return false
}
