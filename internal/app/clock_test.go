package app

import (
	"sync/atomic"
	"testing"
	"time"
)

// TestClockMoved sets the machine's clock forward by hours and back again, each time while the
// scheduler runs and while it does not: no task ends because of that, and commands do what they
// always do (F29).
func TestClockMoved(t *testing.T) {
	t.Parallel()
	s := newSite(t, webSpec)
	var ahead atomic.Int64
	s.clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	s.start()
	for _, by := range []time.Duration{time.Hour, -2 * time.Hour} {
		s.whole()
		ahead.Add(int64(by))
		s.podRestart()
		tasks, pids := ids(s.whole()), s.pids(3)
		s.stop()
		ahead.Add(int64(by))
		s.start()
		s.unchanged(tasks, pids)
		s.taskKilled()
	}
}
