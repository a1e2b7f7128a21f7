package flight

import (
	"encoding/json"
	"io"
	"reflect"
)

// marshaler is what gives its own JSON.
var marshaler = reflect.TypeFor[json.Marshaler]()

// writeJSON writes what json.Marshal gives, element after element where there is a list of structs:
// an event with ten thousand offers has tens of megabytes, which should never be in memory at once.
func writeJSON(w io.Writer, v any) error { return writeValue(w, reflect.ValueOf(v)) }

func writeValue(w io.Writer, v reflect.Value) error {
	switch {
	case v.Kind() == reflect.Struct && plain(v.Type()):
		return writeFields(w, v)
	case v.Kind() == reflect.Slice && !v.IsNil() && v.Type().Elem().Kind() == reflect.Struct:
		return writeList(w, "[]", v.Len(), func(i int) error { return writeWhole(w, v.Index(i)) })
	}
	return writeWhole(w, v)
}

// plain says that a struct's JSON has its fields, all of them, under their names.
func plain(t reflect.Type) bool {
	if t.Implements(marshaler) {
		return false
	}
	for i := range t.NumField() {
		if f := t.Field(i); f.Anonymous || !f.IsExported() || f.Tag != "" {
			return false
		}
	}
	return true
}

func writeFields(w io.Writer, v reflect.Value) error {
	return writeList(w, "{}", v.NumField(), func(i int) error {
		if _, err := io.WriteString(w, `"`+v.Type().Field(i).Name+`":`); err != nil {
			return err
		}
		return writeValue(w, v.Field(i))
	})
}

// writeList writes members with commas between them and brackets around.
func writeList(w io.Writer, brackets string, n int, member func(i int) error) error {
	before := brackets[:1]
	for i := range n {
		if _, err := io.WriteString(w, before); err != nil {
			return err
		}
		if err := member(i); err != nil {
			return err
		}
		before = ","
	}
	if n > 0 {
		brackets = brackets[1:]
	}
	_, err := io.WriteString(w, brackets)
	return err
}

func writeWhole(w io.Writer, v reflect.Value) error {
	data, err := json.Marshal(v.Interface())
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}
