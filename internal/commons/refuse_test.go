package commons

import (
	"maps"
	"strings"
	"testing"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// TestDecodeRefuses tells why a tree cannot be taken over, and what of it is damaged.
func TestDecodeRefuses(t *testing.T) {
	for _, x := range []struct {
		tree, change, to, problem string
	}{
		{"kafka-uninstalling", "", "", "it is being uninstalled"},
		{"kafka-uninstalled", "", "", "there is no framework id"},
		{"kafka", "SchemaVersion", "2", "several services as one framework"},
		{"kafka", "SchemaVersion", "3", `the schema version is "3"`},
		{"kafka", "ConfigTarget", "another", `the configuration "another"`},
		{"kafka", "servicename", "/other", "the tree is of the service other"},
		{"kafka", "FrameworkID", "\x80", "reading a FrameworkID"},
		{"kafka", "Tasks/kafka-0-broker/TaskInfo", "\x80", "kafka-0-broker/TaskInfo"},
		{"kafka", "Tasks/kafka-0-broker/TaskStatus", "\x80", "kafka-0-broker/TaskStatus"},
	} {
		tree := recorded(t, x.tree)
		if x.change != "" {
			tree.Nodes[x.change] = Node{Data: []byte(x.to)}
		}
		found, err := Decode(tree)
		got := strings.Join(found.Problems, "\n")
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, x.problem) {
			t.Errorf("%s with %s %q: %q, wanted %q", x.tree, x.change, x.to, got, x.problem)
		}
	}
}

// TestAdoptRefuses tells what would cost data or could not be held, one reason each, and does not
// let it pass.
func TestAdoptRefuses(t *testing.T) {
	type found = Found
	first := func(f *found) *mesos.TaskInfo { return &f.Tasks[0].Info }
	target := func(f *found, change func(*servicespec.Service)) {
		s := f.Configs[f.TargetID]
		pod := s.Pods[0]
		pod.Tasks = append([]servicespec.Task(nil), pod.Tasks...)
		s.Pods = []servicespec.Pod{pod}
		change(&s)
		f.Configs = maps.Clone(f.Configs)
		f.Configs[f.TargetID] = s
	}
	for name, x := range map[string]struct {
		change  func(*found)
		problem string
	}{
		"no instance": {func(f *found) { first(f).Labels = nil }, "do not say which instance"},
		"no id": {func(f *found) { first(f).Resources = first(f).Resources.PopReservation() },
			"no reservation with a resource_id"},
		"other framework": {func(f *found) { f.Framework = "another" },
			"reserved for the framework 11111111"},
		"shared": {func(f *found) {
			list := append(resource.List(nil), first(f).Resources...)
			list[0].Shared = true
			first(f).Resources = list
		}, "shared, revocable"},
		"twice": {func(f *found) {
			again := f.Tasks[0]
			again.Name = "kafka-7-broker"
			again.Info.Labels = []resource.Label{{Key: "task_type", Value: "kafka"},
				{Key: "index", Value: "7"}}
			f.Tasks = append(f.Tasks, again)
		}, "is held by kafka-0 and by kafka-7"},
		"volume elsewhere": {func(f *found) {
			target(f, func(s *servicespec.Service) {
				s.Pods[0].Tasks[0].Resources.Volumes = []servicespec.Volume{
					{Path: "elsewhere", Type: "ROOT", Size: 5000}}
			})
		}, "its data would be destroyed"},
		"mount": {func(f *found) {
			target(f, func(s *servicespec.Service) {
				s.Pods[0].Tasks[0].Resources.Volumes = []servicespec.Volume{
					{Path: "kafka-broker-data", Type: "MOUNT", Size: 5000}}
			})
		}, "is a ROOT one, and is to be a MOUNT one"},
	} {
		f := decoded(t, "kafka")
		x.change(&f)
		a := scheduler.Adopt(f.Predecessor, nil, noon)
		if got := strings.Join(a.Problems, "\n"); !strings.Contains(got, x.problem) {
			t.Errorf("%s: %q, wanted %q", name, got, x.problem)
		}
	}
}

// TestAdoptAnotherSpec goes on with a spec of the operator's: it tells what is different, rolls
// what has to be, and refuses what cannot be.
func TestAdoptAnotherSpec(t *testing.T) {
	f := decoded(t, "kafka")
	want := func(change func(*servicespec.Pod)) *scheduler.Target {
		data, err := f.Configs[f.TargetID].Encode()
		if err != nil {
			t.Fatal(err)
		}
		s, err := servicespec.DecodeService(data)
		if err != nil {
			t.Fatal(err)
		}
		change(&s.Pods[0])
		return &scheduler.Target{ID: "mine", Service: s}
	}
	same := scheduler.Adopt(f.Predecessor, want(func(*servicespec.Pod) {}), noon)
	if len(same.Problems) > 0 || same.Hard.Target.ID != f.TargetID ||
		same.Hard.Target.Done.IsZero() {
		t.Errorf("the same spec: %v, %+v", same.Problems, same.Hard.Target)
	}
	other := scheduler.Adopt(f.Predecessor, want(func(p *servicespec.Pod) {
		p.Tasks[0].Command = "./other"
		p.Tasks[0].Resources.Memory = 4096
	}), noon)
	notes := strings.Join(other.Notes, "\n")
	for _, note := range []string{"resource-set.memory: 2048 -> 4096 (restart",
		"kafka-0 has 2048 mem reserved for broker-resource-set, and is to have 4096"} {
		if !strings.Contains(notes, note) {
			t.Errorf("%q is not told:\n%s", note, notes)
		}
	}
	h := other.Hard
	if len(other.Problems) > 0 || h.Target.ID != "mine" || h.Target.Number != 2 ||
		!h.Target.Done.IsZero() || len(h.Earlier) != 1 || h.Earlier[0].ID != f.TargetID {
		t.Errorf("another spec: %v, %+v", other.Problems, h.Target)
	}
	kafka := scheduler.Adopt(f.Predecessor, want(func(p *servicespec.Pod) {
		p.Kafka = &servicespec.Kafka{Task: "broker", Volume: "kafka-broker-data"}
	}), noon)
	if got := strings.Join(kafka.Problems, "\n"); !strings.Contains(got,
		"whether it runs Kafka cannot change") {
		t.Errorf("a broker of ZooKeeper's becomes one without: %q", got)
	}
	one := scheduler.Adopt(f.Predecessor, want(func(p *servicespec.Pod) {
		p.Count, p.AllowDecommission = 2, true
	}), noon)
	if got := strings.Join(one.Notes, "\n"); !strings.Contains(got,
		"kafka-2 is not wanted by the configuration: it is decommissioned") {
		t.Errorf("what is to go is not told: %q", got)
	}
}

// TestAdoptReplaced takes over what an operator had marked as failed for good: the instance gets
// another place, and what is lost by that is told before.
func TestAdoptReplaced(t *testing.T) {
	f := decoded(t, "kafka")
	info := &f.Tasks[1].Info
	info.Labels = append(info.Labels, resource.Label{Key: "permanently-failed", Value: "true"})
	a := scheduler.Adopt(f.Predecessor, nil, noon)
	p := a.Hard.Pods[scheduler.PodName{Type: "kafka", Index: 1}]
	if notes := strings.Join(a.Notes, "\n"); p.Request != scheduler.Replace ||
		!strings.Contains(notes, "kafka-1 was to be replaced, and will be: its volumes") {
		t.Errorf("%q\n%s", p.Request, notes)
	}
}
