package servicespec

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFromPredecessor reads each recorded configuration, and compares it with what the spec is by
// itself: an operator who goes on with the spec that he has must not be told of differences, nor
// have a task restarted by them.
func TestFromPredecessor(t *testing.T) {
	for line := range bytes.Lines(read(t, "testdata/predecessor/configurations.jsonl")) {
		var r recorded
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		t.Run(r.Spec+" "+r.Moment, func(t *testing.T) {
			got, lost, err := FromPredecessor(r.Answer)
			if err != nil || lost != nil {
				t.Fatal(lost, err)
			}
			want := loadPredecessor(t, r.Spec, r.Changed)
			for _, c := range Diff(got, want) {
				if c.Class != Nothing && !strings.HasPrefix(c.Path, "plans.") {
					t.Errorf("%s (%s)", c, c.Class)
				}
			}
			for _, p := range want.Pods {
				for _, task := range p.Tasks {
					a := got.TaskLaunchHash(p.Type, -1, task.Name)
					if b := want.TaskLaunchHash(p.Type, -1, task.Name); a != b {
						t.Errorf("%s-%s would be launched with something else", p.Type, task.Name)
					}
				}
			}
		})
	}
}

// TestFromPredecessorRules has every placement rule come back as what it was.
func TestFromPredecessorRules(t *testing.T) {
	for _, path := range specs(t, "good", 130) {
		s, errs := Parse(path, read(t, path), templates)
		if errs != nil {
			t.Fatal(errs)
		}
		printed, err := PredecessorJSON(s)
		if err != nil {
			t.Fatal(err)
		}
		got, lost, err := FromPredecessor(printed)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		for _, l := range lost {
			if !strings.Contains(l, ".kafka ") && !strings.Contains(l, ".goal ") {
				t.Errorf("%s: %s", path, l)
			}
		}
		again, err := PredecessorJSON(got)
		if err != nil {
			t.Fatal(err)
		}
		if lost == nil && !bytes.Equal(printed, again) {
			t.Errorf("%s: %s", path, cmp.Diff(indented(t, printed), indented(t, again)))
		}
	}
}

// TestFromPredecessorLost tells what a configuration says and a Service cannot, and refuses what
// cannot be placed as it was.
func TestFromPredecessorLost(t *testing.T) {
	s, errs := Parse("x", read(t, "testdata/predecessor/all.yml"), nil)
	if errs != nil {
		t.Fatal(errs)
	}
	printed, err := PredecessorJSON(s)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(printed, []byte(`"seccomp-unconfined":false`),
		[]byte(`"seccomp-unconfined":true`), 1)
	_, lost, err := FromPredecessor(changed)
	if err != nil || !strings.Contains(strings.Join(lost, "\n"),
		"pod-specs[0].seccomp-unconfined is true, which this language does not say") {
		t.Error(lost, err)
	}
	for _, bad := range []string{`{`, `{}`, `{"name":"x","pod-specs":[{"type":"p",` +
		`"placement-rule":{"@type":"MyRule"}}]}`, `{"name":"x","pod-specs":[{"type":"p",` +
		`"placement-rule":{"@type":"ZoneRule","matcher":{"@type":"MyMatcher"}}}]}`} {
		if _, _, err := FromPredecessor([]byte(bad)); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}
