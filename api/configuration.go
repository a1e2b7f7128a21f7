package api

import (
	"encoding/json"
	"time"
)

// ConfigurationList is the answer of PathConfigurationsV2, newest first.
type ConfigurationList struct {
	Configurations []Configuration `json:"configurations"`
	NextCursor     string          `json:"next_cursor,omitempty"`
}

// Configuration is what the service shall be, or once should have been.
type Configuration struct {
	ID string `json:"id"`
	// Number counts the configurations that were accepted, from 1.
	Number int64 `json:"number"`
	// Target says that it is the one that the service shall have now.
	Target bool `json:"target"`
	// Since is when it became the target, By who made it so, and Done when a deployment of it
	// was first complete.
	Since *time.Time `json:"since,omitempty"`
	By    string     `json:"by,omitempty"`
	Done  *time.Time `json:"done,omitempty"`
	// Service is the whole of it; left out in lists.
	Service json.RawMessage `json:"service,omitempty"`
}

// Diff is the answer of PathDiff.
type Diff struct {
	From    string   `json:"from"`
	To      string   `json:"to"`
	Changes []Change `json:"changes"`
}

// Change is one difference between two configurations.
type Change struct {
	// Path leads to the value: "pods.kafka.tasks.broker.memory".
	Path string `json:"path"`
	// Old and New are the values as JSON; left out when there was or will be none.
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
	// Class is what it does to what runs: nothing, live, restart, replace or forbidden; and
	// Reason why.
	Class  string `json:"class"`
	Reason string `json:"reason"`
}
