package scheduler

import (
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
)

// TestOldPermission: while nothing new is known of a cluster, a reason to stay goes on to be shown,
// and no leave to go counts once more: between two questions a process may have ended.
func TestOldPermission(t *testing.T) {
	now, name := time.Unix(0, 0), PodName{"kafka", 0}
	none := rolling.Verdict{Answer: rolling.Wait, Code: rolling.NoFacts}
	for _, before := range []rolling.Verdict{{Answer: rolling.Allowed, Code: rolling.Safe},
		{Answer: rolling.Wait, Code: rolling.QuorumLost}} {
		q := newInquiry()
		q.lately(name, "replace", before, now)
		q.said[name] = Judgement{What: "replace", Verdict: before}
		if v := q.lately(name, "replace", none, now.Add(time.Second)); v.OK() ||
			v.Code == rolling.NoFacts && !before.OK() {
			t.Errorf("after %v: %v", before, v)
		}
	}
}
