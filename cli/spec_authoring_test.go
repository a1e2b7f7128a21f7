package cli

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/rogpeppe/go-internal/txtar"
)

var rewrite = flag.Bool("rewrite", false, "write the generated parts of docs/authoring.md anew")

const authoringPage = "../docs/authoring.md"

// TestAuthoringDoc holds the generated parts of the page against the table of keys and the
// script of mistakes: a key that the parser knows and the page lacks fails it.
func TestAuthoringDoc(t *testing.T) {
	data, err := os.ReadFile(authoringPage)
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	want := page
	for name, text := range map[string]string{
		"keys": keysChapter(), "mistakes": mistakesChapter(t), "options": optionsTable(),
	} {
		want = replaceRegion(t, want, "AuthoringDoc", name, text)
	}
	if *rewrite && want != page {
		if err := os.WriteFile(authoringPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		page = want
	}
	if diff := cmp.Diff(want, page); diff != "" {
		t.Errorf("docs/authoring.md is old; go test ./cli -run AuthoringDoc -rewrite makes it new "+
			"(-want +page):\n%s", diff)
	}
	for _, k := range servicespec.Keys() {
		parent, key := parentOf(k.Path)
		if !strings.Contains(page, placeName(parent)) || !strings.Contains(page, "| `"+key+"` |") {
			t.Errorf("the page lacks %s", k.Path)
		}
	}
}

// replaceRegion puts text between the marks of a region, which a test writes.
func replaceRegion(t *testing.T, page, test, name, text string) string {
	t.Helper()
	begin := fmt.Sprintf("<!-- begin %s: written by go test ./cli -run %s -rewrite -->\n", name,
		test)
	end := fmt.Sprintf("<!-- end %s -->", name)
	head, rest, ok := strings.Cut(page, begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("the page has no region %s", name)
	}
	return head + begin + "\n" + text + "\n" + end + tail
}

func parentOf(path string) (parent, key string) {
	at := strings.LastIndex(path, ".")
	if at < 0 {
		return "", path
	}
	return path[:at], path[at+1:]
}

func placeName(parent string) string {
	if parent == "" {
		return "top level"
	}
	return "`" + parent + "`"
}

// optionsTable prints the variables of the options.
func optionsTable() string {
	var b strings.Builder
	b.WriteString("| variable | option | default | what it is |\n|---|---|---|---|\n")
	for _, o := range servicespec.KnownOptions() {
		def := "–"
		if o.Default != "" {
			def = "`" + o.Default + "`"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", o.Variable, o.Name, def, o.Help)
	}
	return b.String()
}

// keysChapter prints a table for each mapping of the language; mappings with the same keys share
// one.
func keysChapter() string {
	type section struct {
		places []string
		table  string
	}
	var sections []*section
	byTable := map[string]*section{}
	var visit func(n *keyNode)
	visit = func(n *keyNode) {
		var rows []string
		for _, c := range n.children {
			if c.key != nil {
				rows = append(rows, keyRow(*c.key, c.segment))
			}
		}
		if table := strings.Join(rows, ""); table != "" {
			s := byTable[table]
			if s == nil {
				s = &section{table: table}
				byTable[table] = s
				sections = append(sections, s)
			}
			s.places = append(s.places, n.path)
		}
		for _, c := range n.children {
			visit(c)
		}
	}
	visit(knownKeys())
	var b strings.Builder
	for i, s := range sections {
		if i > 0 {
			b.WriteString("\n")
		}
		heading := "The top level"
		if s.places[0] != "" {
			heading = "`" + s.places[0] + "`"
		}
		fmt.Fprintf(&b, "### %s\n\n", heading)
		if len(s.places) > 1 {
			fmt.Fprintf(&b, "The same keys stand in `%s`.\n\n", strings.Join(s.places[1:], "`, `"))
		}
		b.WriteString("| key | type | default | meaning | example |\n|---|---|---|---|---|\n" +
			s.table)
	}
	return b.String()
}

// keyRow prints one key.
func keyRow(k servicespec.Key, name string) string {
	kind := k.Type
	if len(k.Values) > 0 {
		kind += ": `" + strings.Join(k.Values, "`, `") + "`"
	}
	def := k.Default
	switch {
	case k.Required:
		def = "**required**"
	case def == "":
		def = "–"
	case !strings.Contains(def, " "):
		def = "`" + def + "`"
	}
	meaning := k.Meaning
	if !k.Supported {
		meaning += " *Checked; not run by this release.*"
	}
	cells := []string{"`" + name + "`", kind, def, meaning, "`" + k.Example + "`"}
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(c, "|", `\|`)
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}

var mistakeTitle = regexp.MustCompile(
	`(?m)^# ([0-9]+\. .*)\ncode 1 kafka-sched spec validate (\S+)\.yml$`)

// mistakesChapter prints the numbered mistakes of the script, each with its file and messages.
func mistakesChapter(t *testing.T) string {
	t.Helper()
	script, err := txtar.ParseFile("testdata/spec-mistakes.txtar")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range script.Files {
		files[f.Name] = string(f.Data)
	}
	found := mistakeTitle.FindAllStringSubmatch(string(script.Comment), -1)
	if len(found) < 10 {
		t.Fatalf("only %d mistakes were found in the script", len(found))
	}
	var parts []string
	for _, m := range found {
		yml, txt := files[m[2]+".yml"], files[m[2]+".txt"]
		if yml == "" || txt == "" {
			t.Fatalf("the script has no files of %s", m[2])
		}
		parts = append(parts, fmt.Sprintf("%s\n\n```yaml\n%s```\n\n```text\n%s```\n", m[1], yml,
			txt))
	}
	return strings.Join(parts, "\n")
}

var yamlBlock = regexp.MustCompile("(?ms)^```yaml\n((?:name|placement):.*?)^```$")

// TestAuthoringExamples loads every whole spec and every placement of the hand-written part of
// the page.
func TestAuthoringExamples(t *testing.T) {
	data, err := os.ReadFile(authoringPage)
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(data), "<!-- begin mistakes")
	blocks := yamlBlock.FindAllStringSubmatch(text, -1)
	if len(blocks) < 4 {
		t.Fatalf("only %d specs were found", len(blocks))
	}
	vars := map[string]string{"SERVICE": "web", "COUNT": "2", "WITH_BACKUP": "true"}
	for _, b := range blocks {
		spec := b[1]
		if indented, ok := strings.CutPrefix(spec, "placement:"); ok {
			spec = "name: web\npods:\n  web:\n    count: 1\n    tasks:\n      a: " +
				"{kind: job, cmd: a, cpus: 1, memory: 32}\n    placement:" +
				strings.ReplaceAll(indented, "\n", "\n    ")
		}
		_, errs := servicespec.LoadSpec("example", []byte(spec), vars, nil)
		if len(errs) > 0 {
			t.Errorf("%v\n%s", errs, spec)
		}
	}
}
