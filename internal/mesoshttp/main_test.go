package mesoshttp

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib/encoding"
	"github.com/mesos/mesos-go/api/v1/lib/recordio"
	"go.uber.org/goleak"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// logBuffer is a log that a test may read while it is written.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logBuffer) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// stream is the other side's end of an event stream.
type stream struct {
	t     testing.TB
	codec encoding.Codec
	w     http.ResponseWriter
	// gone is closed when the client has left.
	gone <-chan struct{}
}

// begin answers a SUBSCRIBE.
func begin(t testing.TB, w http.ResponseWriter, r *http.Request, streamID string) *stream {
	codec := codecFor(r.Header.Get("Content-Type") == "application/json")
	w.Header().Set("Content-Type", codec.Type.ContentType())
	if streamID != "" {
		w.Header().Set(streamIDHeader, streamID)
	}
	w.WriteHeader(http.StatusOK)
	s := &stream{t: t, codec: codec, w: w, gone: r.Context().Done()}
	s.flush()
	return s
}

// send writes events with mesos-go's own framing.
func (s *stream) send(events ...message) {
	for _, e := range events {
		body, err := encodeMessage(s.codec, e)
		if err != nil {
			s.t.Error(err)
			return
		}
		_ = recordio.NewWriter(s.w).WriteFrame(body) // the client may have gone
	}
	s.flush()
}

// raw writes bytes without a frame.
func (s *stream) raw(text string) {
	_, _ = io.WriteString(s.w, text)
	s.flush()
}

func (s *stream) flush() { _ = http.NewResponseController(s.w).Flush() }

// decodeBody reads a call in the codec that it names.
func decodeBody(t testing.TB, r *http.Request, m message) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = decodeMessage(codecFor(r.Header.Get("Content-Type") == "application/json"), body, m)
	}
	if err != nil {
		t.Error(err)
	}
}

// serve runs a scripted server; its address is host:port.
func serve(t testing.TB, handler http.HandlerFunc) (address string) {
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return strings.TrimPrefix(server.URL, "http://")
}

// running is a client's Run in the background, with what it delivers.
type running[E any] struct {
	t      testing.TB
	events chan E
	ended  chan error
	stop   context.CancelFunc
}

func run[E any](t testing.TB, start func(context.Context, func(E)) error) *running[E] {
	ctx, cancel := context.WithCancel(context.Background())
	r := &running[E]{t, make(chan E), make(chan error, 1), cancel}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.ended <- start(ctx, func(e E) {
			select {
			case r.events <- e:
			case <-ctx.Done():
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return r
}

// next gives the next event.
func (r *running[E]) next() E {
	r.t.Helper()
	return receive(r.t, r.events)
}

// end gives what Run returned.
func (r *running[E]) end() error {
	r.t.Helper()
	return receive(r.t, r.ended)
}

func receive[T any](t testing.TB, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}
