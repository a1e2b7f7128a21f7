package mesos

import "time"

// ExecutorEvent is something that an agent tells an executor.
type ExecutorEvent interface{ executorEvent() }

// The events of the v1 executor API. ExecutorDisconnected is ours.
type (
	// ExecutorSubscribed opens the stream to the agent.
	ExecutorSubscribed struct {
		Framework FrameworkID
		Executor  ExecutorID
		Agent     AgentID
		Hostname  string
	}
	// ExecutorDisconnected says that the agent cannot be reached for now.
	ExecutorDisconnected struct{ Reason string }
	// ExecutorLaunch starts a task.
	ExecutorLaunch struct{ Task TaskInfo }
	// ExecutorKill ends a task; Grace nil means the task's own.
	ExecutorKill struct {
		Task  TaskID
		Grace *time.Duration
	}
	// ExecutorAcknowledged says that the agent holds the update.
	ExecutorAcknowledged struct {
		Task TaskID
		UUID []byte
	}
	// ExecutorShutdown ends the executor and all its tasks.
	ExecutorShutdown struct{}
	// ExecutorRefused is an ERROR event of the agent.
	ExecutorRefused struct{ Message string }
)

func (ExecutorSubscribed) executorEvent()   {}
func (ExecutorDisconnected) executorEvent() {}
func (ExecutorLaunch) executorEvent()       {}
func (ExecutorKill) executorEvent()         {}
func (ExecutorAcknowledged) executorEvent() {}
func (ExecutorShutdown) executorEvent()     {}
func (ExecutorRefused) executorEvent()      {}
