package servicespec

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"syscall"
	"testing"
	"time"
)

// What one input may cost, whatever it says.
const (
	maxInputCPU  = 5 * time.Second
	maxInputLive = 64 << 20 // bytes that are in use at any time
	inputHangs   = 2 * time.Minute
)

// bounded does the work that an input asks for, and demands that it ends, that it takes no more
// than maxInputCPU of processor time, and that it never has more than maxInputLive in use.
//
// Other processes do not count in any of these. What was allocated in all is an upper bound of
// what was in use; only work that allocates more is done again, to see what its garbage
// collections find alive.
func bounded(t *testing.T, work func()) {
	t.Helper()
	watch := time.AfterFunc(inputHangs, func() { panic("the input takes for ever") })
	defer watch.Stop()
	cpu, allocated := processorTime(t), counter(allocatedBytes)
	work()
	cpu, allocated = processorTime(t)-cpu, counter(allocatedBytes)-allocated
	if cpu > maxInputCPU {
		t.Errorf("the input takes %v of the processor, more than %v", cpu, maxInputCPU)
	}
	if allocated <= maxInputLive {
		return
	}
	live := liveDuring(work)
	for range 2 {
		if live > maxInputLive {
			live = min(live, liveDuring(work))
		}
	}
	if live > maxInputLive {
		t.Errorf("the input needs %d MB of memory, more than %d", live>>20, maxInputLive>>20)
	}
}

// liveDuring gives how much more was in use during the work than before it. Garbage is collected
// whenever the heap has grown by a tenth, and what each collection finds alive is looked at. What
// is allocated while one runs counts as alive, so that the number may be too high by chance.
func liveDuring(work func()) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	runtime.GC()
	before := counter(liveBytes)
	done, most := make(chan bool), make(chan uint64)
	go func() {
		highest := before
		for ticks := time.Tick(200 * time.Microsecond); ; {
			select {
			case <-ticks:
				highest = max(highest, counter(liveBytes))
			case <-done:
				most <- highest - before
				return
			}
		}
	}()
	work()
	close(done)
	return <-most
}

// What the runtime counts.
const (
	allocatedBytes = "/gc/heap/allocs:bytes"
	liveBytes      = "/gc/heap/live:bytes"
)

func counter(name string) uint64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// processorTime is what this process has used of the processor.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// TestBounded demands that what an input has in use is seen, and that its garbage is not.
func TestBounded(t *testing.T) {
	var held [][]byte
	live := liveDuring(func() {
		for range 200 {
			held = append(held, make([]byte, 1<<20))
		}
	})
	if len(held) != 200 || live < maxInputLive {
		t.Errorf("%d MB of 200 were seen", live>>20)
	}
	held = nil
	bounded(t, func() {
		for range 200 << 4 {
			held = [][]byte{make([]byte, 1<<16)}
		}
	})
}
