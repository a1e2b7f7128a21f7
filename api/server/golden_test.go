package server

import (
	"bytes"
	"flag"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// TestGolden compares whole answers with the files of testdata/golden.
func TestGolden(t *testing.T) {
	for name, c := range map[string]struct {
		view   *scheduler.View
		path   string
		status int
	}{
		"service":           {fullView(), "/v2/service", 200},
		"service-started":   {startedView(), "/v2/service", 200},
		"service-uninstall": {uninstallView(), "/v2/service", 200},
		"plan":              {fullView(), "/v1/plans/deploy", 202},
		"plan-uninstall":    {uninstallView(), "/v1/plans/deploy", 202},
		"pod-info":          {fullView(), "/v1/pod/kafka-0/info", 200},
		"target":            {fullView(), "/v1/configurations/target", 200},
		"health-verbose":    {fullView(), "/v1/health?verbose=true", 208},

		"mixed-deploy":       {mixedView(), "/v1/plans/deploy", 202},
		"mixed-recovery":     {mixedView(), "/v1/plans/recovery", 202},
		"mixed-decommission": {mixedView(), "/v1/plans/decommission", 202},
		"mixed-pods":         {mixedView(), "/v1/pod/status", 200},
		"mixed-info":         {mixedView(), "/v1/pod/node-0/info", 200},
		"mixed-properties":   {mixedView(), "/v1/state/properties", 200},
		"mixed-zones":        {mixedView(), "/v1/state/zone/tasks", 200},
		"debug-plans":        {mixedView(), "/v1/debug/plans?plan=recovery", 200},
		"debug-tasks":        {mixedView(), "/v1/debug/taskStatuses", 200},
		"debug-reservations": {mixedView(), "/v1/debug/reservations", 200},
		"debug-offers":       {mixedView(), "/v2/debug/offers?plan=nosuch", 200},
		"metrics":            {fullView(), "/v1/metrics", 200},
		"broker":             {fullView(), "/v1/brokers/0", 200},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", c.path, nil)
			w := ask(t, config(c.view, &machine{}), r)
			if w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
			golden(t, name, w.Body.Bytes())
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name+".json")
	if *rewrite {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s (run with -rewrite if it should): -want +got\n%s", path,
			cmp.Diff(string(want), string(got)))
	}
}
