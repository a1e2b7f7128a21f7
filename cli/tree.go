package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// node is a line of a tree with the lines below it.
type node struct {
	text string
	// status follows the text in brackets; "" for none.
	status string
	// age and note stand in columns of their own, to the right of the whole tree.
	age, note string
	children  []node
}

// leaf is a line of a tree as it is drawn.
type leaf struct{ head, status, age, note string }

func (l leaf) remarked() bool { return l.age != "" || l.note != "" }

// width is that of the head with its status.
func (l leaf) width() int {
	n := utf8.RuneCountInString(l.head)
	if l.status != "" {
		n += utf8.RuneCountInString(l.status) + len(" ()")
	}
	return n
}

// leaves gives the lines of a tree in order, in the predecessor's form.
func (n node) leaves(stem, branch string) []leaf {
	lines := []leaf{{stem + branch + n.text, n.status, n.age, n.note}}
	switch branch {
	case "├─ ":
		stem += "│  "
	case "└─ ":
		stem += "   "
	}
	for i, child := range n.children {
		branch := "├─ "
		if i == len(n.children)-1 {
			branch = "└─ "
		}
		lines = append(lines, child.leaves(stem, branch)...)
	}
	return lines
}

// printTree draws a tree.
func (e *env) printTree(root node) error {
	lines := root.leaves("", "")
	widest := 0
	for _, l := range lines {
		if l.remarked() {
			widest = max(widest, l.width())
		}
	}
	limit := widthOf(e.stdout)
	if e.wide() {
		limit = 0
	}
	paint := e.paint()
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.head)
		if l.status != "" {
			fmt.Fprintf(&b, " (%s)", paint.status(l.status))
		}
		if l.remarked() {
			rest := fmt.Sprintf("%*s  %-6s  %s", widest-l.width(), "", l.age, l.note)
			if limit > 0 {
				rest = clip(rest, limit-l.width())
			}
			b.WriteString(strings.TrimRight(rest, " "))
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(e.stdout, b.String())
	return printing(err)
}
