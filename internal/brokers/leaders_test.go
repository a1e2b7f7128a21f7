package brokers

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
)

// TestLeadersComeBack checks what Kafka is told of leaders that are to come back, and that an
// election which is not needed is none that fails.
func TestLeadersComeBack(t *testing.T) {
	k := take(t, map[int16]int16{43: 2}, func(kmsg.Request) kmsg.Response {
		r := kmsg.NewPtrElectLeadersResponse()
		r.ErrorCode = electionNotNeeded
		return r
	})
	change := scheduler.ElectPreferred{Node: 1, Leaders: []rolling.Handover{
		{Topic: "a", Partition: 3}, {Topic: "b", Partition: 0}, {Topic: "a", Partition: 5}}}
	if err := open(t, patient).Change(t.Context(), []string{k.address}, change); err != nil {
		t.Fatal(err)
	}
	got := map[string][]int32{}
	r := k.seen[0].(*kmsg.ElectLeadersRequest)
	for _, topic := range r.Topics {
		got[topic.Topic] = topic.Partitions
	}
	want := map[string][]int32{"a": {3, 5}, "b": {0}}
	if d := cmp.Diff(want, got); d != "" || r.ElectionType != 0 || r.TimeoutMillis <= 0 {
		t.Errorf("asked for %+v:\n%s", r, d)
	}
}

// TestReplicasMove checks what Kafka is told of replicas that are to move, and that a refusal of
// one partition is told.
func TestReplicasMove(t *testing.T) {
	k := take(t, map[int16]int16{45: 0}, func(kmsg.Request) kmsg.Response {
		p := kmsg.NewAlterPartitionAssignmentsResponseTopicPartition()
		p.ErrorCode, p.ErrorMessage = 39, kmsg.StringPtr("no such broker")
		topic := kmsg.NewAlterPartitionAssignmentsResponseTopic()
		topic.Topic, topic.Partitions = "a", append(topic.Partitions, p)
		r := kmsg.NewPtrAlterPartitionAssignmentsResponse()
		r.Topics = append(r.Topics, topic)
		return r
	})
	change := scheduler.MoveReplicas{Node: 1, Moves: []rolling.Move{
		{Topic: "a", Partition: 3, Replicas: []rolling.NodeID{2, 0}}}}
	err := open(t, patient).Change(t.Context(), []string{k.address}, change)
	if err == nil || !strings.Contains(err.Error(), "no such broker") {
		t.Errorf("the refusal of a partition is told as %v", err)
	}
	r := k.seen[0].(*kmsg.AlterPartitionAssignmentsRequest)
	p := r.Topics[0].Partitions[0]
	if d := cmp.Diff([]int32{2, 0}, p.Replicas); d != "" || p.Partition != 3 ||
		r.Topics[0].Topic != "a" {
		t.Errorf("asked for %+v:\n%s", r, d)
	}
}
