package kafkadist

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// CheckUnpacked compares an unpacked archive with the digest that its VERSION has of all that
// was packed. A folder that does not exist, or has no VERSION, is not one of ours, and is left to
// others.
func CheckUnpacked(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, versionFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("verifying %s: %w", dir, err)
	}
	_, want, found := strings.Cut(string(text), "digest ")
	if !found {
		return nil
	}
	got, err := contentDigest(os.DirFS(dir))
	if err != nil {
		return fmt.Errorf("verifying %s: %w", dir, err)
	}
	if got != strings.TrimSpace(want) {
		return fmt.Errorf("%s is not what was packed: the agent's fetcher or its cache has "+
			"damaged it; remove it from the cache (--fetcher_cache_dir) of this agent", dir)
	}
	return nil
}

// contentDigest is what packing wrote into VERSION, of the files that were unpacked.
func contentDigest(dir fs.FS) (string, error) {
	var names []string
	err := fs.WalkDir(dir, ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && name != versionFile {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	slices.Sort(names)
	content := sha256.New()
	for _, name := range names {
		if err := addContent(content, dir, name); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%x", content.Sum(nil)), nil
}

func addContent(content io.Writer, dir fs.FS, name string) error {
	in, err := dir.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, in); err != nil {
		return err
	}
	writeContent(content, modeOf(info), name, sum.Sum(nil))
	return nil
}

// modeOf gives the mode that a file is packed with, which unpacking may have narrowed.
func modeOf(info fs.FileInfo) fs.FileMode {
	if info.Mode()&0o111 != 0 {
		return 0o755
	}
	return 0o644
}

// writeContent adds a file to what the digest in VERSION is of.
func writeContent(content io.Writer, mode fs.FileMode, name string, sum []byte) {
	fmt.Fprintf(content, "%o %q %x\n", mode, name, sum)
}
