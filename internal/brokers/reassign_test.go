package brokers

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// All that is refused is told, up to a number, and what is so already is not.
func TestRefusedMoves(t *testing.T) {
	const refusedBy = 39 // INVALID_REPLICA_ASSIGNMENT
	topic := kmsg.NewAlterPartitionAssignmentsResponseTopic()
	topic.Topic = "events"
	add := func(partition int32, code int16) {
		p := kmsg.NewAlterPartitionAssignmentsResponseTopicPartition()
		p.Partition, p.ErrorCode = partition, code
		topic.Partitions = append(topic.Partitions, p)
	}
	refused := func(on bool) string {
		topics := []kmsg.AlterPartitionAssignmentsResponseTopic{topic}
		if err := refusedMoves(topics, on); err != nil {
			return err.Error()
		}
		return ""
	}
	add(0, 0)
	add(1, unknownTopic)
	add(2, noReassignment)
	if said := refused(false); said != "" {
		t.Error(said)
	}
	if said := refused(true); !strings.HasPrefix(said, "events-2: ") {
		t.Error(said)
	}
	for p := range int32(refusalsMost) {
		add(3+p, refusedBy)
	}
	if said := refused(true); strings.Count(said, "events-") != refusalsMost ||
		!strings.Contains(said, "events-3: ") || !strings.HasSuffix(said, "; and 1 more") {
		t.Error(said)
	}
}
