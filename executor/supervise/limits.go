package supervise

import (
	"errors"
	"fmt"
	"math"

	"golang.org/x/sys/unix"
)

// rlimits are the limits that a task can have, by Mesos' names.
var rlimits = map[string]int{
	"RLMT_AS": unix.RLIMIT_AS, "RLMT_CORE": unix.RLIMIT_CORE, "RLMT_CPU": unix.RLIMIT_CPU,
	"RLMT_DATA": unix.RLIMIT_DATA, "RLMT_FSIZE": unix.RLIMIT_FSIZE,
	"RLMT_LOCKS": unix.RLIMIT_LOCKS, "RLMT_MEMLOCK": unix.RLIMIT_MEMLOCK,
	"RLMT_MSGQUEUE": unix.RLIMIT_MSGQUEUE, "RLMT_NICE": unix.RLIMIT_NICE,
	"RLMT_NOFILE": unix.RLIMIT_NOFILE, "RLMT_NPROC": unix.RLIMIT_NPROC,
	"RLMT_RSS": unix.RLIMIT_RSS, "RLMT_RTPRIO": unix.RLIMIT_RTPRIO,
	"RLMT_RTTIME": unix.RLIMIT_RTTIME, "RLMT_SIGPENDING": unix.RLIMIT_SIGPENDING,
	"RLMT_STACK": unix.RLIMIT_STACK,
}

// limit sets the limits of a process that has just begun. What this user may not raise is
// raised as far as it may be, with a line in the log: a broker with fewer files than wished for
// is better than none.
func (t *task) limit(pid int) error {
	for _, l := range t.order.RLimits {
		which, ok := rlimits[l.Name]
		if !ok {
			return fmt.Errorf("limit %s is unknown on this agent", l.Name)
		}
		want := unix.Rlimit{Cur: orInfinity(l.Soft), Max: orInfinity(l.Hard)}
		err := unix.Prlimit(pid, which, &want, nil)
		if errors.Is(err, unix.EPERM) {
			var have unix.Rlimit
			if err = unix.Prlimit(pid, which, nil, &have); err == nil {
				t.log.Warn("this user may not raise a limit so far", "limit", l.Name,
					"wanted", want.Max, "hard limit", have.Max)
				want.Max = min(want.Max, have.Max)
				want.Cur = min(want.Cur, want.Max)
				err = unix.Prlimit(pid, which, &want, nil)
			}
		}
		if err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("setting %s: %w", l.Name, err)
		}
	}
	return nil
}

func orInfinity(n *uint64) uint64 {
	if n == nil {
		return math.MaxUint64
	}
	return *n
}
