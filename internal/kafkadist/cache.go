package kafkadist

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// Dist is a packed distribution in the cache.
type Dist struct {
	// Version is Kafka's version, "4.3.1", or Java's.
	Version string
	// Digest is the SHA-256 of the archive in hexadecimal.
	Digest string
	// Path is the archive's absolute path. Its only top folder is kafka/, or jre/ for Java.
	Path string
	// Size is the archive's size in bytes.
	Size int64
	// Source says for people where the distribution came from.
	Source string
}

// Cache is a folder of packed distributions. Several processes may use one folder at once.
type Cache struct {
	dir       string
	progress  func(Progress)
	reporting sync.Mutex

	verifying sync.Mutex
	verified  map[stamp]bool // archives whose digest this process has computed
}

// DefaultCacheDir is the folder named by KAFKA_SCHED_CACHE, else kafka-sched in the user's cache
// folder (XDG_CACHE_HOME or ~/.cache), else one of the user's own below the temporary folder.
func DefaultCacheDir() string {
	if dir := os.Getenv("KAFKA_SCHED_CACHE"); dir != "" {
		return dir
	}
	if dir, err := os.UserCacheDir(); err == nil {
		return filepath.Join(dir, "kafka-sched")
	}
	return filepath.Join(os.TempDir(), "kafka-sched-cache-"+strconv.Itoa(os.Getuid()))
}

// Open makes the folder if it is missing, and removes what fetches left there whose process is
// dead. The callback may be nil; it is called by one goroutine at a time and should be quick.
func Open(dir string, progress func(Progress)) (*Cache, error) {
	if dir == "" {
		return nil, errors.New("opening the distribution cache: no folder is named")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the distribution cache: %w", err)
	}
	if err := os.MkdirAll(abs, 0o755); err != nil {
		return nil, fmt.Errorf("opening the distribution cache: %w", err)
	}
	c := &Cache{dir: abs, progress: progress, verified: map[stamp]bool{}}
	if err := c.cleanUp(); err != nil {
		return nil, fmt.Errorf("cleaning the distribution cache: %w", err)
	}
	return c, nil
}

// Fetch returns the packed distribution, or Java runtime, of a source, from the cache if it is
// there. While another process fetches the same source it waits, and then uses what the other one
// got. On an error, which includes the context's end, nothing is left behind.
func (c *Cache) Fetch(ctx context.Context, src Source) (Dist, error) {
	d, err := c.fetch(ctx, src)
	if err != nil {
		return Dist{}, fmt.Errorf("getting %s from %s: %w", src.What(), src, err)
	}
	return d, nil
}

func (c *Cache) fetch(ctx context.Context, src Source) (Dist, error) {
	if err := src.check(); err != nil {
		return Dist{}, err
	}
	fingerprint, err := src.fingerprint()
	if err != nil {
		return Dist{}, err
	}
	if d, ok := c.lookUp(src, fingerprint); ok {
		return c.answer(d, src)
	}
	lock, err := c.lock(ctx, src.key(), func() {
		c.report(Progress{Stage: Waiting, Text: "waiting for another process that is getting " +
			"the same " + src.What()})
	})
	if err != nil {
		return Dist{}, err
	}
	defer lock.release()
	if d, ok := c.lookUp(src, fingerprint); ok {
		return c.answer(d, src)
	}
	return c.fetchLocked(ctx, src, fingerprint)
}

// answer hands out what the cache had, if it is what was asked for.
func (c *Cache) answer(d Dist, src Source) (Dist, error) {
	if err := checkVersion(d.Version, src.Version); err != nil {
		return Dist{}, err
	}
	text := fmt.Sprintf("%s %s is in the cache", src.What(), d.Version)
	c.report(Progress{Stage: Cached, Text: text, Done: d.Size, Total: d.Size})
	return d, nil
}

// fetchLocked fetches, packs and records a source; the caller holds the lock of its key.
func (c *Cache) fetchLocked(ctx context.Context, src Source, fingerprint string) (
	d Dist, err error,
) {
	c.removeWork(src.key())
	work, err := os.MkdirTemp(c.dir, workPrefix+src.key()+"-")
	if err != nil {
		return Dist{}, err
	}
	defer func() {
		if rerr := os.RemoveAll(work); err == nil && rerr != nil {
			err = fmt.Errorf("removing the temporary folder: %w", rerr)
		}
	}()
	gather := c.gatherKafka
	if src.Java {
		gather = c.gatherJava
	}
	t, err := gather(ctx, src, work)
	if err != nil {
		return Dist{}, err
	}
	defer t.close()
	archive := filepath.Join(work, "packed.tgz")
	p, err := c.pack(ctx, t, archive)
	if err != nil {
		return Dist{}, err
	}
	if now, err := src.fingerprint(); err != nil || now != fingerprint {
		return Dist{}, errors.New("it changed while it was being read: try again")
	}
	return c.install(src, archive, record{
		Kind: src.Kind, Source: src.String(), Fingerprint: fingerprint,
		Version: t.version, SHA256: p.sha256, Size: p.size, Java: src.Java,
	})
}

// gathered is what is packed: files that were found good, of one version.
type gathered struct {
	files   fs.FS
	list    []file
	version string
	what    string // Kafka or Java
	top     string // the top folder of the packed archive
	close   func() error
}

// gatherKafka opens a Kafka and judges it.
func (c *Cache) gatherKafka(ctx context.Context, src Source, work string) (gathered, error) {
	root, err := c.unpacked(ctx, src, work)
	if err != nil {
		return gathered{}, err
	}
	files, version, err := c.inspect(ctx, root, src.Version)
	if err != nil {
		root.Close()
		return gathered{}, err
	}
	return gathered{files: root.FS(), list: files, version: version, what: "Kafka", top: KafkaTop,
		close: root.Close}, nil
}

// unpacked opens the folder of a source that has bin, config and libs, making it below work unless
// the source is such a folder already.
func (c *Cache) unpacked(ctx context.Context, src Source, work string) (*os.Root, error) {
	switch src.Kind {
	case Folder:
		return os.OpenRoot(src.Location)
	case Archive:
		return c.unpack(ctx, src.Location, work)
	case URL:
		archive := filepath.Join(work, "download")
		if err := c.download(ctx, src, archive); err != nil {
			return nil, err
		}
		return c.unpack(ctx, archive, work)
	}
	if err := c.runMaven(ctx, src.Version, work); err != nil {
		return nil, err
	}
	return os.OpenRoot(work)
}
