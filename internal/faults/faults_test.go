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

// catalogue is a list of things by number, of which each has to have a test that names it.
type catalogue struct {
	letter, what string   // "F" and "fault"
	list         []string // by number less one
}

// catalogues are all there are.
var catalogues = []catalogue{
	{"C", "complaint", complaints}, {"F", "fault", faults},
}

// faults are what goes wrong.
var faults = []string{
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

// complaints are what users of other operators of Kafka complain about most.
var complaints = []string{
	"a roll gives up, or loops, instead of waiting for the ISR",
	"topics with one replica, or as many as their minimum, block a roll or are broken by it",
	"one restart at a time takes hours on a large cluster",
	"the next broker goes before the one before has caught up",
	"restart loops while logs are recovered; too short a time to end",
	"controllers cannot be scaled or moved",
	"an upgrade is stuck, or surprises with what cannot be undone",
	"the migration from ZooKeeper is stuck in the middle",
	"a change of certificates rolls again and again, or not at all",
	"a smaller cluster loses data, or hangs",
	"a deadlock when another broker dies in the middle of a roll",
	"full or failed disks: no way to move, to grow, or to go on",
	"another release of the operator restarts everything at once",
	"stuck in reconciliation, zombies that are staging, volumes that are lost",
	"an update that hangs, a replacement that does not happen, a broker that is not started again",
}

var number = regexp.MustCompile(`\b([FC][1-9][0-9]?)\b`)

// named are the tests that name each thing of a catalogue, by its letter and number.
type named map[string][]string

// note adds a test under the things that its comment names.
func (n named) note(test, comment string) {
	for _, match := range number.FindAllStringSubmatch(comment, -1) {
		if of := match[1]; !slices.Contains(n[of], test) {
			n[of] = append(n[of], test)
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

// table is a catalogue with its tests.
func (c catalogue) table(n named) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| | %s | tests that name it |\n|---|---|---|\n", c.what)
	for i, what := range c.list {
		of := c.letter + strconv.Itoa(i+1)
		slices.Sort(n[of])
		fmt.Fprintf(&b, "| %s | %s | %s |\n", of, what, strings.Join(n[of], "<br>"))
	}
	return b.String()
}

// tested demands a test of each thing, and gives how many have one.
func (c catalogue) tested(t *testing.T, n named) int {
	t.Helper()
	tested := 0
	for i, what := range c.list {
		if of := c.letter + strconv.Itoa(i+1); len(n[of]) > 0 {
			tested++
		} else {
			t.Errorf("no test names %s: %s", of, what)
		}
	}
	for of, tests := range n {
		digits, is := strings.CutPrefix(of, c.letter)
		if i, err := strconv.Atoi(digits); is && err == nil && i > len(c.list) {
			t.Errorf("there is no %s, which %v name", of, tests)
		}
	}
	return tested
}

// TestFaults demands a test of each fault and of each complaint, and that the document has the
// tables of them.
func TestFaults(t *testing.T) {
	found, err := find("../..")
	if err != nil {
		t.Fatal(err)
	}
	var tables, counts strings.Builder
	for _, c := range catalogues {
		table := c.table(found)
		tables.WriteString(table + "\n")
		fmt.Fprintf(&counts, "%ss=%d tested=%d\n", c.what, len(c.list), c.tested(t, found))
		c.inDocument(t, table)
	}
	if *show != "" {
		text := []byte(tables.String() + counts.String())
		if err := os.WriteFile(*show, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// inDocument demands that the document has the table, or puts it there.
func (c catalogue) inDocument(t *testing.T, table string) {
	t.Helper()
	const writer = "go test ./internal/faults -rewrite"
	begin := fmt.Sprintf("<!-- begin %ss: written by %s -->\n", c.what, writer)
	end := fmt.Sprintf("<!-- end %ss -->\n", c.what)
	const path = "../../docs/reliability.md"
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := bytes.Cut(doc, []byte(begin))
	old, after, is := bytes.Cut(rest, []byte(end))
	if !is {
		t.Fatalf("%s has no place for the table of %ss", path, c.what)
	}
	if *rewrite {
		whole := string(before) + begin + "\n" + table + "\n" + end + string(after)
		if err := os.WriteFile(path, []byte(whole), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if strings.TrimSpace(string(old)) != strings.TrimSpace(table) {
		t.Errorf("the table of %ss in %s is not up to date: %s", c.what, path, writer)
	}
}
