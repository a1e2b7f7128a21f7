package flight

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

const (
	// title is the first line of a segment; the number is that of its form.
	title = "kafka-sched recording 1"
	// suffix ends the names of segments, crashSuffix those of machines that crashed.
	suffix, crashSuffix = ".rec.gz", ".crash.rec.gz"
	// crashesKept is how many of the latter are kept.
	crashesKept = 5
	// segmentsIn is into how many segments the room of a recording goes.
	segmentsIn = 4
)

// Config is what a recorder needs to know.
type Config struct {
	// Dir is the folder of the recording, made if it is missing.
	Dir string
	// Most is how many bytes all segments together may take; with none, nothing is recorded.
	Most int64
	// Machine is what machines are made with; its UUID is where ids come from.
	Machine scheduler.Config
	Logger  *slog.Logger
	// Now names segments and crashes; nil is time.Now.
	Now func() time.Time
}

// Recorder writes a recording. It is owned by the goroutine that has the machine. What goes wrong
// is logged, and ends the recording and nothing else.
type Recorder struct {
	cfg   Config
	file  *os.File
	zip   *gzip.Writer
	size  int64
	lines *bufio.Writer // to zip
	// begun tells how writing the state that a segment begins with has ended, nil once that is
	// known; what is recorded meanwhile is early. write does it, nil once it is under way.
	begun chan error
	write func()
	early bytes.Buffer
	draws [][16]byte
	hard  func() scheduler.Hard
	dirty bool // there is something to keep
}

// New makes a recorder and the machine that it records, restored from a state.
func New(cfg Config, hard scheduler.Hard) (*Recorder, *scheduler.Machine) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	r := &Recorder{cfg: cfg}
	return r, r.restore(hard)
}

// restore begins a segment with a machine of its own.
func (r *Recorder) restore(hard scheduler.Hard) *scheduler.Machine {
	if r.cfg.Most > 0 {
		if err := r.begin(hard); err != nil {
			r.fail(err)
		}
	}
	cfg := r.cfg.Machine
	cfg.UUID = func() [16]byte {
		id := r.cfg.Machine.UUID()
		r.draws = append(r.draws, id)
		return id
	}
	m := scheduler.Restore(cfg, hard)
	r.hard = m.Hard
	return m
}

// fail ends the recording.
func (r *Recorder) fail(err error) {
	if r.begun != nil {
		r.start()
		err = errors.Join(err, <-r.begun)
	}
	if r.file != nil {
		r.file.Close()
	}
	r.file, r.zip, r.begun, r.early = nil, nil, nil, bytes.Buffer{}
	r.cfg.Logger.Warn("events are not recorded any more; the scheduler goes on without",
		"error", err)
}

// Write counts what goes to the file, for the gzip writer.
func (r *Recorder) Write(p []byte) (int, error) {
	n, err := r.file.Write(p)
	r.size += int64(n)
	return n, err
}

// begin opens a segment. What a machine begins with is written down behind that machine's first
// step, as both take their time where there is much, and everybody waits for the first picture.
func (r *Recorder) begin(hard scheduler.Hard) error {
	if err := os.MkdirAll(r.cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("making the folder of the recording: %w", err)
	}
	if err := r.makeRoom(); err != nil {
		return err
	}
	name := r.cfg.Now().UTC().Format("20060102-150405.000000000") + suffix
	file, err := os.OpenFile(filepath.Join(r.cfg.Dir, name),
		os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("making a segment of the recording: %w", err)
	}
	r.file, r.size = file, 0
	if r.zip, err = gzip.NewWriterLevel(r, gzip.BestSpeed); err != nil {
		return err
	}
	r.lines = bufio.NewWriter(&r.early)
	r.begun = make(chan error, 1)
	r.write = func() {
		err := r.writeState(hard)
		if err != nil { // as on a disk that is full: nobody can begin with it
			err = errors.Join(err, os.Remove(file.Name()))
		}
		r.begun <- err
	}
	return nil
}

// start begins to write the state, unless that is under way.
func (r *Recorder) start() {
	if r.write != nil {
		go r.write()
		r.write = nil
	}
}

// writeState writes what a segment begins with, and gives it to the system.
func (r *Recorder) writeState(hard scheduler.Hard) error {
	lines := bufio.NewWriter(r.zip)
	if err := header(lines, r.cfg.Machine, hard); err != nil {
		return err
	}
	return flush(lines, r.zip)
}

// settle waits until the state is written, and puts behind it what was recorded meanwhile. It
// reports whether the recording goes on.
func (r *Recorder) settle() bool {
	if r.begun == nil {
		return r.file != nil
	}
	r.start()
	err := <-r.begun
	r.begun = nil
	if err == nil {
		r.lines.Flush() // to early, which takes all
		_, err = r.zip.Write(r.early.Bytes())
	}
	if err != nil {
		r.fail(err)
		return false
	}
	r.early = bytes.Buffer{}
	r.lines.Reset(r.zip)
	return true
}

// header writes what a segment begins with.
func header(w io.Writer, cfg scheduler.Config, hard scheduler.Hard) error {
	cfg.UUID = nil
	config, err := json.Marshal(settings(cfg))
	if err != nil {
		return fmt.Errorf("recording the configuration: %w", err)
	}
	entries, err := Entries(hard)
	if err != nil {
		return fmt.Errorf("recording the state: %w", err)
	}
	fmt.Fprintf(w, "%s\nconfig %s\n", title, config)
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		fmt.Fprintf(w, "state %s %s\n", key, entries[key])
	}
	return nil
}

// makeRoom removes the oldest segments beyond what all may take, and old crashes.
func (r *Recorder) makeRoom() error {
	all, err := List(r.cfg.Dir)
	if err != nil {
		return err
	}
	most := r.cfg.Most - r.cfg.Most/segmentsIn // the rest is for the one that begins
	var sum int64
	crashes := 0
	for _, s := range slices.Backward(all) {
		if s.Crash {
			crashes++
		} else {
			sum += s.Size
		}
		if s.Crash && crashes > crashesKept || !s.Crash && sum > most {
			if err := os.Remove(s.Path); err != nil {
				return fmt.Errorf("removing an old segment of the recording: %w", err)
			}
		}
	}
	return nil
}

// flush gives what was written to the system, which has it whatever becomes of this process.
func flush(lines *bufio.Writer, zip *gzip.Writer) error {
	err := lines.Flush()
	if err == nil {
		err = zip.Flush()
	}
	if err != nil {
		return fmt.Errorf("writing the recording: %w", err)
	}
	return nil
}

// Given is told of an event that the machine gets next.
func (r *Recorder) Given(at time.Time, ev scheduler.Event) {
	r.draws = r.draws[:0]
	if len(r.begun) > 0 {
		r.settle()
	}
	if r.file == nil {
		return
	}
	if err := writeEvent(r.lines, at, ev); err != nil {
		r.fail(fmt.Errorf("recording an event: %w", err))
		return
	}
	r.dirty = true
}

// Made is told what the machine made of it. It leaves the writes as store.Written.
func (r *Recorder) Made(out scheduler.Output) {
	if r.file == nil {
		return
	}
	r.start()
	writeDraws(r.lines, r.draws)
	err := encodeIn(out.Writes)
	made := ""
	if err == nil {
		made, err = madeText(out)
	}
	if err != nil {
		r.fail(fmt.Errorf("recording what came of an event: %w", err))
		return
	}
	fmt.Fprintf(r.lines, "made %s\n", made)
}

// encodeIn puts what was encoded in the place of writes.
func encodeIn(writes []scheduler.Write) error {
	changes, err := store.Encode(writes)
	for i, c := range changes {
		writes[i] = store.Written{Write: writes[i], Change: c}
	}
	return err
}

// writeDraws writes the ids down that were drawn in a step.
func writeDraws(w io.Writer, ids [][16]byte) {
	if len(ids) == 0 {
		return
	}
	io.WriteString(w, "draws")
	for _, id := range ids {
		io.WriteString(w, " "+hex.EncodeToString(id[:]))
	}
	io.WriteString(w, "\n")
}

// Keep makes all that was told outlive this process; it comes before writes are stored.
func (r *Recorder) Keep() {
	if r.file == nil || !r.dirty || !r.settle() {
		return
	}
	r.lines.WriteString("kept\n")
	if err := flush(r.lines, r.zip); err != nil {
		r.fail(err)
		return
	}
	r.dirty = false
}

// Full says that a segment has become as large as one may.
func (r *Recorder) Full() bool {
	return r.file != nil && r.begun == nil && r.size > r.cfg.Most/segmentsIn
}

// Anew ends the segment and begins the next, with the machine that goes on in place of the one so
// far: restored, as after a crash.
func (r *Recorder) Anew() *scheduler.Machine {
	hard := r.hard()
	r.Close()
	return r.restore(hard)
}

// Crashed ends the segment with a panic, and keeps it.
func (r *Recorder) Crashed(why any) {
	if !r.settle() {
		return
	}
	writeDraws(r.lines, r.draws)
	fmt.Fprintf(r.lines, "crash %q\n", fmt.Sprint(why))
	path := r.file.Name()
	r.end()
	err := os.Rename(path, strings.TrimSuffix(path, suffix)+crashSuffix)
	if err != nil {
		r.cfg.Logger.Warn("the recording of a crash is not kept", "error", err)
	}
}

// Close ends the recording in order.
func (r *Recorder) Close() {
	if !r.settle() {
		return
	}
	sum, err := stateSum(r.hard())
	if err != nil {
		r.fail(err)
		return
	}
	fmt.Fprintf(r.lines, "end %s\n", sum)
	r.end()
}

// end writes the last lines and closes the file.
func (r *Recorder) end() {
	err := r.lines.Flush()
	if e := r.zip.Close(); err == nil {
		err = e
	}
	if e := r.file.Close(); err == nil {
		err = e
	}
	r.file, r.zip = nil, nil
	if err != nil {
		r.cfg.Logger.Warn("the end of the recording is lost", "error", err)
	}
}
