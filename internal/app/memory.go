package app

import (
	"bufio"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

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

// spareMemory bounds the heap, softly, unless GOGC or GOMEMLIMIT choose otherwise: garbage is
// collected as seldom as by default until there is as much as the bound allows.
func (s *schedulerRun) spareMemory() {
	n := s.instances()
	chosen := os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != ""
	if n < manyInstances || chosen {
		return
	}
	debug.SetMemoryLimit(memoryFor(n))
	s.log.Info("memory is bounded softly, as there are many instances",
		"instances", n, "megabytes", memoryFor(n)>>20)
}
