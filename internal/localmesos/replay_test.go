package localmesos

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

// recorded is one line of a recording of a real master.
type recorded struct {
	Dir      string            `json:"dir"`
	Conn     string            `json:"conn"`
	Endpoint string            `json:"endpoint"`
	Status   int               `json:"status"`
	Headers  map[string]string `json:"headers"`
	ID       int               `json:"id"`
	Body     json.RawMessage   `json:"body"`
	note     string            // the last note before the line
}

func readRecording(t *testing.T, name string) []recorded {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []recorded
	note := ""
	scan := bufio.NewScanner(f)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		var r recorded
		if err := json.Unmarshal(scan.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if r.Dir == "note" {
			if err := json.Unmarshal(r.Body, &note); err != nil {
				t.Fatal(err)
			}
			continue
		}
		r.note = note
		out = append(out, r)
	}
	if err := scan.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// text is a body as it stands on the wire.
func (r recorded) text() string {
	var s string
	if json.Unmarshal(r.Body, &s) == nil {
		return s
	}
	var raw struct{ Raw *string }
	if json.Unmarshal(r.Body, &raw) == nil && raw.Raw != nil {
		return *raw.Raw
	}
	if string(r.Body) == "null" {
		return ""
	}
	return string(r.Body)
}

// TestReplayErrors sends the recorded wrong requests and compares status and
// body, and for subscriptions the first event. There are no departures.
func TestReplayErrors(t *testing.T) {
	lines := readRecording(t, "02b-error-responses.jsonl")
	c := start(t, testConfig(t))
	info := frameworkOf(t)
	info.User, info.Name, info.Roles, info.Principal = "root", "fw1", []string{"test"}, ptr("p1")
	info.Checkpoint, info.FailoverTimeout = ptr(false), ptr(0.0)
	f := subscribe(t, c.MasterURL(), info)

	answers, first := map[int]recorded{}, map[string]recorded{}
	ids := strings.NewReplacer()
	for i, l := range lines {
		switch {
		case l.Dir == "resp" && i == 1:
			ids = strings.NewReplacer(l.Headers["Mesos-Stream-Id"], f.stream,
				masterIDIn(lines)+"-0000", f.id)
		case l.Dir == "resp":
			answers[l.ID] = l
		case l.Dir == "event" && first[l.Conn].Conn == "":
			first[l.Conn] = l
		}
	}
	for i, l := range lines {
		if l.Dir == "req" && i > 0 && l.Conn != "fw1" {
			replayOne(t, c, l, answers[l.ID], first[l.Conn], ids)
		}
	}
}

func masterIDIn(lines []recorded) string {
	ev := &scheduler.Event{}
	for _, l := range lines {
		if l.Dir == "event" && decodeJSON(l.Body, ev) == nil && ev.Subscribed != nil {
			return ev.Subscribed.MasterInfo.ID
		}
	}
	return ""
}

func replayOne(
	t *testing.T, c *Cluster, l, want, event recorded, ids *strings.Replacer,
) {
	t.Helper()
	url := c.MasterURL() + strings.TrimPrefix(l.Endpoint, "master")
	req, err := http.NewRequest(l.Headers["method"], url,
		strings.NewReader(ids.Replace(l.text())))
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	for k, v := range l.Headers {
		if k != "method" {
			req.Header.Set(k, ids.Replace(v))
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatalf("%s: %v", l.note, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != want.Status {
		t.Errorf("%s: status %d, recorded %d", l.note, resp.StatusCode, want.Status)
	}
	for _, h := range []string{"Content-Type", "Allow"} {
		if got := resp.Header.Get(h); got != want.Headers[h] {
			t.Errorf("%s: %s %q, recorded %q", l.note, h, got, want.Headers[h])
		}
	}
	if resp.Header.Get("Mesos-Stream-Id") == "" {
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got := ids.Replace(want.text()); string(b) != got {
			t.Errorf("%s: body %q, recorded %q", l.note, b, got)
		}
		return
	}
	b, err := readRecord(bufio.NewReader(resp.Body))
	if err != nil {
		t.Fatalf("%s: %v", l.note, err)
	}
	got, recordedEvent := &scheduler.Event{}, &scheduler.Event{}
	if err := decodeJSON(b, got); err != nil {
		t.Fatal(err)
	}
	if err := decodeJSON(event.Body, recordedEvent); err != nil {
		t.Fatal(err)
	}
	if got.Type != recordedEvent.Type ||
		got.GetError().GetMessage() != recordedEvent.GetError().GetMessage() {
		t.Errorf("%s: event %s, recorded %s", l.note, b, event.Body)
	}
}

// TestReplayOperations sends the recorded operations and compares their statuses.
func TestReplayOperations(t *testing.T) {
	lines := readRecording(t, "03b-operation-errors.jsonl")
	cfg := testConfig(t)
	cfg.Agents[0].CPUs, cfg.Agents[0].MemMB, cfg.Agents[0].DiskMB = 8, 16384, 100000
	cfg.Agents[0].Ports = [][2]uint64{{31000, 32000}}
	c := start(t, cfg)
	f := subscribe(t, c.MasterURL(), frameworkOf(t))
	replayed := 0
	for i, l := range lines {
		call := &scheduler.Call{}
		if l.Dir != "req" || decodeJSON(l.Body, call) != nil || call.Accept == nil {
			continue
		}
		ops := call.Accept.Operations
		if len(ops) != 1 || ops[0].ID == nil || len(call.Accept.OfferIDs) != 1 {
			continue
		}
		want := nextOperationStatus(lines[i:], ops[0].ID.Value)
		if want == nil {
			continue
		}
		replayed++
		o := f.offer(anyOffer)
		f.accept(o, ops...)
		got := f.await("a status of "+l.note, func(ev *scheduler.Event) bool {
			return ev.Type == scheduler.Event_UPDATE_OPERATION_STATUS &&
				ev.UpdateOperationStatus.Status.OperationID.GetValue() == ops[0].ID.Value
		}).UpdateOperationStatus.Status
		message := got.GetMessage()
		if _, tail, ok := strings.Cut(message, "; on agent "); ok {
			wantHead, _, _ := strings.Cut(want.GetMessage(), "; on agent ")
			message = strings.TrimSuffix(message, "; on agent "+tail)
			want.Message = &wantHead
		}
		if got.State != want.State || message != want.GetMessage() ||
			(got.UUID == nil) != (want.UUID == nil) ||
			(got.AgentID == nil) != (want.AgentID == nil) {
			t.Errorf("%s:\n     got %s\nrecorded %s", l.note, encodeJSON(&got), encodeJSON(want))
		}
	}
	if replayed < 13 {
		t.Errorf("only %d operations were replayed", replayed)
	}
}

func nextOperationStatus(lines []recorded, id string) *mesos.OperationStatus {
	for _, l := range lines {
		ev := &scheduler.Event{}
		if l.Dir == "event" && bytes.Contains(l.Body, []byte("UPDATE_OPERATION_STATUS")) &&
			decodeJSON(l.Body, ev) == nil &&
			ev.UpdateOperationStatus.Status.OperationID.GetValue() == id {
			return &ev.UpdateOperationStatus.Status
		}
	}
	return nil
}

// launchDepartures are the recorded launches that are answered otherwise, all
// because command tasks and groups are not supported here.
var launchDepartures = map[string]string{
	"LAUNCH with more cpus than offered":                                         "a command task",
	"LAUNCH a task with port outside the offer":                                  "a command task",
	"LAUNCH a task with unknown user":                                            "a command task",
	"LAUNCH task in a docker container (agent has no docker containerizer)":      "a command task",
	"LAUNCH a task with a duplicate of an active id (dup2 twice in two ACCEPTs)": "a command task",
	"... second": "its first is a command task",
	"start agent2 --resources=cpus:8;mem:16384;disk:100000;ports:[31000-32000] ": "three offers",
}

// TestReplayLaunches sends the recorded wrong launches and compares the statuses
// of their tasks.
func TestReplayLaunches(t *testing.T) {
	lines := readRecording(t, "03b-operation-errors.jsonl")
	c := start(t, testConfig(t))
	f := subscribe(t, c.MasterURL(), frameworkOf(t))
	recordedAgent := masterIDIn(lines) + "-S0"
	replayed := 0
	for i, l := range lines {
		call := &scheduler.Call{}
		if l.Dir != "req" || decodeJSON(l.Body, call) != nil || call.Accept == nil ||
			call.Accept.Operations[0].Type != mesos.Offer_Operation_LAUNCH ||
			launchDepartures[l.note] != "" {
			continue
		}
		replayed++
		op := call.Accept.Operations[0]
		o := f.offer(anyOffer)
		id := op.Launch.TaskInfos[0].TaskID.Value
		if op.Launch.TaskInfos[0].AgentID.Value == recordedAgent {
			op.Launch.TaskInfos[0].AgentID = o.AgentID
		}
		f.accept(o, op)
		match := func(ev *scheduler.Event) bool {
			return ev.Type == scheduler.Event_UPDATE && ev.Update.Status.TaskID.Value == id
		}
		got := f.await(l.note, match).Update.Status
		want := nextMatch(lines[i:], match).Update.Status
		if got.GetState() != want.GetState() || got.GetMessage() != want.GetMessage() ||
			got.GetReason() != want.GetReason() || got.GetSource() != want.GetSource() ||
			(got.UUID == nil) != (want.UUID == nil) ||
			(got.ExecutorID == nil) != (want.ExecutorID == nil) {
			t.Errorf("%s:\n     got %s\nrecorded %s", l.note, encodeJSON(&got), encodeJSON(&want))
		}
	}
	if replayed < 3 {
		t.Errorf("only %d launches were replayed", replayed)
	}
}

func nextMatch(lines []recorded, match func(*scheduler.Event) bool) *scheduler.Event {
	for _, l := range lines {
		ev := &scheduler.Event{}
		if l.Dir == "event" && decodeJSON(l.Body, ev) == nil && match(ev) {
			return ev
		}
	}
	return &scheduler.Event{Update: &scheduler.Event_Update{}}
}
