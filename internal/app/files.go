package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// lockDir takes the lock of a daemon in its folder; the kernel gives it back when the process
// ends, however that happens.
func lockDir(dir, name string) (unlock func(), err error) {
	path := filepath.Join(dir, name+".lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("another %s runs in %s already", name, dir)
		}
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}

// announcement is what a daemon tells of itself in "<name>.json".
type announcement struct {
	PID       int    `json:"pid"`
	URL       string `json:"url,omitempty"`
	MasterURL string `json:"master_url,omitempty"`
	// Version is the release of a scheduler, and Schema that of the state that it has open, for
	// the one that is to take its place.
	Version string `json:"version,omitempty"`
	Schema  int    `json:"schema,omitempty"`
}

// announce writes a daemon's announcement so that a reader never sees half of it.
func announce(dir, name string, a announcement) error {
	a.PID = os.Getpid()
	data, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encoding the announcement: %w", err)
	}
	path := filepath.Join(dir, name+".json")
	if err := os.WriteFile(path+".tmp", append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("announcing: %w", err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return fmt.Errorf("announcing: %w", err)
	}
	return nil
}

func readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// logMax is the size at which a daemon's log is rotated; one older file is kept.
const logMax = 16 << 20

// openLog gives a logger to a file, or to standard error when there is none or the daemon
// runs in the foreground.
func openLog(path string, foreground bool) (*slog.Logger, func(), error) {
	level := slog.LevelInfo
	if os.Getenv("KAFKA_SCHED_LOG") == "debug" {
		level = slog.LevelDebug
	}
	var w io.Writer = os.Stderr
	closer := func() {}
	if path != "" && !foreground {
		f, err := openRotating(path)
		if err != nil {
			return nil, nil, err
		}
		w, closer = f, func() { f.close() }
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level})), closer, nil
}

// rotating is a log file that is renamed to "<path>.1" when it is full.
type rotating struct {
	mu   sync.Mutex
	path string
	file *os.File
	size int64
}

func openRotating(path string) (*rotating, error) {
	r := &rotating{path: path}
	return r, r.open()
}

func (r *rotating) open() error {
	f, err := os.OpenFile(r.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return fmt.Errorf("opening the log: %w", err)
	}
	r.file, r.size = f, info.Size()
	return nil
}

// Write implements io.Writer. When rotating fails, the old file simply goes on.
func (r *rotating) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.size+int64(len(p)) > logMax {
		old := r.file
		if os.Rename(r.path, r.path+".1") == nil && r.open() == nil {
			old.Close()
		}
	}
	n, err := r.file.Write(p)
	r.size += int64(n)
	return n, err
}

func (r *rotating) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.file.Close()
}
