package apiconform

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

func (t *tally) add(o outcome) {
	t.exchanges++
	switch {
	case len(o.found) == 0:
		t.conform++
	case len(o.declared) > 0:
		t.declared++
	}
}

func count(outcomes []outcome) tally {
	var t tally
	for _, o := range outcomes {
		t.add(o)
	}
	return t
}

// group is what differs in the same way in answers to the same kind of request.
type group struct {
	request, kind, where string
	exchanges            []example
	alone                int // of these, exchanges in which nothing else differs
}

type example struct {
	outcome outcome
	found   difference
}

var (
	podInPath  = regexp.MustCompile(`(/pod/|tasks/)[a-z]+-[0-9x]+(-[a-z]+)?`)
	taskInPath = regexp.MustCompile(`properties/[a-z]+-\d+-[a-z]+:`)
	value      = regexp.MustCompile(`=[^&]*`)
	metricName = regexp.MustCompile(
		`^(\$\.[a-z]+\.org\.eclipse\.|org_eclipse_|kafka_sched_|go_|process_).*`)
)

// requestPattern is a request without the names of what it concerns.
func requestPattern(r request) string {
	path := recordedID.ReplaceAllString(r.Path, "{id}")
	path = podInPath.ReplaceAllString(path, "${1}{pod}$2")
	path = taskInPath.ReplaceAllString(path, "properties/{task}:")
	path, query, has := strings.Cut(path, "?")
	if has {
		path += "?" + value.ReplaceAllString(query, "=")
	}
	return r.Method + " " + path
}

// groups collects undeclared differences, those that most exchanges have first.
func groups(outcomes []outcome) []*group {
	byKey := map[string]*group{}
	var list []*group
	for _, o := range outcomes {
		if len(o.declared) > 0 {
			continue
		}
		seen := map[*group]bool{}
		for _, f := range o.found {
			request := requestPattern(*o.line.Request)
			where := f.where
			if strings.HasPrefix(o.line.Request.Path, pathMetrics) {
				where = metricName.ReplaceAllString(where, "$1*")
			}
			key := request + "|" + f.kind + "|" + where
			g := byKey[key]
			if g == nil {
				g = &group{request: request, kind: f.kind, where: where}
				byKey[key] = g
				list = append(list, g)
			}
			if !seen[g] {
				g.exchanges = append(g.exchanges, example{o, f})
				seen[g] = true
			}
		}
		if len(seen) == 1 {
			for g := range seen {
				g.alone++
			}
		}
	}
	slices.SortStableFunc(list, func(a, b *group) int {
		return cmp.Or(len(b.exchanges)-len(a.exchanges), strings.Compare(a.request, b.request))
	})
	return list
}

// shown is how many bytes of a value a report shows.
const shown = 400

func short(s string) string {
	s = strings.ReplaceAll(s, "\n", `\n`)
	if len(s) > shown {
		return s[:shown] + " …"
	}
	return s
}

// report writes everything that a reader needs to find what differs.
type report struct {
	all      bool // every example, not only the first ones
	filter   string
	outcomes []outcome
	strays   []stray
	breaches []string
	rules    []*deviation
}

// firsts is how many examples of a group are shown.
const firsts = 2

func (r report) String() string {
	var b strings.Builder
	r.paths(&b)
	r.worlds(&b)
	fmt.Fprintf(&b, "\n== Undeclared differences, by request and kind\n")
	for _, g := range groups(r.outcomes) {
		head := fmt.Sprintf("%s | %s %s", g.request, g.kind, g.where)
		if !strings.Contains(head, r.filter) {
			continue
		}
		fmt.Fprintf(&b, "\n%d exchanges (%d differ in nothing else): %s\n",
			len(g.exchanges), g.alone, head)
		for i, e := range g.exchanges {
			if i == firsts && !r.all {
				break
			}
			l := e.outcome.line
			fmt.Fprintf(&b, "    %s [%s] %s %s\n      recorded %s\n      ours     %s\n",
				l.place(), l.Moment, l.Request.Method, l.Request.Path,
				short(e.found.want), short(e.found.got))
		}
	}
	r.moments(&b)
	r.deviations(&b)
	return b.String()
}

// brief is the longest value that the list of moments shows.
const brief = 60

// moments writes what differs in short values, in the order in which it happened.
func (r report) moments(b *strings.Builder) {
	fmt.Fprintf(b, "\n== Short values that differ, by moment: recorded -> ours\n")
	moment, told := "", map[string]bool{}
	for _, o := range r.outcomes {
		for _, f := range o.found {
			request := requestPattern(*o.line.Request)
			text := fmt.Sprintf("    %s %s %s: %s -> %s\n", request, f.kind, f.where, f.want, f.got)
			if len(o.declared) > 0 || len(f.want) > brief || len(f.got) > brief ||
				f.kind != kindStatus && f.kind != kindValue && f.kind != kindID ||
				!strings.Contains(text, r.filter) {
				continue
			}
			if at := o.line.file + " [" + o.line.Moment + "]"; at != moment {
				moment, told = at, map[string]bool{}
				fmt.Fprintf(b, "  %s, from line %d\n", at, o.line.number)
			}
			if !told[text] {
				b.WriteString(text)
				told[text] = true
			}
		}
	}
}

// paths writes how many exchanges conform, by request.
func (r report) paths(b *strings.Builder) {
	fmt.Fprintf(b, "== Requests that do not always conform: exchanges, conform, declared\n")
	byPath := map[string]*tally{}
	for _, o := range r.outcomes {
		path := requestPattern(*o.line.Request)
		if byPath[path] == nil {
			byPath[path] = &tally{}
		}
		byPath[path].add(o)
	}
	var paths []string
	for path, t := range byPath {
		if t.conform < t.exchanges {
			paths = append(paths, path)
		}
	}
	open := func(path string) int {
		t := byPath[path]
		return t.exchanges - t.conform - t.declared
	}
	slices.SortFunc(paths, func(p, q string) int {
		return cmp.Or(open(q)-open(p), strings.Compare(p, q))
	})
	for _, path := range paths {
		t := byPath[path]
		fmt.Fprintf(b, "%5d %5d %5d  %s\n", t.exchanges, t.conform, t.declared, path)
	}
}

// worlds writes where what happened was already another thing.
func (r report) worlds(b *strings.Builder) {
	fmt.Fprintf(b, "\n== Events that the recording and this scheduler do not share: %d\n",
		len(r.strays))
	for i, s := range r.strays {
		if i == 40 && !r.all {
			fmt.Fprintf(b, "  …\n")
			break
		}
		what := ""
		if s.line.Event != nil {
			what = *s.line.Event
		} else if s.line.Request != nil {
			what = s.line.Request.Method + " " + s.line.Request.Path
		}
		fmt.Fprintf(b, "  %s [%s] %s: %s\n", s.line.place(), s.line.Moment, what, s.text)
	}
	for _, breach := range r.breaches {
		fmt.Fprintf(b, "  The master would have refused: %s\n", breach)
	}
}

func (r report) deviations(b *strings.Builder) {
	if len(r.rules) == 0 {
		return
	}
	fmt.Fprintf(b, "\n== Declared deviations: exchanges\n")
	for _, d := range r.rules {
		fmt.Fprintf(b, "%5d  %s\n", d.used, d.id)
	}
}

// full writes one exchange with both answers.
func full(o outcome) string {
	var b strings.Builder
	l := o.line
	body := ""
	if l.Request.Body != nil {
		body = *l.Request.Body
	}
	fmt.Fprintf(&b, "%s [%s] %s %s %s\n", l.place(), l.Moment, l.Request.Method,
		l.Request.Path, body)
	fmt.Fprintf(&b, "recorded %d %s\n%s\n", l.Response.Status, mediaOf(*l.Response),
		indented([]byte(l.Response.Body)))
	fmt.Fprintf(&b, "ours %d %s\n%s\n", o.answer.status, o.answer.media,
		indented([]byte(o.answer.body)))
	for _, when := range o.when {
		fmt.Fprintf(&b, "- %s\n", when)
	}
	for _, f := range o.found {
		fmt.Fprintf(&b, "- %s %s: recorded %s, ours %s\n", f.kind, f.where,
			short(f.want), short(f.got))
	}
	return b.String()
}
