package server

import (
	"slices"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// version is a configuration as the predecessor counts them. It knows no plans, so that one
// which differs from that before it only in these is the same, and keeps its id.
type version struct {
	ids     []string // the first is its own
	service servicespec.Service
	text    string
}

func (c version) id() string { return c.ids[0] }

// versions are the configurations that are known, oldest first, the target last.
func versions(v *scheduler.View) []version {
	all := slices.Clone(v.Earlier)
	if v.TargetID != "" {
		all = append(all, scheduler.EarlierTarget{ID: v.TargetID, Service: v.Target})
	}
	var list []version
	for _, target := range all {
		next := version{[]string{target.ID}, target.Service, predecessorText(target.Service)}
		if last := len(list) - 1; last >= 0 && list[last].text == next.text {
			next.ids = append(list[last].ids, target.ID)
			list = list[:last]
		}
		list = append(list, next)
	}
	return list
}

func predecessorText(service servicespec.Service) string {
	text, err := servicespec.PredecessorJSON(service)
	if err != nil {
		panic(err) // a service that was accepted can be printed: recoverPanic says that not
	}
	return string(text)
}

// versionOf is the place of a configuration in a list, -1 if it is not kept.
func versionOf(list []version, id string) int {
	return slices.IndexFunc(list, func(c version) bool { return slices.Contains(c.ids, id) })
}

// current is the place of the newest configuration which has the same pod as one that a task
// was launched with: the predecessor says that the task runs with that.
func current(list []version, kind, id string) int {
	of := versionOf(list, id)
	if of < 0 {
		return of
	}
	text := podText(list[of].service, kind)
	for i := len(list) - 1; i > of; i-- {
		if podText(list[i].service, kind) == text {
			return i
		}
	}
	return of
}

// podText is what the predecessor compares of a type of pod.
func podText(service servicespec.Service, kind string) string {
	for _, pod := range service.Pods {
		if pod.Type == kind {
			pod.Count, pod.AllowDecommission = 0, false
			service.Pods = []servicespec.Pod{pod}
			return predecessorText(service)
		}
	}
	return ""
}

// keptVersions are the ids of those that the predecessor still has: the target, those that
// tasks were launched with, and the one before the target if that changed pods, as it only
// forgets when it is started again.
func keptVersions(v *scheduler.View) []string {
	list := versions(v)
	if len(list) == 0 {
		return []string{}
	}
	last := len(list) - 1
	keep := map[int]bool{last: true}
	for _, pod := range launched(v) {
		for _, task := range pod.Tasks {
			if task.ID != "" {
				keep[current(list, pod.Name.Type, task.Target)] = true
			}
		}
	}
	if last > 0 {
		for _, pod := range list[last-1].service.Pods {
			keep[current(list, pod.Type, list[last-1].id())] = true
		}
	}
	ids := []string{}
	for i, c := range list {
		if keep[i] {
			ids = append(ids, c.id())
		}
	}
	return ids
}
