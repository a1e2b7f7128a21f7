package brokers

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
)

// The records of a test of producing.
const (
	testRecord = 1024 // bytes
	testBatch  = 500
)

// Produced is what came of a test of producing.
type Produced struct {
	Records int
	Bytes   int64
	Took    time.Duration
	// latencies of the batches, ascending; of all records of a batch the same.
	latencies []time.Duration
}

// Mean is the average latency.
func (p Produced) Mean() time.Duration {
	var sum time.Duration
	for _, l := range p.latencies {
		sum += l
	}
	return sum / time.Duration(max(1, len(p.latencies)))
}

// Latency that a part of the records, 0 to 1, did not exceed.
func (p Produced) Latency(part float64) time.Duration {
	if len(p.latencies) == 0 {
		return 0
	}
	at := int(part * float64(len(p.latencies)))
	return p.latencies[min(at, len(p.latencies)-1)]
}

// ProduceTest writes so many records of zeros to a topic, and waits for all in-sync replicas to
// have them. The topic must exist.
func (Admin) ProduceTest(
	ctx context.Context, addresses []string, name string, records int,
) (Produced, error) {
	var result Produced
	err := with(ctx, addresses, testTimeout, []string{name}, func(
		ctx context.Context, c *kafka.Client,
	) error {
		if _, err := describe(ctx, c, name); err != nil {
			return err
		}
		writer := &kafka.Writer{Addr: c.Addr, Topic: name, Transport: c.Transport,
			RequiredAcks: kafka.RequireAll, BatchSize: testBatch, MaxAttempts: 3,
			BatchTimeout: time.Millisecond}
		defer writer.Close()
		value, began := bytes.Repeat([]byte{0}, testRecord), time.Now()
		for result.Records < records {
			batch := make([]kafka.Message, min(testBatch, records-result.Records))
			for i := range batch {
				batch[i].Value = value
			}
			sent := time.Now()
			if err := writer.WriteMessages(ctx, batch...); err != nil {
				return err
			}
			latency := time.Since(sent)
			for range batch {
				result.latencies = append(result.latencies, latency)
			}
			result.Records += len(batch)
			result.Bytes += int64(len(batch)) * testRecord
		}
		result.Took = time.Since(began)
		return nil
	})
	slices.Sort(result.latencies)
	return result, err
}
