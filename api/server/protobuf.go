package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// proto is a protobuf message as two of the predecessor's answers print it: in the JSON form,
// with names like slaveId, and in the text form, with names like slave_id.
type proto []field

// field is one field of a message, under its JSON name. Its value is a string, an enum, a
// bool, an int64, a double, a proto, or a list of protos or strings for a repeated field.
type field struct {
	name  string
	value any
}

type (
	enum   string  // printed without quotes in the text form
	double float64 // always printed with a decimal point
)

func (d double) String() string {
	text := strconv.FormatFloat(float64(d), 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// MarshalJSON keeps the decimal point.
func (d double) MarshalJSON() ([]byte, error) { return []byte(d.String()), nil }

// MarshalJSON gives the JSON form, with the fields in their order.
func (p proto) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, f := range p {
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, "%q:", f.name)
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(f.value); err != nil {
			return nil, err
		}
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// text gives the text form.
func (p proto) text() string {
	var out strings.Builder
	p.print(&out, "")
	return out.String()
}

func (p proto) print(out *strings.Builder, indent string) {
	for _, f := range p {
		name := snake(f.name)
		switch value := f.value.(type) {
		case proto:
			value.printAs(out, name, indent)
		case []proto:
			for _, child := range value {
				child.printAs(out, name, indent)
			}
		case string:
			printText(out, name, indent, value)
		case []string:
			for _, text := range value {
				printText(out, name, indent, text)
			}
		default:
			fmt.Fprintf(out, "%s%s: %v\n", indent, name, value)
		}
	}
}

func printText(out *strings.Builder, name, indent, text string) {
	fmt.Fprintf(out, "%s%s: %s\n", indent, name, strconv.QuoteToASCII(text))
}

func (p proto) printAs(out *strings.Builder, name, indent string) {
	fmt.Fprintf(out, "%s%s {\n", indent, name)
	p.print(out, indent+"  ")
	fmt.Fprintf(out, "%s}\n", indent)
}

// snake makes "slave_id" of "slaveId".
func snake(name string) string {
	var out strings.Builder
	for _, c := range name {
		if c >= 'A' && c <= 'Z' {
			out.WriteByte('_')
			c += 'a' - 'A'
		}
		out.WriteRune(c)
	}
	return out.String()
}

// value is a message of one field that Mesos calls value.
func value(of any) proto { return proto{{"value", of}} }

// maybe adds a field unless its text is empty.
func (p proto) maybe(name, text string) proto {
	if text == "" {
		return p
	}
	return append(p, field{name, text})
}
