package cli

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/spf13/cobra"
)

// TestHelp asks every command for help: each has an example and lists the exit codes.
func TestHelp(t *testing.T) {
	var paths [][]string
	var walk func(c *cobra.Command, path []string)
	walk = func(c *cobra.Command, path []string) {
		paths = append(paths, path)
		for _, child := range c.Commands() {
			if child.Name() != "help" && !child.IsAdditionalHelpTopicCommand() {
				walk(child, append(slices.Clone(path), child.Name()))
			}
		}
	}
	walk((&env{}).root(), nil)
	for _, path := range paths {
		var out, errs bytes.Buffer
		args := append(slices.Clone(path), "--help")
		code := Main(args, strings.NewReader(""), &out, &errs, Daemons{})
		help := out.String()
		if code != 0 || !strings.Contains(help, "Example") ||
			!strings.Contains(help, "Exit codes:") || !strings.Contains(help, "--json") {
			t.Errorf("%v: exit code %d, help:\n%s%s", args, code, help, &errs)
		}
	}
	if len(paths) < 60 {
		t.Errorf("only %d commands were found", len(paths))
	}
}

// TestHead has what concerns Kafka left out of the head of a service without Kafka.
func TestHead(t *testing.T) {
	for _, k := range []struct {
		kafka api.Kafka
		want  string
	}{
		{api.Kafka{}, ""},
		{api.Kafka{Nodes: 3}, "  Kafka      the cluster is not founded yet\n  Bootstrap  -\n"},
		{api.Kafka{Founded: true, ClusterID: "c"}, "  Kafka      cluster c, 0 brokers\n  Boot"},
	} {
		var out bytes.Buffer
		(&env{stdout: &out}).printHead("http://h:1", api.Service{Name: "s", Kafka: k.kafka})
		text := out.String()
		if k.want == "" && (strings.Contains(text, "Kafka ") ||
			strings.Contains(text, "Bootstrap")) || !strings.Contains(text, k.want) {
			t.Errorf("%+v: %q", k.kafka, text)
		}
	}
}

func TestCheckName(t *testing.T) {
	for name, good := range map[string]bool{
		"kafka": true, "a": true, "a-1": true, strings.Repeat("a", 63): true,
		"": false, "A": false, "-a": false, "a-": false, "1a": false, "a.b": false, "a/b": false,
		"..": false, "../a": false, "a\n": false, strings.Repeat("a", 64): false,
	} {
		if err := checkName(name); (err == nil) != good {
			t.Errorf("name %q: %v", name, err)
		}
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 1900 * time.Millisecond: "1s", 75 * time.Second: "1m15s",
		90 * time.Minute: "1h30m", 50 * time.Hour: "2d2h",
	} {
		if got := short(d); got != want {
			t.Errorf("%v is printed as %s, want %s", d, got, want)
		}
	}
}

func TestOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "a\n": "a", "a\n\tb": "a … b", "\n a b \n": "a b",
		"2 failed: with code 1: a\nb\nc\n": "2 failed: … c",
	} {
		if got := oneLine(text); got != want {
			t.Errorf("one line of %q: %q, want %q", text, got, want)
		}
	}
}

func TestQuote(t *testing.T) {
	for text, want := range map[string]string{
		"brokers.mem=4096": "brokers.mem=4096", "": "''", "a b": "'a b'", "it's": `'it'\''s'`,
	} {
		if got := quote(text); got != want {
			t.Errorf("%q is quoted as %s, want %s", text, got, want)
		}
	}
}

func TestMeasure(t *testing.T) {
	broker := servicespec.Task{Name: "broker", Resources: servicespec.ResourceSet{
		CPUs: 1500, Memory: 2048,
		Ports:   []servicespec.Port{{Name: "broker", Port: 9092}, {Name: "any"}},
		Volumes: []servicespec.Volume{{Size: 5000}},
	}}
	web := servicespec.Task{Name: "web", Resources: servicespec.ResourceSet{Memory: 100}}
	n := measure(servicespec.Service{Pods: []servicespec.Pod{
		{Type: "kafka", Count: 3, Tasks: []servicespec.Task{broker},
			Kafka: &servicespec.Kafka{Task: "broker", Heap: resource.MiB(512)}},
		{Type: "web", Count: 2, Tasks: []servicespec.Task{web}},
	}})
	if n.pods != 5 || n.largest != 3 || n.memory != 3*(512+jvmOverhead)+200 ||
		n.disks != 15000 || n.biggest != 2048 || n.biggestPod != "kafka" || n.cpus != 1.5 ||
		!n.kafka || len(n.ports) != 1 {
		t.Errorf("needs are %+v", n)
	}
}

func TestLayOut(t *testing.T) {
	m := machine{
		disk: func(string) (int64, error) { return 1000, nil }, cpus: func() int { return 1 },
		memory: func() (int64, int64) { return 8000, 4000 },
		free: func(address string) error {
			if address == "127.0.0.2:5051" || address == "127.0.0.1:5050" {
				return errHeld
			}
			return nil
		},
	}
	used := taken{slots: map[int]bool{1: true}, addresses: map[string]bool{"127.0.0.1:5051": true}}
	ports := []fixedPort{{"kafka", "broker", 9092}, {"kafka", "other", 31500}}
	l, err := m.layOut(used, needs{cpus: 2, ports: ports}, 3, "/")
	if err != nil {
		t.Fatal(err)
	}
	if l.Slot != 2 || l.MasterAddr != "127.0.0.1:5052" || len(l.Agents) != 3 {
		t.Fatalf("layout is %+v", l)
	}
	a := l.Agents[2]
	want := [][2]uint64{{31000, 32000}, {9092, 9092}}
	if a.Name != "agent-3" || a.Addr != "127.0.2.3:5051" || a.Hostname != "127.0.2.3" ||
		a.CPUs != 2.5 || a.MemMB != 8000 || a.DiskMB != 1000 || !slices.Equal(a.Ports, want) {
		t.Errorf("third agent is %+v", a)
	}
}

func TestRunning(t *testing.T) {
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	spec := servicespec.Service{Pods: []servicespec.Pod{
		{Type: "kafka", Count: 1, Kafka: &servicespec.Kafka{Process: "combined"}},
	}}
	well := func() api.Service {
		f := newFake(servicespec.Service{Name: "kafka"}, "", "")
		f.memory.Looks, f.memory.Count = 100, 1
		f.now = func() time.Time { return began.Add(time.Second) }
		return f.service()
	}
	for name, c := range map[string]struct {
		change func(*api.Service)
		want   bool
	}{
		"all is well":           {func(*api.Service) {}, true},
		"not connected":         {func(s *api.Service) { s.Connected = false }, false},
		"stopped":               {func(s *api.Service) { s.Intent = api.IntentStop }, false},
		"deploying":             {func(s *api.Service) { s.Plans[0].Status = "STARTED" }, false},
		"recovering":            {func(s *api.Service) { s.Plans[1].Status = "STARTED" }, false},
		"the facts are too old": {func(s *api.Service) { s.Kafka.Asked = &time.Time{} }, false},
		"Kafka does not answer": {func(s *api.Service) { s.Kafka.Error = "refused" }, false},
		"a broker is missing":   {func(s *api.Service) { s.Pods[0].Broker = nil }, false},
		"a broker is fenced":    {func(s *api.Service) { s.Pods[0].Broker.Fenced = true }, false},
		"no facts, for long": {func(s *api.Service) {
			s.Kafka.Asked, s.Now = nil, began.Add(time.Minute)
		}, true},
	} {
		s := well()
		c.change(&s)
		if got := running(s, spec, began); got != c.want {
			t.Errorf("%s: running is %t", name, got)
		}
	}
}
