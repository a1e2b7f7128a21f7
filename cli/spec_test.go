package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/kafka-sched/kafka-sched/examples"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"gopkg.in/yaml.v3"
)

// goodSpecs are specs that the parser takes, by file name, without templates.
func goodSpecs(t *testing.T) map[string][]byte {
	t.Helper()
	var paths []string
	const testdata = "../servicespec/testdata/"
	for _, folder := range []string{testdata + "good", testdata + "whole-good", "../examples"} {
		found, err := filepath.Glob(filepath.Join(folder, "*.yml"))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	specs := map[string][]byte{"spec_init.yml": startingSpec}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(data, []byte("{{")) {
			specs[filepath.Base(path)] = data
		}
	}
	if len(specs) < 30 {
		t.Fatalf("only %d specs were found", len(specs))
	}
	return specs
}

// TestLayout formats every good spec: it means the same, keeps its comments (layout itself sees
// to that), and formatting it again changes nothing.
func TestLayout(t *testing.T) {
	specs := goodSpecs(t)
	for _, name := range slices.Sorted(maps.Keys(specs)) {
		once, err := layout(specs[name], knownKeys())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		twice, err := layout(once, knownKeys())
		if err != nil {
			t.Errorf("%s, formatted: %v", name, err)
		}
		if diff := cmp.Diff(string(once), string(twice)); diff != "" {
			t.Errorf("%s changes again (-once +twice):\n%s", name, diff)
		}
		before, errsBefore := servicespec.ParseSpec(name, specs[name], configTemplates)
		after, errsAfter := servicespec.ParseSpec(name, once, configTemplates)
		if diff := cmp.Diff(before, after); diff != "" || len(errsBefore) != len(errsAfter) {
			t.Errorf("%s means something else: %v\n%s", name, errsAfter, diff)
		}
	}
}

// configTemplates are those that specs in testdata and examples name.
var configTemplates = func() map[string]string {
	templates := examples.Templates()
	templates["server.properties.mustache"] = "a=b\n"
	templates["log.mustache"] = "c\n"
	return templates
}()

// TestRender fills in the defaults of every good spec, which changes nothing of what it means
// (filledIn itself sees to that), and nothing at all when done again.
func TestRender(t *testing.T) {
	specs := goodSpecs(t)
	for _, name := range slices.Sorted(maps.Keys(specs)) {
		d := draft{file: name, text: specs[name], files: configTemplates}
		for range 2 {
			spec, errs := servicespec.ParseSpec(name, d.text, d.files)
			if len(errs) > 0 {
				t.Fatalf("%s: %v", name, errs)
			}
			d.spec = spec
			text, err := filledIn(d)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			d.text = text
		}
		again, err := filledIn(d)
		if diff := cmp.Diff(string(d.text), string(again)); err != nil || diff != "" {
			t.Errorf("%s changes again: %v\n%s", name, err, diff)
		}
	}
}

// TestStartingSpec holds that what spec init writes is canonical and valid.
func TestStartingSpec(t *testing.T) {
	if _, errs := servicespec.Parse("init", startingSpec, nil); len(errs) > 0 {
		t.Error(errs)
	}
	canonical, err := layout(startingSpec, knownKeys())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(startingSpec), string(canonical)); diff != "" {
		t.Errorf("the starting spec is not canonical (-is +canonical):\n%s", diff)
	}
}

// nested is a document in which a value stands at a path of keys.
func nested(path string, leaf any) any {
	v := leaf
	words := segments(path)
	for _, w := range slices.Backward(words) {
		switch {
		case w == "[]":
			v = []any{v}
		case strings.HasPrefix(w, "<"):
			v = map[string]any{"0": v}
		case w != "":
			v = map[string]any{w: v}
		}
	}
	return v
}

// complaints are the paths that the parser calls unknown in a document; ok is false when it
// does not look into a part of it.
func complaints(t *testing.T, doc any) (paths []string, ok bool) {
	t.Helper()
	if pods, ok := doc.(map[string]any)["pods"].(map[string]any); ok {
		// What is said of an instance is read only if it is there, and runs something.
		if pod, ok := pods["0"].(map[string]any); ok && pod["kafka"] != nil {
			pod["count"] = 1
			pod["tasks"] = map[string]any{"t": map[string]any{"goal": "RUNNING", "cpus": 1}}
		}
	}
	text, err := yaml.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	_, errs := servicespec.ParseSpec("probe", text, nil)
	ok = true
	for _, e := range errs {
		if e.Code == servicespec.UnknownKey {
			paths = append(paths, e.Path)
		}
		ok = ok && e.Code != servicespec.Unsupported
	}
	return paths, ok
}

// TestKeysKnown asks the parser for every key of the table: it knows the key, and next to it
// none that is not in the table.
func TestKeysKnown(t *testing.T) {
	const odd = "no-such-key"
	for _, k := range servicespec.Keys() {
		if strings.Contains(k.Path, "rlimits.<name>") {
			continue // names of limits are not free; the parser's own tests have them
		}
		parent, name := "", k.Path
		if at := strings.LastIndex(k.Path, "."); at >= 0 {
			parent, name = k.Path[:at], k.Path[at+1:]
		}
		doc := nested(parent, map[string]any{name: nil, odd: 1})
		paths, ok := complaints(t, doc)
		others := slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
			return strings.HasSuffix(path, odd)
		})
		if len(others) > 0 {
			t.Errorf("the parser does not know %s: %v", k.Path, others)
		}
		if ok && len(others) == len(paths) {
			t.Errorf("the parser takes %s next to %s", odd, k.Path)
		}
	}
}

// plainSchema is the schema as a reader of the JSON sees it.
func plainSchema(t *testing.T) map[string]any {
	t.Helper()
	data, err := json.Marshal(specSchema())
	if err != nil {
		t.Fatal(err)
	}
	var s map[string]any
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchemaKeys holds the schema's keys against those of the table, both ways.
func TestSchemaKeys(t *testing.T) {
	var have, want []string
	var walk func(s map[string]any, path string)
	walk = func(s map[string]any, path string) {
		properties, _ := s["properties"].(map[string]any)
		for name, child := range properties {
			at := strings.TrimPrefix(path+"."+name, ".")
			have = append(have, at)
			walk(child.(map[string]any), at)
		}
		if names, ok := s["additionalProperties"].(map[string]any); ok {
			walk(names, path+".<name>")
		}
		if items, ok := s["items"].(map[string]any); ok {
			walk(items, path+"[]")
		}
		forms, _ := s["anyOf"].([]any)
		for _, form := range forms {
			walk(form.(map[string]any), path)
		}
	}
	walk(plainSchema(t), "")
	for _, k := range servicespec.Keys() {
		want = append(want, k.Path)
	}
	slices.Sort(have)
	slices.Sort(want)
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("keys (-table +schema):\n%s", diff)
	}
}

// TestSchemaGood holds every good spec against the schema.
func TestSchemaGood(t *testing.T) {
	s := plainSchema(t)
	specs := goodSpecs(t)
	for _, name := range slices.Sorted(maps.Keys(specs)) {
		var doc any
		if err := yaml.Unmarshal(specs[name], &doc); err != nil {
			t.Fatal(err)
		}
		if wrong := against(s, textKeys(doc), ""); wrong != "" {
			t.Errorf("%s: %s", name, wrong)
		}
	}
}

// TestSchemaBad holds that the schema refuses what it can see.
func TestSchemaBad(t *testing.T) {
	s := plainSchema(t)
	for _, text := range []string{
		"name: x", "{name: x, pods: {}, plan: {}}", "{name: [x], pods: {}}",
		"{name: x, pods: {a: {count: many, tasks: {}}}}",
		"{name: x, pods: {a: {count: 1, tasks: {t: {goal: RUN, cmd: x}}}}}",
		"{name: x, pods: {a: {count: 1, tasks: {t: {mem: 1}}}}}",
		"{name: x, pods: {a: {count: 1, uris: x, tasks: {}}}}",
		"{name: x, pods: {a: {tasks: {}}}}",
	} {
		var doc any
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		if against(s, textKeys(doc), "") == "" {
			t.Errorf("the schema takes %s", text)
		}
	}
}

// against validates a value by the part of JSON Schema that specSchema uses, and says what is
// wrong, "" when nothing is.
func against(s map[string]any, v any, path string) string {
	if forms, ok := s["anyOf"].([]any); ok {
		var all []string
		for _, form := range forms {
			wrong := against(form.(map[string]any), v, path)
			if wrong == "" {
				return ""
			}
			all = append(all, wrong)
		}
		return strings.Join(all, " | ")
	}
	if kinds, ok := s["type"].([]any); ok && !slices.ContainsFunc(kinds, func(kind any) bool {
		return isType(v, kind.(string))
	}) {
		return fmt.Sprintf("%s: %v is not of the types %v", path, v, kinds)
	}
	if words, ok := s["enum"].([]any); ok && !slices.Contains(words, v) {
		return fmt.Sprintf("%s: %v is none of %v", path, v, words)
	}
	if pattern, ok := s["pattern"].(string); ok {
		if text, ok := v.(string); ok && !regexp.MustCompile(pattern).MatchString(text) {
			return fmt.Sprintf("%s: %q is not like %s", path, text, pattern)
		}
	}
	switch v := v.(type) {
	case map[string]any:
		return againstMapping(s, v, path)
	case []any:
		items, _ := s["items"].(map[string]any)
		for i, item := range v {
			if wrong := against(items, item, fmt.Sprintf("%s[%d]", path, i)); wrong != "" {
				return wrong
			}
		}
	}
	return ""
}

func againstMapping(s map[string]any, v map[string]any, path string) string {
	required, _ := s["required"].([]any)
	for _, key := range required {
		if _, ok := v[key.(string)]; !ok {
			return fmt.Sprintf("%s lacks %s", path, key)
		}
	}
	properties, _ := s["properties"].(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(v)) {
		at := path + "." + key
		child, known := properties[key].(map[string]any)
		if !known {
			switch more := s["additionalProperties"].(type) {
			case bool:
				if !more {
					return at + " is unknown"
				}
				continue
			case map[string]any:
				child = more
			}
		}
		if wrong := against(child, v[key], at); wrong != "" {
			return wrong
		}
	}
	return ""
}

func isType(v any, kind string) bool {
	switch v := v.(type) {
	case nil:
		return kind == "null"
	case bool:
		return kind == "boolean"
	case string:
		return kind == "string"
	case int, uint64:
		return kind == "integer" || kind == "number"
	case float64: // JSON Schema takes 1.0 for an integer
		return kind == "number" || kind == "integer" && v == math.Trunc(v)
	case []any:
		return kind == "array"
	}
	return kind == "object"
}
