package apiconform

import (
	"slices"
	"strings"
	"testing"
)

// An event that nobody knows is told, and nothing conforms until the next start; the run ends
// well.
func TestUnknownEvents(t *testing.T) {
	ask := `{"request":{"method":"GET","path":"/v1/plans"},` +
		`"response":{"status":200,"content_type":"application/json","body":["deploy","recovery"]}}`
	for _, odd := range []string{
		`{"event":"flood host-1.example"}`, `{"event":""}`, `{}`,
		`{"event":"offers host-9.example"}`, `{"event":"status kafka-0-broker"}`,
		`{"event":"start BROKER_COUNT"}`, `{"event":"agent host-2.example"}`,
		`{"event":"start BROKER_DISK=none"}`,
	} {
		path := writeRecording(t, "new.jsonl", startLine, agentLine, ask, odd, ask,
			`{"event":"register"}`, ask, `{"event":"start BROKER_COUNT=3 BROKER_DISK=5000"}`, ask)
		list, err := readSeries([]string{path})
		if err != nil {
			t.Fatal(err)
		}
		r, err := play(list[0])
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for _, o := range r.outcomes {
			for _, f := range o.found {
				kinds = append(kinds, f.kind)
			}
		}
		if len(r.outcomes) != 4 || !slices.Equal(kinds, []string{kindWorld, kindWorld}) ||
			len(r.strays) != 1 {
			t.Errorf("%s: %d outcomes, %v, %v", odd, len(r.outcomes), kinds, r.strays)
		}
	}
}

const (
	plan = "/v1/plans/deploy"
	info = "/v1/pod/node-0/info"
)

var circumstanceCases = []struct {
	steps string // "POST path", "!target" another one of ours, or events; by ";"
	path  string
	want  string
}{
	{"", plan, ""},
	{"POST /v1/pod/node-1/restart", plan, beforePass},
	{"POST /v1/pod/node-1/restart; offers > killTask x; status x TASK_KILLED", plan,
		beforePass + ", " + justKilled},
	{"POST /v1/pod/node-1/restart; offers > killTask x; offers", plan, ""},
	{"POST /v1/plans/deploy/interrupt; tick", plan, ""},
	{"POST /v1/plans/deploy/interrupt; start", plan, wordsKept},
	{"POST /v1/plans/deploy/interrupt; start", "/v1/health", wordsKept},
	{"POST /v1/plans/deploy/interrupt; start", "/v1/plans/backup", ""},
	{"POST /v1/plans/deploy/interrupt; start; !other", plan, ""},
	{"POST /v1/plans/backup/stop; start; !other", "/v1/plans/backup", wordsKept},
	{"POST /v1/pod/node-0/replace; tick", info, isReplaced + ", " + endsAgain},
	{"POST /v1/pod/node-0/replace; tick", "/v1/pod/node-1/info", ""},
	{"POST /v1/pod/node-0/replace; tick; status node-0-server TASK_RUNNING", "/v1/pod/status",
		endsAgain},
	{"POST /v1/pod/kafka-0/replace; tick", "/v1/pod/status", isReplaced},
	{"POST /v1/pod/kafka-0/replace; tick; status kafka-0-broker TASK_RUNNING check=0",
		"/v1/pod/status", ""},
	{"status node-0-agent TASK_KILLED", plan, justKilled},
	{"status node-0-agent TASK_KILLED; tick", plan, ""},
	{"POST /v1/pod/node-0/resume; tick", info, staysStarting},
	{"POST /v1/pod/node-0/pause; tick", info, isPaused},
	{"POST /v1/pod/node-0/pause; POST /v1/pod/node-0/resume; tick", info,
		isPaused + ", " + staysStarting},
	{"POST /v1/pod/node-0/pause; POST /v1/pod/node-0/resume; " +
		"offers > LAUNCH_GROUP node-0-agent", info, staysStarting},
	{"start SDK_UNINSTALL=true", plan, whileUninstalling},
	{"status kafka-0-broker TASK_RUNNING", plan, noCheck},
	{"status kafka-0-broker TASK_RUNNING; status kafka-0-broker TASK_RUNNING check=1", plan,
		noCheck},
	{"status kafka-0-broker TASK_RUNNING; status kafka-0-broker TASK_RUNNING check=0", plan, ""},
	{"status node-0-server TASK_RUNNING", plan, ""},
	{"status node-0-agent TASK_KILLED; status node-0-agent TASK_RUNNING", plan,
		justKilled + ", " + cameBack},
	{"status node-0-agent TASK_KILLED; offers > LAUNCH_GROUP node-0-agent; " +
		"status node-0-agent TASK_RUNNING", plan, ""},
}

// What was recorded before tells which circumstances hold, whatever the moments are called.
func TestCircumstances(t *testing.T) {
	kafka, err := readService(kafkaService, variablesOf(kafkaService))
	if err != nil {
		t.Fatal(err)
	}
	mixed, err := readService(mixedService, variablesOf(mixedService))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range circumstanceCases {
		now, target := newCircumstances(), "first"
		service := mixed
		if strings.Contains(c.steps, "kafka") {
			service = kafka
		}
		for _, step := range strings.Split(c.steps, "; ") {
			event, call, _ := strings.Cut(step, " > ")
			words := strings.Fields(event)
			switch {
			case len(words) == 0:
			case words[0] == "POST":
				now.asked(line{Request: &request{Method: "POST", Path: words[1]},
					Response: &response{Status: 200}}, service, target)
			case step[0] == '!':
				target = step[1:]
			default:
				now.happened(words, []string{call}, service)
				now.launched(launchedTasks([]string{call}))
			}
		}
		if got := strings.Join(now.at(c.path, target), ", "); got != c.want {
			t.Errorf("%s, then GET %s: %q, not %q", c.steps, c.path, got, c.want)
		}
	}
	refused := newCircumstances()
	refused.asked(line{Request: &request{Method: "POST", Path: "/v1/pod/node-0/replace"},
		Response: &response{Status: 404}}, mixed, "")
	if got := refused.at(info, ""); got != nil {
		t.Errorf("a refused command leads to %q", got)
	}
}
