package rolling_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
)

func TestMayReplaceAndMayLeave(t *testing.T) {
	for _, c := range []struct {
		name, facts, want, within string
		may                       func(*rolling.Facts, rolling.Request) rolling.Verdict
		ask                       rolling.Request
	}{
		{"replace", healthy, "allowed safe", "", (*rolling.Facts).MayReplace,
			rolling.Request{Node: 3}},
		{"replace the only replica", `
brokers 0 1 2 3
voters 0 1 2 leader 0
topic t min 1: 3+`, "refused data-lost", "nobody else has all the data of partition t-0",
			(*rolling.Facts).MayReplace,
			rolling.Request{Node: 3, Policy: rolling.Policy{Fragile: rolling.Allow}}},
		{"replace while the others are behind", `
brokers 0 1 2 3
voters 0 1 2 leader 0
topic t min 1: 3+1-2-`, "wait data-lost", "t-0", (*rolling.Facts).MayReplace,
			rolling.Request{Node: 3}},
		{"replace a dead broker before the minimum is there without it", `
brokers 0 1 2 3
fenced 3
voters 0 1 2 leader 0
topic t min 2: 1+2-3-`, "wait under-min-isr", "t-0", (*rolling.Facts).MayReplace,
			rolling.Request{Node: 3}},
		{"replace a dead broker that a topic can never do without", `
brokers 0 1 2 3
fenced 3
voters 0 1 2 leader 0
topic t min 2: 1+3-`, "allowed safe", "", (*rolling.Facts).MayReplace,
			rolling.Request{Node: 3}},
		{"replace a live broker that a topic can never do without", `
brokers 0 1 2 3
voters 0 1 2 leader 0
topic t min 2: 1+3+`, "refused under-min-isr", "t-0", (*rolling.Facts).MayReplace,
			rolling.Request{Node: 3}},
		{"replace one of three voters", healthy, "allowed safe", "", (*rolling.Facts).MayReplace,
			rolling.Request{Node: 1}},
		{"replace one of two voters", `
brokers 0 1
voters 0 1 leader 0
topic t min 1: 0+1+`, "refused quorum-lost", "1 voter", (*rolling.Facts).MayReplace,
			rolling.Request{Node: 1}},
		{"replace a controller while another lags", `
brokers 0 1 2
voters 0 1 2 leader 0
lagging 2
topic t min 1: 0+1+`, "wait quorum-lost", "", (*rolling.Facts).MayReplace,
			rolling.Request{Node: 1, Role: rolling.ControllerRole}},
		{"leave with replicas", healthy, "wait replicas-left", "still hosts partition t-1",
			(*rolling.Facts).MayLeave, rolling.Request{Node: 3}},
		{"leave as a voter", healthy, "wait voter-left", "", (*rolling.Facts).MayLeave,
			rolling.Request{Node: 2}},
		{"leave empty", healthy + "\n" + "brokers 4", "allowed empty", "nothing is left",
			(*rolling.Facts).MayLeave, rolling.Request{Node: 4}},
		{"leave while one answer still knows a replica",
			healthy + "brokers 4\nanswer 1\ntopic t min 2: 0+1+2+\ntopic t min 2: 1+2+4+",
			"wait replicas-left", "t-1", (*rolling.Facts).MayLeave, rolling.Request{Node: 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.ask.Now = start
			v := c.may(cluster(t, c.facts), c.ask)
			if brief(v) != c.want || !strings.Contains(v.Sentence(), c.within) {
				t.Errorf("got %s: %s\nwant %s: …%s…", brief(v), v.Sentence(), c.want, c.within)
			}
		})
	}
}

func TestForecast(t *testing.T) {
	f := cluster(t, `
brokers 0 1 2
voters 0 1 2 leader 0
topic good min 2: 0+1+2+
topic one min 1: 0+
topic one min 1: 1+
topic strict min 3: 0+1+2+
topic mixed min 2: 0+1+2+
topic mixed min 2: 0+1+`)
	want := []rolling.Risk{
		{Topic: "mixed", Replicas: 2, MinISR: 2, Partitions: 1, Movable: true},
		{Topic: "one", Replicas: 1, MinISR: 1, Partitions: 2, Movable: true},
		{Topic: "strict", Replicas: 3, MinISR: 3, Partitions: 1, Movable: false},
	}
	if got := f.Forecast(); !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// What is down goes first, brokers rack by rack, controllers after them, their leader last.
func TestOrder(t *testing.T) {
	f := cluster(t, `
brokers 0@a 1@b 2@c 3@b 4@a 5@b 6@a
fenced 5
voters 0 1 2 10 11 leader 1
topic t min 2: 0+1+2+`)
	nodes := []rolling.NodeID{0, 1, 2, 3, 4, 5, 6, 11}
	want := "[5 4 6 3 11 0 2 1]"
	if got := fmt.Sprint(f.Order(nodes)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if nodes[0] != 0 {
		t.Error("the list that was given is changed")
	}
}

func TestDrainAndPreferred(t *testing.T) {
	f := cluster(t, `
brokers 0 1 2 3
voters 0 1 2 leader 0
topic t min 1: 0+1+2+
topic t min 1: 0+2-1+
topic t min 1: 0+3+2+
topic t min 1: 0+1-
topic t min 1: 3+0+
moving t 3`)
	got := fmt.Sprint(f.Drain(0, []rolling.NodeID{3}))
	if want := "[{t 0 0 1} {t 1 0 1} {t 2 0 2}]"; got != want {
		t.Errorf("drain: got %s, want %s", got, want)
	}
	f = cluster(t, `
brokers 0 1 2
voters 0 1 2 leader 0
topic t min 1: 1-0+2+
topic t min 1: 0+1+2+
topic t min 1: 1+0+2+
answer 1
topic t min 1: 1+0+2+
topic t min 1: 0+1+2+
topic t min 1: 1-0+2+`)
	if got := f.Preferred(1); len(got) != 0 {
		t.Errorf("the leadership of what is not in sync for all is wanted: %v", got)
	}
	b := rolling.NewBuilder(start)
	for id := range rolling.NodeID(3) {
		b.Broker(rolling.Broker{ID: id, Registered: true})
	}
	b.Answer(0)
	all := []rolling.NodeID{1, 0, 2}
	b.Partition(b.Topic("t", 2), 7, 2, all, all)
	if got := fmt.Sprint(b.Facts().Preferred(1)); got != "[{t 7 2 1}]" {
		t.Errorf("preferred: got %s", got)
	}
}

// Ids that nobody expects are partitions like others.
func TestStrangePartitionIDs(t *testing.T) {
	b := rolling.NewBuilder(start)
	one := []rolling.NodeID{5}
	for from := range rolling.NodeID(2) {
		b.Answer(from)
		topic := b.Topic("t", 1)
		for _, id := range []int32{1 << 30, -7, 3, 1500, 700, 1501} {
			b.Partition(topic, id, 5, one, one)
		}
	}
	b.Moving("t", 1<<30)
	b.Moving("t", 9)
	b.Moving("u", 0)
	f := b.Facts()
	if hosted, _ := f.Hosted(5); hosted != 6 || f.Partitions() != 6 {
		t.Errorf("%d of %d partitions", hosted, f.Partitions())
	}
}

func TestEvacuate(t *testing.T) {
	f := cluster(t, `
brokers 0@a 1@b 2@c 3@a 4@b
voters 0 1 2 leader 0
topic t min 1: 0+
topic t min 2: 0+1+
topic u min 2: 0+1+2+
topic v min 1: 3+`)
	got := fmt.Sprint(f.Evacuate(0, nil))
	if want := "[{t 0 [3] [0]} {t 1 [3 1] [0 1]}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
