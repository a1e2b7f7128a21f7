package kafkadist

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// Limits on what a distribution may hold. Kafka 4.3 has some 250 files and 140 MB.
const (
	maxBytes   = 2 << 30
	maxEntries = 20_000
)

var (
	errTooLarge = errors.New("holds more than 2 GiB, which no Kafka distribution does")
	errTooMany  = errors.New("holds more than 20,000 entries, which no Kafka distribution does")
)

// file is one file that goes into the packed archive.
type file struct {
	name    string // with slashes, below the distribution's folder: libs/kafka-clients-4.3.1.jar
	size    int64
	mode    fs.FileMode // 0644 or 0755, whatever the source had
	modTime time.Time
}

// jar is the file's name if it is a jar, else empty.
func (f file) jar() string {
	if path.Dir(f.name) == "libs" {
		return path.Base(f.name)
	}
	return ""
}

// wanted tells whether a path below the distribution's folder belongs into the packed archive: the
// jars that lie in libs, and everything in bin and config.
func wanted(name string) bool {
	top, rest, below := strings.Cut(name, "/")
	switch top {
	case "bin", "config":
		return below
	case "libs":
		return below && !strings.Contains(rest, "/") && strings.HasSuffix(rest, ".jar")
	}
	return false
}

// listTree lists the wanted files of a folder by name. Links are followed as long as they stay
// inside; one that leads out is refused.
func listTree(root *os.Root) ([]file, error) {
	var files []file
	var total int64
	for _, top := range []string{"bin", "config", "libs"} {
		if _, err := root.Lstat(top); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		entries := 0
		err := fs.WalkDir(root.FS(), top, func(name string, _ fs.DirEntry, err error) error {
			if entries++; entries > maxEntries || len(files) > maxEntries {
				return errTooMany
			}
			f, err := examine(root, name, err)
			if err != nil || f.name == "" {
				return err
			}
			if total += f.size; total > maxBytes {
				return errTooLarge
			}
			files = append(files, f)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return files, nil
}

// examine describes one entry; the result has no name if the entry is not to be packed.
func examine(root *os.Root, name string, walkErr error) (file, error) {
	info, err := root.Stat(name)
	if err != nil {
		entry, lerr := root.Lstat(name)
		if lerr == nil && entry.Mode()&fs.ModeSymlink != 0 {
			return file{}, fmt.Errorf("%s is a link that leads out of the distribution, or nowhere",
				name)
		}
		return file{}, err
	}
	if walkErr != nil {
		return file{}, walkErr
	}
	if info.IsDir() || !wanted(name) {
		return file{}, nil
	}
	if !info.Mode().IsRegular() {
		return file{}, fmt.Errorf("%s is not a regular file", name)
	}
	mode := fs.FileMode(0o644)
	if info.Mode()&0o111 != 0 && strings.HasPrefix(name, "bin/") {
		mode = 0o755
	}
	return file{name: name, size: info.Size(), mode: mode, modTime: info.ModTime()}, nil
}
