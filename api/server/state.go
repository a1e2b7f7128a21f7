package server

import (
	"net/http"
	"sort"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

func frameworkID(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if v.Framework == "" {
		page(w, r, http.StatusNotFound)
		return
	}
	writeJSON(w, http.StatusOK, []string{string(v.Framework)})
}

// refresh has nothing to do: nothing is read through a cache here.
func refresh(w http.ResponseWriter, _ *http.Request, _ *scheduler.View) {
	writeJSON(w, http.StatusOK, api.Message{Message: "Received cmd: refresh"})
}

// The keys of properties, or how they begin and end.
const (
	updateTypeKey = "last-completed-update-type"
	fileKey       = "file-"
	taskStatusKey = ":task-status"
)

// properties is what the predecessor kept under these keys.
func properties(v *scheduler.View) map[string]string {
	values := map[string]string{}
	if deployed(v) {
		values[updateTypeKey] = "DEPLOY"
	}
	for name, content := range v.Files {
		values[fileKey+name] = content
	}
	for _, pod := range v.Pods {
		for _, task := range pod.Tasks {
			if task.Reached != nil {
				values[task.FullName+taskStatusKey] = statusBytes(*task.Reached)
			}
		}
	}
	return values
}

// deployed says that a deployment of this service was complete once.
func deployed(v *scheduler.View) bool {
	for _, earlier := range v.Earlier {
		if !earlier.Done.IsZero() {
			return true
		}
	}
	return !v.TargetDone.IsZero()
}

func propertyKeys(w http.ResponseWriter, _ *http.Request, v *scheduler.View) {
	keys := []string{}
	for key := range properties(v) {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	writeJSON(w, http.StatusOK, keys)
}

// property answers with the value as a JSON text; the bytes of a protobuf that are no text are
// replaced, as the predecessor does.
func property(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	value, ok := properties(v)[param(r, "key")]
	if !ok {
		page(w, r, http.StatusNotFound)
		return
	}
	writeJSON(w, http.StatusOK, value)
}

// taskZones are the zones of all tasks of the instances that have a place in one.
func taskZones(v *scheduler.View) map[string]string {
	zones := map[string]string{}
	for _, pod := range v.Pods {
		if pod.Domain.Zone == "" {
			continue
		}
		for _, task := range pod.Tasks {
			zones[task.FullName] = pod.Domain.Zone
		}
	}
	return zones
}

func zones(w http.ResponseWriter, _ *http.Request, v *scheduler.View) {
	writeJSON(w, http.StatusOK, taskZones(v))
}

func taskZone(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	zone, ok := taskZones(v)[param(r, "task")]
	if !ok {
		page(w, r, http.StatusNotFound)
		return
	}
	sentence(w, http.StatusOK, zone)
}

// addressZone finds the zone of the instance of a type that has a task under an address.
func addressZone(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	kind, ip := param(r, "podType"), param(r, "ip")
	for _, pod := range v.Pods {
		if pod.Name.Type != kind || pod.Domain.Zone == "" {
			continue
		}
		for _, task := range pod.Tasks {
			if task.IP == ip && ip != "" {
				sentence(w, http.StatusOK, pod.Domain.Zone)
				return
			}
		}
	}
	page(w, r, http.StatusNotFound)
}
