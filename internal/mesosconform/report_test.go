package mesosconform

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// tally counts exchanges.
type tally struct{ exchanges, conform, declared int }

func (t tally) String() string {
	return fmt.Sprintf("exchanges=%d conform=%d declared=%d", t.exchanges, t.conform, t.declared)
}

func (t tally) other() int { return t.exchanges - t.conform - t.declared }

func (t *tally) add(o tally) {
	t.exchanges += o.exchanges
	t.conform += o.conform
	t.declared += o.declared
}

func (p *replay) title() string { return p.recording.title() }

// title is the name of a recording for a reader.
func (r recording) title() string { return strings.TrimSuffix(r.name, ".jsonl") }

func (p *replay) tally() tally {
	var t tally
	for _, o := range p.outcomes {
		t.exchanges++
		switch {
		case len(o.found) == 0:
			t.conform++
		case o.declared != "":
			t.declared++
		}
	}
	return t
}

var indexes = regexp.MustCompile(`\[\d*\]`)

// kind is what a difference is about, without its values.
func kind(o outcome, found string) string {
	where, rest, _ := strings.Cut(found, ":")
	where = indexes.ReplaceAllString(where, "[]")
	switch {
	case strings.Contains(rest, ", missing"):
		where += " missing"
	case strings.HasPrefix(rest, " not recorded"):
		where += " not recorded"
	}
	return o.line.Dir + " " + o.line.call() + " " + where
}

// groups lists the undeclared differences, the most frequent kind first.
func groups(played []*replay, perGroup int) string {
	examples := map[string][]string{}
	for _, p := range played {
		for _, o := range p.outcomes {
			if o.declared != "" {
				continue
			}
			for _, f := range o.found {
				k := kind(o, f)
				examples[k] = append(examples[k],
					"    "+o.place(p.recording.name)+"\n      "+f+"\n")
			}
		}
	}
	keys := sorted(examples)
	slices.SortStableFunc(keys, func(a, b string) int {
		return cmp.Compare(len(examples[b]), len(examples[a]))
	})
	var b strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&b, "%d x %s\n", len(examples[k]), k)
		for i, e := range examples[k] {
			if i == perGroup {
				break
			}
			b.WriteString(e)
		}
	}
	return b.String()
}

// trace lists what differs in the order of the recording.
func (p *replay) trace() string {
	var b strings.Builder
	for _, o := range p.outcomes {
		for _, f := range o.found {
			fmt.Fprintf(&b, "%.3f %s [%s]\n    %s\n", o.line.T, o.place(p.recording.name),
				o.declared, f)
		}
	}
	for _, s := range slices.Concat(p.strays, p.late) {
		fmt.Fprintln(&b, s)
	}
	return b.String()
}

// table has a line a file and one for all.
func table(played []*replay) (string, tally) {
	var b strings.Builder
	var sum tally
	b.WriteString("| file | exchanges | conform | declared | other |\n|---|---|---|---|---|\n")
	line := func(name string, t tally) {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d |\n", name, t.exchanges, t.conform, t.declared,
			t.other())
	}
	for _, p := range played {
		t := p.tally()
		line(p.title(), t)
		sum.add(t)
	}
	line("all", sum)
	return b.String(), sum
}
