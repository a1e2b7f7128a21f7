package cli

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/spf13/cobra"
)

func (e *env) specExplainCmd() *cobra.Command {
	return &cobra.Command{
		Use: "explain [PATH]", Short: "Say what a key of a spec means",
		Long: "Says what a key means, its type, its default, since when it is there, and which\n" +
			"keys can stand below it. Names in the path may be any, or left out. Without a\n" +
			"path it lists the keys of the top level.",
		Example: "  kafka-sched spec explain\n  kafka-sched spec explain pods.tasks.ports\n" +
			"  kafka-sched spec explain pods.kafka.tasks.broker.health-check.interval",
		Args: arguments(0, 1),
		ValidArgsFunction: func(
			*cobra.Command, []string, string,
		) ([]string, cobra.ShellCompDirective) {
			var words []string
			for _, k := range servicespec.Keys() {
				words = append(words, strings.ReplaceAll(k.Path, ".<name>", "")+"\t"+k.Meaning)
			}
			return words, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			root := knownKeys()
			if len(args) == 0 {
				return e.explain(root)
			}
			n, err := root.find(args[0])
			if err != nil {
				return err
			}
			return e.explain(n)
		},
	}
}

// find gives the place that a path of the operator leads to.
func (n *keyNode) find(path string) (*keyNode, error) {
	words := segments(strings.Trim(path, "."))
	for i, w := range words {
		if _, err := strconv.Atoi(strings.Trim(w, "[]")); err == nil && w[0] == '[' {
			words[i] = "[]"
		}
	}
	var s search
	s.walk(n, words, 0)
	if s.found != nil {
		return s.found, nil
	}
	at := cmp.Or(s.last.path, "a spec")
	word, end := s.rest[0], words[len(words)-1]
	hint := ""
	if near := servicespec.Nearest(word, s.last.keys()); near != "" {
		hint = "; did you mean " + near + "?"
	} else if places := placesOf(end); len(places) > 0 {
		hint = fmt.Sprintf("; %s is at %s", end, strings.Join(places, ", "))
	} else if keys := s.last.keys(); len(keys) > 0 {
		hint = "; known are " + strings.Join(keys, ", ")
	}
	return nil, fail(exitUsage, "%s has no key %q%s", at, word, hint)
}

// search looks for the place that words lead to when names and the brackets of lists may be
// left out.
type search struct {
	found *keyNode
	cost  int
	// last and rest are how far the words lead at most, and those that are over there.
	last *keyNode
	rest []string
}

// walk tries every way; the best ends at a key, and leaves out as little as can be.
func (s *search) walk(n *keyNode, words []string, cost int) {
	if len(words) == 0 {
		if n.chosen() {
			cost += 100
		}
		if s.found == nil || cost < s.cost {
			s.found, s.cost = n, cost
		}
		return
	}
	if s.last == nil || len(words) < len(s.rest) {
		s.last, s.rest = n, words
	}
	for _, c := range n.children {
		if c.segment == words[0] || strings.HasPrefix(c.segment, "<") {
			s.walk(c, words[1:], cost)
		}
		if c.chosen() {
			s.walk(c, words, cost+1)
		}
	}
}

// keys are the names of the keys that can stand here.
func (n *keyNode) keys() []string {
	var names []string
	for _, c := range n.within() {
		names = append(names, c.segment)
	}
	return names
}

// within are the keys that can stand below a key: those of its names or items, if it has such.
func (n *keyNode) within() []*keyNode { return n.inner().children }

// inner goes from names or items to what they stand for.
func (n *keyNode) inner() *keyNode {
	for _, c := range n.children {
		if c.chosen() {
			return c.inner()
		}
	}
	return n
}

// placesOf lists where in a spec a key can stand.
func placesOf(key string) []string {
	const most = 4
	var places []string
	for _, k := range servicespec.Keys() {
		if strings.HasSuffix(k.Path, "."+key) && len(places) < most {
			places = append(places, k.Path)
		}
	}
	return places
}

// explained is one key as JSON shows it.
type explained struct {
	Path      string      `json:"path"`
	Type      string      `json:"type,omitempty"`
	Required  bool        `json:"required"`
	Default   string      `json:"default,omitempty"`
	Values    []string    `json:"values,omitempty"`
	Meaning   string      `json:"meaning"`
	Example   string      `json:"example,omitempty"`
	Since     string      `json:"since,omitempty"`
	Supported bool        `json:"supported"`
	Keys      []explained `json:"keys,omitempty"`
}

func explainedOf(n *keyNode) explained {
	if n.key == nil {
		return explained{Path: n.path, Meaning: "a name or an item that you choose",
			Supported: true}
	}
	k := n.key
	return explained{Path: k.Path, Type: k.Type, Required: k.Required, Default: k.Default,
		Values: k.Values, Meaning: k.Meaning, Example: k.Example, Since: k.Since,
		Supported: k.Supported}
}

// explain prints what is known of a place.
func (e *env) explain(n *keyNode) error {
	x := explainedOf(n)
	for _, c := range n.within() {
		x.Keys = append(x.Keys, explainedOf(c))
	}
	if e.json {
		return e.printJSON(x)
	}
	if n.key != nil {
		e.printKey(n.segment, x)
	}
	if len(x.Keys) == 0 {
		return nil
	}
	if n.key != nil {
		e.printf("\n")
	}
	if n.path != "" {
		e.printf("keys of %s:\n", n.inner().path)
	}
	t := table(e.stdout, "KEY", "TYPE", "DEFAULT", "MEANING")
	for i, c := range n.within() {
		k := x.Keys[i]
		def := k.Default
		if k.Required {
			def = "required"
		}
		row(t, c.segment, k.Type, def, firstSentence(k.Meaning))
	}
	return t.Flush()
}

// printKey prints all that is known of one key.
func (e *env) printKey(name string, x explained) {
	e.printf("%s\n  %s\n\n", x.Path, x.Meaning)
	def := x.Default
	if x.Required {
		def = "none, it is required"
	} else if def == "" {
		def = "none"
	}
	e.printf("type:     %s\n", x.Type)
	if len(x.Values) > 0 {
		e.printf("values:   %s\n", strings.Join(x.Values, ", "))
	}
	e.printf("default:  %s\n", def)
	if x.Example != "" {
		e.printf("example:  %s: %s\n", name, x.Example)
	}
	e.printf("since:    %s\n", x.Since)
	if !x.Supported {
		e.printf("note:     this release checks it and refuses to run it\n")
	}
}

// firstSentence is as much of a meaning as fits a table.
func firstSentence(text string) string {
	first, _, _ := strings.Cut(text, "; ")
	first, _, _ = strings.Cut(first, ". ")
	return strings.TrimSuffix(first, ".")
}
