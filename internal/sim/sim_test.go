package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

var (
	oneSeed   = flag.Uint64("seed", 0, "run this seed alone")
	seeds     = flag.Int("seeds", 100, "how many seeds to run")
	firstSeed = flag.Uint64("first", 1, "the first seed to run")
	whole     = flag.Bool("whole", false, "print the whole trace, not only its end")
	keep      = flag.String("keep", "", "file that gets the reduced scenario of TestReduce")
	summary   = flag.String("summary", "", "file that gets a line with the figures of the run")
	reduces   = flag.Bool("reduce", true, "reduce the first run that fails to a scenario file")
	thoroughs = flag.Uint64("thorough", 16,
		"have a second machine that looks at all follow each so many-th seed; 1 is all, 0 none")
)

// Bounds of the liveness phase: the longest back-off is five minutes.
const (
	mostSettle    = 25 * time.Minute
	mostUninstall = 15 * time.Minute
)

// mostFailed is how many seeds may fail before no more are tried.
const mostFailed = 5

// TestSim runs worlds, one a seed, as many at a time as there are processors.
// (F1, F2, F11, F12, F13, F16, F17, F18, F24, F25, F27, F31, F35)
func TestSim(t *testing.T) {
	first, last := *firstSeed, *firstSeed+uint64(*seeds)-1
	if *oneSeed != 0 {
		first, last = *oneSeed, *oneSeed
	}
	var sink func(string)
	if *whole {
		sink = func(line string) { fmt.Println(line) }
	}
	defer debug.SetGCPercent(debug.SetGCPercent(1600)) // worlds are small, and thrown away
	began := time.Now()
	var next, failed, faults, worst atomic.Uint64
	next.Store(first)
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), int(last-first)+1) {
		all.Go(func() {
			for seed := next.Add(1) - 1; seed <= last && failed.Load() < mostFailed; {
				w := simulate(seed, sink)
				faults.Add(uint64(w.hits))
				if w.breach != "" {
					failed.Add(1)
					worst.CompareAndSwap(0, seed)
					t.Errorf("seed %d: %s\nrepeat: go test ./internal/sim -run TestSim "+
						"-seed=%d\n%s", seed, w.breach, seed, &w.trace)
				}
				seed = next.Add(1) - 1
			}
		})
	}
	all.Wait()
	if seed := worst.Load(); seed != 0 && *reduces {
		tellReduced(t, seed)
	}
	count := last - first + 1
	summarize(t, "seeds=%d faults=%d failures=%d seeds/min=%.0f", count, faults.Load(),
		failed.Load(), float64(count)/time.Since(began).Minutes())
}

// summarize writes the line that make prints last.
func summarize(t *testing.T, format string, args ...any) {
	t.Helper()
	if *summary == "" {
		return
	}
	line := fmt.Sprintf(format+"\n", args...)
	if err := os.WriteFile(*summary, []byte(line), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestSameSeedSameTrace: a run is a function of its seed.
func TestSameSeedSameTrace(t *testing.T) {
	trace := func(seed uint64) string {
		sum := sha256.New()
		simulate(seed, func(line string) { fmt.Fprintln(sum, line) })
		return hex.EncodeToString(sum.Sum(nil))
	}
	for seed := uint64(1); seed <= 8; seed++ {
		if first, second := trace(seed), trace(seed); first != second {
			t.Errorf("seed %d gives two traces", seed)
		}
	}
}

// simulate runs the world of one seed to its end.
func simulate(seed uint64, sink func(string)) (w *world) {
	w = newWorld(seed)
	w.trace.sink = sink
	w.thorough = *oneSeed != 0 || *thoroughs != 0 && seed%*thoroughs == 0
	defer func() {
		if r := recover(); r != nil {
			w.fail("panic", "%v\n%s", r, debug.Stack())
		}
	}()
	w.safety()
	w.liveness()
	return w
}

// safety is the phase in which anything may fail.
func (w *world) safety() {
	w.process.start()
	w.master.askAgain()
	w.after(w.between(0, 30*time.Second), w.operator.trouble)
	w.after(w.between(0, 60*time.Second), w.operator.act)
	if w.scenario.pictures {
		w.watch()
	}
	w.run(w.now.Add(w.scenario.safety), func() bool { return w.process.exit != nil })
}

// liveness is the phase in which nothing fails, and everything must come to its end.
func (w *world) liveness() {
	w.operator.heal()
	final := w.store.hard.Intent == "uninstall" || w.store.hard.Intent == "uninstalled"
	if !final && w.process.exit == nil {
		if !w.settles() {
			return
		}
		if !w.scenario.uninstall {
			return
		}
		w.operator.uninstall()
	}
	w.operator.uninstalled = true
	w.run(w.now.Add(mostUninstall), func() bool { return w.process.exit != nil })
	w.run(w.now.Add(10*time.Second), func() bool { return false })
	switch left := w.leftBehind(); {
	case w.process.exit == nil:
		w.fail("liveness", "uninstalling does not end: %s", left)
	case w.process.exit.Code != 0:
		w.fail("liveness", "exit %d: %s", w.process.exit.Code, w.process.exit.Reason)
	case left != "":
		w.fail("nothing left", "%s", left)
	}
}

// abandons reports whether something is left on an agent that was abandoned and is not back.
func (w *world) abandons() bool {
	for _, a := range w.store.hard.Agents {
		if a.Fate == scheduler.FateAbandoned && !a.Away.IsZero() {
			return true
		}
	}
	return false
}

// settles waits until the service is complete, and sees that it stays so.
func (w *world) settles() bool {
	missing := "nothing"
	var look func()
	look = func() {
		if missing = w.unsettled(); missing != "" {
			w.after(time.Second, look)
		}
	}
	look()
	w.run(w.now.Add(mostSettle), func() bool { return missing == "" })
	if missing != "" {
		w.fail("liveness", "after %s without faults %s", mostSettle, missing)
	}
	if w.breach != "" {
		return false
	}
	life := w.process.life
	w.run(w.now.Add(30*time.Second), func() bool { return false })
	w.quiet = w.process.life == life && w.rests()
	w.run(w.now.Add(40*time.Second), func() bool { return w.process.life != life })
	w.quiet = false
	if w.abandons() && w.unsettled() != "" { // offers are wanted, for half a minute, to look for it
		w.run(w.now.Add(40*time.Second), func() bool { return false })
	}
	crashed := w.process.life != life || !w.process.alive // meanwhile, as it was to
	if w.breach == "" && crashed {
		return w.settles()
	}
	if again := w.unsettled(); again != "" {
		w.fail("liveness", "complete, and a minute later %s", again)
	}
	return w.breach == ""
}
