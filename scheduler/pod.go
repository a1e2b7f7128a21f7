package scheduler

import (
	"fmt"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// What can be said of an instance from its record alone, and how records change.

// spec finds the pod type of an instance in the target; ok is false for one that the target
// does not want.
func (m *Machine) spec(name PodName) (servicespec.Pod, bool) {
	for _, p := range m.hard.Target.Service.Pods {
		if p.Type == name.Type {
			return p, name.Index < p.Count
		}
	}
	return servicespec.Pod{}, false
}

// taskSpec finds a task of a pod type by name.
func taskSpec(p servicespec.Pod, name string) (servicespec.Task, bool) {
	for _, t := range p.Tasks {
		if t.Name == name {
			return t, true
		}
	}
	return servicespec.Task{}, false
}

// live reports whether the task was launched and is not known to have ended.
func (t Task) live() bool { return t.ID != "" && !t.State.Terminal() }

// unsure reports whether the task may or may not be running, for all that anybody knows.
func (t Task) unsure() bool {
	switch t.State {
	case mesos.Unreachable, mesos.Unknown, mesos.Lost:
		return t.ID != ""
	default:
		return false
	}
}

// complete reports whether the task does what it is there for: it has finished, or it runs and
// has passed its readiness check, if it has one.
func (t Task) complete(spec servicespec.Task) bool {
	if spec.Goal != servicespec.GoalRunning {
		return t.State == mesos.Finished
	}
	ready := spec.Readiness == nil || t.Ready != nil && *t.Ready
	return t.State == mesos.Running && ready
}

// anyLive reports whether any task of the instance may still run.
func (p Pod) anyLive() bool {
	for _, t := range p.Tasks {
		if t.live() {
			return true
		}
	}
	return false
}

// allUnsure reports whether every task that may still run is one that nobody has seen of late.
func (p Pod) allUnsure() bool {
	for _, t := range p.Tasks {
		if t.live() && !t.unsure() {
			return false
		}
	}
	return true
}

// launched reports whether any task of the instance was ever launched in this incarnation.
func (p Pod) launched() bool {
	for _, t := range p.Tasks {
		if t.ID != "" {
			return true
		}
	}
	return false
}

// fullName is the name of a task instance: "kafka-0-broker".
func (p PodName) fullName(task string) string { return p.String() + "-" + task }

// findTask finds the instance whose record holds a task id.
func (m *Machine) findTask(id mesos.TaskID) (Pod, int, bool) {
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		for i, t := range p.Tasks {
			if t.ID == id {
				return p, i, true
			}
		}
	}
	return Pod{}, 0, false
}

// withTask gives a copy of the record in which one task is another; the original's slice is
// left alone, because views and writes may hold it.
func (p Pod) withTask(i int, t Task) Pod {
	tasks := make([]Task, len(p.Tasks))
	copy(tasks, p.Tasks)
	tasks[i] = t
	p.Tasks = tasks
	return p
}

// emptied gives a copy of the record without a place and without tasks: what a replaced
// instance begins its next incarnation with.
func (p Pod) emptied() Pod {
	tasks := make([]Task, len(p.Tasks))
	for i, t := range p.Tasks {
		tasks[i] = Task{Name: t.Name}
	}
	p.Tasks, p.Place, p.Executor, p.Launch, p.Ran = tasks, nil, "", "", false
	return p
}

// backoff is how long to wait before the launch after the n-th failure in a row.
func backoff(n int) time.Duration {
	wait := backoffFirst
	for i := 1; i < n && wait < backoffMax; i++ {
		wait *= 2
	}
	return min(wait, backoffMax)
}

// ready reports whether an instance does what it is there for, and if not, what is missing.
func (m *Machine) ready(p Pod) (bool, string) {
	spec, ok := m.spec(p.Name)
	if !ok {
		return false, "the target does not want it"
	}
	for _, t := range p.Tasks {
		ts, ok := taskSpec(spec, t.Name)
		if !ok || t.complete(ts) {
			continue
		}
		if t.State == mesos.Running {
			return false, fmt.Sprintf("%s runs, its readiness check has not passed yet",
				p.Name.fullName(t.Name))
		}
		return false, fmt.Sprintf("%s is %s", p.Name.fullName(t.Name), t.State)
	}
	return m.brokerReady(p, spec)
}

// settle records that an instance is complete under the target.
func (m *Machine) settle(p Pod) {
	done := true
	for _, t := range p.Tasks {
		done = done && (t.WasReady || t.ID == "")
	}
	forgiven := m.forgiven(p)
	if done && p.Deployed == m.hard.Target.ID && forgiven.Failures == p.Failures {
		return
	}
	complete := !done || p.Deployed != m.hard.Target.ID
	p = forgiven
	tasks := make([]Task, len(p.Tasks))
	copy(tasks, p.Tasks)
	for i := range tasks {
		tasks[i].WasReady = tasks[i].ID != ""
	}
	p.Tasks = tasks
	p.Deployed = m.hard.Target.ID
	m.setPod(p)
	if complete {
		m.note(Info, "", "instance complete", "pod", p.Name.String())
	}
}

// forgiven gives a copy of the record without the failures of an instance that has been
// complete for a while. One that always ends soon after it came up has failed just as well.
func (m *Machine) forgiven(p Pod) Pod {
	for _, t := range p.Tasks {
		if !t.WasReady || t.live() && m.now.Before(t.Since.Add(steady)) {
			return p
		}
	}
	p.Failures, p.NotBefore = 0, time.Time{}
	return p
}
