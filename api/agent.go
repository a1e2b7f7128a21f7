package api

import "time"

// AgentList is the answer of PathAgents, by id.
type AgentList struct {
	Agents     []Agent `json:"agents"`
	NextCursor string  `json:"next_cursor,omitempty"`
}

// Agent is a Mesos agent that something is held on.
type Agent struct {
	ID       string `json:"id"`
	Hostname string `json:"hostname"`
	// State is one of Agent….
	State string `json:"state"`
	// AwaySince is from when nobody could reach it, nil while it is there.
	AwaySince *time.Time `json:"away_since,omitempty"`
	// Note is a sentence on what was decided of it or is planned, "" for nothing.
	Note   string `json:"note,omitempty"`
	Region string `json:"region,omitempty"`
	Zone   string `json:"zone,omitempty"`
	// Attributes are those of the last placement, "rack=r1".
	Attributes []string `json:"attributes"`
	// Pods have their places there; Reservations are what is left of other places.
	Pods         []string `json:"pods"`
	Reservations []string `json:"reservations"`
	// Volumes are the persistent volumes of all these.
	Volumes []string `json:"volumes"`
	// Maintenance is the window that is scheduled, nil for none.
	Maintenance *Maintenance `json:"maintenance,omitempty"`
}

// Maintenance is a window in which an agent is to be down.
type Maintenance struct {
	Start time.Time `json:"start"`
	// End is nil for a window without one.
	End *time.Time `json:"end,omitempty"`
}

// The states of agents.
const (
	AgentConnected = "CONNECTED"
	AgentAway      = "AWAY"      // nobody can reach it
	AgentDraining  = "DRAINING"  // an operator has it drained
	AgentDrained   = "DRAINED"   // and nothing runs there any more
	AgentGone      = "GONE"      // it can never come back under its id
	AgentAbandoned = "ABANDONED" // nobody waits for it
)

// AgentAbandon is the body of PathAgentAbandon; it may be left out.
type AgentAbandon struct {
	// Force gives the agent up although it is there, or although Kafka may need what it has.
	Force  bool   `json:"force,omitempty"`
	Reason string `json:"reason,omitempty"`
}
