package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	http  *http.Client
	agent string // base URL
	dir   string // the latest run, by its virtual path
}

// requestTimeout ends a request that is not answered.
const requestTimeout = 10 * time.Second

// Find finds the sandbox of an executor.
func Find(ctx context.Context, e Executor) (*Sandbox, error) {
	s := &Sandbox{
		http: &http.Client{Timeout: requestTimeout},
		dir:  fmt.Sprintf("/frameworks/%s/executors/%s/runs/latest", e.Framework, e.Name),
	}
	var err error
	s.agent, err = s.findAgent(ctx, e.Master, e.Agent)
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

// findAgent asks the master's operator API for the address of an agent.
func (s *Sandbox) findAgent(ctx context.Context, master, id string) (string, error) {
	body := []byte(`{"type":"GET_AGENTS"}`)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost,
		"http://"+master+"/api/v1", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	text, err := s.do(req)
	if err != nil {
		return "", err
	}
	var known agents
	if err := json.Unmarshal(text, &known); err != nil {
		return "", fmt.Errorf("reading the answer of the master: %w", err)
	}
	for _, a := range known.GetAgents.Agents {
		if a.AgentInfo.ID.Value != id {
			continue
		}
		if _, addr, ok := strings.Cut(a.PID, "@"); ok {
			return "http://" + addr, nil
		}
		port := strconv.Itoa(a.AgentInfo.Port)
		return "http://" + net.JoinHostPort(a.AgentInfo.Hostname, port), nil
	}
	return "", fmt.Errorf("agent %s is not registered with the master at %s", id, master)
}

// largestAnswer is how much of an answer is read, in bytes.
const largestAnswer = 16 << 20

// do sends a request and gives the body of a good answer.
func (s *Sandbox) do(req *http.Request) ([]byte, error) {
	res, err := s.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, largestAnswer))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the answer of %s: %w", req.URL.Host, err)
	case res.StatusCode == http.StatusNotFound:
		return nil, ErrNoFile
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s answered %s: %s", req.URL.Host, res.Status,
			strings.TrimSpace(string(text)))
	}
	return text, nil
}
