package server

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// hasStatus says whether a pod has a status as api.PodQuery means it.
func hasStatus(pod scheduler.PodView, status string) bool {
	for _, task := range pod.Tasks {
		if string(task.State) == status || task.Override == status ||
			task.State == "" && status == api.StatusPending {
			return true
		}
	}
	return false
}

// podName reads the name of an instance, "kafka-0"; false says that none is called so.
func podName(text string) (name scheduler.PodName, ok bool) {
	i := strings.LastIndexByte(text, '-')
	if i < 0 {
		return name, false
	}
	index, err := strconv.Atoi(text[i+1:])
	name = scheduler.PodName{Type: text[:i], Index: index}
	return name, err == nil && name.String() == text
}

func compareNames(a, b scheduler.PodName) int {
	return cmp.Or(strings.Compare(a.Type, b.Type), cmp.Compare(a.Index, b.Index))
}

// comesAfter says whether an instance comes after the one of that name, which may be gone.
func comesAfter(pod *scheduler.PodView, last string) bool {
	name, ok := podName(last)
	return ok && compareNames(pod.Name, name) > 0
}

func podKey(pod *scheduler.PodView) string { return pod.Name.String() }

func (x *v2) pods(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	q := newQuestion(r)
	kind, status, host := q.text("type"), q.text("status"), q.text("host")
	page := q.page()
	if !q.answerable(w, r) {
		return
	}
	wanted := []*scheduler.PodView{}
	for i := range v.Pods {
		pod := &v.Pods[i]
		if page.Limit > 0 && len(wanted) > page.Limit {
			break // there may be many, and one more is enough to know that there are
		}
		if (page.Cursor == "" || comesAfter(pod, page.Cursor)) &&
			(kind == "" || pod.Name.Type == kind) && (host == "" || pod.Hostname == host) &&
			(status == "" || hasStatus(*pod, status)) {
			wanted = append(wanted, pod)
		}
	}
	part, next := pageOf(wanted, api.Page{Limit: page.Limit}, podKey, comesAfter)
	list := api.PodList{Pods: make([]api.Pod, 0, len(part)), NextCursor: next}
	for _, pod := range part {
		list.Pods = append(list.Pods, podShape(*pod))
	}
	writeJSON(w, http.StatusOK, list)
}

// podNamed finds an instance by its name, launched or not; nil when there is none. A view lists
// them in order.
func podNamed(v *scheduler.View, text string) *scheduler.PodView {
	name, ok := podName(text)
	if !ok {
		return nil
	}
	i, found := slices.BinarySearchFunc(v.Pods, name,
		func(pod scheduler.PodView, name scheduler.PodName) int {
			return compareNames(pod.Name, name)
		})
	if !found {
		return nil
	}
	return &v.Pods[i]
}

// withPod finds the instance that the path names, or answers 404.
func withPod(
	w http.ResponseWriter, r *http.Request, v *scheduler.View,
) (*scheduler.PodView, bool) {
	pod := podNamed(v, param(r, "pod"))
	if pod == nil {
		missing(w, r, "Pod", param(r, "pod"))
	}
	return pod, pod != nil
}

func (x *v2) pod(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	pod, ok := withPod(w, r, v)
	if !ok || !newQuestion(r).answerable(w, r) {
		return
	}
	shape := podShape(*pod)
	if !unchanged(w, r, revisionOf(shape)) {
		writeJSON(w, http.StatusOK, shape)
	}
}

func (x *v2) tasks(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	pod, ok := withPod(w, r, v)
	if !ok || !newQuestion(r).answerable(w, r) {
		return
	}
	shape := api.TaskList{Tasks: podShape(*pod).Tasks}
	if !unchanged(w, r, revisionOf(shape)) {
		writeJSON(w, http.StatusOK, shape)
	}
}

// withTask finds the task that the path names, or answers 404.
func withTask(
	w http.ResponseWriter, r *http.Request, v *scheduler.View,
) (*scheduler.PodView, *scheduler.TaskView) {
	pod, ok := withPod(w, r, v)
	if !ok {
		return nil, nil
	}
	name := param(r, "task")
	for i, task := range pod.Tasks {
		if task.Name == name || task.FullName == name {
			return pod, &pod.Tasks[i]
		}
	}
	missing(w, r, "Task", name)
	return nil, nil
}

func (x *v2) task(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	_, task := withTask(w, r, v)
	if task == nil || !newQuestion(r).answerable(w, r) {
		return
	}
	shape := taskShape(*task)
	if !unchanged(w, r, revisionOf(shape)) {
		writeJSON(w, http.StatusOK, shape)
	}
}

// podCommands make the machine's command of an instance's name and what was given with it.
var podCommands = map[string]func(pod string, given api.PodCommand) scheduler.Command{
	api.CommandRestart: func(pod string, given api.PodCommand) scheduler.Command {
		return scheduler.PodRestart{Pod: pod, Force: given.Force}
	},
	api.CommandReplace: func(pod string, given api.PodCommand) scheduler.Command {
		return scheduler.PodReplace{Pod: pod, Force: given.Force}
	},
	api.CommandMove: func(pod string, given api.PodCommand) scheduler.Command {
		return scheduler.PodMove{Pod: pod, To: given.To, Force: given.Force, Cancel: given.Cancel}
	},
	api.CommandPause: func(pod string, given api.PodCommand) scheduler.Command {
		return scheduler.PodPause{Pod: pod, Tasks: given.Tasks}
	},
	api.CommandResume: func(pod string, given api.PodCommand) scheduler.Command {
		return scheduler.PodResume{Pod: pod, Tasks: given.Tasks}
	},
	api.CommandResetBackoff: func(pod string, _ api.PodCommand) scheduler.Command {
		return scheduler.BackoffReset{Pod: pod}
	},
}

func (x *v2) podCommand(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	name, verb := param(r, "pod"), param(r, "command")
	command, known := podCommands[verb]
	if !known {
		fail(w, r, http.StatusNotFound, api.CodeNotFound, "There is no such command on pods; "+
			"there are "+strings.Join(sortedKeys(podCommands), ", ")+".")
		return
	}
	var given api.PodCommand
	if !newQuestion(r).answerable(w, r) || !optionalBody(w, r, &given) {
		return
	}
	pod, ok := withPod(w, r, v)
	if !ok {
		return
	}
	if wrong := wrongPodCommand(*pod, verb, given); wrong != "" {
		fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest, wrong)
		return
	}
	x.answerOutcome(w, r, command(name, given), given.Reason,
		func(v *scheduler.View) string {
			if pod := podNamed(v, name); pod != nil {
				return revisionOf(podShape(*pod))
			}
			return `""` // it went away; the machine says so to who does not ask for a revision
		})
}

// wrongPodCommand says what makes no sense in a command, "" for nothing.
func wrongPodCommand(pod scheduler.PodView, verb string, given api.PodCommand) string {
	tasks := given.Tasks
	moves := verb == api.CommandMove
	switch {
	case given.Force && verb != api.CommandRestart && verb != api.CommandReplace && !moves:
		return "Only restart, replace and move can be forced."
	case !moves && (given.To != "" || given.Cancel):
		return "Only a move leads to an agent, and can be cancelled."
	case given.Cancel && (given.To != "" || given.Force):
		return "A move that is cancelled leads nowhere and takes no force."
	}
	if len(tasks) > 0 && verb != api.CommandPause && verb != api.CommandResume {
		return fmt.Sprintf("An instance is told to %s with all its tasks; name none.", verb)
	}
	for _, name := range tasks {
		if !slices.ContainsFunc(pod.Tasks, func(task scheduler.TaskView) bool {
			return task.Name == name || task.FullName == name
		}) {
			return fmt.Sprintf("%s has no task %q.", pod.Name, name)
		}
	}
	return ""
}
