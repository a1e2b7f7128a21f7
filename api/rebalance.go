package api

import "time"

// The goals of a rebalance.
const (
	GoalEven  = "even"  // all brokers get their due
	GoalFill  = "fill"  // some brokers get their due, and no other data moves
	GoalEmpty = "empty" // some brokers lose everything
	GoalDirs  = "dirs"  // the log directories of each broker get their due
	// GoalReplicas is only told: declared topics get as many replicas as is declared.
	GoalReplicas = "replicas"
)

// Rebalance is the body of PathRebalance.
type Rebalance struct {
	Goal string `json:"goal"`
	// Brokers are those that are to be filled, without any those that host nothing, or emptied.
	Brokers []int `json:"brokers,omitempty"`
	// Throttle is how many bytes a second each broker may copy for it, 0 for any.
	Throttle int64  `json:"throttle,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// RebalanceCancel is the body of PathRebalanceCancel; it may be left out.
type RebalanceCancel struct {
	Reason string `json:"reason,omitempty"`
}

// The states of a rebalance.
const (
	RebalanceNone      = "NONE" // there never was one
	RebalanceRunning   = "RUNNING"
	RebalanceCanceling = "CANCELING"
	RebalanceDone      = "DONE"
	RebalanceCanceled  = "CANCELED"
	RebalanceFailed    = "FAILED" // not all could be moved that had to
)

// RebalanceStatus is the latest work of moving replicas.
type RebalanceStatus struct {
	Number   int64  `json:"number"`
	State    string `json:"state"`
	Goal     string `json:"goal,omitempty"`
	Brokers  []int  `json:"brokers"`
	Throttle int64  `json:"throttle,omitempty"`
	// By is who wanted it: an operator, or the plan decommission.
	By    string     `json:"by,omitempty"`
	Since *time.Time `json:"since,omitempty"`
	Ended *time.Time `json:"ended,omitempty"`
	// Moved of Partitions are moved, as far as is known, and MovedBytes of Bytes.
	Moved      int   `json:"moved"`
	Partitions int   `json:"partitions"`
	MovedBytes int64 `json:"moved_bytes"`
	Bytes      int64 `json:"bytes"`
	// Reason says how far it is and what holds it, or why not all could be moved.
	Reason string `json:"reason,omitempty"`
}

// RebalancePreview is what a rebalance would do now.
type RebalancePreview struct {
	Goal       string `json:"goal"`
	Partitions int    `json:"partitions"`
	Bytes      int64  `json:"bytes"`
	// Moving is how many partitions are being reassigned at present, by whomever.
	Moving  int             `json:"moving"`
	Brokers []BrokerPreview `json:"brokers"`
	// Left are replicas that had to leave and cannot.
	Left []LeftReplica `json:"left"`
}

// BrokerPreview is what a rebalance would do to one broker.
type BrokerPreview struct {
	ID     int        `json:"id"`
	Before BrokerLoad `json:"before"`
	After  BrokerLoad `json:"after"`
	// In is how many bytes are copied to it, Out how many are deleted from it.
	In  int64 `json:"in"`
	Out int64 `json:"out"`
}

// BrokerLoad is what lies on a broker.
type BrokerLoad struct {
	Bytes    int64 `json:"bytes"`
	Replicas int   `json:"replicas"`
	Leaders  int   `json:"leaders"`
}

// LeftReplica is a replica that had to leave a broker and cannot.
type LeftReplica struct {
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
	Broker    int    `json:"broker"`
	Reason    string `json:"reason"`
}
