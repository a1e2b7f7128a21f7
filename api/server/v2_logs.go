package server

import (
	"cmp"
	"context"
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/internal/sandbox"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// LogSource opens the sandbox of an executor.
type LogSource func(ctx context.Context, e sandbox.Executor) (*sandbox.Sandbox, error)

const (
	defaultLines = 100
	mostLines    = 10000
	// logsEvery is how often a log is looked at that somebody follows.
	logsEvery = 500 * time.Millisecond
)

// wantedLog is what the query of PathLogs asks for.
type wantedLog struct {
	file   string
	lines  int
	follow bool
	events bool // as server-sent events
}

func (x *v2) logs(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	pod, task := withTask(w, r, v)
	if task == nil {
		return
	}
	q := newQuestion(r)
	want := wantedLog{follow: q.is("follow"), events: acceptsEvents(r),
		lines: q.number("lines", 0, mostLines, defaultLines)}
	switch q.oneOf("file", api.LogStdout, api.LogStderr) {
	case api.LogStderr:
		want.file = sandbox.Stderr(task.FullName)
	default:
		want.file = sandbox.Stdout(task.FullName)
	}
	if !q.answerable(w, r) {
		return
	}
	if task.Executor == "" || pod.Agent == "" {
		fail(w, r, http.StatusNotFound, api.CodeNotFound,
			task.FullName+" was never launched, so it has no output.")
		return
	}
	if x.Logs == nil || v.Master == "" {
		fail(w, r, http.StatusServiceUnavailable, api.CodeUnavailable, "The scheduler is not "+
			"connected to Mesos now, so the agent that has the output cannot be found.")
		return
	}
	master := v.Master
	if x.Mesos != nil {
		m := x.Mesos()
		master = cmp.Or(m.Address(), master)
	}
	x.sendLog(w, r, want, sandbox.Executor{Master: master, Framework: string(v.Framework),
		Agent: string(pod.Agent), Name: string(task.Executor)})
}

// acceptsEvents says whether the client asks for server-sent events.
func acceptsEvents(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		if media, _, err := mime.ParseMediaType(part); err == nil && media == api.EventsType {
			return true
		}
	}
	return false
}

// sendLog reads the end of a log, and answers with it and, if so wanted, what comes after it.
func (x *v2) sendLog(
	w http.ResponseWriter, r *http.Request, want wantedLog, e sandbox.Executor,
) {
	media := api.TextType + "; charset=utf-8"
	if want.events {
		media = api.EventsType
	}
	s, end, ok := x.beginStream(w, r, media)
	if !ok {
		return
	}
	defer end()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	box, err := x.Logs(ctx, e)
	var text string
	var size int64
	if err == nil {
		text, size, err = box.Tail(ctx, want.file, want.lines)
	}
	if errors.Is(err, sandbox.ErrNoFile) && want.follow && box != nil {
		err = nil
	}
	if err != nil {
		noLog(w, r, want.file, err)
		return
	}
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	send := func(text string) error {
		if !want.events {
			return s.send([]byte(text))
		}
		if text == "" {
			return s.beat()
		}
		return s.event("log", "", api.LogLines{Text: text})
	}
	if send(text) == nil && want.follow {
		x.followLog(ctx, cancel, box, want, size, send)
	}
}

func noLog(w http.ResponseWriter, r *http.Request, file string, err error) {
	if errors.Is(err, sandbox.ErrNoFile) {
		fail(w, r, http.StatusNotFound, api.CodeNotFound,
			"Nothing was printed yet: the sandbox has no file "+file+".")
		return
	}
	fail(w, r, http.StatusBadGateway, api.CodeAgent,
		"The output cannot be read through Mesos: "+err.Error()+".")
}

// followLog sends what comes until the client, or the server, ends it.
func (x *v2) followLog(
	ctx context.Context, cancel func(), box *sandbox.Sandbox, want wantedLog, from int64,
	send func(string) error,
) {
	pieces := make(chan string)
	go func() {
		defer close(pieces)
		_ = box.Follow(ctx, want.file, from, logsEvery, func(text string) error {
			select {
			case pieces <- text:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	defer func() {
		cancel()
		for range pieces { // until the other has ended
		}
	}()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		text, more := "", true
		select {
		case <-x.Ending:
			return
		case text, more = <-pieces:
		case <-beat.C:
		}
		if !more || send(text) != nil {
			return
		}
	}
}
