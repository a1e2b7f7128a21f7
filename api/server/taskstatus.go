package server

import (
	wire "github.com/mesos/mesos-go/api/v1/lib"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// statusProto is Mesos' TaskStatus message, nil for a task that was never launched.
func statusProto(pod scheduler.PodView, task scheduler.TaskView) *proto {
	if task.State == "" {
		return nil
	}
	status := proto{
		{"taskId", value(string(task.ID))},
		{"state", enum("TASK_" + string(task.State))},
	}.maybe("source", task.Source).maybe("message", task.Message).maybe("reason", task.Reason)
	if task.State != mesos.Staging && pod.Agent != "" {
		status = append(status, field{"slaveId", value(string(pod.Agent))})
	}
	if task.Executor != "" {
		status = append(status, field{"executorId", value(string(task.Executor))})
	}
	if task.State != mesos.Staging && !task.Since.IsZero() {
		status = append(status, field{"timestamp",
			double(float64(task.Since.UnixMilli()) / 1000)})
	}
	if task.Healthy != nil {
		status = append(status, field{"healthy", *task.Healthy})
	}
	if task.Ready != nil {
		status = append(status, field{"checkStatus", proto{{"type", enum("COMMAND")},
			{"command", proto{{"exitCode", int64(exitCode(*task.Ready))}}}}})
	}
	if task.IP != "" && task.State != mesos.Staging { // till then it is that of a launch before
		status = append(status, field{"containerStatus", proto{{"networkInfos", []proto{{
			{"ipAddresses", []proto{{{"protocol", enum("IPv4")}, {"ipAddress", task.IP}}}},
			{"groups", []proto{}}, {"portMappings", []proto{}},
		}}}}})
	}
	return &status
}

// exitCode is that of a readiness check whose result alone is known.
func exitCode(ready bool) int32 {
	if ready {
		return 0
	}
	return 1
}

// statusBytes is the same message in protobuf's own form.
func statusBytes(pod scheduler.PodView, task scheduler.TaskView) string {
	state := wire.TaskState(wire.TaskState_value["TASK_"+string(task.State)])
	seconds := float64(task.Since.UnixMilli()) / 1000
	status := wire.TaskStatus{
		TaskID: wire.TaskID{Value: string(task.ID)}, State: &state,
		AgentID:    &wire.AgentID{Value: string(pod.Agent)},
		ExecutorID: &wire.ExecutorID{Value: string(task.Executor)},
		Timestamp:  &seconds, Healthy: task.Healthy,
		ContainerStatus: &wire.ContainerStatus{NetworkInfos: []wire.NetworkInfo{{
			IPAddresses: []wire.NetworkInfo_IPAddress{{
				Protocol: wire.IPv4.Enum(), IPAddress: &task.IP}},
		}}},
	}
	if task.Message != "" {
		status.Message = &task.Message
	}
	if code, known := wire.TaskStatus_Source_value[task.Source]; known {
		status.Source = wire.TaskStatus_Source(code).Enum()
	}
	if code, known := wire.TaskStatus_Reason_value[task.Reason]; known {
		status.Reason = wire.TaskStatus_Reason(code).Enum()
	}
	if task.Ready != nil {
		code := exitCode(*task.Ready)
		status.CheckStatus = &wire.CheckStatusInfo{Type: wire.CheckInfo_COMMAND.Enum(),
			Command: &wire.CheckStatusInfo_Command{ExitCode: &code}}
	}
	data, err := status.Marshal()
	if err != nil {
		panic(err) // all its required fields are set: this is a bug, and recoverPanic says so
	}
	return string(data)
}
