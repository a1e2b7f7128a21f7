package mutants

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mutation is a bug that is planted: in a file, a text that stands there once is replaced.
type mutation struct{ file, old, new, breaks string }

// root is the folder of the module.
const root = "../.."

func all() []mutation { return slices.Concat(machine, verdicts, guards, office) }

// mutated gives the file of a mutation with the bug in it.
func (m mutation) mutated(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), m.old); n != 1 {
		t.Errorf("%s (%s): the text stands there %d times, not once:\n%s", m.file, m.breaks, n,
			m.old)
	}
	return strings.Replace(string(text), m.old, m.new, 1)
}

// TestList holds the list to the code: each text that is to be replaced is still there.
func TestList(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range all() {
		if m.old == m.new || seen[m.breaks] {
			t.Errorf("%s: %q changes nothing, or stands in the list already", m.file, m.breaks)
		}
		seen[m.breaks] = true
		m.mutated(t)
	}
}

// survivors are the planted bugs that nothing finds, with the reason.
var survivors = map[string]string{}
