package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesoshttp"
	"github.com/kafka-sched/kafka-sched/internal/zk"
)

// snapshotTimeout is how long a master may take to answer.
const snapshotTimeout = 30 * time.Second

// agents are those of the snapshot that the flags name, or that is taken now.
func (e *env) agents(ctx context.Context, s simulating) ([]mesoshttp.AgentState, error) {
	var data []byte
	var err error
	if s.cluster == "" {
		data, err = e.snapshot(ctx, s)
	} else if data, err = os.ReadFile(s.cluster); err != nil {
		err = fail(exitUsage, "--cluster %s: %w", s.cluster, plain(err))
	}
	if err != nil {
		return nil, err
	}
	agents, err := mesoshttp.DecodeSnapshot(data)
	if err != nil {
		return nil, fail(exitUsage, "--cluster %s: %w", s.cluster, err)
	}
	return agents, nil
}

// takeSnapshot writes a snapshot into a file.
func (e *env) takeSnapshot(ctx context.Context, s simulating) error {
	data, err := e.snapshot(ctx, s)
	if err != nil {
		return err
	}
	agents, err := mesoshttp.DecodeSnapshot(data)
	if err != nil {
		return err
	}
	if s.take == "-" {
		_, err := e.stdout.Write(data)
		return printing(err)
	}
	if err := os.WriteFile(s.take, data, 0o644); err != nil {
		return fail(exitUsage, "--take-snapshot %s: %w", s.take, plain(err))
	}
	e.printf("%s: %s; next: kafka-sched simulate --cluster %s\n", s.take,
		plural(len(agents), "agent"), quote(s.take))
	return nil
}

// snapshot asks a master what it knows of its agents.
func (e *env) snapshot(ctx context.Context, s simulating) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, snapshotTimeout)
	defer cancel()
	master, err := e.snapshotMaster(ctx, s.master)
	if err != nil {
		return nil, err
	}
	agents, err := askMaster(ctx, master, "GET_AGENTS")
	if err != nil {
		return nil, err
	}
	// Masters without a schedule of maintenance, or that do not show it, have none.
	windows, err := askMaster(ctx, master, "GET_MAINTENANCE_SCHEDULE")
	if schedule, ok := windows["get_maintenance_schedule"]; err == nil && ok {
		agents["get_maintenance_schedule"] = schedule
	}
	data, err := json.MarshalIndent(agents, "", " ")
	if err != nil {
		return nil, fmt.Errorf("writing a snapshot: %w", err)
	}
	return append(data, '\n'), nil
}

// snapshotMaster is the URL of the master that the flags name, or else of the cluster's own.
func (e *env) snapshotMaster(ctx context.Context, master string) (string, error) {
	if master == "" {
		f, err := e.folder()
		if err != nil {
			return "", err
		}
		c, err := f.load()
		if err != nil {
			return "", fail(exitUsage, "whose agents? Name a snapshot with --cluster, or a "+
				"master with --master")
		}
		if master = c.Master; master == "" {
			master = "http://" + c.Mesos.MasterAddr
		}
	}
	if strings.HasPrefix(master, "zk://") {
		detector, err := zk.NewDetector(master, slog.New(slog.DiscardHandler))
		if err != nil {
			return "", fail(exitUsage, "--master %s: %w", master, err)
		}
		defer detector.Close()
		if master, err = detector.Leader(ctx); err != nil {
			return "", fail(exitFailed, "finding the leading master: %w", err)
		}
	}
	if !strings.Contains(master, "://") {
		master = "http://" + master
	}
	return strings.TrimSuffix(master, "/"), nil
}

// askMaster calls the operator API of a master, and follows it to the leading one.
func askMaster(ctx context.Context, master, call string) (map[string]json.RawMessage, error) {
	return askMasterAs(ctx, http.DefaultClient, master, call)
}

// askMasterAs is askMaster with a client that has the credentials.
func askMasterAs(
	ctx context.Context, client *http.Client, master, call string,
) (map[string]json.RawMessage, error) {
	body := fmt.Appendf(nil, `{"type":%q}`, call)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, master+"/api/v1",
		bytes.NewReader(body))
	if err != nil {
		return nil, fail(exitUsage, "--master %s: %w", master, plain(err))
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return nil, fail(exitPrecheck, "the master at %s does not answer: %w", master, plain(err))
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fail(exitPrecheck, "the master at %s does not answer: %w", master, plain(err))
	}
	if response.StatusCode != http.StatusOK {
		return nil, fail(exitFailed, "the master at %s answers %s with %s: %s", master, call,
			response.Status, bytes.TrimSpace(data[:min(len(data), 500)]))
	}
	answer := map[string]json.RawMessage{}
	if err := json.Unmarshal(data, &answer); err != nil {
		return nil, fail(exitFailed, "the master at %s answers with something else: %w", master,
			err)
	}
	return answer, nil
}
