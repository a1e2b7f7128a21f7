package servicespec

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLenient leaves what has no value empty, and warns of what is really used.
func TestLenient(t *testing.T) {
	template := []byte("name: {{NAME}}\nuser: {{USERS}}\n" +
		"{{#OFF}}\nx: {{X}}\n{{/OFF}}\ny: {{Y}}\n")
	env := map[string]string{"NAME": "web", "USER": "me"}
	filled, warnings := Lenient("a.yml", template, env)
	want := "a.yml:2:7: {{USERS}} has no value and is left empty; " +
		"did you mean USER? [unknown-key]\n" +
		"a.yml:6:4: {{Y}} has no value and is left empty; set Y [unknown-key]\n"
	if diff := cmp.Diff(want, lines(warnings)); diff != "" {
		t.Error(diff)
	}
	text, errs := Render("a.yml", template, filled)
	if string(text) != "name: web\nuser: \ny: \n" || errs != nil {
		t.Errorf("%q, %v", text, errs)
	}
	if _, ok := env["Y"]; ok {
		t.Error("the caller's values were changed")
	}
	if _, warnings := Lenient("a.yml", []byte("{{#A}}"), env); warnings != nil {
		t.Errorf("a broken template has warnings: %v", warnings)
	}
}
