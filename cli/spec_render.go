package cli

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"
)

func (e *env) specRenderCmd() *cobra.Command {
	var in specInput
	c := &cobra.Command{
		Use: "render FILE", Short: "Print a spec after templates and defaults",
		Long: "Prints a spec as YAML with its template filled, aliases and merge keys written\n" +
			"out, and the defaults of what it does not say. What is printed is a spec that\n" +
			"means the same. Only valid specs are printed.",
		Example: "  kafka-sched spec render --options production.json my.yml\n" +
			"  kafka-sched spec render --env ZONE=b my.yml | kafka-sched spec diff my.yml -",
		Args: arguments(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			drafts, err := e.readAll(args, in)
			if err != nil {
				return err
			}
			if ok, err := e.valid(drafts...); !ok {
				return err
			}
			text, err := filledIn(drafts[0])
			if err != nil {
				return fmt.Errorf("filling in the defaults of %s: %w", drafts[0].file, err)
			}
			if !e.json {
				e.printf("%s", text)
				return nil
			}
			var doc any
			if err := yaml.Unmarshal(text, &doc); err != nil {
				return fmt.Errorf("reading what was printed: %w", err)
			}
			return e.printJSON(textKeys(doc))
		},
	}
	in.flags(c)
	return c
}

// filledIn writes a valid spec with its defaults; it means the same as the spec.
func filledIn(d draft) ([]byte, error) {
	doc, err := oneDocument(d.text)
	if err != nil {
		return nil, err
	}
	root := expanded(doc.Content[0])
	known := knownKeys()
	f := filler{d.spec.Service}
	f.sections(root)
	f.fill(root, known, nil)
	reorder(root, known)
	doc.Content[0] = root
	printable(doc, false)
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(doc), enc.Close()); err != nil {
		return nil, fmt.Errorf("writing YAML: %w", err)
	}
	again, errs := servicespec.ParseSpec(d.file, out.Bytes(), d.files)
	if len(errs) > 0 {
		return nil, errs[0]
	}
	before, errBefore := d.spec.Encode()
	after, errAfter := again.Encode()
	if errBefore != nil || errAfter != nil || !bytes.Equal(before, after) {
		return nil, errors.New("the result would mean something else")
	}
	return out.Bytes(), nil
}

// expanded copies a tree with its aliases and merge keys written out, and without anchors.
func expanded(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return expanded(n.Alias)
	}
	c := *n
	c.Anchor, c.Content = "", nil
	if n.Kind != yaml.MappingNode {
		for _, item := range n.Content {
			c.Content = append(c.Content, expanded(item))
		}
		return &c
	}
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := expanded(n.Content[i]), expanded(n.Content[i+1])
		switch {
		case key.ShortTag() != "!!merge":
			c.Content = append(c.Content, key, value)
		case value.Kind == yaml.SequenceNode:
			for _, source := range value.Content {
				merged = append(merged, source.Content...)
			}
		default:
			merged = append(merged, value.Content...)
		}
	}
	for i := 0; i+1 < len(merged); i += 2 {
		if valueOf(&c, merged[i].Value) == nil {
			c.Content = append(c.Content, merged[i], merged[i+1])
		}
	}
	return &c
}

// valueOf finds what a mapping has under a key, nil when it has none.
func valueOf(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// put gives a key a value, in the place of a null if there is one.
func put(n *yaml.Node, key string, value *yaml.Node) {
	if old := valueOf(n, key); old != nil {
		value.LineComment = old.LineComment
		*old = *value
		return
	}
	n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, value)
}

// said is what a mapping has under a key, nil for nothing and null.
func said(n *yaml.Node, key string) *yaml.Node {
	if v := valueOf(n, key); v != nil && v.ShortTag() != "!!null" {
		return v
	}
	return nil
}

// filler writes the defaults into a tree; those that follow from the rest it takes from the
// service.
type filler struct{ service servicespec.Service }

// sections adds what a spec has as a whole by default: the scheduler section and the plan.
func (f filler) sections(root *yaml.Node) {
	if said(root, "scheduler") == nil {
		put(root, "scheduler", &yaml.Node{Kind: yaml.MappingNode})
	}
	if said(root, "plans") != nil {
		return
	}
	plans := &yaml.Node{Kind: yaml.MappingNode}
	for _, p := range f.service.Plans {
		phases := &yaml.Node{Kind: yaml.MappingNode}
		for _, ph := range p.Phases {
			phase := &yaml.Node{Kind: yaml.MappingNode}
			put(phase, "strategy", scalar(string(ph.Strategy)))
			put(phase, "pod", scalar(ph.Pod))
			put(phases, ph.Name, phase)
		}
		plan := &yaml.Node{Kind: yaml.MappingNode}
		put(plan, "strategy", scalar(string(p.Strategy)))
		put(plan, "phases", phases)
		put(plans, p.Name, plan)
	}
	put(root, "plans", plans)
}

// scalar is a text, in quotes if it would be read as something else.
func scalar(text string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(text)
	return n
}

// fill adds the defaults of the keys below a place; path is how one got there.
// What this release does not run gets no defaults.
func (f filler) fill(n *yaml.Node, known *keyNode, path []string) {
	if known == nil || known.key != nil && !known.key.Supported {
		return
	}
	switch n.Kind {
	case yaml.SequenceNode:
		for _, item := range n.Content {
			f.fill(item, known.item(), path)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			f.fill(n.Content[i+1], known.child(key), append(path[:len(path):len(path)], key))
		}
		for _, c := range known.children {
			if c.key == nil || !c.key.Supported || said(n, c.segment) != nil {
				continue
			}
			if c.segment == "volume" && said(n, "volumes") != nil ||
				c.key.Path == "actions.<name>.within" && said(n, "metric") != nil {
				continue
			}
			if text := f.value(c.key, c.segment, path); text != nil {
				put(n, c.segment, text)
			}
		}
	}
}

// value is the default of a key that is not said, nil when there is none to write down.
func (f filler) value(k *servicespec.Key, name string, path []string) *yaml.Node {
	if len(path) == 3 && path[0] == "pods" && path[2] == "kafka" {
		return f.kafka(name, path[1])
	}
	switch k.Path {
	case "scheduler.principal":
		return scalar(f.service.Principal)
	case "plans.<name>.strategy":
		for _, p := range f.service.Plans {
			if p.Name == path[1] {
				return scalar(string(p.Strategy))
			}
		}
	}
	switch k.Type {
	case "integer", "boolean":
		if literal(k) != nil {
			return &yaml.Node{Kind: yaml.ScalarNode, Value: k.Default}
		}
	case "string":
		if k.Default != "" && !strings.ContainsAny(k.Default, " <'") {
			return scalar(k.Default)
		}
	}
	return nil
}

// kafka is what a Kafka section has by default, as the parser found it.
func (f filler) kafka(key, pod string) *yaml.Node {
	for _, p := range f.service.Pods {
		if p.Type != pod || p.Kafka == nil {
			continue
		}
		texts := map[string]string{
			"process": p.Kafka.Process, "version": p.Kafka.Version, "task": p.Kafka.Task,
			"client-port": p.Kafka.ClientPort, "controller-port": p.Kafka.ControllerPort,
			"volume": p.Kafka.Volume,
		}
		if text := texts[key]; text != "" {
			return scalar(text)
		}
		numbers := map[string]int64{
			"heap": int64(p.Kafka.Heap), "first-id": int64(p.Kafka.FirstID)}
		if number := numbers[key]; number > 0 {
			text := strconv.FormatInt(number, 10)
			return &yaml.Node{Kind: yaml.ScalarNode, Value: text}
		}
	}
	return nil
}
