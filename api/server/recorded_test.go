package server

import (
	"bufio"
	"bytes"
	"encoding/json"
	"mime"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// recorded is one exchange with the predecessor, and the view and reply that lead to it here.
// The body is null where the predecessor sent a page of its HTTP server.
type recorded struct {
	View, Reply  string
	Method, Path string
	Type, Send   string
	Status       int
	Media        string
	Body         any
}

// javaClass begins every step's message of the predecessor.
var javaClass = regexp.MustCompile(`com\.mesosphere\.[A-Za-z.]+: `)

// TestRecorded replays what the predecessor answered to the same requests in the same state.
// Only the Java class in the messages of steps is ours to leave out, and fields to add.
func TestRecorded(t *testing.T) {
	views := map[string]*scheduler.View{
		"started": startedView(), "launched": launchedView(), "complete": completeView(),
	}
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
		line := javaClass.ReplaceAll(lines.Bytes(), nil)
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatal(err)
		}
		t.Run(want.View+" "+want.Method+" "+want.Path, func(t *testing.T) {
			m := &machine{}
			if want.Reply != "" {
				m.reply.Problem = &scheduler.Problem{Code: scheduler.ProblemCode(want.Reply)}
			}
			replay(t, config(views[want.View], m), want)
		})
	}
	if err := lines.Err(); err != nil || n < 100 {
		t.Errorf("%d exchanges, %v", n, err)
	}
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
	if want.Body == nil {
		return
	}
	media, _, _ := mime.ParseMediaType(w.Header().Get("Content-Type"))
	if media != want.Media {
		t.Errorf("media type %s, recorded %s", media, want.Media)
	}
	var got any = w.Body.String()
	if media == "application/json" && w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want.Body, without(got, "pod", "tasks")); diff != "" {
		t.Errorf("recorded -, got +:\n%s", diff)
	}
}

// without takes our additional fields off the steps, which alone have a message and an id.
func without(value any, fields ...string) any {
	switch value := value.(type) {
	case map[string]any:
		if value["message"] != nil && value["id"] != nil {
			for _, field := range fields {
				delete(value, field)
			}
		}
		for _, child := range value {
			without(child, fields...)
		}
	case []any:
		for _, child := range value {
			without(child, fields...)
		}
	}
	return value
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
