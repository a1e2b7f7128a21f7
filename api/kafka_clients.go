package api

import "time"

// GroupList is the answer of PathGroups, by name.
type GroupList struct {
	Groups     []GroupSummary `json:"groups"`
	NextCursor string         `json:"next_cursor,omitempty"`
}

// GroupSummary is a group without its members.
type GroupSummary struct {
	Group       string `json:"group"`
	State       string `json:"state"`    // Kafka's word: Stable, Empty, Dead …
	Protocol    string `json:"protocol"` // "consumer" as a rule
	Coordinator int    `json:"coordinator"`
}

// Group is the answer of PathGroup.
type Group struct {
	GroupSummary
	Assignor string        `json:"assignor"`
	Members  []GroupMember `json:"members"`
	// Lag is that of all partitions together, as far as it is known.
	Lag     int64         `json:"lag"`
	Offsets []GroupOffset `json:"offsets"` // by topic and partition
}

// GroupMember is a consumer of a group.
type GroupMember struct {
	ID       string `json:"id"`
	Instance string `json:"instance,omitempty"`
	Client   string `json:"client"`
	Host     string `json:"host"`
}

// GroupOffset is how far a group has come in a partition.
type GroupOffset struct {
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
	// Committed is -1 when nothing is; Lag is -1 when it is not known.
	Committed int64 `json:"committed"`
	End       int64 `json:"end"`
	Lag       int64 `json:"lag"`
	// Member has the partition, "" for nobody.
	Member string `json:"member,omitempty"`
}

// GroupReset is the body of PathGroupReset. Exactly one of To, Time, Offset and Shift says where.
type GroupReset struct {
	// Topics whose partitions are reset, as "orders" or "orders:0"; none for all that the group
	// has offsets of.
	Topics []string   `json:"topics,omitempty"`
	To     string     `json:"to,omitempty"` // OffsetEarliest or OffsetLatest
	Time   *time.Time `json:"time,omitempty"`
	Offset *int64     `json:"offset,omitempty"`
	// Shift adds to the present offset, or takes away from it.
	Shift *int64 `json:"shift,omitempty"`
}

// GroupResetResult is the answer of PathGroupReset.
type GroupResetResult struct {
	Changed bool          `json:"changed"`
	Message string        `json:"message"`
	Moves   []OffsetMoved `json:"moves"` // by topic and partition
}

// OffsetMoved is where a group goes on in a partition, and from where; -1 is nowhere.
type OffsetMoved struct {
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
	From      int64  `json:"from"`
	To        int64  `json:"to"`
}

// QuotaList is the answer of PathQuotas.
type QuotaList struct {
	Quotas []Quota `json:"quotas"`
}

// Quota is what some clients may use. Of the entities, "" is not named, and QuotaDefault stands
// for all that have no quota of their own.
type Quota struct {
	User     string             `json:"user,omitempty"`
	ClientID string             `json:"client_id,omitempty"`
	IP       string             `json:"ip,omitempty"`
	Limits   map[string]float64 `json:"limits"`
}

// QuotaDefault stands for all users, clients or addresses that have no quota of their own.
const QuotaDefault = "<default>"

// QuotaChange is the body of a POST to PathQuotas.
type QuotaChange struct {
	User     string             `json:"user,omitempty"`
	ClientID string             `json:"client_id,omitempty"`
	IP       string             `json:"ip,omitempty"`
	Set      map[string]float64 `json:"set,omitempty"`
	Delete   []string           `json:"delete,omitempty"`
}

// UserList is the answer of PathUsers, by name.
type UserList struct {
	Users []User `json:"users"`
}

// User is somebody who has SCRAM credentials.
type User struct {
	Name        string       `json:"name"`
	Credentials []Credential `json:"credentials"`
}

// Credential is a password that a user has, which nobody can read.
type Credential struct {
	Mechanism  string `json:"mechanism"` // one of Scram…
	Iterations int    `json:"iterations"`
}

// The mechanisms of SCRAM.
const (
	Scram256 = "SCRAM-SHA-256"
	Scram512 = "SCRAM-SHA-512"
)

// UserSet is the body of a POST to PathUsers: a user's password. What is left out is Scram512 and
// Kafka's least number of iterations.
type UserSet struct {
	Name       string `json:"name"`
	Password   string `json:"password"`
	Mechanism  string `json:"mechanism,omitempty"`
	Iterations int    `json:"iterations,omitempty"`
}

// ACLList is the answer of PathACLs and of what changes them.
type ACLList struct {
	ACLs []ACL `json:"acls"`
}

// ACL is one rule of Kafka's authorizer. In a filter, "" matches everything.
type ACL struct {
	Principal    string `json:"principal"`     // "User:alice"
	Host         string `json:"host"`          // "*" is any
	ResourceType string `json:"resource_type"` // TOPIC, GROUP, CLUSTER, TRANSACTIONAL_ID …
	Resource     string `json:"resource"`
	Pattern      string `json:"pattern"`    // LITERAL or PREFIXED; in a filter also MATCH or ANY
	Operation    string `json:"operation"`  // READ, WRITE, ALL …
	Permission   string `json:"permission"` // ALLOW or DENY
}

// ACLChange is the body of a POST to PathACLs and to PathACLsRemove.
type ACLChange struct {
	ACLs []ACL `json:"acls"`
}
