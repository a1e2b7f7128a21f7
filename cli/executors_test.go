package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestExecutorsOf builds a program for another platform and gives it, and what cannot be used,
// as executors.
func TestExecutorsOf(t *testing.T) {
	arch := "arm64"
	if runtime.GOARCH == arch {
		arch = "amd64"
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	build := func(module string) string {
		t.Helper()
		write("go.mod", "module "+module+"\n\ngo 1.24\n")
		write("main.go", "package main\n\nfunc main() {}\n")
		out := filepath.Join(dir, filepath.Base(module))
		cmd := exec.Command("go", "build", "-o", out, ".")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		return out
	}
	ours, other := build(ourModule), build("example.com/other")
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	platform := "linux/" + arch
	for _, c := range []struct {
		files []string
		want  string
	}{
		{[]string{ours}, platform + "=" + ours},
		{[]string{platform + "=" + ours}, platform + "=" + ours},
		{nil, ""},
		{[]string{"linux/s390x=" + ours}, "it is built for " + platform},
		{[]string{ours, ours}, "there is one for " + platform + " already"},
		{[]string{other}, "it is no kafka-sched but example.com/other"},
		{[]string{write("text", "no program")}, "it is no program that can be used"},
		{[]string{filepath.Join(dir, "nothing")}, "no such file"},
		{[]string{own}, "for which this program itself is used"},
	} {
		got, err := executorsOf(c.files)
		text := executorsText(got)
		if err != nil {
			text = err.Error()
		}
		if !strings.Contains(text, c.want) || (c.want == "") != (text == "") {
			t.Errorf("%v: %s, want %s", c.files, text, c.want)
		}
	}
}
