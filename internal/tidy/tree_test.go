package tidy

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// tree is a module's files.
type tree struct {
	root   string // as a path of this system
	module string // the module's path
	set    *token.FileSet
	files  []*file // by path
}

// file is one of them. A Go file has its syntax, unless it is generated or test data.
type file struct {
	path   string // slashed, below the root
	data   []byte
	syntax *ast.File
	test   bool
}

func (f *file) dir() string { return path.Dir(f.path) }

// at is a finding in a Go file.
func (m *tree) at(f *file, p token.Pos, format string, args ...any) finding {
	return finding{f.path, m.set.Position(p).Line, fmt.Sprintf(format, args...)}
}

// goFiles are the Go files that people wrote.
func (m *tree) goFiles() []*file {
	var list []*file
	for _, f := range m.files {
		if f.syntax != nil {
			list = append(list, f)
		}
	}
	return list
}

var moduleLine = regexp.MustCompile(`(?m)^module\s+(\S+)`)

// grow reads a module.
func grow(root string) (*tree, error) {
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return nil, err
	}
	found := moduleLine.FindSubmatch(mod)
	if found == nil {
		return nil, fmt.Errorf("%s/go.mod names no module", root)
	}
	m := &tree{root: root, module: string(found[1]), set: token.NewFileSet()}
	paths, err := list(root)
	if err != nil {
		return nil, err
	}
	for _, p := range paths {
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(p)))
		if err != nil {
			return nil, err
		}
		f := &file{path: p, data: data, test: strings.HasSuffix(p, "_test.go")}
		if strings.HasSuffix(p, ".go") && !inTestdata(p) {
			mode := parser.ParseComments | parser.SkipObjectResolution
			syntax, err := parser.ParseFile(m.set, p, data, mode)
			if err != nil {
				return nil, err
			}
			if !ast.IsGenerated(syntax) {
				f.syntax = syntax
			}
		}
		m.files = append(m.files, f)
	}
	return m, nil
}

func inTestdata(p string) bool { return slices.Contains(strings.Split(p, "/"), "testdata") }

// list returns the paths of all files that are committed, or would be. It walks the folders even
// where git knows the files, because go test notices a new file only in a folder that the
// test has read, and would otherwise repeat the result of before.
func list(root string) ([]string, error) {
	known, isRepository := tracked(root)
	var paths []string
	err := filepath.WalkDir(root, func(p string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		below = filepath.ToSlash(below)
		switch {
		case below == ".git" || below == "bin":
			if entry.IsDir() {
				return fs.SkipDir
			}
		case entry.Type().IsRegular() && (known[below] || !isRepository && !product(below)):
			paths = append(paths, below)
		}
		return nil
	})
	return paths, err
}

// tracked are the files that git knows or would add, if it can be asked.
func tracked(root string) (known map[string]bool, ok bool) {
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		return nil, false
	}
	git := exec.Command("git", "-C", root, "ls-files", "-z", "--cached", "--others",
		"--exclude-standard")
	out, err := git.Output()
	if err != nil {
		return nil, false
	}
	known = make(map[string]bool)
	for p := range strings.SplitSeq(string(out), "\x00") {
		known[p] = true
	}
	return known, true
}

// product reports whether a file is one that building and testing leave behind.
func product(p string) bool {
	return p == "coverage.out" || strings.HasSuffix(p, ".test") || strings.HasSuffix(p, ".prof")
}

// isText tells source and documents from archives and recordings of bytes.
func (f *file) isText() bool { return !bytes.Contains(f.data, []byte{0}) }

// lines are the lines of a file, without their ends.
func (f *file) lines() []string {
	return strings.Split(strings.TrimSuffix(string(f.data), "\n"), "\n")
}
