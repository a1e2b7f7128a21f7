package mesoshttp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	wire "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/executor"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

const (
	executorPath = "/api/v1/executor"
	// executorBackoffMin is the base of the back-off between an executor's subscriptions.
	executorBackoffMin = 50 * time.Millisecond
	// updateLimit is how long an agent may take to accept an update.
	updateLimit = 10 * time.Second
)

// ErrAgentGone ends ExecutorClient.Run: the agent is away for good, as far as an executor can
// tell. The executor then ends its tasks and itself, as Mesos demands.
var ErrAgentGone = errors.New("the agent is gone")

// ExecutorClient is the connection of one executor to its agent.
type ExecutorClient struct {
	env    Env
	to     string
	poster *poster
	log    *slog.Logger
}

// NewExecutor makes a client with what EnvFromOS gave; it does nothing before Run.
func NewExecutor(env Env, log *slog.Logger) (*ExecutorClient, error) {
	to, err := endpoint("http", env.Agent, executorPath)
	if err != nil {
		return nil, fmt.Errorf("finding the agent: %w", err)
	}
	var access *Access
	if env.Token != "" {
		access = NewAccess(Constant("Bearer "+env.Token), nil)
	}
	return &ExecutorClient{env, to, newPoster(false, access), log}, nil
}

// Run subscribes and delivers what the agent says, until the context ends. Unacked is asked
// before each subscription for the tasks and updates that no Acknowledged event came for yet.
//
// When the stream ends it subscribes again, unless the framework does not checkpoint or the
// recovery timeout has passed: then it gives an error that is ErrAgentGone. An ERROR event is
// delivered as ExecutorRefused and gives a *RefusedError.
func (c *ExecutorClient) Run(
	ctx context.Context,
	unacked func() ([]mesos.TaskInfo, []mesos.Status),
	deliver func(mesos.ExecutorEvent),
) error {
	defer c.poster.close()
	ever, lost, attempt := false, time.Now(), 0
	for {
		subscribed, err := c.subscribe(ctx, unacked, deliver)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var refused *RefusedError
		if errors.As(err, &refused) {
			deliver(mesos.ExecutorRefused{Message: refused.Message})
			return refused
		}
		if subscribed {
			ever, lost, attempt = true, time.Now(), 0
			deliver(mesos.ExecutorDisconnected{Reason: err.Error()})
		}
		c.log.Warn("not connected to the agent", "reason", err)
		if ever && !c.env.Checkpoint {
			return fmt.Errorf("%w: the framework does not checkpoint: %w", ErrAgentGone, err)
		}
		pause := jittered(executorBackoffMin, c.env.SubscriptionBackoff, attempt)
		if time.Since(lost)+pause > c.env.RecoveryTimeout {
			return fmt.Errorf("%w: not back within %s: %w",
				ErrAgentGone, c.env.RecoveryTimeout, err)
		}
		if err := wait(ctx, pause); err != nil {
			return ctx.Err()
		}
		attempt++
	}
}

// Update reports a status to the agent; its UUID is made by the caller, and the agent answers
// with ExecutorAcknowledged once it holds the update. On an error the update is still the
// caller's: it belongs to what unacked gives at the next subscription.
func (c *ExecutorClient) Update(ctx context.Context, status mesos.Status) error {
	ctx, cancel := context.WithTimeout(ctx, updateLimit)
	defer cancel()
	call := c.newCall(executor.Call_UPDATE)
	call.Update = &executor.Call_Update{Status: statusToWire(status)}
	if err := c.poster.call(ctx, c.to, "", call); err != nil {
		return fmt.Errorf("updating task %s to %s: %w", status.Task, status.State, err)
	}
	return nil
}

// subscribe opens one stream and works on it until it ends, which it always says by an error.
func (c *ExecutorClient) subscribe(
	ctx context.Context,
	unacked func() ([]mesos.TaskInfo, []mesos.Status),
	deliver func(mesos.ExecutorEvent),
) (subscribed bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(openLimit, func() {
		cancel(fmt.Errorf("the agent did not answer the subscription for %s", openLimit))
	})
	defer timer.Stop()
	response, _, err := c.poster.open(ctx, c.to, c.subscription(unacked()))
	if err != nil {
		return false, reasonOf(ctx, err)
	}
	defer response.Body.Close()
	decoder := newRecordDecoder(c.poster.codec, response.Body)
	for {
		var e executor.Event
		err := decoder.next(&e)
		if errors.Is(err, errUndecodable) {
			c.log.Warn("an event is skipped", "error", err)
			continue
		}
		if err != nil {
			return subscribed, reasonOf(ctx, fmt.Errorf("reading events: %w", err))
		}
		event, known := executorEventFromWire(&e)
		if !known {
			c.log.Debug("an event is skipped", "type", e.Type.String())
			continue
		}
		if refused, is := event.(mesos.ExecutorRefused); is {
			return subscribed, &RefusedError{Message: refused.Message}
		}
		if _, is := event.(mesos.ExecutorSubscribed); is {
			subscribed = true
			timer.Stop()
			c.log.Info("subscribed", "agent", c.to)
		}
		deliver(event)
	}
}

func (c *ExecutorClient) newCall(kind executor.Call_Type) *executor.Call {
	return &executor.Call{
		Type:        kind,
		FrameworkID: wire.FrameworkID{Value: string(c.env.Framework)},
		ExecutorID:  wire.ExecutorID{Value: string(c.env.Executor)},
	}
}

func (c *ExecutorClient) subscription(
	tasks []mesos.TaskInfo, updates []mesos.Status,
) *executor.Call {
	call := c.newCall(executor.Call_SUBSCRIBE)
	call.Subscribe = &executor.Call_Subscribe{}
	for _, t := range tasks {
		call.Subscribe.UnacknowledgedTasks = append(call.Subscribe.UnacknowledgedTasks,
			taskToWire(t, c.env.Framework, ""))
	}
	for _, u := range updates {
		call.Subscribe.UnacknowledgedUpdates = append(call.Subscribe.UnacknowledgedUpdates,
			executor.Call_Update{Status: statusToWire(u)})
	}
	return call
}
