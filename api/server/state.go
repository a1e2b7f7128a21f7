package server

import (
	"net/http"

	"github.com/google/uuid"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

func endpointNames(w http.ResponseWriter, _ *http.Request, v *scheduler.View) {
	names := []string{}
	for _, e := range liveEndpoints(v) {
		names = append(names, e.Name)
	}
	writeJSON(w, http.StatusOK, names)
}

func endpoint(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	name := param(r, "endpoint")
	for _, e := range liveEndpoints(v) {
		if e.Name == name {
			writeJSON(w, http.StatusOK, endpointShape(e))
			return
		}
	}
	missing(w, r, "Endpoint", name)
}

// configurations lists the target alone: the configurations before it are not kept.
func configurations(w http.ResponseWriter, _ *http.Request, v *scheduler.View) {
	ids := []string{}
	if v.TargetID != "" {
		ids = append(ids, v.TargetID)
	}
	writeJSON(w, http.StatusOK, ids)
}

func targetID(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if v.TargetID == "" {
		missing(w, r, "Configuration", "target")
		return
	}
	writeJSON(w, http.StatusOK, []string{v.TargetID})
}

func target(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if v.TargetID == "" {
		missing(w, r, "Configuration", "target")
		return
	}
	writeJSON(w, http.StatusOK, specShape(v.Target))
}

func configuration(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	id := param(r, "id")
	if _, err := uuid.Parse(id); err != nil {
		fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest, "Not a UUID: "+id)
		return
	}
	if v.TargetID == "" || id != v.TargetID {
		missing(w, r, "Configuration", id)
		return
	}
	writeJSON(w, http.StatusOK, specShape(v.Target))
}

func frameworkID(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if v.Framework == "" {
		missing(w, r, "Framework", "id")
		return
	}
	writeJSON(w, http.StatusOK, []string{string(v.Framework)})
}
