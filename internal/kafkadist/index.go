package kafkadist

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// indexPrefix begins the names of index files, one a source: source-<key>.json.
const indexPrefix = "source-"

// record is an index file: which archive a source became. The archive's name follows from it.
type record struct {
	Kind        Kind   `json:"kind"`
	Source      string `json:"source"`
	Fingerprint string `json:"fingerprint,omitempty"`
	Version     string `json:"version"`
	SHA256      string `json:"sha256"`
	Size        int64  `json:"size"`
	Java        bool   `json:"java,omitempty"`
}

var sha256Form = regexp.MustCompile(`^[0-9a-f]{64}$`)

// dist turns a record into what callers see, not ok if the record makes no sense.
func (c *Cache) dist(r record) (d Dist, ok bool) {
	form, prefix := versionForm, "kafka"
	if r.Java {
		form, prefix = javaVersionForm, JRETop
	}
	if !form.MatchString(r.Version) || !sha256Form.MatchString(r.SHA256) {
		return Dist{}, false
	}
	name := fmt.Sprintf("%s-%s-%s.tgz", prefix, r.Version, r.SHA256[:16])
	return Dist{
		Version: r.Version, Digest: r.SHA256, Path: filepath.Join(c.dir, name),
		Size: r.Size, Source: r.Source,
	}, true
}

func (c *Cache) indexPath(key string) string {
	return filepath.Join(c.dir, indexPrefix+key+".json")
}

// lookUp finds the archive that a source became. Anything that is doubtful is a miss: an
// unreadable index, a source that was edited since, an archive that is gone or damaged.
func (c *Cache) lookUp(src Source, fingerprint string) (Dist, bool) {
	r, err := readRecord(c.indexPath(src.key()))
	if err != nil || r.Kind != src.Kind || r.Fingerprint != fingerprint {
		return Dist{}, false
	}
	d, ok := c.dist(r)
	return d, ok && c.intact(d)
}

func readRecord(path string) (record, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return record{}, err
	}
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return record{}, fmt.Errorf("reading %s: %w", path, err)
	}
	return r, nil
}

// List returns the archives in the cache, each once, sorted by path. It looks at sizes only; Fetch
// is what verifies digests.
func (c *Cache) List() ([]Dist, error) {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return nil, fmt.Errorf("listing the distribution cache: %w", err)
	}
	var list []Dist
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), indexPrefix) || filepath.Ext(e.Name()) != ".json" {
			continue
		}
		r, err := readRecord(filepath.Join(c.dir, e.Name()))
		if err != nil {
			continue // damaged, or removed just now: Fetch writes it anew
		}
		d, ok := c.dist(r)
		info, err := os.Stat(d.Path)
		if ok && err == nil && info.Size() == d.Size {
			list = append(list, d)
		}
	}
	slices.SortStableFunc(list, func(a, b Dist) int { return strings.Compare(a.Path, b.Path) })
	return slices.CompactFunc(list, func(a, b Dist) bool { return a.Path == b.Path }), nil
}

// stamp identifies the state of a file for which a digest was computed.
type stamp struct {
	path    string
	size    int64
	modTime time.Time
	digest  string
}

// intact tells whether an archive is the one that was recorded: by its size every time, by its
// digest once in this process and again whenever the file was touched.
func (c *Cache) intact(d Dist) bool {
	info, err := os.Stat(d.Path)
	if err != nil || !info.Mode().IsRegular() || info.Size() != d.Size {
		return false
	}
	s := stamp{path: d.Path, size: info.Size(), modTime: info.ModTime(), digest: d.Digest}
	c.verifying.Lock()
	defer c.verifying.Unlock()
	if c.verified[s] {
		return true
	}
	sum, err := fileDigest(d.Path)
	if err != nil || sum != d.Digest {
		return false
	}
	c.verified[s] = true
	return true
}

func fileDigest(path string) (string, error) {
	in, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer in.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, in); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// install gives a packed and synced archive its final name, then records it.
func (c *Cache) install(src Source, archive string, r record) (Dist, error) {
	d, ok := c.dist(r)
	if !ok {
		return Dist{}, fmt.Errorf("version %q cannot be part of a file's name", r.Version)
	}
	if err := os.Rename(archive, d.Path); err != nil {
		return Dist{}, err
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return Dist{}, err
	}
	temp := filepath.Join(filepath.Dir(archive), "index.json")
	if err := writeSynced(temp, append(text, '\n')); err != nil {
		return Dist{}, err
	}
	if err := syncDir(c.dir); err != nil {
		return Dist{}, err
	}
	if err := os.Rename(temp, c.indexPath(src.key())); err != nil {
		return Dist{}, err
	}
	if err := syncDir(c.dir); err != nil {
		return Dist{}, err
	}
	c.report(Progress{
		Stage: Ready, Text: src.What() + " " + d.Version + " is ready", Done: d.Size, Total: d.Size,
	})
	return d, nil
}

func writeSynced(path string, text []byte) error {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := out.Write(text); err != nil {
		return err
	}
	if err := out.Sync(); err != nil {
		return err
	}
	return out.Close()
}

// syncDir makes renames in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
