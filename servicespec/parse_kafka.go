package servicespec

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// DefaultKafkaVersion is the Kafka that runs when a spec names none.
const DefaultKafkaVersion = "4.3.1"

// maxDefaultHeap bounds the heap of a node whose spec does not say one: Kafka serves from the
// page cache, and beyond some gigabytes memory is better left to that.
const maxDefaultHeap resource.MiB = 6144

// minHeap is the least heap in megabytes that is taken for meant.
const minHeap = 32

var kafkaLanguage = languageOf(podPath + ".kafka")

var kafkaVersion = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+$`)

// kafka reads the kafka section of a pod whose other keys are read already.
func (p *parser) kafka(v value, path string, pod *Pod) *Kafka {
	k := &Kafka{Process: "combined", Version: DefaultKafkaVersion}
	f, ok := p.fieldsOf(v, path, kafkaLanguage)
	if !ok {
		return k
	}
	p.kafkaMode(f, k)
	k.FirstID = f.firstID(*k)
	if version, ok := f.text("version"); ok {
		k.Version = version
		if !kafkaVersion.MatchString(version) {
			f.at("version", BadValue, fmt.Sprintf("%s is not a Kafka version", quote(version)),
				"write it in full, as "+DefaultKafkaVersion)
		}
	}
	if wrong, hint := zooKeeperKafka(k.Version); k.ZooKeeper != "" && wrong != "" {
		f.at("version", BadValue, wrong, hint)
	}
	k.JVMFlags = p.jvmFlags(f)
	k.Properties = p.properties(f, *k)
	p.kafkaTopics(f, k)
	task := p.serverTask(f, "Kafka", pod)
	if task == nil {
		return k
	}
	k.Task = task.Name
	p.kafkaPorts(f, k, task)
	p.kafkaVolumes(f, k, pod, task)
	k.Heap = f.heap(task, "Kafka")
	p.kafkaInstances(f, k, pod, task)
	return k
}

// serverTask finds the task that runs what the scheduler makes the command of.
func (p *parser) serverTask(f fields, what string, pod *Pod) *Task {
	var names []string
	for _, t := range pod.Tasks {
		names = append(names, t.Name)
	}
	name, ok := f.text("task")
	if !ok && len(names) == 1 {
		name = names[0]
	} else if !ok && len(names) > 1 {
		f.at("", Missing, "task is missing: the pod has "+strings.Join(names, ", "),
			"say which of them runs "+what)
	}
	i := slices.Index(names, name)
	if i < 0 {
		if ok {
			f.at("task", Dangling, fmt.Sprintf("the pod has no task %s", quote(name)),
				didYouMean(name, names))
		}
		return nil
	}
	task := &pod.Tasks[i]
	if task.Goal != GoalRunning && task.Goal != "" {
		f.at("", BadValue, fmt.Sprintf("the task %s must have the goal RUNNING", name), "")
	}
	if task.Command != "" {
		f.at("", BadValue, fmt.Sprintf("the task %s must not have a cmd", name),
			fmt.Sprintf("the scheduler makes the command of a %s node; remove cmd", what))
	}
	return task
}

// kafkaPorts finds the ports that the process listens on.
func (p *parser) kafkaPorts(f fields, k *Kafka, task *Task) {
	if k.Serves() {
		k.ClientPort = p.serverPort(f, "Kafka", "client-port", "broker", task)
	}
	if k.Controls() {
		k.ControllerPort = p.serverPort(f, "Kafka", "controller-port", "controller", task)
	}
	if k.ClientPort != "" && k.ClientPort == k.ControllerPort {
		f.at("controller-port", BadValue, "client-port and controller-port must differ", "")
	}
}

// serverPort finds a port that the process listens on.
func (p *parser) serverPort(f fields, what, key, def string, task *Task) string {
	name := def
	if text, ok := f.text(key); ok {
		name = text
	}
	var names []string
	for _, port := range task.Resources.Ports {
		names = append(names, port.Name)
	}
	if !slices.Contains(names, name) {
		hint := fmt.Sprintf("add it under ports, or name another one as %s", key)
		if n := Nearest(name, names); n != "" {
			hint = "did you mean " + n + "?"
		}
		f.at(key, Dangling, fmt.Sprintf(
			"%s needs the port %s, and task %s has none of that name", what, name, task.Name), hint)
	}
	return name
}

// serverVolume finds the volume of the data, of the task or of the pod.
func (p *parser) serverVolume(f fields, what string, pod *Pod, task *Task) string {
	var paths []string
	for _, v := range slices.Concat(task.Resources.Volumes, pod.Volumes) {
		paths = append(paths, v.Path)
	}
	path, ok := f.text("volume")
	switch {
	case ok:
		if !slices.Contains(paths, path) {
			f.at("volume", Dangling, fmt.Sprintf("the task has no volume %s", quote(path)),
				didYouMean(path, paths))
		}
	case len(paths) == 1:
		return paths[0]
	case len(paths) == 0:
		f.at("", Missing, fmt.Sprintf("task %s has no volume for %s's data", task.Name, what),
			"add a volume with path, type and size")
	default:
		f.at("", Missing, "volume is missing: there are "+strings.Join(paths, ", "),
			fmt.Sprintf("say which of them holds %s's data", what))
	}
	return path
}

// heap checks the heap against the task's memory, or takes half of that.
func (f fields) heap(task *Task, what string) resource.MiB {
	memory := task.Resources.Memory
	if memory == 0 {
		f.at("", Missing, fmt.Sprintf("task %s has no memory", task.Name),
			fmt.Sprintf("give it memory for %s's heap", what))
		return 0
	}
	megabytes, ok := f.measured("heap", minHeap, maxMegabytes, megabytesHint)
	heap := resource.MiB(megabytes)
	if !ok {
		heap = min(memory/2, maxDefaultHeap)
	}
	f.checkHeap(heap, memory)
	return heap
}

// checkHeap refuses a heap that leaves nothing of the task's memory.
func (f fields) checkHeap(heap, memory resource.MiB) {
	if heap >= memory {
		f.at("heap", BadValue, fmt.Sprintf(
			"a heap of %d MB leaves nothing of the task's %d MB of memory", heap, memory),
			"the JVM and the page cache need room next to the heap; use about half")
	}
}

func (p *parser) jvmFlags(f fields) []string {
	var flags []string
	for i, v := range f.list("jvm-flags") {
		key := fmt.Sprintf("jvm-flags[%d]", i)
		switch {
		case v.kind != scalarKind || !strings.HasPrefix(v.text, "-") || !oneLine(v.text):
			f.bad(v, key, fmt.Sprintf("%s is not a JVM flag", describe(v)), "begin it with -")
		case strings.HasPrefix(v.text, "-Xmx") || strings.HasPrefix(v.text, "-Xms"):
			f.bad(v, key, "the scheduler sets the heap's size", "say it with heap")
		}
		flags = append(flags, v.text)
	}
	return flags
}

func oneLine(text string) bool {
	control := func(r rune) bool { return r < ' ' || r == 0x7f }
	return !strings.ContainsFunc(text, control)
}

var propertyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// properties reads server properties. Where the metadata is in ZooKeeper the settings of its
// client are the operator's.
func (p *parser) properties(f fields, k Kafka) map[string]string {
	return p.propertiesBut(f, func(name string) (string, string) {
		near := misspeltProperty(name)
		reason := ownedProperty(name)
		switch {
		case k.ZooKeeper != "" && name == "zookeeper.connect":
			reason = "it is said by zookeeper"
		case k.ZooKeeper != "" && strings.HasPrefix(name, "zookeeper."):
			reason, near = "", ""
		}
		if reason != "" {
			return "the property cannot be set: " + reason, "remove it"
		}
		if near != "" {
			return "Kafka has no property " + name, "did you mean " + near + "?"
		}
		return "", ""
	})
}

// propertiesBut reads properties but for those that a function refuses, with reason and hint.
func (p *parser) propertiesBut(
	f fields, refuse func(name string) (string, string),
) map[string]string {
	return p.namedProperties(f, "properties", refuse)
}

// namedProperties reads the properties under a key.
func (p *parser) namedProperties(
	f fields, key string, refuse func(name string) (string, string),
) map[string]string {
	var properties map[string]string
	for _, e := range f.named(key) {
		path := join(join(f.path, key), e.key)
		report := func(code Code, message, hint string) {
			p.add(Error{Line: e.line, Column: e.column, Path: path, Code: code,
				Message: message, Hint: hint})
		}
		if !propertyName.MatchString(e.key) {
			report(BadValue, fmt.Sprintf("%s is not the name of a property", quote(e.key)), "")
			continue
		}
		if wrong, hint := refuse(e.key); wrong != "" {
			code := BadValue
			if strings.HasPrefix(hint, "did you mean") {
				code = UnknownKey
			}
			report(code, wrong, hint)
			continue
		}
		if e.value.kind != scalarKind && e.value.kind != nullKind || !oneLine(e.value.text) {
			report(WrongType, fmt.Sprintf("must be a single line, not %s", describe(e.value)), "")
			continue
		}
		if properties == nil {
			properties = map[string]string{}
		}
		properties[e.key] = e.value.text
	}
	return properties
}

// owned lists the properties that the scheduler sets, with the reason; a name that ends with a
// dot stands for all that begin with it.
var owned = []struct{ name, reason string }{
	{"node.id", "it follows from the pod's index"},
	{"broker.id", "it follows from the pod's index"},
	{"broker.id.", "node ids follow from the pods' indexes"},
	{"reserved.broker.max.id", "node ids follow from the pods' indexes"},
	{"broker.rack", "it is the zone of the agent that the node runs on"},
	{"process.roles", "it is said by process"},
	{"listeners", "they follow from the ports that Mesos gave"},
	{"advertised.listeners", "they follow from the ports that Mesos gave"},
	{"advertised.host.name", "it follows from the agent that the node runs on"},
	{"advertised.port", "it follows from the ports that Mesos gave"},
	{"host.name", "it follows from the agent that the node runs on"},
	{"port", "it follows from the ports that Mesos gave"},
	{"listener.security.protocol.map", "it follows from the listeners, which the scheduler makes"},
	{"inter.broker.listener.name", "it follows from the listeners, which the scheduler makes"},
	{"security.inter.broker.protocol", "it follows from the listeners, which the scheduler makes"},
	{"log.dir", "logs lie on the pod's volume"},
	{"log.dirs", "logs lie on the pod's volume"},
	{"metadata.log.dir", "logs lie on the pod's volume"},
	{"cluster.id", "the scheduler makes it once and keeps it"},
	{"controller.", "the scheduler runs the quorum of controllers"},
	{"zookeeper.", "this Kafka runs without ZooKeeper"},
}

// ownedProperty gives the reason why an operator may not set a property, "" when one may.
func ownedProperty(name string) string {
	for _, o := range owned {
		if name == o.name || strings.HasSuffix(o.name, ".") && strings.HasPrefix(name, o.name) {
			return o.reason
		}
	}
	return ""
}
