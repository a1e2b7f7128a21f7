package api

import "time"

// CommandRollExecutors is the command on the service that has executors exchanged.
const CommandRollExecutors = "roll-executors"

// ServiceCommand is the body of the commands on the service; it may be left out.
type ServiceCommand struct {
	// Reason is kept in the journal; up to MaxReason bytes, as in all commands.
	Reason string `json:"reason,omitempty"`
}

// PlanCommand is the body of PathPlanCommandV2; it may be left out.
type PlanCommand struct {
	// Phase and Step are names or ids; without them the command is about the whole plan.
	Phase string `json:"phase,omitempty"`
	Step  string `json:"step,omitempty"`
	// Params become environment variables of what the plan launches; for start only.
	Params map[string]string `json:"params,omitempty"`
	// Force takes Kafka nodes down whatever Kafka says, for start and restart.
	Force  bool   `json:"force,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// PodCommand is the body of PathPodCommandV2; it may be left out.
type PodCommand struct {
	// Tasks are names as in the spec or in full, for pause and resume; without them all.
	Tasks []string `json:"tasks,omitempty"`
	// Force takes a Kafka node down whatever Kafka says, for restart, replace and move.
	Force bool `json:"force,omitempty"`
	// To is the agent to move to, by its host name or id; without it any other one.
	To string `json:"to,omitempty"`
	// Cancel takes back an earlier move that was not begun.
	Cancel bool   `json:"cancel,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Rollback is the body of PathRollback; it may be left out.
type Rollback struct {
	// ID is the earlier configuration; without it the one before the target.
	ID     string `json:"id,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Page is the part of a list that is wanted.
type Page struct {
	// Limit is the largest number of items, 0 for all, or as many as a list gives.
	Limit int
	// Cursor is the NextCursor of the page before, "" for the first.
	Cursor string
}

// PlanQuery says which plans are wanted; the zero value wants all.
type PlanQuery struct {
	Name, Status string
	// Summary leaves the steps out.
	Summary bool
	Page
}

// PodQuery says which pods are wanted; the zero value wants all.
type PodQuery struct {
	Type string
	// Status is the state of one of its tasks, or an override of one, or PENDING for a pod with
	// a task that was never launched.
	Status string
	Host   string
	Page
}

// JournalQuery says which entries of the journal are wanted; the zero value wants all.
type JournalQuery struct {
	Kind, Plan string
	// Since is the time of the earliest entry, zero for no such limit.
	Since time.Time
	Page
}

// HistoryQuery says which runs of plans are wanted; the zero value wants all.
type HistoryQuery struct {
	Plan string
	Page
}

// OfferQuery says which offers are wanted; the zero value wants all.
type OfferQuery struct {
	Pod, Host string
	// Fits wants only offers that were used, or only others; nil wants both.
	Fits *bool
	Page
}

// EventQuery says which events are wanted; the zero value wants all from now on.
type EventQuery struct {
	// Types are some of Event…, nil for all; Plan and Pod want those about one.
	Types     []string
	Plan, Pod string
	// LastID is the ID of the last event that was seen; those after it come first, as far as
	// they are still kept.
	LastID string
}

// LogQuery says what is wanted of a task's output.
type LogQuery struct {
	// File is LogStdout or LogStderr, "" for the first.
	File string
	// Lines is how many of the last lines come first; -1 for the server's default of 100.
	Lines int
	// Follow goes on with what is printed later.
	Follow bool
}

// The files of PathLogs.
const (
	LogStdout = "stdout"
	LogStderr = "stderr"
)
