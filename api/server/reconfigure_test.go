package server

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// brokersWith is a service of two brokers with properties, and with others of single ones.
func brokersWith(
	properties map[string]string, own map[int]servicespec.KafkaInstance,
) servicespec.Service {
	return servicespec.Service{Name: "kafka", Pods: []servicespec.Pod{{Type: "kafka", Count: 2,
		Kafka: &servicespec.Kafka{Task: "broker", Properties: properties, Instances: own},
		Tasks: []servicespec.Task{{Name: "broker"}}}}}
}

// twoBrokers are two that serve, as Kafka tells of them.
func twoBrokers() *topics {
	entries := func() []api.ConfigEntry {
		static := "8"
		return []api.ConfigEntry{
			{Name: "log.cleaner.threads", Value: "1", Source: "DEFAULT_CONFIG"},
			{Name: "num.io.threads", Value: "8", Static: &static, Source: "STATIC_BROKER_CONFIG"},
			{Name: "num.partitions", Value: "1", ReadOnly: true},
			{Name: "message.max.bytes", Value: "9", Source: "DEFAULT_CONFIG"},
		}
	}
	return &topics{configs: map[int][]api.ConfigEntry{0: entries(), 1: entries()}}
}

// reconfigureCase is another target, with what Kafka makes of it.
type reconfigureCase struct {
	old, next map[string]string
	own       map[int]servicespec.KafkaInstance
	kafka     func(*topics)
	status    int
	live      []string
	told      []string
	says      string
}

const cleaners = "log.cleaner.threads"

func reconfigureCases() map[string]reconfigureCase {
	type m = map[string]string
	return map[string]reconfigureCase{
		"for all at once": {next: m{cleaners: "2"}, status: 200, live: []string{cleaners},
			told: []string{"allmap[log.cleaner.threads:2] []"}, says: `"live": true`},
		"of one broker": {own: map[int]servicespec.KafkaInstance{1: {Properties: m{
			"log.cleaner.threads": "2"}}}, status: 200, live: []string{"log.cleaner.threads"},
			told: []string{"1map[log.cleaner.threads:2] []"}},
		"of each because not of all": {next: m{"log.cleaner.threads": "2"}, status: 200,
			kafka: func(k *topics) { k.refuses = m{"log.cleaner.threads": "of all brokers"} },
			live:  []string{"log.cleaner.threads"}, told: []string{
				"0map[log.cleaner.threads:2] []", "1map[log.cleaner.threads:2] []"}},
		"read when a broker starts": {next: m{"num.partitions": "2"}, status: 200,
			says: "Kafka reads it when a broker starts"},
		"some of each kind": {next: m{"num.partitions": "2", "message.max.bytes": "5"}, status: 200,
			live: []string{"message.max.bytes"}, told: []string{"allmap[message.max.bytes:5] []"}},
		"taken away": {old: m{"log.cleaner.threads": "2"}, next: m{}, status: 200,
			live: []string{cleaners}, told: []string{"allmap[] [log.cleaner.threads]"}},
		"taken away, and started with": {old: m{"num.io.threads": "8"}, next: m{}, status: 200,
			says: "broker 0 was started with it"},
		"misspelt": {next: m{"log.cleaner.thread": "2"}, status: 400,
			says: "did you mean log.cleaner.threads?"},
		"of a plug-in": {next: m{"super.users": "User:a"}, status: 200, says: "left to plug-ins"},
		"a bad value": {next: m{"num.io.threads": "0"}, status: 400,
			kafka: func(k *topics) { k.refuses = m{"num.io.threads": "Value must be at least 1"} },
			says:  "Kafka does not take num.io.threads: Value must be at least 1"},
		"too much at once": {next: m{"num.io.threads": "99"}, status: 200,
			kafka: func(k *topics) {
				k.refuses = m{"num.io.threads": "not greater than double the current value 8"}
			}, says: "double the current value"},
		"one does not answer": {next: m{"message.max.bytes": "5"}, status: 200,
			kafka: func(k *topics) { delete(k.configs, 1) }, says: "not all brokers told"},
		"taken and not done": {next: m{"message.max.bytes": "5"}, status: 409,
			kafka: func(k *topics) { k.deaf = "message.max.bytes" }, says: "nothing was changed",
			told: []string{"allmap[message.max.bytes:5] []",
				"allmap[] [message.max.bytes]", "0map[] [message.max.bytes]",
				"1map[] [message.max.bytes]"}},
	}
}

func TestReconfigure(t *testing.T) {
	for name, c := range reconfigureCases() {
		t.Run(name, func(t *testing.T) {
			k, machine := twoBrokers(), &machine{reply: scheduler.Reply{Message: "Yes."}}
			if c.kafka != nil {
				c.kafka(k)
			}
			next := maps.Clone(c.next)
			if c.own != nil {
				next = nil
			}
			var w *httptest.ResponseRecorder
			synctest.Test(t, func(t *testing.T) {
				w = putService(t, k, machine, brokersWith(c.old, nil), brokersWith(next, c.own), "")
			})
			command, _ := machine.command.(scheduler.SetTarget)
			if command.Preview {
				command = scheduler.SetTarget{}
			}
			if w.Code != c.status || (command.ID != "") != (c.status == 200) ||
				!slices.Equal(command.Live, c.live) || !slices.Equal(k.told, c.told) ||
				!strings.Contains(w.Body.String(), c.says) {
				t.Errorf("%d %s, live %v, told %q", w.Code, w.Body, command.Live, k.told)
			}
		})
	}
}

// putService makes another service the target.
func putService(
	t *testing.T, k *topics, m *machine, old, next servicespec.Service, query string,
) *httptest.ResponseRecorder {
	t.Helper()
	v := fullView()
	v.Target = old
	v.Kafka.Facts = &scheduler.KafkaFacts{Brokers: []scheduler.BrokerFacts{
		{ID: 0, Address: "10.0.0.1:9092"}, {ID: 1, Address: "10.0.0.2:9092"}}}
	cfg := config(v, m)
	cfg.Kafka = k
	cfg.ParseSpec = func([]byte, map[string]string) (servicespec.Service, error) {
		return next, nil
	}
	r := httptest.NewRequest("PUT", api.PathTargetV2+query, strings.NewReader(`{"spec":"x"}`))
	r.Header.Set("Content-Type", api.JSONType)
	return ask(t, cfg, r)
}

// A preview tells what would be live and tells Kafka nothing; what the machine refuses is not
// told to Kafka either.
func TestReconfigureChangesNothing(t *testing.T) {
	next := brokersWith(map[string]string{"message.max.bytes": "5"}, nil)
	k, m := twoBrokers(), &machine{reply: scheduler.Reply{Message: "Yes."}}
	w := putService(t, k, m, brokersWith(nil, nil), next, "?dry-run=true")
	if command, _ := m.command.(scheduler.SetTarget); w.Code != 200 || len(k.told) > 0 ||
		!command.Preview || fmt.Sprint(command.Live) != "[message.max.bytes]" {
		t.Errorf("%d %s, told %q", w.Code, w.Body, k.told)
	}
	m = &machine{reply: scheduler.Reply{Problem: &scheduler.Problem{Code: scheduler.Conflict,
		Message: "No."}}}
	if w := putService(t, k, m, brokersWith(nil, nil), next, ""); w.Code != 409 || len(k.told) > 0 {
		t.Errorf("%d %s, told %q", w.Code, w.Body, k.told)
	}
}

func TestSameValue(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{{"a, b", "a,b", true}, {"0.50", "0.5", true}, {"true", "TRUE", true}, {"1", "2", false},
		{"a", "b", false}, {"", "", true}, {"007", "7", true}, {"1e3", "1000", true},
		{"9223372036854775807", "9223372036854775806", false}} {
		if scheduler.SameValue(c.a, c.b) != c.same {
			t.Errorf("%q, %q", c.a, c.b)
		}
	}
}

// What somebody set in Kafka is found, and corrected until it is as the target has it.
func TestDrift(t *testing.T) {
	k := twoBrokers()
	k.configs[0][0].Value, k.configs[0][0].Source = "3", ownSource // log.cleaner.threads
	for _, entries := range k.configs {
		entries[3].Value, entries[3].Source = "7", "DYNAMIC_DEFAULT_BROKER_CONFIG"
		entries[2].Value = "4" // num.partitions, as it was started
	}
	v := fullView()
	v.Target = brokersWith(map[string]string{"log.cleaner.threads": "1", "num.partitions": "1",
		"num.io.threads": "8"}, nil)
	v.Kafka.Facts = &scheduler.KafkaFacts{Brokers: []scheduler.BrokerFacts{
		{ID: 0, Address: "10.0.0.1:9092"}, {ID: 1, Address: "10.0.0.2:9092"}}}
	cfg := config(v, &machine{})
	cfg.Kafka = k
	w := ask(t, cfg, httptest.NewRequest("GET", api.PathDrift, nil))
	var found api.Drift
	if err := json.Unmarshal(w.Body.Bytes(), &found); err != nil || len(found.Properties) != 5 ||
		found.Properties[0].Actual != "3" || *found.Properties[0].Wanted != "1" ||
		!found.Properties[1].NeedsRestart || found.Properties[2].Wanted != nil {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	w = ask(t, cfg, httptest.NewRequest("POST", api.PathDriftCorrect, nil))
	told := []string{"allmap[] [message.max.bytes]", "0map[] [log.cleaner.threads]",
		"0map[log.cleaner.threads:1] []"}
	if w.Code != 200 || !slices.Equal(k.told, told) || k.configs[0][0].Value != "1" {
		t.Errorf("%d %s, told %q", w.Code, w.Body, k.told)
	}
}
