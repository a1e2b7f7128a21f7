package servicespec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

var (
	planLanguage  = languageOf("plans.<name>")
	phaseLanguage = languageOf("plans.<name>.phases.<name>")
)

// deployPlan is the plan that every service has.
const deployPlan = "deploy"

func (p *parser) allPlans(root fields, pods []Pod) []Plan {
	entries := root.named("plans")
	if _, there := root.get("plans"); !there {
		return []Plan{defaultDeploy(pods)}
	}
	var plans []Plan
	deploy := false
	steps := 0
	for _, e := range entries {
		path := join("plans", e.key)
		p.checkName(e, path, "plan")
		deploy = deploy || e.key == deployPlan
		if f, ok := p.fieldsOf(e.value, path, planLanguage); ok {
			plan := p.plan(f, e.key)
			plans = append(plans, plan)
			steps += p.countSteps(plan)
		}
	}
	if v, _ := root.get("plans"); !deploy && v.kind == mapKind {
		root.at("plans", Missing, "there are plans, and none of them is named deploy",
			"add the plan deploy, or leave plans out to have it generated")
	}
	if steps > maxSteps {
		root.at("plans", TooLarge, fmt.Sprintf("the plans have %d steps", steps),
			fmt.Sprintf("at most %d are allowed", maxSteps))
	}
	return plans
}

// defaultDeploy is the plan of a service that declares none: pod by pod, instance by instance,
// and controllers, or a ZooKeeper ensemble at once, before brokers that cannot come up without.
func defaultDeploy(pods []Pod) Plan {
	plan := Plan{Name: deployPlan, Strategy: Serial}
	for _, pod := range bootOrder(pods) {
		strategy := Serial
		if pod.ZooKeeper != nil {
			strategy = Parallel // none of them serves alone
		}
		plan.Phases = append(plan.Phases, Phase{Name: pod.Type, Strategy: strategy, Pod: pod.Type})
	}
	return plan
}

func (p *parser) countSteps(plan Plan) int {
	steps := 0
	for _, phase := range plan.Phases {
		pod := p.pods[phase.Pod]
		if pod == nil {
			continue
		}
		most := 1
		for _, s := range phase.Steps {
			most = max(most, len(s.Steps))
		}
		steps += pod.Count * most
	}
	return steps
}

func (p *parser) plan(f fields, name string) Plan {
	plan := Plan{Name: name, Strategy: Serial}
	if text, _ := f.text("strategy"); strings.HasSuffix(strings.ToLower(text), "canary") {
		f.at("strategy", BadValue, "a plan is serial, parallel or dependency, not "+quote(text),
			"give the phase this strategy")
	} else if word, ok := f.oneOf("strategy", "serial", "parallel", "dependency"); ok {
		plan.Strategy = Strategy(word)
	}
	entries := f.named("phases")
	if v, there := f.get("phases"); !there || v.kind == mapKind && len(entries) == 0 {
		f.at("phases", Missing, "the plan has no phases", "declare at least one under phases:")
	}
	for _, e := range entries {
		path := join(join(f.path, "phases"), e.key)
		p.checkName(e, path, "phase")
		if pf, ok := p.fieldsOf(e.value, path, phaseLanguage); ok {
			plan.Phases = append(plan.Phases, p.phase(pf, e.key))
		}
	}
	p.dependencies(f, &plan)
	return plan
}

func (p *parser) phase(f fields, name string) Phase {
	phase := Phase{Name: name, Strategy: Serial}
	words := []string{"serial", "parallel", "serial-canary", "parallel-canary", "canary"}
	if word, ok := f.oneOf("strategy", words...); ok {
		phase.Strategy = Strategy(word)
		if word == "canary" {
			phase.Strategy = SerialCanary
		}
	}
	var pod *Pod
	if kind, ok := f.required("pod"); ok {
		phase.Pod = kind
		var there bool
		if pod, there = p.pods[kind]; !there {
			f.at("pod", Dangling, fmt.Sprintf("there is no pod %s", quote(kind)),
				didYouMean(kind, sortedNames(p.pods)))
		}
	}
	for i, v := range f.list("depends-on") {
		if v.kind != scalarKind || v.text == "" {
			f.wrong(v, fmt.Sprintf("depends-on[%d]", i), "must be the name of a phase")
			continue
		}
		phase.DependsOn = append(phase.DependsOn, v.text)
	}
	if v, there := f.get("steps"); there && v.kind != listKind {
		f.wrong(v, "steps", fmt.Sprintf("must be a list, not %s", describe(v)))
	} else if there {
		phase.Steps = p.steps(f, pod)
	}
	return phase
}

func (p *parser) steps(f fields, pod *Pod) []InstanceSteps {
	var all []InstanceSteps
	first := map[string]int{}
	readable := true
	for i, v := range f.list("steps") {
		path := fmt.Sprintf("%s.steps[%d]", f.path, i)
		sf := fields{p.mistakes, v, path}
		if v.kind != mapKind || len(v.entries) != 1 {
			sf.report(v, "", WrongType, "must be one entry, of an index or default",
				"write - default: [["+exampleTask(pod)+"]]")
			readable = false
			continue
		}
		e := v.entries[0]
		if line, twice := first[e.key]; twice {
			sf.report(v, "", Duplicate, fmt.Sprintf("the steps of %s are in line %d already",
				quote(e.key), line), "")
		}
		first[e.key] = v.line
		if steps, ok := p.instanceSteps(sf, e, pod); ok {
			all = append(all, steps)
		} else {
			readable = false
		}
	}
	if readable {
		p.checkCovered(f, all, pod)
	}
	return all
}

// exampleTask names a task for the example in a hint.
func exampleTask(pod *Pod) string {
	if pod == nil || len(pod.Tasks) == 0 {
		return "server"
	}
	return pod.Tasks[0].Name
}

func (p *parser) instanceSteps(f fields, e entry, pod *Pod) (InstanceSteps, bool) {
	s := InstanceSteps{Default: e.key == "default"}
	if !s.Default {
		index, err := strconv.Atoi(e.key)
		if err != nil || index < 0 || strconv.Itoa(index) != e.key {
			f.report(e.value, "", BadValue, fmt.Sprintf("%s is not the index of a pod",
				quote(e.key)), "use 0, 1, … or default")
			return s, false
		}
		s.Index = index
	}
	nested := "give a list of steps, each a list of tasks: [[" + exampleTask(pod) + "]]"
	if e.value.kind == scalarKind || e.value.kind == mapKind {
		f.report(e.value, e.key, WrongType, "must be a list, not "+describe(e.value), nested)
		return s, false
	}
	for i, v := range e.value.items {
		key := fmt.Sprintf("%s[%d]", e.key, i)
		if v.kind != listKind || len(v.items) == 0 {
			f.report(v, key, WrongType, "must be a list of tasks, not "+emptiness(v), nested)
			continue
		}
		names := p.stepTasks(f, v, key, pod)
		same := func(other []string) bool { return slices.Equal(other, names) }
		if slices.ContainsFunc(s.Steps, same) {
			f.report(v, key, Duplicate, "the instance has this step already", "")
		}
		s.Steps = append(s.Steps, names)
	}
	return s, true
}

func emptiness(v value) string {
	if v.kind == listKind {
		return "an empty one"
	}
	return describe(v)
}

func (p *parser) stepTasks(f fields, v value, key string, pod *Pod) []string {
	var known, names []string
	if pod != nil {
		for _, t := range pod.Tasks {
			known = append(known, t.Name)
		}
	}
	for _, item := range v.items {
		switch {
		case item.kind != scalarKind:
			f.wrong(item, key, fmt.Sprintf("must be the name of a task, not %s", describe(item)))
			continue
		case pod != nil && !slices.Contains(known, item.text):
			f.report(item, key, Dangling, fmt.Sprintf("pod %s has no task %s", pod.Type,
				quote(item.text)), didYouMean(item.text, known))
		case slices.Contains(names, item.text):
			f.report(item, key, Duplicate, fmt.Sprintf("the step has the task %s already",
				item.text), "")
		}
		names = append(names, item.text)
	}
	return names
}

// checkCovered reports instances for which there are neither steps of their own nor default
// ones.
func (p *parser) checkCovered(f fields, all []InstanceSteps, pod *Pod) {
	if pod == nil {
		return
	}
	covered := map[int]bool{}
	for _, s := range all {
		if s.Default {
			return
		}
		covered[s.Index] = true
	}
	for i := range pod.Count {
		if !covered[i] {
			f.at("steps", Missing, fmt.Sprintf("there are no steps for %s-%d", pod.Type, i),
				"add an entry for it, or default")
			return
		}
	}
}
