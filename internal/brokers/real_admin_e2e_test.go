//go:build e2e

package brokers

import (
	"errors"
	"math"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/kafkadist"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// TestRealAdmin does with the topics of three real brokers all that Admin can do.
func TestRealAdmin(t *testing.T) {
	c := found(t, kafkadist.DefaultVersion)
	asker := New(Config{})
	t.Cleanup(asker.Close)
	for _, n := range c.nodes {
		n.start(t)
	}
	c.until(t, asker, "complete", func(f scheduler.KafkaFacts) bool {
		// All three vote before one is killed: of two voters, both are needed.
		return len(f.Brokers) == 3 && !anyBroker(f, fenced) && f.Leader >= 0 &&
			slices.Equal(f.Voters, []int{0, 1, 2})
	})
	var a Admin
	ctx, at := t.Context(), c.addresses
	refused := func(err error, want RefusalKind) {
		t.Helper()
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Kind != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	done := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	done(a.CreateTopic(ctx, at, "events", 3, 3))
	refused(a.CreateTopic(ctx, at, "events", 3, 3), TopicExists)
	refused(a.CreateTopic(ctx, at, "wide", 1, 4), Invalid)
	refused(a.CreateTopic(ctx, at, "no such name!", 1, 1), Invalid)
	done(a.CreateTopic(ctx, at, "defaults", -1, -1))
	soon(t, "both topics", func() (any, bool) {
		names, err := a.Topics(ctx, at)
		return names, err == nil && slices.Equal(names, []string{"defaults", "events"})
	})
	done(a.AddPartitions(ctx, at, "events", 4))
	refused(a.AddPartitions(ctx, at, "events", 4), Invalid)
	refused(a.AddPartitions(ctx, at, "nosuch", 4), NoSuchTopic)
	soon(t, "four partitions", func() (any, bool) {
		topic, err := a.Topic(ctx, at, "events")
		return topic, err == nil && len(topic.Partitions) == 4 && !topic.Internal &&
			!slices.ContainsFunc(topic.Partitions, Unavailable)
	})
	day, word := "86400000", "word"
	done(a.SetTopicConfig(ctx, at, "events", "retention.ms", &day))
	done(a.SetTopicConfig(ctx, at, "events", "retention.ms", nil))
	refused(a.SetTopicConfig(ctx, at, "events", "retention.ms", &word), Invalid)
	refused(a.SetTopicConfig(ctx, at, "events", "nosuch.key", &word), Invalid)
	refused(a.SetTopicConfig(ctx, at, "nosuch", "retention.ms", &day), NoSuchTopic)
	result, err := a.ProduceTest(ctx, at, "events", 1200)
	if err != nil || result.Records != 1200 || result.Bytes != 1200*1024 || result.Mean() <= 0 {
		t.Fatalf("%+v, %v", result, err)
	}
	checkOffsets(t, a, at)
	c.nodes[1].kill(t, syscall.SIGKILL)
	c.until(t, asker, "one killed", func(f scheduler.KafkaFacts) bool {
		return len(f.Brokers) == 3 && f.Brokers[1].Fenced && f.OfflinePartitions == 0
	})
	troubled, err := a.Troubled(ctx, at, UnderReplicated)
	if err != nil || len(troubled) == 0 {
		t.Errorf("with one of three killed: %+v, %v", troubled, err)
	}
	if none, err := a.Troubled(ctx, at, Unavailable); err != nil || len(none) != 0 {
		t.Errorf("all partitions have leaders: %+v, %v", none, err)
	}
	done(a.DeleteTopic(ctx, at, "events"))
	refused(a.DeleteTopic(ctx, at, "events"), NoSuchTopic)
	checkGone(t, a, at)
}

// checkGone waits until every broker knows that a topic is no more.
func checkGone(t *testing.T, a Admin, at []string) {
	t.Helper()
	ctx := t.Context()
	for what, ask := range map[string]func() error{
		"describe": func() error { _, err := a.Topic(ctx, at, "events"); return err },
		"offsets":  func() error { _, err := a.Offsets(ctx, at, "events", LastOffset); return err },
		"produce":  func() error { _, err := a.ProduceTest(ctx, at, "events", 1); return err },
	} {
		soon(t, what+" after the end of the topic", func() (any, bool) {
			err := ask()
			var refusal *Refusal
			return err, errors.As(err, &refusal) && refusal.Kind == NoSuchTopic
		})
	}
}

// soon asks until what brokers learn from the controllers one after the other is as wanted.
func soon(t *testing.T, what string, ask func() (got any, ok bool)) {
	t.Helper()
	deadline := time.After(time.Minute)
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for {
		got, ok := ask()
		if ok {
			return
		}
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("%s: not reached, the last answer is %+v", what, got)
		}
	}
}

func checkOffsets(t *testing.T, a Admin, at []string) {
	t.Helper()
	for when, want := range map[int64]int64{
		FirstOffset: 0, LastOffset: 1200, time.Now().Add(-time.Hour).UnixMilli(): 0,
		time.Now().Add(time.Hour).UnixMilli(): -4, math.MaxInt64: -4,
	} {
		list, err := a.Offsets(t.Context(), at, "events", when)
		sum := int64(0)
		for i, o := range list {
			sum += o.Offset
			if o.Partition != i {
				t.Errorf("partition %d is at %d", o.Partition, i)
			}
		}
		if err != nil || len(list) != 4 || sum != want {
			t.Errorf("offsets at %d: %+v, %v", when, list, err)
		}
	}
}
