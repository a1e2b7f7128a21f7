package api

// DebugPlans is the answer of PathDebugPlans.
type DebugPlans struct {
	// SchedulerState is RUNNING, DEPLOYING, DEPLOYED, RECOVERING or DECOMMISSIONING.
	SchedulerState string      `json:"schedulerState"`
	Active         []string    `json:"activePlans"`
	Plans          []DebugPlan `json:"plans"`
	Topology       []DebugNode `json:"serviceTopology"` // of all plans, whatever was asked for
}

// DebugPlan is a plan in short; its counts are of all its steps, whatever was asked for.
type DebugPlan struct {
	Name           string       `json:"name"`
	Strategy       string       `json:"strategy"`
	Status         string       `json:"status"`
	TotalSteps     int          `json:"totalSteps"`
	CompletedSteps int          `json:"completedSteps"`
	Phases         []DebugPhase `json:"phases"`
}

// DebugPhase is a phase in short.
type DebugPhase struct {
	Name     string      `json:"name"`
	Strategy string      `json:"strategy"`
	Status   string      `json:"status"`
	Steps    []DebugStep `json:"steps"`
}

// DebugStep is a step in short.
type DebugStep struct {
	Name   string   `json:"name"`
	Status string   `json:"status"`
	Errors []string `json:"errors"`
}

// DebugNode is a plan, a phase or a step in the tree of names; the children of a step are null.
type DebugNode struct {
	Name     string      `json:"name"`
	Type     string      `json:"type"`
	Children []DebugNode `json:"children"`
}

// DebugPlanTasks is a plan in the answer of PathDebugTaskStatuses, which is a list of them.
type DebugPlanTasks struct {
	Name   string            `json:"name"`
	Phases []DebugPhaseTasks `json:"phases"`
}

// DebugPhaseTasks is a phase with the tasks of its steps.
type DebugPhaseTasks struct {
	Name  string           `json:"name"`
	Steps []DebugStepTasks `json:"steps"`
}

// DebugStepTasks is a step with its tasks.
type DebugStepTasks struct {
	Name  string      `json:"name"`
	Tasks []DebugTask `json:"taskStatus"`
}

// DebugTask is the Mesos state of a task, TASK_UNKNOWN when it was never launched.
type DebugTask struct {
	Name   string `json:"name"`
	ID     string `json:"taskId"`
	Status string `json:"taskStatus"`
}

// DebugOffers is the answer of PathDebugOffers.
type DebugOffers struct {
	Offers         []DebugOffer   `json:"offers"` // oldest first
	Accepted       int            `json:"acceptedCount"`
	Rejected       int            `json:"rejectedCount"`
	FailureReasons map[string]int `json:"failureReasons"` // how often what was missing
	RejectedAgents map[string]int `json:"rejectedAgents"` // how often which agent's did not fit
}

// DebugOffer is what became of an offer when it was looked at for one pod instance.
type DebugOffer struct {
	Timestamp   int64    `json:"timestamp"` // milliseconds of the epoch
	Pod         string   `json:"pod-instance-name"`
	Outcome     string   `json:"outcome"` // pass or fail
	Explanation []string `json:"explanation"`
	Offer       string   `json:"offer"` // in the text form of protobuf
}
