package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strings"

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
	if pod := podNamed(v, name); pod != nil && pod.Launched {
		return *pod, true
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
	shape := api.PodsStatus{Service: serviceV1(v.Service)}
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

// serviceV1 is a service's name as the predecessor has it: with a slash before folders.
func serviceV1(name string) string {
	if strings.Contains(name, "/") && !strings.HasPrefix(name, "/") {
		return "/" + name
	}
	return name
}

func podStatus(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if pod, ok := findPod(w, r, v); ok {
		writeJSON(w, http.StatusOK, instanceStatus(pod))
	}
}

func instanceStatus(pod scheduler.PodView) api.PodInstanceStatus {
	shape := api.PodInstanceStatus{Name: pod.Name.String(), Tasks: []api.TaskStatus{}}
	for _, task := range tasksByName(pod) {
		status := string(task.State)
		if status != "" && task.Override != "" {
			status = task.Override
		}
		shape.Tasks = append(shape.Tasks, api.TaskStatus{
			Name: task.FullName, ID: string(task.ID), Status: status,
		})
	}
	return shape
}

// tasksByName are the tasks of an instance as the predecessor knows them.
func tasksByName(pod scheduler.PodView) []scheduler.TaskView {
	tasks := make([]scheduler.TaskView, 0, len(pod.Tasks))
	for _, task := range pod.Tasks {
		tasks = append(tasks, remembered(task))
	}
	sort.SliceStable(tasks, func(i, j int) bool { return tasks[i].FullName < tasks[j].FullName })
	return tasks
}

// remembered is what the predecessor knows of a task: nothing of its launch, once another task
// that shares its resources was launched.
func remembered(task scheduler.TaskView) scheduler.TaskView {
	if task.Superseded {
		task.ID, task.State = "", ""
	}
	return task
}

func (h *handlers) podRestart(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if pod, ok := findPod(w, r, v); ok {
		h.podCommand(w, r, pod, nil,
			scheduler.PodRestart{Pod: pod.Name.String(), Force: forced(r)})
	}
}

func (h *handlers) podReplace(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if pod, ok := findPod(w, r, v); ok {
		h.podCommand(w, r, pod, nil,
			scheduler.PodReplace{Pod: pod.Name.String(), Force: forced(r)})
	}
}

// forced says that ?force=true stands behind the path: whatever Kafka says. The predecessor knows
// no parameters here, and so anything else is as if it were not there.
func forced(r *http.Request) bool { return r.URL.Query().Get("force") == "true" }

func (h *handlers) podPause(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if pod, tasks, ok := podAndTasks(w, r, v); ok {
		h.podCommand(w, r, pod, tasks,
			scheduler.PodPause{Pod: pod.Name.String(), Tasks: tasks})
	}
}

func (h *handlers) podResume(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if pod, tasks, ok := podAndTasks(w, r, v); ok {
		h.podCommand(w, r, pod, tasks,
			scheduler.PodResume{Pod: pod.Name.String(), Tasks: tasks})
	}
}

// podAndTasks reads which tasks of which instance are meant: a JSON list of names, short or
// full, whatever the body's content type; no body means all. As with the predecessor a list
// with a name that the instance does not have is as wrong as an instance that there is not.
func podAndTasks(
	w http.ResponseWriter, r *http.Request, v *scheduler.View,
) (pod scheduler.PodView, full []string, ok bool) {
	if pod, ok = findPod(w, r, v); !ok {
		return pod, nil, false
	}
	body, ok := readAll(w, r)
	if !ok {
		return pod, nil, false
	}
	names, err := decodeNames(body)
	if err != nil {
		page(w, r, http.StatusBadRequest)
		return pod, nil, false
	}
	for _, name := range names {
		task := findTask(pod, name)
		if task == nil {
			missing(w, r, "Pod", pod.Name.String())
			return pod, nil, false
		}
		full = append(full, task.FullName)
	}
	sort.Strings(full)
	return pod, slices.Compact(full), true
}

// decodeNames reads a JSON list; what is in it and no text stands for how it is written.
func decodeNames(body []byte) ([]string, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	list := []any{}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&list); err != nil {
		return nil, err
	}
	if list == nil {
		return nil, errors.New("null is no list")
	}
	var names []string
	for _, name := range list {
		names = append(names, fmt.Sprint(name))
	}
	return names, nil
}

func findTask(pod scheduler.PodView, name string) *scheduler.TaskView {
	for i := range pod.Tasks {
		if pod.Tasks[i].Name == name || pod.Tasks[i].FullName == name {
			return &pod.Tasks[i]
		}
	}
	return nil
}

// podCommand answers with the tasks concerned, all if none is named; a command that is being
// carried out already is answered like one that was taken, as the predecessor does.
func (h *handlers) podCommand(
	w http.ResponseWriter, r *http.Request, pod scheduler.PodView, named []string,
	c scheduler.Command,
) {
	reply, ok := h.command(w, r, c)
	if !ok {
		return
	}
	tasks := texts(reply.Tasks)
	if len(tasks) == 0 {
		tasks = append(tasks, named...)
	}
	if len(tasks) == 0 {
		for _, task := range tasksByName(pod) {
			tasks = append(tasks, task.FullName)
		}
	}
	sort.Strings(tasks)
	writeJSON(w, http.StatusOK, api.PodCommanded{Pod: pod.Name.String(), Tasks: tasks})
}
