package brokers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// What Kafka refuses is the operator's error, all else is a fault of the moment.
func TestExplain(t *testing.T) {
	for err, want := range map[error]RefusalKind{
		kafka.UnknownTopicOrPartition:                              NoSuchTopic,
		kafka.TopicAlreadyExists:                                   TopicExists,
		fmt.Errorf("%w: too many", kafka.InvalidReplicationFactor): Invalid,
		kafka.InvalidTopic:                                         Invalid,
		kafka.NotController:                                        "",
		context.DeadlineExceeded:                                   "",
	} {
		var refusal *Refusal
		if errors.As(explain(err), &refusal) != (want != "") ||
			(refusal != nil && (refusal.Kind != want || refusal.Message != err.Error())) {
			t.Errorf("%v: %+v", err, refusal)
		}
	}
}

func TestTopicOf(t *testing.T) {
	broker := func(id int) kafka.Broker { return kafka.Broker{ID: id, Host: "h"} }
	topic := topicOf(kafka.Topic{Name: "t", Internal: true, Partitions: []kafka.Partition{
		{ID: 1, Leader: broker(2), Replicas: []kafka.Broker{broker(2), broker(0)},
			Isr: []kafka.Broker{broker(2)}},
		{ID: 0, Leader: kafka.Broker{ID: -1}, Replicas: []kafka.Broker{broker(1)},
			Error: kafka.LeaderNotAvailable},
	}})
	want := Topic{Name: "t", Internal: true, Partitions: []TopicPartition{
		{ID: 0, Leader: -1, Replicas: []int{1}, ISR: []int{}},
		{ID: 1, Leader: 2, Replicas: []int{2, 0}, ISR: []int{2}},
	}}
	if !reflect.DeepEqual(topic, want) {
		t.Errorf("%+v", topic)
	}
	if p := topic.Partitions; !Unavailable(p[0]) || !UnderReplicated(p[0]) ||
		Unavailable(p[1]) || !UnderReplicated(p[1]) {
		t.Error("what is wrong with the partitions is not seen")
	}
}

func TestOffsetOf(t *testing.T) {
	p := kafka.PartitionOffsets{FirstOffset: 3, LastOffset: 9,
		Offsets: map[int64]time.Time{5: time.Unix(1, 0)}}
	if offsetOf(p, FirstOffset) != 3 || offsetOf(p, LastOffset) != 9 || offsetOf(p, 1000) != 5 ||
		offsetOf(kafka.PartitionOffsets{}, 1000) != -1 {
		t.Error("an offset is not the one that was asked for")
	}
}

func TestProduced(t *testing.T) {
	var p Produced
	if p.Mean() != 0 || p.Latency(0.5) != 0 {
		t.Error("nothing was produced")
	}
	for i := range 100 {
		p.latencies = append(p.latencies, time.Duration(i))
	}
	if p.Mean() != 49 || p.Latency(0.5) != 50 || p.Latency(0.99) != 99 || p.Latency(1) != 99 {
		t.Errorf("%v %v %v", p.Mean(), p.Latency(0.5), p.Latency(1))
	}
}

// Without a broker every call fails soon, and not for a reason of the operator's.
func TestAdminAlone(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	gone := []string{listener.Addr().String()}
	var a Admin
	type calls = map[string]func(context.Context, []string) error
	for name, call := range (calls{
		"topics": func(ctx context.Context, at []string) error {
			_, err := a.Topics(ctx, at)
			return err
		},
		"topic": func(ctx context.Context, at []string) error {
			_, err := a.Topic(ctx, at, "t")
			return err
		},
		"create": func(ctx context.Context, at []string) error {
			return a.CreateTopic(ctx, at, "t", 1, 1)
		},
		"delete": func(ctx context.Context, at []string) error {
			return a.DeleteTopic(ctx, at, "t")
		},
		"partitions": func(ctx context.Context, at []string) error {
			return a.AddPartitions(ctx, at, "t", 2)
		},
		"config": func(ctx context.Context, at []string) error {
			return a.SetTopicConfig(ctx, at, "t", "k", nil)
		},
		"offsets": func(ctx context.Context, at []string) error {
			_, err := a.Offsets(ctx, at, "t", LastOffset)
			return err
		},
		"troubled": func(ctx context.Context, at []string) error {
			_, err := a.Troubled(ctx, at, Unavailable)
			return err
		},
		"produce": func(ctx context.Context, at []string) error {
			_, err := a.ProduceTest(ctx, at, "t", 1)
			return err
		},
	}) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		var refusal *Refusal
		if err := call(ctx, gone); err == nil || errors.As(err, &refusal) {
			t.Errorf("%s: %v", name, err)
		}
		if err := call(ctx, nil); err == nil || !strings.Contains(err.Error(), "no address") {
			t.Errorf("%s without addresses: %v", name, err)
		}
	}
}
