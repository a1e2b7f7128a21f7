package mesoshttp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

const (
	schedulerPath = "/api/v1/scheduler"
	// missedHeartbeats is how many heartbeat intervals of silence end a stream.
	missedHeartbeats = 5
	// openLimit is how long a master may take to open the stream with SUBSCRIBED.
	openLimit = 30 * time.Second
)

// Config says where the master is and who subscribes.
type Config struct {
	// Master is host:port, http://host:port, https://host:port, or a comma-separated list of
	// these, which are tried in turn; any master redirects to the leading one.
	Master string
	// Detect gives the leading master's host:port or URL; with it Master is not used.
	Detect func(context.Context) (string, error)
	// Framework is asked before each subscription; its ID is to be set from the first
	// Subscribed event on.
	Framework func() mesos.FrameworkInfo
	// Permit is asked before each subscription whether it may be made; nil is always. Its error
	// is a reason to wait and to ask again.
	Permit func(context.Context) error
	// BackoffMin and BackoffMax bound the wait before a new subscription; 0 means 100 ms and
	// 15 s.
	BackoffMin, BackoffMax time.Duration
	// CallTimeout is how long one call may take, 0 means 10 s. Each time one took longer the next
	// may take twice as long, up to six times CallTimeout, until a stream ends for another reason:
	// a slow master is no quicker when all that it was told is told anew.
	CallTimeout time.Duration
	// DetectLimit is how long Detect may take until somebody is told that there is no leader; 0
	// means 5 s.
	DetectLimit time.Duration
	// SilenceMin is the shortest silence that ends a stream, however short the announced
	// heartbeat interval is; 0 means 5 s.
	SilenceMin time.Duration
	// Access is how the client is let in; nil for a Mesos that lets everybody in, without TLS.
	Access *Access
	// JSON puts JSON instead of protobuf on the wire.
	JSON bool
	// Logger is for what happens to calls and the connection; nil means slog.Default().
	Logger *slog.Logger
}

// slowest is how many times Config.CallTimeout a call of a slow master may take.
const slowest = 6

// RefusedError ends Run: the master (or the agent) closed the subscription with an ERROR event.
type RefusedError struct{ Message string }

// Error gives the message of the other side.
func (e *RefusedError) Error() string {
	return "the subscription is refused: " + e.Message
}

// Client is the connection of one framework to the leading master.
type Client struct {
	config Config
	poster *poster
	log    *slog.Logger
	// lastReason is that of the latest Disconnected, "" while subscribed. Run alone uses it.
	lastReason string
	// callLimit is how long one call may take by now. Run alone uses it.
	callLimit time.Duration
	parted    *mark // set when the master has answered a TEARDOWN

	mu      sync.Mutex
	current *session // nil while there is no stream
	parts   bool     // a TEARDOWN was to be sent
	status  Status
	changed chan struct{} // closed, and replaced, when status changes
}

// Status is how things stand between a client and the masters.
type Status struct {
	// Connected says whether a stream is open, Since when that began.
	Connected bool
	Since     time.Time
	// Reason is why there is no stream, Attempts how many subscriptions have failed since there
	// was one, and Next when the following one comes; zero while connected.
	Reason   string
	Attempts int
	Next     time.Time
	// Master is the URL of the master that was subscribed at last, without a path; Version and
	// Capabilities are its. They stay while there is no stream.
	Master       string
	Version      string
	Capabilities []string
}

// New makes a client; it does nothing before Run.
func New(config Config) *Client {
	defaults := func(d *time.Duration, otherwise time.Duration) {
		if *d <= 0 {
			*d = otherwise
		}
	}
	defaults(&config.BackoffMin, 100*time.Millisecond)
	defaults(&config.BackoffMax, 15*time.Second)
	defaults(&config.CallTimeout, 10*time.Second)
	defaults(&config.DetectLimit, 5*time.Second)
	defaults(&config.SilenceMin, 5*time.Second)
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	return &Client{
		config: config, callLimit: config.CallTimeout,
		poster: newPoster(config.JSON, config.Access),
		log:    config.Logger,
		parted: newMark(),
		status: Status{Since: time.Now()}, changed: make(chan struct{}),
	}
}

// Status tells how things stand.
func (c *Client) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

// Watch is Status with a channel that is closed when it has changed.
func (c *Client) Watch() (Status, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status, c.changed
}

// setStatus is called with the lock held.
func (c *Client) setStatus(s Status) {
	c.status = s
	close(c.changed)
	c.changed = make(chan struct{})
}

// Run subscribes, again and again, and delivers what the master says, until the context ends
// or the master refuses the framework: then it delivers Refused and gives a *RefusedError. It
// fails at once when Config.Master cannot be used. Deliver may block; the stream then waits.
//
// Disconnected is delivered when a stream ends, and when subscribing fails for another reason
// than the time before.
func (c *Client) Run(ctx context.Context, deliver func(mesos.Event)) error {
	defer c.poster.close()
	masters, err := c.masters()
	if err != nil {
		return err
	}
	attempt := 0
	for {
		began := time.Now()
		subscribed, err := c.subscribe(ctx, masters, attempt, deliver)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var refused *RefusedError
		if errors.As(err, &refused) {
			c.log.Error("the master refuses the subscription", "message", refused.Message)
			deliver(mesos.Refused{Message: refused.Message})
			return refused
		}
		if subscribed && time.Since(began) >= c.config.BackoffMax {
			attempt = 0
		}
		if subscribed && errors.Is(err, context.DeadlineExceeded) {
			c.callLimit = min(2*c.callLimit, slowest*c.config.CallTimeout)
		} else {
			c.callLimit = c.config.CallTimeout
		}
		c.tell(err, deliver)
		pause := jittered(c.config.BackoffMin, c.config.BackoffMax, attempt)
		c.failed(err, pause)
		if err := wait(ctx, pause); err != nil {
			return ctx.Err()
		}
		attempt++
	}
}

// tell delivers why there is no stream, unless that is known.
func (c *Client) tell(reason error, deliver func(mesos.Event)) {
	if text := reason.Error(); text != c.lastReason {
		c.log.Warn("not connected to the master", "reason", text)
		deliver(mesos.Disconnected{Reason: text})
		c.lastReason = text
	}
}

// Send queues a call, and never blocks. Without a stream the call is dropped with a log line.
// Calls leave in their order, but for acknowledgements, which do not wait for others, and calls
// of which it does not matter which one the master has first.
// A call that the master refuses is logged with the master's words; a call that cannot reach
// it ends the stream.
func (c *Client) Send(call mesos.Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.parts = c.parts || isTeardown(call)
	if c.current == nil {
		c.log.Warn("a call is dropped, as there is no stream", "call", call.String())
		return
	}
	c.current.enqueue(call)
}

// ErrTeardown is that no master answered a TEARDOWN, so that the framework may still be there.
var ErrTeardown = errors.New("no master has answered TEARDOWN")

// Drain waits until the calls that were sent before have been answered or dropped. A TEARDOWN has
// to be answered: if it is not before the context ends, that gives ErrTeardown.
func (c *Client) Drain(ctx context.Context) error {
	c.mu.Lock()
	s, parts := c.current, c.parts
	marks := []queued{{done: make(chan struct{})}, {done: make(chan struct{})}}
	if s != nil {
		s.calls.add(marks[0])
		s.acks.add(marks[1])
	}
	c.mu.Unlock()
	if parts {
		select {
		case <-c.parted.set:
			return nil
		case <-ctx.Done():
			return ErrTeardown
		}
	}
	if s == nil {
		return nil
	}
	for _, mark := range marks {
		select {
		case <-mark.done:
		case <-s.ctx.Done():
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (c *Client) setCurrent(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current = s
	if s != nil {
		c.setStatus(Status{
			Connected: true, Since: time.Now(), Master: strings.TrimSuffix(s.to, schedulerPath),
			Version: s.version, Capabilities: s.capabilities,
		})
	}
}

// failed notes why there is no stream, and how long it will be until the next attempt.
func (c *Client) failed(reason error, pause time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, s := time.Now(), c.status
	if s.Connected {
		s.Connected, s.Since = false, now
	}
	s.Reason, s.Next = reason.Error(), now.Add(pause)
	s.Attempts++
	c.setStatus(s)
}

// masters gives the URLs of Config.Master, none when masters are detected.
func (c *Client) masters() ([]string, error) {
	if c.config.Detect != nil {
		return nil, nil
	}
	var out []string
	for _, address := range strings.Split(c.config.Master, ",") {
		u, err := endpoint(c.config.Access.Scheme(), address, schedulerPath)
		if err != nil {
			return nil, fmt.Errorf("finding the master: %w", err)
		}
		out = append(out, u)
	}
	return out, nil
}

// master gives where to subscribe next. An election may go on for long without a leader; that is
// told, and waited for, since the next leader is to be found at once.
func (c *Client) master(
	ctx context.Context, masters []string, attempt int, deliver func(mesos.Event),
) (string, error) {
	if c.config.Detect == nil {
		return masters[attempt%len(masters)], nil
	}
	for {
		limited, cancel := context.WithTimeout(ctx, c.config.DetectLimit)
		leader, err := c.config.Detect(limited)
		cancel()
		if err == nil {
			return endpoint(c.config.Access.Scheme(), leader, schedulerPath)
		}
		err = fmt.Errorf("detecting the leading master: %w", err)
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return "", err
		}
		c.tell(err, deliver)
		c.failed(err, c.config.DetectLimit)
	}
}

// subscribe opens one stream and works on it until it ends, which it always says by an error.
func (c *Client) subscribe(
	ctx context.Context, masters []string, attempt int, deliver func(mesos.Event),
) (subscribed bool, err error) {
	to, err := c.master(ctx, masters, attempt, deliver)
	if err != nil {
		return false, err
	}
	if c.config.Permit != nil {
		if err := c.config.Permit(ctx); err != nil {
			return false, err
		}
	}
	s := newSession(ctx, c.poster, c.config, c.log)
	s.callLimit = c.callLimit
	defer s.end(errors.New("the stream ended"))
	framework := c.config.Framework()
	s.role, s.framework, s.parted = framework.Role, framework.ID, c.parted

	stopWatch := s.watch(openLimit, "the master did not answer the subscription")
	response, at, err := c.poster.open(s.ctx, to, subscribeToWire(framework))
	stopWatch()
	if err != nil {
		return false, reasonOf(s.ctx, err)
	}
	defer response.Body.Close()
	s.to, s.streamID = at, response.Header.Get(streamIDHeader)
	if s.streamID == "" {
		return false, fmt.Errorf("subscribing at %s: the answer has no %s", at, streamIDHeader)
	}
	decoder := newRecordDecoder(c.poster.codec, response.Body)
	subscribed, err = s.read(decoder, func(e mesos.Event) {
		if _, is := e.(mesos.Subscribed); is {
			c.lastReason = ""
			c.setCurrent(s)
			c.log.Info("subscribed", "event", e.String(), "url", s.to, "version", s.version)
			if isOld(s.version) {
				c.log.Warn("the master is older than Mesos 1.9, which is the first that has all "+
					"that this scheduler asks for", "version", s.version)
			}
		}
		deliver(e)
	})
	c.setCurrent(nil)
	return subscribed, reasonOf(s.ctx, err)
}

// heartbeatLimit is the longest silence that a stream may have.
func heartbeatLimit(e *scheduler.Event, least time.Duration) time.Duration {
	interval := 15.0 // Mesos' own default
	if announced := e.GetSubscribed().HeartbeatIntervalSeconds; announced != nil {
		interval = *announced
	}
	const most = 600
	if !(interval > 0 && interval < most) {
		interval = most
	}
	return max(least, missedHeartbeats*time.Duration(interval*float64(time.Second)))
}
