package servicespec

import (
	"strings"
	"testing"
)

var renderEnv = map[string]string{"NAME": "web", "JSON": `[["a", "<b>&'=\"`, "YES": "TRUE",
	"NO": "False", "EMPTY": "", "LINES": "a\nb", "BROKER_COUNT": "3"}

var renderTests = []struct{ name, template, want, wrong string }{
	{name: "nothing"},
	{name: "plain", template: "a: {b: c}\n", want: "a: {b: c}\n"},
	{name: "variable", template: "{{NAME}}-{{ NAME }}", want: "web-web"},
	{name: "never escaped", template: "{{JSON}}", want: renderEnv["JSON"]},
	{name: "triple", template: "{{{JSON}}}|{{{ NAME }}}", want: renderEnv["JSON"] + "|web"},
	{name: "ampersand", template: "{{&JSON}}{{& NAME}}", want: renderEnv["JSON"] + "web"},
	{name: "boolean", template: "{{YES}} {{NO}}", want: "true false"},
	{name: "empty value", template: "[{{EMPTY}}]", want: "[]"},
	{name: "inline section", template: "a{{#YES}}b{{/YES}}c{{#NO}}d{{/NO}}", want: "abc"},
	{name: "inverted", template: "{{^YES}}b{{/YES}}{{^NO}}c{{/NO}}{{^EMPTY}}d{{/EMPTY}}",
		want: "cd"},
	{name: "missing section", template: "{{#X}}{{GONE}}{{/X}}{{^X}}y{{/X}}", want: "y"},
	{name: "text section", template: "{{#NAME}}<{{NAME}}>{{/NAME}}", want: "<web>"},
	{name: "nested", template: "{{#YES}}a{{#NO}}b{{/NO}}{{#YES}}c{{/YES}}{{/YES}}",
		want: "ac"},
	{name: "standalone", template: "a\n  {{#YES}}\n  b\n{{/YES}} \nc\n",
		want: "a\n  b\nc\n"},
	{name: "standalone at ends", template: "{{#YES}}\na\n{{/YES}}", want: "a\n"},
	{name: "standalone twice", template: "a\n{{#NO}}\nb\n{{/NO}}\n{{^NO}}\nc\n{{/NO}}\nd",
		want: "a\nc\nd"},
	{name: "comment", template: "a{{! any # thing }}b\n  {{! alone }}\nc", want: "ab\nc"},
	{name: "two in a line", template: " {{#YES}} {{/YES}}\na", want: "  \na"},
	{name: "braces", template: "a } b }} { c", want: "a } b }} { c"},
	{name: "lines", template: "{{LINES}}", want: "a\nb"},

	{name: "missing", template: "a\n b: {{BROKER_CUONT}}\n",
		wrong: "t:2:5: {{BROKER_CUONT}} has no value; did you mean BROKER_COUNT?"},
	{name: "missing, unlike any", template: "{{SOMETHING_ELSE}}",
		wrong: "t:1:1: {{SOMETHING_ELSE}} has no value; set SOMETHING_ELSE"},
	{name: "two missing", template: "{{A_A_A}}\n é{{B_B_B}}",
		wrong: "t:1:1: {{A_A_A}} has no value; set A_A_A\n" +
			"t:2:3: {{B_B_B}} has no value; set B_B_B"},
	{name: "open tag", template: "a {{NAME", wrong: "t:1:3: the tag {{ is not closed; " +
		"close it with }}"},
	{name: "open triple", template: "{{{NAME}}", wrong: "t:1:1: the tag {{{ is not closed; " +
		"close it with }}}"},
	{name: "partial", template: "{{> other}}",
		wrong: "t:1:1: partials are not supported; write the text out here"},
	{name: "delimiters", template: "{{=<% %>=}}",
		wrong: "t:1:1: changing the delimiters is not supported; use {{ and }}"},
	{name: "no name", template: "{{}} {{ a b }}",
		wrong: "t:1:1: \"\" is not the name of a variable; names are letters, digits, _, - " +
			"and .\nt:1:6: \"a b\" is not the name of a variable; names are letters, digits, " +
			"_, - and ."},
	{name: "not ended", template: "{{#NAME}}", wrong: "t:1:1: section NAME is not ended; " +
		"end it with {{/NAME}}"},
	{name: "not begun", template: "\n{{/NAME}}",
		wrong: "t:2:1: {{/NAME}} ends a section that was not begun"},
	{name: "crossed", template: "{{#A}}\n{{/B}}", wrong: "t:2:1: {{/B}} stands where " +
		"section A of line 1 must end; write {{/A}}"},
	{name: "nul", template: "a\x00", wrong: "t:1:2: there is a NUL byte; " +
		"this is not a text file"},
}

func TestRender(t *testing.T) {
	for _, test := range renderTests {
		t.Run(test.name, func(t *testing.T) {
			got, errs := Render("t", []byte(test.template), renderEnv)
			if string(got) != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			var wrong []string
			for _, e := range errs {
				wrong = append(wrong, e.Error())
			}
			if text := strings.Join(wrong, "\n"); text != test.wrong {
				t.Errorf("errors are\n%s\nwant\n%s", text, test.wrong)
			}
		})
	}
}

func TestRenderRefusesToGrowWithoutBound(t *testing.T) {
	env := map[string]string{"X": strings.Repeat("x", 1<<20)}
	_, errs := Render("t", []byte(strings.Repeat("{{X}}", 1000)), env)
	if len(errs) != 1 || errs[0].Code != TooLarge {
		t.Errorf("%v", errs)
	}
}

// TestLoadReportsPlacesInTheTemplate is about lines that sections and values move.
func TestLoadReportsPlacesInTheTemplate(t *testing.T) {
	template := `name: web
{{#MORE}}
web-url: x
{{/MORE}}
pods:
  web:
    count: {{COUNT}}
    tasks:
      server:
        goal: RUNNING
        cmd: {{CMD}}
        cpus: 0
        {{^MORE}}
        memory: x
        {{/MORE}}
`
	env := map[string]string{"COUNT": "-1", "CMD": "|\n          a\n          b"}
	_, errs := Load("svc.yml", []byte(template), env, nil)
	want := `svc.yml:7:12: pods.web.count: must be at least 0, not -1 [bad-value]
svc.yml:12:15: pods.web.tasks.server.cpus: must be at least 0.001, not 0 [bad-value]
svc.yml:14:17: pods.web.tasks.server.memory: must be a whole number, not "x" [bad-value]
`
	if got := lines(errs); got != want {
		t.Errorf("got\n%s", got)
	}
	if _, errs := Load("svc.yml", []byte("{{A"), env, nil); len(errs) != 1 {
		t.Errorf("%v", errs)
	}
}
