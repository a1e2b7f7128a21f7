package server

import (
	"net/http"

	"github.com/google/uuid"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

func (h *handlers) service(w http.ResponseWriter, _ *http.Request, v *scheduler.View) {
	now := h.Now().UTC()
	value, _ := assess(v)
	shape := api.Service{
		Name:        v.Service,
		FrameworkID: string(v.Framework),
		Connected:   v.Connected,
		Master:      v.Master,
		Suppressed:  v.Suppressed,
		Intent:      string(v.Intent),
		TargetID:    v.TargetID,
		Version:     h.Version,
		At:          v.At.UTC(),
		Now:         now,
		Health:      value,
		Plans:       h.planShapes(v),
		Pods:        podShapes(v),
		Leftovers:   []api.Leftover{},
		Endpoints:   []api.NamedEndpoint{},
		Kafka:       kafkaShape(v.Kafka),
	}
	for _, left := range v.Leftovers {
		shape.Leftovers = append(shape.Leftovers, leftoverShape(left))
	}
	for _, e := range liveEndpoints(v) {
		shape.Endpoints = append(shape.Endpoints,
			api.NamedEndpoint{Name: e.Name, Endpoint: endpointShape(e)})
	}
	writeJSON(w, http.StatusOK, shape)
}

func (h *handlers) planShapes(v *scheduler.View) []api.Plan {
	now := h.Now()
	list := make([]api.Plan, 0, len(v.Plans))
	for _, plan := range v.Plans {
		list = append(list, planShape(plan, now))
	}
	return list
}

func podShapes(v *scheduler.View) []api.Pod {
	list := make([]api.Pod, 0, len(v.Pods))
	for _, pod := range v.Pods {
		list = append(list, podShape(pod))
	}
	return list
}

func (h *handlers) plans(w http.ResponseWriter, _ *http.Request, v *scheduler.View) {
	writeJSON(w, http.StatusOK, api.PlanList{Plans: h.planShapes(v)})
}

func (h *handlers) pods(w http.ResponseWriter, _ *http.Request, v *scheduler.View) {
	writeJSON(w, http.StatusOK, api.PodList{Pods: podShapes(v)})
}

func (h *handlers) serviceStop(w http.ResponseWriter, r *http.Request, _ *scheduler.View) {
	h.serviceCommand(w, r, scheduler.ServiceStop{})
}

func (h *handlers) serviceStart(w http.ResponseWriter, r *http.Request, _ *scheduler.View) {
	h.serviceCommand(w, r, scheduler.ServiceStart{})
}

func (h *handlers) serviceUninstall(w http.ResponseWriter, r *http.Request, _ *scheduler.View) {
	h.serviceCommand(w, r, scheduler.ServiceUninstall{})
}

func (h *handlers) serviceCommand(
	w http.ResponseWriter, r *http.Request, c scheduler.Command,
) {
	if reply, ok := h.command(w, r, c); ok {
		writeJSON(w, http.StatusOK, outcome(reply))
	}
}

// setTarget parses the spec here, so that the machine sees only services that make sense.
func (h *handlers) setTarget(w http.ResponseWriter, r *http.Request, _ *scheduler.View) {
	body, err := readBody(w, r, api.JSONType)
	if err != nil {
		return
	}
	invalid := func(detail string) {
		fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest, detail)
	}
	var want api.SetTarget
	switch {
	case body == nil:
		invalid(`A body is needed: {"spec": "the text of the service's YAML"}.`)
		return
	default:
		if err := decodeJSON(body, &want); err != nil {
			invalid(err.Error())
			return
		}
	}
	if want.ID == "" {
		want.ID = uuid.NewString()
	} else if id, err := uuid.Parse(want.ID); err != nil || id.String() != want.ID {
		invalid("The id is not a UUID in lower case: " + want.ID)
		return
	}
	service, err := h.ParseSpec([]byte(want.Spec), want.Files)
	if err != nil {
		invalid(err.Error())
		return
	}
	reply, ok := h.command(w, r, scheduler.SetTarget{ID: want.ID, Service: service})
	if !ok {
		return
	}
	shape := outcome(reply)
	if shape.Changed {
		shape.TargetID = want.ID
	}
	writeJSON(w, http.StatusOK, shape)
}
