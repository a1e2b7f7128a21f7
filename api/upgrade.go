package api

import "time"

// Upgrade is the body of PathUpgrade.
type Upgrade struct {
	// To is the version of Kafka to get to, in full.
	To string `json:"to"`
	// Distribution is the SHA-256 of the packed distribution of that version in the cache of the
	// scheduler's machine; it may be left out where there is one only.
	Distribution string `json:"distribution,omitempty"`
	// PauseAfter are phases behind which it pauses.
	PauseAfter []string `json:"pause_after,omitempty"`
	// Finalize lets it go on to what cannot be undone without being asked again.
	Finalize bool   `json:"finalize,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// CampaignCommand is the body of PathUpgradeCommand; it may be left out.
type CampaignCommand struct {
	Reason string `json:"reason,omitempty"`
}

// The commands of PathUpgradeCommand.
const (
	CommandPauseCampaign    = "pause"    // nothing more is begun
	CommandContinueCampaign = "continue" // ends a pause
	CommandFinalize         = "finalize" // what cannot be undone may be done
	CommandRollback         = "rollback" // what was done is undone
)

// The states of campaigns, and of phases.
const (
	CampaignNone       = "NONE" // there never was one
	CampaignRunning    = "RUNNING"
	CampaignPaused     = "PAUSED"
	CampaignWaiting    = "WAITING" // for finalize or rollback
	CampaignRolling    = "ROLLING_BACK"
	CampaignDone       = "DONE"
	CampaignRolledBack = "ROLLED_BACK"
	CampaignPending    = "PENDING" // of a phase: it has not begun
)

// Campaign is a long work on the cluster as a whole, as an upgrade of Kafka is.
type Campaign struct {
	Number int64  `json:"number"`
	State  string `json:"state"`
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
	// Phase is the one in hand, "" when there is none.
	Phase    string     `json:"phase,omitempty"`
	Phases   []Phased   `json:"phases"`
	Finalize bool       `json:"finalize"`
	By       string     `json:"by,omitempty"`
	Since    *time.Time `json:"since,omitempty"`
	Ended    *time.Time `json:"ended,omitempty"`
	// Reason says how far it is and what holds it.
	Reason string `json:"reason,omitempty"`
	// Then is the upgrade that begins by itself when it is done, or that did so.
	Then *Campaign `json:"then,omitempty"`
}

// Phased is a phase of a campaign.
type Phased struct {
	Name string `json:"name"`
	// What is done, and how it is undone; Undo is "" if it cannot be, once it has begun.
	What string `json:"what"`
	Undo string `json:"undo,omitempty"`
	// State is that of the phase in a campaign, "" in a preview.
	State string `json:"state,omitempty"`
}

// UpgradePreview is how a cluster gets to another version of Kafka.
type UpgradePreview struct {
	From string `json:"from"`
	To   string `json:"to"`
	// Refusals are why it cannot, with what to do; there are no phases then.
	Refusals []string `json:"refusals"`
	// Warnings are what an operator should know before.
	Warnings []string `json:"warnings"`
	Phases   []Phased `json:"phases"`
}
