package localmesos

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// textOf writes a message in protobuf's text format, which Mesos uses in some of
// its messages: fields in the order of their numbers, one a line.
func textOf(message any) string {
	var b strings.Builder
	appendText(&b, reflect.ValueOf(message).Elem(), "")
	return b.String()
}

// numberOf is a field's number, from its tag: "bytes,1,req,name=...".
func numberOf(t reflect.Type, f field) int {
	parts := strings.Split(t.Field(f.index).Tag.Get("protobuf"), ",")
	n, err := strconv.Atoi(parts[min(1, len(parts)-1)])
	if err != nil {
		panic(fmt.Sprintf("the field %s of %s has no number", f.name, t))
	}
	return n
}

func appendText(b *strings.Builder, v reflect.Value, indent string) {
	fields := slices.Clone(fieldsOf(v.Type()))
	slices.SortFunc(fields, func(x, y field) int {
		return numberOf(v.Type(), x) - numberOf(v.Type(), y)
	})
	for _, f := range fields {
		fv := v.Field(f.index)
		if !isPresent(fv, f) {
			continue
		}
		if fv.Kind() == reflect.Slice && fv.Type().Elem().Kind() != reflect.Uint8 {
			for i := range fv.Len() {
				appendTextField(b, f, fv.Index(i), indent)
			}
			continue
		}
		appendTextField(b, f, fv, indent)
	}
}

func appendTextField(b *strings.Builder, f field, v reflect.Value, indent string) {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	b.WriteString(indent + f.name)
	switch {
	case v.Kind() == reflect.Struct:
		b.WriteString(" {\n")
		appendText(b, v, indent+"  ")
		b.WriteString(indent + "}\n")
		return
	case f.enum:
		fmt.Fprintf(b, ": %s", v.Interface().(fmt.Stringer).String())
	case v.Kind() == reflect.String:
		fmt.Fprintf(b, ": %q", v.String())
	case v.Kind() == reflect.Slice:
		fmt.Fprintf(b, ": %q", v.Bytes())
	default:
		fmt.Fprintf(b, ": %v", v.Interface())
	}
	b.WriteByte('\n')
}
