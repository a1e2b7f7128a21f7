package kafkaadmin

import (
	"context"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/kafka-sched/kafka-sched/api"
)

// testBatch is how many records are written before their acknowledgements are waited for.
const testBatch = 500

// TestTopic writes records of zeros to a topic and waits for all in-sync replicas to have them,
// or reads records from its beginning, and tells how fast that was. The topic must exist.
func (a Admin) TestTopic(
	ctx context.Context, at []string, name string, test api.TopicTest,
) (api.TopicTested, error) {
	run, options := produce, []kgo.Opt{kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.DefaultProduceTopic(name), kgo.ProducerBatchCompression(kgo.NoCompression())}
	if test.Kind == api.TestConsumer {
		run = consume
		options = []kgo.Opt{kgo.ConsumeTopics(name), kgo.FetchMaxWait(time.Second),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}
	}
	return askWithin(ctx, testTimeout, at, func(
		ctx context.Context, c conn,
	) (api.TopicTested, error) {
		result := api.TopicTested{Topic: name, Kind: test.Kind}
		if _, err := describe(ctx, c, name); err != nil {
			return result, err
		}
		began := time.Now()
		latencies, err := run(ctx, c, name, test, &result)
		result.Seconds = time.Since(began).Seconds()
		tell(&result, latencies)
		return result, err
	}, options...)
}

func produce(
	ctx context.Context, c conn, _ string, test api.TopicTest, result *api.TopicTested,
) ([]time.Duration, error) {
	value := make([]byte, test.Size)
	var latencies []time.Duration
	for result.Records < test.Records {
		batch := make([]*kgo.Record, min(testBatch, test.Records-result.Records))
		for i := range batch {
			batch[i] = &kgo.Record{Value: value}
		}
		sent := time.Now()
		if err := c.raw.ProduceSync(ctx, batch...).FirstErr(); err != nil {
			return latencies, err
		}
		for range batch {
			latencies = append(latencies, time.Since(sent))
		}
		result.Records += len(batch)
		result.Bytes += int64(len(batch) * test.Size)
	}
	return latencies, nil
}

// consume reads until it has as many records as are wanted or as there were when it began.
func consume(
	ctx context.Context, c conn, name string, test api.TopicTest, result *api.TopicTested,
) ([]time.Duration, error) {
	first, err := c.ListStartOffsets(ctx, name)
	if err != nil {
		return nil, err
	}
	next, err := c.ListEndOffsets(ctx, name)
	if err != nil {
		return nil, err
	}
	there := int64(0)
	for p, end := range next[name] {
		if end.Err != nil {
			return nil, end.Err
		}
		there += end.Offset - first[name][p].Offset
	}
	// Offsets without records, as those of transactions' ends, are waited for no longer than this.
	var latencies []time.Duration
	for result.Records < test.Records && int64(result.Records) < there {
		asked := time.Now()
		within, cancel := context.WithTimeout(ctx, 5*time.Second)
		fetched := c.raw.PollRecords(within, test.Records-result.Records)
		cancel()
		if fetched.NumRecords() == 0 {
			if ctx.Err() == nil && within.Err() != nil {
				break
			}
			return latencies, fetched.Err()
		}
		took := time.Since(asked)
		fetched.EachRecord(func(r *kgo.Record) {
			latencies = append(latencies, took)
			result.Records++
			result.Bytes += int64(len(r.Key) + len(r.Value))
		})
	}
	return latencies, nil
}

// tell puts the latencies into a result.
func tell(result *api.TopicTested, latencies []time.Duration) {
	if len(latencies) == 0 {
		return
	}
	slices.Sort(latencies)
	sum := time.Duration(0)
	for _, l := range latencies {
		sum += l
	}
	ms := func(l time.Duration) float64 { return float64(l.Microseconds()) / 1000 }
	of := func(part float64) float64 {
		return ms(latencies[min(int(part*float64(len(latencies))), len(latencies)-1)])
	}
	result.MeanMS = ms(sum / time.Duration(len(latencies)))
	result.P50MS, result.P95MS, result.P99MS = of(0.5), of(0.95), of(0.99)
	result.P999MS, result.MaxMS = of(0.999), of(1)
}
