package api

import (
	"strings"
	"time"
)

// The intents of a service.
const (
	IntentRun       = "run"
	IntentStop      = "stop"
	IntentUninstall = "uninstall"
	// IntentUninstalled is that of a service which holds nothing any more.
	IntentUninstalled = "uninstalled"
)

// Service is the one status document: all that the scheduler knows, at one moment.
type Service struct {
	Name        string `json:"name"`
	FrameworkID string `json:"framework_id,omitempty"`
	// Connected says whether the master's stream is open; Master is its host:port.
	Connected bool   `json:"connected"`
	Master    string `json:"master,omitempty"`
	// Mesos says more about that; nil from a scheduler that does not tell.
	Mesos *Mesos `json:"mesos,omitempty"`
	// Suppressed says that no offers are wanted at the moment.
	Suppressed bool   `json:"suppressed"`
	Intent     string `json:"intent"`
	TargetID   string `json:"target_id,omitempty"`
	// Version is that of the scheduler.
	Version string `json:"version"`
	// At is when the scheduler's state was last changed; Now is its clock.
	At        time.Time       `json:"at"`
	Now       time.Time       `json:"now"`
	Health    int             `json:"health"` // as PathHealth gives it
	Plans     []Plan          `json:"plans"`
	Pods      []Pod           `json:"pods"`
	Leftovers []Leftover      `json:"leftovers"`
	Endpoints []NamedEndpoint `json:"endpoints"`
	Kafka     Kafka           `json:"kafka"`
}

// Mesos is how things stand between the scheduler and the masters.
type Mesos struct {
	// Connected says whether a stream of events is open, Since when that began.
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since"`
	// Reason is why there is no stream, Attempts how many subscriptions failed since there was
	// one, and Next when the next is tried.
	Reason   string     `json:"reason,omitempty"`
	Attempts int        `json:"attempts"`
	Next     *time.Time `json:"next,omitempty"`
	// Master is the URL of the master that was subscribed at last, with its version and its
	// capabilities.
	Master       string   `json:"master,omitempty"`
	Version      string   `json:"version,omitempty"`
	Capabilities []string `json:"capabilities,omitempty"`
	// Agents is how many agents the operator API listed at AgentsAt, and AgentsReason why it
	// does not list them now.
	Agents       int        `json:"agents"`
	AgentsAt     *time.Time `json:"agents_at,omitempty"`
	AgentsReason string     `json:"agents_reason,omitempty"`
}

// MasterAddress is the host:port under which the master is reached: that of its URL, as
// certificates are made out to names, or what it says of itself.
func (s *Service) MasterAddress() string {
	if s.Mesos != nil {
		if address := s.Mesos.Address(); address != "" {
			return address
		}
	}
	return s.Master
}

// Address is the host:port of Master, "" for none.
func (m *Mesos) Address() string {
	_, address, _ := strings.Cut(m.Master, "://")
	return address
}

// Plan gives the plan of that name, nil when there is none.
func (s *Service) Plan(name string) *Plan {
	for i := range s.Plans {
		if s.Plans[i].Name == name {
			return &s.Plans[i]
		}
	}
	return nil
}

// Pod gives the pod instance of that name, nil when there is none.
func (s *Service) Pod(name string) *Pod {
	for i := range s.Pods {
		if s.Pods[i].Name == name {
			return &s.Pods[i]
		}
	}
	return nil
}

// Leftover is a reservation that waits to be freed.
type Leftover struct {
	Reservation string   `json:"reservation"`
	Pod         string   `json:"pod"`
	AgentID     string   `json:"agent_id"`
	Hostname    string   `json:"hostname"`
	Volumes     []string `json:"volumes"`
	// Freeing says that Mesos was told to free it and has not been seen to have done so.
	Freeing bool `json:"freeing,omitempty"`
}

// Endpoint is the answer of PathEndpoint.
type Endpoint struct {
	Address []string `json:"address"`
	DNS     []string `json:"dns"`
	VIP     string   `json:"vip,omitempty"`
}

// NamedEndpoint is an endpoint in the status document.
type NamedEndpoint struct {
	Name string `json:"name"`
	Endpoint
}

// Kafka is what is known of the Kafka cluster.
type Kafka struct {
	// Nodes is how many nodes the target has; a service without any is no Kafka.
	Nodes     int    `json:"nodes"`
	ClusterID string `json:"cluster_id,omitempty"`
	Founded   bool   `json:"founded"`
	// Asked is when the facts below were asked for; Error is why there was no answer.
	Asked *time.Time `json:"asked,omitempty"`
	Error string     `json:"error,omitempty"`
	// Leader is the node id of the quorum's leader, left out when unknown.
	Leader            *int  `json:"leader,omitempty"`
	Voters            []int `json:"voters"`
	Brokers           []int `json:"brokers"` // ids of those that are registered
	OfflinePartitions int   `json:"offline_partitions"`
	// TopicsDeclared is how many topics the target declares, TopicsAsDeclared how many of them are
	// so, and PropertiesDrifted how many properties of brokers are otherwise than in the target.
	TopicsDeclared    int `json:"topics_declared,omitempty"`
	TopicsAsDeclared  int `json:"topics_as_declared,omitempty"`
	PropertiesDrifted int `json:"properties_drifted,omitempty"`
}

// SetTarget is the body of PathServiceTarget.
type SetTarget struct {
	// ID is the UUID that the configuration shall have; one is made when it is left out.
	ID string `json:"id,omitempty"`
	// Files are the texts of the config templates that the spec names, by the paths it uses.
	Files map[string]string `json:"files,omitempty"`
	// Reason is kept in the journal.
	Reason string `json:"reason,omitempty"`
	// Spec is the text of the service's YAML, rendered.
	Spec string `json:"spec"`
}

// Version is the answer of PathVersion.
type Version struct {
	Version string `json:"version"`
}
