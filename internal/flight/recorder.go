package flight

import (
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

	"github.com/kafka-sched/kafka-sched/internal/mesos"
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

// Recorder writes a recording. It is owned by the goroutine that has the machine, which does not
// wait for what is written down until it has to outlive the process. What goes wrong is logged, and
// ends the recording and nothing else.
type Recorder struct {
	cfg   Config
	to    *segment // nil for none
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
			r.lost(err)
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

// lost says that the recording has ended.
func (r *Recorder) lost(err error) {
	r.cfg.Logger.Warn("events are not recorded any more; the scheduler goes on without",
		"error", err)
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
	to, err := newSegment(filepath.Join(r.cfg.Dir, name), r.lost)
	if err != nil {
		return err
	}
	r.to = to
	to.add(worth, func() error {
		err := header(to.lines, r.cfg.Machine, hard)
		if err == nil {
			err = to.flush()
		}
		if err != nil { // as on a disk that is full: nobody can begin with it
			err = errors.Join(err, os.Remove(to.file.Name()))
		}
		return err
	})
	return nil
}

// header writes what a segment begins with.
func header(w io.Writer, cfg scheduler.Config, hard scheduler.Hard) error {
	cfg.UUID = nil
	config, err := json.Marshal(settings(cfg))
	if err != nil {
		return fmt.Errorf("recording the configuration: %w", err)
	}
	entries, err := store.Entries(hard)
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

// Given is told of an event that the machine gets next.
func (r *Recorder) Given(at time.Time, ev scheduler.Event) {
	r.draws = nil
	if r.to == nil {
		return
	}
	to := r.to
	to.add(workOf(ev), func() error {
		if err := writeEvent(to.lines, at, ev); err != nil {
			return fmt.Errorf("recording an event: %w", err)
		}
		return nil
	})
	r.dirty = true
}

// workOf is how much work it is to write an event down, where a small one is 1.
func workOf(ev scheduler.Event) int {
	from, _ := ev.(scheduler.FromMesos)
	switch list := from.Event.(type) {
	case mesos.Offers:
		return len(list.Offers)
	case mesos.AgentsSeen:
		return len(list.Agents)
	}
	return 1
}

// Made is told what the machine made of it. It leaves the writes as store.Written, which the store
// need not encode again.
func (r *Recorder) Made(out scheduler.Output) {
	if r.to == nil {
		return
	}
	for i, w := range out.Writes {
		out.Writes[i] = store.Once(w)
	}
	to, draws := r.to, r.draws
	to.add(1, func() error {
		writeDraws(to.lines, draws)
		made, err := madeText(out)
		if err != nil {
			return fmt.Errorf("recording what came of an event: %w", err)
		}
		fmt.Fprintf(to.lines, "made %s\n", made)
		return nil
	})
	to.start()
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
	if r.to == nil || !r.dirty {
		return
	}
	to := r.to
	to.add(1, func() error {
		to.lines.WriteString("kept\n")
		return to.flush()
	})
	to.wait()
	r.dirty = false
}

// Full says that a segment has become as large as one may.
func (r *Recorder) Full() bool {
	return r.to != nil && r.to.exceeds(r.cfg.Most/segmentsIn)
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
	if r.to == nil {
		return
	}
	to, draws := r.to, r.draws
	to.add(1, func() error {
		writeDraws(to.lines, draws)
		fmt.Fprintf(to.lines, "crash %q\n", fmt.Sprint(why))
		path := to.file.Name()
		return errors.Join(to.close(),
			os.Rename(path, strings.TrimSuffix(path, suffix)+crashSuffix))
	})
	r.end()
}

// Close ends the recording in order.
func (r *Recorder) Close() {
	if r.to == nil {
		return
	}
	to := r.to
	to.add(1, func() error {
		sum, err := stateSum(r.hard())
		if err != nil {
			return err
		}
		fmt.Fprintf(to.lines, "end %s\n", sum)
		return to.close()
	})
	r.end()
}

// end waits until all is written.
func (r *Recorder) end() {
	r.to.wait()
	r.to = nil
}
