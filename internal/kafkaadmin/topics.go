package kafkaadmin

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/kafka-sched/kafka-sched/api"
)

// Topics gives all topics, Kafka's own too, by name.
func (Admin) Topics(ctx context.Context, at []string) ([]api.TopicSummary, error) {
	return ask(ctx, at, func(ctx context.Context, c conn) ([]api.TopicSummary, error) {
		topics, err := c.ListTopicsWithInternal(ctx)
		list := make([]api.TopicSummary, 0, len(topics))
		for _, topic := range topics.Sorted() {
			if topic.Err == nil {
				list = append(list, detailOf(topic).TopicSummary)
			}
		}
		return list, err
	})
}

// Topic describes one topic with what it has set for itself, unless that is not wanted.
func (Admin) Topic(
	ctx context.Context, at []string, name string, withConfig bool,
) (api.TopicDetail, error) {
	return ask(ctx, at, func(ctx context.Context, c conn) (api.TopicDetail, error) {
		detail, err := describe(ctx, c, name)
		if err != nil || !withConfig {
			return detail, err
		}
		all, err := topicConfig(ctx, c, name)
		for _, entry := range all {
			if entry.Source == topicSource {
				detail.Config = append(detail.Config, entry)
			}
		}
		return detail, err
	})
}

func describe(ctx context.Context, c conn, name string) (api.TopicDetail, error) {
	answer, err := c.Metadata(ctx, name)
	if err != nil {
		return api.TopicDetail{}, err
	}
	topic, ok := answer.Topics[name]
	switch {
	case !ok || errors.Is(topic.Err, kerr.UnknownTopicOrPartition):
		return api.TopicDetail{}, missing("Topic", name)
	case topic.Err != nil:
		return api.TopicDetail{}, topic.Err
	}
	return detailOf(topic), nil
}

func detailOf(topic kadm.TopicDetail) api.TopicDetail {
	detail := api.TopicDetail{ID: topic.ID.String(), State: []api.PartitionState{},
		Config: []api.ConfigEntry{}, TopicSummary: api.TopicSummary{Name: topic.Topic,
			Internal: topic.IsInternal, Partitions: len(topic.Partitions)}}
	for _, p := range topic.Partitions.Sorted() {
		state := api.PartitionState{Partition: int(p.Partition), Leader: int(p.Leader),
			LeaderEpoch: int(p.LeaderEpoch), Replicas: ints(p.Replicas), ISR: ints(p.ISR),
			Offline: ints(p.OfflineReplicas)}
		if errors.Is(p.Err, kerr.LeaderNotAvailable) {
			state.Leader = -1
		}
		detail.State = append(detail.State, state)
		detail.ReplicationFactor = max(detail.ReplicationFactor, len(p.Replicas))
		if state.UnderReplicated() {
			detail.UnderReplicated++
		}
		if state.Unavailable() {
			detail.Unavailable++
		}
	}
	return detail
}

// Troubled gives the topics with those of their partitions that a function picks, by name.
func (Admin) Troubled(
	ctx context.Context, at []string, is func(api.PartitionState) bool,
) ([]api.TopicDetail, error) {
	return ask(ctx, at, func(ctx context.Context, c conn) ([]api.TopicDetail, error) {
		topics, err := c.ListTopicsWithInternal(ctx)
		var list []api.TopicDetail
		for _, topic := range topics.Sorted() {
			detail := detailOf(topic)
			detail.State = slices.DeleteFunc(detail.State,
				func(p api.PartitionState) bool { return !is(p) })
			if len(detail.State) > 0 {
				list = append(list, detail)
			}
		}
		return list, err
	})
}

// CreateTopic makes a topic, with nothing on some brokers, or only checks whether it could be made.
func (Admin) CreateTopic(
	ctx context.Context, at []string, topic api.TopicCreate, avoid []int, dryRun bool,
) error {
	return done(ctx, at, func(ctx context.Context, c conn) error {
		if len(avoid) > 0 {
			return createAvoiding(ctx, c, topic, avoid, dryRun)
		}
		create := c.CreateTopics
		if dryRun {
			create = c.ValidateCreateTopics
		}
		config := map[string]*string{}
		for _, name := range slices.Sorted(maps.Keys(topic.Config)) {
			config[name] = kadm.StringPtr(topic.Config[name])
		}
		answer, err := create(ctx, int32(cmp.Or(topic.Partitions, -1)),
			int16(cmp.Or(topic.ReplicationFactor, -1)), config, topic.Name)
		if err != nil {
			return err
		}
		of, err := answer.On(topic.Name, nil)
		return refusal(cmp.Or(err, of.Err), of.ErrMessage)
	})
}

// DeleteTopic deletes a topic with its data.
func (Admin) DeleteTopic(ctx context.Context, at []string, name string) error {
	return done(ctx, at, func(ctx context.Context, c conn) error {
		if topics, err := c.ListTopicsWithInternal(ctx, name); err == nil &&
			topics[name].IsInternal {
			return conflict("Topic %s is Kafka's own, and is not deleted: what consumer groups, "+
				"transactions or share groups know would be lost", name)
		}
		answer, err := c.DeleteTopics(ctx, name)
		if err != nil {
			return err
		}
		of, err := answer.On(name, nil)
		return refusal(cmp.Or(err, of.Err), of.ErrMessage)
	})
}

// SetPartitions gives a topic so many partitions in all, no new ones on some brokers, or checks
// whether it could have them.
func (Admin) SetPartitions(
	ctx context.Context, at []string, name string, total int, avoid []int, dryRun bool,
) error {
	return done(ctx, at, func(ctx context.Context, c conn) error {
		return setPartitions(ctx, c, name, total, avoid, dryRun)
	})
}

func setPartitions(
	ctx context.Context, c conn, name string, total int, avoid []int, dryRun bool,
) error {
	if len(avoid) > 0 {
		return growAvoiding(ctx, c, name, total, avoid, dryRun)
	}
	update := c.UpdatePartitions
	if dryRun {
		update = c.ValidateUpdatePartitions
	}
	answer, err := update(ctx, total, name)
	if err != nil {
		return err
	}
	of, err := answer.On(name, nil)
	return refusal(cmp.Or(err, of.Err), of.ErrMessage)
}

// earliest and latest are the times of ListOffsets that are none.
const (
	latest   = -1
	earliest = -2
)

// Offsets gives for each partition of a topic the offset of the first record that is not older
// than a time in milliseconds of the epoch, or the first one (-2), or the next one (-1).
func (Admin) Offsets(
	ctx context.Context, at []string, name string, when int64,
) ([]api.PartitionOffset, error) {
	return ask(ctx, at, func(ctx context.Context, c conn) ([]api.PartitionOffset, error) {
		if _, err := describe(ctx, c, name); err != nil {
			return nil, err
		}
		offsets, err := listOffsets(ctx, c, when, name)
		list := []api.PartitionOffset{}
		for _, p := range slices.Sorted(maps.Keys(offsets[name])) {
			if failed := offsets[name][p].Err; failed != nil {
				return nil, failed
			}
			list = append(list, api.PartitionOffset{Partition: int(p),
				Offset: offsets[name][p].Offset})
		}
		return list, err
	})
}

// listOffsets lists offsets; what is after a time and is not there is -1, and not the end as
// kadm has it.
func listOffsets(
	ctx context.Context, c conn, when int64, topics ...string,
) (kadm.ListedOffsets, error) {
	switch when {
	case earliest:
		return c.ListStartOffsets(ctx, topics...)
	case latest:
		return c.ListEndOffsets(ctx, topics...)
	}
	offsets, err := c.ListOffsetsAfterMilli(ctx, when, topics...)
	for _, partitions := range offsets {
		for p, offset := range partitions {
			if offset.Timestamp < 0 {
				offset.Offset = -1
				partitions[p] = offset
			}
		}
	}
	return offsets, err
}
