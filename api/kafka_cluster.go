package api

import "time"

// LogDirList is the answer of PathLogDirs, by broker and path.
type LogDirList struct {
	LogDirs []LogDir `json:"log_dirs"`
}

// LogDir is a directory in which a broker keeps partitions.
type LogDir struct {
	Broker   int    `json:"broker"`
	Path     string `json:"path"`
	Replicas int    `json:"replicas"`
	Bytes    int64  `json:"bytes"`
	// TotalBytes and UsableBytes are of the disk, -1 where the broker does not tell.
	TotalBytes  int64  `json:"total_bytes"`
	UsableBytes int64  `json:"usable_bytes"`
	Cordoned    bool   `json:"cordoned"`
	Error       string `json:"error,omitempty"`
}

// TransactionList is the answer of PathTransactions, by id.
type TransactionList struct {
	Transactions []TransactionSummary `json:"transactions"`
}

// TransactionSummary is a transactional id with how things stand with it.
type TransactionSummary struct {
	ID          string `json:"id"`
	State       string `json:"state"` // Kafka's word: Ongoing, Empty, CompleteCommit …
	ProducerID  int64  `json:"producer_id"`
	Coordinator int    `json:"coordinator"`
}

// Transaction is the answer of PathTransaction.
type Transaction struct {
	TransactionSummary
	ProducerEpoch int `json:"producer_epoch"`
	TimeoutMS     int `json:"timeout_ms"`
	// Started is nil when there is none under way.
	Started    *time.Time      `json:"started,omitempty"`
	Partitions []PartitionName `json:"partitions"`
}

// PartitionName is a partition of a topic.
type PartitionName struct {
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
}

// Election is the body of PathElections. Without partitions it is about all of them.
type Election struct {
	Kind       string          `json:"kind"` // one of Elect…
	Partitions []PartitionName `json:"partitions,omitempty"`
	// Force is needed for ElectUnclean, which may lose acknowledged records.
	Force bool `json:"force,omitempty"`
}

// The kinds of elections.
const (
	ElectPreferred = "preferred"
	ElectUnclean   = "unclean"
)

// ElectionResult is the answer of PathElections.
type ElectionResult struct {
	Changed bool              `json:"changed"`
	Message string            `json:"message"`
	Elected []PartitionName   `json:"elected"`
	Failed  []PartitionFailed `json:"failed"`
}

// PartitionFailed is a partition with what Kafka said of it.
type PartitionFailed struct {
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
	Error     string `json:"error"`
}

// ReassignmentList is the answer of PathReassignments, by topic and partition.
type ReassignmentList struct {
	Reassignments []Reassignment `json:"reassignments"`
}

// Reassignment is a partition that is being moved.
type Reassignment struct {
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
	Replicas  []int  `json:"replicas"`
	Adding    []int  `json:"adding"`
	Removing  []int  `json:"removing"`
}

// Reassign is the body of a POST to PathReassignments, in the form of Kafka's own tool, whose
// version and log_dirs may be there.
type Reassign struct {
	Version    int         `json:"version,omitempty"`
	Partitions []Placement `json:"partitions"`
}

// Placement is where a partition's replicas are to be, the preferred leader first.
type Placement struct {
	Topic     string   `json:"topic"`
	Partition int      `json:"partition"`
	Replicas  []int    `json:"replicas"`
	LogDirs   []string `json:"log_dirs,omitempty"` // only "any" is taken
}

// ReassignCancel is the body of PathReassignmentsCancel; without partitions all are cancelled.
type ReassignCancel struct {
	Partitions []PartitionName `json:"partitions,omitempty"`
}

// ReassignResult is the answer of what moves partitions, or would with a dry run.
type ReassignResult struct {
	Changed    bool        `json:"changed"`
	Message    string      `json:"message"`
	Partitions []Placement `json:"partitions"`
}

// FeatureList is the answer of PathFeatures, by name.
type FeatureList struct {
	// Epoch of the finalized features, -1 when the broker does not tell.
	Epoch    int64     `json:"epoch"`
	Features []Feature `json:"features"`
}

// Feature is one of Kafka's features with the levels that the brokers can have and the one that
// the cluster has, 0 for none.
type Feature struct {
	Name      string `json:"name"`
	Least     int    `json:"least"`
	Greatest  int    `json:"greatest"`
	Finalized int    `json:"finalized"`
}

// KafkaCode is an error of Kafka's protocol.
type KafkaCode struct {
	Number int    `json:"number"`
	Name   string `json:"name"` // "TOPIC_ALREADY_EXISTS"
}

// KafkaRefusal is the error of a request that Kafka was asked for and said no to, or that it
// could not be asked for as it was made.
type KafkaRefusal struct {
	Code    string // one of Code…
	Kafka   *KafkaCode
	Message string
}

// Error gives the sentence.
func (r *KafkaRefusal) Error() string { return r.Message }
