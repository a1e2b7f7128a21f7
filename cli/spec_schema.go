package cli

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"
)

func (e *env) specSchemaCmd() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print a JSON Schema of specs, for editors",
		Long: "Prints a JSON Schema (2020-12) of what a spec may say, after templates are\n" +
			"filled. Editors complete and explain keys with it. What it refuses, validate\n" +
			"refuses too; validate knows more.",
		Example: "  kafka-sched spec schema > kafka-sched.schema.json\n" +
			"  sed -i '1i # yaml-language-server: $schema=kafka-sched.schema.json' my.yml",
		Args: arguments(0, 0),
		RunE: func(*cobra.Command, []string) error { return e.printJSON(specSchema()) },
	}
}

// schema is the part of JSON Schema that is used here; its fields are printed in this order.
type schema struct {
	Schema      string             `json:"$schema,omitempty"`
	Title       string             `json:"title,omitempty"`
	Description string             `json:"description,omitempty"`
	Type        []string           `json:"type,omitempty"`
	Pattern     string             `json:"pattern,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	AnyOf       []*schema          `json:"anyOf,omitempty"`
	Default     any                `json:"default,omitempty"`
	Examples    []any              `json:"examples,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Properties  map[string]*schema `json:"properties,omitempty"`
	// Additional is false, or the schema of what names stand for.
	Additional any     `json:"additionalProperties,omitempty"`
	Items      *schema `json:"items,omitempty"`
}

// specSchema is the schema of a whole spec.
func specSchema() *schema {
	s := knownKeys().mapping()
	s.Schema = "https://json-schema.org/draft/2020-12/schema"
	s.Title = "A service spec of kafka-sched"
	return s
}

// schema is that of the value of a key.
func (n *keyNode) schema() *schema {
	k := n.key
	var forms []*schema
	for kind := range strings.SplitSeq(k.Type, " or ") {
		forms = append(forms, n.forms(kind)...)
	}
	if !k.Required {
		forms = append(forms, &schema{Type: []string{"null"}})
	}
	s := &schema{AnyOf: forms}
	if len(forms) == 1 {
		s = forms[0]
	}
	s.Description = describeKey(k)
	s.Default = literal(k)
	var example any
	if !strings.Contains(k.Example, "…") && yaml.Unmarshal([]byte(k.Example), &example) == nil &&
		example != nil {
		s.Examples = []any{textKeys(example)}
	}
	return s
}

// forms are the ways in which a value of a type can be written. Texts may be written as numbers
// and numbers as texts, as in the predecessor's files.
func (n *keyNode) forms(kind string) []*schema {
	if item, ok := strings.CutPrefix(kind, "list of "); ok {
		items := &schema{}
		if at := n.item(); at != nil {
			items = at.mapping()
		} else if item != "mapping" {
			items = &schema{AnyOf: n.forms(item)}
		}
		return []*schema{{Type: []string{"array"}, Items: items}}
	}
	switch kind {
	case "string":
		if len(n.key.Values) > 0 {
			return []*schema{{Enum: n.key.Values}, {Type: []string{"string"},
				Pattern: anyCase(n.key.Values)}}
		}
		return []*schema{{Type: []string{"string", "number", "boolean"}}}
	case "integer":
		return []*schema{{Type: []string{"integer"}},
			{Type: []string{"string"}, Pattern: `^-?[0-9]+([.]0+)?$`}}
	case "number":
		return []*schema{{Type: []string{"number"}},
			{Type: []string{"string"}, Pattern: `^[-+.0-9eE]+$`}}
	case "boolean":
		return []*schema{{Type: []string{"boolean"}},
			{Type: []string{"string"}, Pattern: anyCase([]string{"true", "false"})}}
	case "list":
		return []*schema{{Type: []string{"array"}}}
	case "names":
		return []*schema{{Type: []string{"object"}, Additional: n.named()}}
	case "strings":
		return []*schema{{Type: []string{"object"},
			Additional: &schema{Type: []string{"string", "number", "boolean", "null"}}}}
	}
	if len(n.children) == 0 {
		return []*schema{{Type: []string{"object"}}}
	}
	return []*schema{n.mapping()}
}

// named is the schema of what stands below a name that the operator chose.
func (n *keyNode) named() any {
	for _, c := range n.children {
		if strings.HasPrefix(c.segment, "<") {
			s := c.mapping()
			if len(s.Required) == 0 {
				s.Type = append(s.Type, "null")
			}
			return s
		}
	}
	return true
}

// mapping is the schema of a mapping with the keys below a place.
func (n *keyNode) mapping() *schema {
	s := &schema{Type: []string{"object"}, Properties: map[string]*schema{}, Additional: false}
	for _, c := range n.children {
		s.Properties[c.segment] = c.schema()
		if c.key.Required {
			s.Required = append(s.Required, c.segment)
		}
	}
	return s
}

// describeKey is what an editor shows of a key.
func describeKey(k *servicespec.Key) string {
	text := k.Meaning
	if k.Default != "" && literal(k) == nil {
		text += " Default: " + k.Default + "."
	}
	text += " Since " + k.Since + "."
	if !k.Supported {
		text += " This release checks it and refuses to run it."
	}
	return text
}

// literal is the default of a key when it is a value, not a description of one.
func literal(k *servicespec.Key) any {
	switch {
	case k.Default == "":
		return nil
	case k.Type == "integer":
		if n, err := strconv.Atoi(k.Default); err == nil {
			return n
		}
	case k.Type == "boolean":
		return k.Default == "true"
	case slices.Contains(k.Values, k.Default):
		return k.Default
	}
	return nil
}

// anyCase is a pattern of words in any case; JSON Schema's patterns have no flag for that.
func anyCase(words []string) string {
	var b strings.Builder
	for i, word := range words {
		if i > 0 {
			b.WriteByte('|')
		}
		for _, r := range word {
			upper, lower := strings.ToUpper(string(r)), strings.ToLower(string(r))
			if upper == lower {
				b.WriteString(regexp.QuoteMeta(lower))
			} else {
				b.WriteString("[" + upper + lower + "]")
			}
		}
	}
	return "^(" + b.String() + ")$"
}

// textKeys makes the keys of mappings text, as JSON needs it.
func textKeys(v any) any {
	switch v := v.(type) {
	case map[any]any:
		m := map[string]any{}
		for key, item := range v {
			text, _ := yaml.Marshal(key)
			m[strings.TrimSpace(string(text))] = textKeys(item)
		}
		return m
	case map[string]any:
		for key, item := range v {
			v[key] = textKeys(item)
		}
	case []any:
		for i, item := range v {
			v[i] = textKeys(item)
		}
	}
	return v
}
