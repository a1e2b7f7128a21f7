package servicespec

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"
)

const classSpec = `name: web
scheduler: {user: nobody}
pods:
  web:
    count: 2
    allow-decommission: false
    placement: hostname:UNIQUE
    uris: [http://files.example/a]
    volume: {path: shared, type: ROOT, size: 10}
    rlimits: {RLIMIT_NOFILE: {soft: 10, hard: 10}}
    tasks:
      server:
        goal: RUNNING
        cmd: ./server
        cpus: 1
        memory: 64
        env: {A: a, B: b}
        ports: {http: {port: 0, env-key: HTTP, advertise: true}}
        labels: "team:data"
        discovery: {prefix: node}
        configs: {main: {template: log.mustache, dest: log.conf}}
        readiness-check: {cmd: ./ready, interval: 5, timeout: 5}
plans: {deploy: {phases: {web: {pod: web}}}}
`

// classTests replace a text of classSpec by another; want is the class of all changes.
var classTests = []struct {
	old, new string
	want     Class
}{
	{"name: web", "name: shop", Forbidden},
	{"user: nobody", "user: me", Forbidden},
	{"name: web", "name: web\nweb-url: http://web.example", Live},
	{"{user: nobody}", "{user: nobody, zookeeper: here}", Nothing},
	{"{user: nobody}", "{user: nobody, failover-timeout: 600}", Live},
	{"count: 2", "count: 3", Live},
	{"count: 2", "count: 1", Forbidden},
	{"count: 2\n    allow-decommission: false", "count: 2\n    allow-decommission: true", Nothing},
	{"hostname:UNIQUE", "hostname:MAX_PER:2", Live},
	{"files.example/a", "files.example/b", Restart},
	{"soft: 10", "soft: 9", Restart},
	{"size: 10", "size: 20", Forbidden},
	{"goal: RUNNING", "goal: FINISH", Live},
	{"goal: RUNNING", "goal: RUNNING\n        essential: false", Live},
	{"goal: RUNNING", "kind: service # clearer", ""},
	{"./server", "./server2", Restart},
	{"cpus: 1", "cpus: 2", Restart},
	{"memory: 64", "memory: 65", Restart},
	{"{A: a, B: b}", "{A: a, B: c}", Restart},
	{"{A: a, B: b}", "{B: b, A: a}", ""},
	{"port: 0,", "port: 80,", Restart},
	{"env-key: HTTP", "env-key: PORT", Restart},
	{"advertise: true", "advertise: false", Live},
	{"advertise: true", "advertise: true, vip: {port: 80}", Live},
	{"port: 0,", "port: 0, ranges: [{begin: 9}],", Live},
	{"team:data", "team:web", Live},
	{"prefix: node", "prefix: other", Live},
	{"log.mustache", "server.properties.mustache", Restart},
	{"log.conf", "other.conf", Restart},
	{"interval: 5", "interval: 6", Restart},
	{"./ready", "./steady", Restart},
	{"phases: {web: {pod: web}}", "phases: {web: {pod: web, strategy: parallel}}", Live},
	{"    tasks:\n", "    tasks:\n      side: {goal: ONCE, cmd: a, cpus: 1, memory: 32}\n",
		Replace},
	{"pods:\n", "pods:\n  b: {count: 1, tasks: {t: {goal: ONCE, cmd: a, cpus: 1, memory: 32}}}\n",
		Live},
	{"name: web", "# a comment\nname: web", ""},
}

// TestClass shows what each change does; of changes of one path the worst class counts.
func TestClass(t *testing.T) {
	order := []Class{"", Nothing, Live, Restart, Replace, Forbidden}
	a := parse(t, classSpec)
	for _, test := range classTests {
		if !strings.Contains(classSpec, test.old) {
			t.Errorf("there is no %q", test.old)
		}
		b := parse(t, strings.Replace(classSpec, test.old, test.new, 1))
		worst := 0
		for _, c := range Diff(a, b) {
			for i, class := range order {
				if c.Class == class {
					worst = max(worst, i)
				}
			}
			if c.Reason == "" || c.Class == "" {
				t.Errorf("%+v lacks something", c)
			}
		}
		if order[worst] != test.want {
			t.Errorf("%q -> %q: %v is %q, not %q", test.old, test.new, Diff(a, b), order[worst],
				test.want)
		}
		restarts := test.want == Restart || test.want == Replace
		same := a.LaunchHash("web") == b.LaunchHash("web")
		if same == restarts && test.want != Forbidden {
			t.Errorf("%q -> %q: hashes are the same: %v", test.old, test.new, same)
		}
	}
}

// TestVolumeSizeOfKafka shows that only the volumes of Kafka nodes can have other sizes.
func TestVolumeSizeOfKafka(t *testing.T) {
	const spec = `{name: kafka, scheduler: {user: nobody}, pods: {kafka: {count: 1,
  kafka: {version: 4.3.1, heap: 256}, tasks: {broker: {goal: RUNNING, cpus: 1, memory: 768,
  ports: {broker: {port: 0}, controller: {port: 0}},
  volume: {path: data, type: ROOT, size: 10}}}}}}`
	a := parse(t, spec)
	for change, want := range map[string]Class{"size: 20": Replace, "size: 5": Replace} {
		list := Diff(a, parse(t, strings.Replace(spec, "size: 10", change, 1)))
		if len(list) != 1 || list[0].Class != want {
			t.Errorf("%s: %+v is not %s", change, list, want)
		}
	}
	for _, c := range Diff(a, parse(t, strings.Replace(spec, "path: data", "path: logs", 1))) {
		if strings.HasSuffix(c.Path, ".size") && c.Class != Forbidden {
			t.Errorf("%+v is not forbidden", c)
		}
	}
}

// TestPodsGo shows when pods may go.
func TestPodsGo(t *testing.T) {
	a := parse(t, classSpec)
	b := a
	b.Pods = nil
	for allow, want := range map[bool]Class{false: Forbidden, true: Live} {
		a.Pods[0].AllowDecommission = allow
		for _, c := range Diff(a, b) {
			if c.Class != want {
				t.Errorf("%v is %s, not %s", c, c.Class, want)
			}
		}
	}
	if b.LaunchHash("web") != "" {
		t.Error("a pod that is not there has a hash")
	}
}

// TestDiffSpecs shows changes beyond Service.
func TestDiffSpecs(t *testing.T) {
	spec := func(more string) Spec {
		s, errs := ParseSpec("t.yml", []byte(strings.Replace(classSpec, "    tasks:\n",
			more+"    tasks:\n", 1)), templates)
		if errs != nil {
			t.Fatal(errs)
		}
		return s
	}
	a := spec("    update: {settle: 3}\n    secrets: {a: {secret: x}}\n    user: me\n")
	b := spec("    update: {settle: 4}\n    secrets: {a: {secret: y}}\n    prefer: " +
		"[{placement: 'a:IS:b'}]\n")
	var got []string
	for _, c := range DiffSpecs(a, b) {
		got = append(got, fmt.Sprintf("%s [%s]", c, c.Class))
	}
	want := []string{
		`pods.web.prefer.0.placement: (none) -> "[[\"a\",\"IS\",\"b\"]]" [live]`,
		`pods.web.prefer.0.weight: (none) -> 1 [live]`,
		`pods.web.secrets.a.file: "x" -> "y" [restart]`,
		`pods.web.secrets.a.secret: "x" -> "y" [restart]`,
		`pods.web.update.settle: 3 -> 4 [live]`,
		`pods.web.user: "me" -> (none) [forbidden]`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if changes := DiffSpecs(a, a); changes != nil {
		t.Error(changes)
	}
}

// TestNetworkRegime forbids that a pod begins or ceases to use ports of the agent.
func TestNetworkRegime(t *testing.T) {
	none, own := networks(t, ""), networks(t, "networks: {dcos: }")
	other, mapped := networks(t, "networks: {calico: }"), networks(t, "networks: {mesos-bridge: }")
	for _, test := range []struct {
		a, b Spec
		want Class
	}{{none, own, Forbidden}, {own, none, Forbidden}, {own, mapped, Forbidden},
		{mapped, own, Forbidden}, {own, other, Restart}, {none, mapped, Restart}} {
		changes := DiffSpecs(test.a, test.b)
		if len(changes) == 0 {
			t.Errorf("nothing differs between %+v and %+v", test.a.Pods, test.b.Pods)
		}
		for _, c := range changes {
			if c.Class != test.want {
				t.Errorf("%s is %s, not %s", c, c.Class, test.want)
			}
		}
	}
}

func networks(t *testing.T, line string) Spec {
	t.Helper()
	text := "name: web\npods:\n  web:\n    count: 1\n    " + line +
		"\n    tasks:\n      a: {goal: RUNNING, cmd: a, ports: {http: {port: 0}}}\n"
	s, errs := ParseSpec("f", []byte(text), nil)
	if errs != nil {
		t.Fatal(errs)
	}
	return s
}

// TestDiffKeyOrder shuffles the keys of good specs.
func TestDiffKeyOrder(t *testing.T) {
	texts := map[string][]byte{}
	for _, folder := range []string{"good", "whole-good"} {
		for _, path := range specs(t, folder, 20) {
			text := read(t, path)
			if !strings.Contains(string(text), "&") { // anchors must stay before their aliases
				texts[path] = text
			}
		}
	}
	names := sortedNames(texts)
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom(names).Draw(rt, "name")
		a, errs := ParseSpec("a.yml", texts[name], templates)
		if errs != nil {
			rt.Fatal(errs)
		}
		var node yaml.Node
		if err := yaml.Unmarshal(texts[name], &node); err != nil {
			rt.Fatal(err)
		}
		shuffle(rt, &node)
		shuffled, err := yaml.Marshal(&node)
		if err != nil {
			rt.Fatal(err)
		}
		b, errs := ParseSpec("b.yml", shuffled, templates)
		if errs != nil {
			rt.Fatal(errs)
		}
		if changes := DiffSpecs(a, b); changes != nil {
			rt.Fatalf("%s: %v", name, changes)
		}
		for _, pod := range a.Service.Pods {
			if a.Service.LaunchHash(pod.Type) != b.Service.LaunchHash(pod.Type) {
				rt.Fatalf("%s: pod %s has another hash", name, pod.Type)
			}
		}
	})
}

func shuffle(t *rapid.T, n *yaml.Node) {
	if n.ShortTag() == "!!null" {
		n.Value = "null" // a printed "" would be text
	}
	if n.Kind == yaml.MappingNode {
		var pairs [][2]*yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			pairs = append(pairs, [2]*yaml.Node{n.Content[i], n.Content[i+1]})
		}
		if len(pairs) > 1 {
			pairs = rapid.Permutation(pairs).Draw(t, "pairs")
		}
		n.Content = n.Content[:0]
		for _, p := range pairs {
			n.Content = append(n.Content, p[0], p[1])
		}
	}
	for _, child := range n.Content {
		shuffle(t, child)
	}
}
