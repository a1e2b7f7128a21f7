package apiconform

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

// line is one line of a recording: an event, or a request with its answer.
type line struct {
	Scenario string
	Moment   string
	Event    *string
	Calls    []string `json:"driver_calls"`
	Request  *request
	Response *response

	file   string // base name
	number int    // from 1
}

type request struct {
	Method  string
	Path    string
	Headers map[string]string
	Body    *string
}

type response struct {
	Status int
	Type   *string         `json:"content_type"`
	Body   json.RawMessage // null where there was none
}

func (l line) place() string { return fmt.Sprintf("%s:%d", l.file, l.number) }

// readRecording reads a file of JSON lines, compressed or not.
func readRecording(path string) ([]line, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(path, ".gz") {
		unpacked, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if data, err = io.ReadAll(unpacked); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	var lines []line
	in := bufio.NewScanner(bytes.NewReader(data))
	in.Buffer(nil, 64<<20)
	for n := 1; in.Scan(); n++ {
		if len(bytes.TrimSpace(in.Bytes())) == 0 {
			continue
		}
		l := line{file: strings.TrimSuffix(filepath.Base(path), ".gz"), number: n}
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		lines = append(lines, l)
	}
	return lines, in.Err()
}

// series is the life of one service: its recordings, one after the other. Those that only led
// to the next one are played without being compared.
type series struct {
	service string
	files   []recording
	// leads are what may have come before the first file, when that begins in the middle.
	leads [][]recording
}

type recording struct {
	lines   []line
	compare bool
}

func (r recording) file() string { return r.lines[0].file }

// readSeries reads files and joins those of one service in the order of their names. What was
// recorded between two of them, or before the first, is played too, as far as a copy is here.
func readSeries(paths []string) ([]series, error) {
	paths = slices.Clone(paths)
	slices.SortFunc(paths, func(a, b string) int {
		return strings.Compare(filepath.Base(a), filepath.Base(b))
	})
	copies, err := readCopies()
	if err != nil {
		return nil, err
	}
	var list []series
	for _, path := range paths {
		lines, err := readRecording(path)
		if err != nil {
			return nil, err
		}
		if len(lines) == 0 {
			return nil, fmt.Errorf("%s: empty", path)
		}
		service, err := serviceOf(lines)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		i := len(list) - 1
		for i >= 0 && list[i].service != service {
			i--
		}
		if i < 0 || fresh(lines) {
			list = append(list, series{service: service})
			i = len(list) - 1
		}
		list[i].add(recording{lines, true}, copies[service])
	}
	return list, nil
}

// add appends a recording. Of two that are copies, those between them are played as well.
func (s *series) add(r recording, copies []recording) {
	place := func(file string) int {
		return slices.IndexFunc(copies, func(c recording) bool { return c.file() == file })
	}
	at := place(r.file())
	switch {
	case fresh(r.lines):
	case len(s.files) == 0 && at >= 0:
		s.files = slices.Clone(copies[:at])
	case len(s.files) == 0:
		for n := range len(copies) + 1 {
			s.leads = append(s.leads, copies[:n])
		}
	case at >= 0:
		if last := place(s.files[len(s.files)-1].file()); last >= 0 && last < at {
			s.files = append(s.files, copies[last+1:at]...)
		}
	}
	s.files = append(s.files, r)
}

// readCopies reads the recordings in testdata, by service and in order.
func readCopies() (map[string][]recording, error) {
	paths, err := copiedRecordings()
	if err != nil {
		return nil, err
	}
	copies := map[string][]recording{}
	for _, path := range paths {
		lines, err := readRecording(path)
		if err != nil {
			return nil, err
		}
		service, err := serviceOf(lines)
		if err != nil {
			return nil, err
		}
		copies[service] = append(copies[service], recording{lines, false})
	}
	return copies, nil
}

// serviceOf tells which of the two specs a recording is about: by its scenario, else by the
// names of pods in its paths and events.
func serviceOf(lines []line) (string, error) {
	for _, l := range lines {
		for _, name := range serviceNames {
			if strings.HasPrefix(l.Scenario, name) {
				return name, nil
			}
		}
	}
	for _, l := range lines {
		text := ""
		switch {
		case l.Event != nil:
			text = *l.Event
		case l.Request != nil:
			text = l.Request.Path
		}
		switch {
		case strings.Contains(text, "kafka-") || strings.Contains(text, "BROKER_"):
			return kafkaService, nil
		case strings.Contains(text, "node-") || strings.Contains(text, "data-") ||
			strings.Contains(text, "NODE_"):
			return mixedService, nil
		}
	}
	return "", fmt.Errorf("no line says which service it is about; known are %s",
		strings.Join(serviceNames, ", "))
}

// fresh says whether a recording begins with a service that never ran: it is started and its
// agents are named before anything else happens.
func fresh(lines []line) bool {
	started := false
	for _, l := range lines {
		if l.Event == nil {
			return false
		}
		switch word, _, _ := strings.Cut(*l.Event, " "); {
		case word == eventStart:
			started = true
		case word == eventAgent:
			return started
		default:
			return false
		}
	}
	return false
}

// copiedRecordings are the files in testdata, in order.
func copiedRecordings() ([]string, error) {
	paths, err := filepath.Glob("testdata/*.jsonl.gz")
	slices.Sort(paths)
	return paths, err
}
