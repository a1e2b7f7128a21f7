package servicespec

import (
	"reflect"
	"testing"
)

// twoNodes is a service of two brokers.
func twoNodes(properties map[string]string, own map[int]KafkaInstance) Service {
	return Service{Name: "kafka", User: "nobody", Pods: []Pod{{Type: "kafka", Count: 2,
		Kafka: &Kafka{Task: "broker", FirstID: 5, Properties: properties, Instances: own},
		Tasks: []Task{{Name: "broker"}, {Name: "side"}}}}}
}

// A node that took all that differs counts as launched with the other service, and no other does.
func TestLiveLaunchHash(t *testing.T) {
	type m = map[string]string
	old := twoNodes(m{"a": "1", "b": "1"}, nil)
	for _, c := range []struct {
		next  Service
		live  []string
		index int
		same  bool
	}{
		{twoNodes(m{"a": "2", "b": "1"}, nil), []string{"a"}, 0, true},
		{twoNodes(m{"a": "2", "b": "2"}, nil), []string{"a"}, 0, false},
		{twoNodes(m{"a": "2", "b": "2"}, nil), []string{"a", "b"}, 1, true},
		{twoNodes(m{"b": "1"}, nil), []string{"a"}, 0, true},
		{twoNodes(nil, nil), []string{"a", "b"}, 0, true},
		{twoNodes(m{"a": "1", "b": "1"}, map[int]KafkaInstance{1: {Properties: m{"a": "9"}}}),
			[]string{"a"}, 1, true},
		{twoNodes(m{"a": "1", "b": "1"}, map[int]KafkaInstance{1: {Heap: 9}}), []string{"a"}, 1,
			false},
	} {
		then := c.next.TaskLaunchHash("kafka", c.index, "broker")
		got := old.LiveLaunchHash(c.next, c.live, "kafka", c.index, "broker")
		if (got == then) != c.same {
			t.Errorf("%+v with %v: same is %v", c.next.Pods[0].Kafka, c.live, got == then)
		}
	}
	if old.LiveLaunchHash(Service{}, nil, "kafka", 0, "broker") != "" {
		t.Error("a pod that is no more has a hash")
	}
}

func TestPropertyChanges(t *testing.T) {
	type m = map[string]string
	text := func(s string) *string { return &s }
	old := twoNodes(m{"a": "1", "b": "1"}, nil)
	next := twoNodes(m{"a": "1", "c": "3"}, map[int]KafkaInstance{1: {Properties: m{"a": "9"}}})
	want := []PropertyChange{
		{"kafka", 0, 5, "b", text("1"), nil}, {"kafka", 0, 5, "c", nil, text("3")},
		{"kafka", 1, 6, "a", text("1"), text("9")}, {"kafka", 1, 6, "b", text("1"), nil},
		{"kafka", 1, 6, "c", nil, text("3")},
	}
	if got := PropertyChanges(old, next); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	next.Pods[0].Count = 1
	if got := PropertyChanges(old, next); len(got) != 2 {
		t.Errorf("%+v", got)
	}
	next.Pods[0].Kafka.Process = "controller"
	if got := PropertyChanges(old, next); len(got) != 0 {
		t.Errorf("controllers tell nothing, but %+v", got)
	}
}
