package metrics

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// predecessor measures what the predecessor did, under its names. As with it, a counter is
// there as soon as it was increased, and what it measures of HTTP from the start on.
type predecessor struct {
	sync.Mutex
	counters map[string]int64
	meters   map[string]*meter
	timers   map[string]*timer
}

// OldValues is all that was measured, under the predecessor's names.
type OldValues struct {
	Counters map[string]int64
	Meters   map[string]Rates
	Timers   map[string]Durations
}

// ofHTTP begins the names of what is measured of HTTP, after the part of the predecessor's
// server that measured it: whoever watches it looks for these names.
const ofHTTP = "org.eclipse.jetty.servlet.ServletContextHandler."

// The names that more than one place needs.
const (
	oldPasses   = "offers.process"
	oldActive   = ofHTTP + "active-requests"
	oldServing  = ofHTTP + "active-dispatches"
	oldRequests = ofHTTP + "requests"
	oldServed   = ofHTTP + "dispatches"
)

// oldMethods are those whose requests have a timer of their own; others go by "other".
var oldMethods = []string{"connect", "delete", "get", "head", "move", "options", "post", "put",
	"trace"}

func newPredecessor(now time.Time) *predecessor {
	p := &predecessor{counters: map[string]int64{}, meters: map[string]*meter{},
		timers: map[string]*timer{}}
	for _, name := range []string{"1xx-responses", "2xx-responses", "3xx-responses",
		"4xx-responses", "5xx-responses", "async-dispatches", "async-timeouts"} {
		m := newMeter(now)
		p.meters[ofHTTP+name] = &m
	}
	for _, name := range append(slices.Clone(oldMethods), "other") {
		t := newTimer(now)
		p.timers[ofHTTP+name+"-requests"] = &t
	}
	requests, served := newTimer(now), newTimer(now)
	p.timers[oldRequests], p.timers[oldServed] = &requests, &served
	p.counters[oldActive], p.counters[oldServing] = 0, 0
	p.counters[ofHTTP+"active-suspended"] = 0 // none ever is
	return p
}

// add increases a counter.
func (p *predecessor) add(name string, n int) {
	p.Lock()
	defer p.Unlock()
	p.counters[name] += int64(n)
}

// counted takes what the machine counts.
func (p *predecessor) counted(name string) {
	if state, is := strings.CutPrefix(name, scheduler.CountStatus); is {
		p.add("task_status.task_"+strings.ToLower(state), 1)
	}
	if name == scheduler.CountOffers {
		p.add("offers.received", 1)
		p.add("offers.processed", 1) // each is looked at when it comes
	}
}

// Sent counts a call to Mesos for the predecessor's half.
func (m *Metrics) Sent(call mesos.Call) {
	switch call := call.(type) {
	case mesos.Revive:
		m.old.add("revives", 1)
	case mesos.Suppress:
		m.old.add("suppresses", 1)
	case mesos.Decline:
		m.old.add("declines.long", len(call.Offers)) // there are no short ones
	case mesos.Accept:
		for _, op := range call.Operations {
			m.old.operation(op)
		}
	}
}

// operation counts one; the predecessor has one for each resource, and launches in groups.
func (p *predecessor) operation(op mesos.Operation) {
	switch op := op.(type) {
	case mesos.Reserve:
		p.add("operation.reserve", len(op.Resources))
	case mesos.Unreserve:
		p.add("operation.unreserve", len(op.Resources))
	case mesos.Create:
		p.add("operation.create", len(op.Volumes))
	case mesos.Destroy:
		p.add("operation.destroy", len(op.Volumes))
	case mesos.Launch:
		p.add("operation.launch_group", 1)
	}
}

// Stepped measures how long the machine looked at offers, or at what is to do without any, for
// the predecessor's half. What it does before it is subscribed is none of it.
func (m *Metrics) Stepped(ev scheduler.Event, took time.Duration) {
	of, said := ev.(scheduler.FromMesos)
	_, looks := of.Event.(mesos.Offers)
	_, idle := ev.(scheduler.Tick)
	picture := m.picture.Load()
	if !(said && looks) && !idle || picture == nil || !picture.view.Connected {
		return
	}
	m.old.Lock()
	defer m.old.Unlock()
	now := m.now()
	if m.old.timers[oldPasses] == nil {
		t := newTimer(now)
		m.old.timers[oldPasses] = &t
	}
	m.old.timers[oldPasses].took(now, took)
}

// Requests measures the requests that a handler answers, for the predecessor's half.
func (m *Metrics) Requests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := m.now()
		m.old.add(oldActive, 1)
		m.old.add(oldServing, 1)
		seen := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		defer func() { m.old.answered(m.now(), began, r.Method, seen.status) }()
		next.ServeHTTP(seen, r)
	})
}

// answered notes one request.
func (p *predecessor) answered(now, began time.Time, method string, status int) {
	p.Lock()
	defer p.Unlock()
	p.counters[oldActive]--
	p.counters[oldServing]--
	of := "other"
	if method = strings.ToLower(method); slices.Contains(oldMethods, method) {
		of = method
	}
	for _, name := range []string{oldRequests, oldServed, ofHTTP + of + "-requests"} {
		p.timers[name].took(now, now.Sub(began))
	}
	if answers := p.meters[fmt.Sprintf("%s%dxx-responses", ofHTTP, status/100)]; answers != nil {
		answers.mark(now)
	}
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status  int
	written bool
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	if !w.written {
		w.status, w.written = status, status >= http.StatusOK
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Old gives everything under the predecessor's names.
func (m *Metrics) Old() OldValues {
	p, now := m.old, m.now()
	p.Lock()
	defer p.Unlock()
	values := OldValues{Counters: maps.Clone(p.counters), Meters: map[string]Rates{},
		Timers: map[string]Durations{}}
	for name, meter := range p.meters {
		values.Meters[name] = meter.rates(now)
	}
	for name, timer := range p.timers {
		values.Timers[name] = timer.durations(now)
	}
	return values
}

// noName is what a name in the text of Prometheus must not have.
var noName = regexp.MustCompile(`[^a-zA-Z0-9_]`)

// OldHandler answers scrapes with the same. Our own metrics are Handler's.
func (m *Metrics) OldHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		values := m.Old()
		suppressed := int64(0)
		if picture := m.picture.Load(); picture != nil && picture.view.Suppressed {
			suppressed = 1
		}
		values.Counters["is_suppressed"] = suppressed
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		fmt.Fprint(w, values.text())
	})
}

// text is the text format of Prometheus, with the types that the predecessor gave its counters.
func (v OldValues) text() string {
	var out strings.Builder
	head := func(name, kind string) string {
		old := name
		name = noName.ReplaceAllString(name, "_")
		fmt.Fprintf(&out, "# HELP %s The predecessor's metric %s\n# TYPE %s %s\n", name, old,
			name, kind)
		return name
	}
	for _, name := range slices.Sorted(maps.Keys(v.Counters)) {
		fmt.Fprintf(&out, "%s %d\n", head(name, "gauge"), v.Counters[name])
	}
	for _, name := range slices.Sorted(maps.Keys(v.Meters)) {
		fmt.Fprintf(&out, "%s %d\n", head(name+"_total", "counter"), v.Meters[name].Count)
	}
	for _, name := range slices.Sorted(maps.Keys(v.Timers)) {
		timer, name := v.Timers[name], head(name, "summary")
		for i, share := range oldQuantiles {
			fmt.Fprintf(&out, "%s{quantile=\"%g\"} %g\n", name, share, timer.Quantiles[i])
		}
		fmt.Fprintf(&out, "%s_count %d\n", name, timer.Count)
	}
	return out.String()
}
