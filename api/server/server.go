package server

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Config is what the handlers need of the rest of the process.
type Config struct {
	// View gives the latest picture of the machine, nil while it has not started.
	View func() *scheduler.View
	// Do hands a command to the machine and waits for its reply. An error means that there
	// is no reply; what the machine refuses is in the reply.
	Do func(ctx context.Context, c scheduler.Command, by scheduler.Caller) (scheduler.Reply, error)
	// Metrics answers with the text format of Prometheus; nil answers 503.
	Metrics http.Handler
	// OldMetrics are those of the predecessor's half; nil has none.
	OldMetrics OldMetrics
	// ServiceTLD and VIPTLD end the names that a cluster's DNS has for tasks and for virtual
	// addresses, as "autoip.dcos.thisdcos.directory"; "" where there is no such DNS.
	ServiceTLD, VIPTLD string
	// Advertise is the host:port under which tasks reach this API.
	Advertise string
	// Kafka does what is asked of Kafka; nil answers 503.
	Kafka Kafka
	// Layout asks Kafka what lies where; nil answers 503.
	Layout Layouts
	// Partitions asks brokers at some addresses for facts about each partition; nil does not.
	Partitions func(ctx context.Context, addresses []string) scheduler.KafkaFacts
	// Distributions are those of Kafka that can be served; nil has none. Java is the major version
	// of Java that brokers run with, 0 if that is not known.
	Distributions Distributions
	Java          int
	// Migrations asks ZooKeeper how far a migration to KRaft is; nil does not.
	Migrations Migrations
	// Artifacts are the files for agents; nil has none.
	Artifacts ArtifactProvider
	// ParseSpec makes a service of the text of a rendered spec and the config templates that it
	// names. Its error is the operator's.
	ParseSpec func(spec []byte, files map[string]string) (servicespec.Service, error)
	// Logger gets a line for each change and each bug; nil discards them.
	Logger *slog.Logger
	// Version is that of the scheduler.
	Version string
	// AllowHost says whether a request may come under this host name or address (without its
	// port); nil allows all. See HostPolicy.
	AllowHost func(host string) bool
	// Now is the clock that ages are told by; nil is time.Now.
	Now func() time.Time
	// Feed is where events come from; nil has none. Its owner runs it.
	Feed *Feed
	// Logs opens what a task printed; nil cannot.
	Logs LogSource
	// Mesos tells how things stand with the masters; nil does not tell.
	Mesos func() api.Mesos
	// Ending is closed when streams are to end; nil never is.
	Ending <-chan struct{}
}

// handlers holds what every handler uses.
type handlers struct {
	Config
	// turn is held by the one command that is being checked and carried out.
	turn chan struct{}
}

// New gives the handler of the whole API.
func New(config Config) http.Handler { return newRouter(config) }

func newRouter(config Config) chi.Router {
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	h := &handlers{Config: config, turn: make(chan struct{}, 1)}
	r := chi.NewRouter()
	if config.OldMetrics != nil {
		r.Use(config.OldMetrics.Requests)
	}
	r.Use(newCrowd().limit, h.audit, h.recoverPanic, h.checkHost, h.checkOrigin, limitBody,
		h.tidyPath, h.options, middleware.GetHead)
	r.NotFound(notFound)
	r.MethodNotAllowed(methodNotAllowed)
	h.routeV1(r)
	newV2(h).route(r)
	return r
}

// viewHandler answers a request from a view, which is never nil.
type viewHandler func(w http.ResponseWriter, r *http.Request, v *scheduler.View)

// withView answers 503 while there is no view yet.
func (h *handlers) withView(next viewHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := h.View()
		if v == nil {
			notStarted(w, r)
			return
		}
		next(w, r, v)
	}
}

func notStarted(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "1")
	fail(w, r, http.StatusServiceUnavailable, api.CodeUnavailable,
		"The scheduler has not started yet.")
}
