package cli

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"reflect"
	"strings"

	"github.com/kafka-sched/kafka-sched/servicespec"
	"gopkg.in/yaml.v3"
)

// taskConfigPrefix begins the variables of the environment that become variables of tasks.
const taskConfigPrefix = "TASKCFG_"

// taskConfig gives those variables, over others that were there before.
func taskConfig(before map[string]string) map[string]string {
	all := maps.Clone(before)
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, taskConfigPrefix) {
			continue
		}
		if all == nil {
			all = map[string]string{}
		}
		all[name] = value
	}
	return all
}

// configure puts variables for tasks into the service and into its text, which is what the
// scheduler gets.
func (w *wanted) configure(name string, vars map[string]string) error {
	w.taskConfig = vars
	service := w.service.WithTaskConfig(vars)
	if reflect.DeepEqual(service, w.service) {
		return nil
	}
	doc, err := oneDocument(w.text)
	if err != nil {
		return fmt.Errorf("adding the %s variables: %w", taskConfigPrefix, err)
	}
	unalias(doc)
	for i, pod := range service.Pods {
		for j, task := range pod.Tasks {
			if !reflect.DeepEqual(task.Env, w.service.Pods[i].Tasks[j].Env) {
				putAt(doc, environment(task.Env), "pods", pod.Type, "tasks", task.Name, "env")
			}
		}
	}
	var text bytes.Buffer
	enc := yaml.NewEncoder(&text)
	enc.SetIndent(2)
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("adding the %s variables: %w", taskConfigPrefix, err)
	}
	again, errs := servicespec.Parse(name, text.Bytes(), w.files)
	if len(errs) > 0 {
		return mistakes(errs)
	}
	if changes := servicespec.Diff(service, again); len(changes) > 0 {
		return fmt.Errorf("adding the %s variables to %s makes it another service: %s",
			taskConfigPrefix, name, changes[0])
	}
	w.service, w.text = again, text.Bytes()
	return nil
}

// unalias writes what aliases stand for in their places, so that each place can be changed by
// itself.
func unalias(n *yaml.Node) {
	for n.Kind == yaml.AliasNode {
		*n = copyOf(n.Alias)
	}
	n.Anchor = ""
	for _, child := range n.Content {
		unalias(child)
	}
}

// copyOf copies a node with all below it.
func copyOf(n *yaml.Node) yaml.Node {
	c := *n
	c.Content = nil
	for _, child := range n.Content {
		below := copyOf(child)
		c.Content = append(c.Content, &below)
	}
	return c
}

// environment is a task's env in YAML.
func environment(vars []servicespec.EnvVar) *yaml.Node {
	env := &yaml.Node{Kind: yaml.MappingNode}
	for _, v := range vars {
		for _, text := range []string{v.Name, v.Value} {
			env.Content = append(env.Content,
				&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text})
		}
	}
	return env
}

// putAt sets the value at a path of mappings, and makes those that are missing.
func putAt(n, value *yaml.Node, path ...string) {
	if n.Kind == yaml.DocumentNode {
		n = n.Content[0]
	}
	last := len(path) - 1
	for _, key := range path[:last] {
		next := said(n, key)
		if next == nil {
			next = &yaml.Node{Kind: yaml.MappingNode}
			put(n, key, next)
		}
		n = next
	}
	put(n, path[last], value)
}
