package scheduler

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestJournalIsBounded: what a command says is kept as far as somebody will read it, since a
// thousand of them are.
func TestJournalIsBounded(t *testing.T) {
	m := Restore(Config{}, Hard{})
	long := "x" + strings.Repeat("é", 100_000)
	m.record(JournalEntry{What: long, Outcome: long})
	last := m.hard.Journal[0]
	for _, text := range []string{last.What, last.Outcome} {
		if len(text) > wordsMost+50 || !utf8.ValidString(text) ||
			!strings.Contains(text, "bytes)") {
			t.Errorf("%d bytes are kept: %.20s … %s", len(text), text, text[len(text)-20:])
		}
	}
}

// TestParams: what no task could be given is refused when a plan is to start.
func TestParams(t *testing.T) {
	half := strings.Repeat("x", paramsMost/2)
	for says, params := range map[string]map[string]string{
		"":                                 {"A": "1", "_b2": "", "C": half},
		`"1A" is no name of a parameter`:   {"1A": "x"},
		`"" is no name of a parameter`:     {"": "x"},
		"the value of A has a zero byte":   {"A": "x\x00y"},
		"the parameters have 100002 bytes": {"A": half, "B": half},
	} {
		p := checkParams(params)
		if (says == "") != (p == nil) || p != nil && (p.Code != InvalidRequest ||
			!strings.Contains(p.Message, says)) {
			t.Errorf("%+v, want %q", p, says)
		}
	}
}
