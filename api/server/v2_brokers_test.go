package server

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// brokersView is a service of two brokers, of which Kafka knows one, and another's beside it.
func brokersView() *scheduler.View {
	v := fullView()
	v.Target = brokersWith(nil, nil)
	known := scheduler.BrokerFacts{ID: 0, Address: "10.0.0.1:9092", Hosted: 5, NotInSync: 1,
		Leads: 2}
	v.Pods = []scheduler.PodView{
		{Name: scheduler.PodName{Type: "kafka"}, Hostname: "h-1", Broker: &known,
			Domain: mesos.Domain{Zone: "z-1"}},
		{Name: scheduler.PodName{Type: "kafka", Index: 1}, Hostname: "h-2", Down: true},
	}
	v.Kafka.Facts = &scheduler.KafkaFacts{Asked: viewTime, Leader: 0, Voters: []int{0, 1},
		Brokers: []scheduler.BrokerFacts{known, {ID: 9, Address: "10.0.0.9:9092"}}}
	v.Kafka.Drift = &scheduler.Drift{Asked: viewTime, Told: []int{0},
		Brokers: []scheduler.PropertyDrift{{Broker: 0, Name: "num.io.threads", Actual: "9"}}}
	return v
}

// telling is a Kafka that tells of each partition: one of two replicas, of which one is in sync.
func telling(v *scheduler.View) func(context.Context, []string) scheduler.KafkaFacts {
	return func(context.Context, []string) scheduler.KafkaFacts {
		b := rolling.NewBuilder(viewTime)
		b.Quorum(rolling.Quorum{Leader: 0, Elected: true})
		for _, id := range []rolling.NodeID{0, 9} {
			b.Broker(rolling.Broker{ID: id, Registered: true, Answered: viewTime})
		}
		for _, from := range []rolling.NodeID{0, 9} {
			b.Answer(from)
			topic := b.Topic("events", 1)
			b.Partition(topic, 0, 0, []rolling.NodeID{0, 9}, []rolling.NodeID{0})
		}
		facts := *v.Kafka.Facts
		facts.Rolling = b.Facts()
		return facts
	}
}

func TestBrokerList(t *testing.T) {
	v := brokersView()
	cfg := config(v, &machine{})
	cfg.Kafka, cfg.Partitions = twoBrokers(), telling(v)
	var list api.BrokerList
	answer(t, cfg, api.PathBrokersV2, &list)
	if len(list.Brokers) != 3 || list.Error != "" {
		t.Fatalf("%+v", list)
	}
	first, second, third := list.Brokers[0], list.Brokers[1], list.Brokers[2]
	if first.State != api.BrokerUp || first.Pod != "kafka-0" || first.Rack != "z-1" ||
		!slices.Equal(first.Roles, []string{"broker", "controller", "active-controller"}) ||
		!slices.Equal(first.Endpoints, []string{"PLAINTEXT://10.0.0.1:9092"}) ||
		first.InSync != 4 || first.UnderReplicated != 1 || len(first.Drift) != 1 ||
		first.MayGo.Answer == "allowed" || first.MayGo.Sentence == "" || first.LogDirs != nil {
		t.Errorf("%+v", first)
	}
	if second.State != api.BrokerUnregistered || second.ID != 1 || second.DriftAsked != nil {
		t.Errorf("%+v", second)
	}
	if third.State != api.BrokerForeign || third.Pod != "" {
		t.Errorf("%+v", third)
	}
}

// One broker comes with its log directories; of one that is not there nothing is known.
func TestBrokerDetail(t *testing.T) {
	v := brokersView()
	cfg := config(v, &machine{})
	cfg.Kafka, cfg.Partitions = twoBrokers(), telling(v)
	var one api.BrokerDetail
	answer(t, cfg, api.Fill(api.PathBrokerV2, "0"), &one)
	if one.ID != 0 || len(one.LogDirs) != 1 || one.LogDirs[0].Path != "/data" {
		t.Errorf("%+v", one)
	}
	for _, id := range []string{"5", "00", "x y"} {
		r := httptest.NewRequest("GET", api.Fill(api.PathBrokerV2, id), nil)
		if w := ask(t, cfg, r); w.Code != 404 {
			t.Errorf("%q: %d %s", id, w.Code, w.Body)
		}
	}
}

// Without an answer there is what was known last, and no verdict.
func TestBrokersOfASilentKafka(t *testing.T) {
	v := brokersView()
	cfg := config(v, &machine{})
	cfg.Partitions = func(context.Context, []string) scheduler.KafkaFacts {
		return scheduler.KafkaFacts{Error: "no answer in time"}
	}
	var list api.BrokerList
	answer(t, cfg, api.PathBrokersV2, &list)
	if list.Error != "no answer in time" || len(list.Brokers) != 3 ||
		list.Brokers[0].Hosted != 5 || list.Brokers[0].MayGo.Code != string(rolling.NoFacts) {
		t.Errorf("%+v", list)
	}
}

func TestDeclaredTopics(t *testing.T) {
	v := brokersView()
	v.Kafka.Declared = []scheduler.DeclaredTopic{
		{Topic: servicespec.Topic{Name: "audit"}, State: scheduler.TopicReached},
		{Topic: servicespec.Topic{Name: "orders", Partitions: 3, Replication: 2},
			State: scheduler.TopicDiffers, Reason: "there is no such topic yet"}}
	var declared api.DeclaredTopics
	cfg := config(v, &machine{})
	answer(t, cfg, api.PathDeclaredTopics, &declared)
	if declared.AsDeclared != 1 || len(declared.Topics) != 2 ||
		declared.Topics[1].ReplicationFactor != 2 || declared.Topics[1].State != "differs" {
		t.Errorf("%+v", declared)
	}
	var service api.Service
	answer(t, cfg, api.PathService, &service)
	if k := service.Kafka; k.TopicsDeclared != 2 || k.TopicsAsDeclared != 1 ||
		k.PropertiesDrifted != 1 {
		t.Errorf("%+v", k)
	}
}

// answer gets a document.
func answer(t *testing.T, cfg Config, path string, into any) {
	t.Helper()
	w := ask(t, cfg, httptest.NewRequest("GET", path, nil))
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil || w.Code != 200 {
		t.Fatalf("%d %s, %v", w.Code, w.Body, err)
	}
}

// The predecessor's routes take force, and only when it is said in so many words.
func TestForceOfThePredecessor(t *testing.T) {
	for query, force := range map[string]bool{"": false, "?force=true": true,
		"?force=false": false, "?force": false, "?force=yes": false} {
		for _, path := range []string{"/v1/pod/kafka-0/restart", "/v1/pod/kafka-0/replace"} {
			m := &machine{reply: scheduler.Reply{Message: "Yes."}}
			v := fullView()
			v.Pods[0].Launched = true
			w := ask(t, config(v, m), httptest.NewRequest("POST", path+query, nil))
			var got bool
			switch c := m.command.(type) {
			case scheduler.PodRestart:
				got = c.Force
			case scheduler.PodReplace:
				got = c.Force
			}
			if w.Code != 200 || got != force || !strings.Contains(w.Body.String(), "kafka-0") {
				t.Errorf("%s%s: %d %s, force %t", path, query, w.Code, w.Body, got)
			}
		}
	}
}
