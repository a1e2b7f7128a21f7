package servicespec

import (
	"slices"
	"strings"
)

// Class is what a change does to what runs.
type Class string

// The classes, from the mildest to the one that cannot be.
const (
	Nothing   Class = "nothing"   // no effect at all
	Live      Class = "live"      // takes effect, and restarts nobody
	Restart   Class = "restart"   // the pod's instances restart in place, with their data
	Replace   Class = "replace"   // instances need a new place, and leave their data behind
	Forbidden Class = "forbidden" // the service cannot become this
)

// verdict is a class with its reason.
type verdict struct {
	class  Class
	reason string
}

// rule is what the change of a path means; * stands for any one part, and rules hold for all
// paths that begin so. The first that matches is taken.
type rule struct {
	path string
	verdict
}

const (
	atLaunch   = "the tasks are launched with it"
	isForEver  = "what is reserved and stored bears it"
	ofDisks    = "a volume keeps its data, and so its path, type and size"
	ofPlans    = "plans say in which order is worked, not what runs"
	atPlacing  = "it counts for instances that get a place from now on"
	forTheNext = "it is announced so from the next launch on"
	ofPolicy   = "the scheduler acts on it from now on"
)

var rules = []rule{
	{"name", verdict{Forbidden, isForEver}},
	{"role", verdict{Forbidden, isForEver}},
	{"principal", verdict{Forbidden, isForEver}},
	{"user", verdict{Forbidden, "files of the tasks belong to the user"}},
	{"failover-timeout", verdict{Live, "Mesos has it from the next registration on"}},
	{"web-url", verdict{Live, "Mesos shows it from the next registration on"}},
	{"zookeeper", verdict{Nothing, "it is only accepted"}},
	{"plans", verdict{Live, ofPlans}},
	{"actions", verdict{Live, ofPolicy}},
	{"pods.*.placement", verdict{Live, atPlacing}},
	{"pods.*.prefer", verdict{Live, atPlacing}},
	{"pods.*.fault-policy", verdict{Live, ofPolicy}},
	{"pods.*.update", verdict{Live, ofPolicy}},
	{"pods.*.rebalance", verdict{Live, ofPolicy}},
	{"pods.*.allow-decommission", verdict{Nothing, "it only permits later changes"}},
	{"pods.*.volumes", verdict{Forbidden, ofDisks}},
	{"pods.*.pre-reserved-role", verdict{Forbidden, isForEver}},
	{"pods.*.user", verdict{Forbidden, "files of the tasks belong to the user"}},
	{"pods.*.kafka.volumes", verdict{Forbidden, "the node's logs lie there"}},
	{"pods.*.kafka.first-id", verdict{Forbidden, "the cluster knows the nodes by their ids"}},
	{"pods.*.kafka.instances", verdict{Restart, "of the pod, this instance is launched with it"}},
	{"pods.*.kafka.volume", verdict{Forbidden, "the node's logs lie there"}},
	{"pods.*.kafka.topics", verdict{Live, "Kafka is asked for it, and nobody restarts"}},
	{"pods.*.kafka.drift", verdict{Live, ofPolicy}},
	{"pods.*.kafka.process", verdict{Forbidden, "the cluster knows the node as what it is"}},
	{"pods.*.kafka.zookeeper", verdict{Forbidden, "the cluster's metadata lies there"}},
	{"pods.*.zookeeper.first-id", verdict{Forbidden, "the ensemble knows servers by their ids"}},
	{"pods.*.zookeeper.volume", verdict{Forbidden, "the server's data lies there"}},
	{"pods.*.tasks.*.goal", verdict{Live, "it counts when the task ends"}},
	{"pods.*.tasks.*.essential", verdict{Live, "it counts when the task ends"}},
	{"pods.*.tasks.*.discovery", verdict{Live, forTheNext}},
	{"pods.*.tasks.*.labels", verdict{Live, forTheNext}},
	{"pods.*.tasks.*.ports.*.labels", verdict{Live, forTheNext}},
	{"pods.*.tasks.*.configs.*.name", verdict{Nothing, "it is a name for readers"}},
	{"pods.*.tasks.*.configs.*.template", verdict{Nothing, "only what is in it counts"}},
	{"pods.*.tasks.*.resource-set.name", verdict{Nothing, "it is a name for readers"}},
	{"pods.*.tasks.*.resource-set.volumes", verdict{Forbidden, ofDisks}},
	{"pods.*.tasks.*.resource-set.ports.*.advertise", verdict{Live, "endpoints show it"}},
	{"pods.*.tasks.*.resource-set.ports.*.vip", verdict{Live, "endpoints show it"}},
	{"pods.*.tasks.*.resource-set.ports.*.ranges", verdict{Live, atPlacing}},
	{"pods.*", verdict{Restart, atLaunch}},
}

// matches says whether the path begins as the rule does.
func (r rule) matches(parts []string) bool {
	want := strings.Split(r.path, ".")
	if len(parts) < len(want) {
		return false
	}
	for i, w := range want {
		if w != "*" && w != parts[i] {
			return false
		}
	}
	return true
}

// judge knows two services well enough to class their differences.
type judge struct {
	a, b         Service
	before, then map[string]*Pod
	same         map[string]bool // whether a pod's hashes are equal, as far as they were asked for
	regimes      map[string]bool // pods that would change whose ports they use
}

func newJudge(a, b Service) judge {
	return judge{a, b, podsOf(a), podsOf(b), map[string]bool{}, nil}
}

// regimesThatChange finds the pods that use ports of the agent in one spec only. In the other they
// are on a network with ports of its own, and so reserve none.
func regimesThatChange(a, b Spec) map[string]bool {
	before, then := ownPorts(a), ownPorts(b)
	changed := map[string]bool{}
	for _, pod := range a.Service.Pods {
		changed[pod.Type] = before[pod.Type] != then[pod.Type]
	}
	return changed
}

// ownPorts finds the pods on networks that have ports of their own.
func ownPorts(s Spec) map[string]bool {
	own := map[string]bool{}
	for _, pod := range s.Pods {
		maps := func(n Network) bool { return n.Name == mappingNetwork }
		own[pod.Type] = len(pod.Networks) > 0 && !slices.ContainsFunc(pod.Networks, maps)
	}
	return own
}

func podsOf(s Service) map[string]*Pod {
	pods := make(map[string]*Pod, len(s.Pods))
	for i := range s.Pods {
		pods[s.Pods[i].Type] = &s.Pods[i]
	}
	return pods
}

// class gives the class of the change of a path in Service.
func (j judge) class(path string) verdict {
	parts := strings.Split(path, ".")
	ofPod := parts[0] == "pods" && len(parts) > 2
	if ofPod {
		if v, ok := judgePod(parts, j.before[parts[1]], j.then[parts[1]]); ok {
			return v
		}
	}
	v := ruleOf(parts)
	if ofPod && v.class == Restart && j.launchedTheSame(parts[1]) {
		return verdict{Nothing, "the tasks are launched with the same"}
	}
	return v
}

// classBeyond gives the class of the change of a path that is beyond Service.
func (j judge) classBeyond(path string) verdict {
	parts := strings.Split(path, ".")
	if parts[0] == "pods" {
		a, b := j.before[parts[1]], j.then[parts[1]]
		if a == nil || b == nil {
			v, _ := judgePod(parts, a, b)
			return v
		}
		if len(parts) > 2 && parts[2] == "networks" && j.regimes[parts[1]] {
			return verdict{Forbidden, "ports of the agent are reserved, or not, for ever"}
		}
	}
	return ruleOf(parts)
}

func (j judge) launchedTheSame(pod string) bool {
	same, known := j.same[pod]
	if !known {
		same = launchHash(j.a, *j.before[pod]) == launchHash(j.b, *j.then[pod])
		j.same[pod] = same
	}
	return same
}

func ruleOf(parts []string) verdict {
	for _, r := range rules {
		if r.matches(parts) {
			return r.verdict
		}
	}
	return verdict{Restart, atLaunch}
}

// judgePod judges what no table can: pods and tasks that come and go, and counts.
func judgePod(parts []string, a, b *Pod) (verdict, bool) {
	switch {
	case a == nil:
		return verdict{Live, "new instances start, and nobody else restarts"}, true
	case b == nil && a.AllowDecommission:
		return verdict{Live, "the pod's instances end, and nobody else restarts"}, true
	case b == nil:
		return verdict{Forbidden, "the pod may not go: allow-decommission is not set"}, true
	case parts[2] == "count" && a.ZooKeeper != nil &&
		(b.Count > a.Count || b.AllowDecommission):
		return verdict{Restart, "servers join or leave one at a time, and the others restart " +
			"with the new list"}, true
	case parts[2] == "count" && b.Count >= a.Count:
		return verdict{Live, "new instances start, and nobody else restarts"}, true
	case parts[2] == "count" && b.Kafka != nil:
		return verdict{Live, "the last nodes are emptied and end, and nobody else restarts"}, true
	case parts[2] == "count" && b.AllowDecommission:
		return verdict{Live, "the last instances end, and nobody else restarts"}, true
	case parts[2] == "count":
		return verdict{Forbidden, "the count may not shrink: allow-decommission is not set"}, true
	case parts[2] == "kafka" && (a.Kafka == nil) != (b.Kafka == nil):
		return verdict{Forbidden, "a pod is one of Kafka nodes from its beginning, or never"}, true
	case parts[2] == "zookeeper" && (a.ZooKeeper == nil) != (b.ZooKeeper == nil):
		return verdict{Forbidden, "a pod is one of ZooKeeper servers from its beginning, or never"},
			true
	case parts[2] == "zookeeper" && a.ZooKeeper.guardsOtherwise(*b.ZooKeeper, parts[3:]):
		return verdict{Forbidden, "servers and brokers with it cannot talk to those without"}, true
	case a.Kafka != nil && b.Kafka != nil && a.hasVolume(parts) && b.hasVolume(parts):
		return verdict{Replace, "each node is built up on a volume of the new size, in turn"}, true
	case parts[2] == "tasks" && len(parts) > 3:
		return judgeTask(a.task(parts[3]), b.task(parts[3]), a)
	}
	return verdict{}, false
}

func judgeTask(a, b *Task, before *Pod) (verdict, bool) {
	switch {
	case a == nil && b != nil:
		same := func(t Task) bool { return t.Resources.Name == b.Resources.Name }
		if slices.ContainsFunc(before.Tasks, same) {
			return verdict{Restart, "the pod's tasks are launched together"}, true
		}
		return verdict{Replace, "instances have nothing reserved for the new task"}, true
	case b == nil && a != nil:
		if len(a.Resources.Volumes) > 0 {
			return verdict{Forbidden, ofDisks}, true
		}
		return verdict{Restart, "the pod's tasks are launched together"}, true
	}
	return verdict{}, false
}

// hasVolume reports whether a path is that of the size of a volume that the pod has.
func (p *Pod) hasVolume(parts []string) bool {
	n := len(parts)
	if parts[n-1] != "size" || n < 4 || parts[n-3] != "volumes" {
		return false
	}
	list := slices.Clone(p.Volumes)
	for _, t := range p.Tasks {
		list = append(list, t.Resources.Volumes...)
	}
	return slices.ContainsFunc(list, func(v Volume) bool { return v.Path == parts[n-2] })
}

func (p *Pod) task(name string) *Task {
	for i := range p.Tasks {
		if p.Tasks[i].Name == name {
			return &p.Tasks[i]
		}
	}
	return nil
}
