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
	if process, ok := f.oneOf("process", "combined", "broker", "controller"); ok {
		k.Process = process
	}
	k.FirstID = f.firstID(*k)
	if version, ok := f.text("version"); ok {
		k.Version = version
		if !kafkaVersion.MatchString(version) {
			f.at("version", BadValue, fmt.Sprintf("%s is not a Kafka version", quote(version)),
				"write it in full, as "+DefaultKafkaVersion)
		}
	}
	k.JVMFlags = p.jvmFlags(f)
	k.Properties = p.properties(f)
	task := p.kafkaTask(f, k, pod)
	if task == nil {
		return k
	}
	p.kafkaPorts(f, k, task)
	p.kafkaVolumes(f, k, pod, task)
	p.heap(f, k, task)
	p.kafkaInstances(f, k, pod, task)
	return k
}

// kafkaTask finds the task that runs Kafka.
func (p *parser) kafkaTask(f fields, k *Kafka, pod *Pod) *Task {
	var names []string
	for _, t := range pod.Tasks {
		names = append(names, t.Name)
	}
	name, ok := f.text("task")
	if !ok && len(names) == 1 {
		name = names[0]
	} else if !ok && len(names) > 1 {
		f.at("", Missing, "task is missing: the pod has "+strings.Join(names, ", "),
			"say which of them runs Kafka")
	}
	k.Task = name
	i := slices.Index(names, name)
	if i < 0 {
		if ok {
			f.at("task", Dangling, fmt.Sprintf("the pod has no task %s", quote(name)),
				didYouMean(name, names))
		}
		k.Task = ""
		return nil
	}
	task := &pod.Tasks[i]
	if task.Goal != GoalRunning && task.Goal != "" {
		f.at("", BadValue, fmt.Sprintf("the task %s must have the goal RUNNING", name), "")
	}
	if task.Command != "" {
		f.at("", BadValue, fmt.Sprintf("the task %s must not have a cmd", name),
			"the scheduler makes the command of a Kafka node; remove cmd")
	}
	return task
}

// kafkaPorts finds the ports that the process listens on.
func (p *parser) kafkaPorts(f fields, k *Kafka, task *Task) {
	if k.Serves() {
		k.ClientPort = p.kafkaPort(f, "client-port", "broker", task)
	}
	if k.Controls() {
		k.ControllerPort = p.kafkaPort(f, "controller-port", "controller", task)
	}
	if k.ClientPort != "" && k.ClientPort == k.ControllerPort {
		f.at("controller-port", BadValue, "client-port and controller-port must differ", "")
	}
}

func (p *parser) kafkaPort(f fields, key, def string, task *Task) string {
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
			"Kafka needs the port %s, and task %s has none of that name", name, task.Name), hint)
	}
	return name
}

// kafkaVolume finds the volume of the log directories, of the task or of the pod.
func (p *parser) kafkaVolume(f fields, k *Kafka, pod *Pod, task *Task) {
	var paths []string
	for _, v := range slices.Concat(task.Resources.Volumes, pod.Volumes) {
		paths = append(paths, v.Path)
	}
	path, ok := f.text("volume")
	switch {
	case ok:
		k.Volume = path
		if !slices.Contains(paths, path) {
			f.at("volume", Dangling, fmt.Sprintf("the task has no volume %s", quote(path)),
				didYouMean(path, paths))
		}
	case len(paths) == 1:
		k.Volume = paths[0]
	case len(paths) == 0:
		f.at("", Missing, fmt.Sprintf("task %s has no volume for Kafka's data", task.Name),
			"add a volume with path, type and size")
	default:
		f.at("", Missing, "volume is missing: there are "+strings.Join(paths, ", "),
			"say which of them holds Kafka's data")
	}
}

// heap checks the heap against the task's memory, or takes half of that.
func (p *parser) heap(f fields, k *Kafka, task *Task) {
	memory := task.Resources.Memory
	if memory == 0 {
		f.at("", Missing, fmt.Sprintf("task %s has no memory", task.Name),
			"give it memory for Kafka's heap")
		return
	}
	megabytes, ok := f.measured("heap", minHeap, maxMegabytes, megabytesHint)
	heap := resource.MiB(megabytes)
	if !ok {
		heap = min(memory/2, maxDefaultHeap)
	}
	f.checkHeap(heap, memory)
	k.Heap = heap
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

func (p *parser) properties(f fields) map[string]string {
	var properties map[string]string
	for _, e := range f.named("properties") {
		path := join(join(f.path, "properties"), e.key)
		report := func(code Code, message, hint string) {
			p.add(Error{Line: e.line, Column: e.column, Path: path, Code: code,
				Message: message, Hint: hint})
		}
		if !propertyName.MatchString(e.key) {
			report(BadValue, fmt.Sprintf("%s is not the name of a property", quote(e.key)), "")
			continue
		}
		if reason := ownedProperty(e.key); reason != "" {
			report(BadValue, "the property cannot be set: "+reason, "remove it")
			continue
		}
		if near := misspeltProperty(e.key); near != "" {
			report(UnknownKey, "Kafka has no property "+e.key, "did you mean "+near+"?")
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
