package server

import (
	"net/http"
	"sort"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// launched are the instances that the predecessor's half knows: those that had a task once, by
// type and index.
func launched(v *scheduler.View) []scheduler.PodView {
	var pods []scheduler.PodView
	for _, pod := range v.Pods {
		if pod.Launched {
			pods = append(pods, pod)
		}
	}
	sort.SliceStable(pods, func(i, j int) bool {
		if pods[i].Name.Type != pods[j].Name.Type {
			return pods[i].Name.Type < pods[j].Name.Type
		}
		return pods[i].Name.Index < pods[j].Name.Index
	})
	return pods
}

// findPod finds the instance that the path names, or answers 404.
func findPod(
	w http.ResponseWriter, r *http.Request, v *scheduler.View,
) (scheduler.PodView, bool) {
	name := param(r, "pod")
	for _, pod := range launched(v) {
		if pod.Name.String() == name {
			return pod, true
		}
	}
	missing(w, r, "Pod", name)
	return scheduler.PodView{}, false
}

func podNames(w http.ResponseWriter, _ *http.Request, v *scheduler.View) {
	names := []string{}
	for _, pod := range launched(v) {
		names = append(names, pod.Name.String())
	}
	sort.Strings(names)
	writeJSON(w, http.StatusOK, names)
}

func podsStatus(w http.ResponseWriter, _ *http.Request, v *scheduler.View) {
	shape := api.PodsStatus{Service: v.Service}
	for _, pod := range launched(v) {
		last := len(shape.Pods) - 1
		if last < 0 || shape.Pods[last].Name != pod.Name.Type {
			shape.Pods = append(shape.Pods, api.PodTypeStatus{Name: pod.Name.Type})
			last++
		}
		shape.Pods[last].Instances = append(shape.Pods[last].Instances, instanceStatus(pod))
	}
	writeJSON(w, http.StatusOK, shape)
}

func podStatus(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if pod, ok := findPod(w, r, v); ok {
		writeJSON(w, http.StatusOK, instanceStatus(pod))
	}
}

func instanceStatus(pod scheduler.PodView) api.PodInstanceStatus {
	shape := api.PodInstanceStatus{Name: pod.Name.String(), Tasks: []api.TaskStatus{}}
	for _, task := range tasksByName(pod) {
		shape.Tasks = append(shape.Tasks, api.TaskStatus{
			Name: task.FullName, ID: string(task.ID), Status: string(task.State),
		})
	}
	return shape
}

func tasksByName(pod scheduler.PodView) []scheduler.TaskView {
	tasks := append([]scheduler.TaskView(nil), pod.Tasks...)
	sort.SliceStable(tasks, func(i, j int) bool { return tasks[i].FullName < tasks[j].FullName })
	return tasks
}

func (h *handlers) podRestart(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if pod, ok := findPod(w, r, v); ok {
		h.podCommand(w, r, pod, scheduler.PodRestart{Pod: pod.Name.String()})
	}
}

func (h *handlers) podReplace(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if pod, ok := findPod(w, r, v); ok {
		h.podCommand(w, r, pod, scheduler.PodReplace{Pod: pod.Name.String()})
	}
}

// podCommand answers with the tasks concerned; a command that is being carried out already is
// answered like one that was taken, as the predecessor does.
func (h *handlers) podCommand(
	w http.ResponseWriter, r *http.Request, pod scheduler.PodView, c scheduler.Command,
) {
	reply, ok := h.command(w, r, c)
	if !ok {
		return
	}
	tasks := texts(reply.Tasks)
	if len(tasks) == 0 {
		for _, task := range tasksByName(pod) {
			tasks = append(tasks, task.FullName)
		}
	}
	sort.Strings(tasks)
	writeJSON(w, http.StatusOK, api.PodCommanded{Pod: pod.Name.String(), Tasks: tasks})
}
