package metrics

import (
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// stopped gives metrics whose clock stands until it is moved.
func stopped() (m *Metrics, clock *time.Time) {
	now := time.Unix(1_800_000_000, 0)
	m = New(NewRegistry())
	m.Strict = true
	m.now = func() time.Time { return now }
	m.old = newPredecessor(now)
	return m, &now
}

// own leaves out what is measured of HTTP.
func own(counters map[string]int64) map[string]int64 {
	maps.DeleteFunc(counters, func(name string, _ int64) bool {
		return strings.HasPrefix(name, ofHTTP)
	})
	return counters
}

// What is done is counted as the predecessor did: offers, and resources, one by one.
func TestOldCounters(t *testing.T) {
	m, _ := stopped()
	for _, count := range []string{scheduler.CountOffers, scheduler.CountOffers,
		scheduler.CountReserves, scheduler.CountKills, scheduler.CountStatus + "RUNNING"} {
		m.Count(count)
	}
	two := make(resource.List, 2)
	for _, call := range []mesos.Call{mesos.Revive{}, mesos.Suppress{}, mesos.Kill{},
		mesos.Decline{Offers: []mesos.OfferID{"1", "2", "3"}},
		mesos.Accept{Operations: []mesos.Operation{mesos.Reserve{Resources: two},
			mesos.Create{Volumes: two[:1]}, mesos.Launch{}, mesos.Destroy{Volumes: two[:1]},
			mesos.Unreserve{Resources: two}}}} {
		m.Sent(call)
	}
	want := map[string]int64{"offers.received": 2, "offers.processed": 2, "revives": 1,
		"suppresses": 1, "declines.long": 3, "operation.reserve": 2, "operation.create": 1,
		"operation.launch_group": 1, "operation.destroy": 1, "operation.unreserve": 2,
		"task_status.task_running": 1}
	if got := own(m.Old().Counters); !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// Only looks at offers and idle ones count, and only while there is a subscription.
func TestOldPasses(t *testing.T) {
	m, _ := stopped()
	m.Stepped(scheduler.Tick{}, time.Second)
	m.Observe(&scheduler.View{})
	m.Stepped(scheduler.Tick{}, time.Second)
	if got, is := m.Old().Timers[oldPasses]; is {
		t.Errorf("%+v without a subscription", got)
	}
	m.Observe(&scheduler.View{Connected: true})
	m.Stepped(scheduler.Tick{}, time.Second)
	m.Stepped(scheduler.FromMesos{Event: mesos.Offers{}}, 3*time.Second)
	m.Stepped(scheduler.FromMesos{Event: mesos.Updated{}}, time.Second)
	m.Stepped(scheduler.Commanded{}, time.Second)
	got := m.Old().Timers[oldPasses]
	if got.Count != 2 || got.Min != 1 || got.Max != 3 || got.Mean != 2 || got.Deviation != 1 ||
		got.Quantiles[0] != 3 {
		t.Errorf("%+v", got)
	}
}

// Requests are measured by their method and by their answer.
func TestOldRequests(t *testing.T) {
	m, now := stopped()
	during := map[string]int64{}
	h := m.Requests(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		during = m.Old().Counters
		*now = now.Add(time.Second)
		if r.URL.Path == "/missing" {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	for _, path := range []string{"/", "/missing"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("PATCH", "/", nil))
	values := m.Old()
	if during[oldActive] != 1 || values.Counters[oldActive] != 0 {
		t.Errorf("active: %d, then %d", during[oldActive], values.Counters[oldActive])
	}
	for name, want := range map[string]int64{"requests": 3, "dispatches": 3, "get-requests": 2,
		"other-requests": 1, "put-requests": 0} {
		if got := values.Timers[ofHTTP+name]; got.Count != want || want > 0 && got.Mean != 1 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for name, want := range map[string]int64{"2xx-responses": 2, "4xx-responses": 1,
		"5xx-responses": 0} {
		if got := values.Meters[ofHTTP+name].Count; got != want {
			t.Errorf("%s: %d", name, got)
		}
	}
}

// The averages begin with the first period and fade afterwards; the mean is over everything.
func TestRates(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	m := newMeter(now)
	for range 10 {
		m.mark(now)
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %g, want %g", what, got, want)
		}
	}
	near("before a period ended", m.rates(now.Add(4*time.Second)).M1, 0)
	r := m.rates(now.Add(5 * time.Second))
	near("mean", r.Mean, 2)
	near("one minute", r.M1, 2)
	near("fifteen", r.M15, 2)
	r = m.rates(now.Add(65 * time.Second))
	near("one minute later", r.M1, 2/math.E)
	near("mean later", r.Mean, 10.0/65)
	m.mark(now.Add(66 * time.Second))
	near("one more", m.rates(now.Add(70*time.Second)).M1,
		2*math.Exp(-65.0/60)+0.2*(1-math.Exp(-5.0/60)))
}

// A timer forgets the oldest durations.
func TestTimerForgets(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	timer := newTimer(now)
	for i := range remembered + 10 {
		timer.took(now, time.Duration(i)*time.Second)
	}
	d := timer.durations(now)
	if d.Count != remembered+10 || d.Min != 10 || d.Max != remembered+9 {
		t.Errorf("%+v", d)
	}
}

// The text has all of it, in the predecessor's types.
func TestOldText(t *testing.T) {
	m, _ := stopped()
	m.Count(scheduler.CountStatus + "RUNNING")
	m.Observe(&scheduler.View{Suppressed: true, Connected: true})
	m.Stepped(scheduler.Tick{}, time.Second)
	w := httptest.NewRecorder()
	m.OldHandler().ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	for _, line := range []string{"# TYPE task_status_task_running gauge",
		"task_status_task_running 1", "is_suppressed 1", "# TYPE offers_process summary",
		`offers_process{quantile="0.999"} 1`, "offers_process_count 1",
		"# TYPE org_eclipse_jetty_servlet_ServletContextHandler_2xx_responses_total counter",
		"org_eclipse_jetty_servlet_ServletContextHandler_2xx_responses_total 0"} {
		if !strings.Contains(w.Body.String(), "\n"+line+"\n") {
			t.Errorf("no %q in %s", line, w.Body)
		}
	}
	if w.Code != 200 || strings.Contains(w.Body.String(), "kafka_sched") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
