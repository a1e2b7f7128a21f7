package servicespec

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// token is a piece of a mustache template.
type token struct {
	kind         tokenKind
	text         string // literal text, or the name in a tag
	line, column int
	end          int // of a section: the index of its end tag
}

type tokenKind int

const (
	textToken tokenKind = iota
	variableToken
	sectionToken
	invertedToken
	endToken
	commentToken
)

var tagName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// tokenizer cuts a template into tokens.
type tokenizer struct {
	*mistakes
	rest         string
	line, column int
	tokens       []token
}

// tokenize cuts a template into tokens and takes standalone tags (sections, ends and comments
// that are alone in their line) out together with their line.
func tokenize(template string, m *mistakes) []token {
	t := &tokenizer{mistakes: m, rest: template, line: 1, column: 1}
	for t.rest != "" {
		open := strings.Index(t.rest, "{{")
		if open < 0 {
			t.literal(len(t.rest))
			break
		}
		t.literal(open)
		if !t.tag() {
			break
		}
	}
	return t.tokens
}

// literal takes n bytes of plain text.
func (t *tokenizer) literal(n int) {
	if n > 0 {
		t.tokens = append(t.tokens,
			token{kind: textToken, text: t.rest[:n], line: t.line, column: t.column})
		t.skip(n)
	}
}

// skip moves the place on by n bytes.
func (t *tokenizer) skip(n int) {
	passed := t.rest[:n]
	if newlines := strings.Count(passed, "\n"); newlines > 0 {
		t.line += newlines
		t.column = 1
		passed = passed[strings.LastIndexByte(passed, '\n')+1:]
	}
	t.column += utf8.RuneCountInString(passed)
	t.rest = t.rest[n:]
}

// tag takes one tag; it is false when the template cannot be cut any further.
func (t *tokenizer) tag() bool {
	begin, close := 2, "}}"
	sigil := byte(0)
	if len(t.rest) > 2 {
		sigil = t.rest[2]
	}
	switch sigil {
	case '{':
		begin, close = 3, "}}}"
	case '#', '^', '/', '!', '&', '>', '=', '<', '$':
		begin = 3
	default:
		sigil = 0
	}
	length := strings.Index(t.rest[begin:], close)
	if length < 0 {
		t.fail(fmt.Sprintf("the tag %s is not closed", t.rest[:begin]), "close it with "+close)
		return false
	}
	inside := t.rest[begin : begin+length]
	kind, ok := t.kindOf(sigil, strings.TrimSpace(inside))
	tok := token{kind: kind, text: strings.TrimSpace(inside), line: t.line, column: t.column}
	size := begin + length + len(close)
	if ok && kind != variableToken {
		if before, after, alone := t.alone(size); alone {
			t.cutLast(before)
			size += after
		}
	}
	t.skip(size)
	if ok {
		t.tokens = append(t.tokens, tok)
	}
	return true
}

func (t *tokenizer) kindOf(sigil byte, name string) (tokenKind, bool) {
	kind := variableToken
	switch sigil {
	case '!':
		return commentToken, true
	case '>', '<', '$':
		t.fail("partials are not supported", "write the text out here")
		return 0, false
	case '=':
		t.fail("changing the delimiters is not supported", "use {{ and }}")
		return 0, false
	case '#':
		kind = sectionToken
	case '^':
		kind = invertedToken
	case '/':
		kind = endToken
	}
	if !tagName.MatchString(name) {
		t.fail(fmt.Sprintf("%s is not the name of a variable", quote(name)),
			"names are letters, digits, _, - and .")
		return 0, false
	}
	return kind, true
}

func (t *tokenizer) fail(message, hint string) {
	t.add(Error{Line: t.line, Column: t.column, Code: Malformed, Message: message, Hint: hint})
}

// alone says whether only blanks surround the tag of that size in its line, how many bytes of
// them are before it in the last token, and how many after it up to and with the newline.
func (t *tokenizer) alone(size int) (before, after int, ok bool) {
	if n := len(t.tokens); n > 0 && t.column > 1 {
		last := t.tokens[n-1]
		if last.kind != textToken {
			return 0, 0, false
		}
		start := strings.LastIndexByte(last.text, '\n') + 1
		if start == 0 && last.column > 1 || !blank(last.text[start:]) {
			return 0, 0, false
		}
		before = len(last.text) - start
	} else if t.column > 1 {
		return 0, 0, false
	}
	tail := t.rest[size:]
	rest := strings.TrimLeft(tail, " \t\r")
	after = len(tail) - len(rest)
	if rest == "" {
		return before, after, true
	}
	return before, after + 1, rest[0] == '\n'
}

// cutLast takes n bytes off the end of the last text.
func (t *tokenizer) cutLast(n int) {
	if n > 0 {
		last := &t.tokens[len(t.tokens)-1]
		last.text = last.text[:len(last.text)-n]
	}
}

func blank(text string) bool { return strings.Trim(text, " \t\r") == "" }

// matchSections sets the end of every section and reports those that do not match.
func matchSections(tokens []token, m *mistakes) {
	var open []int
	for i, t := range tokens {
		switch t.kind {
		case sectionToken, invertedToken:
			open = append(open, i)
		case endToken:
			if len(open) == 0 {
				m.add(Error{Line: t.line, Column: t.column, Code: Malformed,
					Message: fmt.Sprintf("{{/%s}} ends a section that was not begun", t.text)})
				continue
			}
			begin := &tokens[open[len(open)-1]]
			open = open[:len(open)-1]
			begin.end = i
			if begin.text != t.text {
				m.add(Error{Line: t.line, Column: t.column, Code: Malformed,
					Message: fmt.Sprintf("{{/%s}} stands where section %s of line %d must end",
						t.text, begin.text, begin.line),
					Hint: fmt.Sprintf("write {{/%s}}", begin.text)})
			}
		}
	}
	for _, i := range open {
		m.add(Error{Line: tokens[i].line, Column: tokens[i].column, Code: Malformed,
			Message: fmt.Sprintf("section %s is not ended", tokens[i].text),
			Hint:    fmt.Sprintf("end it with {{/%s}}", tokens[i].text)})
	}
}
