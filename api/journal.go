package api

import "time"

// The kinds of entries of the journal.
const (
	KindCommand      = "command"       // what an operator asked, and what came of it
	KindPlanStart    = "plan-start"    // a plan has work again
	KindPlanComplete = "plan-complete" // it has none any more
	KindPlanHalt     = "plan-halt"     // it cannot go on
	KindPlanWait     = "plan-wait"     // it waits for an operator
	KindPlanStop     = "plan-stop"     // it was stopped
	KindVerdict      = "verdict"       // whether a Kafka node may be taken down
	KindDrift        = "drift"         // something in Kafka is not as the target has it
	KindDeclared     = "declared"      // Kafka was told of what the target declares
)

// Journal is the answer of PathJournal, newest first.
type Journal struct {
	Entries    []JournalEntry `json:"entries"`
	NextCursor string         `json:"next_cursor,omitempty"`
}

// JournalEntry is something that was commanded, or that a plan did.
type JournalEntry struct {
	Number int64     `json:"number"` // from 1, never reused
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"`
	Plan   string    `json:"plan,omitempty"`
	// Caller is the name that who commanded it gave, and Address where that came from.
	Caller  string `json:"caller,omitempty"`
	Address string `json:"address,omitempty"`
	Reason  string `json:"reason,omitempty"`
	// What is the command in words, Result what came of it, and Code the problem's code, left
	// out when there was none.
	What   string `json:"what"`
	Result string `json:"result"`
	Code   string `json:"code,omitempty"`
}

// History is the answer of PathHistory, newest first.
type History struct {
	Runs       []HistoryRun `json:"runs"`
	NextCursor string       `json:"next_cursor,omitempty"`
}

// HistoryRun is one run of a plan: from its start to its end, as far as the journal goes back.
type HistoryRun struct {
	Plan string `json:"plan"`
	// Number is that of the journal's entry that began the run.
	Number  int64     `json:"number"`
	Started time.Time `json:"started"`
	Caller  string    `json:"caller,omitempty"`
	Address string    `json:"address,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	// Ended is left out while it goes on. State is running, complete, halted, waiting or stopped,
	// and Result the journal's words. A plan that goes on after it waited has another run.
	Ended  *time.Time `json:"ended,omitempty"`
	State  string     `json:"state"`
	Result string     `json:"result,omitempty"`
}

// The states of a HistoryRun.
const (
	RunRunning  = "running"
	RunComplete = "complete"
	RunHalted   = "halted"
	RunWaiting  = "waiting"
	RunStopped  = "stopped"
)
