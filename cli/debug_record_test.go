package cli

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/flight"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// recordedHome is a home with a cluster whose scheduler recorded three steps.
func recordedHome(t *testing.T) (dir string) {
	t.Helper()
	home := t.TempDir()
	t.Setenv("KAFKA_SCHED_HOME", home)
	f := folder{name: "kafka", dir: filepath.Join(home, "kafka")}
	if err := os.MkdirAll(f.schedulerDir(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := f.save(cluster{Format: clusterFormat, Name: "kafka"}); err != nil {
		t.Fatal(err)
	}
	service, problems := servicespec.Parse("web.yml", []byte("name: kafka\npods: {web: {count: 1, "+
		"tasks: {server: {goal: RUNNING, cmd: serve, cpus: 1, memory: 64, "+
		"env: {PASSWORD: hunter-2}}}}}\n"), nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	rec, machine := flight.New(flight.Config{Dir: f.recordingDir(), Most: 1 << 20,
		Logger: slog.New(slog.DiscardHandler), Machine: scheduler.Config{
			Target: scheduler.Target{ID: "target-1", Service: service},
			UUID:   func() [16]byte { return [16]byte{1} }}}, scheduler.Hard{})
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, ev := range []scheduler.Event{scheduler.Tick{},
		scheduler.FromMesos{Event: mesos.Subscribed{Framework: "fw-1", Master: "m:5050"}},
		scheduler.Commanded{ID: 1, Command: scheduler.ServiceStop{}}} {
		now := at.Add(time.Duration(i) * time.Second)
		rec.Given(now, ev)
		rec.Made(machine.Step(now, ev))
		rec.Keep()
	}
	rec.Close()
	return f.recordingDir()
}

// ran runs a command and gives its output and exit code.
func ran(args ...string) (string, int) {
	var out bytes.Buffer
	code := Main(args, strings.NewReader(""), &out, &out, fakeDaemons())
	return out.String(), code
}

// TestDebugRecord shows a recording, copies it and replays the copies.
func TestDebugRecord(t *testing.T) {
	dir := recordedHome(t)
	text, code := ran("debug", "record", "-o", "json")
	var v recordingView
	if err := json.Unmarshal([]byte(text), &v); err != nil || code != exitOK || v.Dir != dir ||
		len(v.Segments) != 1 || v.Segments[0].Bytes == 0 {
		t.Fatalf("%d: %s", code, text)
	}
	if text, _ := ran("debug", "record"); !strings.Contains(text, v.Segments[0].Name) {
		t.Errorf("it says %s", text)
	}
	clean, raw := filepath.Join(t.TempDir(), "clean.rec"), filepath.Join(t.TempDir(), "raw.rec.gz")
	if text, code := ran("debug", "record", "--out", clean); code != exitOK {
		t.Fatalf("%d: %s", code, text)
	}
	data, err := os.ReadFile(clean)
	if err != nil || bytes.Contains(data, []byte("hunter-2")) ||
		!bytes.Contains(data, []byte("redacted")) {
		t.Errorf("the copy is %s, %v", data, err)
	}
	if text, code := ran("debug", "record", "--out", clean); code != exitUsage {
		t.Errorf("once more: %d: %s", code, text)
	}
	if text, code := ran("debug", "record", "--out", raw, "--with-secrets", "--segment",
		v.Segments[0].Name); code != exitOK {
		t.Fatalf("%d: %s", code, text)
	}
	for _, file := range []string{clean, raw, filepath.Join(dir, v.Segments[0].Name)} {
		text, code := ran("debug", "replay", file)
		for _, want := range []string{"#1 2026-01-01T00:00:00Z tick\n  write target target-1\n",
			"#2 2026-01-01T00:00:01Z subscribed fw-1 master=m:5050\n  write framework fw-1\n",
			"command service stop\n", "\nsteps=3 differ=0 end=end\n"} {
			if code != exitOK || !strings.Contains(text, want) {
				t.Errorf("%s: %d, without %q: %s", file, code, want, text)
			}
		}
	}
	if text, code := ran("debug", "record", "--out", raw+"2", "--segment", "x"); code !=
		exitNotFound {
		t.Errorf("%d: %s", code, text)
	}
}

// TestDebugReplay stops a replay half way, and replays what is not what was done.
func TestDebugReplay(t *testing.T) {
	recordedHome(t)
	dir := t.TempDir()
	file, state := filepath.Join(dir, "kafka.rec"), filepath.Join(dir, "state.json")
	if text, code := ran("debug", "record", "--out", file); code != exitOK {
		t.Fatalf("%d: %s", code, text)
	}
	text, code := ran("debug", "replay", file, "--from", "2", "--until", "2", "--state", state)
	if code != exitOK || strings.Contains(text, "#1 ") || !strings.Contains(text, "#2 ") ||
		!strings.HasSuffix(text, "\nsteps=2 differ=0 end=until\n") {
		t.Errorf("%d: %s", code, text)
	}
	exported, err := os.ReadFile(state)
	if err != nil || !bytes.Contains(exported, []byte(`"fw-1"`)) {
		t.Errorf("the state is %s, %v", exported, err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.ReplaceAll(data, []byte("fw-1"), []byte("fw-2"))
	if err := os.WriteFile(file, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	text, code = ran("debug", "replay", file, "--diff")
	if code != exitFailed || strings.Contains(text, "#1 ") || !strings.Contains(text,
		"  DIFFERS: it makes writes=") || !strings.Contains(text, "end=another-state") {
		t.Errorf("%d: %s", code, text)
	}
	for _, c := range []struct {
		args []string
		code int
	}{{[]string{filepath.Join(dir, "nothing")}, exitUsage}, {[]string{state}, exitUsage},
		{[]string{file, "--until", "-1"}, exitUsage}, {[]string{file, "--state", state}, exitUsage},
	} {
		if text, code := ran(append([]string{"debug", "replay"}, c.args...)...); code != c.code {
			t.Errorf("%v: %d: %s", c.args, code, text)
		}
	}
}
