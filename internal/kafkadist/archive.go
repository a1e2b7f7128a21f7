package kafkadist

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// unpack unpacks the wanted part of an archive below work and opens the distribution's folder.
func (c *Cache) unpack(ctx context.Context, archive, work string) (*os.Root, error) {
	u, err := c.unpackInto(ctx, archive, work, splitTop)
	if err != nil {
		return nil, err
	}
	defer u.root.Close()
	return u.distribution()
}

// unpackAll unpacks all of an archive into the folder tree below work.
func (c *Cache) unpackAll(ctx context.Context, archive, work string) (*unpacker, error) {
	u, err := c.unpackInto(ctx, archive, work, nil)
	if err == nil {
		err = u.root.Close()
	}
	return u, err
}

// unpackInto unpacks what is wanted into the folder tree below work, which the caller closes.
func (c *Cache) unpackInto(
	ctx context.Context, archive, work string, split func(string) (string, string),
) (*unpacker, error) {
	in, err := os.Open(archive)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return nil, err
	}
	metered := &meter{ctx: ctx, from: in, report: c.report, news: Progress{
		Stage: Unpack, Text: "unpacking the archive", Total: info.Size(),
	}}
	stream, err := openStream(bufio.NewReaderSize(metered, 256<<10))
	if err != nil {
		return nil, err
	}
	tree := filepath.Join(work, "tree")
	if err := os.Mkdir(tree, 0o755); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(tree)
	if err != nil {
		return nil, err
	}
	u := &unpacker{root: root, split: split, tops: map[string]bool{}}
	if err := u.run(stream); err != nil {
		root.Close()
		return nil, err
	}
	return u, nil
}

// openStream looks at the first bytes and returns the tar stream, or says what it is instead.
func openStream(in *bufio.Reader) (io.Reader, error) {
	start, err := in.Peek(512)
	if err != nil && err != io.EOF {
		return nil, err
	}
	text := strings.ToLower(string(bytes.TrimSpace(start)))
	switch {
	case len(start) == 0:
		return nil, errors.New("it is an empty file")
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		zipped, err := gzip.NewReader(in)
		if err != nil {
			return nil, damaged(err)
		}
		return zipped, nil
	case len(start) == 512 && string(start[257:262]) == "ustar":
		return in, nil
	case bytes.HasPrefix(start, []byte("PK")):
		return nil, errors.New("it is a zip archive; a .tgz or .tar is needed")
	case bytes.HasPrefix(start, []byte("BZh")), bytes.HasPrefix(start, []byte("\xfd7zXZ")),
		bytes.HasPrefix(start, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return nil, errors.New("it is compressed with something else than gzip; " +
			"a .tgz or .tar is needed")
	case strings.HasPrefix(text, "<!doctype html"), strings.HasPrefix(text, "<html"):
		return nil, errors.New("it is a web page (HTML), not an archive; " +
			"take the address of the file itself")
	}
	return nil, errors.New("it is neither a .tgz nor a .tar archive")
}

// damaged says in words what a decompressor complains of.
func damaged(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("the archive is truncated")
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader),
		errors.Is(err, tar.ErrHeader):
		return fmt.Errorf("the archive is damaged: %w", err)
	}
	return fmt.Errorf("reading the archive: %w", err)
}

// unpacker writes the wanted entries of a tar stream below a folder. What it writes goes through
// os.Root, so that no link, however it came there, leads out.
type unpacker struct {
	root       *os.Root
	bytes      int64
	entries    int
	tops       map[string]bool // folders that have libs/kafka_2.1x-*.jar; "." for the archive's top
	sourceTree bool
	// split gives what of an entry's name is looked at; nil takes all entries.
	split func(name string) (top, inner string)
	javas []string // the names of entries bin/java
}

func (u *unpacker) run(stream io.Reader) error {
	in := tar.NewReader(stream)
	for {
		h, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return damaged(err)
		}
		if err := u.count(h); err != nil {
			return err
		}
		if err := u.entry(h, in); err != nil {
			return err
		}
	}
	// The rest is padding, but gzip's checksum stands at its end.
	n, err := io.Copy(io.Discard, io.LimitReader(stream, maxBytes-u.bytes+1))
	if err != nil {
		return damaged(err)
	}
	if u.bytes+n > maxBytes {
		return errTooLarge
	}
	return nil
}

// count keeps the limits, before anything of the entry is read.
func (u *unpacker) count(h *tar.Header) error {
	if u.entries++; u.entries > maxEntries {
		return errTooMany
	}
	if h.Size < 0 || h.Size > maxBytes-u.bytes {
		return errTooLarge
	}
	u.bytes += h.Size
	return nil
}

func (u *unpacker) entry(h *tar.Header, content io.Reader) error {
	name := path.Clean(h.Name)
	if !filepath.IsLocal(h.Name) {
		return fmt.Errorf("the archive has an entry that reaches out of it: %q", h.Name)
	}
	if err := checkLink(h, name); err != nil {
		return err
	}
	if strings.Contains(name, "/src/main/") || path.Base(name) == "build.gradle" {
		u.sourceTree = true
	}
	if h.Typeflag == tar.TypeDir {
		return nil
	}
	if u.split == nil {
		return u.make(name, h, content)
	}
	top, inner := u.split(name)
	if !wanted(inner) {
		return nil
	}
	parts := jarForm.FindStringSubmatch(path.Base(inner))
	if parts != nil && coreJar.MatchString(parts[1]) && path.Dir(inner) == "libs" {
		u.tops[top] = true
	}
	return u.make(name, h, content)
}

// make makes a file or a link.
func (u *unpacker) make(name string, h *tar.Header, content io.Reader) error {
	if name == "bin/java" || strings.HasSuffix(name, "/bin/java") {
		u.javas = append(u.javas, name)
	}
	if err := u.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse:
		return u.write(name, h, content)
	case tar.TypeSymlink:
		return u.root.Symlink(h.Linkname, name)
	case tar.TypeLink:
		return u.root.Link(path.Clean(h.Linkname), name)
	}
	return fmt.Errorf("the archive has an entry that is no file, folder or link: %q", h.Name)
}

// checkLink refuses links whose target lies outside of the archive.
func checkLink(h *tar.Header, name string) error {
	target := h.Linkname
	switch h.Typeflag {
	case tar.TypeSymlink:
		if !path.IsAbs(target) {
			target = path.Join(path.Dir(name), target)
		}
	case tar.TypeLink:
	default:
		return nil
	}
	if !filepath.IsLocal(target) {
		return fmt.Errorf("the archive has a link that leads out of it: %q -> %q",
			h.Name, h.Linkname)
	}
	return nil
}

func (u *unpacker) write(name string, h *tar.Header, content io.Reader) error {
	mode := fs.FileMode(0o644)
	if h.Mode&0o111 != 0 {
		mode = 0o755
	}
	out, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("the archive has the entry %q twice", h.Name)
	}
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := io.Copy(out, content); err != nil {
		return damaged(err)
	}
	return out.Close()
}

// splitTop separates the distribution's folder from the path in it. Distributions are packed
// with one top folder, kafka_2.13-4.3.1/libs, or without, libs.
func splitTop(name string) (top, inner string) {
	if wanted(name) {
		return ".", name
	}
	top, inner, _ = strings.Cut(name, "/")
	return top, inner
}

// distribution opens the folder that has Kafka's jars.
func (u *unpacker) distribution() (*os.Root, error) {
	switch len(u.tops) {
	case 1:
		for top := range u.tops {
			return u.root.OpenRoot(top)
		}
	case 0:
		if u.sourceTree {
			return nil, errSourceTree
		}
		return nil, fmt.Errorf("the archive is not a Kafka distribution: none of its %d entries "+
			"is libs/kafka_2.13-VERSION.jar", u.entries)
	}
	return nil, fmt.Errorf("the archive holds %d Kafka distributions", len(u.tops))
}
