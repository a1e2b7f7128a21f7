package localmesos

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
)

// fetcher brings URIs into sandboxes. URIs that ask for it go through a cache
// shared by all agents, keyed by the URI: one download serves all that want it,
// now and later.
type fetcher struct {
	dir     string
	timeout time.Duration
	limit   int64 // bytes in the cache
	client  *http.Client

	mu      sync.Mutex
	flights map[string]*flight
}

// flight is a download into the cache that is under way.
type flight struct {
	done chan struct{}
	err  error
}

func newFetcher(dir string, timeout time.Duration, limit int64) *fetcher {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	return &fetcher{dir: dir, timeout: timeout, limit: limit, flights: map[string]*flight{},
		client: &http.Client{Transport: transport}}
}

func (f *fetcher) fetchAll(
	ctx context.Context, uris []mesos.CommandInfo_URI, sandbox string, own *owner,
) error {
	for i := range uris {
		if err := f.fetch(ctx, &uris[i], sandbox, own); err != nil {
			return fmt.Errorf("fetching '%s': %w", uris[i].Value, err)
		}
	}
	return nil
}

// fetch brings one URI into the sandbox and extracts it if it is an archive.
func (f *fetcher) fetch(
	ctx context.Context, uri *mesos.CommandInfo_URI, sandbox string, own *owner,
) error {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	name, err := outputName(uri)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(sandbox)
	if err != nil {
		return err
	}
	defer root.Close()
	kind := archiveKind(name)
	extract := uri.GetExtract() && !uri.GetExecutable() && kind != ""
	if uri.GetCache() {
		source, err := f.cached(ctx, uri.Value)
		if err != nil {
			return err
		}
		defer source.Close()
		if extract {
			return extractArchive(root, source, kind, own)
		}
		return writeIn(root, name, source, fileMode(uri), own)
	}
	in, err := f.open(ctx, uri.Value)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := writeIn(root, name, in, fileMode(uri), own); err != nil || !extract {
		return err
	}
	archive, err := root.Open(name)
	if err != nil {
		return err
	}
	defer archive.Close()
	return extractArchive(root, archive, kind, own)
}

func fileMode(uri *mesos.CommandInfo_URI) os.FileMode {
	if uri.GetExecutable() {
		return 0o755
	}
	return 0o644
}

// outputName is the file's path in the sandbox.
func outputName(uri *mesos.CommandInfo_URI) (string, error) {
	name := uri.GetOutputFile()
	if name == "" {
		p := uri.Value
		if u, err := url.Parse(uri.Value); err == nil && u.Scheme != "" {
			p = u.Path
		}
		name = path.Base(p)
	}
	if !filepath.IsLocal(name) || filepath.Clean(name) == "." || name == "/" {
		return "", fmt.Errorf("'%s' is no name for a file in the sandbox", name)
	}
	return filepath.Clean(name), nil
}

// open opens a URI: http, https, file, or a plain absolute path.
func (f *fetcher) open(ctx context.Context, uri string) (io.ReadCloser, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return nil, err
	}
	switch u.Scheme {
	case "", "file":
		p := u.Path
		if u.Scheme == "" {
			p = uri
		}
		if !filepath.IsAbs(p) {
			return nil, fmt.Errorf("the path '%s' is not absolute", p)
		}
		return os.Open(p)
	case "http", "https":
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
		if err != nil {
			return nil, err
		}
		resp, err := f.client.Do(req)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode != http.StatusOK {
			return nil, errors.Join(fmt.Errorf("the server answered %s", resp.Status),
				resp.Body.Close())
		}
		return resp.Body, nil
	}
	return nil, fmt.Errorf("the scheme '%s' is not supported", u.Scheme)
}

// cached opens the cached copy. Whoever comes while a download is under way
// waits for it; a failed one is tried again by the next comer.
func (f *fetcher) cached(ctx context.Context, uri string) (*os.File, error) {
	sum := sha256.Sum256([]byte(uri))
	target := filepath.Join(f.dir, hex.EncodeToString(sum[:]))
	for {
		f.mu.Lock()
		fl := f.flights[target]
		if fl == nil {
			// Opened under the lock, so that it cannot be evicted before.
			file, err := os.Open(target)
			if !errors.Is(err, os.ErrNotExist) {
				now := time.Now()
				err = errors.Join(err, os.Chtimes(target, now, now))
				f.mu.Unlock()
				return file, err
			}
			fl = &flight{done: make(chan struct{})}
			f.flights[target] = fl
			f.mu.Unlock()
			f.fly(ctx, fl, uri, target)
		} else {
			f.mu.Unlock()
		}
		select {
		case <-fl.done:
			if fl.err != nil {
				return nil, fl.err
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// fly downloads and makes room, and lets those who wait go on.
func (f *fetcher) fly(ctx context.Context, fl *flight, uri, target string) {
	fl.err = f.download(ctx, uri, target)
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl.err == nil {
		fl.err = f.evict(target)
	}
	delete(f.flights, target)
	close(fl.done)
}

// evict removes what was not used for longest until the cache is within its
// limit; the newest entry stays in any case.
func (f *fetcher) evict(newest string) error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return err
	}
	var infos []os.FileInfo
	total := int64(0)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && !strings.HasPrefix(e.Name(), ".") {
			infos = append(infos, info)
			total += info.Size()
		}
	}
	slices.SortFunc(infos, func(x, y os.FileInfo) int { return x.ModTime().Compare(y.ModTime()) })
	for _, info := range infos {
		if total <= f.limit || info.Name() == filepath.Base(newest) {
			continue
		}
		if err := os.Remove(filepath.Join(f.dir, info.Name())); err != nil {
			return err
		}
		total -= info.Size()
	}
	return nil
}

// download writes to a file of another name and renames it when it is complete,
// so that a partial one is never taken for the whole.
func (f *fetcher) download(ctx context.Context, uri, target string) (err error) {
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return err
	}
	in, err := f.open(ctx, uri)
	if err != nil {
		return err
	}
	defer in.Close()
	tmp, err := os.CreateTemp(f.dir, ".partial-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	_, err = io.Copy(tmp, in)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err != nil {
		return err
	}
	if err = os.Chmod(tmp.Name(), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), target)
}

// removePartials removes downloads that a crash interrupted.
func (f *fetcher) removePartials() error {
	partial, err := filepath.Glob(filepath.Join(f.dir, ".partial-*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, p := range partial {
		errs = append(errs, os.Remove(p))
	}
	return errors.Join(errs...)
}

// writeIn creates a file below root, replacing one that is there.
func writeIn(root *os.Root, name string, in io.Reader, mode os.FileMode, own *owner) error {
	if dir := filepath.Dir(name); dir != "." {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := root.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	out, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode.Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	err = errors.Join(err, out.Chmod(mode.Perm()))
	if own != nil {
		err = errors.Join(err, out.Chown(int(own.uid), int(own.gid)))
	}
	return errors.Join(err, out.Close())
}

// archiveKind tells by its name how to extract a file; "" means not at all.
func archiveKind(name string) string {
	for suffix, kind := range map[string]string{".tgz": "tar.gz", ".tar.gz": "tar.gz",
		".tar": "tar", ".zip": "zip"} {
		if strings.HasSuffix(name, suffix) {
			return kind
		}
	}
	return ""
}
