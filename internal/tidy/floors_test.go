package tidy

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// house is the floor of every folder with code. A package imports only lower floors.
var house = map[string]int{
	".":   7,
	"cli": 6, "internal/app": 6,
	"internal/loop": 5, "internal/store/zkstore": 5, "api/server": 5, "api/client": 5,
	"internal/localmesos": 5, "internal/hooks": 5, "internal/commons": 5,
	"internal/kafkaadmin": 5, "internal/flight": 5,
	"internal/mesoshttp": 4, "internal/zk": 4, "internal/store": 4, "internal/brokers": 4,
	"internal/kafkadist": 4, "internal/metrics": 4, "executor/supervise": 4, "api": 4,
	"internal/sandbox": 4,
	"scheduler":        3,
	"plans":            2, "scheduler/offer": 2, "executor": 2, "scheduler/migrate": 2,
	"servicespec": 1, "internal/mesos": 1,
	"internal/resource": 0, "servicespec/placement": 0, "scheduler/rolling": 0, "examples": 0,
	"scheduler/balance":  0,
	"scheduler/ensemble": 0, "scheduler/upgrade": 0,
	"examples/roundtrip": 7,

	"internal/sim": testsOnly, "internal/tidy": testsOnly, "internal/e2e": testsOnly,
	"internal/apiconform": testsOnly, "internal/mesosconform": testsOnly,
	"internal/testbin": testsOnly, "internal/zktest": testsOnly, "internal/faults": testsOnly,
	"internal/mutants": testsOnly,
}

const (
	// pure is the highest floor below the purity line.
	pure = 3
	// testsOnly packages import what they like, and only tests import them.
	testsOnly = 100
)

// isPure reports whether a file is code below the purity line.
func isPure(f *file) bool {
	floor, ok := house[f.dir()]
	return ok && floor <= pure && !f.test && f.syntax != nil
}

// floors checks who imports whom. Tests may import any package that is not for tests of another.
func floors(m *tree) []finding {
	var found []finding
	unknown := make(map[string]bool)
	for _, f := range m.goFiles() {
		own, known := house[f.dir()]
		if !known && !unknown[f.dir()] {
			unknown[f.dir()] = true
			found = append(found, finding{f.dir(), 0, "the package has no floor"})
		}
		if !known || f.test || own == testsOnly {
			continue
		}
		for _, spec := range f.syntax.Imports {
			target, inside := m.folder(importPath(spec))
			floor, listed := house[target]
			switch {
			case !inside || !listed: // a missing package is the compiler's matter
			case floor == testsOnly:
				found = append(found, m.at(f, spec.Pos(), "only tests may import %s", target))
			case floor == own:
				found = append(found, m.at(f, spec.Pos(),
					"%s and %s are siblings on floor %d", f.dir(), target, own))
			case floor > own:
				found = append(found, m.at(f, spec.Pos(),
					"floor %d imports %s of floor %d", own, target, floor))
			}
		}
	}
	return found
}

func importPath(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value
	}
	return p
}

// folder is the folder of a package of this module.
func (m *tree) folder(p string) (string, bool) {
	if p == m.module {
		return ".", true
	}
	return strings.CutPrefix(p, m.module+"/")
}

// impure are packages, with all below them, that reach the world or share memory.
var impure = []string{
	"context", "crypto/rand", "github.com/google/uuid", "golang.org/x/sys", "io/fs", "io/ioutil",
	"log", "math/rand", "net", "os", "plugin", "runtime", "sync", "syscall", "testing", "unsafe",
}

// harmless are packages below impure ones that only compute.
var harmless = []string{"net/netip", "net/url"}

// impureCalls are functions of packages that are otherwise welcome.
var impureCalls = map[string][]string{
	"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer",
		"NewTicker"},
	"fmt":           {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
	"path/filepath": {"Abs", "EvalSymlinks", "Glob", "Walk", "WalkDir"},
}

// purity checks that the core has no clock, chance, goroutine, channel, lock, file, socket,
// logger or context.
func purity(m *tree) []finding {
	var found []finding
	for _, f := range m.goFiles() {
		if !isPure(f) {
			continue
		}
		for _, spec := range f.syntax.Imports {
			if p := importPath(spec); !slices.Contains(harmless, p) &&
				slices.ContainsFunc(impure, func(bad string) bool {
					return p == bad || strings.HasPrefix(p, bad+"/")
				}) {
				found = append(found, m.at(f, spec.Pos(), "pure code imports %s", p))
			}
		}
		imported := importNames(f.syntax)
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if what := impureNode(n, imported); what != "" {
				found = append(found, m.at(f, n.Pos(), "pure code has %s", what))
			}
			return true
		})
	}
	return found
}

// impureNode names what is wrong with a piece of syntax, if anything is.
func impureNode(n ast.Node, imported map[string]string) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "a goroutine"
	case *ast.ChanType:
		return "a channel"
	case *ast.SelectStmt:
		return "a select"
	case *ast.SendStmt:
		return "a send"
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			return "a receive"
		}
	case *ast.SelectorExpr:
		p, name := selected(n, imported)
		if slices.Contains(impureCalls[p], name) {
			return fmt.Sprintf("%s.%s", p, name)
		}
	case *ast.CallExpr:
		if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "print" || id.Name == "println") {
			return id.Name
		}
	}
	return ""
}

// importNames are the paths of a file's imports by the names that they have in it.
func importNames(syntax *ast.File) map[string]string {
	names := make(map[string]string)
	for _, spec := range syntax.Imports {
		p := importPath(spec)
		name := p[strings.LastIndex(p, "/")+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = p
	}
	return names
}

// selected splits package.Name into the path of an imported package and the name.
func selected(e ast.Expr, imported map[string]string) (path, name string) {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	if id, ok := s.X.(*ast.Ident); ok {
		return imported[id.Name], s.Sel.Name
	}
	return "", s.Sel.Name
}
