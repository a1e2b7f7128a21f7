package server

import (
	"strings"
	"testing"

	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/balance"
)

// TestFitsInto looks whether what lies on a volume fits into a smaller one.
func TestFitsInto(t *testing.T) {
	layout := scheduler.Layout{Cluster: balance.Cluster{
		Brokers: []balance.Broker{{ID: 1, Dirs: []balance.Dir{{Path: "/w/one/logs"},
			{Path: "/w/two/logs"}}}},
		Partitions: []balance.Partition{
			{Topic: "a", Replicas: []balance.Replica{{Broker: 1, Dir: 0, Bytes: 80 << 20}}},
			{Topic: "b", Replicas: []balance.Replica{{Broker: 1, Dir: 1, Bytes: 900 << 20},
				{Broker: 2, Bytes: 900 << 20}}}}}}
	for want, test := range map[string]struct {
		path string
		to   resource.MiB
		ids  []int
	}{
		"":                                   {"one", 100, []int{1}},
		"but 80 MB lie there on broker 1":    {"one", 88, []int{1}},
		"but 900 MB lie there on broker 1":   {"two", 500, []int{1}},
		"broker 2 does not tell what":        {"one", 100, []int{1, 2}},
		"broker 1 does not tell what lies":   {"three", 100, []int{1}},
		"one of pod kafka would shrink from": {"one", 1, []int{1}},
	} {
		shrunk := scheduler.Shrunk{Pod: "kafka", Path: test.path, From: 1000, To: test.to}
		err := fitsInto(layout, shrunk, test.ids)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
