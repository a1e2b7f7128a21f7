package servicespec

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// Options are what an operator says of a service instead of writing a spec: values by dotted
// name, those of the DC/OS Kafka package where it has such an option. Only what was said is in
// the map; Get knows the defaults.
type Options map[string]string

// Option describes one option.
type Option struct {
	Name    string
	Default string
	// Help is one line for the operator.
	Help string
	// Variable is the name of the template variable that carries the option.
	Variable string

	check func(text string) (wrong string)
}

// KnownOptions lists the options, sorted by name. Besides them every kafka.<property> is one.
func KnownOptions() []Option { return slices.Clone(knownOptions) }

var knownOptions = []Option{
	{"brokers.count", "3", "number of brokers", "BROKER_COUNT", wholeBetween(1, maxCount)},
	{"brokers.cpus", "1", "CPUs of each broker", "BROKER_CPUS", isMilli},
	{"brokers.disk", "5000", "size of each broker's volume in MB", "BROKER_DISK",
		wholeBetween(1, maxMegabytes)},
	{"brokers.disk_type", "ROOT", "kind of volume: ROOT, PATH or MOUNT", "BROKER_DISK_TYPE",
		isOneOf("ROOT", "PATH", "MOUNT")},
	{"brokers.heap.size", "512", "heap of each broker's JVM in MB", "BROKER_HEAP_MB",
		wholeBetween(minHeap, maxMegabytes)},
	{"brokers.kill_grace_period", "300", "seconds that a broker has to stop cleanly",
		"KILL_GRACE_PERIOD", wholeBetween(0, maxKillGrace)},
	{"brokers.mem", "2048", "memory of each broker in MB", "BROKER_MEM",
		wholeBetween(1, maxMegabytes)},
	{"brokers.port", "0", "port of each broker, 0 for any", "BROKER_PORT",
		wholeBetween(0, maxPort)},
	{"service.deploy_strategy", "serial",
		"order of deployment: serial, parallel, serial-canary or parallel-canary",
		"DEPLOY_STRATEGY", isOneOf("serial", "parallel", "serial-canary", "parallel-canary")},
	{"service.kafka_version", DefaultKafkaVersion, "version of Kafka", "KAFKA_VERSION",
		matches(kafkaVersion, "a Kafka version, as "+DefaultKafkaVersion)},
	{"service.name", "kafka", "name of the service", "FRAMEWORK_NAME", isServiceName},
	{"service.placement_constraint", `[["hostname","MAX_PER","1"]]`,
		"rule for where brokers may run", "PLACEMENT_CONSTRAINTS", isPlacement},
	{"service.principal", "", "Mesos principal, <name>-principal by default",
		"FRAMEWORK_PRINCIPAL", matches(principalName, "a principal")},
	{"service.user", "", "user that brokers run as", "FRAMEWORK_USER",
		matches(userName, "the name of a user")},
}

var (
	userName      = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9._-]*[$]?$`)
	principalName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@/-]*$`)
)

// kafkaPrefix begins the options that are properties of Kafka itself.
const kafkaPrefix = "kafka."

func wholeBetween(least, most int64) func(string) string {
	return func(text string) string {
		_, wrong := wholeNumber(text, least, most)
		return wrong
	}
}

func isServiceName(text string) string {
	return serviceNameProblem(strings.TrimPrefix(text, "/"))
}

func isMilli(text string) string {
	_, wrong := milliNumber(text)
	return wrong
}

func isOneOf(words ...string) func(string) string {
	return func(text string) string {
		if slices.Contains(words, text) {
			return ""
		}
		return fmt.Sprintf("must be one of %s, not %s", strings.Join(words, ", "), quote(text))
	}
}

func matches(pattern *regexp.Regexp, what string) func(string) string {
	return func(text string) string {
		if pattern.MatchString(text) {
			return ""
		}
		return fmt.Sprintf("%s is not %s", quote(text), what)
	}
}

// isPlacement also refuses the one character that would end the quotes around the rule in a
// spec.
func isPlacement(text string) string {
	if strings.Contains(text, "'") {
		return "must not contain a single quote"
	}
	if _, err := placement.Parse(text); err != nil {
		return err.Error()
	}
	return ""
}

// DecodeOptions reads options from JSON or YAML: nested mappings, whose keys are joined with
// dots. Null values count as not said.
func DecodeOptions(name string, data []byte) (Options, []Error) {
	m := &mistakes{file: name}
	options := Options{}
	if len(strings.TrimSpace(string(data))) == 0 {
		return options, nil
	}
	root, ok := readDocument(data, m)
	if !ok {
		return nil, m.sorted()
	}
	if root.kind != mapKind && root.kind != nullKind {
		m.add(Error{Line: root.line, Column: root.column, Code: WrongType,
			Message: fmt.Sprintf("options are a mapping, not %s", describe(root))})
	}
	options.take(root, "", m)
	if len(m.list) > 0 {
		return nil, m.sorted()
	}
	return options, nil
}

// take puts the leaves of a tree into the options.
func (o Options) take(v value, path string, m *mistakes) {
	for _, e := range v.entries {
		name := e.key
		if path != "" {
			name = path + "." + e.key
		}
		known := findOption(name) != nil || strings.HasPrefix(name, kafkaPrefix)
		switch {
		case e.value.kind == nullKind:
		case e.value.kind == mapKind:
			o.take(e.value, name, m)
		case e.value.kind == listKind && known:
			m.add(Error{Line: e.value.line, Column: e.value.column, Path: join("", name),
				Code: WrongType, Message: "must be a single value, not a list",
				Hint: "quote it"})
		default:
			o.takeOne(e, name, m)
		}
	}
}

func (o Options) takeOne(e entry, name string, m *mistakes) {
	problem := o.put(name, e.value.text)
	if problem == nil {
		return
	}
	problem.Line, problem.Column = e.value.line, e.value.column
	if problem.Code == UnknownKey {
		problem.Line, problem.Column = e.line, e.column
	}
	m.add(*problem)
}

// Set takes one "name=value". The error is an Error without a place.
func (o Options) Set(assignment string) error {
	name, text, ok := strings.Cut(assignment, "=")
	if !ok {
		return Error{Code: Malformed, Message: fmt.Sprintf("%s is not name=value",
			quote(assignment)), Hint: "write for example brokers.count=5"}
	}
	if problem := o.put(strings.TrimSpace(name), strings.TrimSpace(text)); problem != nil {
		return *problem
	}
	return nil
}

// put checks and keeps one value.
func (o Options) put(name, text string) *Error {
	e := Error{Path: join("", name), Code: BadValue}
	if !oneLine(text) {
		e.Message = "must be a single line"
		return &e
	}
	if property, ok := strings.CutPrefix(name, kafkaPrefix); ok {
		if e.Message, e.Hint = propertyProblem(property); e.Message != "" {
			return &e
		}
		if other := o.sameProperty(name); other != "" {
			e.Code, e.Message = Duplicate, "it was said already, as "+other
			return &e
		}
		o[name] = text
		return nil
	}
	option := findOption(name)
	if option == nil {
		e.Code, e.Message = UnknownKey, "unknown option"
		e.Hint = didYouMean(name, optionNames())
		return &e
	}
	if e.Message = option.check(text); e.Message != "" {
		return &e
	}
	o[name] = text
	return nil
}

// sameProperty finds an option under another name for the same Kafka property.
func (o Options) sameProperty(name string) string {
	property := kafkaProperty(strings.TrimPrefix(name, kafkaPrefix))
	for _, other := range sortedNames(o) {
		rest, ok := strings.CutPrefix(other, kafkaPrefix)
		if ok && other != name && kafkaProperty(rest) == property {
			return other
		}
	}
	return ""
}

// Check reports what is wrong between options that each are right.
func (o Options) Check() []Error {
	heap, _ := wholeNumber(o.Get("brokers.heap.size"), 1, maxMegabytes)
	mem, _ := wholeNumber(o.Get("brokers.mem"), 1, maxMegabytes)
	if heap < mem {
		return nil
	}
	return []Error{{Path: "brokers.heap.size", Code: BadValue,
		Message: fmt.Sprintf("a heap of %d MB leaves nothing of brokers.mem, %d MB", heap, mem),
		Hint:    "use about half of brokers.mem"}}
}

// Get gives the value of an option, or its default.
func (o Options) Get(name string) string {
	if text, ok := o[name]; ok {
		return text
	}
	if option := findOption(name); option != nil {
		return option.Default
	}
	return ""
}

func findOption(name string) *Option {
	for i := range knownOptions {
		if knownOptions[i].Name == name {
			return &knownOptions[i]
		}
	}
	return nil
}

func optionNames() []string {
	names := make([]string, 0, len(knownOptions))
	for _, o := range knownOptions {
		names = append(names, o.Name)
	}
	return names
}
