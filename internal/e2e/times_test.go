//go:build e2e && long

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
)

// turn is when what happened to one broker of a roll.
type turn struct {
	pod string
	// decided is when the verdict allowed the stop; told when the broker was told to end, ended
	// when it said its last word; begun when its next process was, serving when that said that it
	// has started, ready when its executor said so; whole when all partitions were in sync; next
	// when the next broker's turn, or the end of the roll, was decided on.
	decided, told, ended, begun, serving, ready, whole, next time.Time
}

// TestRollTimes rolls three brokers under load, and tells how much of each broker's turn is the
// scheduler's: what is left without Kafka's own stop, start and catching up. It tells how long
// producers waited, the one of Kafka's distribution as well.
func TestRollTimes(t *testing.T) {
	c := newCluster(t, "times")
	c.install()
	c.awaitWhole(3, 5*time.Minute)
	f := startTraffic(t, c.bootstrap())
	c.verb("update", "start", "--set", "kafka.queued_max_requests=400") // and all JVMs are warm
	c.awaitWhole(3, 5*time.Minute)
	java := c.javaProducer()
	f.reset()
	began := time.Now()
	c.verb("update", "start", "--set", "kafka.queued_max_requests=300")
	c.awaitWhole(3, 5*time.Minute)
	f.calm(fmt.Sprintf("a roll of %v", time.Since(began).Round(time.Second)))
	java()
	turns := c.turns(began, f)
	if len(turns) != 3 {
		t.Fatalf("%d turns in a roll of three: %+v", len(turns), turns)
	}
	t.Log("of each broker: to be told to end, its end, the next launch, its start, to be known " +
		"to be ready, catching up, to go on; ours of it")
	for _, b := range turns {
		caught := later(b.whole, b.serving)
		spans := []time.Duration{b.told.Sub(b.decided), b.ended.Sub(b.told), b.begun.Sub(b.ended),
			b.serving.Sub(b.begun), b.ready.Sub(b.serving), caught.Sub(b.serving),
			b.next.Sub(caught)}
		for i, span := range spans {
			spans[i] = span.Round(10 * time.Millisecond)
		}
		t.Logf("%s at %s: %v; %v", b.pod, b.decided.Format("15:04:05.000"), spans,
			spans[0]+spans[2]+spans[6])
		if b.told.IsZero() || b.serving.IsZero() || b.ready.IsZero() {
			t.Errorf("not all is known of the turn of %s: %+v", b.pod, b)
		}
	}
	f.check()
	c.uninstall()
}

// Kafka's own producer writes so many records a second, for so many seconds in which a roll ends on
// a machine that is not too busy. The first ones do not count: then it compiles itself.
const (
	javaRate   = 400
	javaWarmup = 15 * javaRate
	javaLast   = 90 * javaRate
)

// javaProducer begins to write with the performance test of Kafka's distribution, whose producer
// has Kafka's defaults (acks=all, idempotent, retries without end), and returns once it is warm.
// What it returns waits for its end and logs what it says of all records behind that.
func (c *cluster) javaProducer() func() {
	c.t.Helper()
	libs := ""
	err := filepath.WalkDir(c.home, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.HasSuffix(path, "/kafka/libs") {
			libs = path
			return fs.SkipAll
		}
		return nil
	})
	if err != nil || libs == "" {
		c.t.Fatalf("no libraries of Kafka below %s: %v", c.home, err)
	}
	createTopic(c.t, c.bootstrap(), "java", trafficPartitions)
	cmd := exec.Command("java", "-Xmx128m", "-cp", libs+"/*",
		"org.apache.kafka.tools.ProducerPerformance", "--topic", "java",
		"--num-records", strconv.Itoa(javaLast), "--warmup-records", strconv.Itoa(javaWarmup),
		"--throughput", strconv.Itoa(javaRate), "--record-size", "100",
		"--bootstrap-server", strings.Join(c.bootstrap(), ","))
	out := filepath.Join(c.t.TempDir(), "java.out")
	c.startLogged(cmd, out)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	c.t.Cleanup(func() { cmd.Process.Kill() })
	eventually(c.t, 2*time.Minute, "Kafka's own producer is warm", func() error {
		if said := tail(out, 4000); strings.Count(said, "records sent") < 4 {
			return fmt.Errorf("it said %q", said)
		}
		return nil
	})
	return func() {
		if err := <-ended; err != nil {
			c.t.Errorf("Kafka's own producer: %v\n%s", err, tail(out, 4000))
		}
		said := strings.TrimSpace(tail(out, 4000))
		c.t.Logf("Kafka's own producer: %s", said[strings.LastIndexByte(said, '\n')+1:])
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// turns gives those of the roll that began at a time, in their order.
func (c *cluster) turns(began time.Time, f *traffic) []turn {
	c.t.Helper()
	var journal api.Journal
	if err := json.Unmarshal([]byte(c.verb("journal", "--json")), &journal); err != nil {
		c.t.Fatal(err)
	}
	var list []turn
	var end time.Time
	for _, e := range slices.Backward(journal.Entries) {
		pod, stops := strings.CutPrefix(e.What, "stop ")
		switch {
		case e.At.Before(began):
		case e.Kind == api.KindVerdict && stops && strings.Contains(e.Result, "may go"):
			list = append(list, turn{pod: pod, decided: e.At})
		case e.Kind == api.KindPlanComplete:
			end = e.At
		}
	}
	for i := range list {
		if list[i].next = end; i+1 < len(list) {
			list[i].next = list[i+1].decided
		}
		c.follow(&list[i], f)
	}
	return list
}

// follow fills in when what happened in a turn: from what the broker and the scheduler wrote, and
// from when all partitions were in sync.
func (c *cluster) follow(b *turn, f *traffic) {
	c.t.Helper()
	b.begun = c.begunAt(c.broker(b.pod))
	in := func(at time.Time) bool { return at.After(b.decided) && !at.After(b.next) }
	c.eachLine(b.pod+"-broker.out", func(at time.Time, line string) {
		switch {
		case !in(at):
		case b.told.IsZero() && strings.Contains(line, "SIGTERM"):
			b.told = at
		case strings.Contains(line, "Kafka Server started"):
			b.serving = at
		}
		if in(at) && at.Before(b.begun) {
			b.ended = later(b.ended, at)
		}
	})
	c.eachLine("stderr", func(at time.Time, line string) { // its executor's
		if in(at) && strings.Contains(line, b.pod+"-broker") &&
			strings.Contains(line, "ready=true") {
			b.ready = at
		}
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, at := range f.full {
		if at.After(b.begun) && in(at) {
			b.whole = later(b.whole, at)
		}
	}
}

// begunAt is when a process began.
func (c *cluster) begunAt(p process) time.Time {
	c.t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		c.t.Fatal(err)
	}
	up, err := os.ReadFile("/proc/uptime")
	if err != nil {
		c.t.Fatal(err)
	}
	now := time.Now()
	const clock, since = 100, 19 // ticks a second; field 22, counted from behind the name
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	ticks, err := strconv.ParseFloat(fields[since], 64)
	if err != nil {
		c.t.Fatal(err)
	}
	seconds, err := strconv.ParseFloat(strings.Fields(string(up))[0], 64)
	if err != nil {
		c.t.Fatal(err)
	}
	return now.Add(-time.Duration((seconds - ticks/clock) * float64(time.Second)))
}

// eachLine gives the lines with a time of all files of a name, rotated ones too.
func (c *cluster) eachLine(name string, take func(at time.Time, line string)) {
	c.t.Helper()
	err := filepath.WalkDir(c.home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasPrefix(d.Name(), name) {
			return nil // it may have gone meanwhile
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if at, ok := timeOf(lines.Text()); ok {
				take(at, lines.Text())
			}
		}
		return lines.Err()
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// timeOf reads the time at the begin of a line of Kafka's, or of ours.
func timeOf(line string) (time.Time, bool) {
	if text, ok := strings.CutPrefix(line, "["); ok && len(text) > 23 {
		at, err := time.ParseInLocation("2006-01-02 15:04:05,000", text[:23], time.Local)
		return at, err == nil
	}
	text, ok := strings.CutPrefix(line, "time=")
	word, _, _ := strings.Cut(text, " ")
	at, err := time.Parse(time.RFC3339Nano, word)
	return at, ok && err == nil
}
