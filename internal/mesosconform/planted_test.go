package mesosconform

import (
	"encoding/json"
	"slices"
	"testing"
)

// planted is something that a real Mesos might have done and localmesos does not do: a line of
// a recording is changed, and the replay has to report that line.
type planted struct {
	what  string
	line  func(l *line) bool // the one that is changed, the first of its kind
	plant func(r *recording, i int) int
}

// in changes the line itself.
func in(change func(l *line)) func(*recording, int) int {
	return func(r *recording, i int) int {
		change(r.lines[i])
		return r.lines[i].number
	}
}

// answering is the request that has the answer with a body of a type.
func answering(kind string) func(*line) bool {
	return func(l *line) bool { return l.answer != nil && l.answer.call() == kind }
}

func updateOf(state string) func(*line) bool {
	return func(l *line) bool { return textAt(l.Body, "update", "status", "state") == state }
}

func ended(l *line) bool { return l.Closed == "eof" }

func offered(l *line) bool { return l.Dir == dirEvent && l.call() == "OFFERS" }

// first is the first element of a list in a value.
func first(v any, names ...string) map[string]any {
	list, _ := at(v, names...).([]any)
	out, _ := list[0].(map[string]any)
	return out
}

// invent puts an event behind a line that nobody sent.
func invent(r *recording, i int) int {
	after := r.lines[i]
	extra := &line{T: after.T + 0.01, Dir: dirEvent, Conn: after.Conn, number: 1000,
		Body: map[string]any{"type": "FAILURE", "failure": map[string]any{}}}
	r.lines = slices.Insert(r.lines, i+1, extra)
	return extra.number
}

// postpone moves an event behind those of the next two seconds.
func postpone(r *recording, i int) int {
	late := r.lines[i]
	late.T += 1.9
	r.lines = slices.Delete(r.lines, i, i+1)
	to := slices.IndexFunc(r.lines, func(l *line) bool {
		return l.number > late.number && l.T > late.T
	})
	r.lines = slices.Insert(r.lines, to, late)
	return late.number
}

// forget leaves an event out; the one behind it shows that.
func forget(r *recording, i int) int {
	r.lines = slices.Delete(r.lines, i, i+1)
	next := slices.IndexFunc(r.lines[i:], func(l *line) bool { return l.Dir == dirEvent })
	return r.lines[i+next].number
}

var plants = []planted{
	{"a wrong status", answering(""), in(func(l *line) { l.answer.Status = 404 })},
	{"a wrong header", answering("GET_AGENTS"),
		in(func(l *line) { l.answer.Headers["Content-Type"] = "text/html" })},
	{"a wrong text", func(l *line) bool { return l.answer != nil && l.answer.Status == 400 },
		in(func(l *line) { l.answer.Body = "No such framework" })},
	{"a wrong field of an answer", answering("GET_AGENTS"), in(func(l *line) {
		first(l.answer.Body, "get_agents", "agents")["version"] = "1.0.0"
	})},
	{"a field that is missing", answering("GET_AGENTS"), in(func(l *line) {
		first(l.answer.Body, "get_agents", "agents")["rack"] = "r1"
	})},
	{"a field too many", answering("GET_AGENTS"), in(func(l *line) {
		delete(first(l.answer.Body, "get_agents", "agents"), "active")
	})},
	{"a list with one element more", answering("GET_FRAMEWORKS"), in(func(l *line) {
		all := l.answer.Body.(map[string]any)["get_frameworks"].(map[string]any)
		all["completed_frameworks"] = []any{}
	})},
	{"a wrong state", updateOf("TASK_RUNNING"), in(func(l *line) {
		at(l.Body, "update", "status").(map[string]any)["state"] = "TASK_STAGING"
	})},
	{"a wrong id", updateOf("TASK_RUNNING"), in(func(l *line) {
		at(l.Body, "update", "status").(map[string]any)["executor_id"] =
			map[string]any{"value": "other"}
	})},
	{"a wrong amount in an offer", offered, in(func(l *line) {
		offer := first(l.Body, "offers", "offers")
		for _, r := range offer["resources"].([]any) {
			if textAt(r, "name") == "mem" {
				at(r, "scalar").(map[string]any)["value"] = json.Number("16383.0")
			}
		}
	})},
	{"an offer of another agent's", offered, in(func(l *line) {
		first(l.Body, "offers", "offers")["hostname"] = "elsewhere"
	})},
	{"an event that does not come", updateOf("TASK_RUNNING"), invent},
	{"events in another order", func(l *line) bool { return l.call() == "SUBSCRIBED" }, postpone},
	{"a stream that ends otherwise", ended,
		in(func(l *line) { l.Closed = "eof-without-last-chunk" })},
	{"an event too many", updateOf("TASK_STARTING"), forget},
}

// TestPlantedDepartures holds the comparison to reporting what differs.
func TestPlantedDepartures(t *testing.T) {
	const path = "testdata/10a-teardown.jsonl.gz"
	recordings := readAll(t, slices.Repeat([]string{path}, len(plants)+1))
	at := make([]int, len(plants))
	for i, d := range plants {
		place := slices.IndexFunc(recordings[i].lines, d.line)
		if place < 0 {
			t.Fatalf("%s: there is no such line in %s", d.what, path)
		}
		at[i] = d.plant(&recordings[i], place)
	}
	played := replayAll(t, recordings)
	if n := played[len(plants)].tally().other(); n != 0 {
		t.Errorf("%d exchanges differ without anything planted:\n%s", n,
			played[len(plants)].trace())
	}
	for i, d := range plants {
		if !slices.ContainsFunc(played[i].outcomes, func(o outcome) bool {
			return o.line.number == at[i] && len(o.found) > 0 && o.declared == ""
		}) {
			t.Errorf("%s was not reported:\n%s", d.what, played[i].trace())
		}
	}
}
