package brokers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
)

// Admin does what an operator asks of topics. Every call has connections of its own: calls are
// rare, and what one has learned of the cluster may not be true any more for the next. The
// zero Admin is good, and all methods may be called by several goroutines.
type Admin struct{}

// A call has this long, a test of producing testTimeout.
const (
	adminTimeout = 15 * time.Second
	testTimeout  = 45 * time.Second
)

// Refusal is an operator's error: Kafka was asked and said no.
type Refusal struct {
	Kind    RefusalKind
	Message string
}

// Error gives the sentence.
func (r *Refusal) Error() string { return r.Message }

// RefusalKind is a closed list.
type RefusalKind string

// The kinds of refusal. What is no Refusal is a fault of the moment: no broker answered.
const (
	NoSuchTopic RefusalKind = "no-such-topic"
	TopicExists RefusalKind = "topic-exists"
	Invalid     RefusalKind = "invalid"
)

// Topic is what is known of a topic.
type Topic struct {
	Name       string
	Internal   bool
	Partitions []TopicPartition // by id
}

// TopicPartition is one partition of a topic.
type TopicPartition struct {
	ID       int
	Leader   int // a broker's id, -1 when there is none
	Replicas []int
	ISR      []int
}

// PartitionOffset is an offset of one partition.
type PartitionOffset struct {
	Partition int
	Offset    int64 // -1 when no record is that young
}

// with calls a function with a client of these addresses, and closes its connections.
func with(
	ctx context.Context, addresses []string, timeout time.Duration, topics []string,
	call func(context.Context, *kafka.Client) error,
) error {
	if len(addresses) == 0 {
		return errors.New("there is no address to ask")
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	transport := &kafka.Transport{ClientID: clientName, MetadataTopics: topics}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(addresses...), Timeout: timeout,
		Transport: transport}
	if err := call(ctx, client); err != nil {
		return explain(err)
	}
	return nil
}

// explain makes a Refusal of what Kafka refused.
func explain(err error) error {
	var refused kafka.Error
	if !errors.As(err, &refused) {
		return err
	}
	kind := Invalid
	switch refused {
	case kafka.UnknownTopicOrPartition:
		kind = NoSuchTopic
	case kafka.TopicAlreadyExists:
		kind = TopicExists
	case kafka.InvalidTopic, kafka.InvalidPartitionNumber, kafka.InvalidReplicationFactor,
		kafka.InvalidReplicaAssignment, kafka.InvalidConfiguration, kafka.PolicyViolation,
		kafka.InvalidRequest:
	default:
		return err
	}
	// kafka-go puts the broker's own sentence, if there is one, after the name of the error.
	return &Refusal{kind, strings.TrimSpace(err.Error())}
}

// Topics gives the names of all topics, sorted.
func (Admin) Topics(ctx context.Context, addresses []string) ([]string, error) {
	names := []string{}
	err := with(ctx, addresses, adminTimeout, nil, func(
		ctx context.Context, c *kafka.Client,
	) error {
		answer, err := c.Metadata(ctx, &kafka.MetadataRequest{})
		if err != nil {
			return err
		}
		for _, topic := range answer.Topics {
			names = append(names, topic.Name)
		}
		return nil
	})
	slices.Sort(names)
	return names, err
}

// Topic describes one topic.
func (Admin) Topic(ctx context.Context, addresses []string, name string) (Topic, error) {
	var topic Topic
	err := with(ctx, addresses, adminTimeout, []string{name}, func(
		ctx context.Context, c *kafka.Client,
	) (err error) {
		topic, err = describe(ctx, c, name)
		return err
	})
	return topic, err
}

func describe(ctx context.Context, c *kafka.Client, name string) (Topic, error) {
	answer, err := c.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{name}})
	if err != nil {
		return Topic{}, err
	}
	for _, topic := range answer.Topics {
		switch {
		case topic.Name != name:
		case topic.Error != nil:
			return Topic{}, topic.Error
		default:
			return topicOf(topic), nil
		}
	}
	return Topic{}, kafka.UnknownTopicOrPartition
}

func topicOf(topic kafka.Topic) Topic {
	of := Topic{Name: topic.Name, Internal: topic.Internal}
	for _, p := range topic.Partitions {
		leader := p.Leader.ID
		if errors.Is(p.Error, kafka.LeaderNotAvailable) || p.Leader.Host == "" {
			leader = -1
		}
		of.Partitions = append(of.Partitions, TopicPartition{ID: p.ID, Leader: leader,
			Replicas: brokerIDs(p.Replicas), ISR: brokerIDs(p.Isr)})
	}
	slices.SortFunc(of.Partitions, func(a, b TopicPartition) int { return a.ID - b.ID })
	return of
}

func brokerIDs(brokers []kafka.Broker) []int {
	list := make([]int, 0, len(brokers))
	for _, b := range brokers {
		list = append(list, b.ID)
	}
	return list
}

// CreateTopic makes a topic; -1 for a number means the brokers' default.
func (Admin) CreateTopic(
	ctx context.Context, addresses []string, name string, partitions, replication int,
) error {
	return with(ctx, addresses, adminTimeout, []string{name}, func(
		ctx context.Context, c *kafka.Client,
	) error {
		answer, err := c.CreateTopics(ctx, &kafka.CreateTopicsRequest{
			Topics: []kafka.TopicConfig{{Topic: name, NumPartitions: partitions,
				ReplicationFactor: replication}},
		})
		if err != nil {
			return err
		}
		return answer.Errors[name]
	})
}

// DeleteTopic deletes a topic with its data.
func (Admin) DeleteTopic(ctx context.Context, addresses []string, name string) error {
	return with(ctx, addresses, adminTimeout, []string{name}, func(
		ctx context.Context, c *kafka.Client,
	) error {
		answer, err := c.DeleteTopics(ctx,
			&kafka.DeleteTopicsRequest{Topics: []string{name}})
		if err != nil {
			return err
		}
		return answer.Errors[name]
	})
}

// AddPartitions gives a topic so many partitions in all.
func (Admin) AddPartitions(
	ctx context.Context, addresses []string, name string, total int32,
) error {
	return with(ctx, addresses, adminTimeout, []string{name}, func(
		ctx context.Context, c *kafka.Client,
	) error {
		answer, err := c.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{
			Topics: []kafka.TopicPartitionsConfig{{Name: name, Count: total}},
		})
		if err != nil {
			return err
		}
		return answer.Errors[name]
	})
}

// SetTopicConfig sets a property of a topic, or, with nil, takes it back.
func (Admin) SetTopicConfig(
	ctx context.Context, addresses []string, name, key string, value *string,
) error {
	change := kafka.IncrementalAlterConfigsRequestConfig{Name: key,
		ConfigOperation: kafka.ConfigOperationDelete}
	if value != nil {
		change.Value, change.ConfigOperation = *value, kafka.ConfigOperationSet
	}
	return with(ctx, addresses, adminTimeout, []string{name}, func(
		ctx context.Context, c *kafka.Client,
	) error {
		answer, err := c.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{
			Resources: []kafka.IncrementalAlterConfigsRequestResource{{
				ResourceType: kafka.ResourceTypeTopic, ResourceName: name,
				Configs: []kafka.IncrementalAlterConfigsRequestConfig{change},
			}},
		})
		if err != nil {
			return err
		}
		for _, resource := range answer.Resources {
			if resource.Error != nil {
				return resource.Error
			}
		}
		return nil
	})
}

// The times of Offsets that are none.
const (
	LastOffset  = kafka.LastOffset
	FirstOffset = kafka.FirstOffset
)

// Offsets gives for each partition of a topic the offset of the first record that is not older
// than a time in milliseconds of the epoch, or FirstOffset or LastOffset.
func (Admin) Offsets(
	ctx context.Context, addresses []string, name string, at int64,
) ([]PartitionOffset, error) {
	list := []PartitionOffset{}
	err := with(ctx, addresses, adminTimeout, []string{name}, func(
		ctx context.Context, c *kafka.Client,
	) error {
		topic, err := describe(ctx, c, name)
		if err != nil {
			return err
		}
		var requests []kafka.OffsetRequest
		for _, p := range topic.Partitions {
			requests = append(requests, kafka.OffsetRequest{Partition: p.ID, Timestamp: at})
		}
		answer, err := c.ListOffsets(ctx, &kafka.ListOffsetsRequest{
			Topics: map[string][]kafka.OffsetRequest{name: requests}})
		if err != nil {
			return err
		}
		for _, p := range answer.Topics[name] {
			if p.Error != nil {
				return fmt.Errorf("partition %d: %w", p.Partition, p.Error)
			}
			list = append(list, PartitionOffset{p.Partition, offsetOf(p, at)})
		}
		return nil
	})
	slices.SortFunc(list, func(a, b PartitionOffset) int { return a.Partition - b.Partition })
	return list, err
}

// offsetOf finds what was asked for among what kafka-go sorts by kind.
func offsetOf(p kafka.PartitionOffsets, at int64) int64 {
	switch at {
	case FirstOffset:
		return p.FirstOffset
	case LastOffset:
		return p.LastOffset
	}
	for offset := range p.Offsets {
		return offset
	}
	return -1
}

// Troubled gives the topics with those of their partitions that a function picks, by name.
func (Admin) Troubled(
	ctx context.Context, addresses []string, is func(TopicPartition) bool,
) ([]Topic, error) {
	var list []Topic
	err := with(ctx, addresses, adminTimeout, nil, func(
		ctx context.Context, c *kafka.Client,
	) error {
		answer, err := c.Metadata(ctx, &kafka.MetadataRequest{})
		if err != nil {
			return err
		}
		for _, topic := range answer.Topics {
			of := topicOf(topic)
			of.Partitions = slices.DeleteFunc(of.Partitions,
				func(p TopicPartition) bool { return !is(p) })
			if len(of.Partitions) > 0 {
				list = append(list, of)
			}
		}
		return nil
	})
	slices.SortFunc(list, func(a, b Topic) int { return strings.Compare(a.Name, b.Name) })
	return list, err
}

// UnderReplicated says that replicas of a partition are not in sync.
func UnderReplicated(p TopicPartition) bool { return len(p.ISR) < len(p.Replicas) }

// Unavailable says that a partition has no leader.
func Unavailable(p TopicPartition) bool { return p.Leader < 0 }
