package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
)

// TestMesosTold says that the status document has what is known of the masters, and the health
// a reason for what does not answer.
func TestMesosTold(t *testing.T) {
	next, asked := viewTime.Add(time.Second), viewTime.Add(-time.Minute)
	for _, c := range []struct {
		name   string
		mesos  api.Mesos
		reason string
	}{
		{"no master", api.Mesos{Since: viewTime, Reason: "no leader", Attempts: 3, Next: &next},
			"No Mesos master is connected since 2"},
		{"first attempt", api.Mesos{Since: viewTime}, ""},
		{"connected", api.Mesos{Connected: true, Since: viewTime, Master: "https://m1:5050",
			Version: "1.11.0", Capabilities: []string{"AGENT_UPDATE"}, Agents: 2,
			AgentsAt: &asked}, ""},
		{"forbidden", api.Mesos{Connected: true, Since: viewTime, Master: "https://m1:5050",
			AgentsReason: "HTTP status 403 Forbidden"},
			"The master's operator API does not list the agents: HTTP status 403"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := config(completeView(), &machine{})
			cfg.Mesos = func() api.Mesos { return c.mesos }
			w := ask(t, cfg, httptest.NewRequest("GET", api.PathService, nil))
			wrong := readContract(t).checkAnswer("GET", api.PathService, w.Code,
				w.Header().Get("Content-Type"), w.Body.Bytes())
			var s api.Service
			if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil || wrong != "" ||
				w.Code != http.StatusOK {
				t.Fatalf("%d %s %v %s", w.Code, wrong, err, w.Body)
			}
			if got := s.Mesos.Connected; got != c.mesos.Connected {
				t.Errorf("%+v", s.Mesos)
			}
			if c.mesos.Connected && s.MasterAddress() != "m1:5050" {
				t.Error(s.MasterAddress())
			}
			plain := ask(t, cfg, httptest.NewRequest("GET", api.PathHealth, nil))
			health := ask(t, cfg, httptest.NewRequest("GET", api.PathHealth+"?verbose=true", nil))
			var h api.Health
			if err := json.Unmarshal(health.Body.Bytes(), &h); err != nil ||
				plain.Code != health.Code {
				t.Fatal(err, plain.Code, health.Code)
			}
			last := h.Reasons[len(h.Reasons)-1]
			if c.reason == "" && len(h.Reasons) != lines || c.reason != "" &&
				!strings.HasPrefix(last, c.reason) {
				t.Errorf("%d reasons, the last: %s", len(h.Reasons), last)
			}
		})
	}
}
