package placement_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

func mustParse(t testing.TB, text string) placement.Expr {
	t.Helper()
	e, err := placement.ParseExpr(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestParseExpr(t *testing.T) {
	for in, want := range map[string]string{
		"":                                `"" plain`,
		"[]":                              `"" plain`,
		"hostname:UNIQUE":                 `[["hostname","UNIQUE"]] plain`,
		`{"all": []}`:                     `placement "{\"all\": []}": all has no arguments`,
		`{"all": "a:IS:b,c:IS:d"}`:        `{"all":[[["a","IS","b"],["c","IS","d"]]]} plain`,
		`{"all": [["a","IS","b"]]}`:       `{"all":[[["a","IS","b"]]]} plain`,
		`{"any": ["a:IS:b", []]}`:         `{"any":[[["a","IS","b"]],[]]}`,
		`{"any": [["a","IS",1]]}`:         `{"any":[[["a","IS","1"]]]} plain`,
		`{"not": ["a","IS","b"]}`:         `{"not":[["a","IS","b"]]}`,
		`[["a","IS","b"], {"not": ""}]`:   `{"all":[[["a","IS","b"]],{"not":[]}]}`,
		`{"not": {"not": "a:IS:b"}}`:      `{"not":{"not":[["a","IS","b"]]}}`,
		`{"all": [{"all": ["a:IS:<"]}]}`:  `{"all":[{"all":[[["a","IS","<"]]]}]} plain`,
		`{"either": []}`:                  `unknown key: want all, any or not`,
		`{}`:                              `a combination has 0 keys`,
		`{"any": ["x:NEAR:y"]}`:           `operator "NEAR" is unknown`,
		`{"any": [3]}`:                    `3 is no rule: want rows, text, or all, any or not`,
		`{"any": null}`:                   `nothing is no rule`,
		`{"any": ["a:IS:b"]`:              `it begins as JSON but is none`,
		`{"any": ["a:IS:b"]} x`:           `something follows the JSON`,
		strings.Repeat(`{"not":`, 40):     `it begins as JSON but is none`,
		nest(40):                          `it is nested more than 32 deep`,
		`{"not": {"any": ["@rack:IS:1"]}`: `it begins as JSON but is none`,
	} {
		e, err := placement.ParseExpr(in)
		got := e.String()
		if got == "" {
			got = `""`
		}
		if _, plain := e.Plain(); plain {
			got += " plain"
		}
		if err != nil {
			got = err.Error()
		}
		if got != want && (err == nil || !strings.Contains(got, want)) {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func nest(depth int) string {
	return strings.Repeat(`{"not":`, depth) + `"a:IS:b"` + strings.Repeat("}", depth)
}

// exprs draws expressions of any shape.
func exprs(depth int) *rapid.Generator[placement.Expr] {
	return rapid.Custom(func(t *rapid.T) placement.Expr {
		op := rapid.SampledFrom([]placement.Op{"", "", placement.All, placement.Any,
			placement.Not}).Draw(t, "op")
		if op == "" || depth == 0 {
			return placement.Expr{Rule: placement.Rule{Constraints: constraints().Draw(t, "rule")}}
		}
		n := 1
		if op != placement.Not {
			n = rapid.IntRange(1, 3).Draw(t, "n")
		}
		e := placement.Expr{Op: op}
		for range n {
			e.Args = append(e.Args, exprs(depth-1).Draw(t, "arg"))
		}
		return e
	})
}

func TestExprRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := exprs(3).Draw(t, "expr")
		text, err := e.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back placement.Expr
		if err := back.UnmarshalText(text); err != nil {
			t.Fatal(err)
		}
		if back.String() != string(text) {
			t.Fatalf("%s became %s", text, back)
		}
	})
}

// TestExprLogic holds combinations against what they are made of.
func TestExprLogic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := exprs(1).Draw(t, "a"), exprs(1).Draw(t, "b")
		agent := placement.Agent{Hostname: rapid.SampledFrom([]string{"", "h1"}).Draw(t, "host"),
			Attributes: []placement.Attribute{{Name: "rack", Value: "a"}}}
		peers := []placement.Agent{{Hostname: "h1"}}
		allows := func(op placement.Op, args ...placement.Expr) bool {
			e := placement.Expr{Op: op, Args: args}
			v := e.Evaluate(agent, peers)
			if v.Allowed != (v.Reason == "") {
				t.Fatalf("%+v", v)
			}
			first, _, _ := strings.Cut(e.Explain(agent, peers), " ")
			if (first == "yes") != v.Allowed {
				t.Fatalf("%v is explained as\n%s", v, e.Explain(agent, peers))
			}
			return v.Allowed
		}
		isA, isB := a.Evaluate(agent, peers).Allowed, b.Evaluate(agent, peers).Allowed
		if allows(placement.All, a, b) != (isA && isB) {
			t.Fatal("all")
		}
		if allows(placement.Any, a, b) != (isA || isB) {
			t.Fatal("any")
		}
		if allows(placement.Not, a) == isA {
			t.Fatal("not")
		}
	})
}

func TestExplain(t *testing.T) {
	e := mustParse(t, `{"all": ["hostname:UNIQUE",
		{"any": ["rack:IS:b", {"not": "disk:IS:hdd"}]}]}`)
	agent := placement.Agent{Hostname: "h1", Attributes: []placement.Attribute{
		{Name: "rack", Value: "a"}, {Name: "disk", Value: "hdd"}}}
	want := `no  all
yes   hostname UNIQUE
no    any
no      rack IS b: rack is a, not b
no      not
yes       disk IS hdd
`
	if diff := cmp.Diff(want, e.Explain(agent, nil)); diff != "" {
		t.Error(diff)
	}
	const reason = "none of: rack is a, not b; it is what must not be: disk IS hdd"
	if v := e.Evaluate(agent, nil); v.Allowed || v.Reason != reason {
		t.Errorf("%+v", v)
	}
	every := mustParse(t, "").Explain(agent, nil)
	if every != "yes every agent\n" {
		t.Error(every)
	}
}

func TestScore(t *testing.T) {
	preferences := []placement.Preference{{Placement: mustParse(t, "rack:IS:a"), Weight: 10},
		{Placement: mustParse(t, "hostname:UNIQUE"), Weight: 3}}
	rackA := []placement.Attribute{{Name: "rack", Value: "a"}}
	peers := []placement.Agent{{Hostname: "h1"}}
	for want, agent := range map[int]placement.Agent{
		13: {Hostname: "h2", Attributes: rackA}, 10: {Hostname: "h1", Attributes: rackA},
		3: {Hostname: "h2"}, 0: {Hostname: "h1"}} {
		if got := placement.Score(preferences, agent, peers); got != want {
			t.Errorf("%+v scores %d, not %d", agent, got, want)
		}
	}
}

func FuzzParseExpr(f *testing.F) {
	for _, seed := range []string{"", "hostname:UNIQUE", `[["a","IS","b"]]`,
		`{"any": [["a","IS","b"], {"not": "c:LIKE:d.*"}]}`, nest(5), `[{"all": []}]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var e placement.Expr
		var err error
		bounded(t, func() {
			e, err = placement.ParseExpr(text)
			e.Evaluate(agents["a"], []placement.Agent{agents["b"]})
			e.Explain(placement.Agent{Hostname: "h"}, nil)
		})
		if err != nil {
			return
		}
		back, err := placement.ParseExpr(e.String())
		if err != nil || back.String() != e.String() {
			t.Errorf("%q became %q, %v", e, back, err)
		}
	})
}

// BenchmarkPlacement measures what one agent costs, with 100 peers and the rule prepared.
func BenchmarkPlacement(b *testing.B) {
	var peers []placement.Agent
	for i := range 100 {
		peers = append(peers, placement.Agent{Hostname: fmt.Sprintf("host-%d", i),
			Attributes: []placement.Attribute{{Name: "rack", Value: fmt.Sprint(i % 5)}}})
	}
	agent := placement.Agent{Hostname: "host-500", Region: "r", Zone: "z",
		Attributes: []placement.Attribute{{Name: "disk", Value: "ssd-1"},
			{Name: "rack", Value: "3"}}}
	for name, rule := range map[string]string{
		"UNIQUE": "hostname:UNIQUE", "MAX_PER": "rack:MAX_PER:30", "CLUSTER": "rack:CLUSTER:3",
		"IS": "@zone:IS:z", "IS_NOT": "rack:IS_NOT:4", "LIKE": "disk:LIKE:ssd-.*",
		"UNLIKE": "disk:UNLIKE:hdd.*", "GROUP_BY": "rack:GROUP_BY:5",
		"all": `{"all": ["rack:IS:3", "hostname:UNIQUE"]}`,
		"any": `{"any": ["rack:IS:3", "hostname:UNIQUE"]}`,
		"not": `{"not": "rack:IS:4"}`,
	} {
		b.Run(name, func(b *testing.B) {
			judge := mustParse(b, rule).Judge(peers)
			b.ReportAllocs()
			for b.Loop() {
				if v := judge.Evaluate(agent); !v.Allowed {
					b.Fatal(v)
				}
			}
		})
	}
}
