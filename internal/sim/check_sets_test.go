package sim

import (
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// checkSets: tasks use what is reserved for their instance and nothing else, and no two tasks
// that share a resource set run at once.
func (w *world) checkSets(a *agent, info mesos.TaskInfo) {
	var ids []string
	for _, r := range info.Resources {
		if len(r.Reservations) == 0 {
			w.fail("used <= reserved", "%s is launched with %s, which is not reserved",
				info.ID, r)
		}
		if pod := r.Label("pod"); pod != info.Executor.Name {
			w.fail("used <= reserved", "%s is launched with %s of %s", info.ID, r, pod)
		}
		ids = append(ids, r.Label(resource.ResourceID))
	}
	for _, t := range a.taskList() {
		shared := slices.ContainsFunc(t.info.Resources, func(r resource.Resource) bool {
			return slices.Contains(ids, r.Label(resource.ResourceID))
		})
		if shared && t.alive() {
			w.fail("sets", "%s is launched while %s, which shares its set, is %s", info.ID,
				t.info.ID, t.state)
		}
	}
}
