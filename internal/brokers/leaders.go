package brokers

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/balance"
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

// movesOf are the moves of a change as those of a plan are.
func movesOf(c scheduler.MoveReplicas) []balance.Move {
	var moves []balance.Move
	for _, m := range c.Moves {
		move := balance.Move{Topic: m.Topic, Partition: m.Partition}
		for _, id := range m.Replicas {
			move.After = append(move.After, balance.BrokerID(id))
		}
		moves = append(moves, move)
	}
	return moves
}
