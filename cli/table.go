package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// grid is a table: all rows are kept until Flush knows how wide the columns are.
type grid struct {
	out   io.Writer
	width int // of the lines at most, 0 for any
	paint painter
	rows  [][]string // the first is the header
}

// columnGap is what stands between columns; columnLeast is what a column keeps when it is cut.
const (
	columnGap   = 2
	columnLeast = 8
)

// table begins a table with its header.
func table(out io.Writer, header ...string) *grid {
	return &grid{out: out, width: widthOf(out), rows: [][]string{header}}
}

// table begins a table in the form that was asked for: with -o wide it has more columns, and
// nothing is cut.
func (e *env) table(header []string, wide ...string) *grid {
	t := table(e.stdout, header...)
	t.paint = e.paint()
	if e.wide() {
		t.rows[0], t.width = slices.Concat(header, wide), 0
	}
	return t
}

// row adds a line to a table. Empty cells get a hyphen; cells of columns that the table does
// not have are dropped.
func row(t *grid, cells ...string) {
	cells = slices.Clone(cells[:min(len(cells), len(t.rows[0]))])
	for i, cell := range cells {
		if cell == "" {
			cells[i] = "-"
		}
	}
	t.rows = append(t.rows, cells)
}

// Flush prints the table.
func (t *grid) Flush() error {
	widths := t.fit()
	var b strings.Builder
	for i, cells := range t.rows {
		var line strings.Builder
		for j, cell := range cells {
			text := clip(cell, widths[j])
			pad := strings.Repeat(" ", widths[j]-utf8.RuneCountInString(text)+columnGap)
			if i > 0 && (t.rows[0][j] == "STATUS" || t.rows[0][j] == "STATE") {
				text = t.paint.status(text)
			}
			line.WriteString(text + pad)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(t.out, b.String())
	return printing(err)
}

// fit gives the columns' widths: as wide as their cells, and while the whole is too wide, the
// widest of them less.
func (t *grid) fit() []int {
	widths := make([]int, len(t.rows[0]))
	all := -columnGap
	for _, cells := range t.rows {
		for i, cell := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, w := range widths {
		all += w + columnGap
	}
	for ; t.width > 0 && all > t.width; all-- {
		widest := 0
		for i, w := range widths {
			if w > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= columnLeast {
			break
		}
		widths[widest]--
	}
	return widths
}

// canvas is a part of a terminal that is drawn before it is shown.
type canvas struct {
	strings.Builder
	width int
}

// widthOf is how wide lines of a stream may be, 0 for any.
func widthOf(out io.Writer) int {
	switch to := out.(type) {
	case *canvas:
		return to.width
	case *os.File:
		if width, _, err := term.GetSize(int(to.Fd())); err == nil && width >= leastWidth {
			return width
		}
	}
	return 0
}

// leastWidth is the width below which a terminal is taken for one that does not know its own.
const leastWidth = 20

// isTerminal says whether a stream is a terminal.
func isTerminal(stream any) bool {
	if _, ok := stream.(*canvas); ok {
		return true
	}
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// clip cuts a text to a width, so that no line wraps.
func clip(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:max(width-1, 0)]) + "…"
}

// painter colours statuses; the zero painter does not.
type painter struct{ on bool }

// paint colours on a terminal, unless NO_COLOR is set.
func (e *env) paint() painter {
	return painter{on: isTerminal(e.stdout) && e.getenv("NO_COLOR") == ""}
}

// colours are those of statuses that are neither under way nor unknown: green for what is done,
// red for what is wrong. All others are yellow.
var colours = map[string]string{
	"COMPLETE": "32", "RUNNING": "32", "FINISHED": "32",
	"ERROR": "31", "DELAYED": "31", "FAILED": "31", "LOST": "31", "GONE": "31",
}

// status colours a status.
func (p painter) status(s string) string {
	if !p.on || s == "-" {
		return s
	}
	colour, ok := colours[s]
	if !ok {
		colour = "33"
	}
	return fmt.Sprintf("\x1b[%sm%s\x1b[0m", colour, s)
}
