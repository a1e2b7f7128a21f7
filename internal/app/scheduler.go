package app

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"

	"github.com/kafka-sched/kafka-sched/api/server"
	"github.com/kafka-sched/kafka-sched/internal/brokers"
	"github.com/kafka-sched/kafka-sched/internal/hooks"
	"github.com/kafka-sched/kafka-sched/internal/kafkaadmin"
	"github.com/kafka-sched/kafka-sched/internal/loop"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/mesoshttp"
	"github.com/kafka-sched/kafka-sched/internal/metrics"
	"github.com/kafka-sched/kafka-sched/internal/sandbox"
	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/internal/store/zkstore"
	"github.com/kafka-sched/kafka-sched/internal/zk"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// SchedulerOptions is what a scheduler process has to know.
type SchedulerOptions struct {
	Name string
	// Dir is the scheduler's own folder: its state, lock, log, and scheduler.json.
	Dir string
	// State is the ZooKeeper where the state is kept; the zero one stands for a file in Dir.
	State zk.Access
	// SpecFile is the rendered service spec.
	SpecFile string
	// Master is the URL of the Mesos master or its host:port, a list of such with commas, or
	// zk://….
	Master string
	// Access is how the masters and agents let us in.
	Access mesoshttp.AccessOptions
	// Listen is the API's host:port; Advertise is the host:port that agents reach it under,
	// "" for Listen.
	Listen, Advertise string
	// AnyPort says that another port will do when that of Listen is taken.
	AnyPort bool
	// KafkaDist is the packed archive that agents fetch; KafkaVersion is what is in it.
	KafkaDist, KafkaVersion string
	// JRE is the packed Java runtime that agents fetch, "" when they have their own.
	JRE string
	// ExecutorBinary is the kafka-sched binary that agents fetch.
	ExecutorBinary string
	// Executors are binaries for agents on other platforms, by these: "linux/arm64".
	Executors map[string]string
	// Java is the path of the java command on this machine; "" when the agents are others.
	Java       string
	Foreground bool
	LogFile    string
	// Webhook is the URL that is told of what plans do, "" for none; WebhookSecretFile holds
	// the secret that its messages are signed with.
	Webhook, WebhookSecretFile string
	// Recording is how many megabytes the recording of what the scheduler is told may take.
	Recording int
	// StalledAfter is how long a plan may make no progress until a metric says so; 0 is the
	// default.
	StalledAfter time.Duration
}

// uninstalledMark is the file that says that nothing is left to do for a service.
const uninstalledMark = "uninstalled"

// RunScheduler runs a scheduler until the context ends, the service is uninstalled (nil in
// both cases), or something fails that only a new process can mend.
func RunScheduler(ctx context.Context, o SchedulerOptions, version string) error {
	return runScheduler(ctx, o, version, new(loop.Clock))
}

func runScheduler(
	ctx context.Context, o SchedulerOptions, version string, clock *loop.Clock,
) error {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return fmt.Errorf("making the scheduler's folder: %w", err)
	}
	logger, closeLog, err := openLog(o.LogFile, o.Foreground)
	if err != nil {
		return err
	}
	defer closeLog()
	unlock, err := lockDir(o.Dir, "scheduler")
	if err != nil {
		return err
	}
	defer unlock()
	s := &schedulerRun{o: o, log: logger, version: version, clock: clock,
		front: &front{}, doors: make(chan error, 1)}
	err = s.run(ctx)
	if errors.Is(err, errOver) {
		return nil
	}
	if err != nil {
		logger.Error("the scheduler ends", "error", err)
	}
	return err
}

// schedulerRun is one life of a scheduler.
type schedulerRun struct {
	o       SchedulerOptions
	log     *slog.Logger
	version string
	clock   *loop.Clock

	store     store.Store
	release   func()       // lets go of the state, and of the lead; it may be called again
	ending    func() error // removes the state of a service that is uninstalled, nil for a file
	election  *zk.Election // nil unless there may be several schedulers
	hard      scheduler.Hard
	target    scheduler.Target
	listener  net.Listener
	front     *front
	web       *http.Server
	doors     chan error // how web ended
	open      sync.Once
	artifacts *artifacts
	metrics   *metrics.Metrics
	mesos     *edge
	access    *mesoshttp.Access
	loop      *loop.Loop
	kafka     *brokers.Asker
	hooks     *hooks.Sender // nil when nobody is to be told
}

func (s *schedulerRun) run(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(s.o.Dir, uninstalledMark)); err == nil {
		return nil
	}
	var err error
	if s.artifacts, err = openArtifacts(s.o); err != nil { // before it leads, as it takes its time
		return err
	}
	if s.listener, err = s.listen(); err != nil {
		return err
	}
	defer s.listener.Close()
	s.web = server.NewHTTP(s.front)
	defer shut(s.web)
	if s.release, err = s.openState(ctx); err != nil {
		return err
	}
	defer s.release()
	if s.hard, err = s.store.Load(); err != nil {
		return err
	}
	if err = s.forgetFramework(); err != nil {
		return err
	}
	if err = s.loadTarget(); err != nil {
		return err
	}
	detector, err := s.connect()
	if err != nil {
		return err
	}
	defer detector()
	s.kafka = brokers.New(brokers.Config{Logger: s.log, Now: s.clock.Now})
	defer s.kafka.Close()
	s.metrics = metrics.New(metrics.NewRegistry())
	s.metrics.StalledAfter, s.metrics.Edge = s.o.StalledAfter, s.mesos.measured
	if s.hooks, err = s.openHooks(); err != nil {
		return err
	}
	recorder, machine := s.record()
	defer recorder.Close()
	s.loop = loop.New(loop.Config{
		Machine: machine, Recorder: recorder, Clock: s.clock,
		Migrations: zk.Migrations{},
		Store:      s.store, Mesos: s.mesos, ZooKeeper: zk.Roles{},
		Kafka:   cluster{s.kafka, kafkaadmin.Admin{}, s.clock},
		Metrics: s.metrics, Logger: s.log,
	})
	// The machine has the rest, and here it would soon be old.
	s.hard = scheduler.Hard{Framework: s.hard.Framework, Target: s.hard.Target}
	return s.serve(ctx)
}

// loadTarget reads the spec of a service that has no target yet. A service that has one keeps
// it whatever the file says: it changes through the API alone.
func (s *schedulerRun) loadTarget() error {
	if s.hard.Target.ID != "" {
		return nil
	}
	text, err := os.ReadFile(s.o.SpecFile)
	if err != nil {
		return fmt.Errorf("reading the service's spec: %w", err)
	}
	files := map[string]string{}
	for _, path := range servicespec.TemplatePaths(text) {
		if !filepath.IsLocal(path) {
			continue // parsing says that it is not there
		}
		template, err := os.ReadFile(filepath.Join(filepath.Dir(s.o.SpecFile), path))
		if err == nil {
			files[path] = string(template)
		}
	}
	service, err := parseSpec(s.o.SpecFile, text, files)
	if err != nil {
		return err
	}
	s.target = scheduler.Target{ID: uuid.NewString(), Service: service}
	return nil
}

// parseSpec parses a rendered spec; all its mistakes are one error of many lines.
func parseSpec(
	name string, text []byte, files map[string]string,
) (servicespec.Service, error) {
	service, problems := servicespec.Parse(name, text, files)
	if len(problems) > 0 {
		lines := make([]string, len(problems))
		for i, p := range problems {
			lines[i] = p.Error()
		}
		return servicespec.Service{}, errors.New(strings.Join(lines, "\n"))
	}
	if list := scheduler.Unsupported(service); len(list) > 0 {
		return servicespec.Service{}, errors.New(name + ": " + strings.Join(list, "; "))
	}
	return service, nil
}

// listen takes the address that was asked for. Where any port will do, that of the life before
// comes first, so that clients find the API where it was, and a free one last.
func (s *schedulerRun) listen() (net.Listener, error) {
	host, port, err := net.SplitHostPort(s.o.Listen)
	if err != nil {
		return nil, fmt.Errorf("the address to listen on: %w", err)
	}
	var before announcement
	if err := readJSON(s.announced(), &before); err == nil && (s.o.AnyPort || port == "0") {
		l, err := net.Listen("tcp", strings.TrimPrefix(before.URL, "http://"))
		if err == nil {
			return l, nil
		}
	}
	if ip := net.ParseIP(host); s.o.Advertise == "" && (host == "" || ip.IsUnspecified()) {
		return nil, fmt.Errorf("listening on all addresses (%s) needs --advertise HOST:PORT, the "+
			"address under which agents reach this machine", s.o.Listen)
	}
	l, err := net.Listen("tcp", s.o.Listen)
	if errors.Is(err, unix.EADDRINUSE) && s.o.AnyPort {
		s.log.Warn("the API's address is taken; another port will do", "address", s.o.Listen)
		l, err = net.Listen("tcp", net.JoinHostPort(host, "0"))
	}
	if err != nil {
		return nil, fmt.Errorf("listening for the API: %w", err)
	}
	return l, nil
}

func (s *schedulerRun) announced() string { return filepath.Join(s.o.Dir, "scheduler.json") }

// frameworkInfo is what to subscribe with, under the id that is durable by now.
func (s *schedulerRun) frameworkInfo() mesos.FrameworkInfo {
	service, id := s.service(), s.hard.Framework
	if v := s.loop.View(); v != nil && v.Framework != "" {
		id = v.Framework
	}
	hostname, _ := os.Hostname()
	return mesos.FrameworkInfo{
		ID: id, Name: service.Name, User: service.User, Role: service.Role,
		MoreRoles: service.Roles()[1:], GPUs: service.WantsGPUs(),
		Principal: service.Principal, FailoverTimeout: cmp.Or(
			service.FailoverTimeout, servicespec.DefaultFailoverTimeout).Duration(),
		WebURL: s.url(), Hostname: hostname,
	}
}

// service is the target as it was when this process began.
func (s *schedulerRun) service() servicespec.Service {
	if s.hard.Target.ID != "" {
		return s.hard.Target.Service
	}
	return s.target.Service
}

func (s *schedulerRun) url() string { return "http://" + s.listener.Addr().String() }

// advertised is the address under which agents fetch artifacts.
func (s *schedulerRun) advertised() string {
	if s.o.Advertise != "" {
		return "http://" + s.o.Advertise
	}
	return s.url()
}

func (s *schedulerRun) machineConfig() scheduler.Config {
	binaries := s.artifacts.binaries(s.advertised())
	cfg := scheduler.Config{
		Target:      s.target,
		Version:     s.version,
		ExecutorURI: binaries[0].URI, Binaries: binaries, Address: s.advertised(),
		UUID: func() (b [16]byte) {
			rand.Read(b[:])
			return b
		},
	}
	if s.artifacts.kafka.path != "" {
		cfg.KafkaURI = s.advertised() + s.artifacts.kafka.path
	}
	if s.artifacts.java.path != "" {
		cfg.JavaURI = s.advertised() + s.artifacts.java.path
	}
	if s.o.Java != "" {
		cfg.JavaHome = filepath.Dir(filepath.Dir(s.o.Java))
	}
	return cfg
}

// serve runs the loop, the wire and the API until the first of them ends.
func (s *schedulerRun) serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	feed, ending := server.NewFeed(), make(chan struct{})
	ended := make(chan error, 3) // the first part that ends ends all
	var parts sync.WaitGroup
	defer shut(s.web)
	defer func() {
		cancel()
		parts.Wait()
		s.release() // whoever stands by need not wait for those who ask us
	}()
	defer close(ending)
	parts.Go(func() { s.spareMemory(ctx) })
	parts.Go(func() {
		exit, err := s.loop.Run(ctx)
		if exit != nil {
			err = s.exited(*exit)
		}
		ended <- err
	})
	select {
	case <-s.loop.Begun(): // so that whoever finds the API finds a service behind it
	case err := <-ended:
		return err
	}
	s.front.set(server.New(s.api(feed, ending)))
	s.openDoors()
	if err := s.announce(); err != nil {
		return err
	}
	time.AfterFunc(startupTime, releaseStartupPages)
	s.log.Info("scheduler started", "name", s.o.Name, "url", s.url(), "version", s.version)
	parts.Go(func() { feed.Run(ctx, s.loop.Watch) })
	if s.hooks != nil {
		parts.Go(func() { s.hooks.Run(ctx, s.loop.Watch) })
	}
	parts.Go(func() {
		if err := s.deposed(ctx); err != nil {
			ended <- err
			cancel() // at once: another may speak for the service by now
		}
	})
	parts.Go(func() {
		err := s.mesos.Run(ctx, s.loop.Deliver)
		var refused *mesoshttp.RefusedError
		if ctx.Err() == nil && !errors.As(err, &refused) {
			ended <- err
		} // The loop hears of a refusal too, and knows whether it is the end that was wanted.
	})
	select {
	case err := <-ended:
		return err
	case err := <-s.doors:
		return err
	}
}

// announce tells where this scheduler is, and what it is.
func (s *schedulerRun) announce() error {
	schema := store.Schema
	if s.o.State.URI != "" {
		schema = zkstore.Schema
	}
	return announce(s.o.Dir, "scheduler",
		announcement{URL: s.url(), Version: s.version, Schema: schema})
}

// openDoors begins to answer requests.
func (s *schedulerRun) openDoors() {
	s.open.Do(func() { go func() { s.doors <- s.web.Serve(s.listener) }() })
}

// api is what the API needs of the rest.
func (s *schedulerRun) api(feed *server.Feed, ending <-chan struct{}) server.Config {
	return server.Config{
		View: s.loop.View, Do: s.loop.Do, Metrics: s.metrics.Handler(),
		Advertise:  strings.TrimPrefix(s.advertised(), "http://"),
		OldMetrics: s.metrics, Kafka: kafkaadmin.Admin{}, Layout: s.kafka.Layout,
		Partitions: s.partitions, Migrations: migrations,
		Artifacts: s.artifacts, Logger: s.log, Version: s.version,
		Distributions: s.artifacts.more, Java: javaOf(s.o),
		ParseSpec: func(text []byte, files map[string]string) (servicespec.Service, error) {
			return parseSpec("request body", text, files)
		},
		AllowHost: s.allowHost(),
		Feed:      feed, Logs: s.sandboxes().Find, Ending: ending, Mesos: s.mesos.connection,
	}
}

// migrations reads what ZooKeeper knows of a migration, and changes nothing.
func migrations(ctx context.Context, connect string) scheduler.MigrationFacts {
	return zk.Migrations{}.Ask(ctx, connect, false)
}

// partitions asks over connections of its own, so that nobody waits for anybody.
func (s *schedulerRun) partitions(ctx context.Context, at []string) scheduler.KafkaFacts {
	asker := brokers.New(brokers.Config{})
	defer asker.Close()
	return asker.AskAll(ctx, at)
}

func (s *schedulerRun) allowHost() func(string) bool {
	return server.HostPolicy(s.listener.Addr().String(), s.o.Advertise)
}

// sandboxes finds those of executors, with what lets us in at the masters and agents.
func (s *schedulerRun) sandboxes() sandbox.Finder {
	return sandbox.Finder{Scheme: s.access.Scheme(), Over: s.access.Over}
}

// openHooks makes what tells others of what plans do, nil when nobody is to be told.
func (s *schedulerRun) openHooks() (*hooks.Sender, error) {
	if s.o.Webhook == "" {
		return nil, nil
	}
	secret, err := os.ReadFile(s.o.WebhookSecretFile)
	if err != nil {
		return nil, fmt.Errorf("reading the secret of the webhook: %w", err)
	}
	cfg := hooks.Config{URL: s.o.Webhook, Secret: bytes.TrimSpace(secret), Logger: s.log,
		Metrics: s.metrics}
	if s.election == nil { // what one of several machines told, the others do not know
		cfg.Place = &place{path: filepath.Join(s.o.Dir, "webhook-told"), log: s.log}
	}
	return hooks.New(cfg)
}

// exited carries the machine's wish to end out, after what it sent before has left. Without an
// answer to TEARDOWN the framework may still be there: another process, which finds the service
// uninstalled, is to send it again.
func (s *schedulerRun) exited(exit scheduler.Exit) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := s.mesos.Drain(ctx)
	if errors.Is(err, mesoshttp.ErrTeardown) {
		return &ExitError{Code: scheduler.ExitFailed, Reason: err.Error()}
	}
	if err != nil {
		s.log.Warn("the last calls may not have left", "error", err)
	}
	if exit.Code != 0 {
		return &ExitError{Code: exit.Code, Reason: exit.Reason}
	}
	s.log.Info("the scheduler's work is done", "reason", exit.Reason)
	if s.ending != nil {
		if err := s.ending(); err != nil {
			return err
		}
	}
	return s.markUninstalled(exit.Reason)
}

func (s *schedulerRun) markUninstalled(reason string) error {
	mark := filepath.Join(s.o.Dir, uninstalledMark)
	if err := os.WriteFile(mark, []byte(reason+"\n"), 0o644); err != nil {
		return fmt.Errorf("marking the service as uninstalled: %w", err)
	}
	return nil
}

// shut ends the API; requests under way get a moment.
func shut(web *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if web.Shutdown(ctx) != nil {
		web.Close()
	}
}
