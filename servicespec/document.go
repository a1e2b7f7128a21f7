package servicespec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// The bounds of a file, checked before anything is built of it.
const (
	maxFileBytes = 5 << 20
	maxNodes     = 1_000_000        // written in the file
	maxExpanded  = 250_000          // brought by aliases
	maxTextBytes = 4 * maxFileBytes // of all values and keys, after aliases are expanded
	maxItems     = 2_000            // of one list or mapping
	maxPods      = 20_000           // of the mapping of pods
	maxDepth     = 64
)

// kind is the shape of a value in a document.
type kind int

const (
	nullKind kind = iota
	scalarKind
	listKind
	mapKind
)

func (k kind) String() string {
	return [...]string{"nothing", "a single value", "a list", "a mapping"}[k]
}

// value is one value of a YAML document with its place: aliases are expanded and merge keys
// applied, so that whoever reads it meets plain trees.
type value struct {
	kind         kind
	line, column int
	text         string  // of a scalar
	tag          string  // of a scalar: !!str, !!int, …
	items        []value // of a list
	entries      []entry // of a mapping, in the order of the file
}

// entry is one key of a mapping.
type entry struct {
	key          string
	line, column int
	value        value
}

// get finds a key; ok is false when it is absent or null.
func (v value) get(key string) (value, bool) {
	for _, e := range v.entries {
		if e.key == key {
			return e.value, e.value.kind != nullKind
		}
	}
	return value{}, false
}

// readDocument reads one YAML document. It reports what is wrong with the file as a whole,
// and gives ok only when there is a tree to go on with.
func readDocument(data []byte, m *mistakes) (value, bool) {
	if !readable(data, m) {
		return value{}, false
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var node yaml.Node
	if err := decoder.Decode(&node); err != nil {
		if errors.Is(err, io.EOF) {
			m.add(Error{Line: 1, Code: Missing, Message: "the file is empty"})
		} else {
			m.add(syntaxError(err, data))
		}
		return value{}, false
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err == nil {
		m.add(Error{Line: second.Line, Column: second.Column, Code: Malformed,
			Message: "a second document begins here", Hint: "keep one document in the file"})
		return value{}, false
	} else if !errors.Is(err, io.EOF) {
		m.add(syntaxError(err, data))
		return value{}, false
	}
	b := builder{mistakes: m, within: map[*yaml.Node]bool{}}
	v := b.build(&node, 0, "")
	return v, !b.stopped
}

// readable refuses files that no parser should see.
func readable(data []byte, m *mistakes) bool {
	if len(data) > maxFileBytes {
		m.add(Error{Code: TooLarge, Message: fmt.Sprintf("the file has %d bytes", len(data)),
			Hint: fmt.Sprintf("at most %d are read", maxFileBytes)})
		return false
	}
	if at := bytes.IndexByte(data, 0); at >= 0 {
		line, column := position(data, at)
		m.add(Error{Line: line, Column: column, Code: Malformed,
			Message: "there is a NUL byte", Hint: "this is not a text file"})
		return false
	}
	if !utf8.Valid(data) {
		line, column := position(data, invalidAt(data))
		m.add(Error{Line: line, Column: column, Code: Malformed,
			Message: "this is not UTF-8", Hint: "save the file as UTF-8"})
		return false
	}
	return true
}

func invalidAt(data []byte) int {
	at := 0
	for at < len(data) {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return at
}

// position gives the line and column, from 1, of a byte offset; columns count characters.
func position(data []byte, at int) (line, column int) {
	before := data[:at]
	line = 1 + bytes.Count(before, []byte("\n"))
	start := bytes.LastIndexByte(before, '\n') + 1
	return line, 1 + utf8.RuneCount(before[start:])
}

// builder makes values of YAML nodes within the bounds.
type builder struct {
	*mistakes
	nodes    int
	expanded int // of the nodes those that aliases brought
	bytes    int
	within   map[*yaml.Node]bool // anchored nodes whose expansion is under way
	stopped  bool
}

func (b *builder) stop(n *yaml.Node, message, hint string) value {
	if !b.stopped {
		b.stopped = true
		b.add(Error{Line: n.Line, Column: n.Column, Code: TooLarge, Message: message, Hint: hint})
	}
	return value{}
}

func (b *builder) build(n *yaml.Node, depth int, path string) value {
	b.nodes++
	b.bytes += len(n.Value)
	if len(b.within) > 0 {
		b.expanded++
	}
	most := maxItems
	if path == "pods" {
		most = maxPods
	}
	switch {
	case b.stopped:
		return value{}
	case b.bytes > maxTextBytes:
		return b.stop(n, fmt.Sprintf("the file grows to more than %d bytes", maxTextBytes),
			"use fewer aliases")
	case n.Kind == yaml.SequenceNode && len(n.Content) > most,
		n.Kind == yaml.MappingNode && len(n.Content) > 2*most:
		return b.stop(n, fmt.Sprintf("there are more than %d items", most), "")
	case depth > maxDepth:
		return b.stop(n, fmt.Sprintf("nested more than %d deep", maxDepth), "")
	case b.nodes > maxNodes+maxExpanded:
		return b.stop(n, fmt.Sprintf("there are more than %d values", maxNodes), "")
	case b.expanded > maxExpanded:
		return b.stop(n, fmt.Sprintf("the file grows to more than %d values", maxExpanded),
			"use fewer aliases")
	}
	v := value{line: n.Line, column: n.Column}
	switch n.Kind {
	case yaml.DocumentNode:
		return b.build(n.Content[0], depth, path)
	case yaml.AliasNode:
		return b.alias(n, depth, path)
	case yaml.SequenceNode:
		v.kind = listKind
		for i, item := range n.Content {
			v.items = append(v.items, b.build(item, depth+1, fmt.Sprintf("%s[%d]", path, i)))
		}
	case yaml.MappingNode:
		v.kind = mapKind
		v.entries = b.entries(n, depth, path)
	default:
		v.kind, v.text, v.tag = scalarKind, n.Value, n.ShortTag()
		if v.tag == "!!null" {
			v.kind, v.text = nullKind, "" // also of null and ~
		}
	}
	return v
}

// alias expands an alias; what it finds there keeps the places of the anchor's text.
func (b *builder) alias(n *yaml.Node, depth int, path string) value {
	if b.within[n.Alias] {
		return b.stop(n, fmt.Sprintf("the anchor %s contains itself", n.Value),
			"move the alias out of what its anchor marks")
	}
	b.within[n.Alias] = true
	v := b.build(n.Alias, depth+1, path)
	delete(b.within, n.Alias)
	return v
}

func (b *builder) entries(n *yaml.Node, depth int, path string) []entry {
	var own, merged []entry
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge" {
			merged = append(merged, b.merge(val, depth, path)...)
			continue
		}
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			b.add(Error{Line: key.Line, Column: key.Column, Path: path, Code: WrongType,
				Message: "a key must be a single value"})
			continue
		}
		name := key.Value
		if line, twice := first[name]; twice {
			b.add(Error{Line: key.Line, Column: key.Column, Path: join(path, name),
				Code: Duplicate, Message: fmt.Sprintf("already said in line %d", line),
				Hint: "remove one of them"})
			continue
		}
		first[name] = key.Line
		b.bytes += len(name)
		own = append(own, entry{key: name, line: key.Line, column: key.Column,
			value: b.build(val, depth+1, join(path, name))})
	}
	for _, e := range merged {
		if _, there := first[e.key]; !there {
			first[e.key] = e.line
			own = append(own, e)
		}
	}
	return own
}

// merge gives the entries that a merge key (<<) brings, of one mapping or of several, of which
// the earlier win.
func (b *builder) merge(n *yaml.Node, depth int, path string) []entry {
	v := b.build(n, depth+1, path)
	sources := []value{v}
	if v.kind == listKind {
		sources = v.items
	}
	var all []entry
	for _, source := range sources {
		if source.kind != mapKind {
			if !b.stopped {
				b.add(Error{Line: n.Line, Column: n.Column, Path: path, Code: WrongType,
					Message: "<< needs a mapping or a list of mappings"})
			}
			continue
		}
		all = append(all, source.entries...)
	}
	return all
}

// join appends a key to a path.
func join(path, key string) string {
	if len(key) > 80 {
		key = strings.ToValidUTF8(key[:80], "") + "…"
	}
	key = strings.Map(printable, key)
	if path == "" {
		return key
	}
	return path + "." + key
}

func printable(r rune) rune {
	if strconv.IsPrint(r) {
		return r
	}
	return '?'
}
