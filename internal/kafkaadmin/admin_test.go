package kafkaadmin

import (
	"context"
	"errors"
	"net"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/api"
)

// cluster starts three brokers within the process that speak Kafka's protocol.
func cluster(t *testing.T, options ...kfake.Opt) []string {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(3)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.ListenAddrs()
}

// refused checks that an error is a refusal of this code.
func refused(t *testing.T, err error, code string) {
	t.Helper()
	var refusal *api.KafkaRefusal
	if !errors.As(err, &refusal) || refusal.Code != code {
		t.Errorf("%v, want %s", err, code)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTopics(t *testing.T) {
	at, ctx := cluster(t), t.Context()
	var a Admin
	events := api.TopicCreate{Name: "events", Partitions: 3, ReplicationFactor: 3,
		Config: map[string]string{"retention.ms": "1000"}}
	must(t, a.CreateTopic(ctx, at, events, nil, true))
	if list, err := a.Topics(ctx, at); err != nil || len(list) != 0 {
		t.Fatalf("a dry run made %+v, %v", list, err)
	}
	must(t, a.CreateTopic(ctx, at, events, nil, false))
	refused(t, a.CreateTopic(ctx, at, events, nil, false), api.CodeConflict)
	list, err := a.Topics(ctx, at)
	must(t, err)
	want := []api.TopicSummary{{Name: "events", Partitions: 3, ReplicationFactor: 3}}
	if !reflect.DeepEqual(list, want) {
		t.Errorf("%+v", list)
	}
	must(t, a.SetPartitions(ctx, at, "events", 5, nil, false))
	refused(t, a.SetPartitions(ctx, at, "events", 4, nil, false), api.CodeInvalidRequest)
	must(t, a.ChangeTopicConfig(ctx, at, "events",
		api.ConfigChange{Set: map[string]string{"cleanup.policy": "compact"},
			Delete: []string{"retention.ms"}}, false))
	detail, err := a.Topic(ctx, at, "events", true)
	must(t, err)
	if len(detail.State) != 5 || detail.State[4].Partition != 4 || detail.ID == "" ||
		len(detail.State[0].ISR) != 3 || len(detail.Config) != 1 ||
		detail.Config[0].Name != "cleanup.policy" || detail.Config[0].Value != "compact" {
		t.Errorf("%+v", detail)
	}
	_, err = a.Topic(ctx, at, "nosuch", true)
	refused(t, err, api.CodeNotFound)
	must(t, a.DeleteTopic(ctx, at, "events"))
	refused(t, a.DeleteTopic(ctx, at, "events"), api.CodeNotFound)
}

func TestOffsetsAndTests(t *testing.T) {
	at, ctx := cluster(t, kfake.SeedTopics(1, "events")), t.Context()
	var a Admin
	tested, err := a.TestTopic(ctx, at, "events",
		api.TopicTest{Kind: api.TestProducer, Records: 1200, Size: 10})
	must(t, err)
	if tested.Records != 1200 || tested.Bytes != 12000 || tested.MeanMS <= 0 ||
		tested.MaxMS < tested.P50MS || tested.Seconds <= 0 {
		t.Errorf("%+v", tested)
	}
	for records, want := range map[int]int{700: 700, 9000: 1200} {
		read, err := a.TestTopic(ctx, at, "events",
			api.TopicTest{Kind: api.TestConsumer, Records: records})
		must(t, err)
		if read.Records != want || read.Bytes != int64(want*10) {
			t.Errorf("%d: %+v", records, read)
		}
	}
	for when, want := range map[int64]int64{earliest: 0, latest: 1200, 1000: 0,
		time.Now().Add(time.Hour).UnixMilli(): -1} {
		offsets, err := a.Offsets(ctx, at, "events", when)
		if err != nil || len(offsets) != 1 || offsets[0].Offset != want {
			t.Errorf("at %d: %+v, %v", when, offsets, err)
		}
	}
	_, err = a.Offsets(ctx, at, "nosuch", latest)
	refused(t, err, api.CodeNotFound)
	_, err = a.TestTopic(ctx, at, "nosuch", api.TopicTest{Kind: api.TestProducer, Records: 1})
	refused(t, err, api.CodeNotFound)
}

// consumer reads all of a topic as a group, commits, and stays.
func consumer(t *testing.T, at []string, group, topic string, records int) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(at...), kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(topic), kgo.DisableAutoCommit())
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for read := 0; read < records; {
		fetched := c.PollFetches(ctx)
		must(t, fetched.Err())
		read += fetched.NumRecords()
	}
	must(t, c.CommitUncommittedOffsets(ctx))
	return c
}

func TestGroups(t *testing.T) {
	at, ctx := cluster(t, kfake.SeedTopics(1, "events")), t.Context()
	var a Admin
	_, err := a.TestTopic(ctx, at, "events",
		api.TopicTest{Kind: api.TestProducer, Records: 100, Size: 1})
	must(t, err)
	c := consumer(t, at, "billing", "events", 100)
	group, err := a.Group(ctx, at, "billing")
	must(t, err)
	if group.State != "Stable" || len(group.Members) != 1 || group.Lag != 0 ||
		len(group.Offsets) != 1 || group.Offsets[0].Member != group.Members[0].ID {
		t.Errorf("%+v", group)
	}
	back := api.GroupReset{To: api.OffsetEarliest}
	_, err = a.ResetOffsets(ctx, at, "billing", back, false)
	refused(t, err, api.CodeConflict)
	refused(t, a.DeleteGroup(ctx, at, "billing"), api.CodeConflict)
	c.Close()
	checkResets(t, at)
	list, err := a.Groups(ctx, at)
	if err != nil || len(list) != 1 || list[0].Group != "billing" || list[0].State != "Empty" {
		t.Errorf("%+v, %v", list, err)
	}
	must(t, a.DeleteGroup(ctx, at, "billing"))
	refused(t, a.DeleteGroup(ctx, at, "billing"), api.CodeNotFound)
	_, err = a.Group(ctx, at, "billing")
	refused(t, err, api.CodeNotFound)
}

// checkResets resets a group of one partition with a hundred records in every way there is.
func checkResets(t *testing.T, at []string) {
	t.Helper()
	var a Admin
	ctx := t.Context()
	number := func(n int64) *int64 { return &n }
	later := time.Now().Add(time.Hour)
	for _, c := range []struct {
		reset api.GroupReset
		dry   bool
		moved int
		lag   int64
	}{
		{api.GroupReset{To: api.OffsetEarliest}, true, 1, 0},
		{api.GroupReset{To: api.OffsetEarliest}, false, 1, 100},
		{api.GroupReset{To: api.OffsetLatest}, false, 1, 0},
		{api.GroupReset{Shift: number(-3)}, false, 1, 3},
		{api.GroupReset{Shift: number(-1000)}, false, 1, 100},
		{api.GroupReset{Time: &later}, false, 1, 0},
		{api.GroupReset{Offset: number(0), Topics: []string{"events:0"}}, false, 1, 100},
		{api.GroupReset{Offset: number(1 << 40)}, false, 1, 0},
	} {
		moves, err := a.ResetOffsets(ctx, at, "billing", c.reset, c.dry)
		must(t, err)
		group, err := a.Group(ctx, at, "billing")
		must(t, err)
		if len(moves) != c.moved || group.Lag != c.lag {
			t.Errorf("%+v: %+v, lag %d, want %d", c.reset, moves, group.Lag, c.lag)
		}
	}
	for _, bad := range []api.GroupReset{
		{To: api.OffsetLatest, Topics: []string{"nosuch"}},
		{To: api.OffsetLatest, Topics: []string{"events:9"}},
	} {
		if _, err := a.ResetOffsets(ctx, at, "billing", bad, false); err == nil {
			t.Errorf("%+v was done", bad)
		}
	}
	_, err := a.ResetOffsets(ctx, at, "nosuch", api.GroupReset{To: api.OffsetLatest}, false)
	refused(t, err, api.CodeNotFound)
	if _, err := a.ResetOffsets(ctx, at, "other",
		api.GroupReset{Shift: number(1), Topics: []string{"events"}}, false); err == nil {
		t.Error("an offset that is not there was shifted")
	}
}

func TestUsersAndQuotas(t *testing.T) {
	at, ctx := cluster(t), t.Context()
	var a Admin
	must(t, a.SetUser(ctx, at, api.UserSet{Name: "alice", Password: "p"}))
	must(t, a.SetUser(ctx, at, api.UserSet{Name: "alice", Password: "p",
		Mechanism: api.Scram256, Iterations: 8192}))
	users, err := a.Users(ctx, at)
	must(t, err)
	if len(users) != 1 || users[0].Name != "alice" || len(users[0].Credentials) != 2 {
		t.Errorf("%+v", users)
	}
	must(t, a.DeleteUser(ctx, at, "alice", api.Scram256))
	must(t, a.DeleteUser(ctx, at, "alice", ""))
	refused(t, a.DeleteUser(ctx, at, "alice", ""), api.CodeNotFound)

	change := api.QuotaChange{User: api.QuotaDefault, ClientID: "c",
		Set: map[string]float64{"producer_byte_rate": 1024}}
	must(t, a.ChangeQuota(ctx, at, change, false))
	quotas, err := a.Quotas(ctx, at)
	want := []api.Quota{{User: api.QuotaDefault, ClientID: "c", Limits: change.Set}}
	if err != nil || !reflect.DeepEqual(quotas, want) {
		t.Errorf("%+v, %v", quotas, err)
	}
	change.Set, change.Delete = nil, []string{"producer_byte_rate"}
	must(t, a.ChangeQuota(ctx, at, change, false))
	if quotas, err := a.Quotas(ctx, at); err != nil || len(quotas) != 0 {
		t.Errorf("%+v, %v", quotas, err)
	}
}

func TestACLs(t *testing.T) {
	at, ctx := cluster(t), t.Context()
	var a Admin
	rule := api.ACL{Principal: "User:alice", ResourceType: "topic", Resource: "events",
		Operation: "read"}
	added, err := a.AddACLs(ctx, at, []api.ACL{rule,
		{Principal: "User:alice", ResourceType: "CLUSTER", Operation: "DESCRIBE"}})
	must(t, err)
	want := api.ACL{Principal: "User:alice", Host: "*", ResourceType: "TOPIC", Resource: "events",
		Pattern: "LITERAL", Operation: "READ", Permission: "ALLOW"}
	if len(added) != 2 || added[0] != want || added[1].Resource != clusterResource {
		t.Errorf("%+v", added)
	}
	if all, err := a.ACLs(ctx, at, api.ACL{}); err != nil || len(all) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
	removed, err := a.RemoveACLs(ctx, at, []api.ACL{{ResourceType: "TOPIC"}})
	if err != nil || len(removed) != 1 || removed[0] != want {
		t.Errorf("%+v, %v", removed, err)
	}
	for _, bad := range []api.ACL{
		{Principal: "User:a", ResourceType: "TABLE", Resource: "x", Operation: "READ"},
		{Principal: "User:a", ResourceType: "TOPIC", Resource: "x", Operation: "LOOK"},
		{ResourceType: "TOPIC", Resource: "x", Operation: "READ"},
		{Principal: "User:a", ResourceType: "TOPIC", Operation: "READ"},
		{Principal: "User:a", ResourceType: "TOPIC", Resource: "x", Operation: "READ",
			Permission: "MAYBE"},
	} {
		_, err := a.AddACLs(ctx, at, []api.ACL{bad})
		refused(t, err, api.CodeInvalidRequest)
	}
}

func TestBrokersOf(t *testing.T) {
	at, ctx := cluster(t, kfake.SeedTopics(2, "events")), t.Context()
	var a Admin
	dirs, err := a.LogDirs(ctx, at, nil)
	if err != nil || len(dirs) != 3 || dirs[2].Broker != 2 {
		t.Errorf("%+v, %v", dirs, err)
	}
	two := 2
	if dirs, err := a.LogDirs(ctx, at, &two); err != nil || len(dirs) != 1 || dirs[0].Broker != 2 {
		t.Errorf("%+v, %v", dirs, err)
	}
	configs, err := a.BrokerConfigs(ctx, at, 0, 1)
	if err != nil || len(configs) != 2 || len(configs[1]) == 0 {
		t.Errorf("%+v, %v", configs, err)
	}
	if _, err := a.Transaction(ctx, at, "nosuch"); err == nil {
		t.Error("a transaction that is not there is described")
	}
	if list, err := a.Transactions(ctx, at, ""); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestWhatIsNotThere asks for a broker that there is none of, for a state that there is none of,
// and for what a coordinator knows that is not there yet.
func TestWhatIsNotThere(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(3))
	must(t, err)
	t.Cleanup(c.Close)
	at, ctx := c.ListenAddrs(), t.Context()
	var a Admin
	nine := 9
	_, err = a.LogDirs(ctx, at, &nine)
	refused(t, err, api.CodeNotFound)
	if err == nil || err.Error() != "Broker 9 is not among those that serve: 0, 1, 2" {
		t.Error(err)
	}
	_, err = a.Transactions(ctx, at, "ongoin")
	refused(t, err, api.CodeInvalidRequest)
	if _, err = a.Transactions(ctx, at, "ongoing"); err != nil {
		t.Error(err)
	}
	var asked atomic.Int32
	c.ControlKey(int16(kmsg.FindCoordinator), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if asked.Add(1) > 2 {
			return nil, nil, false
		}
		answer := r.ResponseKind().(*kmsg.FindCoordinatorResponse)
		answer.ErrorCode = kerr.CoordinatorNotAvailable.Code
		for _, key := range r.(*kmsg.FindCoordinatorRequest).CoordinatorKeys {
			of := kmsg.NewFindCoordinatorResponseCoordinator()
			of.Key, of.ErrorCode = key, kerr.CoordinatorNotAvailable.Code
			answer.Coordinators = append(answer.Coordinators, of)
		}
		return answer, nil, true
	})
	_, err = a.Group(ctx, at, "nosuch")
	refused(t, err, api.CodeNotFound)
	if asked.Load() < 3 {
		t.Errorf("%d questions for a coordinator", asked.Load())
	}
}

// The first addresses may be of brokers that are gone, and one may accept and never answer.
func TestAnotherBrokerAnswers(t *testing.T) {
	t.Parallel() // it waits for most of the time
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer silent.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	gone.Close()
	at := slices.Concat([]string{gone.Addr().String(), silent.Addr().String()}, cluster(t))
	var a Admin
	if _, err := a.Topics(t.Context(), at); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var refusal *api.KafkaRefusal
	if _, err := a.Topics(ctx, at[:1]); err == nil || errors.As(err, &refusal) {
		t.Errorf("nobody is there: %v", err)
	}
	if _, err := a.Topics(t.Context(), nil); err == nil ||
		!strings.Contains(err.Error(), "no address") {
		t.Errorf("%v", err)
	}
}

func TestRefusal(t *testing.T) {
	for err, want := range map[error]string{
		kerr.TopicAlreadyExists:       api.CodeConflict,
		kerr.SecurityDisabled:         api.CodeConflict,
		kerr.UnknownTopicOrPartition:  api.CodeNotFound,
		kerr.InvalidReplicationFactor: api.CodeInvalidRequest,
		kerr.PolicyViolation:          api.CodeInvalidRequest,
		kerr.TopicAuthorizationFailed: api.CodeForbidden,
		kerr.NotController:            "",
		kerr.RequestTimedOut:          "",
		context.DeadlineExceeded:      "",
	} {
		var refusal *api.KafkaRefusal
		is := errors.As(asRefusal(err), &refusal)
		if is != (want != "") || is && (refusal.Code != want || refusal.Kafka.Name == "") {
			t.Errorf("%v: %+v", err, refusal)
		}
	}
	said := refusal(kerr.InvalidConfig, "Unknown topic config name: x").Error()
	if said != "Unknown topic config name: x (INVALID_CONFIG, 40)" {
		t.Error(said)
	}
	if said := refusal(kerr.SecurityDisabled, "").Error(); !strings.Contains(said, "authorizer") {
		t.Error(said)
	}
}

func asRefusal(err error) error { return refusal(err, "") }
