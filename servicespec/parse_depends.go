package servicespec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// DependencyOf takes an entry of DependsOn apart: the phase, and the index of a pod instance,
// -1 for all. phases are the names of those that there are.
func DependencyOf(text string, phases []string) (phase string, index int) {
	if slices.Contains(phases, text) {
		return text, -1
	}
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return text, -1
	}
	index, err := strconv.Atoi(text[i+1:])
	if err != nil || index < 0 {
		return text, -1
	}
	return text[:i], index
}

// PhaseNames are the names of a plan's phases, in order.
func (p Plan) PhaseNames() []string {
	var names []string
	for _, phase := range p.Phases {
		names = append(names, phase.Name)
	}
	return names
}

// dependencies checks what the phases of a plan depend on, and makes it one of dependency.
func (p *parser) dependencies(f fields, plan *Plan) {
	after := map[string][]string{}
	phases, _ := f.get("phases")
	for _, phase := range plan.Phases {
		if len(phase.DependsOn) == 0 {
			continue
		}
		if _, given := f.get("strategy"); given && plan.Strategy != Dependency {
			f.at("strategy", BadValue, fmt.Sprintf("phase %s has depends-on, and the plan is %s",
				phase.Name, plan.Strategy), "write strategy: dependency, or leave it out")
			return
		}
		plan.Strategy = Dependency
		for _, e := range phases.entries {
			if e.key == phase.Name {
				where := fields{p.mistakes, e.value, join(join(f.path, "phases"), e.key)}
				after[e.key] = p.dependsOn(where, plan)
			}
		}
	}
	if circle := circleIn(plan.PhaseNames(), after); circle != nil {
		f.at("phases", BadValue, "phases wait for each other: "+strings.Join(circle, " -> "),
			"take one depends-on out")
	}
}

// dependsOn checks the entries of one phase, and gives the phases that they name.
func (p *parser) dependsOn(f fields, plan *Plan) []string {
	names := plan.PhaseNames()
	var phases []string
	for i, v := range f.list("depends-on") {
		key := fmt.Sprintf("depends-on[%d]", i)
		if v.kind != scalarKind || v.text == "" {
			continue // said already
		}
		on, index := DependencyOf(v.text, names)
		other := slices.Index(names, on)
		if other < 0 {
			f.report(v, key, Dangling, "there is no phase "+quote(v.text)+" in this plan",
				didYouMean(on, names))
			continue
		}
		pod := p.pods[plan.Phases[other].Pod]
		if pod != nil && index >= pod.Count {
			f.report(v, key, Dangling, fmt.Sprintf("phase %s has no instance %d", on, index),
				fmt.Sprintf("there are %d, from 0", pod.Count))
		}
		phases = append(phases, on)
	}
	return phases
}

// circleIn finds a way from a name back to itself, nil when there is none.
func circleIn(names []string, after map[string][]string) []string {
	done := map[string]bool{}
	var walk func(name string, way []string) []string
	walk = func(name string, way []string) []string {
		if i := slices.Index(way, name); i >= 0 {
			return append(slices.Clone(way[i:]), name)
		}
		if done[name] {
			return nil
		}
		done[name] = true
		for _, next := range after[name] {
			if circle := walk(next, append(slices.Clone(way), name)); circle != nil {
				return circle
			}
		}
		return nil
	}
	for _, name := range names {
		if circle := walk(name, nil); circle != nil {
			return circle
		}
	}
	return nil
}
