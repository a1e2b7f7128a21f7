package scheduler

import (
	"crypto/sha1"
	"fmt"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// VIPLabels announce the virtual address of a task's port, by its place in the spec, to a
// cluster's load balancer, which looks for labels whose keys begin with VIP. The rest of a key
// only keeps it apart from others, and goes by the executor. Of the tasks that share a resource
// set, and so the port, the first one has it.
func VIPLabels(
	executor mesos.ExecutorID, pod servicespec.Pod, task servicespec.Task, port int,
) []resource.Label {
	if port >= len(task.Resources.Ports) || task.Resources.Ports[port].VIP == nil {
		return nil
	}
	for _, other := range pod.Tasks {
		if other.Name == task.Name {
			break
		}
		if other.Resources.Name == task.Resources.Name {
			return nil
		}
	}
	of := task.Resources.Ports[port]
	sum := sha1.Sum(fmt.Appendf(nil, "kafka-sched/vip %s %s", executor, of.Name))
	return []resource.Label{{Key: "VIP_" + uuid([16]byte(sum[:16])),
		Value: fmt.Sprintf("%s:%d", of.VIP.Prefix, of.VIP.Port)}}
}
