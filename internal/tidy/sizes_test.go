package tidy

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"strings"
	"unicode/utf8"
)

// The limits of the house.
const (
	functionLines = 70
	fileLines     = 500
	testLines     = 1000
	columns       = 100
	tabColumns    = 4
	fileBytes     = 1 << 20
)

// sizes checks the lengths of lines, functions and files.
func sizes(m *tree) []finding {
	var found []finding
	for _, f := range m.files {
		if len(f.data) > fileBytes {
			found = append(found, finding{f.path, 0,
				fmt.Sprintf("%d bytes are more than %d", len(f.data), fileBytes)})
		}
	}
	for _, f := range m.goFiles() {
		found = append(found, m.sizesOf(f)...)
	}
	return found
}

func (m *tree) sizesOf(f *file) []finding {
	var found []finding
	lines, limit := f.lines(), fileLines
	if f.test {
		limit = testLines
	}
	if len(lines) > limit {
		found = append(found, finding{f.path, 0,
			fmt.Sprintf("%d lines are more than %d", len(lines), limit)})
	}
	for i, line := range lines {
		width := utf8.RuneCountInString(line) + (tabColumns-1)*strings.Count(line, "\t")
		if width > columns {
			found = append(found, finding{f.path, i + 1,
				fmt.Sprintf("%d columns are more than %d", width, columns)})
		}
	}
	for _, d := range f.syntax.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		first, last := m.set.Position(fn.Type.Pos()), m.set.Position(fn.End())
		if n := last.Line - first.Line + 1; n > functionLines {
			found = append(found, m.at(f, fn.Type.Pos(),
				"function %s has %d lines, more than %d", fn.Name.Name, n, functionLines))
		}
	}
	return found
}

// formatted checks that gofmt would change nothing.
func formatted(m *tree) []finding {
	var found []finding
	for _, f := range m.goFiles() {
		pretty, err := format.Source(f.data)
		if err != nil || !bytes.Equal(pretty, f.data) {
			found = append(found, finding{f.path, 0, "gofmt would change the file"})
		}
	}
	return found
}
