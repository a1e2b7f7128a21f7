package server

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// topics is a stand-in for Kafka: it writes down what it is asked, and knows one topic.
type topics struct {
	asked string
	err   error
	// configs are the brokers' properties; what refuses names is not taken, with this reason, and
	// told is what they were told. What deaf names is taken and not done.
	configs map[int][]api.ConfigEntry
	refuses map[string]string
	told    []string
	deaf    string
}

func (k *topics) do(at []string, name, format string, values ...any) error {
	k.asked = fmt.Sprintf("%s %v ", name, at) + fmt.Sprintf(format, values...)
	if k.err == nil && name == "nosuch" {
		return &api.KafkaRefusal{Code: api.CodeNotFound, Message: "no such thing",
			Kafka: &api.KafkaCode{Number: 3, Name: "UNKNOWN_TOPIC_OR_PARTITION"}}
	}
	return k.err
}

func (k *topics) Topics(_ context.Context, at []string) ([]api.TopicSummary, error) {
	return []api.TopicSummary{{Name: "__own", Internal: true}, {Name: "a"},
		eventsTopic().TopicSummary}, k.do(at, "", "list")
}

func (k *topics) Topic(
	_ context.Context, at []string, name string, _ bool,
) (api.TopicDetail, error) {
	return eventsTopic(), k.do(at, name, "describe")
}

func eventsTopic() api.TopicDetail {
	return api.TopicDetail{ID: "id", TopicSummary: api.TopicSummary{Name: "events",
		Partitions: 2, ReplicationFactor: 2, UnderReplicated: 2, Unavailable: 1},
		Config: []api.ConfigEntry{{Name: "retention.ms", Value: "1",
			Source: "DYNAMIC_TOPIC_CONFIG"}},
		State: []api.PartitionState{
			{Partition: 0, Leader: 2, Replicas: []int{2, 0}, ISR: []int{2}, Offline: []int{0}},
			{Partition: 1, Leader: -1, Replicas: []int{1}, ISR: []int{}, Offline: []int{1}},
		}}
}

func (k *topics) CreateTopic(
	_ context.Context, at []string, topic api.TopicCreate, avoid []int, dry bool,
) error {
	return k.do(at, topic.Name, "create %d %d%v %v%s", topic.Partitions, topic.ReplicationFactor,
		topic.Config, dry, avoided(avoid))
}

func (k *topics) DeleteTopic(_ context.Context, at []string, name string) error {
	return k.do(at, name, "delete")
}

func (k *topics) SetPartitions(
	_ context.Context, at []string, name string, n int, avoid []int, dry bool,
) error {
	return k.do(at, name, "partitions %d %v%s", n, dry, avoided(avoid))
}

// avoided names the brokers that are to get nothing.
func avoided(ids []int) string {
	if len(ids) == 0 {
		return ""
	}
	return fmt.Sprintf(" off %v", ids)
}

func (k *topics) SetReplication(
	_ context.Context, at []string, name string, factor int, avoid []int, dry bool,
) ([]api.Placement, error) {
	var moves []api.Placement
	if factor != 2 {
		moves = []api.Placement{{Topic: name, Replicas: []int{1, 2, 3}}}
	}
	return moves, k.do(at, name, "replication %d %v%s", factor, dry, avoided(avoid))
}

func (k *topics) TopicConfig(
	_ context.Context, at []string, name string,
) ([]api.ConfigEntry, error) {
	return eventsTopic().Config, k.do(at, name, "config")
}

func (k *topics) ChangeTopicConfig(
	_ context.Context, at []string, name string, change api.ConfigChange, dry bool,
) error {
	return k.do(at, name, "change %v %v %v", change.Set, change.Delete, dry)
}

func (k *topics) Offsets(
	_ context.Context, at []string, name string, when int64,
) ([]api.PartitionOffset, error) {
	return []api.PartitionOffset{{Partition: 0, Offset: 334}, {Partition: 1, Offset: -1}},
		k.do(at, name, "offsets %d", when)
}

func (k *topics) Troubled(
	_ context.Context, at []string, is func(api.PartitionState) bool,
) ([]api.TopicDetail, error) {
	topic := eventsTopic()
	var picked []api.PartitionState
	for _, p := range topic.State {
		if is(p) {
			picked = append(picked, p)
		}
	}
	topic.State = picked
	return []api.TopicDetail{topic}, k.do(at, "", "troubled")
}

func (k *topics) TestTopic(
	_ context.Context, at []string, name string, test api.TopicTest,
) (api.TopicTested, error) {
	return api.TopicTested{Topic: name, Kind: test.Kind, Records: test.Records,
			Bytes: int64(test.Records * test.Size), Seconds: 1},
		k.do(at, name, "%s %d %d", test.Kind, test.Records, test.Size)
}

func TestTopics(t *testing.T) {
	const at = " [10.0.0.2:9092] "
	for _, c := range []struct {
		method, path string
		status       int
		asked, says  string
	}{
		{"GET", "", 200, at + "list", `"events"`},
		{"GET", "/events", 200, "events" + at + "describe", `"0": {`},
		{"GET", "/nosuch", 404, "nosuch" + at + "describe", "Topic nosuch not found"},
		{"PUT", "/x?partitions=3&replication=2", 200, "x" + at + "create 3 2map[] false",
			`Output: Created topic \"x\".\n`},
		{"PUT", "/x", 200, "x" + at + "create 0 0map[] false", "Created"},
		{"PUT", "/x?partitions=0", 400, "", "partitions must be a number from 1 to 100000"},
		{"PUT", "/x?partitions=", 400, "", "partitions must be"},
		{"PUT", "/x?replication=9999999999", 400, "", "replication must be"},
		{"DELETE", "/events", 200, "events" + at + "delete", "Topic events is marked for del"},
		{"DELETE", "/nosuch", 404, "nosuch" + at + "delete", "Topic nosuch not found"},
		{"GET", "/events/offsets", 200, fmt.Sprint("events", at, "offsets -1"), `"0": "334"`},
		{"GET", "/events/offsets?time=last", 200, "events" + at + "offsets -1", `"1": "-1"`},
		{"GET", "/events/offsets?time=first", 200, "events" + at + "offsets -2", "334"},
		{"GET", "/events/offsets?time=1700000000000", 200,
			"events" + at + "offsets 1700000000000", "334"},
		{"GET", "/events/offsets?time=-3", 400, "", "time must be first, last"},
		{"GET", "/events/offsets?time=noon", 400, "", "time must be first, last"},
		{"PUT", "/events/operation/partitions?partitions=6", 200,
			"events" + at + "partitions 6 false",
			"Adding partitions succeeded!"},
		{"PUT", "/events/operation/partitions", 400, "", "partitions must be"},
		{"PUT", "/events/operation/config?key=a.b&value=", 200,
			"events" + at + "change map[a.b:] [] false",
			"Updated config"},
		{"PUT", "/events/operation/config?key=a.b", 400, "", "key and value are needed"},
		{"DELETE", "/events/operation/config/a.b", 200,
			"events" + at + "change map[] [a.b] false", "Updated"},
		{"PUT", "/events/operation/producer-test?messages=10", 200,
			"events" + at + "producer 10 1024",
			"10 records sent, 10.000000 records/sec (0.01 MB/sec), 0.00 ms avg latency"},
		{"PUT", "/events/operation/producer-test?messages=100001", 400, "", "to 100000"},
		{"PUT", "/events/operation/producer-test-tls?messages=1", 409, "", "no listener with TLS"},
		{"GET", "/events/operation/partitions", 405, "", "Method Not Allowed"},
		{"GET", "/events/operation/nosuch", 404, "", "Not Found"},
		{"POST", "/events", 405, "", "Method Not Allowed"},
		{"GET", "/unavailable_partitions", 200, at + "troubled",
			`"\tTopic: events\tPartition: 1\tLeader: none\tReplicas: 1\tIsr: \n"`},
		{"GET", "/under_replicated_partitions", 200, at + "troubled",
			`Partition: 0\tLeader: 2\tReplicas: 2,0\tIsr: 2\n`},
	} {
		k := &topics{}
		v := fullView()
		v.Kafka.Facts.Brokers[0].Fenced = false
		m := &machine{}
		cfg := config(v, m)
		cfg.Kafka = k
		w := ask(t, cfg, httptest.NewRequest(c.method, api.PathTopics+c.path, nil))
		remark, changed := m.command.(scheduler.Remark)
		if c.method != "GET" && c.asked != "" && (!changed ||
			remark.What != c.method+" "+api.PathTopics+c.path) || c.method == "GET" && changed {
			t.Errorf("%s %s: the journal is told %+v", c.method, c.path, m.command)
		}
		if w.Code != c.status || k.asked != c.asked || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s %s: %d %s, asked %q", c.method, c.path, w.Code, w.Body, k.asked)
		}
	}
}

// What Kafka refuses is told as it says it; what fails for now is 503; nobody is asked in vain.
func TestTopicFailures(t *testing.T) {
	refused := func(code, name string) error {
		return fmt.Errorf("asking: %w", &api.KafkaRefusal{Code: code, Message: "Too many",
			Kafka: &api.KafkaCode{Number: 36, Name: name}})
	}
	const silent = "503 Kafka does not answer: "
	for err, want := range map[error]string{
		refused(api.CodeConflict, "TOPIC_ALREADY_EXISTS"): "409 Topic x already exists",
		refused(api.CodeConflict, "X"):                    "409 Too many",
		refused(api.CodeInvalidRequest, "X"):              "400 Too many",
		refused(api.CodeForbidden, "X"):                   "403 Too many",
		errors.New("no answer"):                           silent + "no answer",
		context.DeadlineExceeded:                          silent + "context deadline exceeded",
		refused(api.CodeNotFound, ""):                     "404 Topic x not found",
	} {
		v := fullView()
		v.Kafka.Facts.Brokers[0].Fenced = false
		cfg := config(v, &machine{})
		cfg.Kafka = &topics{err: err}
		w := ask(t, cfg, httptest.NewRequest("PUT", "/v1/topics/x", nil))
		if got := fmt.Sprint(w.Code, " ", w.Body); got != want {
			t.Errorf("%v: %s", err, got)
		}
	}
	fenced := config(fullView(), &machine{})
	fenced.Kafka = &topics{err: errors.New("must not be asked")}
	for _, cfg := range []Config{fenced, config(completeView(), &machine{})} {
		w := ask(t, cfg, httptest.NewRequest("GET", "/v1/topics", nil))
		if w.Code != 503 || w.Body.String() != "No broker is known to serve." {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
}

func TestBrokers(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/brokers":    "[\n  \"0\"\n]\n",
		"/v1/brokers/0":  `"PLAINTEXT://10.0.0.2:9092"`,
		"/v1/brokers/00": "Broker 00 not found",
		"/v1/brokers/1":  "Broker 1 not found",
	} {
		w := ask(t, config(fullView(), &machine{}), httptest.NewRequest("GET", path, nil))
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	w := ask(t, config(completeView(), &machine{}), httptest.NewRequest("GET", "/v1/brokers", nil))
	if w.Code != 200 || w.Body.String() != "[]\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if n, err := offsetTime(fmt.Sprint(math.MaxInt64)); n != math.MaxInt64 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}
