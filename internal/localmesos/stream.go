package localmesos

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// writeTimeout is how long a reader may block the writing of its stream.
const writeTimeout = 30 * time.Second

// maxBacklog is the number of bytes that may wait for a slow reader before its
// stream is cut.
const maxBacklog = 16 << 20

// stream is the event side of one subscription: the loop pushes records, the
// HTTP handler's goroutine writes them. Records are RecordIO framed.
type stream struct {
	id       string
	protobuf bool

	mu      sync.Mutex
	queue   [][]byte
	backlog int
	closed  bool
	broken  bool // ended without a last chunk
	wake    chan struct{}
}

func newStream(id string, protobuf bool) *stream {
	return &stream{id: id, protobuf: protobuf, wake: make(chan struct{}, 1)}
}

// message is any event or response of the API.
type message interface{ Marshal() ([]byte, error) }

func encode(m message, protobuf bool) ([]byte, error) {
	if protobuf {
		return m.Marshal()
	}
	return encodeJSON(m), nil
}

// push queues an event. A stream whose reader does not keep up is closed.
func (s *stream) push(m message) error {
	body, err := encode(m, s.protobuf)
	if err != nil {
		return err
	}
	record := append(append(strconv.AppendInt(nil, int64(len(body)), 10), '\n'), body...)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.queue = append(s.queue, record)
	s.backlog += len(record)
	s.closed = s.backlog > maxBacklog
	s.signal()
	return nil
}

// close ends the stream after what is queued.
func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.signal()
}

// cut breaks the stream's connection, as when the process that serves it dies.
func (s *stream) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.broken, s.queue = true, true, nil
	s.signal()
}

func (s *stream) isBroken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken
}

func (s *stream) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *stream) take() ([][]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queue
	s.queue, s.backlog = nil, 0
	return q, s.closed
}

// serve writes the stream until it is closed, the client goes, or stop is closed.
func (s *stream) serve(w http.ResponseWriter, r *http.Request, stop <-chan struct{}) {
	if s.protobuf {
		w.Header().Set("Content-Type", mediaProtobuf)
	} else {
		w.Header().Set("Content-Type", mediaJSON)
	}
	if s.id != "" {
		w.Header().Set("Mesos-Stream-Id", s.id)
	}
	w.WriteHeader(http.StatusOK)
	flusher := http.NewResponseController(w)
	for {
		records, closed := s.take()
		// Also for what the server writes after the last record: the end.
		if err := flusher.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return
		}
		for _, rec := range records {
			if _, err := w.Write(rec); err != nil {
				return
			}
		}
		if s.isBroken() {
			panic(http.ErrAbortHandler) // The connection is closed without a word.
		}
		if err := flusher.Flush(); err != nil || closed {
			return
		}
		select {
		case <-s.wake:
		case <-r.Context().Done():
			return
		case <-stop:
			return
		}
	}
}
