package mesoshttp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	wire "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/encoding"
	"github.com/mesos/mesos-go/api/v1/lib/executor"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the golden files in testdata")

// message is what both codecs take.
type message interface {
	encoding.Marshaler
	encoding.Unmarshaler
}

// viaBytes encodes a message and decodes it into another.
func viaBytes(t *testing.T, json bool, from, to message) {
	t.Helper()
	body, err := encodeMessage(codecFor(json), from)
	if err != nil {
		t.Fatal(err)
	}
	if err := decodeMessage(codecFor(json), body, to); err != nil {
		t.Fatal(err)
	}
}

func bothCodecs(t *testing.T, test func(t *testing.T, json bool)) {
	t.Run("protobuf", func(t *testing.T) { test(t, false) })
	t.Run("json", func(t *testing.T) { test(t, true) })
}

// TestFullValues keeps the round trips honest: every field of every type takes part.
func TestFullValues(t *testing.T) {
	missing := unset(fullTask(), fullOffer(), fullStatus(), fullFramework(), fullCalls(),
		fullEvents())
	if len(missing) > 0 {
		t.Errorf("no test value sets %v", missing)
	}
}

// TestCallRoundTrip sends every call through both codecs.
func TestCallRoundTrip(t *testing.T) {
	bothCodecs(t, func(t *testing.T, json bool) {
		for _, want := range fullCalls() {
			var c scheduler.Call
			viaBytes(t, json, callToWire(want, "f1", "other"), &c)
			if c.FrameworkID.Value != "f1" {
				t.Errorf("%s: framework id %q", want, c.FrameworkID.Value)
			}
			if diff := cmp.Diff(want, callFromWire(t, &c)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", want, diff)
			}
		}
	})
}

// TestEventRoundTrip sends every event through both codecs.
func TestEventRoundTrip(t *testing.T) {
	bothCodecs(t, func(t *testing.T, json bool) {
		for _, want := range fullEvents() {
			var e scheduler.Event
			viaBytes(t, json, eventToWire(t, want), &e)
			got, ok := eventFromWire(&e)
			if diff := cmp.Diff(want, got); diff != "" || !ok {
				t.Errorf("%s: %v (-want +got):\n%s", want, ok, diff)
			}
		}
	})
}

// TestExecutorEventRoundTrip sends every executor event through both codecs.
func TestExecutorEventRoundTrip(t *testing.T) {
	bothCodecs(t, func(t *testing.T, json bool) {
		for _, want := range []mesos.ExecutorEvent{
			mesos.ExecutorSubscribed{Framework: "f1", Executor: "e1", Agent: "a1", Hostname: "h"},
			mesos.ExecutorLaunch{Task: fullTask()},
			mesos.ExecutorKill{Task: "t1", Grace: pointer(time.Minute)},
			mesos.ExecutorKill{Task: "t1"},
			mesos.ExecutorAcknowledged{Task: "t1", UUID: []byte("0123456789abcdef")},
			mesos.ExecutorShutdown{},
			mesos.ExecutorRefused{Message: "m"},
		} {
			var e executor.Event
			viaBytes(t, json, executorEventToWire(t, want), &e)
			got, ok := executorEventFromWire(&e)
			if diff := cmp.Diff(want, got); diff != "" || !ok {
				t.Errorf("%T: %v (-want +got):\n%s", want, ok, diff)
			}
		}
	})
}

// TestSubscribe shows what a subscription carries.
func TestSubscribe(t *testing.T) {
	var c scheduler.Call
	viaBytes(t, false, subscribeToWire(fullFramework()), &c)
	info := c.Subscribe.FrameworkInfo
	if diff := cmp.Diff(fullFramework(), frameworkFromWire(info)); diff != "" {
		t.Error(diff)
	}
	if c.FrameworkID.GetValue() != "f1" || !info.GetCheckpoint() {
		t.Errorf("id %v, checkpoint %v", c.FrameworkID, info.GetCheckpoint())
	}
	var names []string
	for _, capability := range info.Capabilities {
		names = append(names, capability.Type.String())
	}
	want := "MULTI_ROLE RESERVATION_REFINEMENT PARTITION_AWARE REGION_AWARE TASK_KILLING_STATE" +
		" GPU_RESOURCES"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("capabilities %s", got)
	}
	first := fullFramework()
	first.ID, first.GPUs = "", false
	if n := len(subscribeToWire(first).Subscribe.FrameworkInfo.Capabilities); n != 5 {
		t.Errorf("%d capabilities without GPUs", n)
	}
	if c := subscribeToWire(first); c.FrameworkID != nil || c.Subscribe.FrameworkInfo.ID != nil {
		t.Error("a first subscription carries an id")
	}
}

// TestAllocation says that every resource of a call is allocated to the framework's role.
func TestAllocation(t *testing.T) {
	cpus := resource.List{{Name: "cpus", Scalar: 1000}}
	task := mesos.TaskInfo{Resources: cpus, Executor: mesos.ExecutorInfo{Resources: cpus}}
	call := callToWire(mesos.Accept{Operations: []mesos.Operation{
		mesos.Reserve{Resources: cpus}, mesos.Launch{Tasks: []mesos.TaskInfo{task}},
	}}, "f1", "kafka-role")
	launched := call.Accept.Operations[1].Launch.TaskInfos[0]
	for _, list := range [][]wire.Resource{
		call.Accept.Operations[0].Reserve.Resources, launched.Resources,
		launched.Executor.Resources,
	} {
		if got := list[0].GetAllocationInfo().GetRole(); got != "kafka-role" {
			t.Errorf("allocated to %q", got)
		}
	}
	if got := launched.Executor.FrameworkID.GetValue(); got != "f1" {
		t.Errorf("the executor's framework id is %q", got)
	}
}

// TestUnsoundValues says that what no sound agent sends reads as nothing.
func TestUnsoundValues(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 1e300} {
		if got := milli(v); got != 0 {
			t.Errorf("milli(%v) = %d", v, got)
		}
		if got := timeFromWire(v); !got.IsZero() {
			t.Errorf("timeFromWire(%v) = %s", v, got)
		}
	}
	if got := milli(0.1 + 0.2); got != 300 {
		t.Errorf("milli(0.1+0.2) = %d", got)
	}
	got := rangesFromWire([]wire.Value_Range{
		{Begin: 20, End: 10}, {Begin: 30, End: 40}, {Begin: 5, End: 6}, {Begin: 7, End: 8},
		{Begin: 35, End: 50}, {Begin: 36, End: 37}, {Begin: 0, End: 0},
		{Begin: math.MaxUint64, End: math.MaxUint64},
	})
	want := resource.Ranges{{Begin: 0, End: 0}, {Begin: 5, End: 8}, {Begin: 30, End: 50},
		{Begin: math.MaxUint64, End: math.MaxUint64}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := stateFromWire(wire.TaskState(999)); got != mesos.Unknown {
		t.Errorf("an unknown state reads as %s", got)
	}
	if got := reasonFromWire(wire.TaskStatus_Reason(999)); got != "REASON_999" {
		t.Errorf("an unknown reason reads as %s", got)
	}
}

// recorded is one line of a recording: what a real master or agent sent or was sent.
type recorded struct {
	API  string          `json:"api"` // scheduler or executor
	Dir  string          `json:"dir"` // event or req
	Body json.RawMessage `json:"body"`
}

func recording(t testing.TB, name string) []recorded {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var out []recorded
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func recordings(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	names := make([]string, len(paths))
	for i, path := range paths {
		names[i] = filepath.Base(path)
	}
	return names
}

// TestRecordedEvents reads what a real Mesos sent, and says the same of it after a way through
// protobuf. The golden files show how the machine sees it.
func TestRecordedEvents(t *testing.T) {
	for _, name := range recordings(t) {
		t.Run(name, func(t *testing.T) {
			var text bytes.Buffer
			for _, line := range recording(t, name) {
				switch {
				case line.Dir != "event":
				case line.API == "scheduler":
					fmt.Fprintln(&text, recordedEvent(t, line.Body))
				default:
					fmt.Fprintln(&text, recordedExecutorEvent(t, line.Body))
				}
			}
			golden(t, filepath.Join("testdata", name+".golden"), text.Bytes())
		})
	}
}

func recordedEvent(t *testing.T, body []byte) string {
	var e, again scheduler.Event
	if err := decodeMessage(codecFor(true), body, &e); err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	got, ok := eventFromWire(&e)
	if !ok {
		return "(" + e.Type.String() + ")"
	}
	viaBytes(t, false, &e, &again)
	same, _ := eventFromWire(&again)
	if diff := cmp.Diff(got, same); diff != "" {
		t.Errorf("JSON and protobuf differ:\n%s", diff)
	}
	out := got.String()
	if offers, is := got.(mesos.Offers); is {
		for _, o := range offers.Offers {
			out += fmt.Sprintf("\n  %s at %s:%d role=%s domain=%s/%s attributes=%v executors=%v",
				o.Hostname, o.IP, o.Port, o.Role, o.Domain.Region, o.Domain.Zone, o.Attributes,
				o.Executors)
			if u := o.Unavailable; u != nil {
				out += fmt.Sprintf(" unavailable=%s+%s", u.Start.Format(time.RFC3339), u.Duration)
			}
		}
	}
	return out
}

func recordedExecutorEvent(t *testing.T, body []byte) string {
	var e, again executor.Event
	if err := decodeMessage(codecFor(true), body, &e); err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	got, ok := executorEventFromWire(&e)
	if !ok {
		return "executor: (" + e.Type.String() + ")"
	}
	viaBytes(t, false, &e, &again)
	same, _ := executorEventFromWire(&again)
	if diff := cmp.Diff(got, same); diff != "" {
		t.Errorf("JSON and protobuf differ:\n%s", diff)
	}
	return "executor: " + executorText(got)
}

func executorText(e mesos.ExecutorEvent) string {
	switch e := e.(type) {
	case mesos.ExecutorSubscribed:
		return fmt.Sprintf("subscribed %s %s agent=%s@%s", e.Framework, e.Executor, e.Agent,
			e.Hostname)
	case mesos.ExecutorLaunch:
		return fmt.Sprintf("launch %s %s data=%s labels=%v executor=%s command=%q", e.Task.ID,
			mesos.Reserve{Resources: e.Task.Resources}, e.Task.Data, e.Task.Labels,
			e.Task.Executor.ID, e.Task.Executor.Command.Value)
	case mesos.ExecutorKill:
		return fmt.Sprintf("kill %s grace=%v", e.Task, e.Grace)
	case mesos.ExecutorAcknowledged:
		return fmt.Sprintf("acknowledged %s %x", e.Task, e.UUID)
	default:
		return fmt.Sprintf("%T", e)
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *rewrite {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; -rewrite accepts it):\n%s", path, diff)
	}
}

// TestRecordedCalls reads the calls that a real master accepted, and writes the same again.
func TestRecordedCalls(t *testing.T) {
	compared := map[string]int{}
	for _, name := range recordings(t) {
		for _, line := range recording(t, name) {
			if line.API != "scheduler" || line.Dir != "req" {
				continue
			}
			var c scheduler.Call
			if err := decodeMessage(codecFor(true), line.Body, &c); err != nil {
				t.Fatalf("%v\n%s", err, line.Body)
			}
			switch c.Type {
			case scheduler.Call_ACKNOWLEDGE, scheduler.Call_DECLINE, scheduler.Call_KILL,
				scheduler.Call_RECONCILE, scheduler.Call_REVIVE, scheduler.Call_SUPPRESS,
				scheduler.Call_TEARDOWN:
				compareCall(t, &c, compared)
			case scheduler.Call_ACCEPT:
				for i := range c.Accept.Operations {
					compareOperation(t, &c.Accept.Operations[i], compared)
				}
			}
		}
	}
	for _, kind := range []string{"ACKNOWLEDGE", "DECLINE", "KILL", "RECONCILE", "SUPPRESS",
		"TEARDOWN", "RESERVE", "UNRESERVE", "CREATE", "DESTROY"} {
		if compared[kind] == 0 {
			t.Errorf("no recording holds a %s that could be compared", kind)
		}
	}
}

// text gives a message as indented JSON, without what is null.
func text(t *testing.T, m message) string {
	t.Helper()
	body, err := encodeMessage(codecFor(true), m)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, body, "", " "); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func compareCall(t *testing.T, c *scheduler.Call, compared map[string]int) {
	if d := c.Decline; d != nil && d.Filters == nil {
		return // we always say for how long
	}
	if (c.Kill != nil || c.Acknowledge != nil) && c.FrameworkID == nil {
		return
	}
	again := callToWire(callFromWire(t, c), mesos.FrameworkID(c.FrameworkID.GetValue()), "")
	if diff := cmp.Diff(text(t, c), text(t, again)); diff != "" {
		t.Errorf("%s (-recorded +ours):\n%s", c.Type, diff)
	}
	compared[c.Type.String()]++
}

func compareOperation(t *testing.T, op *wire.Offer_Operation, compared map[string]int) {
	switch op.Type {
	case wire.Offer_Operation_RESERVE, wire.Offer_Operation_UNRESERVE,
		wire.Offer_Operation_CREATE, wire.Offer_Operation_DESTROY:
	default:
		return
	}
	if op.Reserve != nil && op.Reserve.Source != nil {
		return // the master refuses that of a scheduler
	}
	again := operationToWire(operationBack(t, op), "f1", "")
	if diff := cmp.Diff(text(t, op), text(t, &again)); diff != "" {
		t.Errorf("%s (-recorded +ours):\n%s", op.Type, diff)
	}
	compared[op.Type.String()]++
}

// FuzzEvent decodes garbage in both codecs.
func FuzzEvent(f *testing.F) {
	for _, line := range recording(f, "03a-reserve-create-launch.jsonl") {
		f.Add([]byte(line.Body), true)
	}
	for _, e := range fullEvents() {
		body, err := encodeMessage(codecFor(false), eventToWire(f, e))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, false)
	}
	f.Fuzz(func(t *testing.T, body []byte, json bool) {
		var e scheduler.Event
		if decodeMessage(codecFor(json), body, &e) == nil {
			if event, ok := eventFromWire(&e); ok {
				_ = event.String()
			}
		}
		var x executor.Event
		if decodeMessage(codecFor(json), body, &x) == nil {
			executorEventFromWire(&x)
		}
	})
}
