package servicespec

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const nodesSpec = `
name: kafka
pods:
  kafka:
    count: 3
    kafka:
      task: node
      first-id: 100
      heap: 512
      volumes: [a, b]
      properties: {num.io.threads: 8, num.partitions: 2}
      instances:
        1: {heap: 600, properties: {num.io.threads: 16}}
    tasks:
      node:
        goal: RUNNING
        cpus: 1
        memory: 2048
        ports: {broker: {port: 0}, controller: {port: 0}}
        volumes: {a: {path: a, type: ROOT, size: 1}, b: {path: b, type: ROOT, size: 1}}
      side: {goal: RUNNING, cmd: ./side, cpus: 1, memory: 10}
`

func nodes(t *testing.T, old, next string) Service {
	t.Helper()
	if !strings.Contains(nodesSpec, old) {
		t.Fatalf("there is no %q", old)
	}
	text := strings.Replace(nodesSpec, old, next, 1)
	return parse(t, text)
}

func TestNodeIsThePodsWithWhatDiffers(t *testing.T) {
	k := *nodes(t, "", "").Pods[0].Kafka
	plain := k
	plain.Instances = nil
	if diff := cmp.Diff(plain, k.Node(0)); diff != "" {
		t.Errorf("node 0 (-pod +node):\n%s", diff)
	}
	want := plain
	want.Heap = 600
	want.Properties = map[string]string{"num.io.threads": "16", "num.partitions": "2"}
	if diff := cmp.Diff(want, k.Node(1)); diff != "" {
		t.Errorf("node 1 (-want +node):\n%s", diff)
	}
	if k.Properties["num.io.threads"] != "8" {
		t.Error("the pod's own properties were changed")
	}
	if id := k.NodeID(2); id != 102 {
		t.Errorf("the id of node 2 is %d", id)
	}
}

// TestInstancesConcernThemselves: what differs for one instance is in its hash alone.
func TestInstancesConcernThemselves(t *testing.T) {
	hashes := func(s Service) (list []string) {
		for index := range 3 {
			list = append(list, s.TaskLaunchHash("kafka", index, "node"))
		}
		return append(list, s.TaskLaunchHash("kafka", 1, "side"))
	}
	a := nodes(t, "", "")
	for _, test := range []struct {
		old, new string
		want     []bool // by instance, and then the other task of instance 1
		class    Class
	}{
		{"threads: 16", "threads: 32", []bool{false, true, false, false}, Restart},
		{"1: {heap: 600, properties: {num.io.threads: 16}}", "{}",
			[]bool{false, true, false, false}, Restart},
		{"        1:", "        2: {heap: 700}\n        1:",
			[]bool{false, false, true, false}, Restart},
		{"        1:", "        2: {heap: 512}\n        1:",
			[]bool{false, false, false, false}, Nothing},
		{"partitions: 2", "partitions: 3", []bool{true, true, true, false}, Restart},
		{"threads: 8", "threads: 9", []bool{true, false, true, false}, Restart},
		{"volumes: [a, b]", "volumes: [b, a]", nil, Forbidden},
		{"volumes: [a, b]", "volume: a", nil, Forbidden},
		{"first-id: 100", "first-id: 101", nil, Forbidden},
	} {
		b := nodes(t, test.old, test.new)
		before, then := hashes(a), hashes(b)
		for i, want := range test.want {
			if got := before[i] != then[i]; got != want {
				t.Errorf("%q -> %q: hash %d differs: %v", test.old, test.new, i, got)
			}
		}
		changes := Diff(a, b)
		if !slices.ContainsFunc(changes, func(c Change) bool { return c.Class == test.class }) ||
			slices.ContainsFunc(changes, func(c Change) bool {
				return c.Class != test.class && c.Class != Forbidden
			}) {
			t.Errorf("%q -> %q is %+v, not %s", test.old, test.new, changes, test.class)
		}
	}
}

// TestBrokersBeforeControllersConflict: a serial plan that begins with brokers waits for ever.
func TestBrokersBeforeControllersConflict(t *testing.T) {
	s, errs := Parse("t.yml", read(t, "testdata/good/kafka-pods.yml"), nil)
	if errs != nil {
		t.Fatal(errs)
	}
	if list := s.Conflicts(); list != nil {
		t.Errorf("the plan of the scheduler's own making has %q", list)
	}
	s.Plans = []Plan{{Name: "deploy", Strategy: Serial, Phases: []Phase{
		{Name: "web", Pod: "web"}, {Name: "all", Pod: "large"}, {Name: "kafka", Pod: "kafka"}}}}
	want := []string{"plan deploy, phase all: its brokers cannot start before controllers do; " +
		"put a phase of controllers first"}
	if diff := cmp.Diff(want, s.Conflicts()); diff != "" {
		t.Errorf("conflicts (-want +got):\n%s", diff)
	}
	s.Plans[0].Strategy = Parallel
	if list := s.Conflicts(); list != nil {
		t.Errorf("a parallel plan has %q", list)
	}
	s.Plans[0].Strategy = Dependency
	if list := s.Conflicts(); list != nil {
		t.Errorf("a plan without dependencies has %q", list)
	}
	s.Plans[0].Phases[0].DependsOn = []string{"all:0"}
	s.Plans[0].Phases[2].DependsOn = []string{"web"}
	if diff := cmp.Diff(want, s.Conflicts()); diff != "" {
		t.Errorf("conflicts of dependencies (-want +got):\n%s", diff)
	}
}
