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
	"github.com/kafka-sched/kafka-sched/internal/brokers"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// Topics is what is asked of Kafka's topics, by way of brokers at these addresses. A
// *brokers.Refusal is the operator's error, every other one a fault of the moment.
type Topics interface {
	Topics(ctx context.Context, addresses []string) ([]string, error)
	Topic(ctx context.Context, addresses []string, name string) (brokers.Topic, error)
	CreateTopic(ctx context.Context, addresses []string, name string,
		partitions, replication int) error
	DeleteTopic(ctx context.Context, addresses []string, name string) error
	AddPartitions(ctx context.Context, addresses []string, name string, total int32) error
	SetTopicConfig(ctx context.Context, addresses []string, name, key string,
		value *string) error
	Offsets(ctx context.Context, addresses []string, name string,
		at int64) ([]brokers.PartitionOffset, error)
	Troubled(ctx context.Context, addresses []string,
		is func(brokers.TopicPartition) bool) ([]brokers.Topic, error)
	ProduceTest(ctx context.Context, addresses []string, name string,
		records int) (brokers.Produced, error)
}

// live are the addresses of brokers that serve, as Kafka told lately.
func live(v *scheduler.View) []string {
	var addresses []string
	for _, broker := range brokersOf(v) {
		if !broker.Fenced && broker.Address != "" {
			addresses = append(addresses, broker.Address)
		}
	}
	return addresses
}

// kafka has Kafka asked something and writes what came of it.
func (h *handlers) kafka(
	w http.ResponseWriter, r *http.Request, v *scheduler.View,
	ask func(ctx context.Context, at []string) (any, error),
) {
	at := live(v)
	if h.Topics == nil || len(at) == 0 {
		fail(w, r, http.StatusServiceUnavailable, api.CodeUnavailable,
			"No broker is known to serve.")
		return
	}
	answer, err := ask(r.Context(), at)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.remark(r, err)
	}
	var refusal *brokers.Refusal
	switch {
	case err == nil:
		writeJSON(w, http.StatusOK, answer)
	case !errors.As(err, &refusal):
		h.Logger.Warn("api: Kafka did not do what was asked", "path", r.URL.Path, "error", err)
		fail(w, r, http.StatusServiceUnavailable, api.CodeUnavailable,
			"Kafka does not answer: "+err.Error())
	case refusal.Kind == brokers.NoSuchTopic:
		missing(w, r, "Topic", param(r, "topic"))
	case refusal.Kind == brokers.TopicExists:
		fail(w, r, http.StatusConflict, api.CodeConflict,
			"Topic "+param(r, "topic")+" already exists")
	default:
		fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest, refusal.Message)
	}
}

func (h *handlers) topicNames(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	h.kafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		return h.Topics.Topics(ctx, at)
	})
}

func (h *handlers) topic(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	h.kafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		topic, err := h.Topics.Topic(ctx, at, param(r, "topic"))
		shape := api.TopicDescription{Partitions: []map[string]api.TopicPartition{}}
		for _, p := range topic.Partitions {
			shape.Partitions = append(shape.Partitions, map[string]api.TopicPartition{
				strconv.Itoa(p.ID): {Leader: p.Leader, ISR: p.ISR, Replicas: p.Replicas}})
		}
		return shape, err
	})
}

// createTopic makes a topic; a number that is left out is the brokers' default.
// remarkMost bounds what the journal is told of a request.
const remarkMost = 300

// remark has what was done to a topic kept in the journal, with who did it.
func (h *handlers) remark(r *http.Request, err error) {
	what := r.Method + " " + r.URL.RequestURI()
	outcome := "done"
	if err != nil {
		outcome = "failed: " + err.Error()
	}
	remark := scheduler.Remark{What: what[:min(len(what), remarkMost)],
		Outcome: outcome[:min(len(outcome), remarkMost)]}
	// The client may have gone; the change was made all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), commandTimeout)
	defer cancel()
	if _, err := h.Do(ctx, remark, scheduler.Caller{Who: caller(r)}); err != nil {
		h.Logger.Error("api: a change is not in the journal", "what", what, "error", err)
	}
}

func (h *handlers) createTopic(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	name, query := param(r, "topic"), r.URL.Query()
	partitions, ok := wanted(w, r, query, "partitions", maxPartitions, -1)
	if !ok {
		return
	}
	replication, ok := wanted(w, r, query, "replication", maxReplication, -1)
	if !ok {
		return
	}
	h.kafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		return api.Message{Message: fmt.Sprintf("Output: Created topic %q.\n", name)},
			h.Topics.CreateTopic(ctx, at, name, partitions, replication)
	})
}

func (h *handlers) deleteTopic(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	name := param(r, "topic")
	h.kafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		return api.Message{Message: "Topic " + name + " is marked for deletion."},
			h.Topics.DeleteTopic(ctx, at, name)
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
		offsets, err := h.Topics.Offsets(ctx, at, param(r, "topic"), when)
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
		return brokers.LastOffset, nil
	case "first", "-2":
		return brokers.FirstOffset, nil
	}
	at, err := strconv.ParseInt(text, 10, 64)
	if err != nil || at < 0 {
		return 0, errors.New("time must be first, last, or milliseconds since 1970, not " + text)
	}
	return at, nil
}

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
	case api.TopicPartitions, api.TopicConfig, api.TopicProducerTest:
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
			h.Topics.AddPartitions(ctx, at, param(r, "topic"), int32(total))
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
		return api.Message{Message: text}, h.Topics.SetTopicConfig(ctx, at, name, key, value)
	})
}

// produceTest answers with the line that Kafka's own tool for it prints.
func (h *handlers) produceTest(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	records, ok := wanted(w, r, r.URL.Query(), "messages", api.MaxTestMessages, 0)
	if !ok {
		return
	}
	h.kafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		p, err := h.Topics.ProduceTest(ctx, at, param(r, "topic"), records)
		seconds := max(p.Took.Seconds(), 1e-6)
		ms := func(part float64) int64 { return p.Latency(part).Milliseconds() }
		return api.Message{Message: fmt.Sprintf("%d records sent, %f records/sec (%.2f MB/sec), "+
			"%.2f ms avg latency, %.2f ms max latency, %d ms 50th, %d ms 95th, %d ms 99th, "+
			"%d ms 99.9th.\n", p.Records, float64(p.Records)/seconds,
			float64(p.Bytes)/seconds/(1<<20), p.Mean().Seconds()*1000,
			p.Latency(1).Seconds()*1000, ms(0.5), ms(0.95), ms(0.99), ms(0.999))}, err
	})
}

func (h *handlers) unavailable(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	h.troubled(w, r, v, brokers.Unavailable)
}

func (h *handlers) underReplicated(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	h.troubled(w, r, v, brokers.UnderReplicated)
}

// troubled answers with the lines that Kafka's own tool for it prints, none when all is well.
func (h *handlers) troubled(
	w http.ResponseWriter, r *http.Request, v *scheduler.View,
	is func(brokers.TopicPartition) bool,
) {
	h.kafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		topics, err := h.Topics.Troubled(ctx, at, is)
		var text strings.Builder
		for _, topic := range topics {
			for _, p := range topic.Partitions {
				leader := "none"
				if p.Leader >= 0 {
					leader = strconv.Itoa(p.Leader)
				}
				fmt.Fprintf(&text, "\tTopic: %s\tPartition: %d\tLeader: %s\tReplicas: %s\t"+
					"Isr: %s\n", topic.Name, p.ID, leader, commas(p.Replicas), commas(p.ISR))
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
