package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// The forms in which a command prints its result. Every command that asks for something builds
// one document, and the form decides what becomes of it.
const (
	formText  = "text"  // sentences, trees and tables
	formTable = "table" // a table where there would be JSON without the flag
	formWide  = "wide"  // a table with all columns, none of them cut
	formJSON  = "json"
	formYAML  = "yaml"
)

var forms = []string{formTable, formWide, formJSON, formYAML}

// output is the value of -o.
type output string

func (o *output) String() string { return string(*o) }
func (o *output) Type() string   { return "form" }

// Set takes a form by its name.
func (o *output) Set(text string) error {
	if !slices.Contains(forms, text) {
		return errors.New("it is one of: " + strings.Join(forms, ", "))
	}
	*o = output(text)
	return nil
}

// chooseForm settles what --json and -o say together.
func (e *env) chooseForm() error {
	switch {
	case e.form == "" && e.json:
		e.form = formJSON
	case e.form == "":
		e.form = formText
	case e.json && e.form != formJSON:
		return fail(exitUsage, "--json and -o %s exclude each other", e.form)
	}
	e.json = e.form == formJSON || e.form == formYAML
	return nil
}

func (e *env) wide() bool { return e.form == formWide }

// print prints a document, or draws it for a human when that is what is wanted.
func (e *env) print(document any, draw func() error) error {
	if e.json {
		return e.printJSON(document)
	}
	return draw()
}

// printRaw prints what the predecessor's command printed as JSON, unless a table is asked for.
func (e *env) printRaw(document any, draw func() error) error {
	if e.form == formTable || e.wide() {
		return draw()
	}
	return e.printJSON(document)
}

// printJSON prints a value as indented JSON, or as YAML after -o yaml.
func (e *env) printJSON(v any) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	if e.form == formYAML {
		var err error
		if text, err = yamlOf(text.Bytes()); err != nil {
			return fmt.Errorf("printing: %w", err)
		}
	}
	_, err := text.WriteTo(e.stdout)
	return printing(err)
}

// printing is the error of output that could not be written.
func printing(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("printing: %w", err)
}

// yamlOf rewrites JSON, which is YAML already, in YAML's own style; keys keep their order.
func yamlOf(text []byte) (out bytes.Buffer, err error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return out, err
	}
	unquote(&doc)
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	err = errors.Join(enc.Encode(&doc), enc.Close())
	return out, err
}

// unquote takes JSON's brackets and quotes off; the encoder quotes again where it must.
func unquote(n *yaml.Node) {
	empty := n.Kind != yaml.ScalarNode && len(n.Content) == 0
	if !empty {
		n.Style = 0
	}
	for _, child := range n.Content {
		unquote(child)
	}
}

func (e *env) printf(format string, args ...any) {
	fmt.Fprintf(e.stdout, format, args...)
}

// hint tells a human what to do next. It goes beside the result, so that who reads the result
// by program is not disturbed, and not at all to a program.
func (e *env) hint(format string, args ...any) {
	if e.json {
		return
	}
	fmt.Fprintf(e.stderr, format+"\n", args...)
}
