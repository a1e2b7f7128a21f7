//go:build e2e

package brokers

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/internal/kafkaadmin"
	"github.com/kafka-sched/kafka-sched/internal/kafkadist"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// authorized lets brokers have ACLs, and everybody do everything.
const authorized = `
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
min.insync.replicas=2
transaction.state.log.replication.factor=3
`

// TestRealAdmin asks three real brokers for all that can be asked of Kafka.
func TestRealAdmin(t *testing.T) {
	c := found(t, kafkadist.DefaultVersion)
	asker := New(Config{})
	t.Cleanup(asker.Close)
	for _, n := range c.nodes {
		n.add(t, authorized)
		n.start(t)
	}
	c.until(t, asker, "complete", func(f scheduler.KafkaFacts) bool {
		// All three vote before one is killed: of two voters, both are needed.
		return len(f.Brokers) == 3 && !anyBroker(f, fenced) && f.Leader >= 0 &&
			slices.Equal(f.Voters, []int{0, 1, 2})
	})
	x := admin{t, c.addresses, kafkaadmin.Admin{}}
	x.topics()
	x.access()
	x.groups()
	x.transactions()
	x.brokers()
	c.nodes[1].kill(t, syscall.SIGKILL)
	x.withOneDown()
	c.until(t, asker, "one killed", func(f scheduler.KafkaFacts) bool {
		return len(f.Brokers) == 3 && f.Brokers[1].Fenced && f.OfflinePartitions == 0
	})
	x.end()
}

// add adds lines to a node's properties.
func (n *node) add(t *testing.T, lines string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(n.dir, "server.properties"),
		os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(lines); err != nil {
		t.Fatal(err)
	}
}

// admin is an Admin with the brokers that it asks.
type admin struct {
	t  *testing.T
	at []string
	a  kafkaadmin.Admin
}

func (x admin) refused(err error, code, name string) {
	x.t.Helper()
	var refusal *api.KafkaRefusal
	if !errors.As(err, &refusal) || refusal.Code != code ||
		name != "" && (refusal.Kafka == nil || refusal.Kafka.Name != name) {
		x.t.Errorf("%v, want %s %s", err, code, name)
	}
}

func (x admin) done(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

// took tells how long something takes, after the brokers have done it once.
func (x admin) took(what string, ask func() error) {
	x.t.Helper()
	x.done(ask())
	best := time.Hour
	for range 10 {
		began := time.Now()
		x.done(ask())
		best = min(best, time.Since(began))
	}
	x.t.Logf("%s: %v", what, best)
}

func (x admin) topics() {
	x.t.Helper()
	ctx, at, a := x.t.Context(), x.at, x.a
	create := func(name string, partitions, replicas int) error {
		return a.CreateTopic(ctx, at, api.TopicCreate{Name: name, Partitions: partitions,
			ReplicationFactor: replicas}, nil, false)
	}
	x.done(create("events", 3, 2))
	x.refused(create("events", 3, 3), api.CodeConflict, "TOPIC_ALREADY_EXISTS")
	x.refused(create("wide", 1, 4), api.CodeInvalidRequest, "INVALID_REPLICATION_FACTOR")
	x.refused(create("no such name!", 1, 1), api.CodeInvalidRequest, "INVALID_TOPIC_EXCEPTION")
	x.done(create("defaults", 0, 0))
	soon(x.t, "both topics", func() (any, bool) {
		list, err := a.Topics(ctx, at)
		return list, err == nil && len(list) == 2 && list[0].Name == "defaults" &&
			list[0].ReplicationFactor == 3 && list[1].Partitions == 3
	})
	x.avoiding()
	x.done(a.SetPartitions(ctx, at, "events", 4, nil, false))
	x.refused(a.SetPartitions(ctx, at, "events", 4, nil, false), api.CodeInvalidRequest, "")
	x.refused(a.SetPartitions(ctx, at, "nosuch", 4, nil, false), api.CodeNotFound, "")
	moves, err := a.SetReplication(ctx, at, "events", 3, nil, false)
	x.done(err)
	if len(moves) == 0 {
		x.t.Error("no partition gets another replica")
	}
	soon(x.t, "four partitions of three replicas", func() (any, bool) {
		// A broker may not have heard of the fourth partition before.
		if _, err := a.SetReplication(ctx, at, "events", 3, nil, false); err != nil {
			return err, false
		}
		topic, err := a.Topic(ctx, at, "events", false)
		return topic, err == nil && topic.Partitions == 4 && topic.UnderReplicated == 0 &&
			!slices.ContainsFunc(topic.State, func(p api.PartitionState) bool {
				return len(p.Replicas) != 3 || p.Unavailable()
			})
	})
	x.configs()
	tested, err := a.TestTopic(ctx, at, "events",
		api.TopicTest{Kind: api.TestProducer, Records: 1200, Size: 1024})
	if err != nil || tested.Records != 1200 || tested.Bytes != 1200*1024 || tested.MeanMS <= 0 {
		x.t.Fatalf("%+v, %v", tested, err)
	}
	read, err := a.TestTopic(ctx, at, "events",
		api.TopicTest{Kind: api.TestConsumer, Records: 5000})
	if err != nil || read.Records != 1200 {
		x.t.Errorf("%+v, %v", read, err)
	}
	checkOffsets(x.t, a, at)
	x.took("topic list", func() error { _, err := a.Topics(ctx, at); return err })
	x.took("topic describe", func() error {
		_, err := a.Topic(ctx, at, "events", true)
		return err
	})
	x.took("topic offsets", func() error { _, err := a.Offsets(ctx, at, "events", -1); return err })
}

func (x admin) configs() {
	x.t.Helper()
	ctx, at, a := x.t.Context(), x.at, x.a
	change := func(topic, name, value string, dry bool) error {
		return a.ChangeTopicConfig(ctx, at, topic,
			api.ConfigChange{Set: map[string]string{name: value}}, dry)
	}
	x.done(change("events", "retention.ms", "86400000", false))
	detail, err := a.Topic(ctx, at, "events", true)
	if err != nil || len(detail.Config) == 0 ||
		!slices.ContainsFunc(detail.Config, func(e api.ConfigEntry) bool {
			return e.Name == "retention.ms" && e.Value == "86400000"
		}) {
		x.t.Errorf("%+v, %v", detail.Config, err)
	}
	x.done(a.ChangeTopicConfig(ctx, at, "events",
		api.ConfigChange{Delete: []string{"retention.ms"}}, false))
	x.refused(change("events", "retention.ms", "word", true), api.CodeInvalidRequest,
		"INVALID_CONFIG")
	x.refused(change("events", "nosuch.key", "1", false), api.CodeInvalidRequest, "INVALID_CONFIG")
	x.refused(change("nosuch", "retention.ms", "1", false), api.CodeNotFound, "")
}

func (x admin) access() {
	x.t.Helper()
	ctx, at, a := x.t.Context(), x.at, x.a
	x.done(a.SetUser(ctx, at, api.UserSet{Name: "alice", Password: "p"}))
	soon(x.t, "the user", func() (any, bool) {
		users, err := a.Users(ctx, at)
		return users, err == nil && len(users) == 1 && users[0].Name == "alice" &&
			users[0].Credentials[0].Mechanism == api.Scram512
	})
	x.done(a.DeleteUser(ctx, at, "alice", ""))
	quota := api.QuotaChange{User: "alice", ClientID: api.QuotaDefault,
		Set: map[string]float64{"producer_byte_rate": 1024}}
	x.done(a.ChangeQuota(ctx, at, quota, false))
	soon(x.t, "the quota", func() (any, bool) {
		quotas, err := a.Quotas(ctx, at)
		return quotas, err == nil && len(quotas) == 1 && quotas[0].ClientID == api.QuotaDefault &&
			quotas[0].Limits["producer_byte_rate"] == 1024
	})
	x.refused(a.ChangeQuota(ctx, at, api.QuotaChange{User: "alice",
		Set: map[string]float64{"nosuch": 1}}, false), api.CodeInvalidRequest, "")
	rule := api.ACL{Principal: "User:alice", ResourceType: "TOPIC", Resource: "ev",
		Pattern: "PREFIXED", Operation: "READ"}
	_, err := a.AddACLs(ctx, at, []api.ACL{rule})
	x.done(err)
	soon(x.t, "the ACL", func() (any, bool) {
		list, err := a.ACLs(ctx, at, api.ACL{Principal: "User:alice"})
		return list, err == nil && len(list) == 1 && list[0].Pattern == "PREFIXED" &&
			list[0].Host == "*"
	})
	removed, err := a.RemoveACLs(ctx, at, []api.ACL{{ResourceType: "TOPIC", Resource: "ev"}})
	if err != nil || len(removed) != 1 {
		x.t.Errorf("%+v, %v", removed, err)
	}
}

func (x admin) groups() {
	x.t.Helper()
	ctx, at, a := x.t.Context(), x.at, x.a
	reader, err := kgo.NewClient(kgo.SeedBrokers(at...), kgo.ConsumerGroup("billing"),
		kgo.ConsumeTopics("events"), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	x.done(err)
	within, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for read := 0; read < 1200; {
		fetched := reader.PollFetches(within)
		x.done(fetched.Err())
		read += fetched.NumRecords()
	}
	x.done(reader.CommitUncommittedOffsets(within))
	group, err := a.Group(ctx, at, "billing")
	if err != nil || group.State != "Stable" || len(group.Members) != 1 || group.Lag != 0 ||
		len(group.Offsets) != 4 {
		x.t.Errorf("%+v, %v", group, err)
	}
	back := api.GroupReset{To: api.OffsetEarliest}
	_, err = a.ResetOffsets(ctx, at, "billing", back, false)
	x.refused(err, api.CodeConflict, "")
	x.refused(a.DeleteGroup(ctx, at, "billing"), api.CodeConflict, "NON_EMPTY_GROUP")
	reader.Close()
	moves, err := a.ResetOffsets(ctx, at, "billing", back, false)
	if err != nil || len(moves) != 4 {
		x.t.Errorf("%+v, %v", moves, err)
	}
	if group, err = a.Group(ctx, at, "billing"); err != nil || group.Lag != 1200 {
		x.t.Errorf("%+v, %v", group, err)
	}
	if list, err := a.Groups(ctx, at); err != nil || len(list) != 1 || list[0].State != "Empty" {
		x.t.Errorf("%+v, %v", list, err)
	}
	x.done(a.DeleteGroup(ctx, at, "billing"))
	_, err = a.Group(ctx, at, "billing")
	x.refused(err, api.CodeNotFound, "")
}

func (x admin) transactions() {
	x.t.Helper()
	ctx, at, a := x.t.Context(), x.at, x.a
	var writer *kgo.Client
	// The first transaction makes the topic of the coordinators, which take some time to lead.
	soon(x.t, "a transaction begins", func() (any, bool) {
		var err error
		writer, err = kgo.NewClient(kgo.SeedBrokers(at...), kgo.TransactionalID("pay-1"))
		x.done(err)
		x.t.Cleanup(writer.Close)
		x.done(writer.BeginTransaction())
		record := &kgo.Record{Topic: "defaults", Value: []byte("x")}
		err = writer.ProduceSync(ctx, record).FirstErr()
		return err, err == nil
	})
	open, err := a.Transaction(ctx, at, "pay-1")
	if err != nil || open.State != "Ongoing" || len(open.Partitions) != 1 || open.Started == nil {
		x.t.Errorf("%+v, %v", open, err)
	}
	list, err := a.Transactions(ctx, at, "Ongoing")
	if err != nil || len(list) != 1 || list[0].ID != "pay-1" {
		x.t.Errorf("%+v, %v", list, err)
	}
	soon(x.t, "it is aborted", func() (any, bool) {
		err := a.AbortTransaction(ctx, at, "pay-1")
		if err == nil {
			return nil, true
		}
		now, _ := a.Transaction(ctx, at, "pay-1") // it may be done, and the answer lost
		return err, now.State == "CompleteAbort"
	})
	x.refused(a.AbortTransaction(ctx, at, "pay-1"), api.CodeConflict, "")
	x.refused(a.AbortTransaction(ctx, at, "nosuch"), api.CodeNotFound, "")
	if err := writer.EndTransaction(ctx, kgo.TryCommit); err == nil {
		x.t.Error("an aborted transaction was committed")
	}
}

func (x admin) brokers() {
	x.t.Helper()
	ctx, at, a := x.t.Context(), x.at, x.a
	dirs, err := a.LogDirs(ctx, at, nil)
	if err != nil || len(dirs) != 3 || dirs[0].Replicas == 0 || dirs[0].TotalBytes <= 0 {
		x.t.Errorf("%+v, %v", dirs, err)
	}
	features, err := a.Features(ctx, at)
	if err != nil || !slices.ContainsFunc(features.Features, func(f api.Feature) bool {
		return f.Name == "metadata.version" && f.Finalized > 0
	}) {
		x.t.Errorf("%+v, %v", features, err)
	}
	configs, err := a.BrokerConfigs(ctx, at, 0, 1, 2)
	if err != nil || len(configs) != 3 || len(configs[2]) < 100 {
		x.t.Errorf("%d configurations, %v", len(configs), err)
	}
	// The second replica becomes the preferred leader, and is then elected.
	topic, err := a.Topic(ctx, at, "events", false)
	x.done(err)
	was := topic.State[0].Replicas
	turned := []api.Placement{{Topic: "events", Replicas: []int{was[1], was[2], was[0]}}}
	if begun, err := a.Reassign(ctx, at, turned); err != nil || len(begun) != 1 {
		x.t.Errorf("%+v, %v", begun, err)
	}
	soon(x.t, "the reassignment", func() (any, bool) {
		list, err := a.Reassignments(ctx, at)
		return list, err == nil && len(list) == 0
	})
	soon(x.t, "the election", func() (any, bool) {
		if _, err := a.Elect(ctx, at, api.Election{Kind: api.ElectPreferred}); err != nil {
			return err, false
		}
		topic, err := a.Topic(ctx, at, "events", false)
		return topic, err == nil && topic.State[0].Leader == was[1]
	})
	_, err = a.CancelReassignments(ctx, at, nil)
	x.done(err)
	soon(x.t, "that there is nothing to reassign", func() (any, bool) {
		begun, err := a.Reassign(ctx, at, turned)
		return begun, err == nil && len(begun) == 0
	})
	_, err = a.Reassign(ctx, at, []api.Placement{{Topic: "events", Replicas: []int{7}},
		{Topic: "events", Partition: 1, Replicas: []int{8}}})
	x.refused(err, api.CodeInvalidRequest, "INVALID_REPLICA_ASSIGNMENT")
	if !strings.Contains(err.Error(), "events-0") || !strings.Contains(err.Error(), "events-1") {
		x.t.Errorf("not all refusals are told: %v", err)
	}
}

// avoiding makes a topic, and more partitions of it, that have nothing on one of the brokers.
func (x admin) avoiding() {
	x.t.Helper()
	ctx, at, a := x.t.Context(), x.at, x.a
	spared := api.TopicCreate{Name: "spared", Partitions: 4, ReplicationFactor: 2,
		Config: map[string]string{"retention.ms": "60000"}}
	x.done(a.CreateTopic(ctx, at, spared, []int{1}, true))
	x.done(a.CreateTopic(ctx, at, spared, []int{1}, false))
	soon(x.t, "the topic", func() (any, bool) {
		list, err := a.Topics(ctx, at)
		return list, err == nil && slices.ContainsFunc(list, func(t api.TopicSummary) bool {
			return t.Name == "spared" && t.Partitions == 4 && t.ReplicationFactor == 2
		})
	})
	soon(x.t, "more partitions", func() (any, bool) { // once all brokers know the topic
		err := a.SetPartitions(ctx, at, "spared", 8, []int{1}, false)
		return err, err == nil
	})
	leads := map[int]int{}
	soon(x.t, "all partitions", func() (any, bool) {
		topic, err := a.Topic(ctx, at, "spared", true)
		clear(leads)
		for _, p := range topic.State {
			leads[p.Replicas[0]]++
			if slices.Contains(p.Replicas, 1) {
				x.t.Errorf("%+v came to lie on broker 1", p)
			}
		}
		return topic, err == nil && len(topic.State) == 8 && len(topic.Config) == 1
	})
	if leads[0] != 4 || leads[2] != 4 {
		x.t.Errorf("the brokers lead %v", leads)
	}
	err := a.CreateTopic(ctx, at, api.TopicCreate{Name: "thrice", ReplicationFactor: 3},
		[]int{1}, false)
	if err == nil || !strings.Contains(err.Error(), "there are 2") {
		x.t.Errorf("three replicas on two brokers: %v", err)
	}
	x.done(a.DeleteTopic(ctx, at, "spared"))
}

// withOneDown asks at once after a broker was killed, whose address comes first.
func (x admin) withOneDown() {
	x.t.Helper()
	at := []string{x.at[1], x.at[0], x.at[2]}
	began := time.Now()
	for what, ask := range map[string]func(context.Context) error{
		"topics": func(ctx context.Context) error { _, err := x.a.Topics(ctx, at); return err },
		"groups": func(ctx context.Context) error { _, err := x.a.Groups(ctx, at); return err },
		"dirs": func(ctx context.Context) error {
			_, err := x.a.LogDirs(ctx, at, nil)
			return err
		},
		"users": func(ctx context.Context) error { _, err := x.a.Users(ctx, at); return err },
		"transactions": func(ctx context.Context) error {
			_, err := x.a.Transactions(ctx, at, "")
			return err
		},
	} {
		if err := ask(x.t.Context()); err != nil {
			x.t.Errorf("%s with a broker down: %v", what, err)
		}
		x.t.Logf("%s with a broker down, after %v", what, time.Since(began))
	}
}

// end looks for what is wrong with one of three down, and deletes the topic.
func (x admin) end() {
	x.t.Helper()
	ctx, at, a := x.t.Context(), x.at, x.a
	troubled, err := a.Troubled(ctx, at, api.PartitionState.UnderReplicated)
	if err != nil || len(troubled) == 0 {
		x.t.Errorf("with one of three killed: %+v, %v", troubled, err)
	}
	none, err := a.Troubled(ctx, at, api.PartitionState.Unavailable)
	if err != nil || len(none) != 0 {
		x.t.Errorf("all partitions have leaders: %+v, %v", none, err)
	}
	_, err = a.SetReplication(ctx, at, "events", 4, nil, true)
	if err == nil || !strings.Contains(err.Error(), "replicas need as many brokers") {
		x.t.Errorf("%v", err)
	}
	x.done(a.DeleteTopic(ctx, at, "events"))
	x.refused(a.DeleteTopic(ctx, at, "events"), api.CodeNotFound, "")
	checkGone(x.t, a, at)
}

// checkGone waits until every broker knows that a topic is no more.
func checkGone(t *testing.T, a kafkaadmin.Admin, at []string) {
	t.Helper()
	ctx := t.Context()
	for what, ask := range map[string]func() error{
		"describe": func() error { _, err := a.Topic(ctx, at, "events", false); return err },
		"offsets":  func() error { _, err := a.Offsets(ctx, at, "events", -1); return err },
		"produce": func() error {
			_, err := a.TestTopic(ctx, at, "events",
				api.TopicTest{Kind: api.TestProducer, Records: 1})
			return err
		},
	} {
		soon(t, what+" after the end of the topic", func() (any, bool) {
			err := ask()
			var refusal *api.KafkaRefusal
			return err, errors.As(err, &refusal) && refusal.Code == api.CodeNotFound
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

func checkOffsets(t *testing.T, a kafkaadmin.Admin, at []string) {
	t.Helper()
	for when, want := range map[int64]int64{
		-2: 0, -1: 1200, time.Now().Add(-time.Hour).UnixMilli(): 0,
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
