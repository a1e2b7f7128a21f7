package localmesos

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// field describes one protobuf field of a generated mesos-go struct.
type field struct {
	name     string
	index    int
	required bool
	enum     bool
}

var fieldCache sync.Map // reflect.Type -> []field

// fieldsOf reads the protobuf struct tags of a generated message.
func fieldsOf(t reflect.Type) []field {
	if f, ok := fieldCache.Load(t); ok {
		return f.([]field)
	}
	var out []field
	for i := range t.NumField() {
		tag, ok := t.Field(i).Tag.Lookup("protobuf")
		if !ok {
			continue
		}
		f := field{index: i}
		for _, part := range strings.Split(tag, ",") {
			switch {
			case part == "req":
				f.required = true
			case strings.HasPrefix(part, "name="):
				f.name = part[len("name="):]
			case strings.HasPrefix(part, "enum="):
				f.enum = true
			}
		}
		out = append(out, f)
	}
	fieldCache.Store(t, out)
	return out
}

// decodeJSON reads a JSON body into a message with the rules and the error texts
// of Mesos: unknown fields are ignored, an unknown enum value counts as absent,
// and all missing required fields are named together.
func decodeJSON(body []byte, message any) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return jsonSyntaxError(body, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return jsonSyntaxError(body, err)
	}
	object, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("Failed to convert JSON into Call protobuf: Expecting a JSON object")
	}
	d := jsonDecoder{}
	if err := d.message(reflect.ValueOf(message).Elem(), object, ""); err != nil {
		return fmt.Errorf("Failed to convert JSON into Call protobuf: %w", err)
	}
	if len(d.missing) > 0 {
		return fmt.Errorf("Failed to convert JSON into Call protobuf: "+
			"Missing required fields: %s", strings.Join(d.missing, ", "))
	}
	return nil
}

func jsonSyntaxError(body []byte, err error) error {
	at := len(body)
	if se, ok := err.(*json.SyntaxError); ok && err.Error() != "unexpected end of JSON input" {
		at = min(int(max(se.Offset-1, 0)), len(body))
	}
	line := 1 + bytes.Count(body[:at], []byte("\n"))
	rest, _, _ := bytes.Cut(body[at:], []byte("\n"))
	return fmt.Errorf("Failed to parse body into JSON: syntax error at line %d near: %s",
		line, rest)
}

type jsonDecoder struct{ missing []string }

func (d *jsonDecoder) message(dst reflect.Value, src map[string]any, path string) error {
	for _, f := range fieldsOf(dst.Type()) {
		v, present := src[f.name]
		if present && v != nil {
			ok, err := d.value(dst.Field(f.index), f, v, path+f.name)
			if err != nil {
				return err
			}
			present = ok
		}
		if f.required && (!present || v == nil) {
			d.missing = append(d.missing, path+f.name)
		}
	}
	return nil
}

func jsonKind(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case json.Number:
		return "number"
	case bool:
		return "boolean"
	case []any:
		return "array"
	default:
		return "object"
	}
}

// value stores v and reports whether it counts as present.
func (d *jsonDecoder) value(dst reflect.Value, f field, v any, path string) (bool, error) {
	mismatch := fmt.Errorf("Not expecting a JSON %s for field '%s'", jsonKind(v), f.name)
	switch {
	case dst.Kind() == reflect.Slice && dst.Type().Elem().Kind() != reflect.Uint8:
		list, ok := v.([]any)
		if !ok {
			return false, mismatch
		}
		out := reflect.MakeSlice(dst.Type(), 0, len(list))
		for i, e := range list {
			item := reflect.New(dst.Type().Elem()).Elem()
			ok, err := d.value(item, f, e, fmt.Sprintf("%s[%d]", path, i))
			if err != nil {
				return false, err
			}
			if ok {
				out = reflect.Append(out, item)
			}
		}
		dst.Set(out)
		return true, nil
	case dst.Kind() == reflect.Map:
		return true, d.mapValue(dst, f, v, path, mismatch)
	case dst.Kind() == reflect.Pointer:
		target := reflect.New(dst.Type().Elem())
		ok, err := d.value(target.Elem(), f, v, path)
		if ok && err == nil {
			dst.Set(target)
		}
		return ok, err
	case dst.Kind() == reflect.Struct:
		object, ok := v.(map[string]any)
		if !ok {
			return false, mismatch
		}
		return true, d.message(dst, object, path+".")
	}
	return d.scalar(dst, f, v, mismatch)
}

func (d *jsonDecoder) mapValue(
	dst reflect.Value, f field, v any, path string, mismatch error,
) error {
	object, ok := v.(map[string]any)
	if !ok || dst.Type().Key().Kind() != reflect.String {
		return mismatch
	}
	dst.Set(reflect.MakeMap(dst.Type()))
	for k, e := range object {
		item := reflect.New(dst.Type().Elem()).Elem()
		if _, err := d.value(item, f, e, path+"["+k+"]"); err != nil {
			return err
		}
		dst.SetMapIndex(reflect.ValueOf(k).Convert(dst.Type().Key()), item)
	}
	return nil
}

func (d *jsonDecoder) scalar(dst reflect.Value, f field, v any, mismatch error) (bool, error) {
	switch v := v.(type) {
	case string:
		return stringScalar(dst, f, v, mismatch)
	case bool:
		if dst.Kind() != reflect.Bool {
			return false, mismatch
		}
		dst.SetBool(v)
		return true, nil
	case json.Number:
		if f.enum || !setNumber(dst, v) {
			return false, mismatch
		}
		return true, nil
	}
	return false, mismatch
}

func stringScalar(dst reflect.Value, f field, v string, mismatch error) (bool, error) {
	switch {
	case f.enum:
		quoted, err := json.Marshal(v)
		if err != nil {
			return false, err
		}
		u, ok := dst.Addr().Interface().(json.Unmarshaler)
		return ok && u.UnmarshalJSON(quoted) == nil, nil
	case dst.Kind() == reflect.String:
		dst.SetString(v)
		return true, nil
	case dst.Kind() == reflect.Slice:
		b, err := base64.StdEncoding.DecodeString(v)
		if at, ok := err.(base64.CorruptInputError); ok {
			if int(at) < len(v) {
				return false, fmt.Errorf("Failed to base64 decode bytes field '%s': "+
					"Invalid character '%c'", f.name, v[at])
			}
			return false, fmt.Errorf("Failed to base64 decode bytes field '%s': "+
				"Invalid length", f.name)
		}
		dst.SetBytes(b)
		return true, err
	}
	return false, mismatch
}

// setNumber stores a JSON number; integers may be written as 5 or 5.0.
func setNumber(dst reflect.Value, n json.Number) bool {
	switch dst.Kind() {
	case reflect.Float64, reflect.Float32:
		f, err := n.Float64()
		dst.SetFloat(f)
		return err == nil
	case reflect.Int32, reflect.Int64:
		if i, err := strconv.ParseInt(n.String(), 10, dst.Type().Bits()); err == nil {
			dst.SetInt(i)
			return true
		}
		f, err := n.Float64()
		if err != nil || f != math.Trunc(f) || dst.OverflowInt(int64(f)) {
			return false
		}
		dst.SetInt(int64(f))
		return true
	case reflect.Uint32, reflect.Uint64:
		if i, err := strconv.ParseUint(n.String(), 10, dst.Type().Bits()); err == nil {
			dst.SetUint(i)
			return true
		}
		f, err := n.Float64()
		if err != nil || f < 0 || f != math.Trunc(f) || dst.OverflowUint(uint64(f)) {
			return false
		}
		dst.SetUint(uint64(f))
		return true
	}
	return false
}
