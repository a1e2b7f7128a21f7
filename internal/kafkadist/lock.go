package kafkadist

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Names in the cache: lock-<key> while a source is fetched, tmp-<key>-<number> for its working
// folder.
const (
	lockPrefix = "lock-"
	workPrefix = "tmp-"
)

// lockRetry is how often a waiting fetch tries again. Polling, as a blocked flock cannot be ended
// by a context.
const lockRetry = 50 * time.Millisecond

// keyLock is the right to fetch one source.
type keyLock struct{ file *os.File }

// lock obtains the lock of a key; waits is called once if another fetch holds it.
func (c *Cache) lock(ctx context.Context, key string, waits func()) (keyLock, error) {
	ticker := time.NewTicker(lockRetry)
	defer ticker.Stop()
	waiting := false
	for {
		l, ok, err := c.tryLock(key)
		if err != nil {
			return keyLock{}, fmt.Errorf("locking the cache: %w", err)
		}
		if ok {
			return l, nil
		}
		if !waiting {
			waiting = true
			waits()
		}
		select {
		case <-ctx.Done():
			return keyLock{}, context.Cause(ctx)
		case <-ticker.C:
		}
	}
}

// tryLock obtains a lock if nobody holds it. A holder removes the file before it lets go, so a lock
// counts only on the file that still has the name.
func (c *Cache) tryLock(key string) (l keyLock, ok bool, err error) {
	path := filepath.Join(c.dir, lockPrefix+key)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return keyLock{}, false, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
			return keyLock{}, false, nil
		}
		return keyLock{}, false, err
	}
	mine, err := f.Stat()
	if err != nil {
		f.Close()
		return keyLock{}, false, err
	}
	named, err := os.Stat(path)
	if err != nil || !os.SameFile(mine, named) {
		f.Close()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return keyLock{}, false, err
		}
		return keyLock{}, false, nil
	}
	return keyLock{file: f}, true, nil
}

// release removes the lock's file and lets go, in this order.
func (l keyLock) release() {
	os.Remove(l.file.Name())
	l.file.Close()
}

// removeWork deletes the working folders of a key; the caller holds the key's lock.
func (c *Cache) removeWork(key string) {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, workPrefix) && leftoverKey(name) == key {
			os.RemoveAll(filepath.Join(c.dir, name))
		}
	}
}

// cleanUp removes working folders and lock files whose fetch has ended without doing so. Those of a
// running fetch are told by their lock, which cannot be obtained; nor can one of another user,
// which is then left alone.
func (c *Cache) cleanUp() error {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		key := leftoverKey(e.Name())
		if key == "" {
			continue
		}
		if l, ok, err := c.tryLock(key); err == nil && ok {
			c.removeWork(key)
			l.release()
		}
	}
	return nil
}

// leftovers is exact, as nobody says that the cache's folder holds nothing else.
var leftovers = regexp.MustCompile(
	"^(?:" + lockPrefix + "([0-9a-f]{16})|" + workPrefix + "([0-9a-f]{16})-[0-9]+)$")

// leftoverKey is the key in the name of a lock file or a working folder, empty for other names.
func leftoverKey(name string) string {
	parts := leftovers.FindStringSubmatch(name)
	if parts == nil {
		return ""
	}
	return parts[1] + parts[2]
}
