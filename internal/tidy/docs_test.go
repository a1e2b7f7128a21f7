package tidy

import (
	"fmt"
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// packageDocs checks that every package with code begins with an essay in doc.go.
func packageDocs(m *tree) []finding {
	var found []finding
	documented := make(map[string]bool)
	var dirs []string
	for _, f := range m.goFiles() {
		if f.test || f.syntax.Name.Name == "main" {
			continue
		}
		if !slices.Contains(dirs, f.dir()) {
			dirs = append(dirs, f.dir())
		}
		if f.syntax.Doc == nil {
			continue
		}
		if path.Base(f.path) != "doc.go" {
			found = append(found, m.at(f, f.syntax.Pos(), "the package is described here, "+
				"not in doc.go"))
			continue
		}
		documented[f.dir()] = true
		if want := "Package " + f.syntax.Name.Name + " "; !strings.HasPrefix(
			f.syntax.Doc.Text(), want) {
			found = append(found, m.at(f, f.syntax.Doc.Pos(), "the essay does not begin with %q",
				want))
		}
	}
	for _, dir := range dirs {
		if !documented[dir] {
			found = append(found, finding{dir, 0, "the package has no doc.go that describes it"})
		}
	}
	return found
}

// customary are methods whose meaning is known to every reader of Go.
var customary = []string{"Error", "String", "Unwrap", "Is", "As", "Len", "Less", "Swap",
	"MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText", "UnmarshalYAML", "MarshalYAML"}

// exportedDocs checks that what other packages see is described.
func exportedDocs(m *tree) []finding {
	var found []finding
	for _, f := range m.goFiles() {
		if f.test || f.syntax.Name.Name == "main" {
			continue
		}
		for _, d := range f.syntax.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Doc == nil && seen(d) {
					found = append(found, m.at(f, d.Pos(), "%s has no comment", d.Name.Name))
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if id := undescribed(d, spec); id != nil {
						found = append(found, m.at(f, id.Pos(), "%s has no comment", id.Name))
					}
				}
			}
		}
	}
	return found
}

// seen reports whether a function is one that other packages use by its name.
func seen(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return d.Name.IsExported()
	}
	if slices.Contains(customary, d.Name.Name) {
		return false
	}
	receiver := d.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	switch generic := receiver.(type) {
	case *ast.IndexExpr:
		receiver = generic.X
	case *ast.IndexListExpr:
		receiver = generic.X
	}
	id, ok := receiver.(*ast.Ident)
	return ok && id.IsExported() && d.Name.IsExported()
}

// undescribed is the first exported name of a declaration that has no comment. The comment of a
// group is good for its constants and variables, not for its types.
func undescribed(d *ast.GenDecl, spec ast.Spec) *ast.Ident {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		grouped := d.Lparen.IsValid()
		if spec.Name.IsExported() && spec.Doc == nil && spec.Comment == nil &&
			(grouped || d.Doc == nil) {
			return spec.Name
		}
	case *ast.ValueSpec:
		if d.Doc != nil || spec.Doc != nil || spec.Comment != nil {
			return nil
		}
		for _, id := range spec.Names {
			if id.IsExported() {
				return id
			}
		}
	}
	return nil
}

var (
	fence      = regexp.MustCompile("(?ms)^ *(```|~~~).*?^ *(```|~~~) *$")
	inlineCode = regexp.MustCompile("`[^`\n]*`")
	link       = regexp.MustCompile(`\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)`)
	reference  = regexp.MustCompile(`(?m)^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)`)
	heading    = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *#*$`)
	scheme     = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*:`)
)

// links checks that what Markdown refers to in this tree is there.
func links(m *tree) []finding {
	var found []finding
	for _, f := range m.files {
		if path.Ext(f.path) != ".md" || inTestdata(f.path) {
			continue
		}
		text := inlineCode.ReplaceAllStringFunc(fence.ReplaceAllStringFunc(string(f.data),
			blank), blank)
		for _, form := range []*regexp.Regexp{link, reference} {
			for _, at := range form.FindAllStringSubmatchIndex(text, -1) {
				target := text[at[2]:at[3]]
				if problem := m.unresolved(f, target); problem != "" {
					line := 1 + strings.Count(text[:at[2]], "\n")
					found = append(found, finding{f.path, line, problem})
				}
			}
		}
	}
	return found
}

// blank keeps only the ends of lines.
func blank(s string) string { return strings.Repeat("\n", strings.Count(s, "\n")) }

// unresolved says what is wrong with a link.
func (m *tree) unresolved(f *file, target string) string {
	if scheme.MatchString(target) || strings.HasPrefix(target, "//") {
		return ""
	}
	name, anchor, _ := strings.Cut(target, "#")
	p := f.path
	if name != "" {
		p = path.Join(f.dir(), name)
	}
	if strings.HasPrefix(name, "/") || strings.HasPrefix(p, "../") {
		return fmt.Sprintf("the link %s leaves the tree", target)
	}
	if _, err := os.Stat(filepath.Join(m.root, filepath.FromSlash(p))); err != nil {
		return fmt.Sprintf("the link %s leads nowhere", target)
	}
	if anchor == "" || path.Ext(p) != ".md" {
		return ""
	}
	for _, other := range m.files {
		if other.path == p && !slices.Contains(anchors(string(other.data)), anchor) {
			return fmt.Sprintf("the link %s names no heading", target)
		}
	}
	return ""
}

// anchors are the names that a page's headings can be linked by.
func anchors(text string) []string {
	var list []string
	times := make(map[string]int)
	for _, h := range heading.FindAllStringSubmatch(fence.ReplaceAllStringFunc(text, blank), -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, h[1])
		if same := times[name]; same > 0 {
			list = append(list, fmt.Sprintf("%s-%d", name, same))
		}
		times[name]++
		list = append(list, name)
	}
	return list
}

var decision = regexp.MustCompile(`^([0-9]{4})-[a-z0-9]+(-[a-z0-9]+)*\.md$`)

// decisions checks that docs/decisions is numbered from 0001 without holes and repetitions.
func decisions(m *tree) []finding {
	var found []finding
	next := 1
	for _, f := range m.files {
		if f.dir() != "docs/decisions" || path.Base(f.path) == "README.md" {
			continue
		}
		match := decision.FindStringSubmatch(path.Base(f.path))
		if match == nil {
			found = append(found, finding{f.path, 0, "the name is not of the form 0001-title.md"})
			continue
		}
		if want := fmt.Sprintf("%04d", next); match[1] != want {
			found = append(found, finding{f.path, 0, "the next number is " + want})
			_, _ = fmt.Sscanf(match[1], "%d", &next)
		}
		next++
	}
	return found
}
