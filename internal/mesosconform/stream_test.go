package mesosconform

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// received is one event that came on a stream of ours.
type received struct {
	body   any
	closed string
	index  int
	at     time.Time
	used   bool
	as     int // the outcome that it was compared for, if used
}

// stream is one open event stream of the replay.
type stream struct {
	cancel context.CancelFunc

	mu     sync.Mutex
	events []*received
	more   chan struct{} // closed and renewed with each event
}

func newStream(cancel context.CancelFunc) *stream {
	return &stream{cancel: cancel, more: make(chan struct{})}
}

func (s *stream) add(body any, closed string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, &received{body: body, closed: closed, index: len(s.events),
		at: time.Now()})
	close(s.more)
	s.more = make(chan struct{})
}

// unused are the events that no recorded one was compared with, and what to
// wait for if none of them will do.
func (s *stream) unused() ([]*received, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*received
	for _, e := range s.events {
		if !e.used {
			out = append(out, e)
		}
	}
	return out, s.more
}

// all are the events that came.
func (s *stream) all() []*received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// read takes records off a response until it ends.
func (s *stream) read(body io.ReadCloser) {
	defer body.Close()
	in := bufio.NewReader(body)
	for {
		record, err := readRecord(in)
		switch {
		case errors.Is(err, io.EOF):
			s.add(nil, "eof")
			return
		case err != nil:
			s.add(nil, "eof-without-last-chunk")
			return
		}
		v, err := decode(record)
		if err != nil {
			v = string(record)
		}
		s.add(v, "")
	}
}

func readRecord(in *bufio.Reader) ([]byte, error) {
	head, err := in.ReadString('\n')
	if err != nil {
		if errors.Is(err, io.EOF) && head != "" {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(head))
	if err != nil {
		return nil, fmt.Errorf("the length of a record: %w", err)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(in, b); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	return b, nil
}

// answered is our answer to a request.
type answered struct {
	err     error
	status  int
	headers http.Header
	body    string
	stream  *stream
}

// send sends a recorded request to url. The answer to one that opened a stream
// comes when its headers are there, any other one when it is whole.
func send(l *line, url, body, streamID string) <-chan answered {
	out := make(chan answered, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { out <- exchange(ctx, cancel, l, url, body, streamID) }()
	return out
}

// method is that of the request; executors' recordings leave it out.
func (l *line) method() string {
	if m := l.Headers["method"]; m != "" {
		return m
	}
	return http.MethodPost
}

func exchange(
	ctx context.Context, cancel context.CancelFunc, l *line, url, body, streamID string,
) answered {
	req, err := http.NewRequestWithContext(ctx, l.method(), url, strings.NewReader(body))
	if err != nil {
		cancel()
		return answered{err: err}
	}
	req.Close = true
	for k, v := range l.Headers {
		if k != "method" && k != "Mesos-Stream-Id" {
			req.Header.Set(k, v)
		}
	}
	if streamID != "" {
		req.Header.Set("Mesos-Stream-Id", streamID)
	}
	streams := l.answer != nil && l.answer.stream()
	if !streams {
		defer time.AfterFunc(answerWithin/2, cancel).Stop()
	}
	resp, err := client.Do(req)
	if err != nil {
		cancel()
		return answered{err: err}
	}
	a := answered{status: resp.StatusCode, headers: resp.Header}
	if resp.StatusCode == http.StatusOK && streams {
		a.stream = newStream(cancel)
		go a.stream.read(resp.Body)
		return a
	}
	b, err := io.ReadAll(resp.Body)
	a.body, a.err = string(b), errors.Join(err, resp.Body.Close())
	cancel()
	return a
}

// client follows no redirect, since a redirect is an answer to compare.
var client = &http.Client{
	Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	},
}
