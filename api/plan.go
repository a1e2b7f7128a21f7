package api

import "time"

// The statuses of plans, phases and steps, in the predecessor's words.
const (
	StatusError      = "ERROR"
	StatusWaiting    = "WAITING"
	StatusPending    = "PENDING"
	StatusPrepared   = "PREPARED"
	StatusStarting   = "STARTING"
	StatusStarted    = "STARTED"
	StatusDelayed    = "DELAYED"
	StatusInProgress = "IN_PROGRESS"
	StatusComplete   = "COMPLETE"
	// In /v1 a step whose whole instance is paused shows these instead.
	StatusPaused  = "PAUSED"
	StatusPausing = "PAUSING"
)

// The verbs of PathPlanCommand.
const (
	VerbStart         = "start"
	VerbStop          = "stop"
	VerbContinue      = "continue"
	VerbInterrupt     = "interrupt"
	VerbForceComplete = "forceComplete"
	VerbRestart       = "restart"
)

// The names of plans that every service has at some time of its life.
const (
	PlanDeploy       = "deploy"
	PlanRecovery     = "recovery"
	PlanDecommission = "decommission" // while instances are to go
	PlanMaintenance  = "maintenance"  // while instances are to leave their agents
	PlanUninstall    = "uninstall"
)

// Plan is a plan with the status of all that it consists of.
type Plan struct {
	// Name is set in /v2 only; in /v1 it is part of the path.
	Name     string   `json:"name,omitempty"`
	Phases   []Phase  `json:"phases"`
	Strategy string   `json:"strategy"`
	Errors   []string `json:"errors"`
	Status   string   `json:"status"`

	// The rest is in /v2 only. Progress counts the steps; Held is set while an operator holds
	// the plan; Run is its latest start, left out for a plan that was never started.
	Progress *Progress `json:"progress,omitempty"`
	Held     *Held     `json:"held,omitempty"`
	Run      *PlanRun  `json:"run,omitempty"`
}

// Progress counts the steps of a plan or phase.
type Progress struct {
	Complete int `json:"complete"`
	Total    int `json:"total"`
}

// Held is who holds a plan, phase or step, since when, and why.
type Held struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
}

// PlanRun is the latest start of a plan.
type PlanRun struct {
	// Number counts the starts of the plan, from 1.
	Number int64 `json:"number"`
	// Active says that it was not stopped since.
	Active bool              `json:"active"`
	Params map[string]string `json:"params,omitempty"`
	Since  *time.Time        `json:"since,omitempty"`
	By     string            `json:"by,omitempty"`
}

// Phase is a phase of a plan.
type Phase struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Steps    []Step `json:"steps"`
	Strategy string `json:"strategy"`
	Status   string `json:"status"`

	// The rest is in /v2 only, as in Plan.
	Progress *Progress `json:"progress,omitempty"`
	Held     *Held     `json:"held,omitempty"`
}

// Step is a step of a phase. The fields after Message are this project's additions.
type Step struct {
	ID      string `json:"id"`
	Status  string `json:"status"`
	Name    string `json:"name"`
	Message string `json:"message"`

	// Reason is a sentence on what the step waits for.
	Reason string `json:"reason,omitempty"`
	// Since is when the step came into its status; AgeSeconds is how long ago that was, by
	// the scheduler's clock.
	Since      *time.Time `json:"since,omitempty"`
	AgeSeconds *float64   `json:"age_seconds,omitempty"`
	// Attempts counts the failed launches in a row; NextAttempt is when the next one may come.
	Attempts    int        `json:"attempts,omitempty"`
	NextAttempt *time.Time `json:"next_attempt,omitempty"`
	// Pod is the instance that the step works on, "" for steps that concern none; Tasks are
	// the names of the tasks that it launches, as in the spec.
	Pod   string   `json:"pod,omitempty"`
	Tasks []string `json:"tasks,omitempty"`
	// Held is in /v2 only, as in Plan.
	Held *Held `json:"held,omitempty"`
}

// PlanList is the answer of PathPlansV2.
type PlanList struct {
	Plans []Plan `json:"plans"`
	// NextCursor asks for what comes after these; left out at the end, as in every list.
	NextCursor string `json:"next_cursor,omitempty"`
}

// Message is the predecessor's answer to a command that it took.
type Message struct {
	Message string `json:"message"`
}

// Outcome is the answer of /v2 to a command that was taken, or that had nothing to do.
type Outcome struct {
	// Changed is false when the command had nothing to do.
	Changed bool `json:"changed"`
	// Message is a sentence on what happens now.
	Message string `json:"message"`
	// TargetID is the id of the target that was, or would be, set.
	TargetID string `json:"target_id,omitempty"`
	// Tasks are the full names of the tasks concerned, for commands on pods.
	Tasks []string `json:"tasks,omitempty"`
	// DryRun says that nothing was changed because only a preview was asked for, and Steps are
	// what would be done, in order.
	DryRun bool          `json:"dry_run,omitempty"`
	Steps  []PlannedStep `json:"steps,omitempty"`
	// Unavailable are, for a preview, the topics that no restart can keep available.
	Unavailable []FragileTopic `json:"unavailable,omitempty"`
	// Properties are the server properties of brokers that another target changes.
	Properties []PropertyChange `json:"properties,omitempty"`
}

// FragileTopic is a topic with partitions that are unavailable for writes whenever one of their
// brokers is down, as they have no more replicas than min.insync.replicas.
type FragileTopic struct {
	Topic      string `json:"topic"`
	Partitions int    `json:"partitions"` // how many of its partitions
	Replicas   int    `json:"replicas"`   // the fewest of one
	MinISR     int    `json:"min_isr"`
	// Movable is whether each of them could be moved to another broker before one goes.
	Movable bool `json:"movable"`
	// Choice is what the configuration says of them: move-first, allow or refuse.
	Choice string `json:"choice"`
}

// PropertyChange is what becomes of a server property of brokers; values are left out where the
// property is not set.
type PropertyChange struct {
	Name    string `json:"name"`
	Brokers []int  `json:"brokers"`
	Old     string `json:"old,omitempty"`
	New     string `json:"new,omitempty"`
	// Live says that the brokers take it while they run; else they restart for it.
	Live   bool   `json:"live"`
	Reason string `json:"reason"`
}

// PlannedStep is a step that a new configuration makes necessary.
type PlannedStep struct {
	Phase string `json:"phase"`
	Step  string `json:"step"`
	// Action is launch, restart, decommission or nothing.
	Action string `json:"action"`
	// Reasons are the changes that make it necessary, a sentence each.
	Reasons []string `json:"reasons"`
}
