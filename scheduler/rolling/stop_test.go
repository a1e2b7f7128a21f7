package rolling_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
)

const healthy = `
brokers 0@a 1@b 2@c 3@a
voters 0 1 2 leader 0
topic t min 2: 0+1+2+
topic t min 2: 1+2+3+
`

// stops are named cases: what is asked, and what has to be the answer.
var stops = []struct {
	name   string
	facts  string
	ask    rolling.Request
	want   string
	within string // of the sentence
}{
	{"all is well", healthy, rolling.Request{Node: 3}, "allowed safe", "node 3 may go"},
	{"the ISR is at its minimum", `
brokers 0 1 2
voters 0 1 2 leader 0
topic t min 2: 0+1+2-`, rolling.Request{Node: 1}, "wait under-min-isr",
		"partition t-0 (1 left, minimum 2)"},
	{"the ISR is under its minimum already", `
brokers 0 1 2
voters 0 1 2 leader 0
topic t min 2: 0+1-2-`, rolling.Request{Node: 0}, "wait under-min-isr", "t-0"},
	{"a replica that is out of sync is missed by nobody", `
brokers 0 1 2 3
voters 0 1 2 leader 0
topic t min 2: 0+1+3-`, rolling.Request{Node: 3}, "allowed serves-nobody", "in no ISR"},
	// Complaint 1: a roll gives up or loops instead of waiting for the ISR.
	{"catching up is waited for", `
brokers 0 1 2 3
voters 0 1 2 leader 0
topic t min 2: 0-1+2+
topic t min 2: 0-1+2+`, rolling.Request{Node: 1}, "wait under-min-isr", "2 partitions"},
	// Complaint 2: one replica, or as many as the minimum.
	{"one replica: move it first", `
brokers 0 1 2 3
voters 0 1 2 leader 0
topic t min 1: 3+`, rolling.Request{Node: 3}, "wait move-first", "moved away first"},
	{"one replica and nowhere to move it", `
brokers 0
voters 0 leader 0
only 0
topic t min 1: 0+`, rolling.Request{Node: 0}, "allowed quorum-pauses", "as only 1 votes"},
	{"one replica: allowed", `
brokers 0 1 2 3
voters 0 1 2 leader 0
topic t min 1: 3+`, rolling.Request{Node: 3, Policy: rolling.Policy{Fragile: rolling.Allow}},
		"allowed accepted", "takes partition t-0 along"},
	{"one replica: refused", `
brokers 0 1 2 3
voters 0 1 2 leader 0
topic t min 1: 3+`, rolling.Request{Node: 3, Policy: rolling.Policy{Fragile: rolling.Refuse}},
		"refused fragile-topics", "raise the replication factor"},
	{"as many replicas as the minimum, nobody spare", `
brokers 0 1 2
voters 0 1 2 leader 0
topic t min 3: 0+1+2+`, rolling.Request{Node: 1}, "allowed accepted", "t-0"},
	{"allowed is not allowed to go offline", `
brokers 0 1 2
voters 0 1 2 leader 0
topic t min 3: 0+1-2-`, rolling.Request{Node: 0, Policy: rolling.Policy{Fragile: rolling.Allow}},
		"wait under-min-isr", "t-0"},
	// Complaint 3: one at a time takes hours.
	{"two of a rack at once", `
brokers 0@a 1@b 2@c 3@a 4@a 5@b
voters 0 1 2 leader 0
topic t min 2: 3+1+2+
topic t min 2: 4+5+2+`, rolling.Request{Node: 4, Down: []rolling.NodeID{3},
		Policy: rolling.Policy{MaxUnavailable: 2}}, "allowed safe", ""},
	{"two of a rack that share a partition", `
brokers 0@a 1@b 2@c 3@a 4@a 5@b
voters 0 1 2 leader 0
topic t min 2: 3+4+2+`, rolling.Request{Node: 4, Down: []rolling.NodeID{3},
		Policy: rolling.Policy{MaxUnavailable: 2}}, "wait under-min-isr", "t-0"},
	{"two of two racks", `
brokers 0@a 1@b 2@c 3@a 4@a 5@b
voters 0 1 2 leader 0
topic t min 2: 3+1+2+`, rolling.Request{Node: 5, Down: []rolling.NodeID{3},
		Policy: rolling.Policy{MaxUnavailable: 2}}, "wait turn-taken", "at most 2 of one rack"},
	{"nobody knows the racks", `
brokers 0 1 2 3 4
voters 0 1 2 leader 0
topic t min 1: 3+1+2+`, rolling.Request{Node: 4, Down: []rolling.NodeID{3},
		Policy: rolling.Policy{MaxUnavailable: 2}}, "wait turn-taken", "node 3"},
	{"combined nodes one by one", `
brokers 0@a 1@a 2@a
voters 0 1 2 leader 0
topic t min 1: 0+1+2+`, rolling.Request{Node: 1, Down: []rolling.NodeID{2},
		Policy: rolling.Policy{MaxUnavailable: 2}}, "wait turn-taken", "node 2"},
	// Complaint 4: the next broker goes before the previous one is back.
	{"the previous one is not back", healthy, rolling.Request{Node: 1,
		Down: []rolling.NodeID{2}}, "wait turn-taken", "only one may be at a time"},
	{"the previous one is up but not registered", `
brokers 0 1 2 3
gone 3
voters 0 1 2 leader 0
topic t min 1: 0+1+2+`, rolling.Request{Node: 1}, "wait broker-down", "node 3 not up"},
	// Complaint 5: what is being recovered counts as down, and keeps the others up.
	{"another broker is fenced", `
brokers 0 1 2 3
fenced 3
voters 0 1 2 leader 0
topic t min 2: 0+1+2+3-`, rolling.Request{Node: 1}, "wait broker-down", "node 3"},
	{"… which was accepted", `
brokers 0 1 2 3
fenced 3
voters 0 1 2 leader 0
topic t min 2: 0+1+2+3-`, rolling.Request{Node: 1, Policy: rolling.Policy{MaxFailed: 1}},
		"allowed safe", ""},
	// Complaint 6 and 7: controllers.
	{"the quorum would be lost", `
brokers 0 1 2
voters 0 1 2 leader 0
lagging 2
topic t min 1: 0+1+2+`, rolling.Request{Node: 1}, "wait quorum-lost",
		"without it 1 voter is caught up, and the quorum needs 2"},
	{"one that lags may go where a majority stays", `
brokers 0 1 2
voters 0 1 2 leader 0
lagging 2
topic t min 1: 0+1+2+`, rolling.Request{Node: 2}, "allowed safe", ""},
	{"a voter that is dead looks caught up for a while", `
brokers 0 1 2
voters 10 11 12 leader 10
dead 12
topic t min 3: 0+1+2+`, rolling.Request{Node: 11, Role: rolling.ControllerRole},
		"wait quorum-lost", "1 voter"},
	{"the controllers have no leader", `
brokers 0 1 2
voters 0 1 2 leader -1
topic t min 1: 0+1+2+`, rolling.Request{Node: 2}, "wait no-quorum-leader", ""},
	{"a controller that is no broker", `
brokers 0 1 2
voters 10 11 12 leader 10
topic t min 3: 0+1+2+`, rolling.Request{Node: 11, Role: rolling.ControllerRole},
		"allowed safe", ""},
	{"one of two voters", `
brokers 0 1 2
voters 10 11 leader 10
topic t min 2: 0+1+2+`, rolling.Request{Node: 11, Role: rolling.ControllerRole},
		"allowed quorum-pauses", "as only 2 vote"},
	{"one of two voters, and a third is about to vote", `
brokers 0 1 2
voters 10 11 leader 10
topic t min 2: 0+1+2+`, rolling.Request{Node: 11, Role: rolling.ControllerRole,
		Joining: []rolling.NodeID{10, 12}}, "wait quorum-lost",
		"without it 1 voter is caught up, and the quorum needs 2; node 12 about to vote"},
	{"the only voter, and a second is about to vote", `
brokers 0 1 2
voters 10 leader 10
topic t min 2: 0+1+2+`, rolling.Request{Node: 10, Role: rolling.ControllerRole,
		Joining: []rolling.NodeID{11}}, "allowed quorum-pauses", "as only 1 votes"},
	{"one of two voters, and the other lags", `
brokers 0 1 2
voters 10 11 leader 11
topic t min 2: 0+1+2+
lagging 10`, rolling.Request{Node: 11, Role: rolling.ControllerRole}, "wait quorum-lost", ""},
	// Complaint 10: somebody moves partitions meanwhile.
	{"a partition of it is being reassigned", healthy + "moving t 1", rolling.Request{Node: 3},
		"wait reassigning", "partition t-1 being reassigned"},
	{"a partition of others is being reassigned", healthy + "moving t 0",
		rolling.Request{Node: 3}, "allowed safe", ""},
	// Complaint 11: another broker dies in the middle of the roll.
	{"the dead one itself may be restarted", `
brokers 0 1 2 3
fenced 3
voters 0 1 2 leader 0
topic t min 2: 0+1-3-`, rolling.Request{Node: 3}, "allowed serves-nobody", ""},
	{"the dead one was the last of a partition", `
brokers 0 1 2 3
fenced 3
voters 0 1 2 leader 0
topic t min 1: 3+`, rolling.Request{Node: 3}, "allowed serves-nobody", ""},
	{"fenced, but a leader counts on it still", `
brokers 0 1 2 3
fenced 3
voters 0 1 2 leader 0
topic t min 2: 0+1-3+`, rolling.Request{Node: 3}, "wait under-min-isr", "t-0"},
	{"a fenced broker is not what keeps a partition", `
brokers 0 1 2 3
fenced 2
voters 0 1 3 leader 0
topic t min 2: 0+1+2+`, rolling.Request{Node: 1, Policy: rolling.Policy{MaxFailed: 1}},
		"wait under-min-isr", "t-0 (1 left, minimum 2)"},
	{"its process has ended", healthy, rolling.Request{Node: 3, Ended: true,
		Down: []rolling.NodeID{1}}, "allowed ended", "not running"},
	{"somebody is silent but not yet fenced", healthy + "silent 1", rolling.Request{Node: 3},
		"wait broker-silent", "node 1 did not answer"},
	{"it is silent itself, but in ISRs", healthy + "silent 3", rolling.Request{Node: 3},
		"allowed safe", ""},
	{"a partition of others is offline", `
brokers 0 1 2 3 4
fenced 4
voters 0 1 2 leader 0
topic t min 1: 0+1+2+
topic u min 1: 4+`, rolling.Request{Node: 1, Policy: rolling.Policy{MaxFailed: 1}},
		"wait offline-partitions", "u-0"},
	// Complaint 12: a failed disk takes a replica out of sync, and waiting does not bring it back.
	{"offline, and nobody but itself is missing", `
brokers 0 1 2 3
fenced 3
voters 0 1 2 leader 0
topic t min 2: 0-3+`, rolling.Request{Node: 3}, "allowed serves-nobody", ""},
	// What is not known counts as no.
	{"nothing is known", "brokers 0\nvoters 0 leader 0\nonly 0", rolling.Request{Node: 0,
		Now: start.Add(time.Minute)}, "wait no-facts", "1m0s old"},
	{"one answer", healthy + "only 0", rolling.Request{Node: 3}, "wait one-answer",
		"1 of 2 brokers"},
	{"a stale answer", healthy + "stale 1", rolling.Request{Node: 3}, "wait stale-answer",
		"node 1"},
	{"answers differ", healthy + "answer 1\ntopic t min 2: 0+1+2+\ntopic t min 2: 1-2+3+",
		rolling.Request{Node: 3}, "wait answers-differ", "partition t-1"},
	{"answers differ elsewhere", healthy + "answer 1\ntopic t min 2: 0+1+2-\ntopic t min 2: 1+2+3+",
		rolling.Request{Node: 3}, "allowed safe", ""},
	{"one broker knows of a topic that others do not", healthy +
		"answer 1\ntopic t min 2: 0+1+2+\ntopic t min 2: 1+2+3+\ntopic u min 1: 3+1+",
		rolling.Request{Node: 3}, "wait answers-differ", "u-0"},
	{"the minimum is not known", `
brokers 0 1 2
voters 0 1 2 leader 0
topic t min 0: 0+1+2+`, rolling.Request{Node: 1}, "wait min-isr-unknown", "topic t"},
}

// TestMayStop asks for stops of nodes in named cases: C1, C2, C3, C4, C5, C6, C7, C10, C11, C12.
func TestMayStop(t *testing.T) {
	for _, c := range stops {
		t.Run(c.name, func(t *testing.T) {
			if c.ask.Now.IsZero() {
				c.ask.Now = start.Add(time.Second)
			}
			v := cluster(t, c.facts).MayStop(c.ask)
			if brief(v) != c.want || !strings.Contains(v.Sentence(), c.within) {
				t.Errorf("got %s: %s\nwant %s: …%s…", brief(v), v.Sentence(), c.want, c.within)
			}
		})
	}
}

func TestNobodyAnswered(t *testing.T) {
	var none *rolling.Facts
	v := none.MayStop(rolling.Request{Node: 1, Now: start})
	if brief(v) != "wait no-facts" || v.Sentence() !=
		"node 1 has to stay: Kafka has not answered" {
		t.Error(brief(v), v.Sentence())
	}
}

// A verdict about thousands of partitions names a few and counts all.
func TestCausesAreBounded(t *testing.T) {
	text := "brokers 0 1 2\nvoters 0 1 2 leader 0\n" +
		strings.Repeat("topic t min 2: 0+1+2-\n", 500)
	v := cluster(t, text).MayStop(rolling.Request{Node: 1, Now: start})
	if len(v.Causes) != rolling.MostCauses || v.Count != 500 {
		t.Errorf("%d causes of %d", len(v.Causes), v.Count)
	}
	want := "node 1 has to stay: too few would be in sync in 500 partitions: t-0 (1 left, " +
		"minimum 2), t-1 (1 left, minimum 2), t-2 (1 left, minimum 2) and 497 more"
	if v.Sentence() != want {
		t.Errorf("got  %s\nwant %s", v.Sentence(), want)
	}
}
