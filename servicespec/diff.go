package servicespec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Change is one difference between two services.
type Change struct {
	// Path leads to the value: "pods.kafka.tasks.broker.memory".
	Path string
	// Old and New are the values as JSON; "" means that there was or will be none.
	Old, New string
	// Class is what the change does to what runs, by the rules of the language, and Reason why.
	// The scheduler of a release may refuse more than what is Forbidden.
	Class  Class
	Reason string
}

// String prints "pods.kafka.count: 3 -> 4".
func (c Change) String() string {
	return fmt.Sprintf("%s: %s -> %s", c.Path, orNone(c.Old), orNone(c.New))
}

func orNone(text string) string {
	if text == "" {
		return "(none)"
	}
	return text
}

// Diff lists what differs between two services, sorted by path. Pods, tasks and all else that
// has a name are compared by name, so that their order in a file does not matter.
func Diff(a, b Service) []Change {
	left, right := map[string]string{}, map[string]string{}
	flatten("", tree(a), left)
	flatten("", tree(b), right)
	changes := compare(left, right)
	j := newJudge(a, b)
	for i, c := range changes {
		v := j.class(c.Path)
		changes[i].Class, changes[i].Reason = v.class, v.reason
	}
	return changes
}

// DiffSpecs is Diff for the whole language.
func DiffSpecs(a, b Spec) []Change {
	left, right := beyondLeaves(a), beyondLeaves(b)
	changes := compare(left, right)
	j := newJudge(a.Service, b.Service)
	j.regimes = regimesThatChange(a, b)
	for i, c := range changes {
		v := j.classBeyond(c.Path)
		changes[i].Class, changes[i].Reason = v.class, v.reason
	}
	changes = append(changes, Diff(a.Service, b.Service)...)
	slices.SortFunc(changes, func(x, y Change) int { return strings.Compare(x.Path, y.Path) })
	return changes
}

// beyondLeaves are the leaves of what a spec has beyond its Service, without the names of pods
// and tasks, which are no difference of their own.
func beyondLeaves(s Spec) map[string]string {
	leaves := map[string]string{}
	flatten("", tree(map[string]any{"pods": s.Pods}), leaves)
	for _, path := range sortedNames(leaves) {
		parts := strings.Split(path, ".")
		ofPod := parts[0] == "pods" && len(parts) == 3 && parts[2] == "type"
		ofTask := len(parts) == 5 && parts[2] == "tasks" && parts[4] == "name"
		if ofPod || ofTask || leaves[path] == "null" {
			delete(leaves, path)
		}
	}
	return leaves
}

// compare lists the paths whose leaves differ, sorted.
func compare(left, right map[string]string) []Change {
	var changes []Change
	for _, path := range sortedNames(left) {
		if right[path] != left[path] {
			changes = append(changes, Change{Path: path, Old: left[path], New: right[path]})
		}
	}
	for _, path := range sortedNames(right) {
		if _, there := left[path]; !there {
			changes = append(changes, Change{Path: path, New: right[path]})
		}
	}
	slices.SortFunc(changes, func(x, y Change) int { return strings.Compare(x.Path, y.Path) })
	return changes
}

// tree gives a service, or a part of a spec, as plain JSON values.
func tree(s any) any {
	data, err := marshal(s)
	if err != nil {
		panic(fmt.Sprintf("a service that cannot be encoded: %v", err))
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		panic(fmt.Sprintf("a service that cannot be decoded: %v", err))
	}
	return v
}

// flatten puts every leaf under its path.
func flatten(path string, v any, into map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range sortedNames(v) {
			flatten(join(path, key), v[key], into)
		}
	case []any:
		for i, item := range v {
			flatten(join(path, itemName(item, i)), item, into)
		}
	default:
		text, _ := marshal(v)
		into[path] = strings.TrimSpace(string(text))
	}
}

// itemName is what an item of a list is called: its name, or the path of a volume or the type of a
// pod, else its number.
func itemName(item any, i int) string {
	if m, ok := item.(map[string]any); ok {
		for _, key := range []string{"name", "path", "type"} {
			if name, ok := m[key].(string); ok {
				return name
			}
		}
	}
	return fmt.Sprint(i)
}
