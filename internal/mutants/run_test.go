package mutants

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	apply = flag.Bool("apply", false, "plant the bugs, one at a time, and write the table")
	only  = flag.String("only", "", "plant only those whose file or description has this text; "+
		"the others keep their rows")
	summary = flag.String("summary", "", "file that gets the table and the line with the figures")
	workers = flag.Int("workers", 2, "plant so many at a time, each in its own build")
)

// enough is the least part of all, in percent, that has to be caught.
const enough = 95

// check is a run of tests that may find a bug.
type check struct {
	name string
	args []string // of go test
}

// slowStories are the tests of the scheduler that take several seconds.
const slowStories = "TestStoriesSurviveACrashAnywhere|TestPairsOfCommands|TestCommandMatrix"

var (
	stories = check{"stories", []string{"./scheduler", "-skip", slowStories}}
	worlds  = check{"simulation", []string{"./internal/sim", "-run", "TestSim$", "-seeds=150",
		"-thorough=1"}}
	crashes    = check{"crash points", []string{"./internal/sim", "-run", "TestCrashPoints$"}}
	allStories = check{"stories", []string{"./scheduler", "-run", slowStories}}
)

// checks are the runs that look for a bug in a file, the quickest first.
func checks(file string) []check {
	own := check{path.Dir(file), []string{"./" + path.Dir(file)}}
	switch folder := path.Dir(file); {
	case folder == "scheduler":
		return []check{stories, worlds, crashes, allStories}
	case folder == "scheduler/offer" || folder == "scheduler/rolling" || folder == "plans":
		return []check{own, stories, worlds}
	}
	return []check{own}
}

// result is what became of one planted bug.
type result struct {
	by     string // what caught it, "" for nothing
	broken string // why it could not be planted
	took   time.Duration
}

// plant runs the checks with one bug in place.
func plant(t *testing.T, m mutation) (r result) {
	t.Helper()
	began := time.Now()
	defer func() { r.took = time.Since(began) }()
	dir := t.TempDir()
	text := filepath.Join(dir, "mutated.go")
	abs, err := filepath.Abs(filepath.Join(root, m.file))
	if err != nil {
		return result{broken: err.Error()}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{abs: text}})
	if err != nil {
		return result{broken: err.Error()}
	}
	names := filepath.Join(dir, "overlay.json")
	for name, content := range map[string]string{
		text: m.mutated(t), names: string(overlay)} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			return result{broken: err.Error()}
		}
	}
	for _, c := range checks(m.file) {
		out, failed := run(names, c)
		switch {
		case strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]"):
			return result{broken: "it does not compile:\n" + out}
		case failed:
			return result{by: c.caught(out)}
		}
	}
	return result{}
}

// run runs go test with an overlay, and tells whether it failed.
func run(overlay string, c check) (out string, failed bool) {
	args := []string{"-n", "5", "go", "test", "-overlay", overlay, "-vet=off", "-count=1",
		"-failfast", "-timeout=4m", "-ldflags=-s -w"}
	cmd := exec.Command("nice", append(args, c.args...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "RAPID_NOFAILFILE=1") // what fails here is no failure
	text, err := cmd.CombinedOutput()
	return string(text), err != nil
}

var (
	failure = regexp.MustCompile(`(?m)^ *--- FAIL: (\S+)`)
	breach  = regexp.MustCompile(`(?m)seed \d+: (.*)$`)
)

// caught names what failed.
func (c check) caught(out string) string {
	if m := breach.FindStringSubmatch(out); m != nil {
		return c.name + ": " + strings.TrimSpace(m[1])
	}
	if all := failure.FindAllStringSubmatch(out, -1); len(all) > 0 {
		return c.name + ": " + all[len(all)-1][1]
	}
	if strings.Contains(out, "test timed out") {
		return c.name + ": it does not end"
	}
	return c.name + ": it panics"
}

// TestMutants plants the bugs.
func TestMutants(t *testing.T) {
	if !*apply {
		return // TestList holds the list to the code.
	}
	list := slices.DeleteFunc(all(), func(m mutation) bool {
		return !strings.Contains(m.breaks, *only) && !strings.Contains(m.file, *only)
	})
	results := make([]result, len(list))
	next := make(chan int, len(list))
	for i := range list {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	for range *workers {
		wg.Go(func() {
			for i := range next {
				results[i] = plant(t, list[i])
				t.Logf("%s %s: %q caught by %q %s", results[i].took.Round(time.Second),
					list[i].file, list[i].breaks, results[i].by, results[i].broken)
			}
		})
	}
	wg.Wait()
	conclude(t, list, results)
}

// conclude reports what was not caught, and writes the table.
func conclude(t *testing.T, list []mutation, results []result) {
	t.Helper()
	caught := 0
	for i, r := range results {
		switch {
		case r.broken != "":
			t.Errorf("%s: %q: %s", list[i].file, list[i].breaks, r.broken)
		case r.by != "":
			caught++
		case survivors[list[i].breaks] == "":
			t.Errorf("%s: nothing finds %q", list[i].file, list[i].breaks)
		}
	}
	if 100*caught < enough*len(list) {
		t.Errorf("%d of %d planted bugs were caught, which is not %d %%", caught, len(list),
			enough)
	}
	rows := rowsOf(list, results)
	if !t.Failed() {
		writeTable(t, rows)
	}
	if *summary != "" {
		var text strings.Builder
		for _, m := range list {
			text.WriteString(rows[m.row()] + "\n")
		}
		fmt.Fprintf(&text, "\nplanted=%d caught=%d\n", len(list), caught)
		if err := os.WriteFile(*summary, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// row is how the row of a mutation begins.
func (m mutation) row() string { return "| " + m.file + " | " + m.breaks + " |" }

// rowsOf are the rows of the planted bugs, by how they begin.
func rowsOf(list []mutation, results []result) map[string]string {
	rows := map[string]string{}
	for i, m := range list {
		by := results[i].by
		if by == "" {
			by = "nothing: " + survivors[m.breaks]
		}
		rows[m.row()] = m.row() + " " + strings.ReplaceAll(by, "|", "/") + " |"
	}
	return rows
}

const (
	document = root + "/docs/reliability.md"
	begin    = "<!-- begin mutants: written by make mutants -->\n"
	end      = "<!-- end mutants -->\n"
)

// documented is the table in the document, with what stands before and behind it.
func documented(t *testing.T) (before, table, behind []byte) {
	t.Helper()
	doc, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := bytes.Cut(doc, []byte(begin))
	table, behind, ends := bytes.Cut(rest, []byte(end))
	if !found || !ends {
		t.Fatalf("%s has no place for the table of mutations", document)
	}
	return before, table, behind
}

// writeTable puts rows into the table of the document; those of bugs that were not planted now stay
// as they are.
func writeTable(t *testing.T, rows map[string]string) {
	t.Helper()
	before, was, behind := documented(t)
	var table strings.Builder
	table.WriteString("\n| file | planted bug | caught by |\n|---|---|---|\n")
	for _, m := range all() {
		row, planted := rows[m.row()]
		if _, rest, documented := strings.Cut(string(was), m.row()); !planted && documented {
			row, _, _ = strings.Cut(m.row()+rest, "\n")
		}
		if row != "" {
			table.WriteString(row + "\n")
		}
	}
	table.WriteString("\n")
	doc := slices.Concat(before, []byte(begin+table.String()+end), behind)
	if err := os.WriteFile(document, doc, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestTable holds the table in the document to the list.
func TestTable(t *testing.T) {
	_, table, _ := documented(t)
	for _, m := range all() {
		if !bytes.Contains(table, []byte(m.row())) {
			t.Errorf("%s has no row for %q of %s: run make mutants", document, m.breaks, m.file)
		}
	}
	if n := bytes.Count(table, []byte("\n| ")) - 1; n != len(all()) {
		t.Errorf("%s has %d rows, the list %d: run make mutants", document, n, len(all()))
	}
}
