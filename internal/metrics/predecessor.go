package metrics

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// oldNames are the predecessor's names of what is counted here, by our names. The predecessor
// told short and long declines apart, of which there are only long ones here, and launched in
// groups.
var oldNames = map[string]string{
	scheduler.CountOffers:     "offers.received",
	scheduler.CountDeclines:   "declines.long",
	scheduler.CountRevives:    "revives",
	scheduler.CountSuppresses: "suppresses",
	scheduler.CountReserves:   "operation.reserve",
	scheduler.CountUnreserves: "operation.unreserve",
	scheduler.CountLaunches:   "operation.launch_group",
}

// oldName gives the predecessor's name of a counter, "" for what it did not count.
func oldName(count string) string {
	if state, is := strings.CutPrefix(count, scheduler.CountStatus); is {
		return "task_status.task_" + strings.ToLower(state)
	}
	return oldNames[count]
}

// OldCounts gives the counters under the predecessor's names. As with it there are none that
// were never increased.
func (m *Metrics) OldCounts() map[string]int64 {
	counts := map[string]int64{}
	for count, counter := range m.counters {
		var value dto.Metric
		if name := oldName(count); name != "" && counter.Write(&value) == nil {
			if n := int64(value.GetCounter().GetValue()); n > 0 {
				counts[name] = n
			}
		}
	}
	if n := counts["offers.received"]; n > 0 {
		counts["offers.processed"] = n // each is looked at when it comes
	}
	return counts
}

// OldHandler answers scrapes with the same under the names that Prometheus was given by the
// predecessor, where dots are underscores, and with all that Handler answers with.
func (m *Metrics) OldHandler() http.Handler {
	return promhttp.HandlerFor(prometheus.Gatherers{oldGatherer{m}, m.registry},
		promhttp.HandlerOpts{
			MaxRequestsInFlight: 2,
			ErrorHandling:       promhttp.ContinueOnError,
			DisableCompression:  true,
		})
}

// oldGatherer gives OldCounts, and whether offers are suppressed.
type oldGatherer struct{ m *Metrics }

// Gather implements prometheus.Gatherer.
func (g oldGatherer) Gather() ([]*dto.MetricFamily, error) {
	values := map[string]float64{"is_suppressed": 0}
	for name, n := range g.m.OldCounts() {
		values[strings.ReplaceAll(name, ".", "_")] = float64(n)
	}
	if last := g.m.picture.Load(); last != nil && last.view.Suppressed {
		values["is_suppressed"] = 1
	}
	var families []*dto.MetricFamily
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value, help := values[name], "As the predecessor counted it."
		families = append(families, &dto.MetricFamily{
			Name: &name, Help: &help, Type: dto.MetricType_GAUGE.Enum(),
			Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: &value}}},
		})
	}
	return families, nil
}
