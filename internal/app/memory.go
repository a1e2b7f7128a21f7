package app

import (
	"bufio"
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// releaseStartupPages gives back the pages of the program file that only starting touched:
// initialisation reads much of the binary once, and an executor lives for months beside a broker
// that can use the memory, as does a scheduler. The pages are clean and private, so the kernel
// reads again what is needed again. Where it does not work, nothing is lost.
func releaseStartupPages() {
	self, err := os.Executable()
	if err != nil {
		return
	}
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer maps.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 6 || fields[5] != self || strings.Contains(fields[1], "w") {
			continue
		}
		from, to, _ := strings.Cut(fields[0], "-")
		begin, err1 := strconv.ParseUint(from, 16, 64)
		end, err2 := strconv.ParseUint(to, 16, 64)
		if err1 == nil && err2 == nil && end > begin {
			unix.Syscall(unix.SYS_MADVISE, uintptr(begin), uintptr(end-begin),
				unix.MADV_DONTNEED)
		}
	}
}

// manyInstances is from how many on memory is bounded.
const manyInstances = 1000

// memoryFor is what the heap of a scheduler of n instances should not exceed, in bytes: of ten
// thousand 80 MB live while all is well, and 130 MB while they are placed on as many offers.
func memoryFor(n int) int64 { return 44<<20 + int64(n)*13<<10 }

// instances is how many instances the service has.
func (s *schedulerRun) instances() (n int) {
	for _, p := range s.service().Pods {
		n += p.Count
	}
	return n
}

// often and seldom are how much garbage, in percent of what lives, there may be before it is
// collected: by default, and where the bound is to decide.
const often, seldom = 100, 400

// spareMemory bounds the heap, softly, unless GOGC or GOMEMLIMIT choose otherwise: garbage is
// collected as seldom as by default until there is as much as the bound allows. While there is much
// to do, as when a life begins, the bound is wider, and it alone decides: collecting would take a
// third of the time then.
func (s *schedulerRun) spareMemory(ctx context.Context) {
	n := s.instances()
	chosen := os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != ""
	if n < manyInstances || chosen {
		return
	}
	b := bounds{calm: memoryFor(n), busy: true}
	b.set()
	s.log.Info("memory is bounded softly, as there are many instances",
		"instances", n, "megabytes", b.calm>>20, "while_busy", b.wide()>>20)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for before := allocated(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := allocated()
		if b.after(int64(now - before)) {
			b.set()
		}
		before = now
	}
}

// allocated is how many bytes of the heap were allocated since the process began.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// bounds are what the heap should not exceed: calm, or more while there is much to do.
type bounds struct {
	calm  int64
	busy  bool
	quiet int // for how many seconds in a row little was allocated
}

// calmAfter is for how many seconds little has to be allocated until the wider bound ends.
const calmAfter = 10

// wide is the bound while there is much to do.
func (b *bounds) wide() int64 { return b.calm / 2 * 3 }

// after takes a second in which so many bytes were allocated, and reports whether that changes
// the bound.
func (b *bounds) after(bytes int64) (changed bool) {
	was := b.busy
	if b.quiet++; bytes > b.calm/8 {
		b.busy, b.quiet = true, 0
	}
	b.busy = b.busy && b.quiet < calmAfter
	return b.busy != was
}

// bound is the present one.
func (b *bounds) bound() int64 {
	if b.busy {
		return b.wide()
	}
	return b.calm
}

// set makes the bound that of the process.
func (b *bounds) set() {
	debug.SetMemoryLimit(b.bound())
	if b.busy {
		debug.SetGCPercent(seldom)
		return
	}
	debug.SetGCPercent(often)
	debug.FreeOSMemory()
}
