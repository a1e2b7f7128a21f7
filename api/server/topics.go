package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

func (h *handlers) topicNames(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	h.kafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		topics, err := h.Kafka.Topics(ctx, at)
		names := []string{}
		for _, topic := range topics {
			names = append(names, topic.Name)
		}
		return names, err
	})
}

func (h *handlers) topic(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	h.kafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		topic, err := h.Kafka.Topic(ctx, at, param(r, "topic"), false)
		shape := api.TopicDescription{Partitions: []map[string]api.TopicPartition{}}
		for _, p := range topic.State {
			shape.Partitions = append(shape.Partitions, map[string]api.TopicPartition{
				strconv.Itoa(p.Partition): {Leader: p.Leader, ISR: p.ISR, Replicas: p.Replicas}})
		}
		return shape, err
	})
}

// createTopic makes a topic; a number that is left out is the brokers' default.
func (h *handlers) createTopic(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	name, query := param(r, "topic"), r.URL.Query()
	partitions, ok := wanted(w, r, query, "partitions", maxPartitions, defaultCount)
	if !ok {
		return
	}
	replication, ok := wanted(w, r, query, "replication", maxReplication, defaultCount)
	if !ok {
		return
	}
	h.kafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		return api.Message{Message: fmt.Sprintf("Output: Created topic %q.\n", name)},
			h.Kafka.CreateTopic(ctx, at, api.TopicCreate{Name: name,
				Partitions: max(partitions, 0), ReplicationFactor: max(replication, 0)},
				v.Avoid(), false)
	})
}

func (h *handlers) deleteTopic(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	name := param(r, "topic")
	h.kafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		return api.Message{Message: "Topic " + name + " is marked for deletion."},
			h.Kafka.DeleteTopic(ctx, at, name)
	})
}

// topicOffsets answers with a list of objects that have the partition's id as their one key.
func (h *handlers) topicOffsets(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	when, err := offsetTime(r.URL.Query().Get("time"))
	if err != nil {
		fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest, err.Error())
		return
	}
	h.kafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		offsets, err := h.Kafka.Offsets(ctx, at, param(r, "topic"), when)
		list := []map[string]string{}
		for _, o := range offsets {
			list = append(list, map[string]string{
				strconv.Itoa(o.Partition): strconv.FormatInt(o.Offset, 10)})
		}
		return list, err
	})
}

// offsetTime reads first, last, their numbers, or milliseconds of the epoch.
func offsetTime(text string) (int64, error) {
	switch text {
	case "last", "", "-1":
		return lastOffset, nil
	case "first", "-2":
		return firstOffset, nil
	}
	at, err := strconv.ParseInt(text, 10, 64)
	if err != nil || at < 0 {
		return 0, errors.New("time must be first, last, or milliseconds since 1970, not " + text)
	}
	return at, nil
}

// offsetAt is offsetTime in the words of /v2.
func (q *question) offsetAt(name string) int64 {
	switch text := q.text(name); text {
	case "", api.OffsetLatest:
		return lastOffset
	case api.OffsetEarliest:
		return firstOffset
	default:
		at, err := strconv.ParseInt(text, 10, 64)
		if err != nil || at < 0 {
			q.refuse("The parameter %s must be %s, %s, or milliseconds since 1970, not %q.",
				name, api.OffsetEarliest, api.OffsetLatest, text)
		}
		return at
	}
}

// The times of offsets that are none.
const (
	lastOffset  = -1
	firstOffset = -2
)

// defaultCount stands for the brokers' default.
const defaultCount = -1

// The largest numbers that are asked of Kafka; it has limits of its own below them.
const (
	maxPartitions  = 100_000
	maxReplication = 1_000
)

// wanted reads a number from 1 of the query, or answers itself. The value of one that is left
// out is given; 0 means that it must be there.
func wanted(
	w http.ResponseWriter, r *http.Request, query url.Values, name string, most, without int,
) (int, bool) {
	if !query.Has(name) && without != 0 {
		return without, true
	}
	number, err := strconv.Atoi(query.Get(name))
	if err != nil || number < 1 || number > most {
		fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest,
			fmt.Sprintf("%s must be a number from 1 to %d, not %q", name, most, query.Get(name)))
		return 0, false
	}
	return number, true
}

func knownOperation(operation string) bool {
	switch operation {
	case api.TopicPartitions, api.TopicConfig, api.TopicProducerTest, api.TopicProducerTestTLS:
		return true
	}
	return false
}

func (h *handlers) topicOperation(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	switch param(r, "operation") {
	case api.TopicPartitions:
		h.addPartitions(w, r, v)
	case api.TopicConfig:
		query := r.URL.Query()
		if !query.Has("key") || !query.Has("value") {
			fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest,
				"The parameters key and value are needed.")
			return
		}
		value := query.Get("value")
		h.setTopicConfig(w, r, v, query.Get("key"), &value)
	case api.TopicProducerTest:
		h.produceTest(w, r, v)
	case api.TopicProducerTestTLS:
		fail(w, r, http.StatusConflict, api.CodeConflict, "The brokers have no listener with TLS; "+
			"operation/"+api.TopicProducerTest+" uses the one that they have.")
	default:
		notFound(w, r)
	}
}

func (h *handlers) addPartitions(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	total, ok := wanted(w, r, r.URL.Query(), "partitions", maxPartitions, 0)
	if !ok {
		return
	}
	h.kafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		return api.Message{Message: "Output: Adding partitions succeeded!\n"},
			h.Kafka.SetPartitions(ctx, at, param(r, "topic"), total, v.Avoid(), false)
	})
}

func (h *handlers) deleteTopicConfig(
	w http.ResponseWriter, r *http.Request, v *scheduler.View,
) {
	h.setTopicConfig(w, r, v, param(r, "key"), nil)
}

func (h *handlers) setTopicConfig(
	w http.ResponseWriter, r *http.Request, v *scheduler.View, key string, value *string,
) {
	name := param(r, "topic")
	h.kafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		text := fmt.Sprintf("Output: Updated config for topic %q.\n", name)
		change := api.ConfigChange{Delete: []string{key}}
		if value != nil {
			change = api.ConfigChange{Set: map[string]string{key: *value}}
		}
		return api.Message{Message: text},
			h.Kafka.ChangeTopicConfig(ctx, at, name, change, false)
	})
}

// produceTest answers with the line that Kafka's own tool for it prints.
func (h *handlers) produceTest(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	records, ok := wanted(w, r, r.URL.Query(), "messages", api.MaxTestMessages, 0)
	if !ok {
		return
	}
	h.kafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		p, err := h.Kafka.TestTopic(ctx, at, param(r, "topic"), api.TopicTest{
			Kind: api.TestProducer, Records: records, Size: testRecord})
		seconds := max(p.Seconds, 1e-6)
		return api.Message{Message: fmt.Sprintf("%d records sent, %f records/sec (%.2f MB/sec), "+
			"%.2f ms avg latency, %.2f ms max latency, %d ms 50th, %d ms 95th, %d ms 99th, "+
			"%d ms 99.9th.\n", p.Records, float64(p.Records)/seconds,
			float64(p.Bytes)/seconds/(1<<20), p.MeanMS, p.MaxMS, int64(p.P50MS),
			int64(p.P95MS), int64(p.P99MS), int64(p.P999MS))}, err
	})
}

// testRecord is the size of the records of a test, in bytes.
const testRecord = 1024

func (h *handlers) unavailable(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	h.troubled(w, r, v, api.PartitionState.Unavailable)
}

func (h *handlers) underReplicated(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	h.troubled(w, r, v, api.PartitionState.UnderReplicated)
}

// troubled answers with the lines that Kafka's own tool for it prints, none when all is well.
func (h *handlers) troubled(
	w http.ResponseWriter, r *http.Request, v *scheduler.View,
	is func(api.PartitionState) bool,
) {
	h.kafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		topics, err := h.Kafka.Troubled(ctx, at, is)
		var text strings.Builder
		for _, topic := range topics {
			for _, p := range topic.State {
				leader := "none"
				if p.Leader >= 0 {
					leader = strconv.Itoa(p.Leader)
				}
				fmt.Fprintf(&text, "\tTopic: %s\tPartition: %d\tLeader: %s\tReplicas: %s\t"+
					"Isr: %s\n", topic.Name, p.Partition, leader, commas(p.Replicas), commas(p.ISR))
			}
		}
		return api.Message{Message: text.String()}, err
	})
}

func commas(ids []int) string {
	texts := make([]string, 0, len(ids))
	for _, id := range ids {
		texts = append(texts, strconv.Itoa(id))
	}
	return strings.Join(texts, ",")
}
