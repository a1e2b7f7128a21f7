package servicespec

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func addFiles(f *testing.F, pattern string) {
	f.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		f.Fatalf("no files match %s: %v", pattern, err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}

// checkErrors demands that every error says something on one line, in the order of the file.
func checkErrors(t *testing.T, errs []Error) {
	t.Helper()
	last := 0
	for i, e := range errs {
		if e.Message == "" || e.Code == "" || strings.ContainsAny(e.Error(), "\n\x00") {
			t.Errorf("%q", e.Error())
		}
		if e.Line < last && i < maxErrors {
			t.Errorf("%v comes after line %d", e, last)
		}
		last = e.Line
	}
}

// FuzzParse looks for panics, for services that cannot be stored, and for unclear errors.
func FuzzParse(f *testing.F) {
	addFiles(f, "testdata/good/*.yml")
	addFiles(f, "testdata/bad/*.yml")
	addFiles(f, "testdata/whole-*/*.yml")
	f.Fuzz(func(t *testing.T, data []byte) {
		var s Service
		var whole Spec
		var errs, wholeErrs []Error
		bounded(t, func() { s, errs = Parse("f.yml", data, templates) })
		bounded(t, func() { whole, wholeErrs = ParseSpec("f.yml", data, templates) })
		checkErrors(t, errs)
		checkErrors(t, wholeErrs)
		if errs == nil {
			roundTrip(t, s)
		}
		if wholeErrs == nil {
			roundTripSpec(t, whole)
			bounded(t, func() { told(t, whole.Service) })
		}
		if errs == nil && (wholeErrs != nil || whole.Beyond() != nil ||
			!cmp.Equal(s, whole.Service)) {
			t.Errorf("Parse takes it, ParseSpec says %v, beyond are %q", wholeErrs,
				whole.Beyond())
		}
	})
}

// told prints and judges a service in all ways that there are.
func told(t *testing.T, s Service) {
	t.Helper()
	text, err := PredecessorJSON(s)
	if err != nil || !json.Valid(text) {
		t.Errorf("printed for old clients it is %q, %v", text, err)
	}
	for _, sentence := range s.Conflicts() {
		if strings.ContainsAny(sentence, "\n\x00") {
			t.Errorf("%q", sentence)
		}
	}
	variable := map[string]string{"TASKCFG_ALL_FUZZ": "1"}
	set := s.WithTaskConfig(variable)
	if errs := s.CheckTaskConfig(variable); errs != nil || len(set.Pods) != len(s.Pods) {
		t.Errorf("a variable for all tasks gives %v", errs)
	}
	for _, pod := range set.Pods {
		if set.LaunchHash(pod.Type) == "" {
			t.Errorf("pod %s has no hash", pod.Type)
		}
	}
}

// FuzzRender looks for panics and for output that depends on anything but the template.
func FuzzRender(f *testing.F) {
	f.Add([]byte("a {{A}}\n{{#B}}\n{{{A}}}\n{{/B}}\n{{^C}}{{&B}}{{/C}}{{! x }}"))
	f.Add([]byte("  {{#A}}  \nx\n  {{/A}}  "))
	addFiles(f, "testdata/good/*.yml")
	env := map[string]string{"A": "one\ntwo", "B": "true", "C": "", "D": "{{A}}"}
	f.Fuzz(func(t *testing.T, data []byte) {
		var r renderer
		var errs, lenientErrs, warnings []Error
		var lenient []byte
		bounded(t, func() { r, errs = render(&mistakes{file: "f"}, data, env) })
		bounded(t, func() { lenient, warnings, lenientErrs = RenderLenient("f", data, env) })
		out, lines := r.out.Bytes(), r.lines
		checkErrors(t, errs)
		checkErrors(t, warnings)
		if errs != nil {
			return
		}
		if lenientErrs != nil || warnings != nil || !bytes.Equal(out, lenient) {
			t.Errorf("lenient rendering gives %q, %v, %v", lenient, warnings, lenientErrs)
		}
		if want := 1 + strings.Count(string(out), "\n"); len(lines) != want {
			t.Errorf("%d lines are told of %d", len(lines), want)
		}
		for i := 1; i < len(lines); i++ {
			if lines[i] < lines[i-1] {
				t.Errorf("lines go back: %v", lines)
			}
		}
	})
}

// FuzzOptions demands that what was accepted renders into a spec that YAML can read.
func FuzzOptions(f *testing.F) {
	f.Add([]byte(`{"brokers": {"count": 5, "heap": {"size": 1024}}, "kafka": {"a_b": "\"x"}}`))
	f.Add([]byte("kafka: {a.b: 'x # y', c: '{{A}}', d: \"\\u2028\\x85\"}\nservice: {name: /a/b}"))
	f.Add([]byte("service: {placement_constraint: 'hostname:UNIQUE', user: me}"))
	template, err := os.ReadFile("../examples/kafka.yml")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var o Options
		var errs []Error
		bounded(t, func() { o, errs = DecodeOptions("f", data) })
		checkErrors(t, errs)
		if errs != nil || o.Check() != nil {
			return
		}
		setAgain(t, o)
		env := o.Environment()
		env["FRAMEWORK_USER"] = "nobody"
		bounded(t, func() { _, errs = Load("kafka.yml", template, env, nil) })
		if errs != nil {
			t.Errorf("%v of %q", errs, o)
		}
	})
}

// setAgain demands that what a file may say can be said on the command line too, as far as
// its syntax allows.
func setAgain(t *testing.T, o Options) {
	t.Helper()
	again := Options{}
	for _, name := range sortedNames(o) {
		if strings.TrimSpace(o[name]) != o[name] {
			continue
		}
		if err := again.Set(name + "=" + o[name]); err != nil {
			t.Errorf("decoded, but not set: %v", err)
		}
	}
}
