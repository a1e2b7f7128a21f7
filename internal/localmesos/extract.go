package localmesos

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// extractArchive unpacks a tar, tar.gz or zip below root. Nothing is written
// outside of root: names must be local, and root refuses to follow links that
// lead out of it. Links in archives must lead to places within the archive.
func extractArchive(root *os.Root, f *os.File, kind string, own *owner) error {
	x := &extractor{root: root, own: own}
	switch kind {
	case "zip":
		st, err := f.Stat()
		if err != nil {
			return err
		}
		return x.zip(f, st.Size())
	case "tar":
		return x.tar(f)
	}
	gz, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	if err := x.tar(gz); err != nil {
		return err
	}
	// The checksum is at the end of the stream, behind the end of the tar.
	_, err = io.Copy(io.Discard, gz)
	return errors.Join(err, gz.Close())
}

type extractor struct {
	root *os.Root
	own  *owner
}

func localName(name string) (string, error) {
	clean := filepath.Clean(filepath.FromSlash(name))
	if !filepath.IsLocal(clean) {
		return "", fmt.Errorf("the archive is refused: '%s' leads out of it", name)
	}
	return clean, nil
}

func (x *extractor) tar(in io.Reader) error {
	r := tar.NewReader(in)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the archive: %w", err)
		}
		name, err := localName(h.Name)
		if err != nil {
			return err
		}
		mode := os.FileMode(h.Mode).Perm()
		switch h.Typeflag {
		case tar.TypeReg:
			err = writeIn(x.root, name, r, mode, x.own)
		case tar.TypeDir:
			err = x.dir(name, mode)
		case tar.TypeSymlink:
			err = x.symlink(name, h.Linkname)
		case tar.TypeLink:
			err = x.link(name, h.Linkname)
		case tar.TypeXGlobalHeader:
		default:
			err = fmt.Errorf("the archive is refused: '%s' is neither file, directory nor link",
				h.Name)
		}
		if err != nil {
			return err
		}
	}
}

func (x *extractor) dir(name string, mode os.FileMode) error {
	if name == "." {
		return nil
	}
	if err := x.root.MkdirAll(name, 0o755); err != nil {
		return err
	}
	if x.own != nil {
		if err := x.root.Chown(name, int(x.own.uid), int(x.own.gid)); err != nil {
			return err
		}
	}
	return x.root.Chmod(name, mode|0o700)
}

func (x *extractor) parent(name string) error {
	if dir := filepath.Dir(name); dir != "." {
		return x.root.MkdirAll(dir, 0o755)
	}
	return nil
}

func (x *extractor) symlink(name, target string) error {
	inside := filepath.Join(filepath.Dir(name), filepath.FromSlash(target))
	if filepath.IsAbs(target) || strings.HasPrefix(target, "/") || !filepath.IsLocal(inside) {
		return fmt.Errorf("the archive is refused: the link '%s' leads out of it", name)
	}
	if err := x.parent(name); err != nil {
		return err
	}
	if err := x.root.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return x.root.Symlink(target, name)
}

func (x *extractor) link(name, target string) error {
	old, err := localName(target)
	if err != nil {
		return err
	}
	if err := x.parent(name); err != nil {
		return err
	}
	if err := x.root.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return x.root.Link(old, name)
}

func (x *extractor) zip(in io.ReaderAt, size int64) error {
	r, err := zip.NewReader(in, size)
	if err != nil {
		return fmt.Errorf("reading the archive: %w", err)
	}
	for _, f := range r.File {
		name, err := localName(f.Name)
		if err != nil {
			return err
		}
		if err := x.zipEntry(f, name); err != nil {
			return err
		}
	}
	return nil
}

func (x *extractor) zipEntry(f *zip.File, name string) error {
	mode := f.Mode()
	if mode.IsDir() {
		return x.dir(name, mode.Perm())
	}
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	switch {
	case mode.IsRegular():
		if mode.Perm() == 0 {
			mode = 0o644
		}
		return writeIn(x.root, name, in, mode, x.own)
	case mode&os.ModeSymlink != 0:
		target, err := io.ReadAll(io.LimitReader(in, 4096))
		if err != nil {
			return err
		}
		return x.symlink(name, string(target))
	}
	return fmt.Errorf("the archive is refused: '%s' is neither file, directory nor link", f.Name)
}
