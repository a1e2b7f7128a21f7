package server

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// recorded is one exchange with the predecessor, and the view and reply that lead to it here.
// Of its error pages the line with the name of its HTTP server is left out.
type recorded struct {
	View, Reply  string
	Method, Path string
	Type, Send   string
	Status       int
	Media        string
	Body         any
}

// TestRecorded replays what the predecessor answered to the same requests in the same state.
// Only what its parser said of bad JSON is our own.
func TestRecorded(t *testing.T) {
	views := map[string]*scheduler.View{
		"started": startedView(), "launched": placed(launchedView()),
		"complete": placed(completeView()),
	}
	views["complete"].TargetDone = viewTime
	file, err := os.Open("testdata/recorded.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	n := 0
	for ; lines.Scan(); n++ {
		var want recorded
		if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		t.Run(want.View+" "+want.Method+" "+want.Path, func(t *testing.T) {
			m := &machine{}
			if want.Reply != "" {
				m.reply.Problem = &scheduler.Problem{Code: scheduler.ProblemCode(want.Reply)}
			}
			replay(t, inCluster(config(views[want.View], m)), want)
		})
	}
	if err := lines.Err(); err != nil || n < 100 {
		t.Errorf("%d exchanges, %v", n, err)
	}
}

// inCluster gives a server the names of the recordings' cluster.
func inCluster(c Config) Config {
	c.ServiceTLD, c.VIPTLD = "autoip.dcos.thisdcos.directory", "l4lb.thisdcos.directory"
	return c
}

// placed gives the instances that were launched the zones of the recordings.
func placed(v *scheduler.View) *scheduler.View {
	for i := range v.Pods {
		if v.Pods[i].Launched {
			v.Pods[i].Domain.Zone = "zone-" + string(rune('a'+i))
		}
	}
	return v
}

func replay(t *testing.T, c Config, want recorded) {
	r := httptest.NewRequest(want.Method, want.Path, strings.NewReader(want.Send))
	if want.Type != "" {
		r.Header.Set("Content-Type", want.Type)
	}
	w := ask(t, c, r)
	if w.Code != want.Status {
		t.Errorf("status %d, recorded %d: %s", w.Code, want.Status, w.Body)
	}
	media := w.Header().Get("Content-Type")
	if media != want.Media {
		t.Errorf("media type %s, recorded %s", media, want.Media)
	}
	if text, _ := want.Body.(string); strings.Contains(text, "java.util") ||
		strings.Contains(text, "glassfish") {
		return
	}
	if want.Body == nil {
		want.Body = ""
	}
	var got any = w.Body.String()
	if media == "application/json" && w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want.Body, got); diff != "" {
		t.Errorf("recorded -, got +:\n%s", diff)
	}
}

// The predecessor's order of keys and its indentation are part of what people see.
func TestPlanText(t *testing.T) {
	w := ask(t, config(startedView(), &machine{}), httptest.NewRequest("GET", "/v1/plan", nil))
	want := "{\n  \"phases\": [\n    {\n      \"id\": \"uuid-1\",\n      \"name\": \"broker\",\n"
	if !bytes.HasPrefix(w.Body.Bytes(), []byte(want)) {
		t.Errorf("got %s", w.Body)
	}
}

// As with the predecessor the uninstall plan goes by the name of "deploy", and by its own too.
func TestUninstallPlan(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/plans":           "[\n  \"deploy\"\n]\n",
		"/v1/plans/uninstall": `"strategy": "dependency"`,
		"/v1/plan":            `"strategy": "dependency"`,
		"/v1/plans/recovery":  "Plan recovery not found",
	} {
		w := ask(t, config(uninstallView(), &machine{}), httptest.NewRequest("GET", path, nil))
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	m := &machine{}
	const phase = "unreserve-resources-host-1.example"
	r := httptest.NewRequest("POST", "/v1/plans/deploy/forceComplete?phase="+phase, nil)
	w := ask(t, config(uninstallView(), m), r)
	if !reflect.DeepEqual(m.command, scheduler.PlanCommand{
		Verb: "forceComplete", Plan: "uninstall", Phase: phase,
	}) || !strings.Contains(w.Body.String(), "for Plan: deploy, Phase: "+phase) {
		t.Errorf("%+v, %d %s", m.command, w.Code, w.Body)
	}
}
