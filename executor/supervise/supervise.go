package supervise

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

const (
	updateTimeout = 10 * time.Second
	portPatience  = 3 * time.Second
)

// Agent is the connection to the Mesos agent.
type Agent interface {
	// Run subscribes, and again whenever the connection was lost, until ctx is done. Each
	// attempt presents what unacked gives at that moment. All that the agent says is
	// delivered in order, ExecutorDisconnected included. An error other than ctx's says that
	// the agent will never accept this executor.
	Run(ctx context.Context, unacked func() ([]mesos.TaskInfo, []mesos.Status),
		deliver func(mesos.ExecutorEvent)) error
	// Update sends one status update; an error says that it may not have arrived.
	Update(ctx context.Context, status mesos.Status) error
}

// Config is what Run needs.
type Config struct {
	// Sandbox is the folder that the agent made for this executor.
	Sandbox string
	Agent   Agent
	Machine executor.Config
	Logger  *slog.Logger
	// Environ is what tasks inherit, less the agent's secrets; nil means os.Environ().
	Environ []string
	// PortPatience is how long a start waits for a port that is in use; 0 means 3 s.
	PortPatience time.Duration
}

// Run is the life of an executor. It ends when the machine says so and returns the exit status
// of the process. When ctx is done (SIGTERM, which agents send when they destroy a container)
// the tasks are shut down in order; Run does not return before they have ended.
func Run(ctx context.Context, cfg Config) (int, error) {
	root, err := os.OpenRoot(cfg.Sandbox)
	if err != nil {
		return 1, fmt.Errorf("opening the sandbox: %w", err)
	}
	defer root.Close()
	if cfg.Environ == nil {
		cfg.Environ = os.Environ()
	}
	if cfg.PortPatience == 0 {
		cfg.PortPatience = portPatience
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &supervisor{
		cfg:       cfg,
		log:       cfg.Logger,
		machine:   executor.New(cfg.Machine, newID),
		root:      root,
		fork:      newForker(),
		http:      newHTTPClient(),
		ctx:       work,
		events:    make(chan executor.Event),
		questions: make(chan chan<- unacknowledged),
		updates:   make(chan mesos.Status, 64),
		tasks:     map[mesos.TaskID]*task{},
	}
	defer s.fork.stop()
	s.running.Go(s.runAgent)
	s.running.Go(s.sendUpdates)
	exit := s.loop(ctx.Done())
	stop()
	s.running.Wait()
	return exit.Code, s.refused
}

// supervisor is one run of an executor.
type supervisor struct {
	cfg  Config
	log  *slog.Logger
	root *os.Root
	fork *forker
	http *http.Client
	ctx  context.Context // ends when the machine has

	events    chan executor.Event
	questions chan chan<- unacknowledged
	updates   chan mesos.Status

	running sync.WaitGroup // every goroutine but the loop's
	refused error          // why the connection was given up; set before running is done

	// Owned by the loop.
	machine *executor.Machine
	tasks   map[mesos.TaskID]*task
}

// unacknowledged is what Machine.Unacknowledged gives.
type unacknowledged struct {
	tasks   []mesos.TaskInfo
	updates []mesos.Status
}

// newID makes a random (version 4) UUID.
func newID() [16]byte {
	var id [16]byte
	rand.Read(id[:]) // never fails
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

// loop owns the machine until it wants to exit.
func (s *supervisor) loop(shutdown <-chan struct{}) executor.Exit {
	timer := time.NewTimer(0) // the first tick tells the machine the time
	defer timer.Stop()
	for {
		var ev executor.Event
		select {
		case ev = <-s.events:
		case <-timer.C:
			ev = executor.Tick{}
		case <-shutdown:
			shutdown = nil
			ev = executor.Agent{Event: mesos.ExecutorShutdown{}}
		case reply := <-s.questions:
			tasks, updates := s.machine.Unacknowledged()
			reply <- unacknowledged{tasks, updates}
			continue
		}
		if exit := s.step(ev); exit != nil {
			return *exit
		}
		timer.Stop()
		if next := s.machine.NextWake(); !next.IsZero() {
			timer.Reset(time.Until(next))
		}
	}
}

// step takes one event through the machine and begins what the machine wants.
func (s *supervisor) step(ev executor.Event) *executor.Exit {
	s.log.Debug("event", "event", ev.String())
	for _, effect := range s.machine.Step(time.Now(), ev) {
		level := slog.LevelInfo
		if _, check := effect.(executor.RunCheck); check {
			level = slog.LevelDebug
		}
		s.log.Log(s.ctx, level, effect.String())
		if exit, ok := effect.(executor.Exit); ok {
			return &exit
		}
		s.begin(effect)
	}
	return nil
}

// begin carries out an effect, without waiting for its outcome.
func (s *supervisor) begin(effect executor.Effect) {
	switch e := effect.(type) {
	case executor.Start:
		t := s.newTask(e)
		s.tasks[e.Task] = t
		s.running.Go(t.run)
	case executor.Signal:
		sig := syscall.SIGTERM
		if e.Sig == executor.Kill {
			sig = syscall.SIGKILL
		}
		s.tasks[e.Task].process.signal(sig)
	case executor.RunCheck:
		t := s.tasks[e.Task]
		s.running.Go(func() { t.check(e) })
	case executor.Update:
		select {
		case s.updates <- e.Status:
		default: // the machine sends it again
			s.log.Warn("the agent takes no updates; one is left for later")
		}
	}
}

// post hands an event to the loop, unless that has ended.
func (s *supervisor) post(ev executor.Event) {
	select {
	case s.events <- ev:
	case <-s.ctx.Done():
	}
}

// runAgent keeps the connection to the agent. When it is given up for good, the machine learns
// of it as of an agent that refuses this executor.
func (s *supervisor) runAgent() {
	err := s.cfg.Agent.Run(s.ctx, s.unacknowledged, func(ev mesos.ExecutorEvent) {
		s.post(executor.Agent{Event: ev})
	})
	if s.ctx.Err() != nil {
		return
	}
	if err == nil {
		err = fmt.Errorf("the connection to the agent ended")
	}
	s.refused = err
	s.post(executor.Agent{Event: mesos.ExecutorRefused{Message: err.Error()}})
}

// unacknowledged asks the loop what a subscription has to present.
func (s *supervisor) unacknowledged() ([]mesos.TaskInfo, []mesos.Status) {
	reply := make(chan unacknowledged, 1)
	select {
	case s.questions <- reply:
		a := <-reply
		return a.tasks, a.updates
	case <-s.ctx.Done():
		return nil, nil
	}
}

// sendUpdates sends updates one after another. What fails is sent again by the machine.
func (s *supervisor) sendUpdates() {
	for {
		select {
		case status := <-s.updates:
			ctx, cancel := context.WithTimeout(s.ctx, updateTimeout)
			if err := s.cfg.Agent.Update(ctx, status); err != nil && s.ctx.Err() == nil {
				s.log.Warn("sending an update", "task", status.Task, "error", err)
			}
			cancel()
		case <-s.ctx.Done():
			return
		}
	}
}
