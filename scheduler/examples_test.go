package scheduler

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/examples"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler/ensemble"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// TestExamples deploys every example on six agents in three racks, with the operator's word for
// canaries and a Kafka that says what is true: all of it must come up, and stay.
func TestExamples(t *testing.T) {
	const each = "cpus:8;mem:16000;disk:100000;ports:[1025-10000,31000-32000];" +
		"disk:60000<MOUNT:/a>;disk:60000<MOUNT:/b>"
	names, err := fs.Glob(examples.Files, "*.yml")
	if err != nil {
		t.Fatal(err)
	}
	options := servicespec.Options{}
	if err := options.Set("service.user=nobody"); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(name, ".yml"), func(t *testing.T) {
			text, err := examples.Files.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			service, problems := servicespec.Load(name, text, options.Environment(),
				examples.Templates())
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			r := newRigOf(t, service, 6, each)
			for range 120 {
				r.round()
				r.kafka()
				r.zooKeeper()
				r.releaseAll()
			}
			for _, p := range r.machine.View().Plans {
				if byItself(p.Name) && p.Status != plans.Complete {
					t.Errorf("plan %s", statuses(p))
				}
			}
		})
	}
}

// releaseAll gives the operator's word to every phase that waits for it.
func (r *rig) releaseAll() {
	for _, phase := range r.plan(planDeploy).Phases {
		if phase.Status == plans.Waiting {
			r.release(planDeploy, phase.Name)
		}
	}
}

// kafka tells the machine of the nodes that run.
func (r *rig) kafka() {
	m := r.machine
	f := KafkaFacts{Asked: r.now.Add(time.Millisecond / 2), ClusterID: m.hard.Kafka.ID, Leader: -1}
	for _, name := range m.podNames() {
		spec, _ := m.spec(name)
		p := m.hard.Pods[name]
		if spec.Kafka == nil || !slices.ContainsFunc(p.Tasks,
			func(t Task) bool { return t.Name == spec.Kafka.Task && t.State == "RUNNING" }) {
			continue
		}
		id := nodeID(name, spec)
		if spec.Kafka.Controls() {
			f.Leader, f.Voters = id, append(f.Voters, id)
		}
		if spec.Kafka.Serves() {
			f.Brokers = append(f.Brokers, BrokerFacts{ID: id, Hosted: 5})
		}
	}
	if m.usesZooKeeper() && len(f.Brokers) > 0 {
		f.ClusterID, f.Leader = "of-zookeeper", f.Brokers[0].ID
	}
	if f.Leader >= 0 {
		f.Present = f.Voters
		r.now = r.now.Add(time.Millisecond)
		f.Rolling = wholeOf(f, wholeMore{})
		r.step(FromKafka{f})
	}
}

// zooKeeper tells the machine of the servers that run, the last of which leads if they are enough.
func (r *rig) zooKeeper() {
	m := r.machine
	for _, spec := range m.hard.Target.Service.Pods {
		if spec.ZooKeeper == nil {
			continue
		}
		f := ZooKeeperFacts{Asked: r.now.Add(time.Millisecond / 2)}
		for i := range spec.Count {
			p := m.hard.Pods[PodName{spec.Type, i}]
			t, _ := p.task(spec.ZooKeeper.Task)
			if p.Place != nil && t.State == "RUNNING" && !m.awaitsPlaces(p, spec) {
				f.Servers = append(f.Servers, ServerFacts{Address: clientAddress(p, spec),
					Role: ensemble.Idle})
			}
		}
		if n := len(f.Servers); n > spec.Count/2 {
			for i := range f.Servers {
				f.Servers[i].Role = ensemble.Follower
			}
			f.Servers[n-1].Role = ensemble.Leader
		}
		r.now = r.now.Add(time.Millisecond)
		r.step(FromZooKeeper{f})
	}
}
