package api

import "time"

// PodsStatus is the answer of PathPodsStatus. Pods is left out while nothing was ever launched.
type PodsStatus struct {
	Service string          `json:"service"`
	Pods    []PodTypeStatus `json:"pods,omitempty"`
}

// PodTypeStatus is a type of pod with its instances that were launched at least once.
type PodTypeStatus struct {
	Instances []PodInstanceStatus `json:"instances"`
	Name      string              `json:"name"`
}

// PodInstanceStatus is an instance with its tasks, by name.
type PodInstanceStatus struct {
	Name  string       `json:"name"`
	Tasks []TaskStatus `json:"tasks"`
}

// TaskStatus is a task; Status is the Mesos state without its prefix, or what a pause or a
// decommission makes of it. A task that was never launched has an empty ID and no Status.
type TaskStatus struct {
	Name   string `json:"name"`
	ID     string `json:"id"`
	Status string `json:"status,omitempty"`
}

// PodCommanded is the answer to the commands on pods: the tasks concerned, by full name.
type PodCommanded struct {
	Pod   string   `json:"pod"`
	Tasks []string `json:"tasks"`
}

// PodList is the answer of PathPodsV2.
type PodList struct {
	Pods       []Pod  `json:"pods"`
	NextCursor string `json:"next_cursor,omitempty"`
}

// Pod is all that is known of one pod instance.
type Pod struct {
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	Index       int      `json:"index"`
	Incarnation int      `json:"incarnation"`
	Launched    bool     `json:"launched"`
	AgentID     string   `json:"agent_id,omitempty"`
	Hostname    string   `json:"hostname,omitempty"`
	IP          string   `json:"ip,omitempty"`
	Region      string   `json:"region,omitempty"`
	Zone        string   `json:"zone,omitempty"`
	Reservation string   `json:"reservation,omitempty"`
	Volumes     []string `json:"volumes"`
	// Request is "restart" or "replace" while an operator's command is not done yet.
	Request string `json:"request,omitempty"`
	// Refusal is a sentence on why the latest offers did not fit.
	Refusal string `json:"refusal,omitempty"`
	// Refusals holds one sentence for each agent that was refused.
	Refusals []AgentRefusal `json:"refusals,omitempty"`
	Tasks    []Task         `json:"tasks"`
	// Failures counts launches in a row that failed; NextAttempt is when the next may come.
	Failures    int        `json:"failures,omitempty"`
	NextAttempt *time.Time `json:"next_attempt,omitempty"`
	// Leaving says that the target does not want the instance, and it is being decommissioned.
	Leaving bool `json:"leaving,omitempty"`
	// Broker is what Kafka says of it, left out for pods that are not registered brokers.
	Broker *Broker `json:"broker,omitempty"`
	// ZooKeeper is what the server says of itself, left out for pods that are none.
	ZooKeeper *ZooKeeperServer `json:"zookeeper,omitempty"`
	// Verdict is why it may not be taken down now, left out unless somebody wants that.
	Verdict *Verdict `json:"verdict,omitempty"`
	// Executor is the one that it runs under, left out while nothing of it runs.
	Executor *Executor `json:"executor,omitempty"`
}

// Executor is the executor that an instance runs under.
type Executor struct {
	// Version is the release that it is of, left out if that is not known.
	Version string `json:"version,omitempty"`
	// Current says that the scheduler would launch the same now.
	Current bool `json:"current"`
}

// AgentRefusal is why one agent's offer does not fit.
type AgentRefusal struct {
	AgentID  string   `json:"agent_id"`
	Hostname string   `json:"hostname"`
	Reasons  []string `json:"reasons"`
	// Codes are the kinds of the reasons, in the same order.
	Codes []string `json:"codes"`
}

// Task is all that is known of one task of an instance.
type Task struct {
	Name     string     `json:"name"`      // as in the spec: "broker"
	FullName string     `json:"full_name"` // "kafka-0-broker"
	ID       string     `json:"id,omitempty"`
	Goal     string     `json:"goal"`
	State    string     `json:"state,omitempty"` // left out when it was never launched
	Reason   string     `json:"reason,omitempty"`
	Message  string     `json:"message,omitempty"`
	Since    *time.Time `json:"since,omitempty"`
	// Ready and Healthy are the latest results of the checks, left out when none came.
	Ready      *bool  `json:"ready,omitempty"`
	Healthy    *bool  `json:"healthy,omitempty"`
	ExecutorID string `json:"executor_id,omitempty"`
	TargetID   string `json:"target_id,omitempty"`
	Ports      []Port `json:"ports"`
	// Override is what an operator's pause or a smaller count makes of it: PAUSED, PAUSING,
	// STARTING, DECOMMISSIONING or DECOMMISSIONED.
	Override string `json:"override,omitempty"`
}

// TaskList is the answer of PathTasksV2.
type TaskList struct {
	Tasks []Task `json:"tasks"`
}

// Port is a port that a task got.
type Port struct {
	Name string `json:"name"`
	Port int    `json:"port"`
}

// ZooKeeperServer is what a ZooKeeper server says of itself.
type ZooKeeperServer struct {
	// Address is where clients reach it.
	Address string `json:"address"`
	// Role is leader, follower or standalone; idle for one that answers and does not serve, and
	// "" for one that is silent.
	Role string `json:"role"`
	// Error is why it is silent.
	Error string `json:"error,omitempty"`
}

// Broker is what Kafka says of one of its brokers.
type Broker struct {
	ID      int    `json:"id"`
	Address string `json:"address"`
	// Registered brokers are known to the quorum; fenced ones do not serve.
	Registered bool `json:"registered"`
	Fenced     bool `json:"fenced"`
	// Hosted is the number of partitions that list the broker as a replica; NotInSync is how
	// many of these do not have it in their ISR; Leads is how many it leads.
	Hosted    int `json:"hosted"`
	NotInSync int `json:"not_in_sync"`
	Leads     int `json:"leads"`
	// FailedDirs are its log directories that it cannot use any more.
	FailedDirs []string `json:"failed_dirs,omitempty"`
	// Cordoned brokers take no new replicas.
	Cordoned bool `json:"cordoned,omitempty"`
}

// Verdict is why a Kafka node has to stay although it is to be taken down.
type Verdict struct {
	What   string `json:"what"`   // stop, replace or leave
	Answer string `json:"answer"` // wait: it will change by itself; refused: somebody has to act
	Code   string `json:"code"`   // for programs
	// Sentence says it in words.
	Sentence string    `json:"sentence"`
	Since    time.Time `json:"since"`
	// Causes are the first ten of what it rests on, and Count is the number of all.
	Causes []Cause `json:"causes"`
	Count  int     `json:"count"`
}

// Cause is a partition, a topic or a node that a verdict rests on.
type Cause struct {
	Topic     string `json:"topic,omitempty"`
	Partition *int32 `json:"partition,omitempty"`
	Node      *int   `json:"node,omitempty"`
	// Have and Need are replicas in sync, or how many there have to be.
	Have int `json:"have,omitempty"`
	Need int `json:"need,omitempty"`
}
