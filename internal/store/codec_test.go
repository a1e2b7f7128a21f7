package store

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the golden file in testdata")

// same compares states; the file does not tell a nil list from an empty one.
func same(want, got scheduler.Hard) string {
	return cmp.Diff(want, got, cmpopts.EquateEmpty(),
		cmp.FilterValues(func(a, b resource.List) bool { return len(a) > 0 || len(b) > 0 },
			cmp.Transformer("list", func(l resource.List) []resource.Resource { return l })),
		cmp.Transformer("resource", func(r resource.Resource) plainResource {
			return plainResource(r)
		}),
		cmp.Transformer("reservation", func(r resource.Reservation) plainReservation {
			return plainReservation(r)
		}))
}

// The types of resources without their Equal methods: a store must give back what was put in,
// not only what amounts to the same.
type (
	plainResource    resource.Resource
	plainReservation resource.Reservation
)

func entriesOf(t testing.TB, writes []scheduler.Write) map[string][]byte {
	t.Helper()
	changes, err := Encode(writes)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, c := range changes {
		out[c.Key] = c.Value
	}
	return out
}

const goldenPath = "testdata/full.golden"

// TestGolden pins the format: a full state is written as it always was, and what was written
// once can be read.
func TestGolden(t *testing.T) {
	full := filled[scheduler.Hard](&counter{})
	entries := entriesOf(t, Writes(full))
	var got bytes.Buffer
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		fmt.Fprintf(&got, "== %s\n", key)
		if err := json.Indent(&got, entries[key], "", " "); err != nil {
			t.Fatal(err)
		}
		got.WriteString("\n")
	}
	if *rewrite {
		if err := os.WriteFile(goldenPath, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenPath)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("the format has changed (-want +got). Files of installed services must stay "+
			"readable; -rewrite accepts it:\n%s", diff)
	}
	hard, err := Decode(goldenEntries(t))
	if err != nil {
		t.Fatal(err)
	}
	if diff := same(full, hard); diff != "" {
		t.Errorf("read from the golden file (-want +got):\n%s", diff)
	}
}

func goldenEntries(t testing.TB) map[string][]byte {
	t.Helper()
	text, err := os.ReadFile(goldenPath)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, part := range strings.Split("\n"+string(text), "\n== ")[1:] {
		key, value, _ := strings.Cut(part, "\n")
		out[key] = []byte(value)
	}
	return out
}

// random fills by rapid's dice.
type random struct{ t *rapid.T }

func (r random) text(field string) string { return rapid.String().Draw(r.t, field) }
func (r random) size() int                { return rapid.IntRange(-1, 2).Draw(r.t, "size") }
func (r random) set() bool                { return rapid.Bool().Draw(r.t, "set") }

func (r random) number(most int64) int64 {
	return rapid.Int64Range(0, most).Draw(r.t, "number")
}

// TestRoundTrip says that Decode gives back whatever state Encode was given.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := filled[scheduler.Hard](random{t})
		changes, err := Encode(Writes(want))
		if err != nil {
			t.Fatal(err)
		}
		entries := map[string][]byte{}
		for _, c := range changes {
			entries[c.Key] = c.Value
		}
		got, err := Decode(entries)
		if err != nil {
			t.Fatal(err)
		}
		if diff := same(want, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

// TestEmpty says that nothing decodes to an empty state whose maps can be written to.
func TestEmpty(t *testing.T) {
	hard, err := Decode(nil)
	if err != nil || hard.Pods == nil || hard.Leftovers == nil ||
		hard.Runs == nil || hard.Files == nil {
		t.Errorf("%+v, %v", hard, err)
	}
}

// TestDecodeRefuses shows what cannot be and what the message says of it.
func TestDecodeRefuses(t *testing.T) {
	const name = `"name":{"type":"kafka","index":0}`
	const place = `"place":{"agent":"a","reservation":"r","executor":`
	for _, test := range []struct{ key, value, want string }{
		{"framework", `{}`, `the field "id" is missing`},
		{"framework", ``, `unexpected end of JSON input`},
		{"framework", `null`, `it is null`},
		{"framework", `{"id":1}`, `cannot unmarshal number`},
		{"framework", `{"id":"f"} x`, `invalid character`},
		{"target", `{"id":"t"}`, `the field "service" is missing`},
		{"target", `{"service":{}}`, `the field "id" is missing`},
		{"target", `{"id":"t","service":{}}`, `reading the service: the field "name" is missing`},
		{"target", `{"id":"t","service":[]}`, `reading the service: decoding a service`},
		{"intent", `{}`, `the field "intent" is missing`},
		{"intent", `{"intent":"party"}`, `the intent "party" is none`},
		{"kafka", `{"founded":true}`, `the field "id" is missing`},
		{"kafka", `{"id":"k"}`, `the field "founded" is missing`},
		{"overrides", `{"forced":[]}`, `cannot unmarshal array`},
		{"pod/kafka-0", `{}`, `the field "name" is missing`},
		{"pod/kafka-0", `{"name":{"type":"kafka","index":-1}}`, `the name is no pod instance's`},
		{"pod/kafka-1", `{` + name + `}`, `what it holds belongs to "pod/kafka-0"`},
		{"pod/kafka-0", `{` + name + `,"request":"dance"}`, `the request "dance" is none`},
		{"pod/kafka-0", `{` + name + `,"tasks":[{}]}`, `the field "tasks.name" is missing`},
		{"pod/kafka-0", `{` + name + `,"place":{}}`, `the field "place.agent" is missing`},
		{"pod/kafka-0", `{` + name + `,` + place + `[{"name":"cpus"}]}}`,
			`the resource "cpus" has 0 quantities`},
		{"pod/kafka-0", `{` + name + `,` + place + `[{"name":"x","milli":1,"set":[]}]}}`,
			`the resource "x" has 2 quantities`},
		{"leftover/r", `{"reservation":"r","agent":"a"}`, `the field "name" is missing`},
		{"leftover/r", `{"reservation":"r"}`, `the field "agent" is missing`},
		{"leftover/q", `{"reservation":"r","agent":"a","pod":{"type":"k","index":0}}`,
			`what it holds belongs to "leftover/r"`},
		{"earlier/t", `{"id":"t"}`, `the field "service" is missing`},
		{"earlier/u", `{"id":"t","service":{"name":"a"}}`, `what it holds belongs to "earlier/t"`},
		{"run/deploy", `null`, `it is null`},
		{"run/%zz", `{}`, `invalid URL escape "%zz"`},
		{"run/a/b", `{}`, `what it holds belongs to "run/a%2Fb"`},
		{"journal/0000000000000000001", `{}`, `the field "number" is missing`},
		{"journal/1", `{"number":1}`, `what it holds belongs to "journal/0000000000000000001"`},
		{"file/a", `{}`, `one of the fields "text" and "bytes" must be there`},
		{"file/a", `{"text":"","bytes":""}`, `one of the fields "text" and "bytes" must be there`},
		{"file/a", `{"bytes":"?"}`, `illegal base64 data`},
		{"file/a/b", `{"text":""}`, `what it holds belongs to "file/a%2Fb"`},
		{"horoscope", `{}`, `there is no such key`},
	} {
		_, err := Decode(map[string][]byte{test.key: []byte(test.value)})
		if err == nil || !strings.Contains(err.Error(), test.want) ||
			!strings.Contains(err.Error(), fmt.Sprintf("%q", test.key)) {
			t.Errorf("%s %s:\n got %v\nwant %s", test.key, test.value, err, test.want)
		}
	}
}

// TestManyPods: of many instances each is decoded, and the first of those that cannot be is named.
func TestManyPods(t *testing.T) {
	hard := scheduler.Hard{Pods: map[scheduler.PodName]scheduler.Pod{}}
	for i := range 3*atOnce + 1 {
		name := scheduler.PodName{Type: "web", Index: i}
		hard.Pods[name] = scheduler.Pod{Name: name, Incarnation: i}
	}
	entries := entriesOf(t, Writes(hard))
	got, err := Decode(entries)
	if err != nil {
		t.Fatal(err)
	}
	if diff := same(hard, got); diff != "" {
		t.Error(diff)
	}
	entries["pod/web-500"], entries["pod/web-7"] = []byte("{}"), []byte("null")
	_, err = Decode(entries)
	if err == nil || !strings.Contains(err.Error(), `"pod/web-500"`) {
		t.Errorf("the error is %v", err)
	}
}

// TestUnknownFields says that a newer release may have added fields.
func TestUnknownFields(t *testing.T) {
	hard, err := Decode(map[string][]byte{"framework": []byte(`{"id":"f1","new":{"a":[1]}}`)})
	if err != nil || hard.Framework != "f1" {
		t.Errorf("%+v, %v", hard, err)
	}
}

// TestMemory says that the memory store keeps and deletes, and fails when told to.
func TestMemory(t *testing.T) {
	m := NewMemory()
	checkStore(t, m, func() Store { return m })
	full := filled[scheduler.Hard](&counter{})
	if err := m.Apply(Writes(full)); err != nil {
		t.Fatal(err)
	}
	before := m.Entries()
	stop := scheduler.WriteIntent{Intent: scheduler.Stop}
	m.FailApply(2)
	if err := m.Apply(nil); err != nil {
		t.Fatal(err)
	}
	if err := m.Apply([]scheduler.Write{stop}); err != ErrInjected {
		t.Errorf("the second Apply gave %v", err)
	}
	if diff := cmp.Diff(before, m.Entries()); diff != "" {
		t.Errorf("a failed Apply changed\n%s", diff)
	}
	if err := m.Apply([]scheduler.Write{stop}); err != nil {
		t.Errorf("the third Apply gave %v", err)
	}
}

// checkStore plays the life of a state; again closes a store and opens it anew.
func checkStore(t *testing.T, s Store, again func() Store) {
	t.Helper()
	full := filled[scheduler.Hard](&counter{})
	load := func(want scheduler.Hard) {
		t.Helper()
		for range 2 {
			got, err := s.Load()
			if err != nil {
				t.Fatal(err)
			}
			if diff := same(want, got); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
			s = again()
		}
	}
	apply := func(writes ...scheduler.Write) {
		t.Helper()
		if err := s.Apply(writes); err != nil {
			t.Fatal(err)
		}
	}
	load(scheduler.Hard{})
	apply(Writes(full)...)
	load(full)

	podName := slices.Collect(maps.Keys(full.Pods))[0]
	apply(scheduler.DeletePod{Name: podName}, scheduler.WriteIntent{Intent: scheduler.Run})
	delete(full.Pods, podName)
	full.Intent = scheduler.Run
	load(full)

	reservation := slices.Collect(maps.Keys(full.Leftovers))[0]
	apply(scheduler.DeleteLeftover{Reservation: reservation},
		scheduler.DeleteLeftover{Reservation: "never was"})
	delete(full.Leftovers, reservation)
	load(full)

	checkHistory(&full, apply, load)

	apply()
	load(full)
	apply(scheduler.WriteIntent{Intent: scheduler.Stop}, scheduler.WriteFramework{ID: "f2"})
	full.Intent, full.Framework = scheduler.Stop, "f2"
	load(full)
}

// checkHistory plays what grows and is cut again at its old end.
func checkHistory(
	full *scheduler.Hard, apply func(...scheduler.Write), load func(scheduler.Hard),
) {
	first, last := full.Earlier[0], scheduler.EarlierTarget(full.Target)
	last.ID, last.Number = "0, before all others", full.Earlier[1].Number+1
	full.Earlier = []scheduler.EarlierTarget{full.Earlier[1], last}
	full.Earlier[0].By = "someone else"
	entry := scheduler.JournalEntry{Number: 1<<63 - 1, What: "restart"}
	oldest := full.Journal[0].Number
	full.Journal = []scheduler.JournalEntry{full.Journal[1], entry}
	apply(scheduler.WriteEarlier{Earlier: last}, scheduler.WriteEarlier{Earlier: full.Earlier[0]},
		scheduler.DeleteEarlier{ID: first.ID}, scheduler.WriteJournal{Entry: entry},
		scheduler.DeleteJournal{Number: oldest})
	load(*full)

	plan := slices.Sorted(maps.Keys(full.Runs))[0]
	delete(full.Runs, plan)
	apply(scheduler.DeleteRun{Plan: plan}, scheduler.DeleteRun{Plan: "never was"})
	load(*full)

	for _, name := range oddNames {
		full.Runs[name] = scheduler.PlanRun{Number: 1}
		full.Files[name] = "the text of " + name
		full.Actions[name] = scheduler.ActionRun{Crossed: true}
		apply(scheduler.WriteAction{Name: name, Run: scheduler.ActionRun{}},
			scheduler.WriteAction{Name: name, Run: full.Actions[name]},
			scheduler.WriteFile{Name: name, Content: "an older text"},
			scheduler.WriteFile{Name: name, Content: full.Files[name]},
			scheduler.WriteRun{Plan: name, Run: full.Runs[name]})
	}
	load(*full)
	delete(full.Actions, "a b")
	apply(scheduler.DeleteAction{Name: "a b"}, scheduler.DeleteAction{Name: "never was"})
	load(*full)
}

// oddNames are what people can call plans and files, if they try.
var oddNames = []string{
	"", "/", ".", "..", "../..", "a/b", "a%2Fb", "a%252Fb", "%", "?#", "a b", "a+b", "übung",
	"\x00", "\n", "\xff", "a\xc3", "\u2028", `"`,
}

// TestPlainKeys says that every name makes one key of its own, whatever is in it, and that the
// keys of the journal are in the order of its numbers.
func TestPlainKeys(t *testing.T) {
	plain := regexp.MustCompile(`^(run|file|action)/[-!$&'()*+,.:;=@_~%0-9A-Za-z]*$`)
	seen := map[string]bool{}
	for _, name := range oddNames {
		writes := []scheduler.Write{
			scheduler.WriteFile{Name: name}, scheduler.WriteRun{Plan: name},
			scheduler.WriteAction{Name: name}}
		for key := range entriesOf(t, writes) {
			if !plain.MatchString(key) || seen[key] {
				t.Errorf("%q makes the key %q", name, key)
			}
			seen[key] = true
		}
	}
	last := ""
	for _, number := range []int64{0, 1, 9, 10, 99, 100, 1 << 40, 1<<63 - 1} {
		key := journalKeyOf(number)
		if key <= last {
			t.Errorf("the key %q does not come behind %q", key, last)
		}
		last = key
	}
}

// TestOlderRows says that fields which a row lacks are zero.
func TestOlderRows(t *testing.T) {
	hard, err := Decode(map[string][]byte{
		"target": []byte(`{"id":"t","service":{"name":"a"}}`),
		"pod/kafka-0": []byte(
			`{"name":{"type":"kafka","index":0},"incarnation":1,"tasks":[{"name":"broker"}]}`),
		"run/deploy":                  []byte(`{}`),
		"journal/0000000000000000001": []byte(`{"number":1}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	name := scheduler.PodName{Type: "kafka"}
	want := scheduler.Hard{
		Target: scheduler.Target{ID: "t", Service: servicespec.Service{Name: "a"}},
		Pods: map[scheduler.PodName]scheduler.Pod{
			name: {Name: name, Incarnation: 1, Tasks: []scheduler.Task{{Name: "broker"}}}},
		Runs:    map[string]scheduler.PlanRun{"deploy": {}},
		Journal: []scheduler.JournalEntry{{Number: 1}},
	}
	if diff := same(want, hard); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzDecode decodes garbage under every key; what is accepted can be written again and reads
// the same.
func FuzzDecode(f *testing.F) {
	for key, value := range goldenEntries(f) {
		f.Add(key, value)
	}
	f.Add("pod/kafka-0", []byte(`{"name":{"type":"kafka","index":0},"tasks":[]}`))
	f.Add("intent", []byte(`{"intent":"run"}`))
	f.Add("file/a%2Fb", []byte(`{"bytes":"/w=="}`))
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		hard, err := Decode(map[string][]byte{key: value})
		if err != nil {
			return
		}
		var writes []scheduler.Write
		for _, w := range Writes(hard) {
			if c, err := Encode([]scheduler.Write{w}); err == nil && c[0].Key == key {
				writes = append(writes, w)
			}
		}
		again, err := Decode(entriesOf(t, writes))
		if err != nil {
			t.Fatal(err)
		}
		if diff := same(hard, again); diff != "" {
			t.Error(diff)
		}
	})
}
