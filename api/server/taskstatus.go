package server

import (
	"time"

	wire "github.com/mesos/mesos-go/api/v1/lib"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// statusProto is Mesos' TaskStatus message, nil for a task that was never launched. Until there
// is one of its launch, the predecessor makes one itself.
func statusProto(task scheduler.TaskView) *proto {
	if task.State == "" {
		return nil
	}
	last := task.Last
	if last == nil || last.ID != task.ID {
		return &proto{{"taskId", value(string(task.ID))}, {"state", enum("TASK_STAGING")},
			{"executorId", value(string(task.Executor))}}
	}
	status := proto{
		{"taskId", value(string(last.ID))},
		{"state", enum("TASK_" + string(last.State))},
	}.maybe("source", last.Source).maybe("message", last.Message).maybe("reason", last.Reason)
	if last.Agent != "" {
		status = append(status, field{"slaveId", value(string(last.Agent))})
	}
	if last.Executor != "" {
		status = append(status, field{"executorId", value(string(last.Executor))})
	}
	if !last.At.IsZero() {
		status = append(status, field{"timestamp", double(inEpoch(last.At))})
	}
	if last.Healthy != nil {
		status = append(status, field{"healthy", *last.Healthy})
	}
	if last.Ready != nil {
		status = append(status, field{"checkStatus", proto{{"type", enum("COMMAND")},
			{"command", proto{{"exitCode", int64(exitCode(*last.Ready))}}}}})
	}
	if last.IP != "" {
		status = append(status, field{"containerStatus", proto{{"networkInfos", []proto{{
			{"ipAddresses", []proto{{{"protocol", enum("IPv4")}, {"ipAddress", last.IP}}}},
			{"groups", []proto{}}, {"portMappings", []proto{}},
		}}}}})
	}
	return &status
}

// inEpoch is a time as Mesos tells it.
func inEpoch(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// exitCode is that of a readiness check whose result alone is known.
func exitCode(ready bool) int32 {
	if ready {
		return 0
	}
	return 1
}

// statusBytes is the same message in protobuf's own form.
func statusBytes(last scheduler.StatusUpdate) string {
	state := wire.TaskState(wire.TaskState_value["TASK_"+string(last.State)])
	seconds := inEpoch(last.At)
	status := wire.TaskStatus{TaskID: wire.TaskID{Value: string(last.ID)}, State: &state,
		Timestamp: &seconds, Healthy: last.Healthy}
	if last.Agent != "" {
		status.AgentID = &wire.AgentID{Value: string(last.Agent)}
	}
	if last.Executor != "" {
		status.ExecutorID = &wire.ExecutorID{Value: string(last.Executor)}
	}
	if last.IP != "" {
		status.ContainerStatus = &wire.ContainerStatus{NetworkInfos: []wire.NetworkInfo{{
			IPAddresses: []wire.NetworkInfo_IPAddress{{
				Protocol: wire.IPv4.Enum(), IPAddress: &last.IP}},
		}}}
	}
	if last.Message != "" {
		status.Message = &last.Message
	}
	if code, known := wire.TaskStatus_Source_value[last.Source]; known {
		status.Source = wire.TaskStatus_Source(code).Enum()
	}
	if code, known := wire.TaskStatus_Reason_value[last.Reason]; known {
		status.Reason = wire.TaskStatus_Reason(code).Enum()
	}
	if last.Ready != nil {
		code := exitCode(*last.Ready)
		status.CheckStatus = &wire.CheckStatusInfo{Type: wire.CheckInfo_COMMAND.Enum(),
			Command: &wire.CheckStatusInfo_Command{ExitCode: &code}}
	}
	data, err := status.Marshal()
	if err != nil {
		panic(err) // all its required fields are set: this is a bug, and recoverPanic says so
	}
	return string(data)
}
