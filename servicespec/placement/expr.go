package placement

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Expr is a boolean combination of rules; the zero Expr allows every agent.
type Expr struct {
	// Op is All, Any or Not over Args, or "" for Rule.
	Op   Op
	Args []Expr
	Rule Rule
}

// Op combines expressions.
type Op string

// The combinations; Not has one argument.
const (
	All Op = "all"
	Any Op = "any"
	Not Op = "not"
)

// maxExprDepth bounds how deep combinations may be nested.
const maxExprDepth = 32

// ParseExpr reads a rule in any form that Parse reads, or a combination in JSON:
//
//	{"any": [ {"all": [["rack","IS","a"], "disk:LIKE:ssd.*"]}, {"not": "@zone:IS:z1"} ]}
//
// An argument is a combination, a row, rows or text. A row of its own among the arguments is
// one constraint.
func ParseExpr(text string) (Expr, error) {
	trimmed := strings.TrimSpace(text)
	if !strings.HasPrefix(trimmed, "{") && !nestsExpr(trimmed) {
		rule, err := Parse(text)
		return Expr{Rule: rule}, err
	}
	d := json.NewDecoder(strings.NewReader(trimmed))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return Expr{}, fmt.Errorf("parsing placement %q: it begins as JSON but is none: %w",
			text, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Expr{}, fmt.Errorf("parsing placement %q: something follows the JSON", text)
	}
	e, err := exprOf(v, 0)
	if err == nil {
		err = checkSize(e.constraints())
	}
	if err != nil {
		return Expr{}, fmt.Errorf("parsing placement %q: %w", text, err)
	}
	return e, nil
}

// nestsExpr says that a list holds a combination somewhere, which no rule does.
func nestsExpr(text string) bool {
	var items []any
	if !strings.HasPrefix(text, "[") || json.Unmarshal([]byte(text), &items) != nil {
		return false
	}
	for _, item := range items {
		if _, ok := item.(map[string]any); ok {
			return true
		}
	}
	return false
}

func exprOf(v any, depth int) (Expr, error) {
	if depth > maxExprDepth {
		return Expr{}, fmt.Errorf("it is nested more than %d deep", maxExprDepth)
	}
	switch v := v.(type) {
	case map[string]any:
		return combination(v, depth)
	case string:
		rule, err := parseAny(strings.TrimSpace(v))
		return Expr{Rule: rule}, err
	case []any:
		for _, item := range v {
			if _, ok := item.(map[string]any); ok {
				return exprList(All, v, depth)
			}
		}
		text, err := json.Marshal(v)
		if err != nil {
			return Expr{}, fmt.Errorf("printing a row: %w", err)
		}
		rule, err := parseAny(string(text))
		return Expr{Rule: rule}, err
	}
	if v == nil {
		v = "nothing"
	}
	return Expr{}, fmt.Errorf("%v is no rule: want rows, text, or all, any or not", v)
}

func combination(m map[string]any, depth int) (Expr, error) {
	if len(m) != 1 {
		return Expr{}, fmt.Errorf("a combination has %d keys: want exactly one of all, any, not",
			len(m))
	}
	for _, op := range []Op{All, Any, Not} {
		arg, there := m[string(op)]
		if !there {
			continue
		}
		list, many := arg.([]any)
		if op == Not || !many {
			inner, err := exprOf(arg, depth+1)
			if err != nil {
				return Expr{}, err
			}
			return Expr{Op: op, Args: []Expr{inner}}, nil
		}
		return exprList(op, list, depth)
	}
	return Expr{}, errors.New("a combination has an unknown key: want all, any or not")
}

func exprList(op Op, list []any, depth int) (Expr, error) {
	if len(list) == 0 {
		return Expr{}, fmt.Errorf("%s has no arguments", op)
	}
	e := Expr{Op: op}
	for _, item := range list {
		inner, err := exprOf(item, depth+1)
		if err != nil {
			return Expr{}, err
		}
		e.Args = append(e.Args, inner)
	}
	return e, nil
}

// Plain gives the rule that the expression amounts to, if it is no more than constraints that
// must all hold.
func (e Expr) Plain() (Rule, bool) {
	switch {
	case e.Op == "":
		return e.Rule, true
	case e.Op == Not, e.Op == Any && len(e.Args) != 1:
		return Rule{}, false
	}
	var rule Rule
	for _, arg := range e.Args {
		inner, ok := arg.Plain()
		if !ok {
			return Rule{}, false
		}
		rule.Constraints = append(rule.Constraints, inner.Constraints...)
	}
	return rule, true
}

// String prints the expression as JSON, which ParseExpr reads back to the same.
func (e Expr) String() string {
	if e.Op == "" {
		return e.Rule.String()
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e.tree()); err != nil {
		panic(fmt.Sprintf("strings do not encode: %v", err))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (e Expr) tree() any {
	if e.Op == "" {
		rows := [][]string{}
		for _, c := range e.Rule.Constraints {
			rows = append(rows, c.fields())
		}
		return rows
	}
	args := []any{}
	for _, arg := range e.Args {
		args = append(args, arg.tree())
	}
	if e.Op == Not {
		return map[string]any{string(Not): args[0]}
	}
	return map[string]any{string(e.Op): args}
}

// MarshalText prints the expression.
func (e Expr) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads what MarshalText printed.
func (e *Expr) UnmarshalText(text []byte) error {
	parsed, err := ParseExpr(string(text))
	*e = parsed
	return err
}

// Evaluate says whether an instance may go to an agent, as Rule.Evaluate does.
func (e Expr) Evaluate(a Agent, peers []Agent) Verdict { return e.Judge(peers).Evaluate(a) }

// Judge prepares the expression for any number of agents.
func (e Expr) Judge(peers []Agent) ExprJudge { return e.JudgeIn(NewCrowd(peers...)) }

// JudgeIn prepares the expression with peers that come and go, as Rule.JudgeIn does.
func (e Expr) JudgeIn(peers *Crowd) ExprJudge {
	if e.Op == "" {
		return ExprJudge{leaf: e.Rule.JudgeIn(peers)}
	}
	j := ExprJudge{op: e.Op}
	for _, arg := range e.Args {
		j.args = append(j.args, arg.JudgeIn(peers))
	}
	return j
}

// counts says whether the expression depends on peers.
func (e Expr) counts() bool { return slices.ContainsFunc(e.constraints(), Constraint.Counts) }

// Equal says whether two expressions are written the same.
func (e Expr) Equal(o Expr) bool {
	return e.Op == o.Op && slices.Equal(e.Rule.Constraints, o.Rule.Constraints) &&
		slices.EqualFunc(e.Args, o.Args, Expr.Equal)
}

// ExprJudge is an expression that is ready to be evaluated; the zero one allows every agent.
type ExprJudge struct {
	op   Op
	args []ExprJudge
	leaf Judge
}

// Evaluate gives the verdict on an agent. The reason of any tells why each way is closed, and
// that of not what should not hold.
func (j ExprJudge) Evaluate(a Agent) Verdict {
	switch j.op {
	case All:
		for _, arg := range j.args {
			if v := arg.Evaluate(a); !v.Allowed {
				return v
			}
		}
		return Verdict{Allowed: true}
	case Any:
		var reasons []string
		for _, arg := range j.args {
			v := arg.Evaluate(a)
			if v.Allowed {
				return v
			}
			reasons = append(reasons, v.Reason)
		}
		return Verdict{Reason: "none of: " + strings.Join(reasons, "; ")}
	case Not:
		if v := j.args[0].Evaluate(a); v.Allowed {
			return Verdict{Reason: "it is what must not be: " + j.args[0].String()}
		}
		return Verdict{Allowed: true}
	}
	return j.leaf.Evaluate(a)
}

// String prints what is judged for people: "not (rack IS a)".
func (j ExprJudge) String() string {
	var parts []string
	word := " and "
	for i := range j.leaf.tests {
		parts = append(parts, j.leaf.tests[i].Constraint.String())
	}
	for _, arg := range j.args {
		parts = append(parts, arg.String())
	}
	if j.op == Any {
		word = " or "
	}
	text := "(" + strings.Join(parts, word) + ")"
	if j.op == Not {
		return "not " + parts[0]
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return text
}
