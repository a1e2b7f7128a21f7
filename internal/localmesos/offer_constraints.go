package localmesos

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
)

// offerConstraints say, by role, of which agents a framework wants offers. mesos-go does not
// know them, so that they are read off the text of a call.
type offerConstraints struct {
	Roles map[string]struct {
		Groups []struct {
			Attributes []attributeConstraint `json:"attribute_constraints"`
		} `json:"groups"`
	} `json:"role_constraints"`
}

type attributeConstraint struct {
	Selector struct {
		Name   string `json:"attribute_name"`
		Pseudo string `json:"pseudoattribute_type"`
	} `json:"selector"`
	Predicate struct {
		Exists     *struct{}    `json:"exists"`
		NotExists  *struct{}    `json:"not_exists"`
		Equals     *textOperand `json:"text_equals"`
		NotEquals  *textOperand `json:"text_not_equals"`
		Matches    *textOperand `json:"text_matches"`
		NotMatches *textOperand `json:"text_not_matches"`
	} `json:"predicate"`

	pattern *regexp.Regexp
}

type textOperand struct {
	Value string `json:"value"`
	Regex string `json:"regex"`
}

// requestedConstraints are what a call says of them.
type requestedConstraints struct {
	set *offerConstraints
	err error
}

// offerConstraintsOf reads the constraints that a JSON call has, if any.
func offerConstraintsOf(body []byte) (*offerConstraints, error) {
	var call struct {
		Subscribe, Update struct {
			Constraints *offerConstraints `json:"offer_constraints"`
		}
	}
	if err := json.Unmarshal(body, &struct {
		Subscribe any `json:"subscribe"`
		Update    any `json:"update_framework"`
	}{&call.Subscribe, &call.Update}); err != nil {
		return nil, fmt.Errorf("Offer constraints are not valid: %w", err)
	}
	out := call.Subscribe.Constraints
	if out == nil {
		out = call.Update.Constraints
	}
	if out == nil {
		return nil, nil
	}
	for _, role := range sortedKeys(out.Roles) {
		for _, g := range out.Roles[role].Groups {
			for i := range g.Attributes {
				if err := g.Attributes[i].compile(); err != nil {
					return nil, fmt.Errorf("Offer constraints are not valid: A role %s has an "+
						"invalid 'AttributeConstraint': %w", role, err)
				}
			}
		}
	}
	return out, nil
}

func (c *attributeConstraint) compile() error {
	p := c.Predicate
	operand := p.Matches
	switch {
	case c.Selector.Name == "" && c.Selector.Pseudo == "":
		return errors.New("Exactly one of 'AttributeConstraint::Selector::name' and " +
			"'AttributeConstraint::Selector::pseudoattribute_type' must be set")
	case p.NotMatches != nil:
		operand = p.NotMatches
	case p.Matches == nil && p.Exists == nil && p.NotExists == nil && p.Equals == nil &&
		p.NotEquals == nil:
		return errors.New("Unknown predicate type")
	}
	if operand == nil {
		return nil
	}
	pattern, err := regexp.Compile(`\A(?:` + operand.Regex + `)\z`)
	if err != nil {
		_, err = regexp.Compile(operand.Regex)
		return fmt.Errorf("Failed to construct regex from pattern '%s': %s", operand.Regex,
			patternError(err))
	}
	c.pattern = pattern
	return nil
}

// patternError words an error as RE2 does.
func patternError(err error) string {
	if e := (*syntax.Error)(nil); errors.As(err, &e) {
		return strings.Replace(string(e.Code), "missing closing )", "missing )", 1) + ": " + e.Expr
	}
	return fmt.Sprint(err)
}

// admit tells whether a role may be offered something of an agent: all constraints of one of
// its groups hold.
func (o *offerConstraints) admit(role string, a *agentNode) bool {
	if o == nil || len(o.Roles[role].Groups) == 0 {
		return true
	}
	for _, g := range o.Roles[role].Groups {
		all := true
		for i := range g.Attributes {
			all = all && g.Attributes[i].holds(a)
		}
		if all {
			return true
		}
	}
	return false
}

// holds tells whether some attribute of the name, or the lack of it, is as wanted. What is no
// text passes each predicate about texts.
func (c *attributeConstraint) holds(a *agentNode) bool {
	texts, others := c.selected(a)
	p := c.Predicate
	some := func(f func(string) bool) bool {
		for _, t := range texts {
			if f(t) {
				return true
			}
		}
		return others
	}
	switch {
	case p.Exists != nil:
		return len(texts) > 0 || others
	case p.NotExists != nil:
		return len(texts) == 0 && !others
	case p.Equals != nil:
		return some(func(t string) bool { return t == p.Equals.Value })
	case p.NotEquals != nil:
		return len(texts) == 0 || some(func(t string) bool { return t != p.NotEquals.Value })
	case p.Matches != nil:
		return some(c.pattern.MatchString)
	}
	return len(texts) == 0 || some(func(t string) bool { return !c.pattern.MatchString(t) })
}

// selected are the values of an agent that a constraint is about, and whether there are some
// that are no texts.
func (c *attributeConstraint) selected(a *agentNode) (texts []string, others bool) {
	switch c.Selector.Pseudo {
	case "HOSTNAME":
		return []string{a.cfg.Hostname}, false
	case "REGION":
		return nonEmpty(a.cfg.Region), false
	case "ZONE":
		return nonEmpty(a.cfg.Zone), false
	}
	for _, at := range a.cfg.attributes() {
		switch {
		case at.Name != c.Selector.Name:
		case at.GetType() == mesos.TEXT:
			texts = append(texts, at.GetText().GetValue())
		default:
			others = true
		}
	}
	return texts, others
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
