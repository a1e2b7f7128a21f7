package server

import (
	"net/http"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/internal/metrics"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// OldMetrics has what the predecessor measured, and measures requests for it.
type OldMetrics interface {
	Old() metrics.OldValues
	OldHandler() http.Handler
	Requests(next http.Handler) http.Handler
}

// metricsJSON answers with the predecessor's metrics in the shape of the library that it used.
func (h *handlers) metricsJSON(w http.ResponseWriter, _ *http.Request, v *scheduler.View) {
	shape := api.OldMetrics{Version: "3.1.3", // of the shape
		Gauges:   map[string]api.OldGauge{"is_suppressed": {Value: v.Suppressed}},
		Counters: map[string]api.OldCounter{}, Meters: map[string]api.OldMeter{},
		Timers: map[string]api.OldTimer{}}
	if h.OldMetrics == nil {
		writeJSON(w, http.StatusOK, shape)
		return
	}
	values := h.OldMetrics.Old()
	for name, count := range values.Counters {
		shape.Counters[name] = api.OldCounter{Count: count}
	}
	for name, meter := range values.Meters {
		shape.Meters[name] = api.OldMeter{Count: meter.Count, OldRates: oldRates(meter),
			Units: "events/second"}
	}
	for name, timer := range values.Timers {
		shape.Timers[name] = oldTimer(timer)
	}
	writeJSON(w, http.StatusOK, shape)
}

func oldRates(r metrics.Rates) api.OldRates {
	return api.OldRates{M15: r.M15, M1: r.M1, M5: r.M5, Mean: r.Mean}
}

func oldTimer(d metrics.Durations) api.OldTimer {
	q := d.Quantiles
	return api.OldTimer{Count: d.Count, Max: d.Max, Mean: d.Mean, Min: d.Min,
		P50: q[0], P75: q[1], P95: q[2], P98: q[3], P99: q[4], P999: q[5],
		Deviation: d.Deviation, OldRates: oldRates(d.Rates),
		DurationUnits: "seconds", RateUnits: "calls/second"}
}

// oldMetrics answers with the text format of Prometheus, under the predecessor's names.
func (h *handlers) oldMetrics(w http.ResponseWriter, r *http.Request) {
	if h.OldMetrics == nil {
		h.metrics(w, r)
		return
	}
	h.OldMetrics.OldHandler().ServeHTTP(w, r)
}
