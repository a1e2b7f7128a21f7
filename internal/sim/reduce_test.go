package sim

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// cut says which faults and commands may happen: each that chance wants has a number. The zero cut
// lets all of them.
type cut struct {
	only  map[int]bool // nil for all
	most  int          // if not 0, so many at most
	asked int
	done  []int    // those that happened
	kinds []string // and what each was
}

// allows reports whether the next thing that chance wants may happen.
func (c *cut) allows(kind string) bool {
	c.asked++
	if c.only != nil && !c.only[c.asked] || c.most > 0 && len(c.done) >= c.most {
		return false
	}
	c.done, c.kinds = append(c.done, c.asked), append(c.kinds, kind)
	return true
}

func (c *cut) String() string {
	n := map[string]int{}
	for _, kind := range c.kinds {
		n[kind]++
	}
	return fmt.Sprintf("%d faults and %d commands", n["fault"], n["command"])
}

// reduction makes a failing run smaller as long as it fails with the same property.
type reduction struct {
	seed     uint64
	plant    func(scheduler.Event, *scheduler.Output)
	property string
	early    bool // it fails while things still go wrong, so that nothing need be seen to settle
	budget   int  // runs that are left
	scenario scenario
	best     *world
}

// mostRuns bounds a reduction, to some ten seconds; searchSeeds is how many other seeds are tried
// for each number of faults.
const (
	mostRuns    = 150
	searchSeeds = 20
)

// reduce gives the smallest run that was found to fail as the run of a seed does.
func reduce(seed uint64, plant func(scheduler.Event, *scheduler.Output)) *world {
	r := &reduction{seed: seed, plant: plant, budget: mostRuns}
	r.scenario = scenarioOf(seed, rand.New(rand.NewPCG(seed, 0x6b61666b61)))
	r.best = r.run(r.scenario, cut{})
	r.property, _, _ = strings.Cut(r.best.breach, ":")
	r.early = r.best.faults
	for smaller := true; smaller && r.budget > 0; {
		smaller = r.drop()
		smaller = r.simplify() || smaller
		for most := 1; most < len(r.best.cut.done); most++ {
			smaller = r.search(r.scenario, most) || smaller
		}
	}
	return r.best
}

// only lets these of the faults and commands of the best run happen.
func only(numbers []int) cut {
	c := cut{only: map[int]bool{}}
	for _, n := range numbers {
		c.only[n] = true
	}
	return c
}

// run runs the seed in some scenario with some of the faults and commands.
func (r *reduction) run(s scenario, with cut) (w *world) {
	r.budget--
	w = newWorldOf(r.seed, func(rng *rand.Rand) scenario {
		drawScenario(rng) // so that chance goes on as it did
		return s
	})
	w.plant, w.recordIt, w.cut = r.plant, true, with
	defer func() {
		if p := recover(); p != nil {
			w.fail("panic", "%v\n%s", p, debug.Stack())
		}
	}()
	w.safety()
	if w.breach != "" || !r.early {
		w.liveness()
	}
	return w
}

// try takes a run for the best so far if it fails in the same way, and, if that is bounded, after
// so many events at most.
func (r *reduction) try(s scenario, with cut, most int) bool {
	if r.budget <= 0 {
		return false
	}
	w := r.run(s, with)
	if property, _, _ := strings.Cut(w.breach, ":"); w.breach == "" || property != r.property ||
		most > 0 && len(w.log) > most {
		return false
	}
	r.scenario, r.best = s, w
	return true
}

// simplify makes the world itself smaller: fewer agents, pods and extras, and less time.
func (r *reduction) simplify() (smaller bool) {
	for _, change := range simpler {
		s := r.scenario
		if change(&s); s == r.scenario {
			continue
		}
		smaller = r.try(s, only(r.best.cut.done), 0) ||
			r.try(s, cut{}, len(r.best.log)) || r.search(s, len(r.best.cut.done)) || smaller
	}
	return smaller
}

// simpler are the ways to make a scenario smaller.
var simpler = []func(*scenario){
	func(s *scenario) { s.uninstall = false },
	func(s *scenario) { s.safety = max(s.safety/2, 10*time.Second) },
	func(s *scenario) { s.shape.policies, s.shape.update = false, false },
	func(s *scenario) { s.shape.other, s.shape.extra, s.shape.agent = false, false, false },
	func(s *scenario) { s.shape.nodes = min(s.shape.nodes, 1) },
	func(s *scenario) { s.shape.data = min(s.shape.data, 1) },
	func(s *scenario) { s.shape.controllers = 0 },
	func(s *scenario) { s.shape.brokers = min(s.shape.brokers, 1) },
	func(s *scenario) {
		s.agents = max(1, s.shape.data, s.shape.brokers, s.shape.controllers)
	},
	func(s *scenario) { s.shape.former, s.bad = false, false },
	func(s *scenario) { s.crashes = 0 },
	func(s *scenario) { s.network = 0 },
	func(s *scenario) { s.tasks = 0 },
	func(s *scenario) { s.pictures, s.blind, s.older = false, false, false },
}

// drop leaves faults and commands out: large parts first, then smaller ones, and at last one by
// one.
func (r *reduction) drop() (smaller bool) {
	if len(r.best.cut.done) == 0 {
		return false
	}
	if r.try(r.scenario, only(nil), 0) {
		return true
	}
	for part := (len(r.best.cut.done) + 1) / 2; part >= 1 && r.budget > 0; {
		dropped := false
		for from := 0; from < len(r.best.cut.done) && r.budget > 0; {
			done := r.best.cut.done
			to := min(from+part, len(done))
			if r.try(r.scenario, only(slices.Concat(done[:from], done[to:])), 0) {
				smaller, dropped = true, true
				continue // what followed has moved up
			}
			from = to
		}
		if part == 1 && !dropped {
			break
		}
		part = max(1, min(part/2, len(r.best.cut.done)))
	}
	return smaller
}

// search looks for another seed that fails in the same way with so many faults and commands: a run
// that leaves one out, or that is of a smaller world, goes on otherwise from there.
func (r *reduction) search(s scenario, most int) bool {
	was := r.seed
	for i := range uint64(searchSeeds) {
		r.seed = 1 + i
		if r.try(s, cut{most: max(most, 1)}, 0) {
			return true
		}
	}
	r.seed = was
	return false
}

// tellReduced writes the scenario file of a seed that failed, and says where.
func tellReduced(t *testing.T, seed uint64) {
	t.Helper()
	w := reduce(seed, nil)
	path := filepath.Join(os.TempDir(), fmt.Sprintf("seed-%d.txt", seed))
	if err := os.WriteFile(path, []byte(w.scenarioText()), 0o644); err != nil {
		t.Error(err)
	}
	t.Logf("seed %d is reduced to %s, %d events; the scenario file is %s: move it to "+
		"scheduler/testdata, and go test ./scheduler -run Stories -rewrite writes what the "+
		"machine answers\n%s\n%s", seed, &w.cut, len(w.log), path, w.breach, &w.trace)
}

// forgetful plants a bug: that a task failed is not stored, and acknowledged all the same.
func forgetful(ev scheduler.Event, out *scheduler.Output) {
	from, _ := ev.(scheduler.FromMesos)
	if updated, _ := from.Event.(mesos.Updated); updated.Status.State == mesos.Failed {
		out.Writes = slices.DeleteFunc(out.Writes, func(w scheduler.Write) bool {
			_, is := w.(scheduler.WritePod)
			return is
		})
	}
}

// TestReduce plants a bug, and has a run that meets it reduced to what it takes: one task that
// fails, of the smallest service.
func TestReduce(t *testing.T) {
	reduced := 0
	for seed := uint64(1); seed <= 200 && reduced < 1; seed++ {
		first := newWorld(seed)
		first.plant = forgetful
		first.safety()
		few := len(first.cut.done) > 1 && len(first.cut.done) < 8 // more takes longer
		if !strings.HasPrefix(first.breach, "acknowledged:") || !few {
			continue
		}
		reduced++
		w := reduce(seed, forgetful)
		if !strings.HasPrefix(w.breach, "acknowledged:") {
			t.Errorf("seed %d: reduced to something else: %s", seed, w.breach)
		}
		shape := w.scenario.shape
		if n := len(w.cut.done); n > 2 || shape.policies || shape.data > 1 || shape.other {
			t.Errorf("seed %d: %s are left of %s, with %+v", seed, &w.cut, &first.cut, shape)
		}
		if text := w.scenarioText(); !strings.Contains(text, "\nat 0s start\nname: kafka\n") ||
			!strings.Contains(text, " Updated\n{") || !strings.Contains(text, `"FAILED"`) {
			t.Errorf("seed %d: the scenario file is\n%s", seed, text)
		}
		t.Logf("seed %d: %s, %d events, after %s, %d", seed, &w.cut, len(w.log), &first.cut,
			len(first.log))
		if again := reduce(seed, forgetful); again.scenarioText() != w.scenarioText() {
			t.Errorf("seed %d is reduced to two things", seed)
		}
		if *keep != "" {
			if err := os.WriteFile(*keep, []byte(w.scenarioText()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if reduced < 1 {
		t.Errorf("%d runs met the bug", reduced)
	}
}
