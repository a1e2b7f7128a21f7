package kafkaadmin

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Configs gives what Kafka has of the topics and properties that are declared. It says itself why
// there is no answer, and leaves Asked to the caller, who has the clock.
func (Admin) Configs(
	ctx context.Context, at []string, wish scheduler.ConfigWish,
) scheduler.Configs {
	found, err := ask(ctx, at, func(ctx context.Context, c conn) (scheduler.Configs, error) {
		brokers, err := brokersAsWished(ctx, c, wish.Brokers)
		if err != nil {
			return scheduler.Configs{}, err
		}
		topics, err := topicsAsDeclared(ctx, c, wish.Topics)
		return scheduler.Configs{Brokers: brokers, Topics: topics}, err
	})
	if err != nil {
		return scheduler.Configs{Error: err.Error()}
	}
	return found
}

func brokersAsWished(
	ctx context.Context, c conn, wish []scheduler.BrokerWish,
) (map[int][]scheduler.Property, error) {
	if len(wish) == 0 {
		return nil, nil
	}
	var names []string
	for _, b := range wish {
		names = append(names, fmt.Sprint(b.ID))
	}
	all, err := describeConfigs(ctx, c, kmsg.ConfigResourceTypeBroker, names...)
	found := map[int][]scheduler.Property{}
	for _, b := range wish {
		if entries, told := all[fmt.Sprint(b.ID)]; told {
			found[b.ID] = properties(entries)
		}
	}
	return found, err
}

func properties(entries []api.ConfigEntry) []scheduler.Property {
	list := make([]scheduler.Property, len(entries))
	for i, e := range entries {
		list[i] = scheduler.Property(e)
	}
	return list
}

// topicsAtOnce bounds one request for the properties of topics.
const topicsAtOnce = 200

func topicsAsDeclared(
	ctx context.Context, c conn, declared []servicespec.Topic,
) (map[string]scheduler.TopicFacts, error) {
	if len(declared) == 0 {
		return nil, nil
	}
	var names []string
	for _, t := range declared {
		names = append(names, t.Name)
	}
	all, err := c.Metadata(ctx, names...)
	if err != nil {
		return nil, err
	}
	found, moves := map[string]scheduler.TopicFacts{}, false
	var there []string
	for _, t := range declared {
		detail, known := all.Topics[t.Name]
		switch {
		case !known || errors.Is(detail.Err, kerr.UnknownTopicOrPartition):
			continue
		case detail.Err != nil:
			return nil, fmt.Errorf("topic %s: %w", t.Name, detail.Err)
		}
		var facts scheduler.TopicFacts
		for _, p := range detail.Partitions.Sorted() {
			facts.Replicas = append(facts.Replicas, len(p.Replicas))
			moves = moves || t.Replication > 0 && len(p.Replicas) != t.Replication
		}
		found[t.Name] = facts
		if t.Config != nil {
			there = append(there, t.Name)
		}
	}
	if err := addProperties(ctx, c, found, there); err != nil {
		return nil, err
	}
	if moves {
		err = addMoving(ctx, c, found)
	}
	return found, err
}

// addProperties adds those of some topics. One that is deleted meanwhile fails all: the next
// question will do.
func addProperties(
	ctx context.Context, c conn, found map[string]scheduler.TopicFacts, names []string,
) error {
	for portion := range slices.Chunk(names, topicsAtOnce) {
		all, err := describeConfigs(ctx, c, kmsg.ConfigResourceTypeTopic, portion...)
		if err != nil {
			return err
		}
		for _, name := range portion {
			facts := found[name]
			facts.Properties = properties(all[name])
			found[name] = facts
		}
	}
	return nil
}

// addMoving marks the topics that are being reassigned.
func addMoving(ctx context.Context, c conn, found map[string]scheduler.TopicFacts) error {
	moving, err := reassignments(ctx, c)
	for _, r := range moving {
		if facts, declared := found[r.Topic]; declared {
			facts.Moving = true
			found[r.Topic] = facts
		}
	}
	return err
}

// Change makes a change of topics or properties that the scheduler wants; known is false for any
// other. What is so already is none that fails.
func (a Admin) Change(
	ctx context.Context, at []string, change scheduler.KafkaChange,
) (known bool, err error) {
	switch c := change.(type) {
	case scheduler.CreateTopic:
		err = a.CreateTopic(ctx, at, api.TopicCreate{Name: c.Topic.Name,
			Partitions: c.Topic.Partitions, ReplicationFactor: c.Topic.Replication,
			Config: c.Topic.Config}, c.Avoid, false)
		if kafkaName(err) == kerr.TopicAlreadyExists.Message {
			err = nil
		}
	case scheduler.GrowTopic:
		err = a.grow(ctx, at, c)
	case scheduler.ReplicateTopic:
		_, err = a.SetReplication(ctx, at, c.Topic, c.Factor, c.Avoid, false)
	case scheduler.ConfigureTopic:
		err = a.ChangeTopicConfig(ctx, at, c.Topic,
			api.ConfigChange{Set: c.Set, Delete: c.Delete}, false)
	case scheduler.ConfigureBrokers:
		var id *int
		if c.Broker != scheduler.AllBrokers {
			id = &c.Broker
		}
		err = a.ChangeBrokerConfig(ctx, at, id,
			api.ConfigChange{Set: c.Set, Delete: c.Delete}, false)
	default:
		return false, nil
	}
	return true, err
}

// kafkaName is Kafka's name of what it refused with, "" if it did not.
func kafkaName(err error) string {
	var refused *api.KafkaRefusal
	if errors.As(err, &refused) && refused.Kafka != nil {
		return refused.Kafka.Name
	}
	return ""
}

// grow gives a topic more partitions unless it has them.
func (Admin) grow(ctx context.Context, at []string, change scheduler.GrowTopic) error {
	return done(ctx, at, func(ctx context.Context, c conn) error {
		topic, err := describe(ctx, c, change.Topic)
		if err != nil || topic.Partitions >= change.Partitions {
			return err
		}
		return setPartitions(ctx, c, change.Topic, change.Partitions, change.Avoid, false)
	})
}
