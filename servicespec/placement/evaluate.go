package placement

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
)

// The fields that are not attributes.
const (
	fieldHostname = "hostname"
	fieldRegion   = "@region"
	fieldZone     = "@zone"
)

// Evaluate says whether an instance may go to agent a, where peers are the places of the OTHER
// instances of the same pod type, one for each. All constraints must allow it:
//
//	UNIQUE      no peer has the same value
//	MAX_PER n   this instance and the peers with the same value are at most n
//	CLUSTER, IS the value is the parameter
//	IS_NOT      no value is the parameter; passes where the attribute is absent
//	LIKE        the whole value matches the regular expression
//	UNLIKE      no value does; passes where the attribute is absent
//	GROUP_BY    the value is one of those that the fewest peers have, or is new; as long as
//	            the peers have fewer values than the parameter says, it must be new
//
// Instances are counted, not their tasks. Values are compared exactly, but numbers by what
// they amount to, as Mesos prints the attribute rack:1 as 1.0 or 1. If an attribute occurs
// more than once, all of its values are counted, and one that is equal or matches is enough.
// Other than for IS_NOT and UNLIKE an agent without the field is refused.
func (r Rule) Evaluate(a Agent, peers []Agent) Verdict { return r.Judge(peers).Evaluate(a) }

// Judge prepares the rule for any number of agents: peers are counted and regular expressions
// compiled once. The rule may not change as long as it is used.
func (r Rule) Judge(peers []Agent) Judge { return r.JudgeIn(NewCrowd(peers...)) }

// JudgeIn prepares the rule for any number of agents, with peers that come and go: the verdicts
// are always about those who are in the crowd at the time.
func (r Rule) JudgeIn(peers *Crowd) Judge {
	j := Judge{tests: make([]test, len(r.Constraints))}
	for i, c := range r.Constraints {
		j.tests[i] = newTest(c, peers)
	}
	return j
}

// Judge is a rule that is ready to be evaluated; the zero Judge allows every agent.
type Judge struct{ tests []test }

// Evaluate gives the verdict of Rule.Evaluate; of several constraints that refuse it tells the
// first.
func (j Judge) Evaluate(a Agent) Verdict {
	for i := range j.tests {
		if reason := j.tests[i].refuse(a.values(j.tests[i].Field)); reason != "" {
			return Verdict{Constraint: j.tests[i].Constraint, Reason: reason}
		}
	}
	return Verdict{Allowed: true}
}

// AllowsAlone says whether an agent is allowed as far as peers have no part in it.
func (j Judge) AllowsAlone(a Agent) bool {
	for i := range j.tests {
		if t := &j.tests[i]; !t.counts() && t.refuse(a.values(t.Field)) != "" {
			return false
		}
	}
	return true
}

// Seats gives what of the rule depends on peers, for one agent: see Seats.
func (j Judge) Seats(a Agent) Seats {
	var seats Seats
	for i := range j.tests {
		if t := &j.tests[i]; t.counts() {
			seats = append(seats, t.seat(a.values(t.Field)))
		}
	}
	return seats
}

// values gives what the agent has for a field, nothing if it has no such.
func (a Agent) values(field string) []string {
	switch field {
	case fieldHostname:
		return one(a.Hostname)
	case fieldRegion:
		return one(a.Region)
	case fieldZone:
		return one(a.Zone)
	}
	var out []string
	for _, attribute := range a.Attributes {
		if attribute.Name == field && !slices.Contains(out, attribute.Value) {
			out = append(out, attribute.Value)
		}
	}
	return out
}

func one(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// test is one constraint with what it needs to know beforehand.
type test struct {
	Constraint
	limit  int     // the parameter as a number
	peers  *values // how many peers have each value, nil if nobody counts them
	like   *regexp.Regexp
	broken string // why the constraint cannot be evaluated
}

func newTest(c Constraint, peers *Crowd) test {
	t := test{Constraint: c}
	switch c.Operator {
	case Unique:
		t.limit = 1
		t.peers = peers.of(c.Field)
	case MaxPer, GroupBy:
		if n, err := strconv.Atoi(c.Param); err == nil {
			t.limit = n
		} else if c.Operator == MaxPer {
			t.broken = c.String() + " has no number"
		}
		t.peers = peers.of(c.Field)
	case Like, Unlike:
		re, err := compile(c.Param)
		if err != nil {
			t.broken = c.String() + ": " + err.Error()
		}
		t.like = re
	case Cluster, Is, IsNot:
	default:
		t.broken = c.String() + " has an unknown operator"
	}
	return t
}

// Counts says whether the constraint depends on where the peers are.
func (c Constraint) Counts() bool {
	return c.Operator == Unique || c.Operator == MaxPer || c.Operator == GroupBy
}

// counts says whether the test depends on peers.
func (t *test) counts() bool { return t.peers != nil }

// compile gives a regular expression that matches whole values only. It goes through the
// syntax tree so that no expression can close the group around it.
func compile(expression string) (*regexp.Regexp, error) {
	tree, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("reading the regular expression: %w", err)
	}
	re, err := regexp.Compile(`\A(?:` + tree.String() + `)\z`)
	if err != nil {
		return nil, fmt.Errorf("compiling the regular expression: %w", err)
	}
	return re, nil
}

// refuse gives the reason why an agent with these values is refused, "" if it is not.
func (t *test) refuse(values []string) string {
	switch {
	case t.broken != "":
		return t.broken
	case len(values) == 0 && (t.Operator == IsNot || t.Operator == Unlike):
		return ""
	case len(values) == 0:
		return t.absent()
	}
	switch t.Operator {
	case Unique, MaxPer:
		return t.crowded(values)
	case GroupBy:
		return t.uneven(values)
	case Cluster, Is:
		if !slices.ContainsFunc(values, t.is) {
			return t.Field + " is " + strings.Join(values, " and ") + ", not " + t.Param
		}
	case IsNot:
		if slices.ContainsFunc(values, t.is) {
			return t.Field + " must not be " + t.Param
		}
	case Like:
		if !slices.ContainsFunc(values, t.like.MatchString) {
			return t.Field + " " + strings.Join(values, " and ") + " is not like " + t.Param
		}
	case Unlike:
		if i := slices.IndexFunc(values, t.like.MatchString); i >= 0 {
			return t.Field + " " + values[i] + " is like " + t.Param
		}
	}
	return ""
}

func (t *test) absent() string {
	switch t.Field {
	case fieldHostname:
		return "the agent has no hostname"
	case fieldRegion, fieldZone:
		return "the agent has no " + t.Field[1:]
	}
	return "the agent has no attribute " + t.Field
}

func (t *test) crowded(values []string) string {
	for _, value := range values {
		if n := t.peers.count(value); n >= t.limit {
			return t.Field + " " + value + " already has " + strconv.Itoa(n) +
				" of at most " + strconv.Itoa(t.limit) + " instances"
		}
	}
	return ""
}

func (t *test) uneven(values []string) string {
	used, fewest := t.peers.spread()
	for _, value := range values {
		n := t.peers.count(value)
		switch {
		case n == 0:
		case used < t.limit:
			return t.Field + " " + value + " has an instance already, and only " +
				strconv.Itoa(used) + " of " + strconv.Itoa(t.limit) + " values are used"
		case n > fewest:
			return t.Field + " " + value + " has " + strconv.Itoa(n) +
				" instances, another value only " + strconv.Itoa(fewest)
		}
	}
	return ""
}

// is compares a value with the parameter.
func (t *test) is(value string) bool {
	if value == t.Param {
		return true
	}
	a, aIsNumber := number(value)
	b, bIsNumber := number(t.Param)
	return aIsNumber && bIsNumber && a == b
}

// number reads plain decimal numbers.
func number(s string) (float64, bool) {
	if s == "" || strings.Trim(s, "-.0123456789") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}
