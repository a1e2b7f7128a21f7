package supervise

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/kafka-sched/kafka-sched/executor"
)

const (
	keptLines = 40       // of a task's output, in memory
	keptLine  = 1 << 10  // bytes of such a line
	longLine  = 64 << 10 // a line longer than this may be broken by a rotation
)

// output takes what a task writes: two pipes, each copied into its file, and the last lines.
type output struct {
	stdout, stderr *os.File // the task's ends
	sources        []*os.File
	files          []*rotating
	tail           tail
	copying        sync.WaitGroup
}

func newOutput(root *os.Root, order executor.Order, log *slog.Logger) (*output, error) {
	o := &output{}
	ends := []**os.File{&o.stdout, &o.stderr}
	for i, name := range []string{order.OutFile(), order.ErrFile()} {
		r, w, err := os.Pipe()
		if err != nil {
			o.close()
			return nil, fmt.Errorf("making a pipe for %s: %w", name, err)
		}
		*ends[i] = w
		o.sources = append(o.sources, r)
		file := &rotating{root: root, name: name, limit: order.LogBytes, keep: order.LogFiles,
			log: log}
		o.files = append(o.files, file)
		if err := file.open(); err != nil {
			o.close()
			return nil, fmt.Errorf("opening %s in the sandbox: %w", name, err)
		}
	}
	return o, nil
}

// begin copies, now that the task has its ends of the pipes or never will.
func (o *output) begin() {
	o.stdout.Close()
	o.stderr.Close()
	for i, source := range o.sources {
		o.copying.Go(func() {
			lines := &lines{tail: &o.tail}
			_, _ = io.Copy(io.MultiWriter(o.files[i], lines), onlyReader{source})
			lines.flush()
		})
	}
}

// drain waits for the ends of the pipes, but not for longer than limit, and closes everything.
func (o *output) drain(limit time.Duration) {
	for _, source := range o.sources {
		_ = source.SetReadDeadline(time.Now().Add(limit))
	}
	o.copying.Wait()
	o.close()
}

func (o *output) close() {
	for _, f := range []*os.File{o.stdout, o.stderr} {
		if f != nil {
			f.Close()
		}
	}
	for _, source := range o.sources {
		source.Close()
	}
	for _, file := range o.files {
		file.close()
	}
}

// onlyReader hides the other methods of a file from io.Copy.
type onlyReader struct{ io.Reader }

// rotating is a file that is renamed when it has reached its limit: name.1 is the newest of
// the old ones. It never fails a write; what cannot be written is dropped, for the sake of the
// task behind the pipe.
type rotating struct {
	root  *os.Root
	name  string
	limit int64
	keep  int
	log   *slog.Logger

	file *os.File
	size int64
	lost bool // something was dropped; said once until it works again
}

func (r *rotating) open() error {
	f, err := r.root.OpenFile(r.name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return err
	}
	r.file, r.size = f, info.Size()
	return nil
}

func (r *rotating) close() {
	if r.file != nil {
		r.file.Close()
		r.file = nil
	}
}

// Write writes lines up to the one that reaches the limit, rotates, and goes on.
func (r *rotating) Write(p []byte) (int, error) {
	all := len(p)
	for len(p) > 0 {
		n := len(p)
		full := r.size+int64(n) >= r.limit
		if full {
			from := int(min(max(r.limit-r.size, 1), int64(n))) - 1
			if i := bytes.IndexByte(p[from:], '\n'); i >= 0 {
				n = from + i + 1
			} else {
				full = r.size+int64(n) > r.limit+longLine
			}
		}
		r.append(p[:n])
		p = p[n:]
		if full {
			r.rotate()
		}
	}
	return all, nil
}

func (r *rotating) append(p []byte) {
	var err error
	if r.file == nil {
		err = r.open()
	}
	if err == nil {
		var n int
		n, err = r.file.Write(p)
		r.size += int64(n)
	}
	if err != nil && !r.lost {
		r.log.Error("a task's output is being dropped", "file", r.name, "error", err)
	}
	r.lost = err != nil
}

// rotate renames name to name.1, name.1 to name.2 and so on; the oldest is overwritten.
func (r *rotating) rotate() {
	r.close()
	r.size = 0
	for i := r.keep; i > 0; i-- {
		from := r.name
		if i > 1 {
			from = r.old(i - 1)
		}
		err := r.root.Rename(from, r.old(i))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			r.log.Error("rotating a task's output", "file", r.name, "error", err)
			return
		}
	}
	_ = r.open() // for those who follow it; append tries again
}

func (r *rotating) old(i int) string { return r.name + "." + strconv.Itoa(i) }

// tail holds the last lines of all streams of a task, in the order in which they came.
type tail struct {
	mu   sync.Mutex
	last []string
}

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.last) == keptLines {
		copy(t.last, t.last[1:])
		t.last = t.last[:keptLines-1]
	}
	t.last = append(t.last, line)
}

func (t *tail) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.last...)
}

// lines splits one stream into lines for the tail.
type lines struct {
	tail    *tail
	partial []byte
}

func (l *lines) Write(p []byte) (int, error) {
	all := len(p)
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			break
		}
		l.keep(p[:i])
		l.flush()
		p = p[i+1:]
	}
	l.keep(p)
	return all, nil
}

// keep adds to the line in progress, as far as it is of interest.
func (l *lines) keep(p []byte) {
	room := max(0, keptLine-len(l.partial))
	l.partial = append(l.partial, p[:min(room, len(p))]...)
}

// flush ends the line in progress; blank lines are left out.
func (l *lines) flush() {
	if line := bytes.TrimSpace(l.partial); len(line) > 0 {
		l.tail.add(string(bytes.TrimRight(l.partial, "\r")))
	}
	l.partial = l.partial[:0]
}
