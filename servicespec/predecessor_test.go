package servicespec

import (
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

// recorded is what the predecessor answered for its target configuration.
type recorded struct {
	Name, Role, Principal, User string
	Pods                        []recordedPod `json:"pod-specs"`
}

type recordedPod struct {
	Type    string
	Count   int
	User    string
	Allow   bool `json:"allow-decommission"`
	URIs    []string
	RLimits []struct {
		Name       string
		Soft, Hard uint64
	}
	Tasks       []recordedTask `json:"task-specs"`
	PreReserved string         `json:"pre-reserved-role"`
}

type recordedTask struct {
	Name, Goal string
	Essential  bool
	Set        struct {
		ID        string
		Resources []recordedResource `json:"resource-specifications"`
		Volumes   []recordedResource `json:"volume-specifications"`
	} `json:"resource-set"`
	Command struct {
		Value       string
		Environment map[string]string
	} `json:"command-spec"`
	Health    *recordedCheck `json:"health-check-spec"`
	Readiness *recordedCheck `json:"readiness-check-spec"`
	Configs   []struct {
		Name string
		Path string `json:"relative-path"`
		Text string `json:"template-content"`
	} `json:"config-files"`
	KillGrace int `json:"kill-grace-period"`
}

type recordedResource struct {
	Name  string
	Value struct {
		Scalar struct{ Value float64 }
		Ranges struct {
			Range []struct{ Begin, End int }
		}
	}
	PortName string `json:"port-name"`
	EnvKey   string `json:"env-key"`
	VIPName  string `json:"vip-name"`
	VIPPort  int    `json:"vip-port"`
	Type     string
	Path     string `json:"container-path"`
	Profiles []string
}

type recordedCheck struct {
	Command                  string
	Interval, Timeout, Delay int
	Grace                    int `json:"grace-period"`
	Failures                 int `json:"max-consecutive-failures"`
}

// TestPredecessor loads specs of the predecessor, and compares what comes out with the answers
// that were recorded of it.
func TestPredecessor(t *testing.T) {
	for name, env := range map[string]map[string]string{"kafka": kafkaEnv, "mixed": mixedEnv} {
		t.Run(name, func(t *testing.T) {
			all := maps.Clone(predecessorEnv)
			maps.Copy(all, env)
			folder := "testdata/predecessor/"
			files := map[string]string{"server.properties.mustache": string(
				read(t, folder+"server.properties.mustache"))}
			s, warnings, errs := LoadLenient(name+".yml", read(t, folder+name+".yml"), all, files)
			if warnings != nil || errs != nil {
				t.Fatal(warnings, errs)
			}
			if list := s.Beyond(); list != nil {
				t.Error(list)
			}
			service := s.Service.WithTaskConfig(all)
			var want recorded
			if err := json.Unmarshal(read(t, folder+name+"-target.json"), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(linesOf(want), linesOfService(service)); diff != "" {
				t.Errorf("(-recorded +loaded):\n%s", diff)
			}
			golden(t, folder+name+"-plans.txt", plansOf(service))
		})
	}
}

// linesOf tells a recorded configuration in lines, which are compared with those of a Service.
func linesOf(r recorded) []string {
	out := []string{fmt.Sprint("service ", strings.TrimPrefix(r.Name, "/"), r.Role, r.Principal,
		r.User)}
	for _, p := range r.Pods {
		out = append(out, fmt.Sprint("pod ", p.Type, p.Count, p.Allow, p.URIs, p.PreReserved))
		for _, l := range p.RLimits {
			name := "RLMT_" + strings.TrimPrefix(l.Name, "RLIMIT_")
			out = append(out, fmt.Sprint("limit ", name, l.Soft, l.Hard))
		}
		for _, task := range p.Tasks {
			out = append(out, fmt.Sprint("task ", task.Name, task.Goal, task.Essential, task.Set.ID,
				task.Command.Value, task.Command.Environment, task.KillGrace))
			for _, x := range task.Set.Resources {
				if x.Name == "ports" {
					out = append(out, fmt.Sprint("port ", x.PortName, x.Value.Ranges.Range[0].Begin,
						x.EnvKey, x.VIPName, x.VIPPort))
					continue
				}
				out = append(out, fmt.Sprint(x.Name, x.Value.Scalar.Value))
			}
			for _, x := range task.Set.Volumes {
				out = append(out, fmt.Sprint("volume ", x.Path, x.Type, x.Value.Scalar.Value,
					x.Profiles))
			}
			for _, c := range task.Configs {
				out = append(out, fmt.Sprint("config ", c.Name, c.Path, c.Text))
			}
			for _, c := range []*recordedCheck{task.Health, task.Readiness} {
				if c != nil {
					out = append(out, fmt.Sprint("check ", *c))
				}
			}
		}
	}
	return out
}

func linesOfService(s Service) []string {
	out := []string{fmt.Sprint("service ", s.Name, s.Role, s.Principal, s.User)}
	for _, p := range s.Pods {
		out = append(out, fmt.Sprint("pod ", p.Type, p.Count, p.AllowDecommission, p.URIs,
			p.PreReservedRole))
		for _, l := range p.RLimits {
			out = append(out, fmt.Sprint("limit ", l.Name, *l.Soft, *l.Hard))
		}
		for _, task := range p.Tasks {
			out = append(out, linesOfTask(task)...)
		}
	}
	return out
}

func linesOfTask(task Task) []string {
	env := map[string]string{}
	for _, v := range task.Env {
		env[v.Name] = v.Value
	}
	set := task.Resources
	out := []string{fmt.Sprint("task ", task.Name, task.Goal, task.Essential, set.Name,
		task.Command, env, int(task.KillGrace.Seconds())),
		fmt.Sprint("cpus", float64(set.CPUs)/1000), fmt.Sprint("mem", float64(set.Memory))}
	for _, port := range set.Ports {
		vip := VIP{}
		if port.VIP != nil {
			vip = *port.VIP
		}
		out = append(out, fmt.Sprint("port ", port.Name, port.Port, port.EnvKey, vip.Prefix,
			vip.Port))
	}
	for _, v := range set.Volumes {
		out = append(out, fmt.Sprint("volume ", v.Path, v.Type, float64(v.Size), v.Profiles))
	}
	for _, c := range task.Configs {
		out = append(out, fmt.Sprint("config ", c.Name, c.Dest, c.Text))
	}
	for _, c := range []*Check{task.Health, task.Readiness} {
		if c != nil {
			out = append(out, fmt.Sprint("check ", recordedCheck{c.Command,
				int(c.Interval.Seconds()), int(c.Timeout.Seconds()), int(c.Delay.Seconds()),
				int(c.GracePeriod.Seconds()), c.MaxConsecutiveFailures}))
		}
	}
	return out
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

// TestTaskConfig shows which of several values wins.
func TestTaskConfig(t *testing.T) {
	task := func(vars ...EnvVar) Task { return Task{Name: "t", Env: vars} }
	before := Service{Pods: []Pod{{Type: "a-b", Tasks: []Task{task(EnvVar{"X", "spec"})}},
		{Type: "c", Tasks: []Task{task()}}}}
	after := before.WithTaskConfig(map[string]string{"TASKCFG_ALL_X": "all", "TASKCFG_ALL_Y": "",
		"TASKCFG_A_B_X": "pod", "TASKCFG_C_": "none", "TASKCFG_D_X": "other", "X": "no"})
	want := Service{Pods: []Pod{
		{Type: "a-b", Tasks: []Task{task(EnvVar{"X", "pod"}, EnvVar{"Y", ""})}},
		{Type: "c", Tasks: []Task{task(EnvVar{"X", "all"}, EnvVar{"Y", ""})}}}}
	if diff := cmp.Diff(want, after); diff != "" {
		t.Error(diff)
	}
	if before.Pods[0].Tasks[0].Env[0].Value != "spec" {
		t.Error("the given service was changed")
	}
}
