package sandbox

import (
	"context"
	"errors"
	"io"
	"net/url"
	"path"
	"slices"
	"strings"
)

// File is what is known of a file or folder in a sandbox.
type File struct {
	Path  string  `json:"path"`  // on the agent's machine
	Mode  string  `json:"mode"`  // as ls prints it
	Size  int64   `json:"size"`  // in bytes
	MTime float64 `json:"mtime"` // seconds since 1970
}

// IsDir says whether it is a folder.
func (f File) IsDir() bool { return strings.HasPrefix(f.Mode, "d") }

// Name is the last part of the path.
func (f File) Name() string { return path.Base(f.Path) }

// ErrNoFolder says that what was to be listed is a file.
var ErrNoFolder = errors.New("it is no folder")

// Folder gives what is in a folder of the sandbox, "" for the sandbox itself. The error is
// ErrNoFolder for a file, and ErrNoFile for what is not there. Which of them it is, the listing of
// the folder above tells: agents differ in what they answer to the listing of a file.
func (s *Sandbox) Folder(ctx context.Context, at string) ([]File, error) {
	if at == "" {
		return s.list(ctx, "")
	}
	above := path.Dir(at)
	if above == "." {
		above = ""
	}
	files, err := s.list(ctx, above)
	if err != nil {
		return nil, err
	}
	is := slices.IndexFunc(files, func(f File) bool { return f.Name() == path.Base(at) })
	switch {
	case is < 0:
		return nil, ErrNoFile
	case files[is].IsDir():
		return s.list(ctx, at)
	case strings.HasPrefix(files[is].Mode, "l"): // to a folder, as volumes have, or to a file
		if below, err := s.list(ctx, at); err == nil && len(below) > 0 {
			return below, nil
		}
	}
	return nil, ErrNoFolder
}

func (s *Sandbox) list(ctx context.Context, dir string) ([]File, error) {
	res, err := s.files(ctx, "browse", dir, url.Values{})
	if err != nil {
		return nil, err
	}
	return decoded[[]File](res)
}

// Download copies a whole file, byte by byte as it is.
func (s *Sandbox) Download(ctx context.Context, file string, to io.Writer) error {
	res, err := s.files(ctx, "download", file, url.Values{})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.Copy(to, res.Body)
	return err
}
