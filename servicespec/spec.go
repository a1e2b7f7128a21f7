package servicespec

import (
	"time"

	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// Service is one service: all that the scheduler runs under one framework.
//
// The field tags are those of Encode; what they cannot say is in encode.go.
type Service struct {
	Name      string `json:"name"`
	WebURL    string `json:"web-url,omitempty"`
	Principal string `json:"principal,omitempty"` // default "<name>-principal"
	User      string `json:"user,omitempty"`      // default "root"
	Role      string `json:"role,omitempty"`      // "<name with / as __>-role"
	// FailoverTimeout is how long Mesos keeps the tasks of a scheduler that is away, 0 for the
	// default, DefaultFailoverTimeout.
	FailoverTimeout Seconds `json:"failover-timeout,omitempty"`
	// Zookeeper is accepted from the predecessor's files.
	Zookeeper string `json:"zookeeper,omitempty"`
	Pods      []Pod  `json:"pods,omitempty"`
	Plans     []Plan `json:"plans,omitempty"` // always holds one named "deploy"
	// Actions start plans when something happens.
	Actions []Action `json:"actions,omitempty"`
}

// Pod is a type of pod; Count instances of it run, named "<type>-<index>" from 0.
type Pod struct {
	Type      string         `json:"type"`
	Count     int            `json:"count"`
	Placement placement.Rule `json:"-"` // the zero Rule allows every agent
	// Where is the rule if it is more than constraints that must all hold; then Placement is zero.
	Where   *placement.Expr `json:"-"`
	URIs    []string        `json:"uris,omitempty"`
	RLimits []RLimit        `json:"rlimits,omitempty"`
	// Volumes are mounted for every task of the pod.
	Volumes []Volume `json:"volumes,omitempty"`
	Tasks   []Task   `json:"tasks,omitempty"`
	// AllowDecommission permits a smaller Count.
	AllowDecommission bool   `json:"allow-decommission,omitempty"`
	PreReservedRole   string `json:"pre-reserved-role,omitempty"` // "*" by default
	Image             string `json:"image,omitempty"`             // container image, "" for none
	// Prefer are wishes about agents; they count after Placement.
	Prefer []placement.Preference `json:"prefer,omitempty"`
	// Fault says what to do about agents that are not there; nil is to wait for ever.
	Fault *FaultPolicy `json:"fault-policy,omitempty"`
	// Update is the pace of new configurations; nil leaves it to the plan.
	Update *UpdatePolicy `json:"update,omitempty"`
	// Rebalance is how replicas are moved without an operator; nil is never beyond what has to be.
	Rebalance *RebalancePolicy `json:"rebalance,omitempty"`
	// Secrets are given to all tasks of the pod.
	Secrets []Secret `json:"secrets,omitempty"`
	// Kafka is set when the pod's instances are Kafka brokers or controllers.
	Kafka *Kafka `json:"kafka,omitempty"`
	// ZooKeeper is set when the pod's instances are the servers of a ZooKeeper ensemble.
	ZooKeeper *ZooKeeper `json:"zookeeper,omitempty"`
}

// Kafka declares that each instance of a pod is a Kafka node, whose command and configuration
// the scheduler makes.
type Kafka struct {
	// Process is combined (default), broker or controller.
	Process string `json:"process,omitempty"`
	// ZooKeeper is where brokers up to 3.9 keep the metadata: a pod type of this service whose
	// instances are ZooKeeper servers, or a connection string, host:port,…/path. It is "" in
	// KRaft mode, in which controllers keep it.
	ZooKeeper string `json:"zookeeper,omitempty"`
	// Version is the Kafka version, as "4.3.1".
	Version string `json:"version,omitempty"`
	// Heap is the JVM's heap, both -Xms and -Xmx.
	Heap resource.MiB `json:"heap,omitempty"`
	// JVMFlags are added to the JVM's command line.
	JVMFlags []string `json:"jvm-flags,omitempty"`
	// Properties are the operator's own server properties, by their Kafka names; they win over
	// the defaults, except for those that the scheduler must own (node.id, log.dirs, …).
	Properties map[string]string `json:"properties,omitempty"`
	// Task is the task that runs Kafka, by name.
	Task string `json:"task,omitempty"`
	// ClientPort and ControllerPort name ports of that task.
	ClientPort     string `json:"client-port,omitempty"`
	ControllerPort string `json:"controller-port,omitempty"`
	// FirstID is the node id of instance 0; the others count on from it. An id is for ever.
	FirstID int `json:"first-id,omitempty"`
	// Volume is the container path of the volume that holds the metadata, and all data unless
	// there are Volumes.
	Volume string `json:"volume,omitempty"`
	// Volumes are the container paths of two or more volumes with a log directory each; the
	// first is Volume.
	Volumes []string `json:"volumes,omitempty"`
	// Instances is what differs for single nodes, by their index.
	Instances map[int]KafkaInstance `json:"instances,omitempty"`
	// Topics are those that the cluster is to have, by name; others are nobody's concern.
	Topics []Topic `json:"topics,omitempty"`
	// Drift is what is done about properties that somebody changed in Kafka, "" for the default.
	Drift string `json:"drift,omitempty"`
}

// KafkaInstance is what differs for one Kafka node.
type KafkaInstance struct {
	Heap       resource.MiB      `json:"heap,omitempty"`
	JVMFlags   []string          `json:"jvm-flags,omitempty"`
	Properties map[string]string `json:"properties,omitempty"`
}

// RLimit is a limit of a process; nil means unlimited.
type RLimit struct {
	Name string  `json:"name"` // RLMT_…, as Mesos spells it: RLMT_NOFILE
	Soft *uint64 `json:"soft,omitempty"`
	Hard *uint64 `json:"hard,omitempty"`
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
	Name      string           `json:"name"`
	Goal      Goal             `json:"goal,omitempty"`
	Essential bool             `json:"essential"` // a failure restarts the whole pod; default true
	Command   string           `json:"cmd,omitempty"`
	Env       []EnvVar         `json:"env,omitempty"` // in the order of the file
	Configs   []Config         `json:"configs,omitempty"`
	Resources ResourceSet      `json:"resource-set,omitempty"`
	Readiness *Check           `json:"readiness,omitempty"`
	Health    *Check           `json:"health,omitempty"`
	KillGrace time.Duration    `json:"-"`
	Discovery *Discovery       `json:"discovery,omitempty"`
	Labels    []resource.Label `json:"labels,omitempty"`
}

// EnvVar is one environment variable.
type EnvVar struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Config is a configuration file of a task: mustache text rendered on the agent with the
// task's environment.
type Config struct {
	Name     string `json:"name"`
	Template string `json:"template,omitempty"` // path of the template as written in the spec
	Text     string `json:"text,omitempty"`     // its content
	Dest     string `json:"dest,omitempty"`     // path in the sandbox
}

// ResourceSet is what a task, or several in turn, run with.
type ResourceSet struct {
	Name    string         `json:"name"`
	CPUs    resource.Milli `json:"cpus,omitempty"`
	GPUs    resource.Milli `json:"gpus,omitempty"`
	Memory  resource.MiB   `json:"memory,omitempty"`
	Ports   []Port         `json:"ports,omitempty"`
	Volumes []Volume       `json:"volumes,omitempty"`
}

// Port is one port of a resource set.
type Port struct {
	Name      string           `json:"name"`
	Port      int              `json:"port"` // 0 is dynamic
	EnvKey    string           `json:"env-key,omitempty"`
	Advertise bool             `json:"advertise,omitempty"`
	VIP       *VIP             `json:"vip,omitempty"`
	Ranges    []resource.Range `json:"ranges,omitempty"` // for dynamic ports; empty means any
}

// VIP is a virtual address under which a port is known.
type VIP struct {
	Prefix string `json:"prefix,omitempty"`
	Port   int    `json:"port"`
}

// Volume is a persistent volume.
type Volume struct {
	Path     string       `json:"path"` // in the sandbox
	Type     string       `json:"type"` // ROOT, PATH or MOUNT
	Size     resource.MiB `json:"size,omitempty"`
	Profiles []string     `json:"profiles,omitempty"`
}

// Check is a readiness or health check: a command, an HTTP request or a TCP connection.
type Check struct {
	Command string     `json:"cmd,omitempty"`
	HTTP    *HTTPCheck `json:"http,omitempty"`
	TCP     *TCPCheck  `json:"tcp,omitempty"`

	Interval               time.Duration `json:"-"`
	Timeout                time.Duration `json:"-"`
	Delay                  time.Duration `json:"-"`
	GracePeriod            time.Duration `json:"-"`
	MaxConsecutiveFailures int           `json:"max-consecutive-failures,omitempty"`
}

// HTTPCheck asks a port of the task, by name, for a path.
type HTTPCheck struct {
	Scheme string `json:"scheme,omitempty"`
	Port   string `json:"port"`
	Path   string `json:"path"`
}

// TCPCheck connects to a port of the task, by name.
type TCPCheck struct {
	Port string `json:"port"`
}

// Discovery is how a task is announced.
type Discovery struct {
	Prefix     string `json:"prefix,omitempty"`
	Visibility string `json:"visibility,omitempty"`
}

// Strategy is the order in which the children of a plan or phase are worked on.
type Strategy string

// The strategies. Canary strategies, of phases only, wait for the operator before the first two
// steps. Dependency is of plans only: each phase begins when what it depends on is complete.
const (
	Serial         Strategy = "serial"
	Parallel       Strategy = "parallel"
	Dependency     Strategy = "dependency"
	SerialCanary   Strategy = "serial-canary"
	ParallelCanary Strategy = "parallel-canary"
)

// Plan is a plan as declared.
type Plan struct {
	Name     string   `json:"name"`
	Strategy Strategy `json:"strategy"`
	Phases   []Phase  `json:"phases,omitempty"`
}

// Phase is a phase as declared; it works on one pod type.
type Phase struct {
	Name     string   `json:"name"`
	Strategy Strategy `json:"strategy"`
	Pod      string   `json:"pod"`
	// DependsOn lists what must be complete first: phases of the same plan, by name, or the
	// steps of one pod instance in them, as "phase:index".
	DependsOn []string `json:"depends-on,omitempty"`
	// Steps lists the steps of each instance; nil means one step an instance, all its tasks.
	Steps []InstanceSteps `json:"steps,omitempty"`
}

// InstanceSteps says which tasks the steps of one instance launch, step by step.
type InstanceSteps struct {
	Index   int        `json:"index"` // meaningless when Default is set
	Default bool       `json:"default,omitempty"`
	Steps   [][]string `json:"steps,omitempty"`
}
