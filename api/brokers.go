package api

import "time"

// BrokerList is the answer of PathBrokersV2, by id.
type BrokerList struct {
	Brokers []BrokerDetail `json:"brokers"`
	// Asked is when Kafka was asked for it; Error is why it did not tell all.
	Asked *time.Time `json:"asked,omitempty"`
	Error string     `json:"error,omitempty"`
}

// BrokerDetail is the answer of PathBrokerV2: a broker of the service, or one that is registered
// with Kafka.
type BrokerDetail struct {
	Broker
	// State is one of Broker….
	State string `json:"state"`
	// Pod is the instance that runs it, "" for one that is none of the service's.
	Pod      string `json:"pod,omitempty"`
	Hostname string `json:"hostname,omitempty"`
	// Rack is what Kafka spreads replicas over: the zone of its agent.
	Rack string `json:"rack,omitempty"`
	// Endpoints are its listeners for clients, as PLAINTEXT://host:port.
	Endpoints []string `json:"endpoints"`
	// Roles are broker, controller (it votes in the quorum) and active-controller (it leads it).
	Roles []string `json:"roles"`
	// InSync is how many of its partitions have it in their ISR, UnderReplicated how many of them
	// lack any of their replicas.
	InSync          int `json:"in_sync"`
	UnderReplicated int `json:"under_replicated"`
	// MayGo says whether it may be stopped now.
	MayGo MayGo `json:"may_go"`
	// Drift is what it has otherwise than the target, as of DriftAsked; nil when nobody looked.
	Drift      []DriftedProperty `json:"drift,omitempty"`
	DriftAsked *time.Time        `json:"drift_asked,omitempty"`
	// LogDirs are its log directories, those that failed too; only one broker's answer has them.
	LogDirs []LogDir `json:"log_dirs,omitempty"`
}

// The states of brokers.
const (
	BrokerUp           = "up"
	BrokerFenced       = "fenced"       // registered, and does not serve
	BrokerUnregistered = "unregistered" // Kafka does not know it, or not any more
	BrokerForeign      = "foreign"      // registered, and none of the service's
)

// MayGo is the verdict on whether a broker may be stopped now.
type MayGo struct {
	Answer   string `json:"answer"` // allowed, wait or refused
	Code     string `json:"code"`   // for programs
	Sentence string `json:"sentence"`
}

// DeclaredTopics is the answer of PathDeclaredTopics, by name.
type DeclaredTopics struct {
	Topics []DeclaredTopic `json:"topics"`
	// AsDeclared is how many of them are.
	AsDeclared int `json:"as_declared"`
	// Asked is when Kafka was asked.
	Asked *time.Time `json:"asked,omitempty"`
}

// DeclaredTopic is a topic that the target declares, with how it is in Kafka.
type DeclaredTopic struct {
	Name string `json:"name"`
	// Partitions, ReplicationFactor and Config are as declared, 0 and nil for what is not.
	Partitions        int               `json:"partitions,omitempty"`
	ReplicationFactor int               `json:"replication_factor,omitempty"`
	Config            map[string]string `json:"config,omitempty"`
	// State is one of Topic….
	State string `json:"state"`
	// Reason says what differs, and what holds the change.
	Reason string `json:"reason,omitempty"`
}

// The states of declared topics.
const (
	TopicAsDeclared = "as-declared"
	TopicDiffers    = "differs" // and is being changed
	TopicRefused    = "refused" // it cannot become as declared
	TopicUnknown    = "unknown" // Kafka has not told yet
)
