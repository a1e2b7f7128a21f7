package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ErrNoFile says that a sandbox does not have a file (yet).
var ErrNoFile = errors.New("there is no such file")

// Executor names the executor whose sandbox is meant.
type Executor struct {
	Master                 string // host:port
	Framework, Agent, Name string // their ids
}

// Sandbox is the folder of an executor's latest run.
type Sandbox struct {
	http   *http.Client
	scheme string   // http:// or https://
	agents []string // base URLs under which the agent may be reached
	dir    string   // the latest run, by its virtual path
}

// Patience with a Mesos that does not answer. A file may take longer to come.
const (
	dialTimeout   = 5 * time.Second
	answerTimeout = 10 * time.Second
)

// Finder finds sandboxes. The zero Finder is for a Mesos that lets everybody in.
type Finder struct {
	// Scheme is http, which "" stands for, or https; http tries https, too, and https never
	// http, as credentials may go with a request.
	Scheme string
	// Over changes a transport, or wraps it, so that masters and agents let us in; nil does not.
	Over func(*http.Transport) http.RoundTripper
}

func (f Finder) http() *http.Client {
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment, // never used for loopback
		DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
		ResponseHeaderTimeout: answerTimeout,
		IdleConnTimeout:       30 * time.Second,
	}
	if f.Over == nil {
		return &http.Client{Transport: transport}
	}
	return &http.Client{Transport: f.Over(transport)}
}

// Find finds the sandbox of an executor.
func Find(ctx context.Context, e Executor) (*Sandbox, error) { return Finder{}.Find(ctx, e) }

// Find finds the sandbox of an executor.
func (f Finder) Find(ctx context.Context, e Executor) (*Sandbox, error) {
	s := &Sandbox{
		http:   f.http(),
		scheme: cmp.Or(f.Scheme, "http") + "://",
		dir:    fmt.Sprintf("/frameworks/%s/executors/%s/runs/latest", e.Framework, e.Name),
	}
	var err error
	s.agents, err = s.findAgent(ctx, e.Master, e.Agent)
	return s, err
}

// agents is what we need of the answer to GET_AGENTS.
type agents struct {
	GetAgents struct {
		Agents []struct {
			AgentInfo struct {
				ID       struct{ Value string } `json:"id"`
				Hostname string                 `json:"hostname"`
				Port     int                    `json:"port"`
			} `json:"agent_info"`
			PID string `json:"pid"` // slave(1)@127.0.0.1:5051
		} `json:"agents"`
	} `json:"get_agents"`
}

// findAgent asks the master's operator API under which addresses an agent may be reached: the
// one that it registered with, and its host name, which may be known where the address cannot
// be reached.
func (s *Sandbox) findAgent(ctx context.Context, master, id string) ([]string, error) {
	body := []byte(`{"type":"GET_AGENTS"}`)
	res, err := s.ask([]string{s.scheme + master}, func(base string) (*http.Request, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/v1",
			bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json")
		return req, nil
	})
	if err != nil {
		return nil, err
	}
	known, err := decoded[agents](res)
	if err != nil {
		return nil, err
	}
	for _, a := range known.GetAgents.Agents {
		if a.AgentInfo.ID.Value != id {
			continue
		}
		var bases []string
		byName := net.JoinHostPort(a.AgentInfo.Hostname, strconv.Itoa(a.AgentInfo.Port))
		if _, addr, ok := strings.Cut(a.PID, "@"); ok && addr != byName {
			bases = append(bases, s.scheme+addr)
		}
		return append(bases, s.scheme+byName), nil
	}
	return nil, fmt.Errorf("agent %s is not registered with the master at %s", id, master)
}
