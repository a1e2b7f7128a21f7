package server

import (
	"encoding/json"
	"net/http"

	"github.com/google/uuid"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// findTarget finds a configuration by its id.
func findTarget(v *scheduler.View, id string) (servicespec.Service, bool) {
	list := versions(v)
	if i := versionOf(list, id); i >= 0 {
		return list[i].service, true
	}
	return servicespec.Service{}, false
}

func configurations(w http.ResponseWriter, _ *http.Request, v *scheduler.View) {
	writeJSON(w, http.StatusOK, keptVersions(v))
}

func targetID(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	list := versions(v)
	if len(list) == 0 {
		page(w, r, http.StatusNotFound)
		return
	}
	writeJSON(w, http.StatusOK, []string{list[len(list)-1].id()})
}

func target(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if v.TargetID == "" {
		page(w, r, http.StatusNotFound)
		return
	}
	writeService(w, v.Target)
}

func configuration(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if service, ok := wantedTarget(w, r, v, param(r, "id")); ok {
		writeService(w, service)
	}
}

// wantedTarget finds a configuration by an id out of the path, or answers itself.
func wantedTarget(
	w http.ResponseWriter, r *http.Request, v *scheduler.View, id string,
) (servicespec.Service, bool) {
	service, ok := findTarget(v, id)
	if ok {
		return service, true
	}
	if _, err := uuid.Parse(id); err != nil {
		page(w, r, http.StatusBadRequest)
	} else {
		page(w, r, http.StatusNotFound)
	}
	return service, false
}

func writeService(w http.ResponseWriter, service servicespec.Service) {
	writeJSON(w, http.StatusOK, json.RawMessage(predecessorText(service)))
}

// template answers with the text of a task's config template, as a configuration has it.
func template(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	service, ok := wantedTarget(w, r, v, param(r, "configId"))
	if !ok {
		return
	}
	kind, name, config := param(r, "podType"), param(r, "task"), param(r, "configName")
	for _, pod := range service.Pods {
		for _, task := range pod.Tasks {
			for _, file := range task.Configs {
				if pod.Type == kind && task.Name == name && file.Name == config {
					sentence(w, http.StatusOK, file.Text)
					return
				}
			}
		}
	}
	page(w, r, http.StatusNotFound)
}
