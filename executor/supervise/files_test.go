package supervise

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

func TestRender(t *testing.T) {
	env := []string{"A=x=<1>&\"", "OFF=False", "EMPTY=", "ON=true", "A_B=c"}
	tests := []struct{ template, want string }{
		{"a={{A}} b={{A_B}} c={{{A}}}", `a=x=<1>&" b=c c=x=<1>&"`},
		{"[{{MISSING}}]", "[]"},
		{"{{#ON}}on{{/ON}}{{^ON}}off{{/ON}}", "on"},
		{"{{#OFF}}on{{/OFF}}{{^OFF}}off{{/OFF}}", "off"},
		{"{{#EMPTY}}on{{/EMPTY}}{{^EMPTY}}off{{/EMPTY}}", "off"},
		{"{{^MISSING}}off{{/MISSING}}", "off"},
		{"{{#ON}}\nline {{A_B}}\n{{/ON}}\nend", "line c\nend"},
		{"{{> /etc/passwd}}", ""},
	}
	for _, test := range tests {
		if got, err := render(test.template, env); err != nil || got != test.want {
			t.Errorf("%s: %q %v, want %q", test.template, got, err, test.want)
		}
	}
	if _, err := render("{{#A}}", env); err == nil {
		t.Error("no error for a section without an end")
	}
}

func TestFilesStayInTheSandbox(t *testing.T) {
	outside := t.TempDir()
	r := start(t)
	link := filepath.Join(r.sandbox, "link")
	if err := os.Symlink(outside, link); err != nil {
		t.Fatal(err)
	}
	r.launch(executor.Order{Task: "stays", Command: "exec sleep 1000"})
	for i, path := range []string{"../evil", "/evil", "link/evil", "a/../../evil"} {
		name := fmt.Sprintf("t%d", i)
		r.launch(executor.Order{Task: name, Command: "true",
			Files: []executor.File{{Path: path, Text: "x"}}})
		if got := r.state(name, mesos.Failed).Message; !strings.Contains(got, path) {
			t.Errorf("%s: message is %q", path, got)
		}
	}
	if found, _ := os.ReadDir(outside); len(found) > 0 {
		t.Errorf("written outside: %v", found)
	}
	// A link in the place of the file itself is replaced, not followed.
	if err := os.Symlink(filepath.Join(outside, "x"), filepath.Join(r.sandbox, "x")); err != nil {
		t.Fatal(err)
	}
	r.launch(executor.Order{Task: "ok", Command: "cat x",
		Files: []executor.File{{Path: "x", Text: "new"}}})
	r.state("ok", mesos.Finished)
	if got := r.read("ok.out"); got != "new" {
		t.Errorf("the file holds %q", got)
	}
}

func TestWriteFileReplacesAtOnce(t *testing.T) {
	dir := t.TempDir()
	root := openRoot(t, dir)
	for _, text := range []string{"first", "second"} {
		if err := writeFile(root, "a/b/c", text, 0o755); err != nil {
			t.Fatal(err)
		}
		if got := readFile(filepath.Join(dir, "a/b/c")); got != text {
			t.Errorf("the file holds %q", got)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "a/b/c")); err != nil || info.Mode() != 0o755 {
		t.Errorf("mode is %v (%v)", info.Mode(), err)
	}
	if found, _ := os.ReadDir(filepath.Join(dir, "a/b")); len(found) != 1 {
		t.Errorf("left behind: %v", found)
	}
}

func openRoot(t testing.TB, dir string) *os.Root {
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

func TestOutputIsRotated(t *testing.T) {
	r := start(t)
	r.launch(executor.Order{Task: "a", LogBytes: 1000, LogFiles: 2,
		Command: `i=1000; while [ $i -lt 2000 ]; do echo $i; i=$((i+1)); done`})
	r.state("a", mesos.Finished)
	all := r.read("a.out.2") + r.read("a.out.1") + r.read("a.out")
	if !strings.HasSuffix(all, "1998\n1999\n") || r.read("a.out.3") != "" {
		t.Errorf("the end is missing, or a file is one too many")
	}
	for _, name := range []string{"a.out.2", "a.out.1"} {
		if n := len(r.read(name)); n != 1000 {
			t.Errorf("%s has %d bytes", name, n)
		}
	}
}

// Whatever is written in whatever pieces, the files together hold it all, in order, and no line
// is torn apart.
func TestRotationLosesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp("", "rotation")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		root, err := os.OpenRoot(dir)
		if err != nil {
			rt.Fatal(err)
		}
		defer root.Close()
		limit := int64(rapid.IntRange(1, 40).Draw(rt, "limit"))
		f := &rotating{root: root, name: "f", limit: limit, keep: 1000,
			log: slog.New(slog.DiscardHandler)}
		var all bytes.Buffer
		for range rapid.IntRange(0, 6).Draw(rt, "writes") {
			piece := rapid.StringMatching(`([a-z]{0,9}\n?){0,6}`).Draw(rt, "piece")
			all.WriteString(piece)
			if n, err := f.Write([]byte(piece)); n != len(piece) || err != nil {
				rt.Fatalf("write: %d %v", n, err)
			}
		}
		f.close()
		got := readFile(filepath.Join(dir, "f"))
		for i := 1; ; i++ {
			old := readFile(filepath.Join(dir, fmt.Sprintf("f.%d", i)))
			if old == "" {
				break
			}
			last := strings.LastIndexByte(strings.TrimSuffix(old, "\n"), '\n') + 1
			if !strings.HasSuffix(old, "\n") || int64(last) >= limit && last > 0 {
				rt.Fatalf("limit %d, f.%d is %q", limit, i, old)
			}
			got = old + got
		}
		if got != all.String() {
			rt.Fatalf("got %q, wrote %q", got, all.String())
		}
	})
}

// A full disk costs output, not the task: writes never fail, and what follows is kept (F9).
func TestOutputThatCannotBeWrittenIsDropped(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	f := &rotating{root: openRoot(t, dir), name: "d/f", limit: 100, keep: 1,
		log: slog.New(slog.NewTextHandler(&log, nil))}
	for range 3 {
		if n, err := f.Write([]byte("lost\n")); n != 5 || err != nil {
			t.Fatalf("write: %d %v", n, err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "d"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, _ = f.Write([]byte("kept\n"))
	f.close()
	if got := readFile(filepath.Join(dir, "d/f")); got != "kept\n" {
		t.Errorf("the file holds %q", got)
	}
	if got := strings.Count(log.String(), "\n"); got != 1 {
		t.Errorf("said %d times:\n%s", got, log.String())
	}
}

func TestTailKeepsTheLastLines(t *testing.T) {
	var kept tail
	out := &lines{tail: &kept}
	for i := range 100 {
		fmt.Fprintf(out, "line %d\r\n\n", i)
	}
	fmt.Fprint(out, strings.Repeat("x", 3*keptLine))
	out.flush()
	got := kept.lines()
	if len(got) != keptLines || got[keptLines-2] != "line 99" || len(got[keptLines-1]) != keptLine {
		t.Errorf("the tail is %q", got)
	}
}
