package sim

import (
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// checkDestroyed: no volume is destroyed that an instance holds, nor one with data in it unless
// the operator replaced its instance or uninstalled the service.
func (w *world) checkDestroyed(a *agent, d mesos.Destroy) {
	for _, r := range d.Volumes {
		id := mesos.PersistenceID(r.DiskInfo().PersistenceID)
		for name, p := range w.store.hard.Pods {
			if slices.Contains(volumesOf(p), id) {
				w.fail("volumes", "%s of %s is destroyed", id, name)
			}
		}
		pod := r.Label("pod")
		allowed := w.operator.uninstalled
		for name := range w.operator.replaced {
			allowed = allowed || name.String() == pod
		}
		for name := range w.operator.left {
			allowed = allowed || name.String() == pod
		}
		if w.used[id] && !allowed {
			w.fail("volumes", "%s of %s, which was in use, is destroyed", id, pod)
		}
		v := w.kafka.volumes[id]
		if v == nil {
			continue
		}
		if v.formatted && !allowed {
			w.fail("volumes", "%s with the data of %s is destroyed", id, pod)
		}
		v.destroyed = true
	}
}

// volumesOf lists the persistent volumes that an instance holds.
func volumesOf(p scheduler.Pod) []mesos.PersistenceID {
	var ids []mesos.PersistenceID
	for _, r := range resourcesOf(p).Volumes() {
		ids = append(ids, mesos.PersistenceID(r.DiskInfo().PersistenceID))
	}
	return ids
}
