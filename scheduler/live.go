package scheduler

import "github.com/kafka-sched/kafka-sched/servicespec"

// Server properties that Kafka takes while it runs are no reason to restart a node. Kafka itself
// said which these are, and has them, before the machine hears of it (SetTarget.Live): a node
// that differs from the target in nothing else counts as launched with the target, and its next
// start is with it.

// tookLive notes of all brokers that they have properties of the target that were changed while
// they run.
func (m *Machine) tookLive(before servicespec.Service, live []string) {
	if len(live) == 0 {
		return
	}
	next := m.hard.Target.Service
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		changed := false
		p = p.withTasks(func(t *Task) {
			launch := launchWith(before, next, live, name, *t)
			changed = changed || launch != t.Launch
			t.Launch = launch
		})
		if changed {
			m.setPod(p)
		}
	}
}

// launchWith is what a task counts as launched with once its broker has taken properties of another
// configuration: those of that one, if the task was launched with all else of it.
func launchWith(
	before, next servicespec.Service, live []string, name PodName, t Task,
) string {
	spec := podSpec(next, name.Type)
	if len(live) == 0 || t.ID == "" || spec == nil || spec.Kafka == nil || !spec.Kafka.Serves() ||
		before.TaskLaunchHash(name.Type, name.Index, t.Name) != t.Launch {
		return t.Launch
	}
	then := next.TaskLaunchHash(name.Type, name.Index, t.Name)
	if before.LiveLaunchHash(next, live, name.Type, name.Index, t.Name) != then {
		return t.Launch
	}
	return then
}
