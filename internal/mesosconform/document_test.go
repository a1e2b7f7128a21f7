package mesosconform

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// documentFile is what make conformance writes, and the ordinary test reads.
const documentFile = "../../docs/mesos-conformance.md"

const introduction = `# localmesos and the real Mesos

What a real Mesos master and real agents answered and told was recorded; the recordings are in
internal/mesosconform/testdata. A test sends localmesos the same requests at the same moments, does
to it what was done to the real processes, and compares every answer and every event. This page is
written by ` + "`make conformance`" + `, which takes about four minutes; ` +
	"`make conformance FILES=\"a.jsonl …\"`" + `
replays other recordings of the same kind and writes nothing. What is compared, and how, is said
in internal/mesosconform/doc.go.

An exchange is a request with its answer, or an event of a stream. It conforms, or a departure
that is declared below explains it, or neither (other), and then the command fails. What is a race
in a recording may conform in one run and be declared in the next.

`

// document is the page for the replay of all copied recordings.
func document(played []*replay) string {
	text, sum := table(played)
	used := map[string]int{}
	for _, p := range played {
		for _, o := range p.outcomes {
			used[o.declared]++
		}
	}
	return fmt.Sprintf("%s%s\n%s of all exchanges conform.\n\n%s", introduction, text,
		percent(sum), departureList(used))
}

func percent(t tally) string {
	return fmt.Sprintf("%.1f %%", 100*float64(t.conform)/float64(max(1, t.exchanges)))
}

// departureList explains the rules, with the number of exchanges that each concerns.
func departureList(used map[string]int) string {
	var b strings.Builder
	b.WriteString("## Declared departures\n\n")
	for _, d := range departures {
		fmt.Fprintf(&b, "%s\n", wrap(fmt.Sprintf("- **%s** (%d): %s", d.id, used[d.id], d.why), 98))
	}
	return b.String()
}

// wrap breaks a list item into lines.
func wrap(text string, width int) string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = " "
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return strings.Join(append(lines, line), "\n")
}

var row = regexp.MustCompile(`(?m)^\| ([^|]+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$`)

// documented reads the table of the page.
func documented() (map[string]tally, string, error) {
	text, err := os.ReadFile(documentFile)
	if err != nil {
		return nil, "", err
	}
	out := map[string]tally{}
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		var n [4]int
		for i := range n {
			if n[i], err = strconv.Atoi(m[i+2]); err != nil {
				return nil, "", err
			}
		}
		t := tally{n[0], n[1], n[2]}
		if t.other() != n[3] {
			return nil, "", fmt.Errorf("%s: the row of %s does not add up", documentFile, m[1])
		}
		out[m[1]] = t
	}
	return out, string(text), nil
}

// exchanges counts what a recording has to compare.
func (r recording) exchanges() int {
	n := 0
	for _, l := range r.lines {
		if l.Dir == dirRequest || l.Dir == dirEvent {
			n++
		}
	}
	return n
}
