package tidy

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"

	diff "github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// rule is one thing to check.
type rule struct {
	name  string
	check func(*tree) []finding
}

// rules are all of them. Each has a planted module of its name.
var rules = []rule{
	{"floors", floors},
	{"purity", purity},
	{"maps", maps},
	{"sizes", sizes},
	{"gofmt", formatted},
	{"packagedocs", packageDocs},
	{"exporteddocs", exportedDocs},
	{"names", names},
	{"words", words},
	{"waits", waits},
	{"hosts", hosts},
	{"links", links},
	{"decisions", decisions},
}

// finding is one place where a rule is broken. Line 0 means the whole file or folder.
type finding struct {
	path string
	line int
	text string
}

func (f finding) String() string {
	if f.line == 0 {
		return f.path + ": " + f.text
	}
	return fmt.Sprintf("%s:%d: %s", f.path, f.line, f.text)
}

// sorted are findings in the order of the places, each once.
func sorted(findings []finding) []finding {
	slices.SortFunc(findings, func(a, b finding) int {
		return cmp.Or(strings.Compare(a.path, b.path), a.line-b.line,
			strings.Compare(a.text, b.text))
	})
	return slices.Compact(findings)
}

// TestModule checks this module, or the one in TIDY_ROOT.
func TestModule(t *testing.T) {
	root := os.Getenv("TIDY_ROOT")
	if root == "" {
		root = "../.."
	}
	m, err := grow(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.files) == 0 {
		t.Fatal("there are no files to check")
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, f := range sorted(r.check(m)) {
				t.Error(f)
			}
		})
	}
}

// TestPlanted checks that every rule finds what is planted for it, and nothing else. A planted
// module is a txtar file that is a template: host, repeat and comment write what this source
// must not contain itself. Its comment lists the findings.
func TestPlanted(t *testing.T) {
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			root, want := plant(t, r.name)
			m, err := grow(root)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range sorted(r.check(m)) {
				got = append(got, f.String())
			}
			if d := diff.Diff(want, got); d != "" {
				t.Errorf("the findings differ (-want +got):\n%s", d)
			}
		})
	}
}

// plant writes a planted module to a folder and returns it with the findings to expect.
func plant(t *testing.T, name string) (root string, want []string) {
	t.Helper()
	path := filepath.Join("testdata", "planted", name+".txtar")
	text, err := template.New(name+".txtar").Delims("<<", ">>").Funcs(template.FuncMap{
		"host":   func() string { return registries[0] },
		"later":  func() string { return later[0] },
		"repeat": func(n int, s string) string { return strings.Repeat(s, n) },
	}).ParseFiles(path)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := text.Execute(&b, nil); err != nil {
		t.Fatal(err)
	}
	root = t.TempDir()
	archive := txtar.Parse([]byte(b.String()))
	for line := range strings.Lines(string(archive.Comment)) {
		if line = strings.TrimSpace(line); line != "" {
			want = append(want, line)
		}
	}
	for _, f := range archive.Files {
		file := filepath.Join(root, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if len(want) == 0 {
		t.Fatalf("%s lists no finding", path)
	}
	return root, want
}
