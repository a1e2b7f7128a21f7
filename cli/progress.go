package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"golang.org/x/term"
)

// line is one thing that is followed: a step of a plan, a task that shall end.
type line struct {
	key, name, status, age, reason string
}

// progress shows how things go on.
type progress interface {
	// say prints a sentence that stays.
	say(format string, args ...any)
	// show gives the present state of all that is followed.
	show(lines []line)
	// end leaves the last state on the screen.
	end()
}

// progress chooses how to show progress: not at all, redrawn on a terminal, or line by line.
func (e *env) progress(quiet bool) progress {
	switch {
	case quiet || e.json:
		return silent{}
	case isTerminal(e.stdout):
		return &screen{out: e.stdout.(*os.File), paint: e.paint()}
	}
	return &lineByLine{out: e.stdout, began: time.Now(), last: map[string]string{}}
}

// silent shows nothing.
type silent struct{}

func (silent) say(string, ...any) {}
func (silent) show([]line)        {}
func (silent) end()               {}

// mostLines is how many lines are printed at a time; a plan may have 60,000 steps.
const mostLines = 100

// lineByLine prints a line whenever something has changed.
type lineByLine struct {
	out   io.Writer
	began time.Time
	last  map[string]string
}

func (p *lineByLine) stamp() string {
	return fmt.Sprintf("[%5.1fs]", time.Since(p.began).Seconds())
}

func (p *lineByLine) say(format string, args ...any) {
	fmt.Fprintf(p.out, "%s %s\n", p.stamp(), fmt.Sprintf(format, args...))
}

func (p *lineByLine) show(lines []line) {
	printed := 0
	for _, l := range lines {
		now := l.status + " " + l.reason
		if p.last[l.key] == now {
			continue
		}
		p.last[l.key] = now
		if printed++; printed > mostLines {
			continue
		}
		text := fmt.Sprintf("%s %s %s", p.stamp(), l.name, l.status)
		if l.reason != "" {
			text += ": " + l.reason
		}
		fmt.Fprintln(p.out, text)
	}
	if printed > mostLines {
		p.say("and %d more have changed", printed-mostLines)
	}
}

func (p *lineByLine) end() {}

// screen draws the state over the one before.
type screen struct {
	out   *os.File
	paint painter
	drawn int // lines that are on the screen now
}

// erase moves to the first drawn line and clears from there on.
func (p *screen) erase() string {
	if p.drawn == 0 {
		return ""
	}
	text := fmt.Sprintf("\x1b[%dA\x1b[J", p.drawn)
	p.drawn = 0
	return text
}

func (p *screen) say(format string, args ...any) {
	fmt.Fprintf(p.out, "%s%s\n", p.erase(), fmt.Sprintf(format, args...))
}

func (p *screen) show(lines []line) {
	width, height, err := term.GetSize(int(p.out.Fd()))
	if err != nil || width < 20 {
		width, height = 80, 24
	}
	if most := max(height-2, 1); len(lines) > most {
		lines = unfinishedFirst(lines)[:most]
	}
	names := 0
	for i, l := range lines {
		lines[i].name = clip(l.name, width/2)
		names = max(names, len([]rune(lines[i].name)))
	}
	var b strings.Builder
	b.WriteString(p.erase())
	for _, l := range lines {
		rest := fmt.Sprintf("%6s  %s", l.age, l.reason)
		head := fmt.Sprintf("  %-*s  ", names, l.name)
		room := width - len([]rune(head)) - 14
		fmt.Fprintf(&b, "%s%s%s%s\n", head, p.paint.status(l.status),
			strings.Repeat(" ", max(12-len(l.status), 1)), clip(rest, room))
	}
	p.drawn = len(lines)
	io.WriteString(p.out, b.String())
}

func (p *screen) end() { p.drawn = 0 }

// unfinishedFirst moves what is complete to the end.
func unfinishedFirst(lines []line) []line {
	var open, done []line
	for _, l := range lines {
		if l.status == api.StatusComplete {
			done = append(done, l)
			continue
		}
		open = append(open, l)
	}
	return append(open, done...)
}

// planLines are the steps of plans, as lines to follow; of the plans that have none, nothing.
func planLines(s api.Service, names ...string) []line {
	var lines []line
	for _, name := range names {
		p := s.Plan(name)
		if p == nil {
			continue
		}
		for _, ph := range p.Phases {
			for _, st := range ph.Steps {
				title := st.Name
				if ph.Name != st.Name {
					title = ph.Name + " " + st.Name
				}
				lines = append(lines, line{
					key:  name + "/" + ph.Name + "/" + st.Name,
					name: title, status: st.Status,
					age: age(st.AgeSeconds), reason: oneLine(st.Reason),
				})
			}
		}
	}
	return lines
}

// taskLines are the tasks that have ever run, as lines to follow.
func taskLines(s api.Service) []line {
	var lines []line
	for _, p := range s.Pods {
		for _, t := range p.Tasks {
			if t.State == "" {
				continue
			}
			lines = append(lines, line{
				key: t.FullName, name: t.FullName, status: taskState(t),
				age: sinceAge(t.Since, s.Now),
			})
		}
	}
	return lines
}
