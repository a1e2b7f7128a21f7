package rolling_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
)

// sixInRacks is a cluster of two brokers in each of three racks, with a replica in each.
const sixInRacks = `
brokers 0@a 1@b 2@c 3@a 4@b 5@c
voters 0 1 2 leader 0
topic t min 2: 0+1+2+
topic t min 2: 3+4+5+
topic t min 2: 0+4+5+
topic t min 2: 3+1+2+
`

// may asks for a stop of each node, and gives what is answered.
func may(t *testing.T, facts string, nodes ...rolling.NodeID) []string {
	t.Helper()
	var answers []string
	f := cluster(t, facts)
	for _, n := range nodes {
		answers = append(answers, brief(f.MayStop(rolling.Request{Node: n,
			Now: start.Add(time.Second)})))
	}
	return answers
}

func want(t *testing.T, what string, got []string, each string) {
	t.Helper()
	for i, answer := range got {
		if answer != each {
			t.Errorf("%s: the %d. answer is %q, wanted %q", what, i+1, answer, each)
		}
	}
}

// TestRackLost has all of a rack lost (F41): nobody else may stop, as brokers are down and all is
// at its minimum; those of the rack, whom nobody misses, may be started again in any order.
func TestRackLost(t *testing.T) {
	want(t, "before", may(t, sixInRacks, 0, 1, 2, 3, 4, 5), "allowed safe")
	lost := strings.NewReplacer("2+", "2-", "5+", "5-").Replace(sixInRacks) + "fenced 2 5\ndead 2\n"
	want(t, "others", may(t, lost, 3, 4), "wait broker-down")
	for _, answer := range may(t, lost, 0, 1) {
		if strings.HasPrefix(answer, "allowed") {
			t.Errorf("a voter may stop while another is lost: %s", answer)
		}
	}
	want(t, "of the rack", may(t, lost, 5), "allowed serves-nobody")
	back := strings.Replace(sixInRacks, "5+", "5-", 1)
	want(t, "while one catches up", may(t, back, 3, 4), "wait under-min-isr")
}

// TestMinISRRaised raises min ISR between two stops of a roll (F42): what was safe a moment ago is
// not any more, and the roll waits instead of going on by what it knew.
func TestMinISRRaised(t *testing.T) {
	const facts = `
brokers 0 1 2 3
voters 0 1 2 leader 0
topic t min 1: 3+1+2-
`
	want(t, "before", may(t, facts, 3), "allowed safe")
	want(t, "raised", may(t, strings.Replace(facts, "min 1", "min 2", 1), 3), "wait under-min-isr")
	want(t, "nobody tells", may(t, strings.Replace(facts, "min 1", "min 0", 1), 3),
		"wait min-isr-unknown")
	raised := cluster(t, strings.Replace(facts, "min 1", "min 3", 1))
	v := raised.MayStop(rolling.Request{Node: 3, Now: start.Add(time.Second)})
	if v.Answer == rolling.Allowed {
		t.Errorf("raised above what is in sync: %s", v.Sentence())
	}
}

// TestLogDirectoryOffline has one of a broker's log directories go offline (F43): it is registered
// and serves the others, but what lay there is out of sync. No broker that shares those partitions
// may stop; the one with the fault may, once the rest of what it has is elsewhere too.
func TestLogDirectoryOffline(t *testing.T) {
	const facts = `
brokers 0 1 2 3
voters 0 1 2 leader 0
topic t min 2: 3-0+1+
topic t min 2: 3-1+2+
topic u min 2: 3+0+2+
`
	want(t, "those that are left", may(t, facts, 0, 1, 2), "wait under-min-isr")
	want(t, "the one with the fault", may(t, facts, 3), "allowed safe")
	last := facts + "topic v min 1: 3+\n"
	if got := may(t, last, 3); strings.HasPrefix(got[0], "allowed") {
		t.Errorf("it has the only replica of something, and may stop: %s", got[0])
	}
}
