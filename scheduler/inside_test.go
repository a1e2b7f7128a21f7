package scheduler

import (
	"slices"
	"strings"
	"testing"

	"github.com/kafka-sched/kafka-sched/scheduler/balance"
)

// uneven is a cluster whose broker 1 has all replicas in one of its two directories, and whose
// broker 2 has a directory that failed.
func uneven() Layout {
	l := Layout{Cluster: balance.Cluster{Brokers: []balance.Broker{
		{ID: 1, Dirs: []balance.Dir{{Path: "/a"}, {Path: "/b"}}},
		{ID: 2, Dirs: []balance.Dir{{Path: "/a"}, {Path: "/b", Standing: balance.Down}}}}}}
	for n := range int32(4) {
		l.Cluster.Partitions = append(l.Cluster.Partitions, balance.Partition{Topic: "events",
			ID: n, Replicas: []balance.Replica{{Broker: 1, Bytes: 1 << 30}}})
	}
	l.Cluster.Partitions = append(l.Cluster.Partitions, balance.Partition{Topic: "lost",
		Replicas: []balance.Replica{{Broker: 2, Dir: 1, Bytes: 1}}})
	return l
}

// TestInsideMoves plans moves between directories and follows them.
func TestInsideMoves(t *testing.T) {
	l := uneven()
	m := Weigh(l, MoveWish{Goal: balance.InDirs})
	if m.Count != 2 || m.Bytes != 2<<30 || len(m.Next) != 2 || m.LeftCount != 1 ||
		!strings.Contains(m.Left[0].Reason, "/b is down") {
		t.Fatalf("%+v", m)
	}
	if one := m.Next[0]; one.From != "/a" || one.To != "/b" || !one.Inside() ||
		one.After[0] != 1 {
		t.Errorf("%+v", one)
	}
	if m := Weigh(l, MoveWish{Goal: balance.InDirs, Brokers: []int{2}}); m.Count != 0 {
		t.Errorf("of broker 2: %+v", m)
	}
	wish := MoveWish{Goal: balance.InDirs, Batch: m.Next}
	if wish.Topics() != nil {
		t.Error("the directories are not asked for")
	}
	follow := func(want ...MoveState) {
		t.Helper()
		if got := Weigh(l, wish).States; !slices.Equal(got, want) {
			t.Errorf("the states are %v, not %v", got, want)
		}
	}
	follow(MoveIdle, MoveIdle)
	first := TopicPartition{m.Next[0].Topic, m.Next[0].Partition}
	l.Between = []ReplicaOn{{first, 2}}
	follow(MoveIdle, MoveIdle)
	l.Between = []ReplicaOn{{first, 1}}
	follow(MoveRuns, MoveIdle)
	l.Between = nil
	l.Cluster.Partitions[first.Partition].Replicas[0].Dir = 1
	follow(MoveDone, MoveIdle)
	l.Cluster.Partitions[m.Next[1].Partition].Replicas = nil // it went to another broker
	follow(MoveDone, MoveDone)
}
