package mesoshttp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// session is one stream and the queue of calls that go with it. Its context ends with it, and
// the cause of that says why.
type session struct {
	poster *poster
	config Config
	log    *slog.Logger

	ctx    context.Context
	cancel context.CancelCauseFunc
	// lanes are what waits: calls in their order, and acknowledgements, which need none.
	calls, acks lane
	sender      sync.WaitGroup
	parted      *mark         // see Client
	callLimit   time.Duration // how long one call may take

	// Set before the first event is delivered, and never changed then.
	to, streamID string
	role         string
	framework    mesos.FrameworkID
	version      string   // the master's
	capabilities []string // the master's
}

func newSession(ctx context.Context, p *poster, config Config, log *slog.Logger) *session {
	s := &session{poster: p, config: config, log: log, calls: newLane(), acks: newLane()}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	return s
}

// end ends the session for a reason (the first one counts) and waits for its sender.
func (s *session) end(reason error) {
	s.cancel(reason)
	s.sender.Wait()
}

// enqueue never blocks; too many calls end the session.
func (s *session) enqueue(call mesos.Call) {
	at := &s.calls
	if acknowledges(call) {
		at = &s.acks
	}
	if !at.add(queued{call: call}) {
		s.cancel(fmt.Errorf("%d calls wait to be sent", queueLimit))
	}
}

// watch ends the session after a time of silence, unless it is stopped before.
func (s *session) watch(limit time.Duration, what string) (stop func()) {
	timer := time.AfterFunc(limit, func() { s.cancel(fmt.Errorf("%s for %s", what, limit)) })
	return func() { timer.Stop() }
}

// read delivers the stream's events until it ends. Any record counts as a sign of life.
func (s *session) read(
	decoder *recordDecoder, deliver func(mesos.Event),
) (subscribed bool, err error) {
	limit := openLimit
	for {
		var e scheduler.Event
		stop := s.watch(limit, "nothing was heard from the master")
		event, known, err := decoder.event(&e)
		stop()
		if errors.Is(err, errUndecodable) {
			s.log.Warn("an event is skipped", "error", err)
			continue
		}
		if err != nil {
			return subscribed, fmt.Errorf("reading events: %w", err)
		}
		if !known {
			continue
		}
		switch event := event.(type) {
		case mesos.Refused:
			return subscribed, &RefusedError{Message: event.Message}
		case mesos.Subscribed:
			if subscribed {
				continue
			}
			subscribed = true
			s.framework = event.Framework
			s.version, s.capabilities = masterOf(&e)
			limit = heartbeatLimit(&e, s.config.SilenceMin)
			s.sender.Go(func() { s.send(&s.calls) })
			s.sender.Go(func() { s.send(&s.acks) })
		default:
			if !subscribed {
				return false, fmt.Errorf("reading events: %s came before SUBSCRIBED", e.Type)
			}
		}
		deliver(event)
	}
}

func (s *session) sendOne(call mesos.Call) {
	if needsFeedback(call) && isOld(s.version) {
		s.log.Debug("a call is dropped, as the master does not have it", "call", call.String())
		return
	}
	ctx, parts := s.ctx, isTeardown(call)
	if parts {
		ctx = context.WithoutCancel(ctx) // the master ends the stream, maybe before it answers
	}
	ctx, cancel := context.WithTimeout(ctx, s.callLimit)
	defer cancel()
	err := s.poster.call(ctx, s.to, s.streamID, callToWire(call, s.framework, s.role))
	var status *StatusError
	answered := err == nil || errors.As(err, &status) && refusesCall(status)
	if parts && answered {
		s.parted.put()
	}
	switch {
	case err == nil:
		s.log.Debug("sent", "call", callText{call})
	case answered:
		s.log.Error("the master refuses a call",
			"call", call.String(), "status", status.Status, "message", status.Text)
	case s.ctx.Err() == nil:
		s.log.Warn("a call cannot be sent", "call", call.String(), "error", err,
			"limit", s.callLimit.String())
		s.cancel(fmt.Errorf("sending a call: %w", err))
	}
}

func isTeardown(call mesos.Call) bool {
	_, is := call.(mesos.Teardown)
	return is
}

// mark is set once; many may wait for it.
type mark struct {
	once sync.Once
	set  chan struct{} // closed then
}

func newMark() *mark { return &mark{set: make(chan struct{})} }

func (m *mark) put() { m.once.Do(func() { close(m.set) }) }

// callText prints a call only if the line is wanted.
type callText struct{ call mesos.Call }

// LogValue implements slog.LogValuer.
func (c callText) LogValue() slog.Value { return slog.StringValue(c.call.String()) }

// refusesCall says whether an answer concerns one call alone. Any other (the master no longer
// leads, it recovers, we are not authenticated, it takes another stream for ours or does not know
// the framework) means that the stream is of no use.
func refusesCall(answer *StatusError) bool {
	return answer.Status/100 == 4 && answer.Status != http.StatusUnauthorized &&
		!strings.Contains(answer.Text, "Framework is not subscribed") &&
		!strings.Contains(answer.Text, "didn't match the stream ID") &&
		!strings.Contains(answer.Text, "Framework cannot be found")
}

// needsFeedback says of a call that masters have it since they give feedback on operations.
func needsFeedback(call mesos.Call) bool {
	switch call.(type) {
	case mesos.AcknowledgeOperation, mesos.ReconcileOperations:
		return true
	default:
		return false
	}
}

// isOld says of a master's version that it is before 1.9, the first that has all that is asked of
// it. A version that cannot be read counts as new.
func isOld(version string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
		return false
	}
	return major < 1 || major == 1 && minor < 9
}

// masterOf gives the version and the capabilities of the master that confirms a subscription.
func masterOf(e *scheduler.Event) (version string, capabilities []string) {
	info := e.GetSubscribed().GetMasterInfo()
	for _, c := range info.GetCapabilities() {
		capabilities = append(capabilities, c.Type.String())
	}
	return info.GetVersion(), capabilities
}
