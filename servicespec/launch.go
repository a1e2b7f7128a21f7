package servicespec

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// LaunchHash stands for all that the tasks of a pod are launched with: two services with the
// same hash of a pod need not restart its instances. What concerns the scheduler only (counts,
// placement, goals, announcements, plans) is not in it, nor is the order of names in the file.
// It is "" when there is no such pod.
func (s Service) LaunchHash(pod string) string {
	for _, p := range s.Pods {
		if p.Type == pod {
			return launchHash(s, p)
		}
	}
	return ""
}

// TaskLaunchHash stands for all that one task of one instance of a pod is launched with, what
// the pod's tasks share (what is fetched, limits, the version of Kafka) included; an index of -1
// is any instance for which nothing differs. It is "" when there is no such task.
func (s Service) TaskLaunchHash(pod string, index int, task string) string {
	for _, p := range s.Pods {
		for _, t := range p.Tasks {
			if p.Type != pod || t.Name != task {
				continue
			}
			switch {
			case p.Kafka == nil:
			case p.Kafka.Task == task:
				node := p.Kafka.Node(index)
				p.Kafka = &node
			default:
				p.Kafka = &Kafka{Version: p.Kafka.Version}
			}
			if z := p.ZooKeeper; z != nil && z.Task != task {
				p.ZooKeeper = &ZooKeeper{KafkaVersion: z.KafkaVersion}
			}
			p.Tasks = []Task{t}
			return launchHash(s, p)
		}
	}
	return ""
}

func launchHash(s Service, p Pod) string {
	data, err := marshal(launched(p))
	if err != nil {
		panic(fmt.Sprintf("a pod that cannot be encoded: %v", err))
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %s", s.Name, s.User, data))
	return hex.EncodeToString(sum[:16])
}

// launched gives the pod with nothing but what its tasks are launched with, in an order of its
// own.
func launched(p Pod) Pod {
	l := Pod{Type: p.Type, URIs: p.URIs, RLimits: slices.Clone(p.RLimits), Image: p.Image,
		Kafka: launchedNodes(p.Kafka), ZooKeeper: p.ZooKeeper, Secrets: slices.Clone(p.Secrets)}
	for i := range l.Secrets {
		l.Secrets[i].Name = "" // it is for readers
	}
	slices.SortFunc(l.Secrets, func(a, b Secret) int {
		return cmp.Or(cmp.Compare(a.EnvKey, b.EnvKey), cmp.Compare(a.File, b.File))
	})
	slices.SortFunc(l.RLimits, func(a, b RLimit) int { return cmp.Compare(a.Name, b.Name) })
	for _, t := range p.Tasks {
		l.Tasks = append(l.Tasks, launchedTask(t))
	}
	slices.SortFunc(l.Tasks, func(a, b Task) int { return cmp.Compare(a.Name, b.Name) })
	return l
}

func launchedTask(t Task) Task {
	set := t.Resources
	l := Task{Name: t.Name, Command: t.Command, Env: slices.Clone(t.Env),
		Readiness: t.Readiness, Health: t.Health, KillGrace: t.KillGrace,
		Resources: ResourceSet{CPUs: set.CPUs, GPUs: set.GPUs, Memory: set.Memory}}
	slices.SortFunc(l.Env, func(a, b EnvVar) int { return cmp.Compare(a.Name, b.Name) })
	for _, c := range t.Configs {
		l.Configs = append(l.Configs, Config{Text: c.Text, Dest: c.Dest})
	}
	slices.SortFunc(l.Configs, func(a, b Config) int { return cmp.Compare(a.Dest, b.Dest) })
	for _, port := range set.Ports {
		l.Resources.Ports = append(l.Resources.Ports,
			Port{Name: port.Name, Port: port.Port, EnvKey: port.EnvKey})
	}
	slices.SortFunc(l.Resources.Ports, func(a, b Port) int { return cmp.Compare(a.Name, b.Name) })
	return l
}
