package servicespec

import (
	"fmt"
	"slices"
	"strings"
)

// Error is one mistake in a file that an operator wrote. Parse, Render and DecodeOptions give
// all mistakes that they find, in the order of the file.
type Error struct {
	File string
	// Line and Column count from 1; 0 means that the place is not known.
	Line, Column int
	// Path leads to the value: "pods.kafka.tasks.broker.cpus"; it may be empty.
	Path string
	Code Code
	// Message says what is wrong and Hint what to do about it; Hint may be empty.
	Message, Hint string
}

// Code is the kind of a mistake.
type Code string

// The kinds of mistakes.
const (
	Malformed   Code = "malformed"   // not YAML, not a template
	TooLarge    Code = "too-large"   // refused for its size, depth or expansion
	UnknownKey  Code = "unknown-key" // no such key, option or variable
	Duplicate   Code = "duplicate"   // said twice
	Missing     Code = "missing"     // required and not there
	WrongType   Code = "wrong-type"  // a list where a number belongs
	BadValue    Code = "bad-value"   // of the right type, and not allowed
	Dangling    Code = "dangling"    // names something that does not exist
	Unsupported Code = "unsupported" // the language has it, this release does not
)

// maxErrors bounds what is reported of one file.
const maxErrors = 100

// maxMessage bounds the bytes of one message, some of which quote the file.
const maxMessage = 1000

// Error prints "file:line:column: path: what is wrong; what to do", without unknown parts.
func (e Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	if e.Line > 0 && e.Column > 0 {
		fmt.Fprintf(&b, ":%d", e.Column)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	if e.Path != "" {
		b.WriteString(e.Path + ": ")
	}
	b.WriteString(e.Message)
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

// mistakes collects the errors of one file.
type mistakes struct {
	file string
	list []Error
	// entire says that the whole language is wanted, not only what the scheduler acts on.
	entire bool
	// lenient says that variables without values are warnings only.
	lenient bool
}

func (m *mistakes) add(e Error) {
	e.File = m.file
	if len(e.Message) > maxMessage {
		e.Message = strings.ToValidUTF8(e.Message[:maxMessage], "") + "…"
	}
	if !m.full() {
		m.list = append(m.list, e)
	}
}

// full says that no more mistakes are taken, so that a hint for one need not be looked for.
func (m *mistakes) full() bool { return len(m.list) >= 10*maxErrors }

// sorted gives the collected errors in the order of the file, at most maxErrors of them.
func (m *mistakes) sorted() []Error {
	slices.SortStableFunc(m.list, func(a, b Error) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	m.list = slices.CompactFunc(m.list, func(a, b Error) bool { return a == b })
	if len(m.list) <= maxErrors {
		return m.list
	}
	return append(m.list[:maxErrors:maxErrors], Error{
		File: m.file, Code: TooLarge,
		Message: fmt.Sprintf("there are more than %d mistakes; the rest is not shown", maxErrors),
	})
}

// quote prints a value of a file within a message, shortened when it is long.
func quote(text string) string {
	const most = 60
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return fmt.Sprintf("%q", text)
}
