package tidy

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// maps checks that nothing below the purity line depends on the order in which a map is walked.
// A loop over a map may fill, change or empty maps, and collect elements that the same function
// sorts. The iterators of package maps may be sorted or collected into a map at once. All
// else needs a line "//tidy:unordered" with the reason why the order does not matter.
func maps(m *tree) []finding {
	packages := make(map[string][]*file)
	for _, f := range m.goFiles() {
		if isPure(f) {
			packages[f.dir()] = append(packages[f.dir()], f)
		}
	}
	if len(packages) == 0 {
		return nil
	}
	compiled, err := exportData(m, packages)
	if err != nil {
		return []finding{{".", 0, err.Error()}}
	}
	var found []finding
	for dir, files := range packages {
		info := types.Info{Types: make(map[ast.Expr]types.TypeAndValue)}
		conf := types.Config{Importer: compiled}
		var syntax []*ast.File
		for _, f := range files {
			syntax = append(syntax, f.syntax)
		}
		if _, err := conf.Check(m.module+"/"+dir, m.set, syntax, &info); err != nil {
			found = append(found, finding{dir, 0, err.Error()})
			continue
		}
		for _, f := range files {
			w := &walker{tree: m, file: f, info: &info, imported: importNames(f.syntax)}
			found = append(found, w.walk()...)
		}
	}
	return found
}

// exportData returns an importer of what the compiler made of all imports.
func exportData(m *tree, packages map[string][]*file) (types.Importer, error) {
	args := []string{"list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}"}
	for dir := range packages {
		args = append(args, "./"+dir)
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = m.root
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil, fmt.Errorf("go list: %s", bytes.TrimSpace(exit.Stderr))
		}
		return nil, err
	}
	files := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		files[path] = file
	}
	open := func(path string) (io.ReadCloser, error) {
		if files[path] == "" {
			return nil, fmt.Errorf("%s was not compiled", path)
		}
		return os.Open(files[path])
	}
	return importer.ForCompiler(m.set, "gc", open), nil
}

// walker looks at one file.
type walker struct {
	*tree
	file     *file
	info     *types.Info
	imported map[string]string
	// reasons are the lines with a marker; used says which of them were needed.
	reasons map[int]bool
	used    map[int]bool
	found   []finding
}

var marker = regexp.MustCompile(`^//tidy:unordered( \S.*)?$`)

func (w *walker) walk() []finding {
	w.reasons, w.used = make(map[int]bool), make(map[int]bool)
	for _, group := range w.file.syntax.Comments {
		for _, c := range group.List {
			if match := marker.FindStringSubmatch(c.Text); match != nil && match[1] != "" {
				w.reasons[w.set.Position(c.Pos()).Line] = true
			} else if strings.HasPrefix(c.Text, "//tidy:") {
				w.report(c.Pos(), "the marker has no reason")
			}
		}
	}
	for _, d := range w.file.syntax.Decls {
		w.declaration(d)
	}
	for line := range w.reasons {
		if !w.used[line] {
			w.found = append(w.found, finding{w.file.path, line, "the marker marks nothing"})
		}
	}
	return w.found
}

func (w *walker) report(p token.Pos, text string) {
	w.found = append(w.found, w.at(w.file, p, "%s", text))
}

// excused reports whether a marker is on the line, or on the line before.
func (w *walker) excused(p token.Pos) bool {
	line := w.set.Position(p).Line
	for _, l := range []int{line, line - 1} {
		if w.reasons[l] {
			w.used[l] = true
			return true
		}
	}
	return false
}

// declaration looks at a function, or at the functions in a variable.
func (w *walker) declaration(d ast.Decl) {
	wrapped := make(map[ast.Expr]bool) // the iterators that are made orderly at once
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.RangeStmt:
			if w.isMap(n.X) && !w.orderly(n.Body.List, n, d) && !w.excused(n.Pos()) {
				w.report(n.Pos(), "the loop depends on the order of a map")
			}
		case *ast.CallExpr:
			path, name := selected(n.Fun, w.imported)
			if absorbs(path, name) {
				for _, arg := range n.Args {
					wrapped[arg] = true
				}
			}
			if path == "maps" && (name == "Keys" || name == "Values" || name == "All") &&
				!wrapped[n] && !w.excused(n.Pos()) {
				w.report(n.Pos(), "the iterator has the order of a map")
			}
		}
		return true
	})
}

// absorbs reports whether a function does away with the order of an iterator.
func absorbs(path, name string) bool {
	switch path {
	case "slices":
		return slices.Contains([]string{"Sorted", "SortedFunc", "SortedStableFunc"}, name)
	case "maps":
		return name == "Collect" || name == "Insert"
	}
	return false
}

func (w *walker) isMap(e ast.Expr) bool {
	t := w.info.Types[e].Type
	if t == nil {
		return false
	}
	_, ok := t.Underlying().(*types.Map)
	return ok
}

// orderly reports whether statements in a loop have the same effect in any order.
func (w *walker) orderly(body []ast.Stmt, loop *ast.RangeStmt, d ast.Decl) bool {
	for _, s := range body {
		if !w.orderlyOne(s, loop, d) {
			return false
		}
	}
	return true
}

func (w *walker) orderlyOne(s ast.Stmt, loop *ast.RangeStmt, d ast.Decl) bool {
	switch s := s.(type) {
	case *ast.AssignStmt:
		return w.orderlyAssign(s, loop, d)
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		return ok && isCall(call, "delete")
	case *ast.IncDecStmt:
		index, ok := s.X.(*ast.IndexExpr)
		return ok && w.isMap(index.X)
	case *ast.BranchStmt:
		return s.Tok == token.CONTINUE
	case *ast.BlockStmt:
		return w.orderly(s.List, loop, d)
	case *ast.RangeStmt:
		return w.orderly(s.Body.List, loop, d)
	case *ast.IfStmt:
		return w.orderly(s.Body.List, loop, d) && (s.Else == nil || w.orderlyOne(s.Else, loop, d))
	}
	return false
}

// orderlyAssign accepts new variables, elements of maps, and collecting what is sorted later.
func (w *walker) orderlyAssign(s *ast.AssignStmt, loop *ast.RangeStmt, d ast.Decl) bool {
	if s.Tok == token.DEFINE {
		return true
	}
	for i, left := range s.Lhs {
		var appended ast.Expr // the slice that the right side appends to, if it does
		if len(s.Rhs) == len(s.Lhs) {
			if call, ok := s.Rhs[i].(*ast.CallExpr); ok && isCall(call, "append") {
				appended = call.Args[0]
			}
		}
		index, ok := left.(*ast.IndexExpr)
		element := ok && w.isMap(index.X)
		switch {
		case appended != nil && same(appended, left):
			if element || !sortedAfter(left, loop, d) {
				return false
			}
		case !element:
			return false
		}
	}
	return true
}

func same(a, b ast.Expr) bool { return types.ExprString(a) == types.ExprString(b) }

func isCall(call *ast.CallExpr, name string) bool {
	id, ok := call.Fun.(*ast.Ident)
	return ok && id.Name == name
}

// sortedAfter reports whether a function whose name begins with sort gets the slice after
// the loop.
func sortedAfter(slice ast.Expr, loop *ast.RangeStmt, d ast.Decl) bool {
	sorts := false
	ast.Inspect(d, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || call.Pos() < loop.End() || len(call.Args) == 0 {
			return true
		}
		var name string
		switch fun := call.Fun.(type) {
		case *ast.Ident:
			name = fun.Name
		case *ast.SelectorExpr:
			name = types.ExprString(fun)
		}
		sorting := strings.HasPrefix(name, "sort") || strings.HasPrefix(name, "slices.Sort")
		if sorting && same(call.Args[0], slice) {
			sorts = true
		}
		return true
	})
	return sorts
}
