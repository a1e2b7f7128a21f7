// Command roundtrip shows how a client uses a cluster: it reads the addresses that
// `kafka-sched endpoints broker --json` prints from standard input, makes a topic, produces
// numbered messages with acks=all, and consumes them again.
//
//	kafka-sched endpoints broker --json | go run ./examples/roundtrip -messages 10000
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"
)

func main() {
	messages := flag.Int("messages", 10_000, "how many messages to produce and consume")
	topic := flag.String("topic", "demo", "the topic; it is made if it is not there")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if err := run(ctx, os.Stdin, *topic, *messages); err != nil {
		fmt.Fprintln(os.Stderr, "roundtrip:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, endpoints io.Reader, topic string, messages int) error {
	var brokers struct{ Address []string }
	if err := json.NewDecoder(endpoints).Decode(&brokers); err != nil {
		return fmt.Errorf("reading the addresses from standard input: %w", err)
	}
	client := &kafka.Client{Addr: kafka.TCP(brokers.Address...), Timeout: 30 * time.Second}
	created, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: 1, ReplicationFactor: -1}}})
	if err != nil {
		return fmt.Errorf("making topic %s: %w", topic, err)
	}
	if err := created.Errors[topic]; err != nil && !errors.Is(err, kafka.TopicAlreadyExists) {
		return fmt.Errorf("making topic %s: %w", topic, err)
	}
	start, err := endOf(ctx, client, topic)
	if err != nil {
		return err
	}
	if err := produce(ctx, brokers.Address, topic, messages); err != nil {
		return err
	}
	fmt.Printf("produced %d messages to topic %s with acks=all\n", messages, topic)
	if err := consume(ctx, brokers.Address, topic, start, messages); err != nil {
		return err
	}
	fmt.Printf("consumed the same %d messages\n", messages)
	return nil
}

// endOf gives the offset that the next message will have; a new topic takes a moment to get a
// leader.
func endOf(ctx context.Context, client *kafka.Client, topic string) (int64, error) {
	for {
		resp, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{
			Topics: map[string][]kafka.OffsetRequest{topic: {kafka.LastOffsetOf(0)}}})
		if err == nil && len(resp.Topics[topic]) == 1 && resp.Topics[topic][0].Error == nil {
			return resp.Topics[topic][0].LastOffset, nil
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("topic %s got no leader: %w", topic, errors.Join(err, ctx.Err()))
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func produce(ctx context.Context, brokers []string, topic string, messages int) error {
	w := &kafka.Writer{Addr: kafka.TCP(brokers...), Topic: topic,
		RequiredAcks: kafka.RequireAll, BatchTimeout: 5 * time.Millisecond}
	defer w.Close()
	for from := 0; from < messages; from += 1000 {
		var batch []kafka.Message
		for i := from; i < min(from+1000, messages); i++ {
			batch = append(batch, kafka.Message{Value: []byte(strconv.Itoa(i))})
		}
		if err := w.WriteMessages(ctx, batch...); err != nil {
			return fmt.Errorf("producing: %w", err)
		}
	}
	return nil
}

func consume(ctx context.Context, brokers []string, topic string, from int64, n int) error {
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: brokers, Topic: topic, Partition: 0,
		MaxBytes: 8 << 20, MaxWait: 200 * time.Millisecond})
	defer r.Close()
	if err := r.SetOffset(from); err != nil {
		return fmt.Errorf("consuming: %w", err)
	}
	seen := map[string]bool{}
	for len(seen) < n {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			return fmt.Errorf("consuming, %d of %d are there: %w", len(seen), n, err)
		}
		seen[string(m.Value)] = true
	}
	return nil
}
