package servicespec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// readRule is a placement rule as the predecessor stores it: one of many types, with the fields of
// all of them.
type readRule struct {
	At      string       `json:"@type"`
	Rules   []*readRule  `json:"rules"`
	Rule    *readRule    `json:"rule"`
	Matcher *readMatcher `json:"matcher"`
	Max     int          `json:"max"`
	Name    string       `json:"name"`
	Agents  *int         `json:"agent-count"`
	Regions *int         `json:"region-count"`
	Zones   *int         `json:"zone-count"`
	Values  *int         `json:"value-count"`
}

type readMatcher struct {
	At      string `json:"@type"`
	String  string `json:"string"`
	Pattern string `json:"pattern"`
}

// expr gives what oldPlacement would print as the rule. That an instance stays in the region of the
// cluster goes without saying.
func (r *readRule) expr() (placement.Expr, error) {
	switch {
	case r == nil, r.At == "IsLocalRegionRule", r.At == "PassthroughRule":
		return placement.Expr{}, nil
	case r.At == "AndRule":
		return r.joined(placement.All)
	case r.At == "OrRule":
		return r.joined(placement.Any)
	case r.At == "NotRule":
		inner, err := r.Rule.expr()
		if rule := inner.Rule.Constraints; inner.Op == "" && len(rule) == 1 &&
			rule[0].Operator == placement.Like {
			rule[0].Operator = placement.Unlike
			return inner, err
		}
		return placement.Expr{Op: placement.Not, Args: []placement.Expr{inner}}, err
	}
	c, err := r.constraint()
	return placement.Expr{Rule: placement.Rule{Constraints: []placement.Constraint{c}}}, err
}

func (r *readRule) joined(op placement.Op) (placement.Expr, error) {
	e := placement.Expr{Op: op}
	for _, inner := range r.Rules {
		arg, err := inner.expr()
		if err != nil {
			return e, err
		}
		if arg.Op != "" || len(arg.Rule.Constraints) > 0 {
			e.Args = append(e.Args, arg)
		}
	}
	return e, nil
}

// constraint reads a rule of one field: RegionRule, MaxPerRegionRule or RoundRobinByRegionRule.
func (r *readRule) constraint() (placement.Constraint, error) {
	kind, word := "", r.At
	for _, prefix := range []string{"MaxPer", "RoundRobinBy"} {
		if rest, is := strings.CutPrefix(word, prefix); is {
			kind, word = prefix, rest
		}
	}
	c := placement.Constraint{}
	word, isRule := strings.CutSuffix(word, "Rule")
	for _, field := range sortedNames(oldFields) {
		if oldFields[field] == word {
			c.Field = field
		}
	}
	if !isRule || c.Field == "" && word != "Attribute" {
		return c, fmt.Errorf("the placement rule %q is none that can be taken over", r.At)
	}
	switch kind {
	case "MaxPer":
		if c.Field == "" && r.Matcher != nil {
			c.Field, _, _ = strings.Cut(r.Matcher.Pattern, ":")
		}
		c.Operator, c.Param = placement.MaxPer, strconv.Itoa(r.Max)
		if r.Max == 1 {
			c.Operator, c.Param = placement.Unique, ""
		}
	case "RoundRobinBy":
		if c.Field == "" {
			c.Field = r.Name
		}
		c.Operator = placement.GroupBy
		if n := r.count(); n != nil {
			c.Param = strconv.Itoa(*n)
		}
	default:
		return c, r.match(&c)
	}
	return c, nil
}

// match reads what a field is compared with; an attribute's name is a part of that.
func (r *readRule) match(c *placement.Constraint) error {
	m := r.Matcher
	if m == nil {
		return fmt.Errorf("the placement rule %s has no matcher", r.At)
	}
	value := m.String
	switch m.At {
	case "RegexMatcher":
		c.Operator, value = placement.Like, m.Pattern
	case "ExactMatcher":
		c.Operator = placement.Is
	case "InvertedExactMatcher":
		c.Operator = placement.IsNot
	default:
		return fmt.Errorf("the matcher %q of a placement rule is none that can be taken over",
			m.At)
	}
	if c.Field == "" {
		c.Field, value, _ = strings.Cut(value, ":")
	}
	c.Param = value
	return nil
}

func (r *readRule) count() *int {
	counts := []*int{r.Agents, r.Regions, r.Zones, r.Values}
	if i := slices.IndexFunc(counts, func(n *int) bool { return n != nil }); i >= 0 {
		return counts[i]
	}
	return nil
}
