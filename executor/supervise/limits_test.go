package supervise

import (
	"strings"
	"testing"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

func TestLimits(t *testing.T) {
	soft, hard := uint64(100), uint64(200)
	r := start(t)
	// The limits are set behind the start, so the task gives them a moment.
	r.launch(executor.Order{Task: "a",
		Command: `while [ "$(ulimit -Hn)" != 200 ]; do :; done; ulimit -Sn; ulimit -Hn`,
		RLimits: []executor.RLimit{{Name: "RLMT_NOFILE", Soft: &soft, Hard: &hard}}})
	r.state("a", mesos.Finished)
	if got := r.read("a.out"); got != "100\n200\n" {
		t.Errorf("the task's limits are %q", got)
	}
}

func TestUnknownLimit(t *testing.T) {
	r := start(t)
	r.launch(executor.Order{Task: "a", Command: "sleep 60",
		RLimits: []executor.RLimit{{Name: "RLMT_WISHES"}}})
	if got := r.state("a", mesos.Failed).Message; !strings.Contains(got, "RLMT_WISHES") {
		t.Errorf("the message is %q", got)
	}
}
