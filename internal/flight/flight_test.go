package flight_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/kafka-sched/kafka-sched/internal/flight"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// replay takes all steps of a segment; its state is the one in the end.
func replay(t *testing.T, data []byte) (p *flight.Player, steps []flight.Step, err error) {
	t.Helper()
	p, err = flight.Open(bytes.NewReader(data))
	if err != nil {
		return nil, nil, err
	}
	for {
		s, err := p.Next()
		if err == io.EOF {
			return p, steps, nil
		}
		if err != nil {
			return p, steps, err
		}
		steps = append(steps, s)
	}
}

// same demands that a segment does what it did, and ends in a state, byte for byte.
func same(t *testing.T, data []byte, want scheduler.Hard) (*flight.Player, []flight.Step) {
	t.Helper()
	p, steps, err := replay(t, data)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if s.Differs != "" {
			t.Errorf("step %d, %s: %s", s.N, s.Text, s.Differs)
		}
	}
	if diff := cmp.Diff(texts(t, want), texts(t, p.Hard())); diff != "" {
		t.Errorf("the state in the end: %s", diff)
	}
	return p, steps
}

func texts(t *testing.T, hard scheduler.Hard) map[string]string {
	t.Helper()
	entries, err := store.Entries(hard)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for key, value := range entries {
		found[key] = string(value)
	}
	return found
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// unzipped is a segment as text.
func unzipped(t *testing.T, data []byte) string {
	t.Helper()
	in, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(in)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	return string(text)
}

// TestReplay records two lives of a service, and replays each alone.
func TestReplay(t *testing.T) {
	w := newWorld(t, 1<<20)
	w.serve()
	w.command(scheduler.PodRestart{Pod: "web-0"})
	w.rec.Close()
	first := w.machine.Hard()
	w.now = w.now.Add(time.Minute)
	w.start(1 << 20)
	w.step(scheduler.FromMesos{Event: mesos.Subscribed{Framework: "fw-1", Master: "m:5050"}})
	w.command(scheduler.PlanCommand{Verb: scheduler.PlanInterrupt, Plan: "deploy"})
	all := w.segments()
	if len(all) != 2 {
		t.Fatalf("the segments are %v", all)
	}
	p, steps := same(t, read(t, all[0].Path), first)
	if p.End != "end" || len(steps) < 8 || !steps[len(steps)-1].Kept {
		t.Errorf("it ended with %q after %d steps", p.End, len(steps))
	}
	// The second one has no end: the process was killed, and everything is there all the same.
	p, steps = same(t, read(t, all[1].Path), w.stored)
	if p.End != "" || len(steps) != 4 {
		t.Errorf("it ended with %q after %d steps", p.End, len(steps))
	}
	text := unzipped(t, read(t, all[0].Path))
	for _, line := range []string{"kafka-sched recording 1\n", " subscribed fw-1 master=m:5050\n",
		" command pod restart web-0\n", "\nkept\n", "\nmade writes="} {
		if !strings.Contains(text, line) {
			t.Errorf("%q is not in it", line)
		}
	}
}

// TestBeside gives many events before any is kept, which are written down while the machine goes
// on, and replays them: they are there in their order, as they were when they came.
func TestBeside(t *testing.T) {
	w := newWorld(t, 1<<20)
	w.step(scheduler.FromMesos{Event: mesos.Subscribed{Framework: "fw-1", Master: "m:5050"}})
	const rounds = 50
	for round := range rounds {
		var offers []mesos.Offer
		for i := range 40 {
			offers = append(offers, mesos.Offer{ID: mesos.OfferID(fmt.Sprint(round, "-", i)),
				Agent: mesos.AgentID(fmt.Sprint("a", i)), Hostname: "h", Role: "web-role"})
		}
		w.give(scheduler.FromMesos{Event: mesos.Offers{Offers: offers}})
		for i := range 40 {
			w.give(scheduler.FromMesos{Event: mesos.Rescinded{Offer: offers[i].ID}})
		}
	}
	w.rec.Keep()
	_, steps := same(t, read(t, w.segments()[0].Path), w.stored)
	if want := 2 + rounds*41; len(steps) != want || !steps[want-1].Kept {
		t.Errorf("%d steps are there, want %d", len(steps), want)
	}
	w.rec.Close()
}

// TestCut replays what is left of segments that end anywhere: it is as it was, up to there.
func TestCut(t *testing.T) {
	w := newWorld(t, 1<<20)
	w.serve()
	data := read(t, w.segments()[0].Path)
	_, whole, err := replay(t, data)
	if err != nil {
		t.Fatal(err)
	}
	most := 0
	for n := range data {
		_, steps, err := replay(t, data[:n])
		if err != nil {
			if len(steps) > 0 {
				t.Fatalf("at byte %d: %v", n, err)
			}
			continue // it ends before the first event
		}
		for _, s := range steps {
			if s.Differs != "" {
				t.Fatalf("at byte %d, step %d: %s", n, s.N, s.Differs)
			}
		}
		most = max(most, len(steps))
	}
	if most != len(whole) {
		t.Errorf("%d of %d steps are there without the last byte", most, len(whole))
	}
}

// TestDiffers changes recordings: a replay says at which step it does something else, or that the
// state is another in the end.
func TestDiffers(t *testing.T) {
	w := newWorld(t, 1<<20)
	w.serve()
	w.rec.Close()
	text := unzipped(t, read(t, w.segments()[0].Path))
	last := strings.LastIndex(text, "draws ")
	with := func(old, new string) string { return strings.Replace(text, old, new, 1) }
	for name, c := range map[string]struct{ changed, want string }{
		"an event":     {with(`"Hostname":"a1"`, `"Hostname":"a3"`), "it makes"},
		"a sum":        {with("sum=", "sum=0"), "it makes"},
		"an id":        {text[:last] + text[last+len("draws ")+33:], "not as many ids"},
		"the state":    {with("\nend ", "\nend 0"), "another in the end"},
		"a crash":      {with("\nend ", "\ncrash \"x\"\nend "), "the machine panics with"},
		"a kind":       {with("Mesos/Updated", "Mesos/Outdated"), "no event of"},
		"a word":       {with("\nend ", "\nfin "), "no recording"},
		"another file": {"hello\n", "no recording"},
	} {
		_, steps, err := replay(t, []byte(c.changed))
		said := ""
		if err != nil {
			said = err.Error()
		}
		if errors.Is(err, flight.ErrDiffers) {
			said = "another in the end"
		}
		for _, s := range steps {
			said += s.Differs
		}
		if !strings.Contains(said, c.want) {
			t.Errorf("%s: it says %q, want %q", name, said, c.want)
		}
	}
}

// TestFull has segments become full: the next begins with a machine that is restored, all replay,
// and old ones go.
func TestFull(t *testing.T) {
	w := newWorld(t, 64<<10)
	w.serve()
	before := len(w.segments())
	for i := 0; len(w.segments()) < before+6; i++ {
		if i > 100_000 {
			t.Fatal("the segments never become full")
		}
		w.command(scheduler.PutFile{Name: "f", Content: strings.Repeat(time.Duration(i*i*7919).
			String(), 20)})
		if w.rec.Full() {
			w.machine = w.rec.Anew()
			w.step(scheduler.Tick{})
			if len(w.segments()) < 3 {
				continue
			}
			break
		}
	}
	w.rec.Close()
	var sum int64
	all := w.segments()
	for i, s := range all {
		sum += s.Size
		p, _, err := replay(t, read(t, s.Path))
		if err != nil || p.End != "end" {
			t.Errorf("segment %d ends with %q: %v", i, p.End, err)
		}
		if i == len(all)-1 {
			same(t, read(t, s.Path), w.machine.Hard())
		}
	}
	if sum > 80<<10 {
		t.Errorf("the recording takes %d bytes", sum)
	}
}

// TestCrash keeps what led to a panic of the machine.
func TestCrash(t *testing.T) {
	w := newWorld(t, 1<<20)
	w.serve()
	w.rec.Given(w.now, scheduler.Tick{})
	w.rec.Crashed("scheduler: invariant broken")
	all := w.segments()
	if len(all) != 1 || !all[0].Crash {
		t.Fatalf("the segments are %v", all)
	}
	p, steps, err := replay(t, read(t, all[0].Path))
	if err != nil || p.End != "crash" || len(steps) == 0 {
		t.Fatalf("it ends with %q: %v", p.End, err)
	}
	// This machine is sound, so the replay does not panic, and says so.
	last := steps[len(steps)-1]
	if !strings.Contains(last.Differs, `and it was "scheduler: invariant broken"`) {
		t.Errorf("the last step: %s", last.Differs)
	}
	for range 8 { // of which only the latest are kept
		w.now = w.now.Add(time.Second)
		w.start(1 << 20)
		w.rec.Given(w.now, scheduler.Tick{})
		w.rec.Crashed("again")
	}
	w.start(1 << 20)
	if all = w.segments(); len(all) != 6 || all[5].Crash || !all[4].Crash {
		t.Errorf("the segments are %v", all)
	}
}

// TestRedact copies a recording without its secrets: it replays, and nothing is launched anew.
func TestRedact(t *testing.T) {
	w := newWorld(t, 1<<20)
	w.serve()
	w.rec.Close()
	w.now = w.now.Add(time.Second)
	w.start(1 << 20) // from a state with hashes of launches with the secret
	w.step(scheduler.FromMesos{Event: mesos.Subscribed{Framework: "fw-1", Master: "m:5050"}})
	spec := strings.Replace(webSpec, "hunter-2", "hunter-3", 1)
	w.command(scheduler.SetTarget{ID: "target-2",
		Service: parsed(t, strings.Replace(spec, "blue", "red", 1))})
	w.rec.Close()
	clean := func(text []byte) ([]byte, error) {
		for _, secret := range []string{"hunter-2", "hunter-3"} {
			text = bytes.ReplaceAll(text, []byte(secret), []byte("<redacted>"))
		}
		return text, nil
	}
	for i, s := range w.segments() {
		data := read(t, s.Path)
		var copied bytes.Buffer
		if err := flight.Redact(&copied, bytes.NewReader(data), clean); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(unzipped(t, data), "hunter-") ||
			strings.Contains(copied.String(), "hunter-") {
			t.Errorf("segment %d has its secret, or never had one", i)
		}
		p, steps, err := replay(t, copied.Bytes())
		if err != nil || p.End != "end" {
			t.Fatalf("segment %d ends with %q: %v", i, p.End, err)
		}
		_, were, err := replay(t, data)
		if err != nil || len(were) != len(steps) {
			t.Fatalf("%d steps became %d: %v", len(were), len(steps), err)
		}
		for k, s := range steps {
			if s.Differs != "" || len(s.Out.Calls) != len(were[k].Out.Calls) {
				t.Errorf("segment %d, step %d: %s", i, s.N, s.Differs)
			}
		}
	}
	broken := errors.New("not clean")
	err := flight.Redact(io.Discard, bytes.NewReader(read(t, w.segments()[0].Path)),
		func([]byte) ([]byte, error) { return nil, broken })
	if !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

// TestUnwritable says that a scheduler goes on without its recording.
func TestUnwritable(t *testing.T) {
	w := newWorld(t, 1<<20)
	w.rec.Close()
	if err := os.RemoveAll(w.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.start(1 << 20)
	w.serve()
	w.rec.Close()
	if w.rec.Full() || len(w.stored.Pods) != 2 {
		t.Errorf("it is full, or %d pods are stored", len(w.stored.Pods))
	}
}

// BenchmarkRecord is what an event costs that is recorded: a status update that is stored, which
// is one of the dearer ones. 100 of them a second may take 2 % of a CPU: 200 µs each.
func BenchmarkRecord(b *testing.B) {
	w := newWorld(b, 1<<30)
	w.serve()
	var task mesos.TaskID
	for _, p := range w.machine.Hard().Pods {
		task = p.Tasks[0].ID
	}
	ev := scheduler.FromMesos{Event: mesos.Updated{Status: mesos.Status{Task: task,
		State: mesos.Running, Agent: "a1", UUID: make([]byte, 16), Time: w.now,
		Source: "SOURCE_EXECUTOR", Message: "a message that changes nothing"}}}
	out := w.machine.Step(w.now, ev)
	for _, p := range w.machine.Hard().Pods {
		out.Writes = append(out.Writes, scheduler.WritePod{Pod: p})
	}
	b.ReportAllocs()
	before := cpu(b)
	for b.Loop() {
		w.rec.Given(w.now, ev)
		w.rec.Made(scheduler.Output{Writes: slices.Clone(out.Writes), Calls: out.Calls})
		w.rec.Keep()
	}
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N)/1000, "cpu-µs/op")
}

// cpu is how long this process has computed.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
