package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// layout writes a YAML text in the canonical way: two blanks for each level, the keys that the
// language knows in its order, single blank lines where there were some. Comments stay with
// what they stand at. Names keep their order, and so do all keys of a text with aliases, which
// must come after their anchors. A text that would lose something is refused.
func layout(src []byte, known *keyNode) ([]byte, error) {
	doc, err := oneDocument(src)
	if err != nil {
		return nil, err
	}
	before, commentsBefore := meaning(doc), comments(doc)
	l := layouter{lines: strings.Split(string(src), "\n"), marker: freeMarker(src)}
	if !aliased(doc) {
		reorder(doc.Content[0], known)
	}
	l.blanks(doc, true)
	printable(doc, false)
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(doc), enc.Close()); err != nil {
		return nil, fmt.Errorf("writing YAML: %w", err)
	}
	text := l.unmark(out.String())
	after, err := oneDocument([]byte(text))
	if err != nil || meaning(after) != before || !slices.Equal(comments(after), commentsBefore) {
		return nil, errors.New("it cannot be formatted without changing what it says; " +
			"move comments to lines of their own, and write long texts with |")
	}
	return []byte(text), nil
}

func oneDocument(src []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(src))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); err != nil {
		return nil, fmt.Errorf("reading YAML: %w", err)
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one document")
	}
	return &doc, nil
}

// reorder puts the known keys of mappings into the language's order, before the others.
func reorder(n *yaml.Node, known *keyNode) {
	if n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			reorder(item, known.item())
		}
		return
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	type pair struct {
		key, value *yaml.Node
		place      int
	}
	var pairs []pair
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		pairs = append(pairs, pair{n.Content[i], n.Content[i+1], known.place(key)})
		reorder(n.Content[i+1], known.child(key))
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return a.place - b.place })
	n.Content = n.Content[:0]
	for _, p := range pairs {
		n.Content = append(n.Content, p.key, p.value)
	}
}

// layouter keeps blank lines, which the YAML library drops: it marks them with comments that
// become blank lines again.
type layouter struct {
	lines  []string
	marker string
}

// freeMarker is a comment that the text has not.
func freeMarker(src []byte) string {
	marker := "#blank"
	for bytes.Contains(src, []byte(marker)) {
		marker += "-"
	}
	return marker
}

// blanks marks what stands after a blank line; first says that the node begins its parent.
func (l layouter) blanks(n *yaml.Node, first bool) {
	if !first && l.afterBlank(n) {
		n.HeadComment = strings.TrimRight(l.marker+"\n"+n.HeadComment, "\n")
	}
	step := 1
	if n.Kind == yaml.MappingNode {
		step = 2
	}
	if n.Kind == yaml.AliasNode {
		return
	}
	for i, child := range n.Content {
		isValue := step == 2 && i%2 == 1
		inside := n.Kind == yaml.DocumentNode || n.Style&yaml.FlowStyle != 0
		l.blanks(child, i == 0 || isValue || inside)
	}
}

// afterBlank says whether a blank line stands before a node and its comment.
func (l layouter) afterBlank(n *yaml.Node) bool {
	above := n.Line - 2 // as an index
	if n.HeadComment != "" {
		above -= 1 + strings.Count(n.HeadComment, "\n")
	}
	return above >= 0 && above < len(l.lines) && strings.TrimSpace(l.lines[above]) == ""
}

// unmark makes blank lines of the marks, never two in a row.
func (l layouter) unmark(text string) string {
	var out []string
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == l.marker {
			line = "\n"
			if len(out) > 0 && out[len(out)-1] == "\n" {
				continue
			}
		}
		out = append(out, line)
	}
	return strings.Join(out, "")
}

// printable keeps the library from writing !!merge before each <<, and an empty text for nothing
// within braces and brackets.
func printable(n *yaml.Node, flow bool) {
	flow = flow || n.Style&yaml.FlowStyle != 0
	switch {
	case n.Kind == yaml.AliasNode:
		return
	case n.Tag == "!!merge":
		n.Tag = ""
	case n.Kind == yaml.ScalarNode && flow && n.Value == "" && n.ShortTag() == "!!null":
		n.Value = "null"
	}
	for _, child := range n.Content {
		printable(child, flow)
	}
}

// aliased says whether there is an alias.
func aliased(n *yaml.Node) bool {
	return n.Kind == yaml.AliasNode || slices.ContainsFunc(n.Content, aliased)
}

// meaning is all that a document says, with the keys of mappings in a fixed order.
func meaning(n *yaml.Node) string {
	switch n.Kind {
	case yaml.AliasNode:
		return "*" + n.Value
	case yaml.ScalarNode:
		if n.ShortTag() == "!!null" {
			return "&" + n.Anchor + " null"
		}
		return fmt.Sprintf("&%s %s %q", n.Anchor, n.ShortTag(), n.Value)
	}
	var parts []string
	for i := 0; i < len(n.Content); i++ {
		part := meaning(n.Content[i])
		if n.Kind == yaml.MappingNode {
			i++
			part += ": " + meaning(n.Content[i])
		}
		parts = append(parts, part)
	}
	if n.Kind == yaml.MappingNode {
		slices.Sort(parts)
	}
	return fmt.Sprintf("&%s %s (%s)", n.Anchor, n.ShortTag(), strings.Join(parts, ", "))
}

// comments are the lines of all comments, in a fixed order.
func comments(n *yaml.Node) []string {
	var list []string
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		for _, text := range []string{n.HeadComment, n.LineComment, n.FootComment} {
			for line := range strings.Lines(text) {
				if line = strings.TrimSpace(line); line != "" {
					list = append(list, line)
				}
			}
		}
		if n.Kind != yaml.AliasNode {
			for _, child := range n.Content {
				walk(child)
			}
		}
	}
	walk(n)
	slices.Sort(list)
	return list
}
