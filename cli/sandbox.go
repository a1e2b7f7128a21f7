package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
)

// sandbox reads files of one task's sandbox through the files API of its Mesos agent.
type sandbox struct {
	http  *http.Client
	agent string // base URL
	dir   string // the executor's latest run, by its virtual path
	task  string // full name
}

// errNoFile says that a sandbox does not have a file (yet).
var errNoFile = errors.New("there is no such file")

// findSandbox finds where a pod's task runs or ran last.
func findSandbox(
	ctx context.Context, s api.Service, p api.Pod, t api.Task,
) (*sandbox, error) {
	if p.AgentID == "" || t.ExecutorID == "" {
		return nil, fail(exitNotFound, "%s was never launched, so it has no output", p.Name)
	}
	if s.Master == "" {
		return nil, fmt.Errorf("the scheduler is not connected to Mesos now, so the agent of %s "+
			"cannot be found", p.Name)
	}
	box := &sandbox{
		http: &http.Client{Timeout: 10 * time.Second},
		dir: fmt.Sprintf("/frameworks/%s/executors/%s/runs/latest",
			s.FrameworkID, t.ExecutorID),
		task: t.FullName,
	}
	var err error
	if box.agent, err = box.findAgent(ctx, s.Master, p.AgentID); err != nil {
		return nil, fmt.Errorf("finding the agent of %s: %w", p.Name, err)
	}
	return box, nil
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
func (b *sandbox) findAgent(ctx context.Context, master, id string) (string, error) {
	body := []byte(`{"type":"GET_AGENTS"}`)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost,
		"http://"+master+"/api/v1", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	text, err := b.do(req)
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

// do sends a request and gives the body of a good answer.
func (b *sandbox) do(req *http.Request) ([]byte, error) {
	res, err := b.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the answer of %s: %w", req.URL.Host, err)
	case res.StatusCode == http.StatusNotFound:
		return nil, errNoFile
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s answered %s: %s", req.URL.Host, res.Status,
			strings.TrimSpace(string(text)))
	}
	return text, nil
}

// piece is an answer of /files/read.
type piece struct {
	Data   string `json:"data"`
	Offset int64  `json:"offset"`
}

// length is how many bytes of the file a piece stands for, of which there were so many left.
// Bytes that are not UTF-8 arrive as U+FFFD, so that the text's own length says nothing then.
func (p piece) length(left int64) int64 {
	if strings.ContainsRune(p.Data, '\uFFFD') {
		return min(mostRead, left)
	}
	return int64(len(p.Data))
}

// mostRead is the largest piece that is asked for at once, in bytes.
const mostRead = 64 << 10

// read reads a piece of a file; offset -1 gives the file's size as the offset.
func (b *sandbox) read(ctx context.Context, file string, offset int64) (piece, error) {
	q := url.Values{"path": {b.dir + "/" + file}}
	q.Set("offset", strconv.FormatInt(offset, 10))
	if offset >= 0 {
		q.Set("length", strconv.Itoa(mostRead))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet,
		b.agent+"/files/read?"+q.Encode(), nil)
	if err != nil {
		return piece{}, err
	}
	text, err := b.do(req)
	if err != nil {
		return piece{}, err
	}
	var p piece
	if err := json.Unmarshal(text, &p); err != nil {
		return piece{}, fmt.Errorf("reading the answer of the agent: %w", err)
	}
	return p, nil
}

// tail gives the last lines of a file, and the offset at which they end.
func (b *sandbox) tail(ctx context.Context, file string, lines int) (string, int64, error) {
	end, err := b.read(ctx, file, -1)
	if err != nil {
		return "", 0, err
	}
	size := end.Offset
	text := ""
	for from := size; from > 0 && strings.Count(text, "\n") <= lines; {
		begin := max(from-mostRead, 0)
		p, err := b.read(ctx, file, begin)
		if err != nil {
			return "", 0, err
		}
		text = p.Data[:min(int64(len(p.Data)), from-begin)] + text
		from = begin
	}
	return lastLines(text, lines), size, nil
}

// lastLines gives the last lines of a text.
func lastLines(text string, lines int) string {
	if lines <= 0 {
		return ""
	}
	rest := strings.TrimSuffix(text, "\n")
	for range lines {
		i := strings.LastIndexByte(rest, '\n')
		if i < 0 {
			return text
		}
		rest = rest[:i]
	}
	return text[len(rest)+1:]
}
