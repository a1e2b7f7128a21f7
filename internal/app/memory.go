package app

import (
	"bufio"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// releaseStartupPages gives back the pages of the program file that only starting touched:
// initialisation reads much of the binary once, and an executor lives for months beside a
// broker that can use the memory. The pages are clean and private, so the kernel reads again
// what is needed again. Where it does not work, nothing is lost.
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
