package mesoshttp

import (
	"fmt"
	"math"
	"strings"
	"time"

	wire "github.com/mesos/mesos-go/api/v1/lib"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

const taskStatePrefix = "TASK_"

// statusFromWire translates a status update; of containers it keeps the first address alone.
func statusFromWire(s *wire.TaskStatus) mesos.Status {
	out := mesos.Status{
		Task:  mesos.TaskID(s.TaskID.Value),
		State: stateFromWire(s.GetState()),
		Agent: mesos.AgentID(s.GetAgentID().GetValue()),

		Executor: mesos.ExecutorID(s.GetExecutorID().GetValue()),
		Message:  s.GetMessage(),
		UUID:     s.UUID,
		Healthy:  s.Healthy,
		Ready:    readyFromWire(s.CheckStatus),
		IP:       addressFromWire(s.ContainerStatus),
		Time:     timeFromWire(s.GetTimestamp()),
	}
	if s.Source != nil {
		out.Source = s.Source.String()
	}
	if s.Reason != nil {
		out.Reason = reasonFromWire(*s.Reason)
	}
	return out
}

func stateFromWire(s wire.TaskState) mesos.TaskState {
	name, known := wire.TaskState_name[int32(s)]
	if !known {
		return mesos.Unknown
	}
	return mesos.TaskState(strings.TrimPrefix(name, taskStatePrefix))
}

// reasonFromWire names reasons that are newer than mesos-go's list by their number.
func reasonFromWire(r wire.TaskStatus_Reason) string {
	if name, known := wire.TaskStatus_Reason_name[int32(r)]; known {
		return name
	}
	return fmt.Sprintf("REASON_%d", int32(r))
}

// readyFromWire reads the executor's readiness, which travels as a TCP check's status. The
// readiness check of a task that the predecessor launched is a command, which has succeeded or has
// no result yet.
func readyFromWire(c *wire.CheckStatusInfo) *bool {
	switch {
	case c.GetType() == wire.CheckInfo_TCP && c.GetTCP() != nil:
		return c.TCP.Succeeded
	case c.GetType() == wire.CheckInfo_COMMAND && c.GetCommand() != nil:
		if code := c.Command.ExitCode; code != nil {
			ready := *code == 0
			return &ready
		}
	}
	return nil
}

func addressFromWire(c *wire.ContainerStatus) string {
	for _, network := range c.GetNetworkInfos() {
		for _, address := range network.IPAddresses {
			if ip := address.GetIPAddress(); ip != "" {
				return ip
			}
		}
	}
	return ""
}

// timeFromWire keeps microseconds: a float64 of seconds holds no more of our time.
func timeFromWire(seconds float64) time.Time {
	const most = 1 << 33 // some 270 years
	if !(seconds > 0 && seconds < most) {
		return time.Time{}
	}
	return time.UnixMicro(int64(math.Round(seconds * 1e6))).UTC()
}

// statusToWire translates an executor's update; the agent accepts no other source.
func statusToWire(s mesos.Status) wire.TaskStatus {
	state := wire.TaskState(wire.TaskState_value[taskStatePrefix+string(s.State)])
	out := wire.TaskStatus{
		TaskID:  wire.TaskID{Value: string(s.Task)},
		State:   &state,
		Source:  wire.SOURCE_EXECUTOR.Enum(),
		Message: optional(s.Message),
		UUID:    s.UUID,
		Healthy: s.Healthy,
	}
	if s.Agent != "" {
		out.AgentID = &wire.AgentID{Value: string(s.Agent)}
	}
	if s.Executor != "" {
		out.ExecutorID = &wire.ExecutorID{Value: string(s.Executor)}
	}
	if !s.Time.IsZero() {
		seconds := float64(s.Time.UnixMicro()) / 1e6
		out.Timestamp = &seconds
	}
	if number, known := wire.TaskStatus_Reason_value[s.Reason]; known {
		out.Reason = wire.TaskStatus_Reason(number).Enum()
	}
	if s.Ready != nil {
		out.CheckStatus = &wire.CheckStatusInfo{
			Type: wire.CheckInfo_TCP.Enum(),
			TCP:  &wire.CheckStatusInfo_Tcp{Succeeded: s.Ready},
		}
	}
	if s.IP != "" {
		out.ContainerStatus = &wire.ContainerStatus{NetworkInfos: []wire.NetworkInfo{
			{IPAddresses: []wire.NetworkInfo_IPAddress{{IPAddress: &s.IP}}},
		}}
	}
	return out
}
