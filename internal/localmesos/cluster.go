package localmesos

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/mesos/mesos-go/api/v1/lib/allocator"
	"golang.org/x/sys/unix"
)

// Cluster is a running master with its agents.
type Cluster struct {
	cfg  Config
	log  *slog.Logger
	lock *os.File
	reg  *registry
	boot string

	// The loop and its queues (loop.go).
	inbox    chan func()
	stop     chan struct{}
	loopDone chan struct{}
	stopOnce sync.Once
	local    []func()
	effects  []func()
	dirty    map[string]change

	ctx         context.Context // ends background work
	cancel      context.CancelFunc
	fetchCtx    context.Context // ends fetches
	fetchCancel context.CancelFunc
	wg          sync.WaitGroup
	failed      error // set once by the loop, before loopDone is closed

	servers   []*http.Server
	listeners []net.Listener
	masterURL string
	agentURLs []string
	fetch     *fetcher

	// State, owned by the loop.
	masterID   string
	ip         string
	port       int
	started    time.Time
	frameworks map[string]*framework
	agents     []*agentNode
	byID       map[string]*agentNode
	nextAgent  int
	offers     map[string]*offer
	tasks      map[string]*task
	operations map[string]*operation
	completed  []*task
	ended      []*executorRun
	seq        uint64
	nextOffer  int
	nextFW     int
	allocTimer *timer
	batchBase  time.Time // the allocator's batches are whole offer intervals from here
	exits      exits
	lots       map[string][]Lot // what chance shall give in the next rounds, see Draw
	turns      []string
	recoveryAt time.Time // when silence about recovering executors ends
	closing    bool
	idle       []chan struct{} // closed when no executor is left
	watchers   map[*stream]*timer
	stats      stats
	upkeep     upkeep
	// allocations counts the offers made to roles, which breaks ties of shares.
	allocations map[string]int
	// minAllocatable are the alternatives of which an offer must have one.
	minAllocatable []map[string]milli
	shares         shares
	// removedQuotas are roles whose quota was removed by the older call.
	removedQuotas map[string]bool
	faults        faults
}

// Start starts a cluster. If the directory holds the state of an earlier run,
// the cluster goes on where that one ended: executors that are still alive are
// waited for.
func Start(cfg Config) (*Cluster, error) {
	if err := cfg.prepare(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	fetchCtx, fetchCancel := context.WithCancel(ctx)
	c := &Cluster{
		cfg: cfg, log: cfg.Logger, ctx: ctx, cancel: cancel,
		fetchCtx: fetchCtx, fetchCancel: fetchCancel,
		inbox: make(chan func(), 256), stop: make(chan struct{}),
		loopDone: make(chan struct{}), dirty: map[string]change{},
		masterID: uuid.NewString(), started: time.Now(), batchBase: time.Now(),
		frameworks: map[string]*framework{}, offers: map[string]*offer{},
		tasks: map[string]*task{}, operations: map[string]*operation{},
		upkeep: upkeep{offers: map[string]*inverseOffer{},
			statuses: map[string]allocator.InverseOfferStatus{}, quiet: map[string]time.Time{}},
		allocations: map[string]int{},
		exits:       exits{let: map[string]int{}},
		byID:        map[string]*agentNode{}, watchers: map[*stream]*timer{},
	}
	if err := c.open(); err != nil {
		cancel()
		c.release()
		return nil, err
	}
	for i, l := range c.listeners {
		if i == 0 {
			c.serve(l, c.masterDoor(c.masterHandler()))
			continue
		}
		a := c.agentNamed(cfg.Agents[i-1].Name)
		a.server = c.serve(l, a.door(c.agentHandler(a)))
	}
	for _, a := range c.agents {
		if a.cfg.Late {
			a.out = &outage{kind: partitioned, unreachable: time.Now()}
		}
	}
	go c.run()
	return c, nil
}

// serve serves one address until its server is closed.
func (c *Cluster) serve(l net.Listener, handler http.Handler) *http.Server {
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: 30 * time.Second,
		IdleTimeout: 2 * time.Minute}
	c.servers = append(c.servers, srv)
	c.background(func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			c.post(func() { c.fail(fmt.Errorf("serving %s: %w", l.Addr(), err)) })
		}
	})
	return srv
}

// open takes the directory and the addresses and loads the state.
func (c *Cluster) open() error {
	if err := os.MkdirAll(c.cfg.Dir, 0o755); err != nil {
		return fmt.Errorf("creating the directory of localmesos: %w", err)
	}
	var err error
	if c.lock, err = lockDir(c.cfg.Dir); err != nil {
		return err
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return fmt.Errorf("reading the boot id: %w", err)
	}
	c.boot = string(boot)
	if c.reg, err = openRegistry(c.cfg.Dir); err != nil {
		return err
	}
	// A simulation has nothing that a loss of power could take away.
	c.reg.db.NoSync, c.reg.db.NoFreelistSync = c.cfg.Simulate, c.cfg.Simulate
	c.fetch = newFetcher(filepath.Join(c.cfg.Dir, "cache"), c.cfg.FetchTimeout,
		c.cfg.CacheMB<<20)
	if c.minAllocatable, err = minAllocatable(c.cfg.MinAllocatable); err != nil {
		return err
	}
	if err := c.load(); err != nil {
		return err
	}
	if err := c.listen(); err != nil {
		return err
	}
	c.recover()
	return c.commit()
}

// patiently tries for a second. A process that was killed while it forked leaves
// a child that holds its lock and its addresses until it executes its command.
func patiently(try func() error) error {
	err := try()
	for deadline := time.Now().Add(time.Second); err != nil && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
		err = try()
	}
	return err
}

// lockDir makes sure that no other cluster uses the directory.
func lockDir(dir string) (*os.File, error) {
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock of localmesos: %w", err)
	}
	err = patiently(func() error {
		return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	})
	if err != nil {
		holder, _ := os.ReadFile(path)
		return nil, errors.Join(fmt.Errorf("the directory %s is in use by another localmesos "+
			"(pid %s): %w", dir, holder, err), f.Close())
	}
	if err := f.Truncate(0); err != nil {
		return f, fmt.Errorf("writing the lock of localmesos: %w", err)
	}
	if _, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0); err != nil {
		return f, fmt.Errorf("writing the lock of localmesos: %w", err)
	}
	return f, nil
}

// listen binds the master's and the agents' addresses.
func (c *Cluster) listen() error {
	bind := func(addr string) (string, int, error) {
		var l net.Listener
		err := patiently(func() (err error) {
			l, err = net.Listen("tcp", addr)
			return err
		})
		if err != nil {
			return "", 0, err
		}
		c.listeners = append(c.listeners, l)
		t := l.Addr().(*net.TCPAddr)
		return t.IP.String(), t.Port, nil
	}
	var err error
	if c.ip, c.port, err = bind(c.cfg.MasterAddr); err != nil {
		return fmt.Errorf("the master cannot listen on %s: %w", c.cfg.MasterAddr, err)
	}
	c.masterURL = "http://" + c.masterAddr()
	named := map[string]*agentNode{}
	for _, a := range slices.Backward(c.agents) {
		named[a.Name] = a
	}
	for i := range c.cfg.Agents {
		cfg := &c.cfg.Agents[i]
		a := named[cfg.Name]
		if c.cfg.Simulate {
			if a.ip, a.port, err = splitAddress(cfg.Addr); err != nil {
				return fmt.Errorf("agent %s: %w", cfg.Name, err)
			}
		} else if a.ip, a.port, err = bind(cfg.Addr); err != nil {
			return fmt.Errorf("agent %s cannot listen on %s: %w", cfg.Name, cfg.Addr, err)
		}
		c.agentURLs = append(c.agentURLs, "http://"+net.JoinHostPort(a.ip, strconv.Itoa(a.port)))
	}
	return nil
}

// splitAddress reads the address of an agent that does not listen.
func splitAddress(addr string) (string, int, error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	return host, int(port), err
}

func (c *Cluster) masterAddr() string { return net.JoinHostPort(c.ip, strconv.Itoa(c.port)) }

func (c *Cluster) agentNamed(name string) *agentNode {
	for _, a := range c.agents {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// MasterURL is the address of the master, without a path.
func (c *Cluster) MasterURL() string { return c.masterURL }

// AgentURLs are the addresses of the agents, in the order of the configuration.
func (c *Cluster) AgentURLs() []string { return append([]string(nil), c.agentURLs...) }

// Done is closed when the cluster has ended, by Close, Shutdown or a fatal error.
func (c *Cluster) Done() <-chan struct{} { return c.loopDone }

// Wait blocks until the cluster has ended and returns the fatal error, if any.
func (c *Cluster) Wait() error {
	<-c.loopDone
	return c.failed
}

// fail ends the cluster because of err. Only the loop calls it.
func (c *Cluster) fail(err error) {
	if c.failed == nil {
		c.failed = err
		c.log.Error("localmesos ends", "error", err)
	}
	c.stopOnce.Do(func() { close(c.stop) })
}

// Close stops serving. Executors and their tasks go on running and subscribe
// again when a cluster is started on the same directory and addresses.
func (c *Cluster) Close() error {
	c.stopOnce.Do(func() { close(c.stop) })
	<-c.loopDone
	c.cancel()
	var errs []error
	for _, s := range c.servers {
		errs = append(errs, s.Close())
	}
	c.wg.Wait()
	errs = append(errs, c.release(), c.failed)
	return errors.Join(errs...)
}

// release gives back what open took.
func (c *Cluster) release() error {
	var errs []error
	if len(c.servers) == 0 {
		for _, l := range c.listeners {
			errs = append(errs, l.Close())
		}
	}
	if c.reg != nil {
		errs = append(errs, c.reg.close())
		c.reg = nil
	}
	if c.lock != nil {
		errs = append(errs, c.lock.Close())
		c.lock = nil
	}
	return errors.Join(errs...)
}

// Shutdown ends all executors (SHUTDOWN, grace period, SIGKILL of the session;
// SIGKILL at once when ctx ends) and then closes the cluster.
func (c *Cluster) Shutdown(ctx context.Context) error {
	gone := make(chan struct{})
	posted := c.post(func() {
		c.closing = true
		c.resumeExits()
		c.fetchCancel()
		c.removeOffers(true, func(*offer) bool { return true })
		c.idle = append(c.idle, gone)
		for _, a := range c.agents {
			for _, e := range sortedExecutors(a) {
				c.endExecutor(e, executorTerminated)
			}
		}
		c.checkIdle()
	})
	if !posted {
		return c.Close()
	}
	select {
	case <-gone:
	case <-c.loopDone:
	case <-ctx.Done():
		c.post(func() {
			for _, a := range c.agents {
				for _, e := range sortedExecutors(a) {
					c.killExecutor(e)
				}
			}
		})
		select {
		case <-gone:
		case <-c.loopDone:
		}
	}
	return c.Close()
}

// checkIdle tells those who wait that no executor is left.
func (c *Cluster) checkIdle() {
	if len(c.idle) == 0 {
		return
	}
	for _, a := range c.agents {
		if len(a.executors) > 0 {
			return
		}
	}
	for _, ch := range c.idle {
		c.after(func() { close(ch) })
	}
	c.idle = nil
}
