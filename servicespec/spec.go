package servicespec

import (
	"time"

	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// Service is one service: all that the scheduler runs under one framework.
type Service struct {
	Name      string
	WebURL    string
	Principal string // default "<name>-principal"
	User      string // default "root"
	Role      string // "<name with / as __>-role"
	Zookeeper string // accepted from the predecessor's files; "" unless set
	Pods      []Pod
	Plans     []Plan // always holds one named "deploy"
}

// Pod is a type of pod; Count instances of it run, named "<type>-<index>" from 0.
type Pod struct {
	Type      string
	Count     int
	Placement placement.Rule // the zero Rule allows every agent
	URIs      []string
	RLimits   []RLimit
	// Volumes are mounted for every task of the pod.
	Volumes []Volume
	Tasks   []Task
	// AllowDecommission permits a smaller Count.
	AllowDecommission bool
	PreReservedRole   string // "*" by default
	Image             string // container image, "" for none
	// Kafka is set when the pod's instances are Kafka brokers or controllers.
	Kafka *Kafka
}

// Kafka declares that each instance of a pod is a Kafka node, whose command and configuration
// the scheduler makes. The node id is the pod's index, for ever.
type Kafka struct {
	// Process is combined (default), broker or controller.
	Process string
	// Version is the Kafka version, as "4.3.1".
	Version string
	// Heap is the JVM's heap, both -Xms and -Xmx.
	Heap resource.MiB
	// JVMFlags are added to the JVM's command line.
	JVMFlags []string
	// Properties are the operator's own server properties, by their Kafka names; they win over
	// the defaults, except for those that the scheduler must own (node.id, log.dirs, …).
	Properties map[string]string
	// Task is the task that runs Kafka, by name.
	Task string
	// ClientPort and ControllerPort name ports of that task.
	ClientPort, ControllerPort string
	// Volume is the container path of the volume that holds the log directories.
	Volume string
}

// RLimit is a limit of a process; nil means unlimited.
type RLimit struct {
	Name       string // RLMT_…, as Mesos spells it: RLMT_NOFILE
	Soft, Hard *uint64
}

// Goal is what becomes of a task.
type Goal string

// The goals: RUNNING tasks are restarted whenever they end, FINISH tasks run to success at
// every new configuration, ONCE tasks run to success once.
const (
	GoalRunning Goal = "RUNNING"
	GoalFinish  Goal = "FINISH"
	GoalOnce    Goal = "ONCE"
)

// Task is one task of a pod; its instance is named "<type>-<index>-<task>".
type Task struct {
	Name      string
	Goal      Goal
	Essential bool // a failure restarts the whole pod; default true
	Command   string
	Env       []EnvVar // in the order of the file
	Configs   []Config
	Resources ResourceSet
	Readiness *Check
	Health    *Check
	KillGrace time.Duration
	Discovery *Discovery
	Labels    []resource.Label
}

// EnvVar is one environment variable.
type EnvVar struct{ Name, Value string }

// Config is a configuration file of a task: mustache text rendered on the agent with the
// task's environment.
type Config struct {
	Name     string
	Template string // path of the template as written in the spec
	Text     string // its content
	Dest     string // path in the sandbox
}

// ResourceSet is what a task, or several in turn, run with.
type ResourceSet struct {
	Name    string
	CPUs    resource.Milli
	GPUs    resource.Milli
	Memory  resource.MiB
	Ports   []Port
	Volumes []Volume
}

// Port is one port of a resource set.
type Port struct {
	Name      string
	Port      int // 0 is dynamic
	EnvKey    string
	Advertise bool
	VIP       *VIP
	Ranges    []resource.Range // for dynamic ports; empty means any
}

// VIP is a virtual address under which a port is known.
type VIP struct {
	Prefix string
	Port   int
}

// Volume is a persistent volume.
type Volume struct {
	Path     string // in the sandbox
	Type     string // ROOT or MOUNT
	Size     resource.MiB
	Profiles []string
}

// Check is a readiness or health check: a command, an HTTP request or a TCP connection.
type Check struct {
	Command string
	HTTP    *HTTPCheck
	TCP     *TCPCheck

	Interval, Timeout, Delay, GracePeriod time.Duration
	MaxConsecutiveFailures                int
}

// HTTPCheck asks a port of the task, by name, for a path.
type HTTPCheck struct {
	Scheme, Port, Path string
}

// TCPCheck connects to a port of the task, by name.
type TCPCheck struct{ Port string }

// Discovery is how a task is announced.
type Discovery struct {
	Prefix     string
	Visibility string
}

// Strategy is the order in which the children of a plan or phase are worked on.
type Strategy string

// The strategies. Canary strategies wait for the operator before the first two steps.
const (
	Serial         Strategy = "serial"
	Parallel       Strategy = "parallel"
	SerialCanary   Strategy = "serial-canary"
	ParallelCanary Strategy = "parallel-canary"
)

// Plan is a plan as declared.
type Plan struct {
	Name     string
	Strategy Strategy
	Phases   []Phase
}

// Phase is a phase as declared; it works on one pod type.
type Phase struct {
	Name     string
	Strategy Strategy
	Pod      string
	// Steps lists the steps of each instance; nil means one step an instance, all its tasks.
	Steps []InstanceSteps
}

// InstanceSteps says which tasks the steps of one instance launch, step by step.
type InstanceSteps struct {
	Index   int // meaningless when Default is set
	Default bool
	Steps   [][]string
}
