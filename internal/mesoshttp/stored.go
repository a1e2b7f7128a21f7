package mesoshttp

import (
	"fmt"

	wire "github.com/mesos/mesos-go/api/v1/lib"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// Messages that other schedulers store. Those of Mesos' first API have the same bytes as those of
// the second: an agent that is called slave is the same field.

// DecodeTask reads a stored TaskInfo.
func DecodeTask(data []byte) (mesos.TaskInfo, error) {
	var info wire.TaskInfo
	if err := info.Unmarshal(data); err != nil {
		return mesos.TaskInfo{}, fmt.Errorf("reading a TaskInfo: %w", err)
	}
	return taskFromWire(&info), nil
}

// DecodeStatus reads a stored TaskStatus.
func DecodeStatus(data []byte) (mesos.Status, error) {
	var status wire.TaskStatus
	if err := status.Unmarshal(data); err != nil {
		return mesos.Status{}, fmt.Errorf("reading a TaskStatus: %w", err)
	}
	return statusFromWire(&status), nil
}

// DecodeFramework reads a stored FrameworkID.
func DecodeFramework(data []byte) (mesos.FrameworkID, error) {
	var id wire.FrameworkID
	if err := id.Unmarshal(data); err != nil {
		return "", fmt.Errorf("reading a FrameworkID: %w", err)
	}
	return mesos.FrameworkID(id.Value), nil
}
