package examples_test

import (
	"bytes"
	"io/fs"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/examples"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

func environment(t *testing.T, assignments ...string) map[string]string {
	t.Helper()
	options := servicespec.Options{}
	for _, a := range append(assignments, "service.user=nobody") {
		if err := options.Set(a); err != nil {
			t.Fatal(err)
		}
	}
	return options.Environment()
}

func TestEveryExampleParses(t *testing.T) {
	names, err := fs.Glob(examples.Files, "*.yml")
	if err != nil || len(names) < 13 {
		t.Fatalf("found %v, %v", names, err)
	}
	for _, name := range names {
		text, err := examples.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(text, []byte("# ")) {
			t.Errorf("%s does not begin with what it shows", name)
		}
		s, errs := servicespec.LoadSpec(name, text, environment(t), examples.Templates())
		if errs != nil {
			t.Errorf("%s: %v", name, errs)
			continue
		}
		refused := append(s.Beyond(), scheduler.Unsupported(s.Service)...)
		warned := bytes.Contains(text, []byte("# Not run by this release yet"))
		if warned != (len(refused) > 0) {
			t.Errorf("%s: it says so: %v; what the scheduler refuses: %q", name, warned, refused)
		}
		_, errs = servicespec.Load(name, text, environment(t), examples.Templates())
		if !warned && errs != nil {
			t.Errorf("%s: %v", name, errs)
		}
	}
}

func TestKafkaIsThreeCombinedNodes(t *testing.T) {
	env := environment(t, "kafka.num_partitions=6", `kafka.log.cleanup.policy=a "b" \c: #d`)
	s, errs := servicespec.Load("kafka.yml", examples.Kafka, env, nil)
	if errs != nil {
		t.Fatal(errs)
	}
	if s.Name != "kafka" || s.Role != "kafka-role" || s.Principal != "kafka-principal" ||
		s.User != "nobody" {
		t.Errorf("service is %+v", s)
	}
	pod := s.Pods[0]
	k := pod.Kafka
	if pod.Count != 3 || k == nil || k.Process != "combined" || k.Heap != 512 ||
		k.Version != servicespec.DefaultKafkaVersion || k.Task != "broker" ||
		k.Volume != "kafka-data" || k.ClientPort != "broker" || k.ControllerPort != "controller" {
		t.Errorf("pod is %+v with %+v", pod, k)
	}
	if k.Properties["num.partitions"] != "6" ||
		k.Properties["log.cleanup.policy"] != `a "b" \c: #d` || len(k.Properties) != 2 {
		t.Errorf("properties are %v", k.Properties)
	}
	task := pod.Tasks[0]
	if task.KillGrace != 5*time.Minute || task.Readiness.TCP.Port != "broker" ||
		task.Resources.Memory != 2048 || task.Resources.CPUs != 1000 {
		t.Errorf("task is %+v", task)
	}
}

// TestEveryExampleFitsAnOrdinaryAgent demands that an instance of each pod finds room on an agent
// with 8 processors, 16 GB of memory and 50 GB of disk.
func TestEveryExampleFitsAnOrdinaryAgent(t *testing.T) {
	names, err := fs.Glob(examples.Files, "*.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := examples.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s, errs := servicespec.LoadSpec(name, text, environment(t), examples.Templates())
		if errs != nil {
			t.Fatal(errs)
		}
		for _, pod := range s.Service.Pods {
			sets := map[string]servicespec.ResourceSet{"": {Volumes: pod.Volumes}}
			for _, task := range pod.Tasks {
				sets[task.Resources.Name] = task.Resources
			}
			var sum servicespec.ResourceSet
			disk := sum.Memory
			for _, set := range sets {
				sum.CPUs, sum.Memory = sum.CPUs+set.CPUs, sum.Memory+set.Memory
				for _, v := range set.Volumes {
					disk += v.Size
				}
			}
			if sum.CPUs > 8000 || sum.Memory > 16384 || disk > 50000 || pod.Count > 5 {
				t.Errorf("%s: %d instances of pod %s need %d thousandths of a processor, %d MB "+
					"of memory and %d MB of disk each", name, pod.Count, pod.Type, sum.CPUs,
					sum.Memory, disk)
			}
		}
		if list := s.Service.Conflicts(); list != nil {
			t.Errorf("%s: %q", name, list)
		}
	}
}
