//go:build e2e

package e2e

import (
	"context"
	bigendian "encoding/binary"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// traffic is what clients do while brokers go down and up: producers as Kafka's own are by default
// (all replicas in sync acknowledge, idempotent, retries without end) number their records, and a
// consumer checks that each number comes once and in order. All the while somebody looks whether
// a partition is under its minimum.
type traffic struct {
	t    *testing.T
	stop context.CancelFunc
	all  sync.WaitGroup

	mu        sync.Mutex
	latencies []time.Duration // since reset
	slow      []slowRecord    // likewise
	full      []time.Time     // when all partitions came to have all replicas in sync
	errors    []error
	under     []string // partitions under their minimum, each once
	sent      map[[2]int]uint64
	seen      map[[2]int]uint64
	wrong     []string
	clients   []*kgo.Client
}

// slowRecord is one whose producer waited for long.
type slowRecord struct {
	begun     time.Time
	took      time.Duration
	partition int
}

// slowness is from when on a producer's wait is told.
const slowness = 250 * time.Millisecond

// retryBackoff is how long Kafka's own producer waits before it tries again (retry.backoff.ms).
const retryBackoff = 100 * time.Millisecond

const (
	trafficTopic      = "traffic"
	trafficPartitions = 6
	trafficProducers  = 3
	trafficMinimum    = 2
)

// startTraffic makes the topic and begins.
func startTraffic(t *testing.T, bootstrap []string) *traffic {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	f := &traffic{t: t, stop: cancel, sent: map[[2]int]uint64{}, seen: map[[2]int]uint64{}}
	t.Cleanup(f.end)
	createTopic(t, bootstrap, trafficTopic, trafficPartitions)
	for producer := range trafficProducers {
		c := f.client(bootstrap, kgo.RecordPartitioner(kgo.ManualPartitioner()),
			kgo.ProducerLinger(0), kgo.DefaultProduceTopic(trafficTopic),
			kgo.RetryBackoffFn(func(int) time.Duration { return retryBackoff }))
		f.all.Go(func() { f.produce(ctx, c, producer) })
	}
	consumer := f.client(bootstrap, kgo.ConsumeTopics(trafficTopic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(200*time.Millisecond))
	f.all.Go(func() { f.consume(ctx, consumer) })
	watcher := f.client(bootstrap)
	f.all.Go(func() { f.watch(ctx, watcher) })
	return f
}

func (f *traffic) client(bootstrap []string, options ...kgo.Opt) *kgo.Client {
	f.t.Helper()
	c, err := kgo.NewClient(append(options, kgo.SeedBrokers(bootstrap...),
		kgo.MetadataMinAge(100*time.Millisecond))...)
	if err != nil {
		f.t.Fatal(err)
	}
	f.clients = append(f.clients, c)
	return c
}

// produce writes a record to each partition every few milliseconds until it is to stop, and then
// waits for what is under way.
func (f *traffic) produce(ctx context.Context, c *kgo.Client, producer int) {
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	for n := uint64(1); ctx.Err() == nil; n++ {
		for p := range trafficPartitions {
			value := bigendian.BigEndian.AppendUint64([]byte{byte(producer)}, n)
			begun := time.Now()
			c.Produce(context.Background(), &kgo.Record{Partition: int32(p), Value: value},
				func(r *kgo.Record, err error) { f.acknowledged(producer, p, n, begun, err) })
		}
		<-tick.C
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := c.Flush(ctx); err != nil {
		f.fail(fmt.Errorf("flushing: %w", err))
	}
}

func (f *traffic) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errors = append(f.errors, err)
}

func (f *traffic) acknowledged(producer, partition int, n uint64, begun time.Time, err error) {
	if err != nil {
		f.fail(err)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	took := time.Since(begun)
	f.latencies = append(f.latencies, took)
	if took > slowness {
		f.slow = append(f.slow, slowRecord{begun, took, partition})
	}
	f.sent[[2]int{producer, partition}] = n
}

// consume reads all that is written.
func (f *traffic) consume(ctx context.Context, c *kgo.Client) {
	for {
		fetches := c.PollFetches(ctx)
		if fetches.IsClientClosed() || ctx.Err() != nil && fetches.Empty() {
			return
		}
		f.mu.Lock()
		fetches.EachRecord(func(r *kgo.Record) {
			key := [2]int{int(r.Value[0]), int(r.Partition)}
			n := bigendian.BigEndian.Uint64(r.Value[1:])
			if n != f.seen[key]+1 && len(f.wrong) < 10 {
				f.wrong = append(f.wrong, fmt.Sprintf("producer %d, partition %d: %d behind %d",
					key[0], key[1], n, f.seen[key]))
			}
			f.seen[key] = n
		})
		f.mu.Unlock()
	}
}

// watch looks at the partitions ten times a second.
func (f *traffic) watch(ctx context.Context, c *kgo.Client) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	full := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		r := kmsg.NewPtrMetadataRequest()
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = kmsg.StringPtr(trafficTopic)
		r.Topics = append(r.Topics, topic)
		answer, err := r.RequestWith(ctx, c)
		if err != nil {
			continue // whoever was asked is down
		}
		was := full
		full = len(answer.Topics[0].Partitions) == trafficPartitions
		for _, p := range answer.Topics[0].Partitions {
			full = full && len(p.ISR) == len(p.Replicas)
			if len(p.ISR) < trafficMinimum || kerr.ErrorForCode(p.ErrorCode) != nil {
				f.note(fmt.Sprintf("partition %d: ISR %v, %v", p.Partition, p.ISR,
					kerr.ErrorForCode(p.ErrorCode)))
			}
		}
		if full && !was {
			f.mu.Lock()
			f.full = append(f.full, time.Now())
			f.mu.Unlock()
		}
	}
}

// note keeps that a partition was under its minimum.
func (f *traffic) note(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Contains(f.under, what) {
		f.under = append(f.under, what)
	}
}

// reset forgets what was measured so far.
func (f *traffic) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.latencies, f.under, f.slow, f.full = nil, nil, nil, nil
}

// calm demands that since the reset no partition was under its minimum, and tells how long
// producers waited: the longest, and what one in a thousand records exceeded.
func (f *traffic) calm(what string) (most, permille time.Duration) {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.under) > 0 {
		f.t.Errorf("%s: under the minimum: %v", what, f.under)
	}
	if len(f.latencies) == 0 {
		f.t.Fatalf("%s: nothing was acknowledged", what)
	}
	slices.Sort(f.latencies)
	n := len(f.latencies)
	most, permille = f.latencies[n-1], f.latencies[n-1-n/1000]
	f.t.Logf("%s: %d records: p50 %v, p99 %v, p99.9 %v, most %v", what, n,
		f.latencies[n/2].Round(time.Microsecond), f.latencies[n-1-n/100].Round(time.Microsecond),
		permille.Round(time.Microsecond), most.Round(time.Microsecond))
	f.tellPauses()
	return most, permille
}

// tellPauses tells when producers waited for long, and on which partitions.
func (f *traffic) tellPauses() {
	slices.SortFunc(f.slow, func(a, b slowRecord) int { return a.begun.Compare(b.begun) })
	for len(f.slow) > 0 {
		first, n := f.slow[0], 0
		end, most, on := first.begun, time.Duration(0), map[int]int{}
		for n < len(f.slow) && !f.slow[n].begun.After(end) {
			r := f.slow[n]
			if until := r.begun.Add(r.took); until.After(end) {
				end = until
			}
			most = max(most, r.took)
			on[r.partition]++
			n++
		}
		f.t.Logf("  from %s for %v: %d records waited, up to %v, by partition %v",
			first.begun.Format("15:04:05.000"), end.Sub(first.begun).Round(time.Millisecond), n,
			most.Round(time.Millisecond), on)
		f.slow = f.slow[n:]
	}
}

// check stops and demands that every record that was sent came once, in order, and that no
// producer saw an error.
func (f *traffic) check() {
	f.t.Helper()
	f.t.Log("waiting for what is under way")
	f.stop()
	for _, c := range f.clients[:trafficProducers] {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		if err := c.Flush(ctx); err != nil {
			f.t.Errorf("records are still under way: %v", err)
		}
		cancel()
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { f.consume(ctx, f.clients[trafficProducers]) })
	eventually(f.t, time.Minute, "all that was acknowledged is read", f.complete)
	cancel()
	all.Wait()
	f.end()
	if len(f.errors) > 0 {
		f.t.Errorf("%d errors of producers, the first: %v", len(f.errors), f.errors[0])
	}
	if len(f.wrong) > 0 {
		f.t.Errorf("lost or doubled: %v", f.wrong)
	}
}

// complete says what was acknowledged and not read.
func (f *traffic) complete() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for key, n := range f.sent {
		if f.seen[key] < n {
			return fmt.Errorf("producer %d, partition %d: %d of %d", key[0], key[1],
				f.seen[key], n)
		}
	}
	return nil
}

// end ends all clients.
func (f *traffic) end() {
	f.stop()
	for _, c := range f.clients {
		c.Close()
	}
	f.all.Wait()
}
