package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// heartbeat is how often a silent stream says that it is still there.
const heartbeat = 15 * time.Second

// stream is an answer without an end.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// beginStream takes a place among the streams and sends the header; it answers itself when there
// is no place. End gives the place back.
func (x *v2) beginStream(
	w http.ResponseWriter, r *http.Request, media string,
) (s *stream, end func(), ok bool) {
	select {
	case x.streams <- struct{}{}:
	default:
		busy(w, r)
		return nil, nil, false
	}
	s = &stream{w, http.NewResponseController(w)}
	// Writers without deadlines, as those of tests, need none lifted.
	_ = s.control.SetReadDeadline(time.Time{})
	header := w.Header()
	header.Set("Content-Type", media)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // proxies are to pass everything on at once
	return s, func() { <-x.streams }, true
}

// send writes a piece, if the client takes it in time.
func (s *stream) send(data []byte) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(maxSilence))
	if _, err := s.w.Write(data); err != nil {
		return err
	}
	return s.control.Flush()
}

// event writes a server-sent event.
func (s *stream) event(kind, id string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if id != "" {
		fmt.Fprintf(&text, "id: %s\n", id)
	}
	fmt.Fprintf(&text, "event: %s\ndata: %s\n\n", kind, data)
	return s.send(text.Bytes())
}

// beat writes a comment, which says only that the stream is there.
func (s *stream) beat() error { return s.send([]byte(":\n\n")) }

// eventTypes are those that a reader can choose.
var eventTypes = []string{api.EventPlan, api.EventPhase, api.EventStep, api.EventTask,
	api.EventJournal}

// wantedEvents is what a reader chose.
type wantedEvents struct {
	types     []string // none for all
	plan, pod string
}

func (want wantedEvents) has(e api.Event) bool {
	return (len(want.types) == 0 || slices.Contains(want.types, e.Type)) &&
		(want.plan == "" || e.Plan == want.plan) && (want.pod == "" || e.Pod == want.pod)
}

// readWantedEvents reads the query of PathEvents.
func readWantedEvents(q *question) wantedEvents {
	want := wantedEvents{plan: q.text("plan"), pod: q.text("pod")}
	for kind := range strings.SplitSeq(q.text("types"), ",") {
		if kind == "" {
			continue
		}
		if !slices.Contains(eventTypes, kind) {
			q.refuse("There is no type %q of events; there are %s.", kind,
				strings.Join(eventTypes, ", "))
		}
		want.types = append(want.types, kind)
	}
	return want
}

// events answers with a stream of events that goes on until the client, or the server, ends it.
func (x *v2) events(w http.ResponseWriter, r *http.Request, _ *scheduler.View) {
	q := newQuestion(r)
	want := readWantedEvents(q)
	if !q.answerable(w, r) {
		return
	}
	if x.Feed == nil {
		fail(w, r, http.StatusServiceUnavailable, api.CodeUnavailable,
			"This scheduler gives no events.")
		return
	}
	s, end, ok := x.beginStream(w, r, api.EventsType)
	if !ok {
		return
	}
	defer end()
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return
	}
	next, known := x.Feed.end(), true
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		if next, known = x.Feed.after(last); !known {
			next = x.Feed.end()
		}
	}
	if s.beat() != nil || !known && x.reset(s) != nil {
		return
	}
	x.passOn(r, s, want, next)
}

// reset tells a reader that what it missed is not kept any more.
func (x *v2) reset(s *stream) error {
	return s.event(api.EventReset, "", api.Event{Type: api.EventReset, At: x.Now().UTC(),
		Message: "Events before this are not kept any more; read what you show anew."})
}

// passOn gives a reader the events that it wants, as they come.
func (x *v2) passOn(r *http.Request, s *stream, want wantedEvents, next uint64) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for first := true; ; first = false {
		events, after, changed, missed := x.Feed.from(next)
		switch {
		case missed && first:
			if x.reset(s) != nil {
				return
			}
		case missed:
			// The client may be past reading this; there is no more to do for it.
			_ = s.event(api.EventDropped, "", api.Event{Type: api.EventDropped,
				At: x.Now().UTC(), Message: "You read too slowly; ask again."})
			return
		}
		for _, e := range events {
			if want.has(e) && s.event(e.Type, e.ID, e) != nil {
				return
			}
		}
		next = after
		if len(events) > 0 {
			continue // there may be more already
		}
		select {
		case <-r.Context().Done():
			return
		case <-x.Ending:
			return
		case <-changed:
		case <-beat.C:
			if s.beat() != nil {
				return
			}
		}
	}
}
