//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// createTopic makes a topic with a replica on each broker, at most three.
func createTopic(t *testing.T, bootstrap []string, topic string, partitions int) {
	t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(bootstrap...), Timeout: 20 * time.Second}
	eventually(t, time.Minute, "topic "+topic+" is created", func() error {
		resp, err := client.CreateTopics(context.Background(), &kafka.CreateTopicsRequest{
			Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: partitions,
				ReplicationFactor: min(3, len(bootstrap))}},
		})
		if err != nil {
			return err
		}
		return resp.Errors[topic]
	})
	for _, address := range bootstrap {
		eventually(t, time.Minute, address+" knows topic "+topic, func() error {
			return knows(address, topic, partitions)
		})
	}
}

// knows asks one broker whether it sees a leader for every partition of a topic.
func knows(address, topic string, partitions int) error {
	conn, err := kafka.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	found, err := conn.ReadPartitions(topic)
	if err != nil {
		return err
	}
	for _, p := range found {
		if p.Error != nil {
			return p.Error
		}
	}
	if len(found) != partitions {
		return fmt.Errorf("%d of %d partitions", len(found), partitions)
	}
	return nil
}

// writer writes with acks=all.
func writer(bootstrap []string, topic string) *kafka.Writer {
	return &kafka.Writer{
		Addr: kafka.TCP(bootstrap...), Topic: topic, RequiredAcks: kafka.RequireAll,
		BatchSize: 500, BatchTimeout: 5 * time.Millisecond, MaxAttempts: 10,
		WriteTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second,
		Transport: &kafka.Transport{MetadataTTL: time.Second, DialTimeout: 3 * time.Second},
	}
}

// produce writes n numbered messages, each of which must be acknowledged.
func produce(t *testing.T, bootstrap []string, topic string, n int) {
	t.Helper()
	w := writer(bootstrap, topic)
	defer w.Close()
	for from := 0; from < n; from += 1000 {
		var batch []kafka.Message
		for i := from; i < min(from+1000, n); i++ {
			batch = append(batch, kafka.Message{Value: []byte(strconv.Itoa(i))})
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		err := w.WriteMessages(ctx, batch...)
		cancel()
		if err != nil {
			t.Fatalf("producing: %v", err)
		}
	}
}

// consume reads all partitions to their present end and gives every value with its count.
func consume(t *testing.T, bootstrap []string, topic string, partitions int) map[string]int {
	t.Helper()
	seen := map[string]int{}
	for p := 0; p < partitions; p++ {
		readPartition(t, bootstrap, topic, p, seen)
	}
	return seen
}

func readPartition(
	t *testing.T, bootstrap []string, topic string, partition int, seen map[string]int,
) {
	t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(bootstrap...), Timeout: 10 * time.Second}
	var end int64
	eventually(t, time.Minute, fmt.Sprintf("partition %d tells its end", partition),
		func() error {
			resp, err := client.ListOffsets(context.Background(), &kafka.ListOffsetsRequest{
				Topics: map[string][]kafka.OffsetRequest{
					topic: {kafka.LastOffsetOf(partition)}},
			})
			if err != nil {
				return err
			}
			got := resp.Topics[topic][0]
			end = got.LastOffset
			return got.Error
		})
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: bootstrap, Topic: topic,
		Partition: partition, MaxBytes: 4 << 20, MaxWait: 100 * time.Millisecond})
	defer r.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for next := int64(0); next < end; {
		msg, err := r.ReadMessage(ctx)
		if err != nil {
			t.Fatalf("consuming partition %d at %d of %d: %v", partition, next, end, err)
		}
		seen[string(msg.Value)]++
		next = msg.Offset + 1
	}
}

// load produces all the time and remembers what was acknowledged.
type load struct {
	t         *testing.T
	bootstrap []string
	topic     string
	stop      chan struct{}
	done      sync.WaitGroup

	mu       sync.Mutex
	acked    map[string]bool
	failures int
}

// A load is that of some producers, so that one which waits for a broker that is gone does not
// keep the others from meeting the next moment.
const (
	loadPartitions = 6
	loadProducers  = 6
)

// startLoad begins to produce to a topic of its own.
func startLoad(t *testing.T, bootstrap []string, topic string) *load {
	t.Helper()
	createTopic(t, bootstrap, topic, loadPartitions)
	l := &load{t: t, bootstrap: bootstrap, topic: topic, stop: make(chan struct{}),
		acked: map[string]bool{}}
	for producer := range loadProducers {
		l.done.Add(1)
		go l.run(producer)
	}
	return l
}

func (l *load) run(producer int) {
	defer l.done.Done()
	w := writer(l.bootstrap, l.topic)
	w.MaxAttempts, w.WriteTimeout, w.ReadTimeout = 3, 5*time.Second, 5*time.Second
	defer w.Close()
	for i := 0; ; i++ {
		select {
		case <-l.stop:
			return
		case <-time.After(2 * time.Millisecond):
		}
		batch := make([]kafka.Message, 20)
		for j := range batch {
			batch[j].Value = []byte(fmt.Sprintf("%d-%d-%d", producer, i, j))
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		err := w.WriteMessages(ctx, batch...)
		cancel()
		l.note(batch, err)
	}
}

// note remembers a batch that was acknowledged. Of one that was not, some messages may have been
// all the same; nobody was promised them.
func (l *load) note(batch []kafka.Message, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failures++
		return
	}
	for j := range batch {
		l.acked[string(batch[j].Value)] = true
	}
}

// check stops producing and demands every acknowledged message back.
func (l *load) check() {
	l.t.Helper()
	close(l.stop)
	l.done.Wait()
	seen := consume(l.t, l.bootstrap, l.topic, loadPartitions)
	lost := 0
	for value := range l.acked {
		if seen[value] == 0 {
			lost++
		}
	}
	l.t.Logf("%d messages acknowledged, %d batches failed, %d lost", len(l.acked),
		l.failures, lost)
	if lost > 0 {
		l.t.Fatalf("%d of %d acknowledged messages are lost", lost, len(l.acked))
	}
	if len(l.acked) == 0 {
		l.t.Fatal("nothing was acknowledged at all")
	}
}
