package scheduler

import (
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// What can be said of an instance from its record alone, and how records change.

// spec finds the pod type of an instance in the target; ok is false for one that the target
// does not want.
func (m *Machine) spec(name PodName) (servicespec.Pod, bool) {
	m.derive()
	if p := m.index.pods[name.Type]; p != nil {
		return *p, name.Index < p.Count
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

// runs reports whether the task was launched and is taken to be there.
func (t Task) runs() bool { return t.live() && !t.unsure() }

// complete reports whether the task does what it is there for: it has finished, or it runs and
// has passed its readiness check, if it has one. One that is paused, or is to be, does not.
func (t Task) complete(spec servicespec.Task) bool {
	if spec.Goal != servicespec.GoalRunning {
		return t.State == mesos.Finished
	}
	ready := spec.Readiness == nil || t.Ready != nil && *t.Ready
	return t.State == mesos.Running && ready && !t.Paused && !t.Idle
}

// restsAsWanted reports whether the task is paused, as the operator wants it.
func (t Task) restsAsWanted() bool { return t.Paused && t.Idle && t.State == mesos.Running }

// anyLive reports whether any task of the instance may still run.
func (p Pod) anyLive() bool { return slices.ContainsFunc(p.Tasks, Task.live) }

// anyRuns reports whether any task of the instance is taken to be there, and with it the
// executor.
func (p Pod) anyRuns() bool { return slices.ContainsFunc(p.Tasks, Task.runs) }

// launched reports whether any task of the instance was ever launched in this incarnation.
func (p Pod) launched() bool {
	return slices.ContainsFunc(p.Tasks, func(t Task) bool { return t.ID != "" })
}

// deployed reports whether a task of the instance was complete once.
func (p Pod) deployed() bool {
	return slices.ContainsFunc(p.Tasks, func(t Task) bool { return t.Deployed != "" })
}

// failures is how often one of some tasks of the instance failed in a row, or one of all if none
// is named, and notBefore when the next launch of those that failed may come.
func (p Pod) failures(tasks ...string) (failures int, notBefore time.Time) {
	for _, t := range p.Tasks {
		if len(tasks) > 0 && !slices.Contains(tasks, t.Name) {
			continue
		}
		failures = max(failures, t.Failures)
		if t.NotBefore.After(notBefore) {
			notBefore = t.NotBefore
		}
	}
	return failures, notBefore
}

// task gives the record of a task and its index, -1 when there is none yet.
func (p Pod) task(name string) (Task, int) {
	for i, t := range p.Tasks {
		if t.Name == name {
			return t, i
		}
	}
	return Task{Name: name}, -1
}

// liveOf gives those of some launches that may still run.
func (p Pod) liveOf(ids []mesos.TaskID) []mesos.TaskID {
	var live []mesos.TaskID
	for _, t := range p.Tasks {
		if t.live() && slices.Contains(ids, t.ID) {
			live = append(live, t.ID)
		}
	}
	return live
}

// fullName is the name of a task instance: "kafka-0-broker".
func (p PodName) fullName(task string) string { return p.String() + "-" + task }

// findTask finds the instance whose record holds a task id.
func (m *Machine) findTask(id mesos.TaskID) (Pod, int, bool) {
	p := m.hard.Pods[m.taskAt[id]]
	for i, t := range p.Tasks {
		if t.ID == id && id != "" {
			return p, i, true
		}
	}
	return Pod{}, 0, false
}

// withTask gives a copy of the record in which one task is another; the original's slice is
// left alone, because views and writes may hold it.
func (p Pod) withTask(i int, t Task) Pod {
	p.Tasks = slices.Clone(p.Tasks)
	p.Tasks[i] = t
	return p
}

// withTasks gives a copy of the record with every task changed.
func (p Pod) withTasks(change func(*Task)) Pod {
	p.Tasks = slices.Clone(p.Tasks)
	for i := range p.Tasks {
		change(&p.Tasks[i])
	}
	return p
}

// listing gives a copy of the record that has an entry for every task of the spec, in its order;
// entries of tasks that the spec has no more stay as long as these may run.
func (p Pod) listing(spec servicespec.Pod) Pod {
	tasks := make([]Task, 0, len(spec.Tasks))
	for _, ts := range spec.Tasks {
		t, _ := p.task(ts.Name)
		tasks = append(tasks, t)
	}
	for _, t := range p.Tasks {
		if _, ok := taskSpec(spec, t.Name); !ok && t.live() {
			tasks = append(tasks, t)
		}
	}
	p.Tasks = tasks
	return p
}

// emptied gives a copy of the record without a place and without tasks: what a replaced
// instance begins its next incarnation with. What an operator paused stays paused, and what the
// plans did is not theirs to do again: a recovery does it.
func (p Pod) emptied() Pod {
	p = p.withTasks(func(t *Task) {
		*t = Task{Name: t.Name, Paused: t.Paused, Deployed: t.Deployed, Last: t.Last,
			Reached: t.Reached}
	})
	p.Place, p.Executor, p.Ran = nil, Executor{}, false
	return p
}

// gone gives a copy of the record whose live tasks are taken for gone.
func (p Pod) gone(now time.Time) Pod {
	return p.withTasks(func(t *Task) {
		if t.live() {
			t.State, t.Since = mesos.Gone, now
		}
	})
}

// forgiven gives a copy of the record in which the next launch of some tasks need not wait, or
// that of all if none is named.
func (p Pod) forgiven(tasks ...string) Pod {
	return p.withTasks(func(t *Task) {
		if len(tasks) == 0 || slices.Contains(tasks, t.Name) {
			t.Failures, t.NotBefore = 0, time.Time{}
		}
	})
}

// paused reports whether an operator wants any task of the instance paused.
func (p Pod) paused() bool {
	return slices.ContainsFunc(p.Tasks, func(t Task) bool { return t.Paused })
}

// Backoff is how long launches wait after failures: First after the first, then each time
// longer by Factor, up to Max. The zero Backoff stands for the defaults, a negative First for
// no waiting at all.
type Backoff struct {
	First, Max time.Duration
	Factor     float64
}

// wait is how long to wait before the launch after the n-th failure in a row.
func (b Backoff) wait(n int) time.Duration {
	switch {
	case b.First < 0:
		return 0
	case b == Backoff{}:
		b = Backoff{First: backoffFirst, Max: backoffMax, Factor: backoffFactor}
	}
	wait := b.First
	for i := 1; i < n && wait < b.Max; i++ {
		wait = time.Duration(float64(wait) * max(b.Factor, 1))
		if b.Factor <= 1 {
			break
		}
	}
	return min(wait, b.Max)
}

// ready reports whether an instance does what it is there for, and if not, what is missing.
// Tasks that were never launched are not its concern, nor jobs of other plans that have ended.
func (m *Machine) ready(p Pod) (bool, string) {
	return m.readyBut(p, func(servicespec.Task, Task) bool { return false })
}

// readyBut is ready without the tasks that do not count for who asks.
func (m *Machine) readyBut(
	p Pod, but func(servicespec.Task, Task) bool,
) (bool, string) {
	spec, ok := m.spec(p.Name)
	if !ok {
		return false, "the target does not want it"
	}
	for _, t := range p.Tasks {
		ts, ok := taskSpec(spec, t.Name)
		if !ok || t.ID == "" || m.jobEnded(p.Name, ts, t) || but(ts, t) {
			continue
		}
		if ok, reason := m.taskReady(p, spec, ts, t); !ok {
			return false, reason
		}
	}
	return true, ""
}

// jobAside reports whether a task of an instance is a job that the plan deploy has not, or only in
// steps that an operator forced to their ends.
func (m *Machine) jobAside(name PodName, ts servicespec.Task) bool {
	return ts.Goal != servicespec.GoalRunning &&
		!slices.ContainsFunc(m.index.steps[name], func(at stepAt) bool {
			deploy := &m.index.built[0]
			phase := &deploy.Phases[at.phase]
			step := &phase.Steps[at.step]
			return slices.Contains(step.Tasks, ts.Name) &&
				!m.hard.Overrides.Forced[plans.Key(deploy.Name, phase.Name, step.Name)]
		})
}

// jobEnded reports whether a task is such a job, and has ended. Whether it is done again is a
// matter of its plan, which an operator may have stopped or forced to its end.
func (m *Machine) jobEnded(name PodName, ts servicespec.Task, t Task) bool {
	return !t.live() && m.jobAside(name, ts)
}

// taskReady reports whether one task does what it is there for, and if not, what is missing.
func (m *Machine) taskReady(
	p Pod, spec servicespec.Pod, ts servicespec.Task, t Task,
) (bool, string) {
	switch {
	case t.complete(ts):
		if spec.Kafka != nil && spec.Kafka.Task == t.Name {
			return m.brokerReady(p, spec)
		}
		if spec.ZooKeeper != nil && spec.ZooKeeper.Task == t.Name {
			return m.serverReady(p, spec)
		}
		return true, ""
	case t.State != mesos.Running:
		return false, p.Name.fullName(t.Name) + " is " + string(t.State)
	case spec.ZooKeeper != nil && p.Name.Index >= m.members(spec):
		return false, m.holdJoin(spec, p.Name)
	case t.Idle:
		return false, p.Name.fullName(t.Name) + " is paused"
	case t.Paused:
		return false, p.Name.fullName(t.Name) + " is being paused"
	case ts.Goal != servicespec.GoalRunning:
		return false, p.Name.fullName(t.Name) + " runs, it has not finished yet"
	}
	return false, p.Name.fullName(t.Name) + " runs, its readiness check has not passed yet"
}

// settles reports whether the tasks of an instance are noted as complete when they are, and gives
// its spec: an instance that something else was asked of, or that stands in, is left alone.
func (m *Machine) settles(p Pod) (servicespec.Pod, bool) {
	spec, wanted := m.spec(p.Name)
	return spec, wanted && m.hard.Intent == Run && p.Request == "" && !p.caretakes()
}

// completed gives the record that notes which tasks are complete under the target.
func (m *Machine) completed(p Pod, spec servicespec.Pod) (noted Pod, changed bool) {
	first := false
	noted = p.withTasks(func(t *Task) {
		ts, ok := taskSpec(spec, t.Name)
		if !ok || t.ID == "" || m.outdated(p, spec, *t) {
			return
		}
		if ready, _ := m.taskReady(p, spec, ts, *t); !ready && !t.restsAsWanted() {
			return
		}
		first = first || t.Deployed != m.hard.Target.ID
		changed = changed || !t.WasReady || t.Resumed || t.Deployed != m.hard.Target.ID
		t.WasReady, t.Deployed, t.Resumed = true, m.hard.Target.ID, false
		if m.steadyNow(*t) && t.Failures > 0 {
			t.Failures, t.NotBefore, changed = 0, time.Time{}, true
		}
	})
	if first {
		if ok, _ := m.ready(noted); ok {
			m.note(Info, "", "instance complete", "pod", p.Name.String())
		}
	}
	return noted, changed
}

// steadyNow reports whether a launch that was complete has lasted. One that always ends soon
// after it came up has failed just as well.
func (m *Machine) steadyNow(t Task) bool {
	return t.WasReady && (!t.live() || !m.now.Before(t.Since.Add(steady)))
}
