package brokers

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// electionNotNeeded is Kafka's error code for a partition that is led as it should be.
const electionNotNeeded = 84

// elect has partitions led by the first of their replicas. Those that cannot be yet are asked for
// again by who wants them, so only a refusal of the whole is an error.
func (l *line) elect(c scheduler.ElectPreferred) error {
	request := kmsg.NewPtrElectLeadersRequest()
	request.ElectionType = 0 // preferred
	request.TimeoutMillis = int32(changeTimeout.Milliseconds() * 2 / 3)
	at := map[string]int{}
	for _, leader := range c.Leaders {
		i, known := at[leader.Topic]
		if !known {
			i = len(request.Topics)
			at[leader.Topic] = i
			topic := kmsg.NewElectLeadersRequestTopic()
			topic.Topic = leader.Topic
			request.Topics = append(request.Topics, topic)
		}
		request.Topics[i].Partitions = append(request.Topics[i].Partitions, leader.Partition)
	}
	response, err := l.call(request)
	if err != nil {
		return err
	}
	return refused(response.(*kmsg.ElectLeadersResponse).ErrorCode, nil, electionNotNeeded)
}

// reassign gives partitions other replicas; the first refusal is the error.
func (l *line) reassign(c scheduler.MoveReplicas) error {
	request := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	request.TimeoutMillis = int32(changeTimeout.Milliseconds() * 2 / 3)
	at := map[string]int{}
	for _, move := range c.Moves {
		i, known := at[move.Topic]
		if !known {
			i = len(request.Topics)
			at[move.Topic] = i
			topic := kmsg.NewAlterPartitionAssignmentsRequestTopic()
			topic.Topic = move.Topic
			request.Topics = append(request.Topics, topic)
		}
		partition := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
		partition.Partition = move.Partition
		for _, replica := range move.Replicas {
			partition.Replicas = append(partition.Replicas, int32(replica))
		}
		request.Topics[i].Partitions = append(request.Topics[i].Partitions, partition)
	}
	response, err := l.call(request)
	if err != nil {
		return err
	}
	r := response.(*kmsg.AlterPartitionAssignmentsResponse)
	if err := refused(r.ErrorCode, r.ErrorMessage, 0); err != nil {
		return err
	}
	for _, topic := range r.Topics {
		for _, p := range topic.Partitions {
			if err := refused(p.ErrorCode, p.ErrorMessage, 0); err != nil {
				return err
			}
		}
	}
	return nil
}
