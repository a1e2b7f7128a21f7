package sandbox

import (
	"context"
	"io"
	"net/url"
	"path"
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

// List gives what is in a folder of the sandbox, "" for the sandbox itself.
func (s *Sandbox) List(ctx context.Context, dir string) ([]File, error) {
	res, err := s.files(ctx, "browse", dir, url.Values{})
	if err != nil {
		return nil, err
	}
	return decoded[[]File](res)
}

// Stat tells what a path of the sandbox is, by the listing of the folder that it is in: agents
// differ in what they answer to the listing of a file. The error is ErrNoFile when it is not
// there.
func (s *Sandbox) Stat(ctx context.Context, at string) (File, error) {
	dir := path.Dir(at)
	if dir == "." {
		dir = ""
	}
	files, err := s.List(ctx, dir)
	for _, f := range files {
		if f.Name() == path.Base(at) {
			return f, nil
		}
	}
	if err == nil {
		err = ErrNoFile
	}
	return File{}, err
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
