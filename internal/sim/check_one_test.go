package sim

import "github.com/kafka-sched/kafka-sched/internal/mesos"

// checkOne: an instance has at most one live task of a name. One of an earlier place may
// linger only if the operator replaced the instance while its agent could not be reached.
func (w *world) checkOne(a *agent, info mesos.TaskInfo) {
	for _, other := range w.master.agents {
		for _, t := range other.taskList() {
			if t.info.Name != info.Name || !t.alive() || t.wasAway && t.replaced {
				continue
			}
			w.fail("one live task", "%s is launched on %s while %s is %s on %s",
				info.ID, a.id, t.info.ID, t.state, other.id)
		}
	}
}
