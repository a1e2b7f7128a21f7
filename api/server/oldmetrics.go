package server

import (
	"net/http"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// metricsJSON answers with the predecessor's counters in the shape of the library that it used,
// of whose kinds there are only counters and gauges here.
func (h *handlers) metricsJSON(w http.ResponseWriter, _ *http.Request, v *scheduler.View) {
	shape := api.OldMetrics{Version: "3.1.3", // of the shape
		Gauges:   map[string]api.OldGauge{"is_suppressed": {Value: v.Suppressed}},
		Counters: map[string]api.OldCounter{}}
	if h.OldCounts != nil {
		for name, count := range h.OldCounts() {
			shape.Counters[name] = api.OldCounter{Count: count}
		}
	}
	writeJSON(w, http.StatusOK, shape)
}

// oldMetrics answers with the text format of Prometheus, under the predecessor's names and
// then under ours.
func (h *handlers) oldMetrics(w http.ResponseWriter, r *http.Request) {
	if h.OldMetrics == nil {
		h.metrics(w, r)
		return
	}
	h.OldMetrics.ServeHTTP(w, r)
}
