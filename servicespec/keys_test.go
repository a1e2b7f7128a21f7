package servicespec

import (
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// TestKeys demands that every key is told in full, and once.
func TestKeys(t *testing.T) {
	last := ""
	for _, k := range Keys() {
		if k.Path <= last {
			t.Errorf("%s comes after %s", k.Path, last)
		}
		last = k.Path
		if k.Meaning == "" || k.Example == "" || k.Type == "" || k.Since == "" ||
			!strings.HasSuffix(k.Meaning, ".") {
			t.Errorf("%+v lacks something", k)
		}
		if k.Required && k.Default != "" {
			t.Errorf("%s is required and has a default", k.Path)
		}
		var v any
		if err := yaml.Unmarshal([]byte(k.Example), &v); err != nil {
			t.Errorf("the example of %s: %v", k.Path, err)
		}
	}
}

// TestKeysAreReachable demands that every mapping with keys is told by a key that leads to it.
func TestKeysAreReachable(t *testing.T) {
	kinds := map[string]string{}
	for _, k := range Keys() {
		kinds[k.Path] = k.Type
	}
	for _, g := range allGroups() {
		for _, prefix := range g.prefixes {
			path, kind := prefix, "mapping"
			if rest, ok := strings.CutSuffix(prefix, ".<name>"); ok {
				path, kind = rest, "names"
			} else if rest, ok := strings.CutSuffix(prefix, "[]"); ok {
				path, kind = rest, "list of mapping"
			}
			if prefix != "" && kinds[path] != kind {
				t.Errorf("%s is %q, not %q", path, kinds[path], kind)
			}
		}
	}
}
