package faults

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	rewrite = flag.Bool("rewrite", false, "write the table into docs/reliability.md")
	show    = flag.String("summary", "", "file that gets the table")
)

// list is what goes wrong, by number less one.
var list = []string{
	"a crash before or after any write and any call",
	"an answer of the store is lost: the write may have been taken",
	"the session at ZooKeeper expires in the middle of a launch",
	"the connection to ZooKeeper is lost for less than the session's time-out",
	"ZooKeeper has no majority",
	"a node or a multi above ZooKeeper's bound",
	"state that is damaged, cut off, or of another release",
	"somebody removes or changes a node by hand",
	"the disk is full",
	"a write to the store takes ten seconds",
	"a status update is lost",
	"a status update comes twice",
	"status updates come in another order",
	"a status of a task that is not known, or is an old one",
	"an acknowledgement is lost, and the agent sends again",
	"an offer is rescinded before or after its ACCEPT is sent",
	"an ACCEPT of an offer that is no more",
	"the master fails over between an ACCEPT and what comes of it",
	"two masters that redirect to each other",
	"heartbeats stop",
	"the stream is cut in the middle of a record, or holds garbage",
	"another instance has subscribed: \"Framework failed over\"",
	"the framework was removed, or its failover timeout has passed",
	"an agent is cut off and returns, is gone, reboots under a new id, or is drained",
	"a reservation or a volume vanishes, appears twice, or is an orphan of a crash",
	"some operations of one ACCEPT fail",
	"the answer to a reconciliation is missing for one task",
	"two schedulers: a leader that was paused wakes up",
	"the clock jumps",
	"SIGTERM in the middle of a plan",
	"the configuration changes in the middle of a deployment, or while an agent is cut off",
	"a version is rolled back",
	"the kernel kills for lack of memory",
	"goroutines leak, a consumer is slow",
	"a storm of API calls during a recovery",
	"a broker never comes back into the ISR",
	"a second broker dies in the middle of a roll",
	"the controller moves in the middle of a roll",
	"a reassignment is under way",
	"the admin API answers with what was",
	"all of a rack is lost",
	"min ISR is raised in the middle of a roll",
	"a log directory goes offline",
	"an unclean stop, and a log recovery that takes long",
}

var number = regexp.MustCompile(`\bF([1-9][0-9]?)\b`)

// named are the tests that name each fault, by its number.
type named map[int][]string

// note adds a test under the faults that its comment names.
func (n named) note(test, comment string) {
	for _, match := range number.FindAllStringSubmatch(comment, -1) {
		fault, _ := strconv.Atoi(match[1])
		if !slices.Contains(n[fault], test) {
			n[fault] = append(n[fault], test)
		}
	}
}

// find reads the tests of the module.
func find(root string) (named, error) {
	found := named{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root:
			return filepath.SkipDir
		case strings.HasSuffix(path, "_test.go"):
			return found.goTests(root, path)
		case strings.Contains(path, "testdata") && strings.HasSuffix(path, ".txt"):
			return found.story(root, path)
		}
		return nil
	})
	return found, err
}

func (n named) goTests(root, path string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		return err
	}
	folder, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil {
		return err
	}
	for _, d := range file.Decls {
		if f, is := d.(*ast.FuncDecl); is && f.Recv == nil &&
			strings.HasPrefix(f.Name.Name, "Test") {
			n.note(filepath.ToSlash(folder)+" "+f.Name.Name, f.Doc.Text())
		}
	}
	return nil
}

// story reads the comment that a text begins with.
func (n named) story(root, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var comment strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			break
		}
		comment.WriteString(line)
	}
	rel, err := filepath.Rel(root, path)
	n.note(filepath.ToSlash(rel), comment.String())
	return err
}

// table is the list with its tests.
func (n named) table() string {
	var b strings.Builder
	b.WriteString("| | fault | tests that name it |\n|---|---|---|\n")
	for i, what := range list {
		slices.Sort(n[i+1])
		fmt.Fprintf(&b, "| F%d | %s | %s |\n", i+1, what, strings.Join(n[i+1], "<br>"))
	}
	return b.String()
}

const (
	begin = "<!-- begin faults: written by go test ./internal/faults -rewrite -->\n"
	end   = "<!-- end faults -->\n"
)

// TestFaults demands a test of each fault, and that the document has the table of them.
func TestFaults(t *testing.T) {
	found, err := find("../..")
	if err != nil {
		t.Fatal(err)
	}
	tested := 0
	for i, what := range list {
		if len(found[i+1]) == 0 {
			t.Errorf("no test names F%d: %s", i+1, what)
			continue
		}
		tested++
	}
	for fault := range found {
		if fault > len(list) {
			t.Errorf("there is no F%d, which %v name", fault, found[fault])
		}
	}
	table := found.table()
	if *show != "" {
		text := fmt.Sprintf("%s\nfaults=%d tested=%d\n", table, len(list), tested)
		if err := os.WriteFile(*show, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const path = "../../docs/reliability.md"
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := bytes.Cut(doc, []byte(begin))
	old, after, is := bytes.Cut(rest, []byte(end))
	if !is {
		t.Fatalf("%s has no place for the table", path)
	}
	if *rewrite {
		whole := string(before) + begin + "\n" + table + "\n" + end + string(after)
		if err := os.WriteFile(path, []byte(whole), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if strings.TrimSpace(string(old)) != strings.TrimSpace(table) {
		t.Errorf("the table in %s is not up to date: go test ./internal/faults -rewrite", path)
	}
}
