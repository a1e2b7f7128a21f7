package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// orUnknown is the predecessor's mark for what an answer lacks.
func orUnknown(s string) string { return or(s, "<UNKNOWN>") }

// orHyphen is the mark for what there is none of.
func orHyphen(s string) string { return or(s, "-") }

// or gives a text, or another in its place when it is empty.
func or(s, other string) string {
	if s == "" {
		return other
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

// moment prints a time as tables have it.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
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

func indent(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return "  " + strings.Join(lines, "\n  ")
}

// join joins the texts that are not empty.
func join(by string, texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), by)
}

// visible writes control characters as Go does, but for ends of lines and tabs, so that no text of
// somebody else has its way with a terminal.
func visible(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// namesMost is how many names an error lists.
const namesMost = 20

// listing lists the names that there are, the first of them if they are many.
func listing(names []string) string {
	if len(names) > namesMost {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:namesMost], ", "),
			len(names)-namesMost)
	}
	return orUnknown(strings.Join(names, ", "))
}

func number(n int64) string { return strconv.FormatInt(n, 10) }
