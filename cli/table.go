package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
)

// table begins a table with its header.
func table(out io.Writer, header ...string) *tabwriter.Writer {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row(w, header...)
	return w
}

// row adds a line to a table; empty cells get a hyphen.
func row(w io.Writer, cells ...string) {
	for i, cell := range cells {
		if cell == "" {
			cells[i] = "-"
		}
	}
	fmt.Fprintln(w, strings.Join(cells, "\t"))
}

// orUnknown is the predecessor's mark for what an answer lacks.
func orUnknown(s string) string {
	if s == "" {
		return "<UNKNOWN>"
	}
	return s
}

// age prints a number of seconds as people say it: 4s, 3m10s, 5h2m, 3d4h.
func age(seconds *float64) string {
	if seconds == nil || *seconds < 0 {
		return ""
	}
	return short(time.Duration(*seconds * float64(time.Second)))
}

// short prints a duration with its two largest units.
func short(d time.Duration) string {
	s := int64(d / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%ds", s/60, s%60)
	case s < 24*3600:
		return fmt.Sprintf("%dh%dm", s/3600, s%3600/60)
	}
	return fmt.Sprintf("%dd%dh", s/86400, s%86400/3600)
}

// sinceAge is the age of a moment, by the scheduler's clock.
func sinceAge(since *time.Time, now time.Time) string {
	if since == nil || since.IsZero() {
		return ""
	}
	return short(max(now.Sub(*since), 0))
}

// oneLine makes one line of a text that may end with what a task printed. Of that it keeps the
// last line, which mostly says why a program ended.
func oneLine(text string) string {
	first, rest, more := strings.Cut(strings.TrimSpace(text), "\n")
	if !more {
		return first
	}
	if what, _, quotes := strings.Cut(first, ": "); quotes {
		first = what + ":"
	}
	return first + " … " + strings.TrimSpace(rest[strings.LastIndexByte(rest, '\n')+1:])
}

// yesNo prints what a check found; "" when it has found nothing yet.
func yesNo(b *bool) string {
	switch {
	case b == nil:
		return ""
	case *b:
		return "yes"
	}
	return "no"
}

// painter colours statuses; the zero painter does not.
type painter struct{ on bool }

// paint colours on a terminal, unless NO_COLOR is set.
func (e *env) paint() painter {
	return painter{on: isTerminal(e.stdout) && e.getenv("NO_COLOR") == ""}
}

// status colours a status: green for what is done, red for what is wrong, yellow for the rest.
func (p painter) status(s string) string {
	if !p.on {
		return s
	}
	colour := "33"
	switch s {
	case api.StatusComplete, "RUNNING":
		colour = "32"
	case api.StatusError, api.StatusDelayed, "FAILED", "LOST":
		colour = "31"
	}
	return "\x1b[" + colour + "m" + s + "\x1b[0m"
}
