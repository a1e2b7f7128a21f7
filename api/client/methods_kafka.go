package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/kafka-sched/kafka-sched/api"
)

// BrokerIDs gives the ids of the brokers that Kafka knows, as texts.
func (c *Client) BrokerIDs(ctx context.Context) ([]string, error) {
	return read[[]string](ctx, c, api.PathBrokers)
}

// BrokerNode gives a broker by its id, in the shape that ZooKeeper had it in.
func (c *Client) BrokerNode(ctx context.Context, id string) (json.RawMessage, error) {
	return read[json.RawMessage](ctx, c, api.Fill(api.PathBroker, id))
}

// Topics gives the names of the topics.
func (c *Client) Topics(ctx context.Context) ([]string, error) {
	return read[[]string](ctx, c, api.PathTopics)
}

// Topic gives the partitions of a topic, as they are sent.
func (c *Client) Topic(ctx context.Context, topic string) (json.RawMessage, error) {
	return read[json.RawMessage](ctx, c, api.Fill(api.PathTopic, topic))
}

// TopicOffsets gives the offsets of a topic's partitions, as they are sent, at a time: "first",
// "last", or milliseconds since 1970.
func (c *Client) TopicOffsets(
	ctx context.Context, topic, at string,
) (json.RawMessage, error) {
	q := query{}
	q.text("time", at)
	return read[json.RawMessage](ctx, c, q.after(api.Fill(api.PathTopicOffsets, topic)))
}

// UnavailablePartitions tells of the partitions that have no leader.
func (c *Client) UnavailablePartitions(ctx context.Context) (api.Message, error) {
	return read[api.Message](ctx, c, api.PathUnavailable)
}

// UnderReplicatedPartitions tells of the partitions of which a replica is not in sync.
func (c *Client) UnderReplicatedPartitions(ctx context.Context) (api.Message, error) {
	return read[api.Message](ctx, c, api.PathUnderReplicated)
}

// CreateTopic makes a topic; 0 partitions or replicas are the brokers' default.
func (c *Client) CreateTopic(
	ctx context.Context, topic string, partitions, replication int,
) (api.Message, error) {
	q := query{}
	if partitions > 0 {
		q.text("partitions", strconv.Itoa(partitions))
	}
	if replication > 0 {
		q.text("replication", strconv.Itoa(replication))
	}
	path := q.after(api.Fill(api.PathTopic, topic))
	return command[api.Message](ctx, c, http.MethodPut, path, nil)
}

// DeleteTopic deletes a topic with all that is in it.
func (c *Client) DeleteTopic(ctx context.Context, topic string) (api.Message, error) {
	return command[api.Message](ctx, c, http.MethodDelete, api.Fill(api.PathTopic, topic), nil)
}

// SetTopicConfig gives a topic a setting of its own.
func (c *Client) SetTopicConfig(
	ctx context.Context, topic, key, value string,
) (api.Message, error) {
	return c.operate(ctx, topic, api.TopicConfig, query{"key": {key}, "value": {value}})
}

// DeleteTopicConfig takes a topic's own setting away.
func (c *Client) DeleteTopicConfig(
	ctx context.Context, topic, key string,
) (api.Message, error) {
	return command[api.Message](ctx, c, http.MethodDelete,
		api.Fill(api.PathTopicConfig, topic, key), nil)
}

// SetTopicPartitions gives a topic more partitions: so many in all.
func (c *Client) SetTopicPartitions(
	ctx context.Context, topic string, total int,
) (api.Message, error) {
	return c.operate(ctx, topic, api.TopicPartitions, query{"partitions": {strconv.Itoa(total)}})
}

// TestProducer writes so many records to a topic and tells how fast that was.
func (c *Client) TestProducer(
	ctx context.Context, topic string, messages int,
) (api.Message, error) {
	return c.operate(ctx, topic, api.TopicProducerTest, query{"messages": {strconv.Itoa(messages)}})
}

func (c *Client) operate(
	ctx context.Context, topic, operation string, q query,
) (api.Message, error) {
	path := api.Fill(api.PathTopicOperation, topic, operation)
	return command[api.Message](ctx, c, http.MethodPut, path+"?"+url.Values(q).Encode(), nil)
}
