package rolling_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

var (
	clusters = flag.Int("clusters", 1500, "how many random clusters to roll")
	seed     = flag.Uint64("seed", 1, "the first cluster's seed")
	summary  = flag.String("summary", "", "a file for the line that sums up")
)

// TestRollSafety rolls random clusters while things fail, and until they are done when nothing
// fails any more
// (F37, F38, F39).
func TestRollSafety(t *testing.T) {
	var unsafe, stuck, races, stops, next atomic.Int64
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(*clusters); i = next.Add(1) - 1 {
				w := newWorld(*seed + uint64(i))
				w.tell = *clusters == 1
				w.run()
				races.Add(int64(w.races))
				stops.Add(int64(w.stops))
				if len(w.unsafe) > 0 {
					unsafe.Add(1)
				}
				if w.stuck != "" {
					stuck.Add(1)
				}
				if len(w.unsafe) > 0 || w.stuck != "" {
					t.Errorf("%s\nrepeat: make roll-safety CLUSTERS=1 SEED=%d", w.report(), w.seed)
				}
			}
		})
	}
	all.Wait()
	line := fmt.Sprintf("clusters=%d unsafe=%d stuck=%d", *clusters, unsafe.Load(), stuck.Load())
	t.Logf("%d stops, in %d of which something failed between the question and the stop\n%s",
		stops.Load(), races.Load(), line)
	if *summary != "" {
		if err := os.WriteFile(*summary, []byte(line+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
