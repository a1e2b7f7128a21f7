package api

// TopicList is the answer of PathTopicsV2, by name.
type TopicList struct {
	Topics     []TopicSummary `json:"topics"`
	NextCursor string         `json:"next_cursor,omitempty"`
}

// TopicSummary is a topic without its partitions.
type TopicSummary struct {
	Name       string `json:"name"`
	Internal   bool   `json:"internal"`
	Partitions int    `json:"partitions"`
	// ReplicationFactor is the largest number of replicas that a partition of it has.
	ReplicationFactor int `json:"replication_factor"`
	// UnderReplicated partitions have replicas that are not in sync, Unavailable ones no leader.
	UnderReplicated int `json:"under_replicated"`
	Unavailable     int `json:"unavailable"`
}

// TopicDetail is the answer of PathTopicV2.
type TopicDetail struct {
	TopicSummary
	ID    string           `json:"id"`
	State []PartitionState `json:"state"` // by partition
	// Config is what the topic has set for itself.
	Config []ConfigEntry `json:"config"`
}

// PartitionState is one partition; the leader is -1 when there is none.
type PartitionState struct {
	Partition   int   `json:"partition"`
	Leader      int   `json:"leader"`
	LeaderEpoch int   `json:"leader_epoch"`
	Replicas    []int `json:"replicas"`
	ISR         []int `json:"isr"`
	Offline     []int `json:"offline"`
}

// UnderReplicated says that replicas of the partition are not in sync.
func (p PartitionState) UnderReplicated() bool { return len(p.ISR) < len(p.Replicas) }

// Unavailable says that the partition has no leader.
func (p PartitionState) Unavailable() bool { return p.Leader < 0 }

// TopicCreate is the body of a POST to PathTopicsV2; what is 0 is the brokers' default.
type TopicCreate struct {
	Name              string            `json:"name"`
	Partitions        int               `json:"partitions,omitempty"`
	ReplicationFactor int               `json:"replication_factor,omitempty"`
	Config            map[string]string `json:"config,omitempty"`
}

// ConfigList is the configuration of a topic or a broker, by name.
type ConfigList struct {
	Config []ConfigEntry `json:"config"`
}

// ConfigEntry is one property with where its value is from.
type ConfigEntry struct {
	Name string `json:"name"`
	// Value is left out of what is secret.
	Value string `json:"value,omitempty"`
	// Source is one of Kafka's: DYNAMIC_TOPIC_CONFIG, STATIC_BROKER_CONFIG, DEFAULT_CONFIG …
	Source    string `json:"source"`
	ReadOnly  bool   `json:"read_only"`
	Sensitive bool   `json:"sensitive"`
	// Static is what a broker was started with, nil for nothing; Default is Kafka's own.
	Static  *string `json:"static,omitempty"`
	Default *string `json:"default,omitempty"`
}

// Drift is the answer of PathDrift, by broker and name.
type Drift struct {
	Properties []DriftedProperty `json:"properties"`
	// Silent are brokers of the target that did not tell.
	Silent []int `json:"silent"`
}

// DriftedProperty is a property that a broker has otherwise than the target has it.
type DriftedProperty struct {
	Broker int    `json:"broker"`
	Name   string `json:"name"`
	// Wanted is nil for a property that the target does not have.
	Wanted *string `json:"wanted,omitempty"`
	Actual string  `json:"actual"`
	Source string  `json:"source"`
	Reason string  `json:"reason"`
	// NeedsRestart says that the broker takes the target's value only when it starts.
	NeedsRestart bool `json:"needs_restart"`
}

// ConfigChange is the body of a POST to PathTopicConfigV2: what is set, and what goes back to
// the brokers' value.
type ConfigChange struct {
	Set    map[string]string `json:"set,omitempty"`
	Delete []string          `json:"delete,omitempty"`
}

// TopicPartitionsChange is the body of PathTopicPartitions.
type TopicPartitionsChange struct {
	Count int `json:"count"` // how many in all
}

// TopicReplication is the body of PathTopicReplication.
type TopicReplication struct {
	Factor int `json:"factor"`
}

// OffsetList is the answer of PathTopicOffsetsV2, by partition.
type OffsetList struct {
	Topic   string            `json:"topic"`
	Offsets []PartitionOffset `json:"offsets"`
}

// PartitionOffset is an offset of one partition, -1 when no record is that young.
type PartitionOffset struct {
	Partition int   `json:"partition"`
	Offset    int64 `json:"offset"`
}

// The names of offsets; others are of the first record that is not older than a time.
const (
	OffsetEarliest = "earliest"
	OffsetLatest   = "latest"
)

// TopicTest is the body of PathTopicTest: so many records are written, or read from the
// beginning.
type TopicTest struct {
	Kind    string `json:"kind"` // one of Test…
	Records int    `json:"records"`
	// Size of each record that is written, in bytes; 0 is 1024.
	Size int `json:"size,omitempty"`
}

// The kinds of tests of a topic, and the largest record of them.
const (
	TestProducer  = "producer"
	TestConsumer  = "consumer"
	MaxTestRecord = 64 << 10
)

// TopicTested is the answer of PathTopicTest; latencies are those of batches of records.
type TopicTested struct {
	Topic   string  `json:"topic"`
	Kind    string  `json:"kind"`
	Records int     `json:"records"`
	Bytes   int64   `json:"bytes"`
	Seconds float64 `json:"seconds"`
	MeanMS  float64 `json:"mean_ms"`
	P50MS   float64 `json:"p50_ms"`
	P95MS   float64 `json:"p95_ms"`
	P99MS   float64 `json:"p99_ms"`
	P999MS  float64 `json:"p999_ms"`
	MaxMS   float64 `json:"max_ms"`
}
