package api

import "time"

// The types of events.
const (
	EventPlan    = "plan"    // a plan came into another status
	EventPhase   = "phase"   // a phase did
	EventStep    = "step"    // a step did
	EventTask    = "task"    // a task came into another state
	EventJournal = "journal" // the journal has another entry
	// EventReset says that events before it were missed, and that all should be read anew.
	EventReset = "reset"
	// EventDropped is the last one to a reader that was too slow.
	EventDropped = "dropped"
)

// Event is the data of one server-sent event; which fields it has depends on its type.
type Event struct {
	// ID is what Last-Event-ID may name; it means something to this life of the scheduler only.
	ID   string    `json:"id,omitempty"`
	Type string    `json:"type"`
	At   time.Time `json:"at"`
	// Plan, Phase and Step by name.
	Plan  string `json:"plan,omitempty"`
	Phase string `json:"phase,omitempty"`
	Step  string `json:"step,omitempty"`
	// Pod is the instance concerned, Task the full name of the task, TaskID its launch.
	Pod    string `json:"pod,omitempty"`
	Task   string `json:"task,omitempty"`
	TaskID string `json:"task_id,omitempty"`
	// From and To are statuses of plans, or states of tasks; From is left out for what is new,
	// To for what is gone.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Message is a sentence: what a step waits for, what a task said, why events were missed.
	Message string `json:"message,omitempty"`
	// Entry is the journal's.
	Entry *JournalEntry `json:"entry,omitempty"`
}

// LogLines is the data of one server-sent event of PathLogs.
type LogLines struct {
	Text string `json:"text"`
}
