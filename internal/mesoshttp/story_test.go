package mesoshttp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	machine "github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// TestRecordedStories gives the machine the stream that a real master sent to one framework,
// at the times of the recording, and prints what it does. The recorded framework launched tasks of
// its own; in the order in which they first report they stand for those that the machine
// launches, and further ones for tasks that it does not know.
func TestRecordedStories(t *testing.T) {
	paths, err := filepath.Glob("testdata/stories/*.jsonl")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			tell := newTeller(t)
			for _, line := range told(t, path) {
				tell.line(line)
			}
			golden(t, strings.TrimSuffix(path, ".jsonl")+".golden", tell.text.Bytes())
		})
	}
}

// toldLine is an event at a time, or the end of the stream.
type toldLine struct {
	T      float64         `json:"t"`
	Body   json.RawMessage `json:"body"`
	Closed string          `json:"closed"`
}

func told(t *testing.T, path string) []toldLine {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []toldLine
	scan := bufio.NewScanner(bytes.NewReader(data))
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		var line toldLine
		if err := json.Unmarshal(scan.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}

// teller runs a machine through a recording.
type teller struct {
	t        *testing.T
	machine  *machine.Machine
	begin    time.Time
	now      time.Time
	ids      byte
	text     bytes.Buffer
	launched []mesos.TaskID // by the machine
	reported []mesos.TaskID // in the recording
}

const toldSpec = `
name: kafka
scheduler: {user: nobody}
pods:
  node:
    count: 2
    tasks:
      server: {goal: RUNNING, cmd: serve, cpus: 0.1, memory: 32}
`

func newTeller(t *testing.T) *teller {
	service, problems := servicespec.Parse("spec.yml", []byte(toldSpec), nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	s := &teller{t: t, begin: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	s.now = s.begin
	s.machine = machine.Restore(machine.Config{
		Target:      machine.Target{ID: "target-1", Service: service},
		ExecutorURI: "http://s/executor",
		UUID: func() [16]byte {
			s.ids++
			return [16]byte{15: s.ids}
		},
	}, machine.Hard{})
	s.step(machine.Tick{})
	return s
}

// line lets the time pass until a line of the recording, and takes it.
func (s *teller) line(l toldLine) {
	at := s.begin.Add(time.Duration(math.Round(l.T * float64(time.Second))))
	for range 1000 {
		wake := s.machine.NextWake()
		if wake.IsZero() || wake.After(at) {
			break
		}
		if wake.After(s.now) {
			s.now = wake
		}
		s.step(machine.Tick{})
	}
	if at.After(s.now) {
		s.now = at
	}
	ev, ok := s.event(l)
	if !ok {
		return
	}
	fmt.Fprintf(&s.text, "%6.1f %s\n", l.T, brief(eventLine(ev)))
	s.step(machine.FromMesos{Event: ev})
}

// event translates a line; the task and the role are those of the machine.
func (s *teller) event(l toldLine) (mesos.Event, bool) {
	if l.Closed != "" {
		return mesos.Disconnected{Reason: l.Closed}, true
	}
	var e scheduler.Event
	if err := decodeMessage(codecFor(true), l.Body, &e); err != nil {
		s.t.Fatalf("%v\n%s", err, l.Body)
	}
	ev, ok := eventFromWire(&e)
	switch ev := ev.(type) {
	case mesos.Updated:
		i := slices.Index(s.reported, ev.Status.Task)
		if i < 0 {
			i = len(s.reported)
			s.reported = append(s.reported, ev.Status.Task)
		}
		if i < len(s.launched) {
			ev.Status.Task = s.launched[i]
		}
		return ev, ok
	case mesos.Offers:
		for i := range ev.Offers {
			ev.Offers[i].Role = "kafka-role"
			ev.Offers[i].Resources = ev.Offers[i].Resources.WithRole("kafka-role")
		}
		return ev, ok
	}
	return ev, ok
}

func eventLine(ev mesos.Event) string {
	offers, ok := ev.(mesos.Offers)
	if !ok {
		return ev.String()
	}
	var ids []string
	for _, o := range offers.Offers {
		ids = append(ids, string(o.ID))
	}
	return "offers " + strings.Join(ids, " ")
}

// step prints what the machine wants, but for its journal.
func (s *teller) step(ev machine.Event) {
	out := s.machine.Step(s.now, ev)
	for _, w := range out.Writes {
		switch w.(type) {
		case machine.WriteJournal, machine.WriteTarget, machine.WriteRun:
			continue
		}
		fmt.Fprintf(&s.text, "         %s\n", brief(machine.WriteText(w)))
	}
	for _, c := range out.Calls {
		fmt.Fprintf(&s.text, "         %s\n", brief(machine.CallText(c)))
		to, _ := c.(machine.ToMesos)
		accept, _ := to.Call.(mesos.Accept)
		for _, op := range accept.Operations {
			launch, _ := op.(mesos.Launch)
			for _, task := range launch.Tasks {
				s.launched = append(s.launched, task.ID)
			}
		}
	}
}

var (
	ownUUID    = regexp.MustCompile(`00000000-0000-4000-8000-0000000000`)
	masterUUID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-`)
	updateUUID = regexp.MustCompile(` uuid=[0-9a-f]{32}`)
	reserved   = regexp.MustCompile(`reserve [^ ]* for`)
)

// brief leaves out of a line what says nothing: the random parts of ids.
func brief(line string) string {
	line = ownUUID.ReplaceAllString(line, "u")
	line = masterUUID.ReplaceAllString(line, "")
	line = updateUUID.ReplaceAllString(line, " uuid")
	return reserved.ReplaceAllString(line, "reserve … for")
}
