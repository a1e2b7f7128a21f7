package app

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func sizeOf(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// A log that is full becomes the older one; no line is lost or torn, and there are never more
// than two files.
func TestRotation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.log")
	r, err := openRotating(path)
	if err != nil {
		t.Fatal(err)
	}
	const block = 1 << 20
	for i := range 3 * logMax / block { // fills it exactly three times
		line := bytes.Repeat([]byte{byte('a' + i%26)}, block-1)
		if n, err := r.Write(append(line, '\n')); n != block || err != nil {
			t.Fatal(n, err)
		}
	}
	if a, b := sizeOf(t, path), sizeOf(t, path+".1"); a != logMax || b != logMax {
		t.Errorf("the log has %d bytes, the older one %d", a, b)
	}
	r.close()

	// A log that is opened again goes on where it was, and knows how full it is.
	if r, err = openRotating(path); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Write([]byte("after\n")); err != nil {
		t.Fatal(err)
	}
	r.close()
	if a, b := sizeOf(t, path), sizeOf(t, path+".1"); a != 6 || b != logMax {
		t.Errorf("the log has %d bytes, the older one %d", a, b)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("%v %v", entries, err)
	}
}

// A log that cannot be rotated goes on in the file that it has.
func TestRotationFails(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.log")
	if err := os.MkdirAll(filepath.Join(path+".1", "in the way"), 0o755); err != nil {
		t.Fatal(err)
	}
	r, err := openRotating(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	for range 3 {
		if _, err := r.Write(make([]byte, logMax/2+1)); err != nil {
			t.Fatal(err)
		}
	}
	if n := sizeOf(t, path); n != 3*(logMax/2+1) {
		t.Errorf("%d bytes", n)
	}
}

// Lines of many writers stay whole across a rotation.
func TestRotationWithManyWriters(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.log")
	if err := os.WriteFile(path, make([]byte, logMax-2000), 0o644); err != nil {
		t.Fatal(err)
	}
	logger, closeLog, err := openLog(path, false)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 20 {
				logger.Info("line", "writer", w, "number", i, "end", "yes")
			}
		})
	}
	all.Wait()
	closeLog()
	var text strings.Builder
	for _, p := range []string{path + ".1", path} {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(data)
	}
	for w := range 8 {
		for i := range 20 {
			line := fmt.Sprintf("level=INFO msg=line writer=%d number=%d end=yes\n", w, i)
			if strings.Count(text.String(), line) != 1 {
				t.Errorf("lost or torn: %s", line)
			}
		}
	}
}
