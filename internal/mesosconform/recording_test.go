package mesosconform

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Kinds of lines.
const (
	dirRequest = "req"
	dirAnswer  = "resp"
	dirEvent   = "event"
	dirNote    = "note"
)

// line is one line of a recording.
type line struct {
	T        float64
	Dir      string
	Conn     string
	Endpoint string
	ID       any
	Status   int
	Headers  map[string]string
	Body     any
	Closed   string

	number int
	answer *line // of a request, if there was one
}

func (l *line) stream() bool { return l.Status == 200 && l.Body == nil }

// note is the text of a note, if it is one.
func (l *line) note() string {
	s, _ := l.Body.(string)
	return s
}

// call is the type of a request or an event.
func (l *line) call() string {
	if l.Closed != "" {
		return "closed"
	}
	return textAt(l.Body, "type")
}

// at follows member names into a JSON value.
func at(v any, names ...string) any {
	for _, n := range names {
		o, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = o[n]
	}
	return v
}

func textAt(v any, names ...string) string {
	s, _ := at(v, names...).(string)
	return s
}

type recording struct {
	name  string
	lines []*line
}

// seconds is how long it took to record.
func (r recording) seconds() float64 {
	last := 0.0
	for _, l := range r.lines {
		last = max(last, l.T)
	}
	return last
}

// warmsUp tells whether a line is one of the notes that processes are started, whose clock is
// an earlier one.
func (r recording) warmsUp(i int) bool {
	for ; i+1 < len(r.lines) && r.lines[i].Dir == dirNote; i++ {
		if r.lines[i+1].T < r.lines[i].T {
			return true
		}
	}
	return false
}

func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

// readRecording reads a file of JSON lines, compressed or not.
func readRecording(path string) (recording, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return recording{}, err
	}
	if strings.HasSuffix(path, ".gz") {
		unpacked, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return recording{}, fmt.Errorf("%s: %w", path, err)
		}
		if data, err = io.ReadAll(unpacked); err != nil {
			return recording{}, fmt.Errorf("%s: %w", path, err)
		}
	}
	r := recording{name: strings.TrimSuffix(filepath.Base(path), ".gz")}
	requests := map[string]*line{}
	in := bufio.NewScanner(bytes.NewReader(data))
	in.Buffer(nil, 64<<20)
	for n := 1; in.Scan(); n++ {
		if len(bytes.TrimSpace(in.Bytes())) == 0 {
			continue
		}
		l := &line{number: n}
		d := json.NewDecoder(bytes.NewReader(in.Bytes()))
		d.UseNumber()
		if err := d.Decode(l); err != nil {
			return recording{}, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		key := fmt.Sprint(l.Conn, "|", l.ID)
		switch l.Dir {
		case dirRequest:
			requests[key] = l
		case dirAnswer:
			if q := requests[key]; q != nil {
				q.answer = l
			}
		}
		r.lines = append(r.lines, l)
	}
	r.unswap()
	return r, in.Err()
}

// unswap puts the end of a stream behind the subscription that ended it: an
// executor's two threads may have written these lines in the wrong order.
func (r *recording) unswap() {
	for i := range r.lines {
		end := r.lines[i]
		if end.Closed == "" || i+2 >= len(r.lines) {
			continue
		}
		q := r.lines[i+1]
		if q.Conn == end.Conn && q.call() == "SUBSCRIBE" && q.T-end.T < 0.01 &&
			r.lines[i+2] == q.answer {
			copy(r.lines[i:], r.lines[i+1:i+3])
			r.lines[i+2] = end
		}
	}
}

// copiedRecordings are the files in testdata, in order.
func copiedRecordings() ([]string, error) {
	paths, err := filepath.Glob("testdata/*.jsonl.gz")
	slices.Sort(paths)
	return paths, err
}
