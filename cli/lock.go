package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// procLock is a file that a process keeps locked (flock) while it lives; the file's text is
// the process id. As the lock ends with its holder, a pid in a locked file is a live process
// of ours, never a stranger that got the number later.
type procLock struct{ file *os.File }

// errHeld says that another process holds a lock.
var errHeld = errors.New("held by another process")

// takeLock obtains a lock and writes our pid into it; errHeld when somebody has it for longer
// than the patience. Those who only look at a lock hold it for an instant, which is why
// processes that must get theirs bring some patience.
func takeLock(path string, patience time.Duration) (procLock, error) {
	for deadline := time.Now().Add(patience); ; {
		l, err := tryLock(path)
		if !errors.Is(err, errHeld) || time.Now().After(deadline) {
			return l, err
		}
		time.Sleep(lockPoll)
	}
}

func tryLock(path string) (procLock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return procLock{}, fmt.Errorf("locking: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return procLock{}, errHeld
		}
		return procLock{}, fmt.Errorf("locking %s: %w", path, err)
	}
	if !sameFile(f, path) { // its former holder removed it between our open and our lock
		f.Close()
		return procLock{}, errHeld
	}
	// The width is fixed, so that the number replaces that of the former holder at once.
	if _, err := fmt.Fprintf(f, "%10d\n", os.Getpid()); err != nil {
		os.Remove(path) // without a pid in it, it only puzzles those who look at it
		f.Close()
		return procLock{}, fmt.Errorf("locking %s: %w", path, plain(err))
	}
	return procLock{file: f}, nil
}

// sameFile says whether a path still names an open file.
func sameFile(f *os.File, path string) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(opened, named)
}

// release lets go; the file stays.
func (l procLock) release() {
	if l.file != nil {
		l.file.Close()
	}
}

// holder is the pid of the process that holds a lock, 0 when nobody does.
func holder(path string) (int, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("looking at a lock: %w", err)
	}
	defer f.Close()
	err = unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	if err == nil {
		return 0, nil
	}
	if !errors.Is(err, unix.EWOULDBLOCK) {
		return 0, fmt.Errorf("looking at lock %s: %w", path, err)
	}
	text, err := io.ReadAll(io.LimitReader(f, 32))
	if err != nil {
		return 0, fmt.Errorf("reading lock %s: %w", path, err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		return 0, fmt.Errorf("lock %s: its holder has not yet said who it is", path)
	}
	return pid, nil
}

// lockPoll is how often a lock is looked at while one waits for its holder to end.
const lockPoll = 50 * time.Millisecond

// awaitFree waits until nobody holds a lock.
func awaitFree(ctx context.Context, path string) error {
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for {
		pid, err := holder(path)
		if err == nil && pid == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// terminate ends the holder of a lock: SIGTERM, and SIGKILL when it is still there after the
// patience. It returns when nobody holds the lock.
func terminate(ctx context.Context, path string, patience time.Duration) error {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		pid, err := holder(path)
		if err != nil {
			return err
		}
		if pid == 0 {
			return nil
		}
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("ending process %d: %w", pid, err)
		}
		wait, cancel := context.WithTimeout(ctx, patience)
		err = awaitFree(wait, path)
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return fmt.Errorf("a process that holds %s does not end", path)
}
