package server

import (
	"net/http"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// service answers with the status document. Its ETag is about what commands on the service
// change, and not about all that the document tells.
func (x *v2) service(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if !newQuestion(r).answerable(w, r) {
		return
	}
	now := x.Now().UTC()
	value, _ := assess(v)
	shape := api.Service{
		Name:        v.Service,
		FrameworkID: string(v.Framework),
		Connected:   v.Connected,
		Master:      v.Master,
		Suppressed:  v.Suppressed,
		Intent:      string(v.Intent),
		TargetID:    v.TargetID,
		Version:     x.Version,
		At:          v.At.UTC(),
		Now:         now,
		Health:      value,
		Plans:       make([]api.Plan, 0, len(v.Plans)),
		Pods:        make([]api.Pod, 0, len(v.Pods)),
		Leftovers:   []api.Leftover{},
		Endpoints:   []api.NamedEndpoint{},
		Kafka:       kafkaShape(v.Kafka, v.Target.Pods),
	}
	if x.Mesos != nil {
		mesos := x.Mesos()
		shape.Mesos = &mesos
	}
	for _, plan := range v.Plans {
		shape.Plans = append(shape.Plans, planShapeV2(plan, now))
	}
	for _, pod := range v.Pods {
		shape.Pods = append(shape.Pods, podShape(pod))
	}
	for _, left := range v.Leftovers {
		shape.Leftovers = append(shape.Leftovers, leftoverShape(left))
	}
	for _, e := range liveEndpoints(v) {
		shape.Endpoints = append(shape.Endpoints,
			api.NamedEndpoint{Name: e.Name, Endpoint: endpointShape(e)})
	}
	w.Header().Set("ETag", serviceRevision(v))
	writeJSON(w, http.StatusOK, shape)
}

// serviceCommand answers a command on the service as a whole.
func (x *v2) serviceCommand(c scheduler.Command) viewHandler {
	return func(w http.ResponseWriter, r *http.Request, _ *scheduler.View) {
		var given api.ServiceCommand
		if !newQuestion(r).answerable(w, r) || !optionalBody(w, r, &given) {
			return
		}
		x.answerOutcome(w, r, c, given.Reason, serviceRevision)
	}
}
