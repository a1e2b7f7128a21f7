package servicespec

import (
	"slices"
	"strings"
)

// Key is one key of the language: what a spec may say, for explanations, schemas and pages.
type Key struct {
	// Path leads to the key: "pods.<name>.tasks.<name>.cpus", "…ports.<name>.ranges[].begin".
	Path string
	// Type is string, integer, number, boolean, mapping, names (a mapping from names to
	// mappings, whose keys have Path.<name>.…), strings (from names to text), "list of string",
	// "list of integer", "list of mapping" (whose keys have Path[].…), or some of these
	// joined by "or".
	Type string
	// Default is what holds without the key; "" is nothing.
	Default string
	// Required says that a mapping without the key is refused.
	Required bool
	// Values are the words that are allowed, when they are few.
	Values []string
	// Meaning is a sentence, Example a value in YAML, Since the first release with the key.
	Meaning, Example, Since string
	// Supported is false for keys that are parsed and checked by ParseSpec, and that the
	// scheduler of this release refuses to run.
	Supported bool
}

// Keys lists all keys of the language, sorted by path. The parser takes its lists of known
// keys from the same table.
func Keys() []Key {
	var keys []Key
	for _, g := range allGroups() {
		for _, prefix := range g.prefixes {
			for _, r := range g.rows {
				keys = append(keys, r.key(prefix))
			}
		}
	}
	slices.SortFunc(keys, func(a, b Key) int { return strings.Compare(a.Path, b.Path) })
	return keys
}

// group is the table of the keys of one mapping, which may stand at several places.
type group struct {
	prefixes []string
	rows     []row
}

// row is one key without its place.
type row struct {
	name, kind, def, values string // values are separated by blanks
	flags                   rowFlags
	meaning, example        string
}

type rowFlags int

const (
	must  rowFlags = 1 << iota // the key is required
	later                      // only ParseSpec reads it
)

// release is the first release, which has all keys of today.
const release = "0.1.0"

func (r row) key(prefix string) Key {
	path := r.name
	if prefix != "" {
		path = prefix + "." + r.name
	}
	return Key{Path: path, Type: r.kind, Default: r.def, Required: r.flags&must != 0,
		Values: strings.Fields(r.values), Meaning: r.meaning, Example: r.example,
		Since: release, Supported: r.flags&later == 0}
}

func allGroups() []group { return slices.Concat(rootGroups, podGroups, taskGroups) }

// goneKeys are keys that the predecessor ignored, by the path of their mapping.
var goneKeys = map[string]map[string]string{
	podPath: {"container": "say what is in it for the pod itself"},
}

// languageOf gives the keys of the mapping at a path, in the order of the table.
func languageOf(path string) language {
	l := language{gone: goneKeys[path]}
	for _, g := range allGroups() {
		if !slices.Contains(g.prefixes, path) {
			continue
		}
		for _, r := range g.rows {
			if r.flags&later != 0 {
				l.later = append(l.later, r.name)
			} else {
				l.keys = append(l.keys, r.name)
			}
		}
	}
	return l
}
