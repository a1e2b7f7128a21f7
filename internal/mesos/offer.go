package mesos

import (
	"time"

	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// Offer is a set of resources of one agent, allocated to one role of this framework.
type Offer struct {
	ID        OfferID
	Agent     AgentID
	Hostname  string
	IP        string // the agent's address, from the offer's URL; "" when it has none
	Port      int    // the agent's HTTP port, 0 when unknown
	Role      string
	Domain    Domain
	Resources resource.List
	// Attributes of the agent in the order given; scalars and ranges in Mesos' text form.
	Attributes []Attribute
	// Executors of this framework which run on the agent now.
	Executors []ExecutorID
	// Unavailable is set while a maintenance window is scheduled for the agent.
	Unavailable *Unavailability
}

// Domain is an agent's fault domain; both names are empty when the agent has none.
type Domain struct{ Region, Zone string }

// Attribute is one named attribute of an agent.
type Attribute struct{ Name, Value string }

// Unavailability is a maintenance window; Duration 0 means without end.
type Unavailability struct {
	Start    time.Time
	Duration time.Duration
}

// InverseOffer asks for an agent to be left before its maintenance begins.
type InverseOffer struct {
	ID          OfferID
	Agent       AgentID
	Unavailable Unavailability
}

// Operation is one thing to do with an offer's resources.
type Operation interface {
	String() string
	operation()
}

// The operations that the scheduler uses.
type (
	// Reserve reserves resources dynamically; each carries its full reservation stack.
	Reserve struct {
		ID        OperationID // "" asks for no feedback
		Resources resource.List
	}
	// Unreserve gives a dynamic reservation back.
	Unreserve struct {
		ID        OperationID
		Resources resource.List
	}
	// Create makes persistent volumes on reserved disk.
	Create struct {
		ID      OperationID
		Volumes resource.List
	}
	// Destroy deletes persistent volumes with their data.
	Destroy struct {
		ID      OperationID
		Volumes resource.List
	}
	// Launch starts tasks, all with the same custom executor.
	Launch struct{ Tasks []TaskInfo }
)

func (Reserve) operation()   {}
func (Unreserve) operation() {}
func (Create) operation()    {}
func (Destroy) operation()   {}
func (Launch) operation()    {}

// TaskInfo is what a task is launched with.
type TaskInfo struct {
	ID        TaskID
	Name      string
	Agent     AgentID
	Resources resource.List
	Executor  ExecutorInfo
	Data      []byte // an encoded executor.Order
	Labels    []resource.Label
	// KillGrace is how long SIGTERM may take before SIGKILL.
	KillGrace time.Duration
	Discovery *Discovery
}

// Discovery is what other systems may learn of a task.
type Discovery struct {
	Name       string
	Visibility string // FRAMEWORK, CLUSTER or EXTERNAL
	Ports      []DiscoveryPort
}

// DiscoveryPort is a named port of a task.
type DiscoveryPort struct {
	Number     int
	Name       string
	Protocol   string
	Visibility string
	Labels     []resource.Label
}

// ExecutorInfo describes a custom executor.
type ExecutorInfo struct {
	ID            ExecutorID
	Framework     FrameworkID
	Name          string
	Command       Command
	Resources     resource.List
	Labels        []resource.Label
	ShutdownGrace time.Duration
	// Secrets are files that the agent makes for it.
	Secrets []SecretFile
}

// SecretFile is a secret that the agent puts into the sandbox, for reading alone.
type SecretFile struct {
	Path   string // in the sandbox
	Secret string // its path in the store of secrets, which the agent knows
}

// Command is what the agent runs through the shell to start an executor.
type Command struct {
	Value string
	User  string
	URIs  []URI
	Env   []EnvVar
}

// URI is something that the agent fetches into the sandbox first.
type URI struct {
	Value      string
	Executable bool
	Extract    bool
	Cache      bool
	OutputFile string
}

// EnvVar is one environment variable: with a value, or with a secret that the agent sets it to.
type EnvVar struct {
	Name, Value string
	Secret      string // the secret's path in the store that the agent knows, "" for a value
}
