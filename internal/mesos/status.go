package mesos

import "time"

// TaskState is a Mesos task state without its TASK_ prefix.
type TaskState string

// The task states of the v1 API.
const (
	Staging        TaskState = "STAGING"
	Starting       TaskState = "STARTING"
	Running        TaskState = "RUNNING"
	Killing        TaskState = "KILLING"
	Finished       TaskState = "FINISHED"
	Failed         TaskState = "FAILED"
	Killed         TaskState = "KILLED"
	Error          TaskState = "ERROR"
	Lost           TaskState = "LOST"
	Dropped        TaskState = "DROPPED"
	Unreachable    TaskState = "UNREACHABLE"
	Gone           TaskState = "GONE"
	GoneByOperator TaskState = "GONE_BY_OPERATOR"
	Unknown        TaskState = "UNKNOWN"
)

// Terminal reports whether the task can never run again under its id. LOST is terminal only
// by name: a partition may end. UNREACHABLE and UNKNOWN are never terminal.
func (s TaskState) Terminal() bool {
	switch s {
	case Finished, Failed, Killed, Error, Dropped, Gone, GoneByOperator:
		return true
	default:
		return false
	}
}

// Status is one status update of a task.
type Status struct {
	Task  TaskID
	State TaskState
	Agent AgentID
	// Executor is "" where the status does not say it.
	Executor ExecutorID
	Source   string // SOURCE_MASTER, SOURCE_AGENT or SOURCE_EXECUTOR
	Reason   string // REASON_…, "" when none was given
	Message  string
	// UUID is set when the update wants an acknowledgement.
	UUID []byte
	// Healthy is the result of the health check, nil when there is none or no result yet.
	Healthy *bool
	// Ready is the result of the readiness check, which this project's executor reports as
	// Mesos' check status; nil when there is none or no result yet.
	Ready *bool
	// IP is the container's first address, "" when unknown.
	IP   string
	Time time.Time
}
