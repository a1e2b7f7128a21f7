package flight

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Segment is a file of a recording.
type Segment struct {
	Path string
	// Size is in bytes, as the file is.
	Size int64
	// Changed is when it was last written to.
	Changed time.Time
	// Crash says that it ends with a crash.
	Crash bool
}

// List gives the segments of a folder, the oldest first; none if there is no such folder.
func List(dir string) ([]Segment, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for recordings: %w", err)
	}
	var all []Segment
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), suffix) {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // it was removed meanwhile
		}
		all = append(all, Segment{filepath.Join(dir, e.Name()), info.Size(), info.ModTime(),
			strings.HasSuffix(e.Name(), crashSuffix)})
	}
	slices.SortFunc(all, func(a, b Segment) int { return cmp.Compare(a.Path, b.Path) })
	return all, nil
}
