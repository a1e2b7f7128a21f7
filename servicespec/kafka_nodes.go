package servicespec

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// What concerns single nodes of a Kafka cluster, and the pods of one cluster among each other.

// firstController is the node id of the first controller that is no broker, unless a spec says
// another: beyond all ids that brokers have without a word of the spec.
const firstController = maxCount

// maxFirstID bounds first-id, so that the ids that follow are those of Kafka, too.
const maxFirstID = 1_000_000_000

var instanceLanguage = languageOf(podPath + ".kafka.instances.<name>")

// Controls reports whether the nodes are controllers, alone or beside a broker.
func (k Kafka) Controls() bool { return k.Process != "broker" }

// Serves reports whether the nodes are brokers, alone or beside a controller.
func (k Kafka) Serves() bool { return k.Process != "controller" }

// NodeID is the id that Kafka knows an instance by, for ever.
func (k Kafka) NodeID(index int) int { return k.FirstID + index }

// Node gives the section as it holds for one instance: with what differs for it, and without
// what differs for others, or concerns the cluster.
func (k Kafka) Node(index int) Kafka {
	own := k.Instances[index]
	k.Instances, k.Topics, k.Drift = nil, nil, ""
	if own.Heap > 0 {
		k.Heap = own.Heap
	}
	if own.JVMFlags != nil {
		k.JVMFlags = own.JVMFlags
	}
	if len(own.Properties) > 0 {
		properties := map[string]string{}
		maps.Copy(properties, k.Properties)
		maps.Copy(properties, own.Properties)
		k.Properties = properties
	}
	return k
}

// launchedNodes gives the section with nothing said of instances that does not differ.
func launchedNodes(k *Kafka) *Kafka {
	if k == nil {
		return nil
	}
	plain := *k
	plain.Instances, plain.Topics, plain.Drift = nil, nil, ""
	if k.Instances == nil {
		return &plain
	}
	differs := map[int]KafkaInstance{}
	for index := range k.Instances {
		if node := k.Node(index); !reflect.DeepEqual(node, plain) {
			differs[index] = KafkaInstance{node.Heap, node.JVMFlags, node.Properties}
		}
	}
	plain.Instances = differs
	return &plain
}

// firstID reads the node id of instance 0.
func (f fields) firstID(k Kafka) int {
	if id, ok := f.whole("first-id", 0, maxFirstID); ok {
		return int(id)
	}
	if !k.Serves() {
		return firstController
	}
	return 0
}

// kafkaInstances reads what differs for single nodes.
func (p *parser) kafkaInstances(f fields, k *Kafka, pod *Pod, task *Task) {
	for _, e := range f.named("instances") {
		path := join(join(f.path, "instances"), e.key)
		inst, ok := p.fieldsOf(e.value, path, instanceLanguage)
		if !ok {
			continue
		}
		report := func(code Code, message string) {
			p.add(Error{Line: e.line, Column: e.column, Path: path, Code: code, Message: message})
		}
		index, wrong := wholeNumber(e.key, 0, int64(max(0, pod.Count-1)))
		if wrong != "" {
			report(BadValue, "the index of an instance "+wrong)
			continue
		}
		if _, twice := k.Instances[int(index)]; twice {
			report(Duplicate, fmt.Sprintf("instance %d is there twice", index))
		}
		node := KafkaInstance{JVMFlags: p.jvmFlags(inst), Properties: p.properties(inst, *k)}
		heap, _ := inst.measured("heap", minHeap, maxMegabytes, megabytesHint)
		node.Heap = resource.MiB(heap)
		inst.checkHeap(node.Heap, task.Resources.Memory)
		if k.Instances == nil {
			k.Instances = map[int]KafkaInstance{}
		}
		k.Instances[int(index)] = node
	}
}

// kafkaVolumes reads the volumes of several log directories, or else the one volume.
func (p *parser) kafkaVolumes(f fields, k *Kafka, pod *Pod, task *Task) {
	items := f.list("volumes")
	if len(items) == 0 {
		k.Volume = p.serverVolume(f, "Kafka", pod, task)
		return
	}
	if _, both := f.get("volume"); both {
		f.at("volume", BadValue, "volume and volumes exclude each other", "put all into volumes")
	}
	if !k.Serves() && len(items) > 1 {
		f.at("volumes", BadValue, "a controller that is no broker has one log, on one volume",
			"name that one as volume")
	}
	var paths []string
	for _, v := range slices.Concat(task.Resources.Volumes, pod.Volumes) {
		paths = append(paths, v.Path)
	}
	for i, v := range items {
		key := fmt.Sprintf("volumes[%d]", i)
		switch {
		case !slices.Contains(paths, v.text):
			f.report(v, key, Dangling, fmt.Sprintf("the task has no volume %s", describe(v)),
				didYouMean(v.text, paths))
		case slices.Contains(k.Volumes, v.text):
			f.report(v, key, Duplicate, fmt.Sprintf("%s is listed twice", v.text), "")
		}
		k.Volumes = append(k.Volumes, v.text)
	}
	k.Volume = k.Volumes[0]
	if len(k.Volumes) == 1 {
		k.Volumes = nil
	}
}

// checkKafka compares a pod of Kafka nodes with those before it: all are of one cluster.
func (p *parser) checkKafka(e entry, pod Pod, others []Pod) {
	if pod.Kafka == nil {
		return
	}
	report := func(key, message, hint string) {
		p.add(Error{Line: e.line, Column: e.column, Path: join("pods", e.key) + ".kafka." + key,
			Code: BadValue, Message: message, Hint: hint})
	}
	k, compared := pod.Kafka, false
	for _, other := range others {
		o := other.Kafka
		if o == nil {
			continue
		}
		if k.Version != o.Version && !compared {
			report("version", fmt.Sprintf("the nodes of pod %s are of version %s, and those of "+
				"pod %s of %s", pod.Type, k.Version, other.Type, o.Version),
				"one service runs one version")
		}
		compared = true // the others were compared with the first as well
		first, end := max(k.FirstID, o.FirstID), min(k.NodeID(pod.Count), o.NodeID(other.Count))
		if first < end {
			report("first-id", fmt.Sprintf("pods %s and %s would both have a node %d", other.Type,
				pod.Type, first), fmt.Sprintf("give pod %s a first-id of its own, as %d, and "+
				"leave room for more instances of each", pod.Type, roomyID(append(others, pod))))
			return
		}
	}
}

// roomyID suggests a first id beyond all ids of some pods: the next whole thousand.
func roomyID(pods []Pod) int {
	beyond := 0
	for _, pod := range pods {
		if k := pod.Kafka; k != nil && (k.Serves() || k.FirstID != firstController) {
			beyond = max(beyond, k.NodeID(pod.Count))
		}
	}
	return (beyond + 999) / 1000 * 1000
}

// checkQuorum refuses brokers for which no pod of the service runs controllers.
func (p *parser) checkQuorum(root fields, pods []Pod) {
	brokers, controllers := "", false
	for _, pod := range pods {
		switch {
		case pod.Kafka == nil, pod.Kafka.ZooKeeper != "":
		case pod.Kafka.Controls():
			controllers = controllers || pod.Count > 0
		default:
			brokers = pod.Type
		}
	}
	if brokers != "" && !controllers {
		root.at("pods", Missing, fmt.Sprintf("pod %s has brokers, and no pod has controllers",
			brokers), "add a pod whose kafka.process is controller, or use combined")
	}
}

// bootOrder gives pods in an order in which their nodes can come up: brokers need controllers, or
// the ensemble that they use.
func bootOrder(pods []Pod) []Pod {
	var ordered []Pod
	taken := map[string]bool{}
	take := func(pod Pod) {
		if !taken[pod.Type] {
			taken[pod.Type] = true
			ordered = append(ordered, pod)
		}
	}
	for _, pod := range pods {
		if pod.Kafka != nil && !pod.Kafka.Controls() {
			for _, other := range pods {
				if other.Kafka != nil && other.Kafka.Controls() ||
					other.ZooKeeper != nil && other.Type == pod.Kafka.Ensemble() {
					take(other)
				}
			}
		}
		take(pod)
	}
	return ordered
}
