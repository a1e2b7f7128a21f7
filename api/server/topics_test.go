package server

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/internal/brokers"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// topics is a stand-in for Kafka: it writes down what it is asked, and knows one topic.
type topics struct {
	asked string
	err   error
}

func (k *topics) do(at []string, name, format string, values ...any) error {
	k.asked = fmt.Sprintf("%s %v ", name, at) + fmt.Sprintf(format, values...)
	if k.err == nil && name == "nosuch" {
		return &brokers.Refusal{Kind: brokers.NoSuchTopic, Message: "[3] Unknown Topic"}
	}
	return k.err
}

func (k *topics) Topics(_ context.Context, at []string) ([]string, error) {
	return []string{"a", "events"}, k.do(at, "", "list")
}

func (k *topics) Topic(_ context.Context, at []string, name string) (brokers.Topic, error) {
	return eventsTopic(), k.do(at, name, "describe")
}

func eventsTopic() brokers.Topic {
	return brokers.Topic{Name: "events", Partitions: []brokers.TopicPartition{
		{ID: 0, Leader: 2, Replicas: []int{2, 0}, ISR: []int{2}},
		{ID: 1, Leader: -1, Replicas: []int{1}, ISR: []int{}},
	}}
}

func (k *topics) CreateTopic(_ context.Context, at []string, name string, p, r int) error {
	return k.do(at, name, "create %d %d", p, r)
}

func (k *topics) DeleteTopic(_ context.Context, at []string, name string) error {
	return k.do(at, name, "delete")
}

func (k *topics) AddPartitions(_ context.Context, at []string, name string, n int32) error {
	return k.do(at, name, "partitions %d", n)
}

func (k *topics) SetTopicConfig(
	_ context.Context, at []string, name, key string, value *string,
) error {
	if value == nil {
		return k.do(at, name, "unset %s", key)
	}
	return k.do(at, name, "set %s=%s", key, *value)
}

func (k *topics) Offsets(
	_ context.Context, at []string, name string, when int64,
) ([]brokers.PartitionOffset, error) {
	return []brokers.PartitionOffset{{Partition: 0, Offset: 334}, {Partition: 1, Offset: -1}},
		k.do(at, name, "offsets %d", when)
}

func (k *topics) Troubled(
	_ context.Context, at []string, is func(brokers.TopicPartition) bool,
) ([]brokers.Topic, error) {
	topic := eventsTopic()
	var picked []brokers.TopicPartition
	for _, p := range topic.Partitions {
		if is(p) {
			picked = append(picked, p)
		}
	}
	topic.Partitions = picked
	return []brokers.Topic{topic}, k.do(at, "", "troubled")
}

func (k *topics) ProduceTest(
	_ context.Context, at []string, name string, records int,
) (brokers.Produced, error) {
	return brokers.Produced{Records: records, Bytes: int64(records) << 10, Took: time.Second},
		k.do(at, name, "produce %d", records)
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
		{"PUT", "/x?partitions=3&replication=2", 200, "x" + at + "create 3 2",
			`Output: Created topic \"x\".\n`},
		{"PUT", "/x", 200, "x" + at + "create -1 -1", "Created"},
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
		{"PUT", "/events/operation/partitions?partitions=6", 200, "events" + at + "partitions 6",
			"Adding partitions succeeded!"},
		{"PUT", "/events/operation/partitions", 400, "", "partitions must be"},
		{"PUT", "/events/operation/config?key=a.b&value=", 200, "events" + at + "set a.b=",
			"Updated config"},
		{"PUT", "/events/operation/config?key=a.b", 400, "", "key and value are needed"},
		{"DELETE", "/events/operation/config/a.b", 200, "events" + at + "unset a.b", "Updated"},
		{"PUT", "/events/operation/producer-test?messages=10", 200, "events" + at + "produce 10",
			"10 records sent, 10.000000 records/sec (0.01 MB/sec), 0.00 ms avg latency"},
		{"PUT", "/events/operation/producer-test?messages=100001", 400, "", "to 100000"},
		{"PUT", "/events/operation/producer-test-tls?messages=1", 404, "", ""},
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
		cfg.Topics = k
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
	refused := func(kind brokers.RefusalKind) error {
		return fmt.Errorf("asking: %w", &brokers.Refusal{Kind: kind, Message: "[38] Too many"})
	}
	for err, want := range map[error]string{
		refused(brokers.TopicExists): "409 Topic x already exists",
		refused(brokers.Invalid):     "400 [38] Too many",
		errors.New("no answer"):      "503 Kafka does not answer: no answer",
		context.DeadlineExceeded:     "503 Kafka does not answer: context deadline exceeded",
		refused(brokers.NoSuchTopic): "404 Topic x not found",
	} {
		v := fullView()
		v.Kafka.Facts.Brokers[0].Fenced = false
		cfg := config(v, &machine{})
		cfg.Topics = &topics{err: err}
		w := ask(t, cfg, httptest.NewRequest("PUT", "/v1/topics/x", nil))
		if got := fmt.Sprint(w.Code, " ", w.Body); got != want {
			t.Errorf("%v: %s", err, got)
		}
	}
	fenced := config(fullView(), &machine{})
	fenced.Topics = &topics{err: errors.New("must not be asked")}
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
