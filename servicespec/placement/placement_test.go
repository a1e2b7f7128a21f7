package placement_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

func TestParseReadsAllForms(t *testing.T) {
	for in, want := range map[string]string{
		"":                             "",
		" \t\n":                        "",
		"[]":                           "",
		" [ ] ":                        "",
		"hostname:UNIQUE":              `[["hostname","UNIQUE"]]`,
		`["hostname","UNIQUE"]`:        `[["hostname","UNIQUE"]]`,
		`[["hostname","UNIQUE"]]`:      `[["hostname","UNIQUE"]]`,
		"@hostname:unique:ignored":     `[["hostname","UNIQUE"]]`,
		"hostname:Max_Per:01":          `[["hostname","MAX_PER","1"]]`,
		`["hostname","MAX_PER",2]`:     `[["hostname","MAX_PER","2"]]`,
		`[["a","IS","x:y"]]`:           `[["a","IS","x:y"]]`,
		" @zone : cluster : z1 ":       `[["@zone","CLUSTER","z1"]]`,
		"@region:IS:eu":                `[["@region","IS","eu"]]`,
		`rack:LIKE:r.*, os:UNLIKE:w\d`: `[["rack","LIKE","r.*"],["os","UNLIKE","w\\d"]]`,
		`a:LIKE:x{1\,3}\:y\.z`:         `[["a","LIKE","x{1,3}:y\\.z"]]`,
		`a\:b:IS_NOT:c`:                `[["a:b","IS_NOT","c"]]`,
		"rack:GROUP_BY":                `[["rack","GROUP_BY"]]`,
		"rack:GROUP_BY:":               `[["rack","GROUP_BY"]]`,
		"rack:GROUP_BY:3":              `[["rack","GROUP_BY","3"]]`,
		`["a","IS","<&>"]`:             `[["a","IS","<&>"]]`,
	} {
		rule, err := placement.Parse(in)
		if err != nil || rule.String() != want {
			t.Errorf("Parse(%q) = %s, %v; want %s", in, rule, err, want)
		}
	}
}

func TestParseSaysWhatIsWrongAndWhatIsRight(t *testing.T) {
	for in, want := range map[string]string{
		"hostname":                   `"hostname" has 1 fields: want field, operator`,
		"a:IS:b:c":                   `"a:IS:b:c" has 4 fields`,
		`[[]]`:                       `"" has 0 fields`,
		":UNIQUE":                    "the field is empty: want hostname",
		"@rack:UNIQUE":               `field "@rack" is unknown: want @hostname, @region or @zone`,
		"hostname:MAXPER:1":          `operator "MAXPER" is unknown: did you mean MAX_PER?`,
		"hostname:unqiue":            `operator "unqiue" is unknown: did you mean UNIQUE?`,
		"hostname:SPREAD_OUT":        "want one of UNIQUE, MAX_PER, CLUSTER, IS, IS_NOT, LIKE",
		"hostname:MAX_PER":           "hostname MAX_PER has no parameter: want how many",
		"hostname:MAX_PER:0":         `"0" is not a whole number from 1: want how many may share`,
		"hostname:MAX_PER:-1":        `"-1" is not a whole number from 1`,
		"hostname:MAX_PER:one":       `"one" is not a whole number from 1`,
		"rack:GROUP_BY:0":            `"0" is not a whole number from 1: want the number of diff`,
		"rack:LIKE":                  "rack LIKE has no parameter: want a regular expression",
		"rack:LIKE:r(":               "missing closing ): `r(`",
		"rack:UNLIKE:)(":             "unexpected )",
		"rack:IS":                    "rack IS has no parameter: want the value to compare with",
		"rack:CLUSTER:":              "rack CLUSTER has no parameter",
		"rack:IS_NOT":                "rack IS_NOT has no parameter",
		"a:UNIQUE,":                  `row 2: "" has 1 fields`,
		"a:UNIQUE,b:IS":              "row 2: b IS has no parameter",
		`["hostname","UNIQUE"`:       "it begins as JSON but is none",
		`["hostname","UNIQUE"] x`:    "something follows the JSON list",
		`[["a","UNIQUE"],"b"]`:       "row 2 is not a list, but the first is",
		`["a",["UNIQUE"]]`:           "[UNIQUE] is neither a string nor a number",
		`[["a","UNIQUE"],["b",{}]]`:  "row 2: map[] is neither",
		`["a","IS",true]`:            "true is neither a string nor a number",
		`[[&quot;a&quot;,"UNIQUE"]]`: "write {{{NAME}}} with three braces",
		"\xff:UNIQUE":                "it is not UTF-8",
		"not(hostname:IS:a)":         `is no field: combinations are written in JSON`,
		"any (a:IS:b,c:IS:d)":        `"any (a" is no field`,
		"not rack:IS:a":              `as in {"not": "rack:IS:r1"}`,
		"my rack:IS:a":               `"my rack" is not the name of an attribute`,
		`"hostname":UNIQUE`:          "is not the name of an attribute: those have no blanks",
		strings.Repeat("a:LIKE:x{1000},", 30) + "a:UNIQUE": "more than 20000 characters, at a",
		strings.Repeat("a:UNIQUE,", 1000) + "a:UNIQUE":     "it has 1001 constraints",
	} {
		rule, err := placement.Parse(in)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) = %s, error %v; want one with %q", in, rule, err, want)
		}
	}
}

// agents of the tables: a name stands for an agent with zone, region and attributes.
var agents = map[string]placement.Agent{
	"a": {Hostname: "host-a", Region: "eu", Zone: "z1", Attributes: []placement.Attribute{
		{Name: "rack", Value: "r1"}, {Name: "slot", Value: "1.0"}, {Name: "os", Value: "linux"},
	}},
	"b": {Hostname: "host-b", Region: "eu", Zone: "z1", Attributes: []placement.Attribute{
		{Name: "rack", Value: "r2"}, {Name: "slot", Value: "2"}, {Name: "os", Value: "linux"},
		{Name: "os", Value: "debian"},
	}},
	"c": {Hostname: "host-c", Region: "us", Zone: "z2", Attributes: []placement.Attribute{
		{Name: "rack", Value: "r2"}, {Name: "os", Value: "debian"},
	}},
	"bare": {Hostname: "bare"},
}

// operatorCases are rules on agents beside peers; want is the reason of a refusal.
var operatorCases = []struct{ rule, agent, peers, want string }{
	{"", "bare", "a b c", ""},
	{"hostname:UNIQUE", "a", "", ""},
	{"hostname:UNIQUE", "a", "b c", ""},
	{"hostname:UNIQUE", "a", "b a",
		"hostname host-a already has 1 of at most 1 instances"},
	{"rack:UNIQUE", "c", "b", "rack r2 already has 1 of at most 1 instances"},
	{"rack:UNIQUE", "bare", "", "the agent has no attribute rack"},
	{"Rack:UNIQUE", "a", "", "the agent has no attribute Rack"},
	{"os:UNIQUE", "b", "c", "os debian already has 1 of at most 1 instances"},
	{"@zone:MAX_PER:2", "a", "a c", ""},
	{"@zone:MAX_PER:2", "a", "a b c", "@zone z1 already has 2 of at most 2 instances"},
	{"@zone:MAX_PER:2", "bare", "", "the agent has no zone"},
	{"@region:IS:eu", "bare", "", "the agent has no region"},
	{"hostname:MAX_PER:2", "a", "a bare bare", ""},
	{"@region:IS:eu", "a", "", ""},
	{"@region:CLUSTER:eu", "c", "", "@region is us, not eu"},
	{"hostname:IS:host", "a", "", "hostname is host-a, not host"},
	{"os:IS:debian", "b", "", ""},
	{"os:IS:windows", "b", "", "os is linux and debian, not windows"},
	{"slot:IS:1", "a", "", ""},
	{"slot:IS:1.000", "a", "", ""},
	{"slot:IS:10", "a", "", "slot is 1.0, not 10"},
	{"os:IS_NOT:debian", "a", "", ""},
	{"os:IS_NOT:debian", "b", "", "os must not be debian"},
	{"os:IS_NOT:debian", "bare", "", ""},
	{"slot:IS_NOT:1", "a", "", "slot must not be 1"},
	{"hostname:LIKE:host-[ab]", "a", "", ""},
	{"hostname:LIKE:host", "a", "", "hostname host-a is not like host"},
	{"hostname:LIKE:x|host-a", "a", "", ""},
	{`hostname:LIKE:\Qhost-a`, "a", "", ""},
	{"os:LIKE:deb.*", "b", "", ""},
	{"os:LIKE:win.*", "b", "", "os linux and debian is not like win.*"},
	{"rack:LIKE:.*", "bare", "", "the agent has no attribute rack"},
	{"hostname:UNLIKE:host", "a", "", ""},
	{"os:UNLIKE:deb.*", "b", "", "os debian is like deb.*"},
	{"rack:UNLIKE:.*", "bare", "", ""},
	{"rack:GROUP_BY", "a", "", ""},
	{"rack:GROUP_BY", "a", "a", ""},
	{"rack:GROUP_BY", "a", "a b", ""},
	{"rack:GROUP_BY", "a", "a a b", "rack r1 has 2 instances, another value only 1"},
	{"rack:GROUP_BY", "b", "a a b", ""},
	{"rack:GROUP_BY:2", "a", "a", "rack r1 has an instance already, and only 1 of 2 " +
		"values are used"},
	{"rack:GROUP_BY:2", "b", "a", ""},
	{"rack:GROUP_BY:2", "a", "a b", ""},
	{"rack:GROUP_BY", "bare", "", "the agent has no attribute rack"},
	{"@zone:UNIQUE,rack:LIKE:r[0-9]", "a", "c", ""},
	{"@zone:UNIQUE,rack:LIKE:r[0-9]", "c", "c", "@zone z2 already has 1 of at most 1 " +
		"instances"},
	{"@zone:UNIQUE,rack:LIKE:x", "a", "c", "rack r1 is not like x"},
}

func TestOperators(t *testing.T) {
	for _, c := range operatorCases {
		rule, err := placement.Parse(c.rule)
		if err != nil {
			t.Fatal(err)
		}
		var peers []placement.Agent
		for _, name := range strings.Fields(c.peers) {
			peers = append(peers, agents[name])
		}
		got := rule.Evaluate(agents[c.agent], peers)
		if got.Allowed != (c.want == "") || got.Reason != c.want {
			t.Errorf("%s on %s beside [%s]: %v; want %q", c.rule, c.agent, c.peers, got, c.want)
		}
		if got.Allowed != (got.Constraint == placement.Constraint{}) {
			t.Errorf("%s on %s: verdict %v names the constraint %s", c.rule, c.agent, got.Allowed,
				got.Constraint)
		}
	}
}

// TestBrokenRulesRefuse shows that a rule which did not come from Parse allows nothing that it
// cannot evaluate.
func TestBrokenRulesRefuse(t *testing.T) {
	for want, c := range map[string]placement.Constraint{
		"hostname NEAR x has an unknown operator": {
			Field: "hostname", Operator: "NEAR", Param: "x",
		},
		"hostname LIKE (: reading the regular expression": {
			Field: "hostname", Operator: placement.Like, Param: "(",
		},
		"hostname MAX_PER has no number": {Field: "hostname", Operator: placement.MaxPer},
	} {
		rule := placement.Rule{Constraints: []placement.Constraint{c}}
		got := rule.Evaluate(agents["a"], nil)
		if got.Allowed || !strings.Contains(got.Reason, want) {
			t.Errorf("%s: %+v, want %q", c, got, want)
		}
	}
}

func constraints() *rapid.Generator[[]placement.Constraint] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) placement.Constraint {
		word := rapid.OneOf(rapid.StringMatching(`[a-z]{1,4}`),
			rapid.StringMatching(`[!-?A-\[\]-~é€]{1,6}`))
		field := rapid.OneOf(rapid.StringMatching(`[a-z]{1,4}`),
			rapid.StringMatching(`[!#-&*-?A-Z^-z|~é€]{1,6}`))
		c := placement.Constraint{Field: field.Draw(t, "field")}
		c.Operator = rapid.SampledFrom([]placement.Operator{
			placement.Unique, placement.MaxPer, placement.Cluster, placement.Is, placement.IsNot,
			placement.Like, placement.Unlike, placement.GroupBy,
		}).Draw(t, "operator")
		switch c.Operator {
		case placement.Unique:
		case placement.MaxPer, placement.GroupBy:
			c.Param = rapid.StringMatching(`[1-9][0-9]{0,3}`).Draw(t, "number")
		case placement.Like, placement.Unlike:
			c.Param = rapid.StringMatching(`[a-z]([a-z,:]|\.\*|\[a-z\]|\\d){0,4}`).Draw(t, "regex")
		default:
			c.Param = word.Draw(t, "param")
		}
		return c
	}), 1, 4)
}

// TestBothFormsGiveTheSameRule prints rules as JSON and in the comma form and reads them back.
func TestBothFormsGiveTheSameRule(t *testing.T) {
	escape := strings.NewReplacer(",", `\,`, ":", `\:`)
	rapid.Check(t, func(t *rapid.T) {
		rule := placement.Rule{Constraints: constraints().Draw(t, "constraints")}
		got, err := placement.Parse(rule.String())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(rule, got); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", rule, diff)
		}
		var rows []string
		for _, c := range rule.Constraints {
			row := escape.Replace(c.Field) + ":" + string(c.Operator)
			if c.Param != "" {
				row += ":" + escape.Replace(c.Param)
			}
			rows = append(rows, row)
		}
		text := strings.Join(rows, ",")
		if strings.HasPrefix(text, "[") {
			return
		}
		if got, err = placement.Parse(text); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(rule, got); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", text, diff)
		}
	})
}

// TestOrderDoesNotMatter permutes peers and attributes.
func TestOrderDoesNotMatter(t *testing.T) {
	names := rapid.SampledFrom([]string{"a", "b", "c", "bare"})
	rules := rapid.SampledFrom([]string{
		"rack:UNIQUE", "os:MAX_PER:2", "os:GROUP_BY", "os:GROUP_BY:2", "os:IS:debian",
		"os:UNLIKE:l.*", "hostname:MAX_PER:1",
	})
	rapid.Check(t, func(t *rapid.T) {
		rule, err := placement.Parse(rules.Draw(t, "rule"))
		if err != nil {
			t.Fatal(err)
		}
		var peers []placement.Agent
		for _, name := range rapid.SliceOfN(names, 0, 6).Draw(t, "peers") {
			peers = append(peers, agents[name])
		}
		agent := agents[names.Draw(t, "agent")]
		want := rule.Evaluate(agent, peers)
		agent.Attributes = rapid.Permutation(agent.Attributes).Draw(t, "attributes")
		got := rule.Evaluate(agent, rapid.Permutation(peers).Draw(t, "order"))
		if got.Allowed != want.Allowed || got.Constraint != want.Constraint {
			t.Fatalf("%+v, in another order %+v", want, got)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "[]", "hostname:MAX_PER:1,rack:LIKE:r.*", `["hostname","UNIQUE"]`,
		`[["@zone","GROUP_BY","3"],["a","IS","x"]]`, `a\:b:LIKE:x{1\,3}\d`, "[[&quot;",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var rule placement.Rule
		var verdict placement.Verdict
		var err error
		bounded(t, func() {
			rule, err = placement.Parse(text)
			verdict = rule.Evaluate(agents["a"], []placement.Agent{agents["b"]})
		})
		if err != nil {
			return
		}
		again, err := placement.Parse(rule.String())
		if err != nil {
			t.Fatalf("%q printed %q: %v", text, rule, err)
		}
		if diff := cmp.Diff(rule, again); diff != "" {
			t.Fatalf("%q printed %q (-want +got):\n%s", text, rule, diff)
		}
		if verdict.Allowed == (verdict.Reason != "") {
			t.Fatalf("%q: %+v", text, verdict)
		}
	})
}
