package scheduler

import (
	"maps"
	"testing"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// A broker that is yet to be launched with the target has not drifted by what it was launched with;
// any other has.
func TestBrokerWishes(t *testing.T) {
	service := func(threads string) servicespec.Service {
		return servicespec.Service{Pods: []servicespec.Pod{
			{Type: "kafka", Count: 3, Kafka: &servicespec.Kafka{Task: "broker",
				Properties: map[string]string{"num.io.threads": threads}}},
			{Type: "controller", Count: 1, Kafka: &servicespec.Kafka{Task: "node",
				Process: "controller"}}, {Type: "web", Count: 1}}}
	}
	broker := func(index int, target string, outdated bool) PodView {
		return PodView{Name: PodName{"kafka", index}, Tasks: []TaskView{
			{Name: "logs", Target: "target-1", Outdated: true},
			{Name: "broker", Target: target, Outdated: outdated}}}
	}
	v := &View{Target: service("16"), TargetID: "target-2",
		Earlier: []EarlierTarget{{ID: "target-1", Service: service("8")}},
		Pods: []PodView{broker(0, "target-2", false), broker(1, "target-1", true),
			broker(2, "target-1", false)}}
	wishes := v.BrokerWishes()
	if len(wishes) != 3 {
		t.Fatalf("%+v", wishes)
	}
	for id, drifted := range []map[string]bool{
		{"8": true, "16": false, "9": true}, {"8": false, "16": false, "9": true},
		{"8": true, "16": false, "9": true}, // it took the target's value while it runs
	} {
		got := map[string]bool{}
		for value := range drifted {
			has := []Property{{Name: "num.io.threads", Value: value, Source: ownSource}}
			got[value] = len(BrokerDrift(wishes[id], has)) > 0
		}
		if !maps.Equal(got, drifted) {
			t.Errorf("broker %d has drifted with %v, want %v", id, got, drifted)
		}
	}
}
