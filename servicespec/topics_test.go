package servicespec

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const topicSpec = `
name: kafka
pods:
  kafka:
    count: 3
    kafka:
      heap: 256
%s
    tasks:
      broker:
        goal: RUNNING
        cpus: 1
        memory: 768
        ports: {broker: {port: 0}, controller: {port: 0}}
        volume: {path: kafka-data, type: ROOT, size: 500}
`

func withTopics(text string) ([]Error, Service) {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = "      " + lines[i]
	}
	spec := fmt.Sprintf(topicSpec, strings.Join(lines, "\n"))
	service, problems := Parse("spec.yml", []byte(spec), nil)
	return problems, service
}

func TestTopics(t *testing.T) {
	problems, service := withTopics("drift: correct\n" +
		"topics:\n  orders: {partitions: 12, replication: 3, config: {retention.ms: 5}}\n" +
		"  audit:\n  empty: {config: {}}")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	got := service.Topics()
	if len(got) != 3 || got[0].Name != "audit" || got[0].Config != nil || got[1].Config == nil ||
		got[2].Partitions != 12 || got[2].Replication != 3 ||
		got[2].Config["retention.ms"] != "5" ||
		service.Pods[0].Kafka.DriftPolicy() != DriftCorrect {
		t.Errorf("%+v", got)
	}
	data, err := service.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := DecodeService(data)
	if back := again.Topics(); err != nil || back[0].Config != nil || back[1].Config == nil {
		t.Errorf("stored and read again: %+v, %v", back, err)
	}
	_, without := withTopics("")
	if without.LaunchHash("kafka") != service.LaunchHash("kafka") ||
		without.TaskLaunchHash("kafka", 1, "broker") !=
			service.TaskLaunchHash("kafka", 1, "broker") {
		t.Error("topics restart brokers")
	}
	if without.Pods[0].Kafka.DriftPolicy() != DriftReport {
		t.Error("drift is reported unless something else is said")
	}
	for _, c := range Diff(without, service) {
		if c.Class != Live {
			t.Errorf("%s is %s", c, c.Class)
		}
	}
}

func TestTopicMistakes(t *testing.T) {
	long := "topics: {" + strings.Repeat("x", 250) + ": {}}"
	for text, want := range map[string]string{
		"topics: {a b: {}}":                         "is not the name of a topic",
		"topics: {'..': {}}":                        "is not the name of a topic",
		"topics: {\"a\\u0007\": {}}":                "is not the name of a topic",
		"topics: {'../../etc': {}}":                 "is not the name of a topic",
		"topics: {__consumer: {}}":                  "looks like a topic of Kafka's own",
		"topics: {a.b: {}, a_b: {}}":                "would be the same to Kafka's metrics",
		"topics: {a: {partitions: 0}}":              "partitions",
		"topics: {a: {replication: 4}}":             "4 replicas need as many brokers",
		"topics: {a: {config: {retention.msx: 4}}}": "did you mean retention.ms?",
		"topics: {a: {config: {leader.replication.throttled.replicas: '*'}}}": "comes and goes",
		"topics: {a: {replication: 2, config: {min.insync.replicas: 3}}}":     "acks=all",
		"topics: {a: {partition: 3}}":                                         "partitions",
		"drift: repair":                                                       "must be one of",

		long: "1 to 249 characters",
	} {
		problems, _ := withTopics(text)
		if !slices.ContainsFunc(problems, func(e Error) bool {
			return strings.Contains(e.Error(), want)
		}) {
			t.Errorf("%s: %v", text, problems)
		}
	}
}

func TestFewerPartitions(t *testing.T) {
	_, old := withTopics("topics: {a: {partitions: 4}, b: {partitions: 2}}")
	_, next := withTopics("topics: {a: {partitions: 3}, b: {}, c: {partitions: 1}}")
	if got := FewerPartitions(old, next); len(got) != 1 || !strings.Contains(got[0], "4 to 3") {
		t.Error(got)
	}
	if got := FewerPartitions(next, old); len(got) != 0 {
		t.Error(got)
	}
}
