package mesoshttp

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib/maintenance"
	operator "github.com/mesos/mesos-go/api/v1/lib/master"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

const (
	operatorPath = "/api/v1"
	// maxAnswer bounds an answer of the operator API; 10,000 agents take about 30 MB.
	maxAnswer = 512 << 20
	// operatorQueue is how many calls of operators may wait; a call too much is dropped, as the
	// machine wants again what it does not see done.
	operatorQueue = 1000
)

// OperatorConfig says whose master is asked, and how often.
type OperatorConfig struct {
	// Client is subscribed at the master that is asked; nothing is asked while it is not.
	Client *Client
	// Interval is the time between questions, 0 means 30 s. A call that was carried out, and a
	// subscription, let the next one come at once.
	Interval time.Duration
	// Timeout is how long an answer may take, 0 means 20 s.
	Timeout time.Duration
}

// OperatorStatus is what came of asking the operator API.
type OperatorStatus struct {
	// Asked is when the agents were listed at last, zero for never, and Agents how many they
	// were.
	Asked  time.Time
	Agents int
	// Reason is why the latest question had no answer, "" when it had one.
	Reason string
	// Forbidden says that the master lets others in, and not us: it is asked again only after
	// a new subscription.
	Forbidden bool
}

// Operator asks the operator API of the leading master for what the scheduler API does not
// tell: all agents, whether or not they are offered. It also sends the calls of operators.
type Operator struct {
	config OperatorConfig
	poster *poster
	log    *slog.Logger
	queue  chan mesos.Call

	mu     sync.Mutex
	status OperatorStatus

	// Run alone uses these.
	decoder agentDecoder
	took    time.Duration // to list the agents, the last time
	present map[mesos.AgentID]bool
	removed []mesos.AgentID
}

// NewOperator makes an operator; it does nothing before Run.
func NewOperator(config OperatorConfig) *Operator {
	if config.Interval <= 0 {
		config.Interval = 30 * time.Second
	}
	if config.Timeout <= 0 {
		config.Timeout = 20 * time.Second
	}
	of := config.Client.config
	return &Operator{
		config: config, poster: newPoster(of.JSON, of.Access), log: of.Logger,
		queue:   make(chan mesos.Call, operatorQueue),
		decoder: agentDecoder{seed: maphash.MakeSeed()},
	}
}

// Status tells how it went.
func (o *Operator) Status() OperatorStatus {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.status
}

// Send queues a call for which mesos.ForOperator is true, and never blocks.
func (o *Operator) Send(call mesos.Call) {
	select {
	case o.queue <- call:
	default:
		o.log.Warn("a call of the operator API is dropped, too many wait", "call", call.String())
	}
}

// Run asks and sends until the context ends.
func (o *Operator) Run(ctx context.Context, deliver func(mesos.Event)) error {
	defer o.poster.close()
	timer := time.NewTimer(o.config.Interval)
	defer timer.Stop()
	at := ""
	for {
		status, changed := o.config.Client.Watch()
		switch {
		case !status.Connected:
			at = ""
		case status.Master+status.Since.String() != at:
			at = status.Master + status.Since.String()
			o.look(ctx, status.Master, deliver)
			timer.Reset(o.config.Interval)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case call := <-o.queue:
			o.carryOut(ctx, status, call)
			if len(o.queue) == 0 {
				timer.Reset(o.rest())
			}
		case <-timer.C:
			if status.Connected && !o.Status().Forbidden {
				o.look(ctx, status.Master, deliver)
			}
			timer.Reset(o.config.Interval)
		}
	}
}

// sparing is how many times longer than it took to list the agents there is a rest.
const sparing = 20

// rest is how long after a call was carried out the agents are listed: an agent tells its master of
// it first, and where there are many more calls are likely to follow.
func (o *Operator) rest() time.Duration {
	return min(max(time.Second, sparing*o.took), max(time.Second, o.config.Interval))
}

// look lists the agents once.
func (o *Operator) look(ctx context.Context, at string, deliver func(mesos.Event)) {
	began := time.Now()
	seen, err := o.agents(ctx, at)
	o.took = time.Since(began)
	if ctx.Err() != nil {
		return
	}
	before := o.Status()
	now := OperatorStatus{Asked: before.Asked, Agents: before.Agents}
	if err == nil {
		now.Asked, now.Agents = time.Now(), len(seen.Agents)
	} else {
		now.Reason, now.Forbidden = err.Error(), forbidden(err)
	}
	o.mu.Lock()
	o.status = now
	o.mu.Unlock()
	switch {
	case err == nil:
		deliver(seen)
	case now.Reason != before.Reason:
		o.log.Warn("the operator API does not list the agents", "url", at+operatorPath,
			"error", err)
	}
}

// forbidden says whether a master lets others in.
func forbidden(err error) bool {
	var status *StatusError
	return errors.As(err, &status) &&
		(status.Status == http.StatusUnauthorized || status.Status == http.StatusForbidden)
}

// agents asks for all agents and the windows of maintenance.
func (o *Operator) agents(ctx context.Context, at string) (mesos.AgentsSeen, error) {
	agents, recovered, err := o.list(ctx, at)
	if err != nil {
		return mesos.AgentsSeen{}, err
	}
	var windows operator.Response // not every master has a schedule, or shows it
	err = o.ask(ctx, at, &operator.Call{Type: operator.Call_GET_MAINTENANCE_SCHEDULE}, &windows)
	if err != nil {
		o.log.Debug("the operator API does not tell the maintenance", "error", err)
	}
	seen := seenOf(agents, scheduleOf(&windows))
	o.follow(recovered, &seen)
	return seen, nil
}

func scheduleOf(r *operator.Response) *maintenance.Schedule {
	if r.GetMaintenanceSchedule == nil {
		return nil
	}
	return &r.GetMaintenanceSchedule.Schedule
}

// maxRemoved bounds how many agents are remembered that are no longer listed.
const maxRemoved = 1000

// follow notes which agents have gone from the list. One that the master has recovered, and that
// has not come back yet, has not gone.
func (o *Operator) follow(recovered []mesos.AgentID, seen *mesos.AgentsSeen) {
	present := make(map[mesos.AgentID]bool, len(seen.Agents))
	for _, a := range seen.Agents {
		present[a.ID] = true
	}
	for _, id := range recovered {
		present[id] = true
	}
	var removed []mesos.AgentID
	for _, id := range o.removed {
		if !present[id] {
			removed = append(removed, id)
		}
	}
	for _, id := range sortedIDs(o.present) {
		if !present[id] {
			removed = append(removed, id)
		}
	}
	o.present, o.removed = present, removed[max(0, len(removed)-maxRemoved):]
	seen.Removed = append(seen.Removed, o.removed...)
}

// list asks for the agents, and for those that the master has recovered and not heard yet.
func (o *Operator) list(
	ctx context.Context, at string,
) (agents []mesos.SeenAgent, recovered []mesos.AgentID, err error) {
	call := &operator.Call{Type: operator.Call_GET_AGENTS}
	err = o.post(ctx, at, call, func(body io.Reader) error {
		if o.config.Client.config.JSON {
			var answer operator.Response
			err := o.decode(body, &answer)
			agents, recovered = listFromWire(answer.GetAgents)
			return err
		}
		agents, recovered, err = o.decoder.decode(body)
		return err
	})
	return agents, recovered, err
}

// ask posts a call and decodes the answer.
func (o *Operator) ask(
	ctx context.Context, at string, call *operator.Call, answer *operator.Response,
) error {
	return o.post(ctx, at, call, func(body io.Reader) error { return o.decode(body, answer) })
}

func (o *Operator) decode(body io.Reader, answer *operator.Response) error {
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	return decodeMessage(o.poster.codec, text, answer)
}

// post posts a call and reads the answer.
func (o *Operator) post(
	ctx context.Context, at string, call *operator.Call, read func(io.Reader) error,
) error {
	ctx, cancel := context.WithTimeout(ctx, o.config.Timeout)
	defer cancel()
	response, err := o.poster.post(ctx, at+operatorPath, "", call)
	if err != nil {
		return fmt.Errorf("asking the operator API: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("asking the operator API for %s: %w", call.Type, finish(response))
	}
	defer response.Body.Close()
	if err := read(io.LimitReader(response.Body, maxAnswer)); err != nil {
		return fmt.Errorf("reading an answer of the operator API: %w", err)
	}
	return nil
}

// carryOut sends a call of the operator API. What becomes of it is seen, or it is wanted again.
func (o *Operator) carryOut(ctx context.Context, status Status, call mesos.Call) {
	if !status.Connected {
		o.log.Warn("a call is dropped, as no master is connected", "call", call.String())
		return
	}
	ctx, cancel := context.WithTimeout(ctx, o.config.Timeout)
	defer cancel()
	err := o.poster.call(ctx, status.Master+operatorPath, "", operatorCallToWire(call))
	if err != nil && ctx.Err() == nil {
		o.log.Error("the operator API refuses a call", "call", call.String(), "error", err)
		return
	}
	o.log.Info("sent to the operator API", "call", call.String())
}
