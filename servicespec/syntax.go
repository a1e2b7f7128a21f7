package servicespec

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

var yamlLine = regexp.MustCompile(`^line ([0-9]+): `)

// syntaxHints are what to do about some errors of the YAML library.
var syntaxHints = []struct{ of, text string }{
	{"mapping values are not allowed", "indent it as its neighbours are, write a blank after " +
		"each colon in the line above, and put texts with a colon in quotes"},
	{expectedKey, "the line stands in no column of its neighbours; indent all keys of a mapping " +
		"alike"},
	{endOfStream, "close the quotes or brackets that open here"},
	{"expected ',' or", "close the bracket that opens here, and put commas between what is in it"},
	{"expected node content", "write the value that is missing here, or close the bracket"},
	{"cannot start any token", "put the text in quotes"},
	{"unknown escape character", "put the text in single quotes, where backslashes are plain"},
	{"could not find expected ':'", "write a key, a colon and a blank before the value, or " +
		"indent the line deeper if it belongs to the text above"},
	{"exceeded max depth", "nest it less deep"},
	{"'-' indicator", "begin each item of the list with a dash, and indent all dashes alike"},
}

// Errors of the library that mean something else in places.
const (
	expectedKey = "did not find expected key"
	endOfStream = "unexpected end of stream"
)

// syntaxError translates an error of the YAML library, whose text begins "yaml: line 3: ".
func syntaxError(err error, data []byte) Error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	e := Error{Code: Malformed, Hint: "check indentation, quotes and brackets around this line"}
	if found := yamlLine.FindStringSubmatch(text); found != nil {
		e.Line, _ = strconv.Atoi(found[1])
		text = text[len(found[0]):]
	}
	line, column := brokenAt(data)
	if line >= e.Line || line > 0 && strings.Contains(text, endOfStream) {
		e.Line, e.Column = line, column
	}
	for _, hint := range syntaxHints {
		if strings.Contains(text, hint.of) {
			e.Hint = hint.text
		}
	}
	if strings.Contains(text, "tab character") && indentingTab(data, e.Line) == 0 {
		e.Line, e.Column = e.Line+1, 0 // the library names the line before
	}
	if column := indentingTab(data, e.Line); column > 0 {
		e.Column = column
		e.Message, e.Hint = "this is not YAML: the line is indented with a tab", "use blanks"
		return e
	}
	if name, ok := strings.CutPrefix(text, "unknown anchor '"); ok {
		e.Code, e.Hint = Dangling, "anchors are defined with &name before they are used"
		name = strings.TrimSuffix(name, "' referenced")
		if at := bytes.Index(data, []byte("*"+name)); at >= 0 {
			e.Line, e.Column = position(data, at)
		}
	}
	first := firstColumn(lineOf(data, e.Line))
	if e.Column == 0 {
		e.Column = first
	}
	if e.Column > first && strings.Contains(text, expectedKey) {
		e.Hint = "what stands here does not belong to what is before it; check quotes and brackets"
	}
	e.Message = "this is not YAML: " + text
	return e
}

// lineOf gives the text of a line, nothing when there is none.
func lineOf(data []byte, line int) []byte {
	for text := range bytes.Lines(data) {
		if line--; line == 0 {
			return bytes.TrimRight(text, "\r\n")
		}
	}
	return nil
}

// brokenAt finds the place where a file stops being YAML: all before it can be read. The library
// names the line where the mapping or list around the mistake began, or none. The column is that
// of the first character when the line is too long to find it, and the line is 0 when that takes
// too long to find.
func brokenAt(data []byte) (line, column int) {
	most := 4 << 20 // bytes to read in all
	readable := func(end int) bool {
		most -= end
		var node yaml.Node
		return most >= 0 && yaml.Unmarshal(data[:end], &node) == nil
	}
	ends := []int{0}
	for at, b := range data {
		if b == '\n' {
			ends = append(ends, at+1)
		}
	}
	line = len(ends)
	for line > 1 && !readable(ends[line-1]) {
		line--
	}
	if most < 0 {
		return 0, 0
	}
	most = 1 << 20
	start := ends[line-1]
	text, _, _ := bytes.Cut(data[start:], []byte("\n"))
	for at := len(text); at > 0 && most >= 0; {
		_, size := utf8.DecodeLastRune(text[:at])
		if at -= size; readable(start + at) {
			return line, 1 + utf8.RuneCount(text[:at])
		}
	}
	return line, firstColumn(text)
}

// firstColumn is the column of the first character that is no blank.
func firstColumn(line []byte) int {
	return 1 + utf8.RuneCount(line) - utf8.RuneCount(bytes.TrimLeft(line, " \t"))
}

// indentingTab gives the column of the first tab that a line is indented with, 0 for none.
func indentingTab(data []byte, line int) int {
	text := lineOf(data, line)
	indent := text[:len(text)-len(bytes.TrimLeft(text, " \t"))]
	return 1 + bytes.IndexByte(indent, '\t')
}
