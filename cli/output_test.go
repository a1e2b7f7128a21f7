package cli

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/kafka-sched/kafka-sched/servicespec"
	"gopkg.in/yaml.v3"
)

// YAML says what JSON says, in the same order.
func TestYAML(t *testing.T) {
	document := json.RawMessage(`{"b":"1","a":[true,1,1.5,null,"null","yes",""," x","a: b","#"],
		"empty":[],"none":{},"text":"two\nlines\n","nested":{"z":[{"y":"☃"}],"~":"~"}}`)
	var out bytes.Buffer
	e := &env{stdout: &out, form: formYAML}
	if err := e.printJSON(document); err != nil {
		t.Fatal(err)
	}
	var said, want any
	if err := yaml.Unmarshal(out.Bytes(), &said); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(document, &want); err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(said)
	if err != nil {
		t.Fatal(err)
	}
	if all, _ := json.Marshal(want); !bytes.Equal(got, all) {
		t.Errorf("%s became\n%s", all, &out)
	}
	if !strings.HasPrefix(out.String(), "b: \"1\"\na:\n  - true\n") ||
		!strings.Contains(out.String(), "\nempty: []\nnone: {}\n") {
		t.Errorf("it is written\n%s", &out)
	}
}

func TestRedactText(t *testing.T) {
	for text, want := range map[string]string{
		"password=hunter2":                          "password=<redacted>",
		"ssl.keystore.password: hunter 2\nnext: 1":  "ssl.keystore.password: <redacted>\nnext: 1",
		`{"apiKey": "a\"b", "port": 1}`:             `{"apiKey": <redacted>, "port": 1}`,
		"DB_PASSWORD='x' NAME=y":                    "DB_PASSWORD=<redacted> NAME=y",
		"http://ann:pw@host:1/x":                    "http://<redacted>@host:1/x",
		"sasl.jaas.config=a b required user=\"x\";": "sasl.jaas.config=<redacted>",
		"-----BEGIN RSA PRIVATE KEY-----\nab\n-----END RSA PRIVATE KEY-----": "-----BEGIN RSA " +
			"PRIVATE KEY----- <redacted> -----END RSA PRIVATE KEY-----",
		"the broker has no secret to tell": "the broker has no secret to tell",
		"key: value, at 12:00":             "key: value, at 12:00",
	} {
		if got := redactText(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestRedactJSON(t *testing.T) {
	got, err := redactJSON(json.RawMessage(`{"secret":{"path":"kept"},"token":"x","pin_token":4,
		"env":[{"name":"DB_PASSWORD","value":"x"},{"name":"PORT","value":"1"}],"list":["a=1",
		"password: y"],"has_token":true}`))
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	if err := json.Compact(&said, got); err != nil {
		t.Fatal(err)
	}
	want := `{"env":[{"name":"DB_PASSWORD","value":"<redacted>"},{"name":"PORT","value":"1"}],` +
		`"has_token":true,"list":["a=1","password: <redacted>"],"pin_token":"<redacted>",` +
		`"secret":{"path":"kept"},"token":"<redacted>"}`
	if said.String() != want {
		t.Errorf("%s, want\n%s", &said, want)
	}
}

// What describe prints are options, and say the same as those that it was asked for.
func TestDescribeIsOptions(t *testing.T) {
	options := servicespec.Options{"brokers.count": "5", "kafka.log.retention.hours": "72",
		"kafka.log.retention.ms": "1", "service.name": "007", "kafka.auto.create": "true",
		"brokers.heap.size": "512"}
	text, err := json.Marshal(resolved(options))
	if err != nil {
		t.Fatal(err)
	}
	again, errs := servicespec.DecodeOptions("described", text)
	if len(errs) > 0 {
		t.Fatalf("%s: %v", text, errs)
	}
	if got, want := again.Environment(), options.Environment(); !maps.Equal(got, want) {
		t.Errorf("%v became %v", want, got)
	}
}

// Variables for tasks get into the text of a spec whatever its form, and nothing else changes.
func TestConfigure(t *testing.T) {
	const spec = `name: web
pods:
  my-web: &web
    count: 1
    tasks:
      server: &task # the only one
        goal: RUNNING
        cmd: "echo {{NOT}}"
        cpus: 0.1
        memory: 32
        env: {A: "1", B: two}
  other:
    count: 1
    tasks:
      server: *task
  plain:
    count: 1
    tasks:
      server: {goal: RUNNING, cmd: sleep 1, cpus: 0.1, memory: 32}
`
	service, errs := servicespec.Parse("svc.yml", []byte(spec), nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	w := wanted{service: service, text: []byte(spec)}
	if err := w.configure("svc.yml", map[string]string{"TASKCFG_OTHERS_A": "9"}); err != nil {
		t.Fatal(err)
	}
	if string(w.text) != spec {
		t.Errorf("a variable of no pod changed the text:\n%s", w.text)
	}
	vars := map[string]string{"TASKCFG_ALL_B": "b: {", "TASKCFG_MY_WEB_A": "7", "TASKCFG_ALL_C": ""}
	if err := w.configure("svc.yml", vars); err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]servicespec.EnvVar{
		{{Name: "A", Value: "7"}, {Name: "B", Value: "b: {"}, {Name: "C"}},
		{{Name: "A", Value: "1"}, {Name: "B", Value: "b: {"}, {Name: "C"}},
		{{Name: "B", Value: "b: {"}, {Name: "C"}},
	} {
		env := slices.Clone(w.service.Pods[i].Tasks[0].Env)
		slices.SortFunc(env, func(a, b servicespec.EnvVar) int {
			return strings.Compare(a.Name, b.Name)
		})
		if !slices.Equal(env, want) {
			t.Errorf("%s has %v, want %v", w.service.Pods[i].Type, env, want)
		}
	}
	for _, c := range servicespec.Diff(service, w.service) {
		if !strings.Contains(c.Path, ".env.") {
			t.Errorf("it changed more: %s", c)
		}
	}
}
