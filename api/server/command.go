package server

import (
	"context"
	"net/http"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// command hands a command to the machine. It answers itself, with ok false, when there is no
// reply or when the command was refused; AlreadyDone is not a refusal and left to the caller.
func (h *handlers) command(
	w http.ResponseWriter, r *http.Request, c scheduler.Command,
) (reply scheduler.Reply, ok bool) {
	return h.order(w, r, c, "", nil)
}

// order is command with the reason that was given and a check, nil for none, which may refuse
// the command by an answer of its own. Commands take turns, so that nothing that is commanded
// here comes between a check and its command.
func (h *handlers) order(
	w http.ResponseWriter, r *http.Request, c scheduler.Command, reason string, check func() bool,
) (reply scheduler.Reply, ok bool) {
	return h.orderOf(w, r, func() scheduler.Command { return c }, reason, check)
}

// orderOf is order of a command that is known after its check.
func (h *handlers) orderOf(
	w http.ResponseWriter, r *http.Request, c func() scheduler.Command, reason string,
	check func() bool,
) (reply scheduler.Reply, ok bool) {
	ctx, cancel := context.WithTimeout(r.Context(), commandTimeout)
	defer cancel()
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		w.Header().Set("Retry-After", "1")
		fail(w, r, http.StatusServiceUnavailable, api.CodeBusy,
			"Other commands take too long; this one was not given to the scheduler.")
		return reply, false
	}
	if check != nil && !check() {
		return reply, false
	}
	by := scheduler.Caller{Who: caller(r), Reason: reason}
	reply, err := h.Do(ctx, c(), by)
	if err != nil {
		h.Logger.Error("api: a command got no reply", "path", r.URL.Path,
			"caller", by.Who, "error", err)
		fail(w, r, http.StatusServiceUnavailable, api.CodeUnavailable,
			"The scheduler did not reply; it may or may not have taken the command.")
		return reply, false
	}
	if done(reply) || reply.Problem == nil {
		return reply, true
	}
	status, code := problemStatus(reply.Problem.Code)
	fail(w, r, status, code, reply.Problem.Message)
	return reply, false
}

// done says that the command had nothing to do.
func done(reply scheduler.Reply) bool {
	return reply.Problem != nil && reply.Problem.Code == scheduler.AlreadyDone
}

func problemStatus(code scheduler.ProblemCode) (status int, apiCode string) {
	switch code {
	case scheduler.NotFound:
		return http.StatusNotFound, api.CodeNotFound
	case scheduler.Conflict:
		return http.StatusConflict, api.CodeConflict
	case scheduler.InvalidRequest:
		return http.StatusBadRequest, api.CodeInvalidRequest
	default:
		return http.StatusInternalServerError, api.CodeInternal
	}
}

// outcome makes the answer of /v2 to a command.
func outcome(reply scheduler.Reply) api.Outcome {
	if reply.Problem != nil {
		return api.Outcome{Message: reply.Problem.Message}
	}
	return api.Outcome{Changed: true, Message: reply.Message, Tasks: reply.Tasks}
}
