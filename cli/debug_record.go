package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kafka-sched/kafka-sched/internal/flight"
)

// usualRecording is how many megabytes a recording may take unless somebody says another number.
const usualRecording = 192

// recordingDir is where the scheduler of a cluster keeps its recording.
func (f folder) recordingDir() string { return f.file("scheduler", "recording") }

// recordingRoom is SchedulerOptions.Recording: negative for none, and 0 for the usual.
func recordingRoom(megabytes *int) int {
	switch {
	case megabytes == nil:
		return 0
	case *megabytes <= 0:
		return -1
	}
	return *megabytes
}

// segmentView is a segment of a recording as it is printed.
type segmentView struct {
	Name    string    `json:"name"`
	Bytes   int64     `json:"bytes"`
	Changed time.Time `json:"changed"`
	Crash   bool      `json:"crash,omitempty"`
}

// recordingView is what "debug record" prints.
type recordingView struct {
	Dir      string        `json:"dir"`
	Segments []segmentView `json:"segments"`
}

// debugRecordCmd shows the recording of a scheduler of this machine, and copies of it.
func (e *env) debugRecordCmd() *cobra.Command {
	var out, segment string
	var secrets bool
	c := &cobra.Command{
		Use: "record", Short: "Show the recording of what the scheduler was told, or copy it",
		Args: arguments(0, 0),
		Long: "Show where the scheduler keeps the recording of all that it was told, and its " +
			"segments.\nWith --out, copy one, the latest unless --segment names another: without " +
			"what looks like a\nsecret, so that it can be given away. A copy is replayed like " +
			"the segment itself.",
		Example: "  kafka-sched debug record\n" +
			"  kafka-sched debug record --out kafka.rec && kafka-sched debug replay kafka.rec",
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, _, err := e.own()
			if err != nil {
				return err
			}
			all, err := flight.List(f.recordingDir())
			if err != nil {
				return err
			}
			if out == "" {
				return e.printRecording(f, all)
			}
			return e.copyRecording(f, all, segment, out, secrets)
		},
	}
	c.Flags().StringVar(&out, "out", "", "copy a segment to this file, - for standard output")
	c.Flags().StringVar(&segment, "segment", "", "which one (default: the latest)")
	c.Flags().BoolVar(&secrets, "with-secrets", false, "copy it as it is")
	return c
}

func (e *env) printRecording(f folder, all []flight.Segment) error {
	v := recordingView{Dir: f.recordingDir(), Segments: []segmentView{}}
	for _, s := range all {
		v.Segments = append(v.Segments,
			segmentView{filepath.Base(s.Path), s.Size, s.Changed.UTC(), s.Crash})
	}
	return e.print(v, func() error {
		e.printf("%s\n", v.Dir)
		if len(v.Segments) == 0 {
			e.printf("nothing is recorded\n")
			return nil
		}
		t := e.table([]string{"SEGMENT", "KB", "LAST WRITTEN", "CRASH"})
		for _, s := range v.Segments {
			row(t, s.Name, fmt.Sprint((s.Bytes+1023)/1024), s.Changed.Format(time.RFC3339),
				map[bool]string{true: "yes"}[s.Crash])
		}
		return t.Flush()
	})
}

// copyRecording copies a segment.
func (e *env) copyRecording(
	f folder, all []flight.Segment, segment, out string, secrets bool,
) (err error) {
	path := ""
	for _, s := range all {
		if name := filepath.Base(s.Path); segment == "" && !s.Crash || name == segment {
			path = s.Path
		}
	}
	if path == "" {
		return fail(exitNotFound, "there is no such segment in %s; kafka-sched debug record%s "+
			"lists them", f.recordingDir(), e.nameFlag())
	}
	in, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening the recording: %w", err)
	}
	defer in.Close()
	to := e.stdout
	if out != "-" {
		file, err := os.OpenFile(out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return fail(exitUsage, "--out: %w", err)
		}
		defer func() {
			if err = errors.Join(err, file.Close()); err != nil {
				os.Remove(out)
			}
		}()
		to = file
	}
	if secrets {
		_, err = io.Copy(to, in)
	} else if err = flight.Redact(to, in, redactDocument); err != nil {
		err = fmt.Errorf("%w; --with-secrets copies it as it is", err)
	}
	if err == nil && out != "-" {
		e.hint("%s is a copy of %s", out, strings.TrimPrefix(path, f.dir+"/"))
	}
	return err
}

// redactDocument takes what looks like a secret out of a JSON document.
func redactDocument(text []byte) ([]byte, error) { return redactJSON(rawDocument(text)) }

// rawDocument is JSON that is written as it is.
type rawDocument []byte

// MarshalJSON implements json.Marshaler.
func (d rawDocument) MarshalJSON() ([]byte, error) { return d, nil }
