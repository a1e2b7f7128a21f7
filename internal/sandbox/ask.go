package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// makeRequest makes a request for the server at a base URL.
type makeRequest func(base string) (*http.Request, error)

// ask sends a request to the first of several addresses that answers, and gives a good answer,
// whose body the caller closes. When none answers, the error is that of the first.
func (s *Sandbox) ask(bases []string, request makeRequest) (*http.Response, error) {
	var first error
	for _, base := range bases {
		res, err := s.askAt(base, request)
		if err == nil || answered(err) {
			return res, err
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// askAt asks at one address. Where somebody listens who does not speak HTTP, it is tried with
// TLS: a Mesos that requires it breaks plain connections off.
func (s *Sandbox) askAt(base string, request makeRequest) (*http.Response, error) {
	res, err := s.do(request(base))
	var dial *net.OpError
	if err == nil || answered(err) || errors.As(err, &dial) && dial.Op == "dial" ||
		strings.HasPrefix(base, "https:") {
		return res, err
	}
	secured, failed := s.do(request("https" + strings.TrimPrefix(base, "http")))
	if failed == nil || answered(failed) {
		return secured, failed
	}
	return nil, err
}

// refusal is an answer that says no.
type refusal struct{ host, status, text string }

func (r *refusal) Error() string {
	return strings.TrimRight(fmt.Sprintf("%s answered %s: %s", r.host, r.status, r.text), ": ")
}

// answered says of an error that it came from the other side, and not from the way there.
func answered(err error) bool {
	_, refused := errors.AsType[*refusal](err)
	return refused || errors.Is(err, ErrNoFile) || errors.Is(err, context.Canceled)
}

// do sends a request and gives a good answer.
func (s *Sandbox) do(req *http.Request, err error) (*http.Response, error) {
	if err != nil {
		return nil, err
	}
	res, err := s.http.Do(req)
	if err != nil || res.StatusCode == http.StatusOK {
		return res, err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNotFound {
		return nil, ErrNoFile
	}
	text, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10)) // for the message only
	return nil, &refusal{req.URL.Host, res.Status, strings.TrimSpace(string(text))}
}

// largestAnswer is how much of a JSON answer is read, in bytes.
const largestAnswer = 16 << 20

// decoded reads the JSON of an answer.
func decoded[T any](res *http.Response) (value T, err error) {
	defer res.Body.Close()
	err = json.NewDecoder(io.LimitReader(res.Body, largestAnswer)).Decode(&value)
	if err != nil {
		return value, fmt.Errorf("reading the answer of %s: %w", res.Request.URL.Host, err)
	}
	return value, nil
}

// files asks the agent's files API about a path of the sandbox.
func (s *Sandbox) files(
	ctx context.Context, what, path string, q url.Values,
) (*http.Response, error) {
	q.Set("path", strings.TrimRight(s.dir+"/"+path, "/"))
	return s.ask(s.agents, func(base string) (*http.Request, error) {
		return http.NewRequestWithContext(ctx, http.MethodGet,
			base+"/files/"+what+"?"+q.Encode(), nil)
	})
}
