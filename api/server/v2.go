package server

import (
	"bytes"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// v2 answers this project's half.
type v2 struct {
	*handlers
	keys    *keyring
	heavy   heavy
	streams chan struct{}
}

func newV2(h *handlers) *v2 {
	return &v2{h, newKeyring(h.Now), newHeavy(), make(chan struct{}, maxStreams)}
}

// route adds this half.
func (x *v2) route(r chi.Router) {
	r.Get(api.PathService, x.withView(x.heavy.limit(x.service)))
	r.Get(api.PathPlansV2, x.withView(x.heavy.limit(x.plans)))
	r.Get(api.PathPlanV2, x.withView(x.heavy.limit(x.plan)))
	r.Get(api.PathPhaseV2, x.withView(x.heavy.limit(x.phase)))
	r.Get(api.PathStepV2, x.withView(x.step))
	r.Get(api.PathHistory, x.withView(x.history))
	r.Get(api.PathJournal, x.withView(x.journal))

	r.Get(api.PathPodsV2, x.withView(x.heavy.limit(x.pods)))
	r.Get(api.PathPodV2, x.withView(x.pod))
	r.Get(api.PathWhy, x.withView(x.why))
	r.Get(api.PathTasksV2, x.withView(x.tasks))
	r.Get(api.PathTaskV2, x.withView(x.task))
	r.Get(api.PathLogs, x.withView(x.logs))

	r.Get(api.PathConfigurationsV2, x.withView(x.configurations))
	r.Get(api.PathTargetV2, x.withView(x.target))
	r.Get(api.PathConfigurationV2, x.withView(x.configuration))
	r.Get(api.PathDiff, x.withView(x.heavy.limit(x.diff)))
	r.Get(api.PathOffers, x.withView(x.heavy.limit(x.offers)))
	r.Get(api.PathReservations, x.withView(x.heavy.limit(x.reservations)))
	r.Get(api.PathLeftovers, x.withView(x.leftovers))
	r.Get(api.PathAgents, x.withView(x.heavy.limit(x.agents)))
	r.Get(api.PathAgent, x.withView(x.heavy.limit(x.agent)))
	r.Get(api.PathEvents, x.withView(x.events))
	r.Get(api.PathVersion, x.version)
	r.Get(api.PathMetrics, x.metrics)
	r.Get(api.PathOpenAPI, openAPI)

	change := r.With(x.once)
	change.Post(api.PathServiceStop, x.withView(x.serviceCommand(scheduler.ServiceStop{})))
	change.Post(api.PathServiceStart, x.withView(x.serviceCommand(scheduler.ServiceStart{})))
	change.Post(api.PathServiceUninstall,
		x.withView(x.serviceCommand(scheduler.ServiceUninstall{})))
	change.Post(api.PathServiceRoll,
		x.withView(x.serviceCommand(scheduler.RollExecutors{})))
	change.Put(api.PathServiceTarget, x.withView(x.setTarget))
	change.Put(api.PathTargetV2, x.withView(x.setTarget))
	change.Post(api.PathRollback, x.withView(x.rollback))
	change.Post(api.PathPlanCommandV2, x.withView(x.planCommand))
	change.Post(api.PathPodCommandV2, x.withView(x.podCommand))
	change.Post(api.PathAgentAbandon, x.withView(x.abandonAgent))
	x.routeRebalance(r, change)
	x.routeUpgrade(r, change)
	x.routeMigrate(r, change)
	x.routeBrokers(r)
	x.routeTopics(r, change)
	x.routeClients(r, change)
	x.routeCluster(r, change)
}

func (h *handlers) version(w http.ResponseWriter, r *http.Request) {
	if newQuestion(r).answerable(w, r) {
		writeJSON(w, http.StatusOK, api.Version{Version: h.Version})
	}
}

func openAPI(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, "application/yaml", api.OpenAPI())
}

// metrics keeps the whole answer before it is sent, so that a scrape that is read slowly
// does not keep others waiting.
func (h *handlers) metrics(w http.ResponseWriter, r *http.Request) {
	if h.Metrics == nil {
		fail(w, r, http.StatusServiceUnavailable, api.CodeUnavailable,
			"This scheduler keeps no metrics.")
		return
	}
	whole := &kept{header: w.Header(), status: http.StatusOK}
	h.Metrics.ServeHTTP(whole, r)
	write(w, whole.status, whole.header.Get("Content-Type"), whole.body.Bytes())
}

// kept is an answer that is not sent yet.
type kept struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (k *kept) Header() http.Header { return k.header }

// WriteHeader implements http.ResponseWriter.
func (k *kept) WriteHeader(status int) { k.status = status }

// Write implements http.ResponseWriter.
func (k *kept) Write(data []byte) (int, error) { return k.body.Write(data) }
