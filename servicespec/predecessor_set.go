package servicespec

import (
	"slices"
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// owner is what the predecessor repeats at every resource of a pod.
type owner struct{ role, preReserved, principal string }

type (
	oldSet struct {
		ID        string      `json:"id"`
		Resources []any       `json:"resource-specifications"`
		Volumes   []oldVolume `json:"volume-specifications"`
		Role      string      `json:"role"`
		Principal string      `json:"principal"`
		Limits    oldLimits   `json:"resource-limits"`
	}
	oldLimits struct {
		CPUs   *string `json:"cpus"`
		Memory *string `json:"memory"`
	}
	oldOwner struct {
		Role        string `json:"role"`
		PreReserved string `json:"pre-reserved-role"`
		Principal   string `json:"principal"`
	}
	oldScalar struct {
		At    string         `json:"@type"`
		Name  string         `json:"name"`
		Value oldScalarValue `json:"value"`
		oldOwner
	}
	oldScalarValue struct {
		Type   string `json:"type"`
		Scalar struct {
			Value double `json:"value"`
		} `json:"scalar"`
	}
	oldVolume struct {
		At       string         `json:"@type"`
		Type     string         `json:"type"`
		Path     string         `json:"container-path"`
		Profiles []string       `json:"profiles"`
		Name     string         `json:"name"`
		Value    oldScalarValue `json:"value"`
		oldOwner
	}
	oldRange struct {
		Begin int `json:"begin"`
		End   int `json:"end"`
	}
	oldRangesValue struct {
		Type   string `json:"type"`
		Ranges struct {
			Range []oldRange `json:"range"`
		} `json:"ranges"`
	}
	// oldPortHead is what ports with and without a virtual address have in common.
	oldPortHead struct {
		At    string         `json:"@type"`
		Value oldRangesValue `json:"value"`
		oldOwner
		EnvKey     *string  `json:"env-key"`
		PortName   string   `json:"port-name"`
		Visibility string   `json:"visibility"`
		Networks   []string `json:"network-names"`
	}
	oldPort struct {
		oldPortHead
		Ranges []oldRange `json:"ranges"`
		Name   string     `json:"name"`
	}
	oldVIPPort struct {
		oldPortHead
		Protocol string     `json:"protocol"`
		VIPName  string     `json:"vip-name"`
		VIPPort  int        `json:"vip-port"`
		Name     string     `json:"name"`
		Ranges   []oldRange `json:"ranges"`
	}
)

func (o owner) tags() oldOwner { return oldOwner{o.role, o.preReserved, o.principal} }

func (o owner) set(set ResourceSet) oldSet {
	old := oldSet{ID: set.Name, Resources: []any{}, Volumes: o.volumes(set.Volumes), Role: o.role,
		Principal: o.principal}
	for _, x := range []struct {
		name  string
		value double
	}{{"cpus", double(set.CPUs) / 1000}, {"gpus", double(set.GPUs) / 1000},
		{"mem", double(set.Memory)}} {
		if x.value != 0 {
			old.Resources = append(old.Resources, oldScalar{"DefaultResourceSpec", x.name,
				scalarValue(x.value), o.tags()})
		}
	}
	for _, port := range set.Ports {
		old.Resources = append(old.Resources, o.port(port))
	}
	return old
}

func scalarValue(x double) oldScalarValue {
	v := oldScalarValue{Type: "SCALAR"}
	v.Scalar.Value = x
	return v
}

func (o owner) volumes(list []Volume) []oldVolume {
	all := []oldVolume{}
	for _, v := range list {
		all = append(all, oldVolume{"DefaultVolumeSpec", v.Type, v.Path,
			append([]string{}, v.Profiles...), "disk", scalarValue(double(v.Size)), o.tags()})
	}
	return all
}

func (o owner) port(port Port) any {
	head := oldPortHead{At: "PortSpec", oldOwner: o.tags(), EnvKey: orNull(port.EnvKey),
		PortName: port.Name, Visibility: "CLUSTER", Networks: []string{}}
	head.Value.Type = "RANGES"
	head.Value.Ranges.Range = []oldRange{{port.Port, port.Port}}
	if port.Advertise || port.VIP != nil {
		head.Visibility = "EXTERNAL"
	}
	ranges := []oldRange{}
	for _, r := range port.Ranges {
		ranges = append(ranges, oldRange{int(r.Begin), int(r.End)})
	}
	if port.VIP == nil {
		return oldPort{head, ranges, "ports"}
	}
	head.At = "NamedVIPSpec"
	return oldVIPPort{head, "tcp", port.VIP.Prefix, port.VIP.Port, "ports", ranges}
}

type (
	oldRules struct {
		At    string `json:"@type"`
		Rules []any  `json:"rules,omitempty"`
		Rule  any    `json:"rule,omitempty"`
	}
	oldMatcher struct {
		At      string `json:"@type"`
		String  string `json:"string,omitempty"`
		Pattern string `json:"pattern,omitempty"`
	}
	oldMatch struct {
		At      string     `json:"@type"`
		Matcher oldMatcher `json:"matcher"`
	}
	oldMaxPer struct {
		At      string      `json:"@type"`
		Max     int         `json:"max"`
		Matcher *oldMatcher `json:"matcher,omitempty"`
		Tasks   oldMatcher  `json:"task-filter"`
	}
)

// oldPlacement gives a pod's rule with the one that the predecessor adds to those that say
// nothing of a region.
func oldPlacement(pod Pod) any {
	var rules []any
	regional := false
	for _, c := range pod.Placement.Constraints {
		rules = append(rules, oldRule(pod.Type, c))
		regional = regional || c.Field == "@region"
	}
	if pod.Where != nil {
		rules = append(rules, oldExpr(pod.Type, *pod.Where))
		regional = slices.ContainsFunc(pod.Where.Constraints(),
			func(c placement.Constraint) bool { return c.Field == "@region" })
	}
	var rule any
	switch {
	case len(rules) == 1:
		rule = rules[0]
	case len(rules) > 1:
		rule = oldRules{At: "AndRule", Rules: rules}
	}
	local := oldRules{At: "IsLocalRegionRule"}
	switch {
	case regional:
		return rule
	case rule == nil:
		return local
	}
	return oldRules{At: "AndRule", Rules: []any{local, rule}}
}

// oldExpr gives a combination of rules.
func oldExpr(pod string, e placement.Expr) any {
	var rules []any
	for _, c := range e.Rule.Constraints {
		rules = append(rules, oldRule(pod, c))
	}
	for _, arg := range e.Args {
		rules = append(rules, oldExpr(pod, arg))
	}
	switch {
	case e.Op == placement.Not:
		return oldRules{At: "NotRule", Rule: rules[0]}
	case e.Op == placement.Any:
		return oldRules{At: "OrRule", Rules: rules}
	case len(rules) == 1:
		return rules[0]
	}
	return oldRules{At: "AndRule", Rules: rules}
}

// oldFields gives the word that the names of rules hold for a field.
var oldFields = map[string]string{"hostname": "Hostname", "@region": "Region", "@zone": "Zone"}

func oldRule(pod string, c placement.Constraint) any {
	field, tasks := oldFields[c.Field], oldMatcher{At: "RegexMatcher", Pattern: pod + "-.*"}
	value := c.Param
	if field == "" {
		field, value = "Attribute", c.Field+":"+c.Param
	}
	count, _ := strconv.Atoi(c.Param) // the parser saw to it
	match := func(m oldMatcher) oldMatch { return oldMatch{field + "Rule", m} }
	switch c.Operator {
	case placement.Unique, placement.MaxPer:
		rule := oldMaxPer{At: "MaxPer" + field + "Rule", Max: max(count, 1), Tasks: tasks}
		if field == "Attribute" {
			rule.Matcher = &oldMatcher{At: "RegexMatcher", Pattern: c.Field + ":.*"}
		}
		return rule
	case placement.GroupBy:
		return oldGroupBy(field, c, tasks)
	case placement.Like:
		return match(oldMatcher{At: "RegexMatcher", Pattern: value})
	case placement.Unlike:
		return oldRules{At: "NotRule", Rule: match(oldMatcher{At: "RegexMatcher",
			Pattern: value})}
	case placement.IsNot:
		return match(oldMatcher{At: "InvertedExactMatcher", String: value})
	}
	return match(oldMatcher{At: "ExactMatcher", String: value})
}

// oldGroupBy names the number of values as the rule for each field does.
func oldGroupBy(field string, c placement.Constraint, tasks oldMatcher) map[string]any {
	rule := map[string]any{"@type": "RoundRobinBy" + field + "Rule", "task-filter": tasks}
	var count any
	if n, err := strconv.Atoi(c.Param); err == nil {
		count = n
	}
	switch field {
	case "Hostname":
		rule["agent-count"] = count
	case "Zone", "Region":
		rule[strings.ToLower(field)+"-count"] = count
	default:
		rule["name"], rule["value-count"] = c.Field, count
	}
	return rule
}
