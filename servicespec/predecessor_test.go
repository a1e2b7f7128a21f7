package servicespec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var predecessorEnv = map[string]string{
	"PORT_API": "8080", "MARATHON_NAME": "marathon", "FRAMEWORK_USER": "nobody",
}

var kafkaEnv = map[string]string{
	"FRAMEWORK_NAME": "kafka", "FRAMEWORK_PRINCIPAL": "kafka-principal", "BROKER_COUNT": "3",
	"BROKER_CPUS": "1", "BROKER_MEM": "2048", "BROKER_PORT": "9092", "BROKER_DISK": "5000",
	"BROKER_HEAP_MB": "512", "KILL_GRACE_PERIOD": "30", "DEPLOY_STRATEGY": "serial",
	"PLACEMENT_CONSTRAINTS":           `[["hostname", "UNIQUE"]]`,
	"KAFKA_URI":                       "http://downloads.example/kafka.tgz",
	"BOOTSTRAP_URI":                   "http://downloads.example/bootstrap.zip",
	"TASKCFG_ALL_KAFKA_ZOOKEEPER_URI": "master.mesos:2181/kafka",
}

var mixedEnv = map[string]string{
	"FRAMEWORK_NAME": "/folder/mixed", "FRAMEWORK_PRINCIPAL": "folder/mixed-principal",
	"NODE_COUNT": "2", "NODE_CPUS": "0.5", "BACKUP_TARGET": "default-target", "DATA_PORT": "0",
}

// recorded is an answer of the predecessor to GET /v1/configurations/<id>, and how it came about.
type recorded struct {
	Spec    string            // kafka or mixed
	Changed map[string]string // of the variables above
	Moment  string            // in words
	Answer  json.RawMessage
}

// TestPredecessor loads specs of the predecessor, and compares what comes out with each answer
// that was recorded of it, byte by byte.
func TestPredecessor(t *testing.T) {
	folder := "testdata/predecessor/"
	for line := range bytes.Lines(read(t, folder+"configurations.jsonl")) {
		var r recorded
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		t.Run(r.Spec+" "+r.Moment, func(t *testing.T) {
			service := loadPredecessor(t, r.Spec, r.Changed)
			got, err := PredecessorJSON(service)
			if err != nil {
				t.Fatal(err)
			}
			var want bytes.Buffer
			if err := json.Compact(&want, r.Answer); err != nil {
				t.Fatal(err)
			}
			if want.String() != string(got) {
				t.Error(cmp.Diff(indented(t, want.Bytes()), indented(t, got)))
			}
			if len(r.Changed) == 0 {
				golden(t, folder+r.Spec+"-plans.txt", plansOf(service))
			}
		})
	}
}

// TestPredecessorJSON holds what is printed of all that the recorded specs do not have.
func TestPredecessorJSON(t *testing.T) {
	const name = "testdata/predecessor/all"
	s, errs := Parse(name, read(t, name+".yml"), nil)
	if errs != nil {
		t.Fatal(errs)
	}
	got, err := PredecessorJSON(s)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, name+".json", indented(t, got)+"\n")
	for _, path := range specs(t, "good", 130) {
		s, errs := Parse(path, read(t, path), templates)
		if errs != nil {
			t.Fatal(errs)
		}
		if text, err := PredecessorJSON(s); err != nil || !json.Valid(text) {
			t.Errorf("%s: %s, %v", path, text, err)
		}
	}
}

func loadPredecessor(t *testing.T, name string, changed map[string]string) Service {
	t.Helper()
	env := maps.Clone(predecessorEnv)
	maps.Copy(env, map[string]map[string]string{"kafka": kafkaEnv, "mixed": mixedEnv}[name])
	maps.Copy(env, changed)
	folder := "testdata/predecessor/"
	files := map[string]string{"server.properties.mustache": string(
		read(t, folder+"server.properties.mustache"))}
	s, warnings, errs := LoadLenient(name+".yml", read(t, folder+name+".yml"), env, files)
	if warnings != nil || errs != nil || s.Beyond() != nil {
		t.Fatal(warnings, errs, s.Beyond())
	}
	return s.Service.WithTaskConfig(env)
}

func indented(t *testing.T, data []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", " "); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// plansOf tells the plans with the names of their steps, as the predecessor names them.
func plansOf(s Service) string {
	counts, tasks := map[string]int{}, map[string][]string{}
	for _, pod := range s.Pods {
		counts[pod.Type] = pod.Count
		for _, task := range pod.Tasks {
			tasks[pod.Type] = append(tasks[pod.Type], task.Name)
		}
	}
	var b strings.Builder
	for _, plan := range s.Plans {
		fmt.Fprintf(&b, "%s %s\n", plan.Name, plan.Strategy)
		for _, phase := range plan.Phases {
			fmt.Fprintf(&b, "  %s %s\n", phase.Name, phase.Strategy)
			for i := range counts[phase.Pod] {
				for _, names := range stepsOf(phase, i, tasks[phase.Pod]) {
					fmt.Fprintf(&b, "    %s-%d:[%s]\n", phase.Pod, i, strings.Join(names, ", "))
				}
			}
		}
	}
	return b.String()
}

func stepsOf(phase Phase, index int, all []string) [][]string {
	if phase.Steps == nil {
		return [][]string{all}
	}
	var steps [][]string
	for _, s := range phase.Steps {
		if !s.Default && s.Index == index {
			return s.Steps
		}
		if s.Default {
			steps = s.Steps
		}
	}
	return steps
}

// TestLenient holds the warnings of lenient rendering.
func TestLenient(t *testing.T) {
	out, warnings, errs := RenderLenient("t", []byte("a: {{NAME}}\nb: {{NAMES}}{{X}}\n"),
		map[string]string{"NAME": "web"})
	if errs != nil || string(out) != "a: web\nb: \n" {
		t.Errorf("%q, %v", out, errs)
	}
	want := `t:2:4: {{NAMES}} has no value and becomes nothing; did you mean NAME? [unknown-key]
t:2:13: {{X}} has no value and becomes nothing; set X [unknown-key]
`
	if diff := cmp.Diff(want, lines(warnings)); diff != "" {
		t.Error(diff)
	}
	_, warnings, errs = LoadLenient("t", []byte("name: {{NAME}}\n\npods: {{PODS}"), nil, nil)
	if len(errs) != 1 || errs[0].Code != Malformed || warnings != nil {
		t.Errorf("%v, %v", warnings, errs)
	}
	_, warnings, errs = LoadLenient("t", []byte("{{! x }}\nname: {{N}}\npods: 1\n"), nil, nil)
	if len(warnings) != 1 || len(errs) != 2 || errs[0].Line != 2 || errs[1].Line != 3 {
		t.Errorf("%v, %v", warnings, errs)
	}
}
