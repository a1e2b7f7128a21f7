package metrics

import (
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// Metrics is the scheduler's set of metrics. It is safe for use by several goroutines.
type Metrics struct {
	// Strict makes Count panic at a name that is not declared; tests set it.
	Strict bool

	// StalledAfter is how long a plan may make no progress; 0 is DefaultStalledAfter. Set it
	// before there is a view.
	StalledAfter time.Duration

	// Edge tells how things stand with the masters; nil does not. Set it before there is a view.
	Edge func() Edge

	registry *prometheus.Registry
	counters map[string]prometheus.Counter
	unknown  prometheus.Counter
	picture  atomic.Pointer[picture]
	now      func() time.Time
	old      *predecessor
}

// DefaultStalledAfter is how long a plan may make no progress unless somebody says otherwise.
const DefaultStalledAfter = 15 * time.Minute

// picture is a view with what only comparing it with those before it tells.
type picture struct {
	view     *scheduler.View
	progress map[string]progress // by plan
}

// NewRegistry gives a registry with the few metrics on the process itself that are worth their
// memory.
func NewRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewGoCollector(collectors.WithGoCollectorMemStatsMetricsDisabled(),
			collectors.WithGoCollectorRuntimeMetrics(collectors.GoRuntimeMetricsRule{
				Matcher: regexp.MustCompile("^/gc/heap/live:bytes$")})),
	)
	return registry
}

// New registers all metrics of the scheduler with the registry, most often one of NewRegistry.
func New(registry *prometheus.Registry) *Metrics {
	m := &Metrics{registry: registry, counters: map[string]prometheus.Counter{}, now: time.Now,
		old: newPredecessor(time.Now())}
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
	byOutcome := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: total("operation_statuses"),
		Help: "Feedback on reservations and volumes that was received.",
	}, []string{"state"})
	for _, state := range mesos.OperationStates {
		m.counters[scheduler.CountOperation+state] = byOutcome.WithLabelValues(state)
	}
	hooks := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: total("webhook_messages"), Help: "Messages of webhooks, by what became of them.",
	}, []string{"outcome"})
	for count, outcome := range hookOutcomes {
		m.counters[count] = hooks.WithLabelValues(outcome)
	}
	m.unknown = prometheus.NewCounter(prometheus.CounterOpts{
		Name: total("undeclared_counts"),
		Help: "Counts under names that are not declared: bugs.",
	})
	registry.MustRegister(byState, byOutcome, hooks, m.unknown, viewCollector{m}, leads(1))
	return m
}

// Standby answers for a scheduler that does not lead: with the metrics of its process alone.
func Standby() http.Handler {
	registry := NewRegistry()
	registry.MustRegister(leads(0))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{DisableCompression: true})
}

// leads says whether a scheduler leads.
func leads(value float64) prometheus.Gauge {
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "leads",
		Help: "Whether this scheduler leads; one that stands by hands requests on."})
	gauge.Set(value)
	return gauge
}

// Observe makes a view the one that the gauges are read off. It is called by one goroutine.
func (m *Metrics) Observe(view *scheduler.View) {
	var before map[string]progress
	if last := m.picture.Load(); last != nil {
		before = last.progress
	}
	m.picture.Store(&picture{view, follow(view, before)})
}

// Count increases the counter of that name (scheduler.Note.Count); "" is none.
func (m *Metrics) Count(name string) {
	if name == "" {
		return
	}
	m.old.counted(name)
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
	if last := c.m.picture.Load(); last != nil {
		s, view := sink{out}, last.view
		s.service(view)
		if c.m.Edge != nil {
			s.edge(c.m.Edge())
		}
		for _, plan := range view.Plans {
			s.plan(plan)
			s.stalled(plan, c.m.now().Sub(last.progress[plan.Name].since), c.m.StalledAfter)
		}
		s.pods(view.Pods, c.m.now())
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
