//go:build e2e && soak

package e2e

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

var (
	soakFor  = flag.Duration("for", 30*time.Minute, "how long faults come")
	soakSeed = flag.Uint64("seed", 1, "what draws the faults")
	soakInto = flag.String("report", "", "the file that gets the report")
)

// soakFaults are what is drawn, each of which the cluster has to overcome before the next comes.
var soakFaults = []struct {
	name string
	do   func(s *soak)
}{
	{"a broker is killed", func(s *soak) {
		s.relaunch(func(pod string) { s.c.kill(s.c.broker(pod)) })
	}},
	{"a broker hangs for a while", (*soak).hang},
	{"an executor is killed", func(s *soak) {
		s.relaunch(func(pod string) { s.c.kill(s.c.executor(pod)) })
	}},
	{"a broker is restarted", func(s *soak) { s.relaunch(s.restart) }},
	{"a broker is replaced", func(s *soak) {
		s.relaunch(func(pod string) { s.c.verb("pod", "replace", pod) })
	}},
	{"all brokers are rolled", (*soak).roll},
	{"the agent's process is killed and comes back", (*soak).killAgent},
	{"the master fails over", func(s *soak) {
		s.c.chaos("failover", "--election", "3s", "--recovery", "1s", "--rejoin", "2s")
	}},
	{"all offers are rescinded, and a broker restarted", func(s *soak) {
		s.relaunch(func(pod string) {
			s.restart(pod)
			s.c.chaos("rescind-offers")
		})
	}},
	{"updates are lost, and a broker restarted", func(s *soak) { s.spoil("drop-updates") }},
	{"updates come twice, and a broker is restarted", func(s *soak) { s.spoil("double-updates") }},
	{"a launch is lost", func(s *soak) { s.spoil("lose-launches") }},
}

// soak is one run.
type soak struct {
	c     *cluster
	draw  *rand.Rand
	rolls int
	done  map[string]int
	// samples are taken whenever the cluster is whole again.
	samples []sample
	slowest time.Duration
	at      string // what took longest
}

// sample is what the scheduler and the embedded Mesos have at one moment.
type sample struct {
	after                         time.Duration
	heapLive, goroutines          int
	files, resident               int
	mesosResident, mesosFiles     int
	recordings, stateBytes, stamp int64
}

// TestSoak disturbs a cluster under load for as long as -for says: it is whole again after each
// fault, nothing that was acknowledged is lost or doubled, no producer sees an error, and memory,
// goroutines and files of the scheduler stay what they are.
func TestSoak(t *testing.T) {
	c := newCluster(t, "soak")
	c.install("--faults", "--agents", "4", "-f", replacing(t))
	c.awaitWhole(3, 2*time.Minute)
	f := startTraffic(t, c.bootstrap())
	s := &soak{c: c, draw: rand.New(rand.NewPCG(*soakSeed, 0)), done: map[string]int{}}
	s.fillJournal()
	// The scheduler's own death is for the first third, so that one process is there for the rest.
	s.disturb(*soakFor/3, true)
	first := len(s.samples)
	s.disturb(*soakFor-*soakFor/3, false)
	f.mu.Lock()
	records := len(f.latencies)
	f.mu.Unlock()
	most, permille := f.waits()
	f.check()
	report := s.report(first, fmt.Sprintf("%d records were acknowledged, each was read once and "+
		"in order. The slowest took %v, one in a thousand more than %v.", records,
		most.Round(time.Millisecond), permille.Round(time.Millisecond)))
	t.Log("\n" + report)
	s.flat(first)
	if *soakInto != "" && !t.Failed() {
		if err := os.WriteFile(*soakInto, []byte(report), 0o644); err != nil {
			t.Error(err)
		}
	}
	c.uninstall()
}

// fillJournal has the journal keep as many entries as it ever does, so that the heap and the state
// do not grow by them.
func (s *soak) fillJournal() {
	status, err := s.c.status()
	if err != nil {
		s.c.t.Fatal(err)
	}
	for range 1000 {
		resp, err := http.Post(status.URL+"/v2/pods/kafka-0/reset-backoff", "", nil)
		if err != nil {
			s.c.t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode >= http.StatusBadRequest {
			s.c.t.Fatalf("reset-backoff: %s", resp.Status)
		}
	}
}

// waits gives the longest wait of a producer, and what one in a thousand exceeded.
func (f *traffic) waits() (most, permille time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	sorted := slices.Sorted(slices.Values(f.latencies))
	if len(sorted) == 0 {
		return 0, 0
	}
	return sorted[len(sorted)-1], sorted[len(sorted)-1-len(sorted)/1000]
}

// disturb draws one fault after the other.
func (s *soak) disturb(span time.Duration, schedulers bool) {
	for end := time.Now().Add(span); time.Now().Before(end); {
		fault, began := soakFaults[s.draw.IntN(len(soakFaults))], time.Now()
		name := fault.name
		fault.do(s)
		if schedulers && s.draw.IntN(2) == 0 {
			name += ", and the scheduler is killed"
			s.c.killScheduler()
		}
		s.c.t.Logf("%s %s", began.Format(time.TimeOnly), name)
		s.c.awaitWhole(3, 6*time.Minute)
		s.c.mesosWell()
		s.c.chaos("clear")
		s.c.awaitWhole(3, 2*time.Minute)
		s.done[fault.name]++
		if took := time.Since(began); took > s.slowest {
			s.slowest, s.at = took, name
		}
		s.sample()
	}
}

func (s *soak) pod() string { return fmt.Sprint("kafka-", s.draw.IntN(3)) }

func (s *soak) restart(pod string) { s.c.verb("pod", "restart", pod) }

// relaunch does to a broker what makes another task of it, and waits for that one.
func (s *soak) relaunch(do func(pod string)) {
	pod, before := s.pod(), s.c.taskIDs()
	do(pod)
	s.c.awaitRelaunch(pod+"-broker", before)
}

// spoil orders a fault of the embedded Mesos that what a restart brings about will meet.
func (s *soak) spoil(fault string) {
	s.relaunch(func(pod string) {
		s.c.chaos(fault, "--match", pod)
		s.restart(pod)
	})
}

// killAgent has an agent away for less than the fault policy allows.
func (s *soak) killAgent() {
	pod := s.pod()
	s.c.chaos("kill-agent", "--agent", s.c.hostOf(pod), "--agent-timeout", "2s", "--for", "6s")
	s.c.awaitState(pod, "UNREACHABLE")
	s.c.awaitState(pod, "RUNNING")
}

func (s *soak) roll() {
	s.rolls++
	s.c.verb("update", "start", "--set", fmt.Sprint("kafka.queued_max_requests=", 400+s.rolls%50))
}

// hang stops a broker for three seconds.
func (s *soak) hang() {
	p := s.c.broker(s.pod())
	syscall.Kill(p.pid, syscall.SIGSTOP)
	<-time.After(3 * time.Second)
	syscall.Kill(p.pid, syscall.SIGCONT)
}

// sample takes a sample.
func (s *soak) sample() {
	t := s.c.t
	t.Helper()
	now := sample{stamp: time.Now().Unix()}
	status, err := s.c.status()
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(status.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	now.heapLive = metric(t, text, "go_gc_heap_live_bytes") >> 10
	now.goroutines = metric(t, text, "go_goroutines")
	scheduler, mesos := s.c.find("kafka-sched scheduler")[0], s.c.find("kafka-sched localmesos")[0]
	now.files, now.resident = filesOf(t, scheduler), residentOf(t, scheduler)
	now.mesosFiles, now.mesosResident = filesOf(t, mesos), residentOf(t, mesos)
	now.recordings = bytesBelow(filepath.Join(s.c.home, s.c.name, "scheduler", "recording", "*"))
	now.stateBytes = bytesBelow(filepath.Join(s.c.home, s.c.name, "scheduler", "state.db"))
	if len(s.samples) > 0 {
		now.after = time.Duration(now.stamp-s.samples[0].stamp) * time.Second
	}
	s.samples = append(s.samples, now)
}

// metric reads one value of a scrape.
func metric(t *testing.T, text []byte, name string) int {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("there is no metric %s", name)
	}
	v, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return int(v)
}

func filesOf(t *testing.T, p process) int {
	t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

// residentOf is the resident memory in kB.
func residentOf(t *testing.T, p process) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		t.Fatalf("no resident memory in %s", status)
	}
	kb, _ := strconv.Atoi(string(found[1]))
	return kb
}

func bytesBelow(pattern string) (sum int64) {
	paths, _ := filepath.Glob(pattern)
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			sum += info.Size()
		}
	}
	return sum
}

// flat demands that what one scheduler has does not grow: the medians of the first and the last
// third of what was sampled since it started.
func (s *soak) flat(first int) {
	t := s.c.t
	steady := s.samples[min(first, len(s.samples)):]
	if len(steady) < 6 {
		t.Logf("%d samples are too few to tell whether anything grows", len(steady))
		return
	}
	third := len(steady) / 3
	for _, of := range []struct {
		what  string
		spare int
		value func(sample) int
	}{
		{"kB of live heap", 1024, func(s sample) int { return s.heapLive }},
		{"goroutines", 10, func(s sample) int { return s.goroutines }},
		{"open files", 10, func(s sample) int { return s.files }},
		{"open files of the embedded Mesos", 10, func(s sample) int { return s.mesosFiles }},
	} {
		was, is := median(steady[:third], of.value), median(steady[len(steady)-third:], of.value)
		if is > was+of.spare {
			t.Errorf("%s grew from %d to %d", of.what, was, is)
		}
	}
}

func median(of []sample, value func(sample) int) int {
	var values []int
	for _, s := range of {
		values = append(values, value(s))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// report tells of a run, in Markdown.
func (s *soak) report(first int, records string) string {
	var b strings.Builder
	total := 0
	for _, n := range s.done { //tidy:unordered a sum
		total += n
	}
	fmt.Fprintf(&b, "# A soak of %v\n\n`make soak FOR=%v SEED=%d`, written by the test on %s: "+
		"three brokers under load, %d faults, one at a time, after each of which the cluster was "+
		"whole again with all plans complete. %s The longest way back, %v, was after this: %s.\n\n",
		*soakFor, *soakFor, *soakSeed, time.Now().UTC().Format(time.DateOnly), total, records,
		s.slowest.Round(time.Second), s.at)
	b.WriteString("| fault | times |\n|---|---|\n")
	for _, fault := range soakFaults {
		fmt.Fprintf(&b, "| %s | %d |\n", fault.name, s.done[fault.name])
	}
	b.WriteString("\nIn the first third the scheduler was killed beside every second fault; for " +
		"the rest one process ran:\n\n")
	b.WriteString("| after | live heap, kB | goroutines | open files | resident, kB | " +
		"embedded Mesos: resident, kB | open files | state, kB | recording, kB |\n" +
		strings.Repeat("|---", 9) + "|\n")
	steady := s.samples[min(first, len(s.samples)):]
	for i, x := range steady {
		if i%max(1, len(steady)/12) == 0 || i == len(steady)-1 {
			fmt.Fprintf(&b, "| %v | %d | %d | %d | %d | %d | %d | %d | %d |\n", x.after,
				x.heapLive, x.goroutines, x.files, x.resident, x.mesosResident, x.mesosFiles,
				x.stateBytes>>10, x.recordings>>10)
		}
	}
	return b.String()
}
