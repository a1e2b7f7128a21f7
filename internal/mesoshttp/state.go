package mesoshttp

import (
	"fmt"

	wire "github.com/mesos/mesos-go/api/v1/lib"
	operator "github.com/mesos/mesos-go/api/v1/lib/master"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// ClusterState is what a master tells of everything: the answer to GET_STATE.
type ClusterState struct {
	Frameworks []FrameworkState
	// Tasks are those that run or may run, and then those that ended, as far as that is known.
	Tasks  []TaskState
	Agents []mesos.SeenAgent
}

// FrameworkState is a framework that the master has not ended.
type FrameworkState struct {
	ID              mesos.FrameworkID
	Name, Principal string
	// Active says that its scheduler is connected.
	Active bool
}

// TaskState is a task as a master knows it: its command is not in there.
type TaskState struct {
	mesos.TaskInfo
	Framework mesos.FrameworkID
	Status    mesos.Status
}

// DecodeState reads a master's answer to GET_STATE, in JSON.
func DecodeState(data []byte) (ClusterState, error) {
	var answer operator.Response
	if err := decodeMessage(codecFor(true), data, &answer); err != nil {
		return ClusterState{}, fmt.Errorf("reading a master's state: %w", err)
	}
	state := answer.GetState
	if state == nil {
		return ClusterState{}, fmt.Errorf("reading a master's state: it is an answer to %s",
			answer.Type)
	}
	var s ClusterState
	for _, f := range state.GetFrameworks.GetFrameworks() {
		s.Frameworks = append(s.Frameworks, FrameworkState{
			ID:   mesos.FrameworkID(f.FrameworkInfo.GetID().GetValue()),
			Name: f.FrameworkInfo.Name, Principal: f.FrameworkInfo.GetPrincipal(),
			Active: f.Active && f.Connected})
	}
	executors := map[executorKey]mesos.ExecutorInfo{}
	for i := range state.GetExecutors.GetExecutors() {
		e := &state.GetExecutors.Executors[i]
		info := executorFromWire(&e.ExecutorInfo)
		executors[executorKey{info.Framework, mesos.AgentID(e.AgentID.Value), info.ID}] = info
	}
	tasks := state.GetTasks
	for _, list := range [][]wire.Task{tasks.GetPendingTasks(), tasks.GetTasks(),
		tasks.GetUnreachableTasks(), tasks.GetCompletedTasks()} {
		for i := range list {
			s.Tasks = append(s.Tasks, taskStateOf(&list[i], executors))
		}
	}
	for i := range state.GetAgents.GetAgents() {
		s.Agents = append(s.Agents, agentFromWire(&state.GetAgents.Agents[i]))
	}
	return s, nil
}

// executorKey names an executor: its id is unique only on its agent.
type executorKey struct {
	framework mesos.FrameworkID
	agent     mesos.AgentID
	id        mesos.ExecutorID
}

func taskStateOf(t *wire.Task, executors map[executorKey]mesos.ExecutorInfo) TaskState {
	s := TaskState{Framework: mesos.FrameworkID(t.FrameworkID.Value)}
	s.TaskInfo = mesos.TaskInfo{ID: mesos.TaskID(t.TaskID.Value), Name: t.Name,
		Agent: mesos.AgentID(t.AgentID.Value), Labels: labelsFromWire(t.Labels),
		Resources: resourcesFromWire(t.Resources).WithoutRole(),
		Discovery: discoveryFromWire(t.Discovery),
		KillGrace: durationFromWire(t.GetKillPolicy().GetGracePeriod())}
	s.Executor = executors[executorKey{s.Framework, s.Agent,
		mesos.ExecutorID(t.GetExecutorID().GetValue())}]
	s.Executor.Resources = s.Executor.Resources.WithoutRole()
	if s.Executor.ID == "" {
		s.Executor.ID = mesos.ExecutorID(t.GetExecutorID().GetValue())
	}
	if n := len(t.Statuses); n > 0 {
		s.Status = statusFromWire(&t.Statuses[n-1])
	}
	s.Status.Task, s.Status.Agent = s.ID, s.Agent
	if t.State != nil {
		s.Status.State = stateFromWire(*t.State)
	}
	return s
}
