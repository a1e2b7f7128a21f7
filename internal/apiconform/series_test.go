package apiconform

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writeRecording writes a file of these lines and gives its path.
func writeRecording(t *testing.T, name string, lines ...string) string {
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	startLine = `{"scenario":"kafka","event":"start ","driver_calls":[]}`
	agentLine = `{"scenario":"kafka","event":"agent host-1.example zone-a 8 16000 50000"}`
	askLine   = `{"scenario":"kafka","request":{"method":"GET","path":"/v1/plans"}}`
	mixedLine = `{"request":{"method":"GET","path":"/v1/pod/node-0/status"}}`
)

// Files are joined by service and name, and what came before is found among the copies.
func TestSeries(t *testing.T) {
	copied := func(name string) string { return "testdata/" + name + ".jsonl.gz" }
	for _, c := range []struct {
		paths []string
		files string // by series; those that are not compared in brackets
		leads int    // of the first series
	}{
		{[]string{copied("03-kafka-pod-commands")}, "[01] [02] 03", 0},
		{[]string{copied("04-kafka-config-update"), copied("01-kafka-install")},
			"01 [02] [03] 04", 0},
		{[]string{copied("09-http-edges"), copied("02-kafka-plan-commands")},
			"[01] 02; [06] [07] [08] 09", 0},
		{[]string{writeRecording(t, "n1.jsonl", startLine, agentLine, askLine),
			writeRecording(t, "n2.jsonl", startLine, askLine)}, "n1 n2", 0},
		{[]string{writeRecording(t, "n1.jsonl", startLine, agentLine, askLine),
			writeRecording(t, "n2.jsonl", startLine, agentLine, askLine)}, "n1; n2", 0},
		{[]string{writeRecording(t, "n3.jsonl", askLine)}, "n3", 6},
		{[]string{writeRecording(t, "n4.jsonl", mixedLine)}, "n4", 5},
	} {
		list, err := readSeries(c.paths)
		if err != nil {
			t.Fatal(err)
		}
		var text []string
		for _, s := range list {
			var names []string
			for _, f := range s.files {
				name := f.file()[:2]
				if !f.compare {
					name = "[" + name + "]"
				}
				names = append(names, name)
			}
			text = append(text, strings.Join(names, " "))
		}
		if got := strings.Join(text, "; "); got != c.files || len(list[0].leads) != c.leads {
			t.Errorf("%v: %s, %d leads", c.paths, got, len(list[0].leads))
		}
	}
}

// A recording that begins in the middle is played after what leads to it best.
func TestBeginningInTheMiddle(t *testing.T) {
	lines, err := readRecording("testdata/02-kafka-plan-commands.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	s := series{service: kafkaService, files: []recording{{lines, true}}}
	s.leads = [][]recording{nil}
	copies, err := readCopies()
	if err != nil {
		t.Fatal(err)
	}
	alone, err := play(s)
	if err != nil {
		t.Fatal(err)
	}
	s.leads = append(s.leads, copies[kafkaService][:1], copies[kafkaService])
	led, err := play(s)
	if err != nil {
		t.Fatal(err)
	}
	few, many := count(alone.outcomes), count(led.outcomes)
	if few.exchanges != many.exchanges || few.conform >= many.conform {
		t.Errorf("alone %s, led to %s", few, many)
	}
}

// What a row says is what is covered, and a row that says nothing is refused.
func TestDeviation(t *testing.T) {
	const row = "| a | `GET /v1/x/*` `PUT /v1/y` | `*now` | `status 500->404` `text` | " +
		"because it has to be that way | 3 |"
	d, err := readDeviation(row)
	if err != nil || d.id != "a" || d.count != 3 {
		t.Fatalf("%+v, %v", d, err)
	}
	covers := func(method, path, moment, kind, where string) bool {
		l := line{Moment: moment, Request: &request{Method: method, Path: path}}
		return d.covers(outcome{line: l}, difference{kind: kind, where: where})
	}
	if !covers("GET", "/v1/x/1", "then and now", kindStatus, "500->404") ||
		!covers("PUT", "/v1/y", "now", kindText, "") {
		t.Error("does not cover what it says")
	}
	if covers("PUT", "/v1/x/1", "now", kindText, "") ||
		covers("GET", "/v1/x/1", "then", kindText, "") ||
		covers("GET", "/v1/x/1", "now", kindStatus, "404->200") ||
		covers("GET", "/v1/x/1", "now", kindMedia, "a->b") {
		t.Error("covers what it does not say")
	}
	for _, part := range []string{"`*now`", "because it has to be that way", " 3 ", "| a "} {
		if d, err := readDeviation(strings.Replace(row, part, "", 1)); err == nil {
			t.Errorf("without %q: %+v", part, d)
		}
	}
	outcomes := []outcome{
		{line: line{Moment: "now", Request: &request{Method: "PUT", Path: "/v1/y"}},
			found: []difference{{kind: kindText}}},
		{line: line{Moment: "now", Request: &request{Method: "PUT", Path: "/v1/y"}},
			found: []difference{{kind: kindText}, {kind: kindBody}}},
	}
	declare(outcomes, []*deviation{d})
	if !slices.Equal(outcomes[0].declared, []string{"a"}) || outcomes[1].declared != nil {
		t.Errorf("declared %v and %v", outcomes[0].declared, outcomes[1].declared)
	}
}
