package cli

import (
	"strings"
	"testing"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler/upgrade"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// What is known of a cluster comes from its pods and from what Kafka says of features.
func TestUpgradable(t *testing.T) {
	s := servicespec.Service{Name: "kafka", Pods: []servicespec.Pod{
		{Type: "web"},
		{Type: "controller", Kafka: &servicespec.Kafka{Process: "controller", Version: "3.9.1"}},
		{Type: "broker", Kafka: &servicespec.Kafka{Process: "broker", Version: "3.9.1",
			Properties: map[string]string{"num.partitions": "3"},
			Instances: map[int]servicespec.KafkaInstance{
				1: {Properties: map[string]string{"log.segment.bytes": "65536"}}}}},
	}}
	list := api.FeatureList{Epoch: 3, Features: []api.Feature{
		{Name: "metadata.version", Finalized: 21}}}
	c, err := upgradable(s, list)
	if err != nil || c.Version.String() != "3.9.1" || !c.Controllers || c.ZooKeeper ||
		c.Features["metadata.version"] != 21 || c.Properties["num.partitions"] != "3" ||
		c.Properties["log.segment.bytes"] != "65536" {
		t.Errorf("%+v, %v", c, err)
	}
	plan := upgrade.Make(c, upgrade.Version{Major: 4, Minor: 3, Patch: 1})
	if len(plan.Refusals) != 1 || !strings.Contains(plan.Refusals[0], "log.segment.bytes") {
		t.Errorf("the plan is %+v", plan)
	}
	s.Pods[1].Kafka = nil
	s.Pods[2].Kafka.ZooKeeper = "zk:2181"
	c, err = upgradable(s, api.FeatureList{Epoch: -1})
	if err != nil || !c.ZooKeeper || c.Controllers || c.Features != nil {
		t.Errorf("%+v, %v", c, err)
	}
	s.Pods = s.Pods[:1]
	if _, err = upgradable(s, list); err == nil {
		t.Error("a service without Kafka can be upgraded")
	}
}
