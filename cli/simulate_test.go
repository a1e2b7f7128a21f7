package cli

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTakeSnapshot takes a snapshot of a master that is not the leader and sends us on to it, and
// simulates with it.
func TestTakeSnapshot(t *testing.T) {
	leader := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/api/v1" {
			t.Errorf("%s %s %s: %v", r.Method, r.URL, body, err)
		}
		switch {
		case strings.Contains(string(body), "GET_AGENTS"):
			fmt.Fprint(w, `{"type":"GET_AGENTS","get_agents":{"agents":[{"agent_info":`+
				`{"hostname":"h1","id":{"value":"S1"}},"active":true,"version":"1.11.0",`+
				`"pid":"slave(1)@10.0.0.1:5051","total_resources":[{"name":"cpus",`+
				`"type":"SCALAR","scalar":{"value":8.0},"role":"*"}]}]}}`)
		case strings.Contains(string(body), "GET_MAINTENANCE_SCHEDULE"):
			fmt.Fprint(w, `{"type":"GET_MAINTENANCE_SCHEDULE","get_maintenance_schedule":`+
				`{"schedule":{"windows":[{"machine_ids":[{"hostname":"H1"}],`+
				`"unavailability":{"start":{"nanoseconds":1}}}]}}}`)
		}
	}))
	defer leader.Close()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", strings.TrimPrefix(leader.URL, "http:")+"/api/v1")
		w.WriteHeader(http.StatusTemporaryRedirect)
	}))
	defer other.Close()
	var out, wrong bytes.Buffer
	run := func(args ...string) int {
		out.Reset()
		wrong.Reset()
		return Main(append(args, "--home", t.TempDir()), nil, &out, &wrong, Daemons{})
	}
	file := filepath.Join(t.TempDir(), "now.json")
	if code := run("simulate", "--take-snapshot", file, "--master", other.URL); code != 0 {
		t.Fatalf("%d: %s", code, &wrong)
	}
	if want := file + ": 1 agent; next: "; !strings.HasPrefix(out.String(), want) {
		t.Errorf("%q does not begin with %q", out.String(), want)
	}
	if code := run("simulate", "--cluster", file); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	if want := "maintenance is scheduled for 1"; !strings.Contains(out.String(), want) {
		t.Errorf("%q is not in %q", want, out.String())
	}
	if code := run("simulate", "--take-snapshot", "-", "--master", leader.URL); code != 0 {
		t.Errorf("%d: %s", code, &wrong)
	}
	if kept, err := os.ReadFile(file); err != nil || out.String() != string(kept) {
		t.Errorf("%s and %s differ: %v", &out, kept, err)
	}
}
