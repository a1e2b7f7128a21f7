package server

import (
	"net/http"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// The shapes of PathPodInfo: Mesos' TaskInfo and TaskStatus in the JSON form of protobuf, as
// far as the view knows them.
type (
	idValue struct {
		Value string `json:"value"`
	}
	taskAndStatus struct {
		Info   taskInfo    `json:"info"`
		Status *taskStatus `json:"status"`
	}
	taskInfo struct {
		Name     string        `json:"name"`
		TaskID   idValue       `json:"taskId"`
		AgentID  idValue       `json:"slaveId"`
		Executor *executorInfo `json:"executor,omitempty"`
		Labels   labels        `json:"labels"`
		Ports    discovery     `json:"discovery"`
	}
	executorInfo struct {
		Type        string  `json:"type"`
		ExecutorID  idValue `json:"executorId"`
		FrameworkID idValue `json:"frameworkId"`
	}
	labels struct {
		Labels []label `json:"labels"`
	}
	label struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}
	discovery struct {
		Visibility string `json:"visibility"`
		Name       string `json:"name"`
		Ports      ports  `json:"ports"`
	}
	ports struct {
		Ports []portInfo `json:"ports"`
	}
	portInfo struct {
		Number   int    `json:"number"`
		Name     string `json:"name"`
		Protocol string `json:"protocol"`
	}
	taskStatus struct {
		TaskID     idValue          `json:"taskId"`
		State      string           `json:"state"`
		Message    string           `json:"message,omitempty"`
		Reason     string           `json:"reason,omitempty"`
		AgentID    *idValue         `json:"slaveId,omitempty"`
		ExecutorID *idValue         `json:"executorId,omitempty"`
		Timestamp  float64          `json:"timestamp,omitempty"`
		Healthy    *bool            `json:"healthy,omitempty"`
		Container  *containerStatus `json:"containerStatus,omitempty"`
	}
	containerStatus struct {
		Networks []networkInfo `json:"networkInfos"`
	}
	networkInfo struct {
		Addresses []ipAddress `json:"ipAddresses"`
	}
	ipAddress struct {
		IP string `json:"ipAddress"`
	}
)

func podInfo(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	pod, ok := findPod(w, r, v)
	if !ok {
		return
	}
	list := []taskAndStatus{}
	for _, task := range tasksByName(pod) {
		if task.ID == "" {
			continue // never launched: Mesos knows nothing of it
		}
		list = append(list, taskAndStatus{infoOf(v, pod, task), statusOf(pod, task)})
	}
	writeJSON(w, http.StatusOK, list)
}

func infoOf(v *scheduler.View, pod scheduler.PodView, task scheduler.TaskView) taskInfo {
	info := taskInfo{
		Name:    task.FullName,
		TaskID:  idValue{string(task.ID)},
		AgentID: idValue{string(pod.Agent)},
		Labels: labels{[]label{
			{"offer_hostname", pod.Hostname},
			{"offer_region", pod.Domain.Region},
			{"offer_zone", pod.Domain.Zone},
			{"target_configuration", task.Target},
			{"task_type", pod.Name.Type},
		}},
		Ports: discovery{Visibility: "CLUSTER", Name: task.FullName, Ports: ports{[]portInfo{}}},
	}
	if task.Executor != "" {
		info.Executor = &executorInfo{"CUSTOM", idValue{string(task.Executor)},
			idValue{string(v.Framework)}}
	}
	for _, port := range task.Ports {
		info.Ports.Ports.Ports = append(info.Ports.Ports.Ports,
			portInfo{port.Number, port.Name, "tcp"})
	}
	return info
}

func statusOf(pod scheduler.PodView, task scheduler.TaskView) *taskStatus {
	if task.State == "" {
		return nil
	}
	status := &taskStatus{
		TaskID:  idValue{string(task.ID)},
		State:   "TASK_" + string(task.State),
		Message: task.Message,
		Reason:  task.Reason,
		Healthy: task.Healthy,
	}
	if pod.Agent != "" {
		status.AgentID = &idValue{string(pod.Agent)}
	}
	if task.Executor != "" {
		status.ExecutorID = &idValue{string(task.Executor)}
	}
	if !task.Since.IsZero() {
		status.Timestamp = float64(task.Since.UnixMilli()) / 1000
	}
	if pod.IP != "" {
		status.Container = &containerStatus{[]networkInfo{{[]ipAddress{{pod.IP}}}}}
	}
	return status
}
