package servicespec

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// What this language adds to the predecessor's: policies, preferences and actions.

var (
	preferLanguage = languageOf(podPath + ".prefer[]")
	faultLanguage  = languageOf(podPath + ".fault-policy")
	updateLanguage = languageOf(podPath + ".update")
	actionLanguage = languageOf("actions.<name>")

	rebalanceLanguage = languageOf(podPath + ".rebalance")
)

// The defaults of policies.
const (
	defaultUnreachable Seconds = 1200
	defaultWithin      Seconds = 600
	defaultCooldown    Seconds = 3600
	maxWeight                  = 1_000_000
)

func (p *parser) policies(f fields, pod *Pod) {
	pod.Prefer = p.prefer(f)
	if v, ok := f.get("fault-policy"); ok {
		pod.Fault = p.faultPolicy(v, join(f.path, "fault-policy"), pod)
	}
	if v, ok := f.get("update"); ok {
		pod.Update = p.updatePolicy(v, join(f.path, "update"), pod)
	}
	if v, ok := f.get("rebalance"); ok {
		pod.Rebalance = p.rebalancePolicy(v, f, pod)
	}
}

// placement reads the pod's rule in any of its forms.
func (p *parser) placement(f fields, pod *Pod) {
	if expr, ok := p.expr(f); ok {
		pod.setPlacement(expr)
	}
}

// setPlacement sets the rule: as a list of constraints if it is no more than that.
func (p *Pod) setPlacement(expr placement.Expr) {
	rule, plain := expr.Plain()
	if p.Placement, p.Where = rule, nil; !plain {
		p.Where = &expr
	}
}

// expr reads the key placement of a mapping; ok is false when nothing is said there.
func (p *parser) expr(f fields) (placement.Expr, bool) {
	v, ok := f.get("placement")
	if !ok {
		return placement.Expr{}, false
	}
	text := v.text
	if v.kind != scalarKind {
		data, err := marshal(plain(v))
		if err != nil {
			f.wrong(v, "placement", "must be a rule")
			return placement.Expr{}, false
		}
		text = strings.TrimSpace(string(data))
	}
	expr, err := placement.ParseExpr(text)
	if err != nil {
		f.at("placement", BadValue, err.Error(), `write it as '[["hostname", "MAX_PER", "1"]]'`)
	}
	return expr, err == nil
}

// plain gives a value as what JSON can say.
func plain(v value) any {
	switch v.kind {
	case mapKind:
		m := map[string]any{}
		for _, e := range v.entries {
			m[e.key] = plain(e.value)
		}
		return m
	case listKind:
		list := []any{}
		for _, item := range v.items {
			list = append(list, plain(item))
		}
		return list
	case scalarKind:
		return v.text
	}
	return json.RawMessage("null")
}

func (p *parser) prefer(f fields) []placement.Preference {
	var list []placement.Preference
	for i, v := range f.list("prefer") {
		pf, ok := p.fieldsOf(v, fmt.Sprintf("%s.prefer[%d]", f.path, i), preferLanguage)
		if !ok {
			continue
		}
		preference := placement.Preference{Weight: 1}
		pf.missing("placement")
		preference.Placement, _ = p.expr(pf)
		if n, ok := pf.whole("weight", 1, maxWeight); ok {
			preference.Weight = int(n)
		}
		list = append(list, preference)
	}
	return list
}

func (p *parser) faultPolicy(v value, path string, pod *Pod) *FaultPolicy {
	policy := &FaultPolicy{UnreachableTimeout: defaultUnreachable, Action: FaultWait,
		MaxReplacements: 1}
	f, ok := p.fieldsOf(v, path, faultLanguage)
	if !ok {
		return nil
	}
	f.setSeconds("unreachable-timeout", 0, &policy.UnreachableTimeout)
	if action, ok := f.oneOf("action", FaultWait, FaultReplace); ok {
		policy.Action = action
	}
	if n, ok := f.whole("max-replacements", 1, maxCount); ok {
		policy.MaxReplacements = int(n)
	}
	if planned, ok := f.oneOf("planned", FaultWait, FaultReplace); ok {
		policy.Planned = planned
		if planned == FaultWait {
			policy.Planned = "" // the default
		}
	}
	if disk, ok := f.oneOf("disk", FaultWait, FaultReplace); ok && disk != FaultWait {
		policy.Disk = disk
		if pod.Kafka == nil || !pod.Kafka.Serves() {
			f.at("disk", BadValue, "the pod has no Kafka brokers", "leave it out")
		}
	}
	f.setSeconds("abandon-timeout", 0, &policy.AbandonTimeout)
	return policy
}

func (p *parser) updatePolicy(v value, path string, pod *Pod) *UpdatePolicy {
	policy := &UpdatePolicy{MaxUnavailable: 1}
	f, ok := p.fieldsOf(v, path, updateLanguage)
	if !ok {
		return nil
	}
	if n, ok := f.whole("max-unavailable", 1, int64(max(1, pod.Count))); ok {
		policy.MaxUnavailable = int(n)
	}
	if pod.Kafka != nil && pod.Kafka.Controls() && policy.MaxUnavailable > 1 {
		f.at("max-unavailable", BadValue, "Kafka's controllers are updated one at a time, so that "+
			"the quorum keeps its majority", "give 1, or leave it out")
	}
	if choice, ok := f.oneOf("fragile", FragileMoveFirst, FragileAllow, FragileRefuse); ok {
		if policy.Fragile = choice; choice == FragileMoveFirst {
			policy.Fragile = "" // the default
		} else if pod.Kafka == nil || !pod.Kafka.Serves() {
			f.at("fragile", BadValue, "the pod has no Kafka brokers", "leave it out")
		}
	}
	policy.ByRack = f.boolean("by-rack", false)
	if _, servers := f.get("by-rack"); servers && pod.ZooKeeper != nil {
		f.at("by-rack", BadValue, "of ZooKeeper servers followers go first, and the leader last",
			"remove it")
	}
	f.setSeconds("settle", 0, &policy.Settle)
	policy.HaltOnFailure = f.boolean("halt-on-failure", true)
	return policy
}

func (p *parser) rebalancePolicy(v value, of fields, pod *Pod) *RebalancePolicy {
	f, ok := p.fieldsOf(v, join(of.path, "rebalance"), rebalanceLanguage)
	if !ok {
		return nil
	}
	if pod.Kafka == nil || !pod.Kafka.Serves() {
		of.at("rebalance", BadValue, "the pod has no Kafka brokers", "leave it out")
	}
	policy := &RebalancePolicy{Fill: f.boolean("fill", false)}
	if n, ok := f.whole("throttle", 0, math.MaxInt64/2); ok {
		policy.Throttle = n
	}
	return policy
}

// setSeconds reads a time, and leaves the default when there is none.
func (f fields) setSeconds(key string, least int64, into *Seconds) {
	if n, ok := f.measured(key, least, maxSeconds, secondsHint); ok {
		*into = Seconds(n)
	}
}

func (p *parser) actions(root fields, plans []Plan) []Action {
	var names []string
	for _, plan := range plans {
		names = append(names, plan.Name)
	}
	var actions []Action
	for _, e := range root.named("actions") {
		path := join("actions", e.key)
		p.checkName(e, path, "action")
		f, ok := p.fieldsOf(e.value, path, actionLanguage)
		if !ok {
			continue
		}
		a := Action{Name: e.key, Cooldown: defaultCooldown}
		if a.Pod, ok = f.required("pod"); ok {
			if _, there := p.pods[a.Pod]; !there {
				f.at("pod", Dangling, fmt.Sprintf("there is no pod %s", quote(a.Pod)),
					didYouMean(a.Pod, sortedNames(p.pods)))
			}
		}
		if a.Plan, ok = f.required("plan"); ok && !slices.Contains(names, a.Plan) {
			f.at("plan", Dangling, fmt.Sprintf("there is no plan %s", quote(a.Plan)),
				didYouMean(a.Plan, names))
		} else if runsByItself(a.Plan) {
			f.at("plan", BadValue, fmt.Sprintf("the plan %s runs by itself", a.Plan),
				"name another plan")
		}
		f.event(&a, p.pods[a.Pod])
		f.setSeconds("cooldown", 0, &a.Cooldown)
		actions = append(actions, a)
	}
	return actions
}

// runsByItself says that a plan cannot be started.
func runsByItself(plan string) bool {
	switch plan {
	case deployPlan, "update", "recovery", "decommission", "uninstall":
		return true
	}
	return false
}

// event reads what an action waits for: failures, or a metric of its pod, which is nil if it is
// not known.
func (f fields) event(a *Action, pod *Pod) {
	_, failures := f.get("failures")
	_, metric := f.get("metric")
	_, above := f.get("above")
	_, below := f.get("below")
	_, within := f.get("within")
	if failures == metric {
		f.at("", Missing, "an action has either failures or metric", "give exactly one of them")
		return
	}
	if failures {
		n, _ := f.whole("failures", 1, 1_000_000)
		a.Failures, a.Within = int(n), defaultWithin
		f.setSeconds("within", 1, &a.Within)
		if above || below {
			f.at("", BadValue, "above and below belong to a metric", "remove them")
		}
		return
	}
	f.metric(a, pod)
	a.Above, a.Below = f.decimal("above"), f.decimal("below")
	if within {
		f.at("within", BadValue, "within belongs to failures", "remove it")
	}
	if above == below {
		f.at("", Missing, "a metric has either above or below", "give exactly one of them")
	}
}

// metric reads which metric an action watches: one that the scheduler knows of the pod.
func (f fields) metric(a *Action, pod *Pod) {
	name, ok := f.required("metric")
	a.Metric = name
	kafka := pod == nil || pod.Kafka != nil
	switch {
	case !ok || slices.Contains(metricNames(kafka), name):
	case slices.Contains(metricNames(true), name):
		f.at("metric", BadValue, fmt.Sprintf("pod %s runs no Kafka, and only Kafka has %s",
			pod.Type, name), "known are "+strings.Join(metricNames(false), ", "))
	default:
		f.at("metric", BadValue, fmt.Sprintf("the scheduler knows no metric %s", quote(name)),
			"known are "+strings.Join(metricNames(kafka), ", "))
	}
}

// decimal reads a number of any sign.
func (f fields) decimal(key string) *float64 {
	v, ok := f.get(key)
	if !ok {
		return nil
	}
	x, err := strconv.ParseFloat(v.text, 64)
	if v.kind != scalarKind || err != nil || math.IsNaN(x) || math.IsInf(x, 0) ||
		strings.ContainsAny(v.text, "xX_pP") {
		f.wrong(v, key, fmt.Sprintf("must be a number, not %s", describe(v)))
		return nil
	}
	return &x
}
