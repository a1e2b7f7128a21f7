package mesoshttp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib/encoding"
)

const (
	streamIDHeader = "Mesos-Stream-Id"
	// maxRedirects bounds the way to the leading master; two masters that each take the other
	// for the leader would send a client to and fro for ever.
	maxRedirects = 5
	// maxErrorText is how much of an error answer is read.
	maxErrorText = 4 << 10
)

// StatusError is an answer other than success, with what the other side said.
type StatusError struct {
	Status int
	Text   string
}

// Error gives the status and the text.
func (e *StatusError) Error() string {
	text := fmt.Sprintf("HTTP status %d %s", e.Status, http.StatusText(e.Status))
	if e.Text != "" {
		text += ": " + e.Text
	}
	return text
}

// poster sends messages to one API.
type poster struct {
	client *http.Client
	codec  encoding.Codec
}

// newPoster makes a poster whose connections are its own. Masters and agents are never asked
// through a proxy, and redirects are followed by hand, since a POST must stay one.
func newPoster(json bool, access *Access) *poster {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}
	return &poster{
		client: &http.Client{
			Transport: access.Over(&http.Transport{
				DialContext:         dialer.DialContext,
				TLSHandshakeTimeout: 10 * time.Second,
				MaxIdleConnsPerHost: 2 * callsAtOnce,
				IdleConnTimeout:     90 * time.Second,
				DisableCompression:  true,
			}),
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			},
		},
		codec: codecFor(json),
	}
}

func (p *poster) close() { p.client.CloseIdleConnections() }

// post sends a message and gives the answer, whatever its status.
func (p *poster) post(
	ctx context.Context, to, streamID string, m encoding.Marshaler,
) (*http.Response, error) {
	body, err := encodeMessage(p.codec, m)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("making a request to %s: %w", to, err)
	}
	request.Header.Set("Content-Type", p.codec.Type.ContentType())
	request.Header.Set("Accept", p.codec.Type.ContentType())
	if streamID != "" {
		request.Header.Set(streamIDHeader, streamID)
	}
	return p.client.Do(request)
}

// call posts a message that has no answer but its status.
func (p *poster) call(ctx context.Context, to, streamID string, m encoding.Marshaler) error {
	response, err := p.post(ctx, to, streamID, m)
	if err != nil {
		return err
	}
	return finish(response)
}

// finish reads an answer to its end, so that its connection can be used again.
func finish(response *http.Response) error {
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxErrorText))
	if response.StatusCode/100 != 2 {
		return &StatusError{response.StatusCode, strings.TrimSpace(string(text))}
	}
	if err != nil {
		return fmt.Errorf("reading an answer: %w", err)
	}
	return nil
}

// open posts a SUBSCRIBE, follows redirects, and gives the stream with the URL where it is.
func (p *poster) open(
	ctx context.Context, to string, m encoding.Marshaler,
) (*http.Response, string, error) {
	for range maxRedirects + 1 {
		response, err := p.post(ctx, to, "", m)
		if err != nil {
			return nil, "", fmt.Errorf("subscribing: %w", err)
		}
		switch response.StatusCode {
		case http.StatusOK:
			return response, to, nil
		case http.StatusTemporaryRedirect, http.StatusPermanentRedirect,
			http.StatusMovedPermanently, http.StatusFound:
			if to, err = redirected(response); err != nil {
				return nil, "", err
			}
		default:
			return nil, "", fmt.Errorf("subscribing at %s: %w%s", to, finish(response),
				advice(response.StatusCode))
		}
	}
	return nil, "", fmt.Errorf("subscribing: redirected more than %d times, last to %s",
		maxRedirects, to)
}

// advice says what a status means for people who read of it in a log or a health answer.
func advice(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return " (the master wants credentials, or other ones: see --credential, " +
			"--auth-token-file and --auth-token-command)"
	case http.StatusServiceUnavailable:
		return " (no master leads at the moment, or the one that does is still recovering)"
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return " (what answers there may be no Mesos master)"
	}
	return ""
}

// redirected gives where an answer sends us. Masters write "//host:port/api/v1/scheduler".
func redirected(response *http.Response) (string, error) {
	defer response.Body.Close()
	location, err := response.Location()
	if err != nil {
		return "", fmt.Errorf("following a redirect of %s: %w", response.Request.URL.Host, err)
	}
	from := response.Request.URL
	if location.Host == "" || location.Scheme != "http" && location.Scheme != "https" {
		return "", fmt.Errorf("following a redirect of %s: no usable address in %q; the masters "+
			"may be without a leader", from.Host, location)
	}
	if from.Scheme == "https" && location.Scheme != "https" {
		return "", fmt.Errorf("following a redirect of %s: it leads away from https, to %s",
			from.Host, location)
	}
	return location.String(), nil
}

// endpoint makes the URL of an API out of host:port, which is of a scheme, http://host:port or
// https://host:port.
func endpoint(scheme, address, path string) (string, error) {
	text := strings.TrimSpace(address)
	if !strings.Contains(text, "://") {
		text = scheme + "://" + text
	}
	u, err := url.Parse(text)
	if err != nil {
		return "", fmt.Errorf("reading the address %q: %w", address, err)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("reading the address %q: its scheme is not http or https", address)
	}
	if u.Hostname() == "" {
		return "", fmt.Errorf("reading the address %q: it has no host", address)
	}
	return u.Scheme + "://" + u.Host + path, nil
}

func hostPort(host string, port int) string {
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// jittered gives a random time up to base doubled attempt times, at most most.
func jittered(base, most time.Duration, attempt int) time.Duration {
	limit := base
	for range attempt {
		if limit >= most {
			break
		}
		limit *= 2
	}
	return rand.N(min(limit, most) + 1)
}

// wait waits for d or the end of the context.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// reasonOf gives the text for people of why a connection ended: the cause of a cancelled
// context tells more than the read error that came of it. A refusal comes before all else.
func reasonOf(ctx context.Context, err error) error {
	var refused *RefusedError
	if errors.As(err, &refused) {
		return refused
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if errors.Is(err, io.EOF) {
		return errors.New("the other side ended the stream")
	}
	return err
}
