package server

import (
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// Limits of requests.
const (
	headerTimeout  = 5 * time.Second
	readTimeout    = 30 * time.Second
	writeTimeout   = 60 * time.Second // streams and artifacts have others
	idleTimeout    = 60 * time.Second
	maxHeader      = 16 << 10
	commandTimeout = 15 * time.Second

	maxConnections = 4096
	maxReads       = 256              // answers that are being made at once
	maxChanges     = 64               // changes under way, from the first byte of their bodies
	maxStreams     = 128              // of events and logs
	largeAnswer    = 64 << 10         // bytes that make an answer a large one
	maxUnread      = 256 << 20        // bytes of large answers that clients have not read yet
	patience       = time.Second      // of a request that waits for others
	maxSilence     = 10 * time.Second // of a client that does not read a stream
)

// NewHTTP gives an HTTP server with the limits that the API needs; its address is not set.
// Connections beyond maxConnections are closed at once, so that those that there are go on.
func NewHTTP(handler http.Handler) *http.Server {
	var open atomic.Int64
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ConnState: func(c net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				if open.Add(1) > maxConnections {
					_ = c.Close() // the server notices when it reads
				}
			case http.StateClosed, http.StateHijacked:
				open.Add(-1)
			}
		},
	}
}

// crowd bounds how much is done at once.
type crowd struct {
	reads, changes chan struct{}
	unread         atomic.Int64
}

func newCrowd() *crowd {
	return &crowd{reads: make(chan struct{}, maxReads), changes: make(chan struct{}, maxChanges)}
}

// take takes a place among the others, if one becomes free in time.
func take(ctx context.Context, places chan struct{}, patience time.Duration) bool {
	select {
	case places <- struct{}{}:
		return true
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case places <- struct{}{}:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// limit lets a request in when there is a place for it. Reads leave theirs as soon as the
// answer is made: how fast a client takes it is then no matter to others. Changes keep theirs.
func (c *crowd) limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		places := c.changes
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			places = c.reads
		}
		if !take(r.Context(), places, patience) {
			busy(w, r)
			return
		}
		leave := sync.OnceFunc(func() { <-places })
		defer leave()
		p := &admitted{ResponseWriter: w, request: r, crowd: c}
		if places == c.reads {
			p.whenMade(leave)
		}
		next.ServeHTTP(p, r)
	})
}

func busy(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "1")
	fail(w, r, http.StatusServiceUnavailable, api.CodeBusy,
		"The scheduler has too many requests at once; try again in a second.")
}

// admitted is the writer of a request that has a place.
type admitted struct {
	http.ResponseWriter
	request *http.Request
	crowd   *crowd
	made    []func()
}

// whenMade wants a function to be called when the answer is made, and only has to be sent.
func (p *admitted) whenMade(leave func()) { p.made = append(p.made, leave) }

// leave gives up what the request held while its answer was made.
func (p *admitted) leave() {
	for _, leave := range p.made {
		leave()
	}
}

// WriteHeader implements http.ResponseWriter.
func (p *admitted) WriteHeader(status int) {
	p.leave()
	p.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (p *admitted) Write(data []byte) (int, error) {
	p.leave()
	return p.ResponseWriter.Write(data)
}

// ReadFrom lets files be sent without a copy.
func (p *admitted) ReadFrom(from io.Reader) (int64, error) {
	p.leave()
	return io.Copy(p.ResponseWriter, from)
}

// Unwrap is for http.ResponseController.
func (p *admitted) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// room takes so many bytes of what clients may leave unread; free gives them back.
func (p *admitted) room(size int) (free func(), ok bool) {
	if p.crowd.unread.Add(int64(size)) > maxUnread {
		p.crowd.unread.Add(-int64(size))
		return nil, false
	}
	return func() { p.crowd.unread.Add(-int64(size)) }, true
}

// heavy bounds how many large answers are made at once, so that small ones need not wait for
// a processor.
type heavy chan struct{}

func newHeavy() heavy { return make(heavy, max(1, runtime.GOMAXPROCS(0)/2)) }

func (places heavy) limit(next viewHandler) viewHandler {
	return func(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
		p, ok := w.(*admitted)
		if ok {
			p.leave() // who waits here keeps nobody from small answers
		}
		if !take(r.Context(), places, 5*patience) {
			busy(w, r)
			return
		}
		leave := sync.OnceFunc(func() { <-places })
		defer leave()
		if ok {
			p.whenMade(leave)
		}
		next(w, r, v)
	}
}
