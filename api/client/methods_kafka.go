package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/kafka-sched/kafka-sched/api"
)

// The paths of the predecessor's Kafka service.
const (
	pathBrokers         = "/v1/brokers"
	pathBroker          = "/v1/brokers/{broker}"
	pathTopics          = "/v1/topics"
	pathTopic           = "/v1/topics/{topic}"
	pathTopicOffsets    = "/v1/topics/{topic}/offsets"
	pathTopicOperation  = "/v1/topics/{topic}/operation/{operation}"
	pathTopicConfig     = "/v1/topics/{topic}/operation/config/{key}"
	pathUnavailable     = "/v1/topics/unavailable_partitions"
	pathUnderReplicated = "/v1/topics/under_replicated_partitions"
)

// BrokerIDs gives the ids of the brokers that Kafka knows, as texts.
func (c *Client) BrokerIDs(ctx context.Context) ([]string, error) {
	return read[[]string](ctx, c, pathBrokers)
}

// BrokerNode gives a broker by its id, in the shape that ZooKeeper had it in.
func (c *Client) BrokerNode(ctx context.Context, id string) (json.RawMessage, error) {
	return read[json.RawMessage](ctx, c, api.Fill(pathBroker, id))
}

// Topics gives the names of the topics.
func (c *Client) Topics(ctx context.Context) ([]string, error) {
	return read[[]string](ctx, c, pathTopics)
}

// Topic gives the partitions of a topic, as they are sent.
func (c *Client) Topic(ctx context.Context, topic string) (json.RawMessage, error) {
	return read[json.RawMessage](ctx, c, api.Fill(pathTopic, topic))
}

// TopicOffsets gives the offsets of a topic's partitions, as they are sent, at a time: "first",
// "last", or milliseconds since 1970.
func (c *Client) TopicOffsets(
	ctx context.Context, topic, at string,
) (json.RawMessage, error) {
	q := query{}
	q.text("time", at)
	return read[json.RawMessage](ctx, c, q.after(api.Fill(pathTopicOffsets, topic)))
}

// UnavailablePartitions tells of the partitions that have no leader.
func (c *Client) UnavailablePartitions(ctx context.Context) (api.Message, error) {
	return read[api.Message](ctx, c, pathUnavailable)
}

// UnderReplicatedPartitions tells of the partitions of which a replica is not in sync.
func (c *Client) UnderReplicatedPartitions(ctx context.Context) (api.Message, error) {
	return read[api.Message](ctx, c, pathUnderReplicated)
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
	return command[api.Message](ctx, c, http.MethodPut, q.after(api.Fill(pathTopic, topic)), nil)
}

// DeleteTopic deletes a topic with all that is in it.
func (c *Client) DeleteTopic(ctx context.Context, topic string) (api.Message, error) {
	return command[api.Message](ctx, c, http.MethodDelete, api.Fill(pathTopic, topic), nil)
}

// SetTopicConfig gives a topic a setting of its own.
func (c *Client) SetTopicConfig(
	ctx context.Context, topic, key, value string,
) (api.Message, error) {
	return c.operate(ctx, topic, "config", query{"key": {key}, "value": {value}})
}

// DeleteTopicConfig takes a topic's own setting away.
func (c *Client) DeleteTopicConfig(
	ctx context.Context, topic, key string,
) (api.Message, error) {
	return command[api.Message](ctx, c, http.MethodDelete,
		api.Fill(pathTopicConfig, topic, key), nil)
}

// SetTopicPartitions gives a topic more partitions: so many in all.
func (c *Client) SetTopicPartitions(
	ctx context.Context, topic string, total int,
) (api.Message, error) {
	return c.operate(ctx, topic, "partitions", query{"partitions": {strconv.Itoa(total)}})
}

// TestProducer writes so many records to a topic and tells how fast that was.
func (c *Client) TestProducer(
	ctx context.Context, topic string, messages int,
) (api.Message, error) {
	return c.operate(ctx, topic, "producer-test", query{"messages": {strconv.Itoa(messages)}})
}

func (c *Client) operate(
	ctx context.Context, topic, operation string, q query,
) (api.Message, error) {
	path := api.Fill(pathTopicOperation, topic, operation)
	return command[api.Message](ctx, c, http.MethodPut, path+"?"+url.Values(q).Encode(), nil)
}
