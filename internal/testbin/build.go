package testbin

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// With builds the program, has it used, and removes it again. It is for TestMain: what it gives
// is the exit code, that of use, or 1 when the program cannot be built.
func With(use func(binary string) (code int)) int {
	dir, err := os.MkdirTemp("", "kafka-sched-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "kafka-sched")
	if err := Build(binary, ""); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return use(binary)
}

// Build builds the program as a file, of a release, "" for the one that the source says.
func Build(file, release string) error {
	flags := "-s -w"
	if release != "" {
		flags += " -X main.version=" + release
	}
	build := exec.Command("go", "build", "-ldflags", flags, "-o", file,
		"github.com/kafka-sched/kafka-sched")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building kafka-sched: %w\n%s", err, out)
	}
	return nil
}
