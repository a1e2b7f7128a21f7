package server

import (
	"fmt"
	"net/http"
	"strings"

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

func (h *handlers) endpoint(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	name := param(r, "endpoint")
	for _, e := range liveEndpoints(v) {
		if e.Name == name {
			writeJSON(w, http.StatusOK, h.endpointV1(v, e))
			return
		}
	}
	page(w, r, http.StatusNotFound)
}

// endpointV1 gives an endpoint the names that the cluster's DNS has for it, where there is one
// that knows tasks; else the names of the hosts, and no virtual address.
func (h *handlers) endpointV1(v *scheduler.View, e scheduler.EndpointView) api.Endpoint {
	shape := api.Endpoint{Address: texts(e.Address), DNS: texts(e.DNS)}
	service := strings.ReplaceAll(v.Service, "/", "")
	if h.ServiceTLD != "" {
		shape.DNS = shape.DNS[:0]
		for i, task := range e.Tasks {
			shape.DNS = append(shape.DNS,
				fmt.Sprintf("%s.%s.%s:%d", task, service, h.ServiceTLD, e.Ports[i]))
		}
	}
	if h.VIPTLD != "" && e.VIP != nil {
		shape.VIP = fmt.Sprintf("%s.%s.%s:%d", e.VIP.Prefix, service, h.VIPTLD, e.VIP.Port)
	}
	return shape
}
