package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
)

// ErrNoScheduler says that nobody listens where the scheduler should be.
var ErrNoScheduler = errors.New("no scheduler answers")

// Error is an answer of the scheduler that says no.
type Error struct {
	Status  int    // of HTTP
	Code    string // one of api.Code…, "" where /v1 gives only a sentence
	Message string
	URL     string
}

// Error gives the scheduler's own sentence, or the status when it sent none.
func (e *Error) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("%s answered %d %s", e.URL, e.Status, http.StatusText(e.Status))
	}
	return e.Message
}

// Client talks to one scheduler. It is safe for use by several goroutines.
type Client struct {
	base    string
	http    *http.Client
	patient time.Duration
	caller  string
}

// Option changes a Client that New makes.
type Option func(*Client)

// WithHTTPClient makes the requests with another HTTP client than the default, whose requests
// end after 30 s.
func WithHTTPClient(c *http.Client) Option { return func(k *Client) { k.http = c } }

// WithPatience is how long a read is tried again while nobody listens; 0 by default.
func WithPatience(d time.Duration) Option { return func(k *Client) { k.patient = d } }

// WithCaller names who asks, for the scheduler's journal.
func WithCaller(name string) Option { return func(k *Client) { k.caller = name } }

// requestTimeout ends a request that nobody answers.
const requestTimeout = 30 * time.Second

// answerLimit is the size of the largest answer that is read, in bytes.
const answerLimit = 64 << 20

// New gives a client of the scheduler at baseURL, such as "http://127.0.0.1:8080". It does not
// connect.
func New(baseURL string, options ...Option) *Client {
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment, // never used for loopback
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 2,
		IdleConnTimeout:     30 * time.Second,
	}
	c := &Client{
		base: strings.TrimRight(baseURL, "/"),
		http: &http.Client{
			Timeout:   requestTimeout,
			Transport: transport,
			// The API never redirects; its health codes beyond 300 are answers.
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			},
		},
	}
	for _, option := range options {
		option(c)
	}
	return c
}

// URL is the base URL that the client was made with.
func (c *Client) URL() string { return c.base }

// Close ends the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// answer is a response that was read to its end.
type answer struct {
	status int
	media  string
	etag   string
	body   []byte
	url    string
}

// err makes the Error of an answer that says no.
func (a answer) err() error {
	e := &Error{Status: a.status, URL: a.url}
	var problem api.Problem
	switch {
	case a.media == api.ProblemType && json.Unmarshal(a.body, &problem) == nil:
		e.Code, e.Message = problem.Code, problem.Detail
	case a.status == http.StatusNotFound && strings.Contains(a.url, "/v2/") &&
		(a.media != api.TextType || strings.HasPrefix(string(a.body), "404")):
		e.Message = fmt.Sprintf("what answers at %s is no scheduler: 404 Not Found", a.url)
	case a.media == api.TextType:
		e.Message = strings.TrimSpace(string(a.body))
	}
	return e
}

// decode reads the answer's JSON.
func (a answer) decode(into any) error {
	if err := json.Unmarshal(a.body, into); err != nil {
		return fmt.Errorf("reading the answer of %s: %w", a.url, err)
	}
	return nil
}

// get reads a path; a status that is not among the accepted ones is an Error.
func (c *Client) get(ctx context.Context, path string, accepted ...int) (answer, error) {
	deadline := time.Now().Add(c.patient)
	for {
		a, err := c.once(ctx, http.MethodGet, path, nil, nil)
		if err == nil {
			return a, a.check(accepted)
		}
		if !errors.Is(err, ErrNoScheduler) || time.Now().After(deadline) {
			return answer{}, err
		}
		select {
		case <-ctx.Done():
			return answer{}, err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// change sends a request that changes something, once; body is nil for none.
func (c *Client) change(
	ctx context.Context, method, path string, body any, accepted ...int,
) (answer, error) {
	return c.changeWith(ctx, method, path, body, nil, accepted...)
}

// changeWith is change with headers.
func (c *Client) changeWith(
	ctx context.Context, method, path string, body any, header http.Header, accepted ...int,
) (answer, error) {
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return answer{}, fmt.Errorf("writing the request: %w", err)
		}
	}
	a, err := c.once(ctx, method, path, content, header)
	if err != nil {
		return answer{}, err
	}
	return a, a.check(accepted)
}

// check accepts 200 and the given statuses.
func (a answer) check(accepted []int) error {
	if a.status == http.StatusOK {
		return nil
	}
	for _, status := range accepted {
		if a.status == status {
			return nil
		}
	}
	return a.err()
}

// once makes one request and reads its answer.
func (c *Client) once(
	ctx context.Context, method, path string, body []byte, header http.Header,
) (answer, error) {
	response, err := c.send(ctx, c.http, method, path, body, header)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	return c.whole(response)
}

// send makes a request; the answer's body is the caller's to close.
func (c *Client) send(
	ctx context.Context, by *http.Client, method, path string, body []byte, header http.Header,
) (*http.Response, error) {
	at := c.base + path
	request, err := http.NewRequestWithContext(ctx, method, at, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", at, err)
	}
	if header != nil {
		request.Header = header
	}
	if body != nil {
		request.Header.Set("Content-Type", api.JSONType)
	}
	if c.caller != "" {
		request.Header.Set(api.HeaderCaller, c.caller)
	}
	response, err := by.Do(request)
	if err != nil {
		return nil, c.explain(ctx, at, err)
	}
	return response, nil
}

// whole reads an answer to its end.
func (c *Client) whole(response *http.Response) (answer, error) {
	at := response.Request.URL.String()
	content, err := io.ReadAll(io.LimitReader(response.Body, answerLimit))
	if err != nil {
		return answer{}, fmt.Errorf("reading the answer of %s: %w", at, err)
	}
	media, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return answer{status: response.StatusCode, media: media, body: content, url: at,
		etag: response.Header.Get("ETag")}, nil
}

// explain makes a request that got no answer an error that a human understands.
func (c *Client) explain(ctx context.Context, at string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("asking %s: %w", at, ctx.Err())
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		if wrapped.Timeout() {
			return fmt.Errorf("the scheduler at %s does not answer in time: %w", c.base, err)
		}
		err = wrapped.Err
	}
	var dial *net.OpError
	if errors.Is(err, syscall.ECONNREFUSED) || errors.As(err, &dial) && dial.Op == "dial" {
		if call, ok := errors.AsType[*os.SyscallError](err); ok {
			err = call.Err // "connection refused" says enough
		}
		return fmt.Errorf("%w at %s: %w", ErrNoScheduler, c.base, err)
	}
	return fmt.Errorf("asking %s: %w", at, err)
}
