package server

import (
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"

	"github.com/kafka-sched/kafka-sched/api"
)

// forwardedBy is the header of a request that a standby handed on, with the standby's address.
// A standby hands no such request on again: the two would not agree on who leads.
const forwardedBy = "Kafka-Sched-Forwarded-By"

// Standby answers for a scheduler that does not lead: it hands each request on to the one that
// does, and says 503 while there is none. /metrics is its own.
type Standby struct {
	// Leader gives the URL of the scheduler that leads, "" while none is known.
	Leader func() string
	// Self is this scheduler's host:port.
	Self string
	// AllowHost is as in Config.
	AllowHost func(host string) bool
	// Metrics answers /metrics.
	Metrics http.Handler
	Logger  *slog.Logger
	// Transport carries the requests; its owner closes it.
	Transport *http.Transport
}

// Handler gives the handler.
func (s Standby) Handler() http.Handler {
	h := &handlers{Config: Config{AllowHost: s.AllowHost, Logger: s.Logger}}
	return h.checkHost(http.HandlerFunc(s.answer))
}

func (s Standby) answer(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == api.PathMetrics {
		s.Metrics.ServeHTTP(w, r)
		return
	}
	leader := s.Leader()
	at, err := url.Parse(leader)
	if leader == "" || err != nil || r.Header.Get(forwardedBy) != "" {
		w.Header().Set("Retry-After", "1")
		fail(w, r, http.StatusServiceUnavailable, api.CodeUnavailable,
			"This scheduler stands by, and no other leads at the moment. Try again.")
		return
	}
	proxy := httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(at)
			p.SetXForwarded()
			p.Out.Header.Set(forwardedBy, s.Self)
		},
		Transport:     s.Transport,
		FlushInterval: -1, // streams of events
		ErrorLog:      slog.NewLogLogger(s.Logger.Handler(), slog.LevelDebug),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			w.Header().Set("Retry-After", "1")
			fail(w, r, http.StatusServiceUnavailable, api.CodeUnavailable,
				"This scheduler stands by, and the one that leads, at "+leader+
					", does not answer: "+err.Error())
		},
	}
	proxy.ServeHTTP(w, r)
}

// Unready answers a request that comes before there is anything to answer it.
func Unready(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "1")
	fail(w, r, http.StatusServiceUnavailable, api.CodeUnavailable,
		"The scheduler is starting. Try again.")
}
