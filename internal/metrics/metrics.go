package metrics

import (
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// Metrics is the scheduler's set of metrics. It is safe for use by several goroutines.
type Metrics struct {
	// Strict makes Count panic at a name that is not declared; tests set it.
	Strict bool

	registry *prometheus.Registry
	counters map[string]prometheus.Counter
	unknown  prometheus.Counter
	view     atomic.Pointer[scheduler.View]
}

// NewRegistry gives a registry with the few metrics on the process itself that are worth their
// memory.
func NewRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewGoCollector(collectors.WithGoCollectorMemStatsMetricsDisabled()),
	)
	return registry
}

// New registers all metrics of the scheduler with the registry, most often one of NewRegistry.
func New(registry *prometheus.Registry) *Metrics {
	m := &Metrics{registry: registry, counters: map[string]prometheus.Counter{}}
	for count, of := range counters {
		m.counters[count] = prometheus.NewCounter(
			prometheus.CounterOpts{Name: total(of.name), Help: of.help})
		registry.MustRegister(m.counters[count])
	}
	byState := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: total("task_statuses"), Help: "Status updates that were received.",
	}, []string{"state"})
	for _, state := range taskStates {
		m.counters[scheduler.CountStatus+string(state)] = byState.WithLabelValues(string(state))
	}
	m.unknown = prometheus.NewCounter(prometheus.CounterOpts{
		Name: total("undeclared_counts"),
		Help: "Counts under names that are not declared: bugs.",
	})
	registry.MustRegister(byState, m.unknown, viewCollector{m})
	return m
}

// Observe makes a view the one that the gauges are read off.
func (m *Metrics) Observe(view *scheduler.View) { m.view.Store(view) }

// Count increases the counter of that name (scheduler.Note.Count); "" is none.
func (m *Metrics) Count(name string) {
	if name == "" {
		return
	}
	counter, ok := m.counters[name]
	if !ok {
		if m.Strict {
			panic("metrics: the count " + name + " is not declared")
		}
		counter = m.unknown
	}
	counter.Inc()
}

// Handler answers scrapes, at most two at once.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: 2,
		ErrorHandling:       promhttp.ContinueOnError, // most of a picture beats none
		DisableCompression:  true,
	})
}

// viewCollector reads the gauges off the latest view.
type viewCollector struct{ m *Metrics }

// Describe lists the gauges.
func (c viewCollector) Describe(out chan<- *prometheus.Desc) {
	for _, gauge := range gauges {
		out <- gauge
	}
}

// Collect gives the gauges of one view, none while there is no view.
func (c viewCollector) Collect(out chan<- prometheus.Metric) {
	if view := c.m.view.Load(); view != nil {
		s := sink{out}
		s.service(view)
		for _, plan := range view.Plans {
			s.plan(plan)
		}
		s.pods(view.Pods)
		s.kafka(view.Kafka)
	}
}

// sink turns values into metrics.
type sink struct{ out chan<- prometheus.Metric }

func (s sink) put(desc *prometheus.Desc, value float64, labels ...string) {
	for i, label := range labels {
		labels[i] = strings.ToValidUTF8(label, "?")
	}
	s.out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}

func (s sink) is(desc *prometheus.Desc, truth bool, labels ...string) {
	value := 0.0
	if truth {
		value = 1
	}
	s.put(desc, value, labels...)
}
