package tidy

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
)

// nobodyKnows are names of packages that say nothing of what is in them.
var nobodyKnows = []string{"util", "utils", "common", "helper", "helpers", "types", "base", "model",
	"models", "manager", "managers", "misc", "shared"}

// names checks that packages are named after what they are.
func names(m *tree) []finding {
	var found []finding
	for _, f := range m.goFiles() {
		name := strings.TrimSuffix(f.syntax.Name.Name, "_test")
		for _, n := range []string{name, path.Base(f.dir())} {
			if slices.Contains(nobodyKnows, n) {
				found = append(found, m.at(f, f.syntax.Name.Pos(),
					"a package named %s says nothing", n))
			}
		}
	}
	return found
}

// later are the words for what is left undone, in two parts each so that they are not here.
var later = []string{"TO" + "DO", "FIX" + "ME", "XX" + "X"}

var laterWord = regexp.MustCompile(`\b(` + strings.Join(later, "|") + `)\b`)

// words checks that nothing is left undone in comments, and that errors do not say that they are
// errors.
func words(m *tree) []finding {
	var found []finding
	for _, f := range m.goFiles() {
		for _, group := range f.syntax.Comments {
			for _, c := range group.List {
				if word := laterWord.FindString(c.Text); word != "" {
					found = append(found, m.at(f, c.Pos(), "%s in a comment", word))
				}
			}
		}
		imported := importNames(f.syntax)
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			from, name := selected(call.Fun, imported)
			text, ok := call.Args[0].(*ast.BasicLit)
			if ok && text.Kind == token.STRING && strings.Contains(text.Value, "failed to") &&
				(from == "fmt" && name == "Errorf" || from == "errors" && name == "New") {
				found = append(found, m.at(f, text.Pos(), "an error says that something failed"))
			}
			return true
		})
	}
	return found
}

// waits checks that tests neither sleep, except in the time of a synctest bubble, nor skip.
func waits(m *tree) []finding {
	var found []finding
	for _, f := range m.goFiles() {
		if !f.test {
			continue
		}
		imported := importNames(f.syntax)
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			from, name := selected(s, imported)
			if from == "time" && name == "Sleep" && imported["synctest"] == "" {
				found = append(found, m.at(f, s.Pos(), "a test sleeps"))
			}
			if id, ok := s.X.(*ast.Ident); ok && from == "" &&
				slices.Contains([]string{"t", "tb", "b", "f"}, id.Name) &&
				slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, name) {
				found = append(found, m.at(f, s.Pos(), "a test skips"))
			}
			return true
		})
	}
	return found
}

// registries are hosts that packages come from; everybody uses those of their own configuration.
// They are written in two parts so that they are not here.
var registries = []string{
	"repo1." + "maven.org", "repo.maven." + "apache.org", "central." + "sonatype.com",
	"proxy." + "golang.org", "sum." + "golang.org", "goproxy." + "io",
	"registry." + "npmjs.org", "registry." + "yarnpkg.com", "files." + "pythonhosted.org",
	"pypi." + "org", "crates." + "io", "ruby" + "gems.org",
	"docker." + "io", "ghcr." + "io", "quay." + "io", "gcr." + "io", "registry." + "k8s.io",
}

// hosts checks that no registry is named anywhere.
func hosts(m *tree) []finding {
	var found []finding
	var quoted []string
	for _, host := range registries {
		quoted = append(quoted, regexp.QuoteMeta(host))
	}
	named := regexp.MustCompile(`(?i)\b(` + strings.Join(quoted, "|") + `)\b`)
	for _, f := range m.files {
		if !f.isText() || !named.Match(f.data) {
			continue
		}
		for i, line := range f.lines() {
			if host := named.FindString(line); host != "" {
				found = append(found, finding{f.path, i + 1,
					"names the registry " + strings.ToLower(host)})
			}
		}
	}
	return found
}
