package scheduler

import (
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler/migrate"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// TestEnters: a broker that ended before its turn in a migration comes back as it was only if
// ZooKeeper told since that a broker is the controller.
func TestEnters(t *testing.T) {
	end := time.Unix(1000, 0)
	told := func(after time.Duration, nodes *migrate.Nodes) *MigrationFacts {
		return &MigrationFacts{Asked: end.Add(after), Nodes: nodes}
	}
	broker, controller := &migrate.Nodes{}, &migrate.Nodes{Controller: 10000, KRaft: true}
	before := servicespec.Pod{Kafka: &servicespec.Kafka{ZooKeeper: "zk.example:2181"}}
	for name, c := range map[string]struct {
		facts         *MigrationFacts
		passed        time.Duration
		enters, waits bool
	}{
		"never asked":         {nil, time.Second, false, true},
		"no answer":           {told(time.Second, nil), time.Second, false, true},
		"no answer for long":  {told(time.Second, nil), time.Minute, true, false},
		"asked before":        {told(-time.Second, broker), time.Second, false, true},
		"asked long before":   {told(-time.Second, broker), time.Minute, true, false},
		"a broker":            {told(time.Second, broker), time.Minute, false, false},
		"one of KRaft":        {told(time.Second, controller), time.Second, true, false},
		"one of KRaft before": {told(-time.Second, controller), time.Second, false, true},
	} {
		m := &Machine{now: end.Add(c.passed), trek: trek{facts: c.facts}}
		m.hard.Campaign = Campaign{Number: 1, Kind: Migrating}
		task := Task{Since: end}
		p := Pod{Tasks: []Task{task}}
		if got := m.enters(task, before); got != c.enters {
			t.Errorf("%s: enters %t", name, got)
		}
		l := launchOf{spec: before, before: &EarlierTarget{}}
		if got := m.holdOutside(p, l) != ""; !c.enters && got != c.waits {
			t.Errorf("%s: waits %t", name, got)
		}
	}
}
