package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The programs that have run a cluster since it was first upgraded are kept in its folder, each in
// a folder named by its digest, so that a keeper goes on to find the one that it is of, and that
// there is a way back.

// program is a file of this program, of whatever release, by the SHA-256 of what is in it.
type program string

// ourselves stands for the process that we are.
const ourselves = 0

// exeOf is where the kernel shows the program of a process, even if its file is gone.
func exeOf(pid int) string {
	if pid == ourselves {
		return "/proc/self/exe"
	}
	return filepath.Join("/proc", strconv.Itoa(pid), "exe")
}

// programOf is the program of a process.
func programOf(pid int) (program, error) {
	file, err := os.Open(exeOf(pid))
	if err != nil {
		return "", fmt.Errorf("looking at the program of process %d: %w", pid, err)
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", fmt.Errorf("reading the program of process %d: %w", pid, err)
	}
	return program(hex.EncodeToString(h.Sum(nil))), nil
}

// isKeeper reports whether a process is a keeper in the background.
func isKeeper(pid int) bool {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	words := strings.Split(string(text), "\x00")
	return err == nil && len(words) > 1 && words[1] == "keep"
}

func (f folder) programs() string { return f.file("programs") }

// programFile is where a program is kept.
func (f folder) programFile(p program) string {
	return filepath.Join(f.programs(), string(p[:12]), "kafka-sched")
}

// keepProgram keeps a copy of the program of a process.
func (f folder) keepProgram(p program, pid int) error {
	kept := f.programFile(p)
	if exists(kept) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(kept), 0o755); err != nil {
		return fmt.Errorf("keeping a program: %w", err)
	}
	if err := copyProgram(exeOf(pid), kept); err != nil {
		return fmt.Errorf("keeping the program of process %d as %s: %w", pid, kept, err)
	}
	return nil
}

// copyProgram copies a program, so that the copy is there as a whole or not at all.
func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	part := to + ".part"
	out, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	defer os.Remove(part) // after the rename there is nothing to remove
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(part, to)
}

// forgetPrograms removes all that are kept but some.
func (f folder) forgetPrograms(but ...program) {
	entries, _ := os.ReadDir(f.programs())
	for _, e := range entries {
		mine := func(p program) bool { return e.Name() == string(p[:12]) }
		if !slices.ContainsFunc(but, mine) {
			os.RemoveAll(filepath.Join(f.programs(), e.Name()))
		}
	}
}
