package kafkaadmin

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler/balance"
)

// Where new partitions go while brokers are to leave that Kafka does not know to avoid: they are
// told to Kafka one by one.

// layout is what lies where, without sizes. The brokers to avoid take nothing; of the others there
// have to be so many.
func layout(ctx context.Context, c conn, avoid []int, least int) (*balance.Cluster, error) {
	all, err := c.Metadata(ctx)
	if err != nil {
		return nil, err
	}
	l, have := layoutOf(all, avoid), 0
	for _, b := range l.Brokers {
		if b.Standing == balance.InService {
			have++
		}
	}
	switch {
	case least <= have:
		return l, nil
	case have < len(l.Brokers):
		return l, invalid("%d replicas need as many brokers, and without those that are to leave "+
			"there are %d", least, have)
	}
	return l, invalid("%d replicas need as many brokers, and there are %d", least, have)
}

func layoutOf(all kadm.Metadata, avoid []int) *balance.Cluster {
	l := &balance.Cluster{}
	for _, b := range all.Brokers {
		one := balance.Broker{ID: balance.BrokerID(b.NodeID), Rack: told(b.Rack)}
		if slices.Contains(avoid, int(b.NodeID)) {
			one.Standing = balance.Down
		}
		l.Brokers = append(l.Brokers, one)
	}
	for _, topic := range all.Topics.Sorted() {
		for _, p := range topic.Partitions.Sorted() {
			one := balance.Partition{Topic: topic.Topic, ID: p.Partition}
			for _, id := range p.Replicas {
				one.Replicas = append(one.Replicas, balance.Replica{Broker: balance.BrokerID(id),
					Behind: !slices.Contains(p.ISR, id)})
			}
			l.Partitions = append(l.Partitions, one)
		}
	}
	return l
}

// replicated are where the replicas of a topic's partitions are to be so that each has so many.
func replicated(l *balance.Cluster, topic string, factor int) []api.Placement {
	list := []api.Placement{}
	for _, m := range balance.Replicate(l, map[string]int{topic: factor}) {
		list = append(list, api.Placement{Topic: m.Topic, Partition: int(m.Partition),
			Replicas: ints(ids(m.After))})
	}
	return list
}

func ids(brokers []balance.BrokerID) []int32 {
	list := make([]int32, len(brokers))
	for i, id := range brokers {
		list[i] = int32(id)
	}
	return list
}

// createAvoiding makes a topic that has nothing on some brokers.
func createAvoiding(
	ctx context.Context, c conn, topic api.TopicCreate, avoid []int, dryRun bool,
) error {
	partitions, factor, err := counts(ctx, c, topic)
	if err != nil {
		return err
	}
	l, err := layout(ctx, c, avoid, factor)
	if err != nil {
		return err
	}
	wanted := kmsg.NewCreateTopicsRequestTopic()
	wanted.Topic, wanted.NumPartitions, wanted.ReplicationFactor = topic.Name, -1, -1
	for p, brokers := range balance.Place(l, 0, partitions, factor) {
		one := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
		one.Partition, one.Replicas = int32(p), ids(brokers)
		wanted.ReplicaAssignment = append(wanted.ReplicaAssignment, one)
	}
	for _, name := range slices.Sorted(maps.Keys(topic.Config)) {
		one := kmsg.NewCreateTopicsRequestTopicConfig()
		one.Name, one.Value = name, kadm.StringPtr(topic.Config[name])
		wanted.Configs = append(wanted.Configs, one)
	}
	request := kmsg.NewPtrCreateTopicsRequest()
	request.TimeoutMillis, request.ValidateOnly = int32(callTimeout.Milliseconds()), dryRun
	request.Topics = append(request.Topics, wanted)
	answer, err := request.RequestWith(ctx, c.raw)
	if err != nil {
		return err
	}
	for _, of := range answer.Topics {
		err = refusal(kerr.ErrorForCode(of.ErrorCode), told(of.ErrorMessage))
	}
	return err
}

// counts are how many partitions and replicas a new topic is to have: what is not said is the
// brokers'.
func counts(ctx context.Context, c conn, topic api.TopicCreate) (
	partitions, factor int, err error,
) {
	partitions, factor = topic.Partitions, topic.ReplicationFactor
	if partitions > 0 && factor > 0 {
		return partitions, factor, nil
	}
	all, err := c.ListBrokers(ctx)
	if err != nil || len(all) == 0 {
		return 0, 0, err
	}
	id := strconv.Itoa(int(all[0].NodeID))
	configs, err := describeConfigs(ctx, c, kmsg.ConfigResourceTypeBroker, id)
	for _, entry := range configs[id] {
		n, wrong := strconv.Atoi(entry.Value)
		switch {
		case wrong != nil:
		case entry.Name == "num.partitions" && partitions == 0:
			partitions = n
		case entry.Name == "default.replication.factor" && factor == 0:
			factor = n
		}
	}
	return partitions, factor, err
}

// growAvoiding gives a topic more partitions, none of them on some brokers.
func growAvoiding(
	ctx context.Context, c conn, name string, total int, avoid []int, dryRun bool,
) error {
	topic, err := describe(ctx, c, name)
	if err != nil {
		return err
	}
	l, err := layout(ctx, c, avoid, topic.ReplicationFactor)
	if err != nil {
		return err
	}
	wanted := kmsg.NewCreatePartitionsRequestTopic()
	wanted.Topic, wanted.Count = name, int32(total)
	for _, brokers := range balance.Place(l, topic.Partitions, total, topic.ReplicationFactor) {
		one := kmsg.NewCreatePartitionsRequestTopicAssignment()
		one.Replicas = ids(brokers)
		wanted.Assignment = append(wanted.Assignment, one)
	}
	request := kmsg.NewPtrCreatePartitionsRequest()
	request.TimeoutMillis, request.ValidateOnly = int32(callTimeout.Milliseconds()), dryRun
	request.Topics = append(request.Topics, wanted)
	answer, err := request.RequestWith(ctx, c.raw)
	if err != nil {
		return err
	}
	for _, of := range answer.Topics {
		err = refusal(kerr.ErrorForCode(of.ErrorCode), told(of.ErrorMessage))
	}
	return err
}
