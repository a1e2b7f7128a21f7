package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"
)

// DecodeJSON reads a text that is one JSON value of the shape of into, without fields that the
// shape does not have and without one that is there twice. Errors say what is wrong, and where.
func DecodeJSON(data []byte, into any) error {
	if !utf8.Valid(data) {
		whole := strings.ToValidUTF8(string(data), "")
		at := 0
		for at < len(whole) && data[at] == whole[at] {
			at++
		}
		return fmt.Errorf("%s: this is not UTF-8", placeIn(data, int64(at)+1))
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return wrongJSON(data, err)
	}
	if rest := bytes.TrimLeft(data[decoder.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return fmt.Errorf("%s: there is more after the JSON value",
			placeIn(data, int64(len(data)-len(rest)+1)))
	}
	return refuseTwice(data)
}

// wrongJSON puts an error of the JSON library in words.
func wrongJSON(data []byte, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the JSON ends too early")
	}
	if bad, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("%s: this is not JSON: %s", placeIn(data, bad.Offset),
			syntaxWords.Replace(bad.Error()))
	}
	if bad, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		what := "this"
		if bad.Field != "" {
			what = bad.Field
		}
		return fmt.Errorf("%s: %s must be %s, and is %s", placeIn(data, bad.Offset), what,
			kindWords(bad.Type), givenWords(bad.Value))
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fmt.Errorf("there is no field %s", name)
	}
	return err // of a shape that reads itself
}

// syntaxWords are what the JSON library's words mean.
var syntaxWords = strings.NewReplacer(
	"unexpected end of JSON input", "it ends too early",
	"looking for beginning of object key string", "where a name in double quotes has to stand",
	"looking for beginning of value", "where a value has to stand",
	"after object key:value pair", "where a comma or } has to stand",
	"after object key", "where a colon has to stand",
	"after array element", "where a comma or ] has to stand",
	"after top-level value", "behind its end",
	"' exceeded max depth", "': it is nested too deep",
)

// placeIn gives the line and column, from 1, of the byte before an offset.
func placeIn(data []byte, offset int64) string {
	before := data[:max(0, min(offset, int64(len(data)))-1)]
	start := bytes.LastIndexByte(before, '\n') + 1
	return fmt.Sprintf("line %d, column %d", 1+bytes.Count(before, []byte("\n")),
		1+utf8.RuneCount(before[start:]))
}

// kindWords say what a shape is in JSON.
func kindWords(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch kind := t.Kind(); {
	case kind == reflect.Bool:
		return "true or false"
	case kind >= reflect.Int && kind <= reflect.Uint64:
		return "a whole number of at most " + fmt.Sprint(t.Bits()) + " bits"
	case kind == reflect.Float32, kind == reflect.Float64:
		return "a number"
	case kind == reflect.Slice, kind == reflect.Array:
		return "a list"
	case kind == reflect.Struct, kind == reflect.Map:
		return "an object"
	}
	return "a text in quotes"
}

// givenWords say what was there instead; the library names a number with its digits.
func givenWords(value string) string {
	switch value {
	case "string":
		return "a text"
	case "array":
		return "a list"
	case "object":
		return "an object"
	case "bool":
		return "true or false"
	case "number":
		return "a number"
	}
	return "the " + value
}

// refuseTwice says which name an object of a JSON value has twice, nil if none has: readers would
// not agree on which one counts.
func refuseTwice(data []byte) error {
	type object struct {
		names map[string]bool
		named bool // the next token is a value, not a name
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	open := []*object{{}}
	for {
		behind := decoder.InputOffset()
		token, err := decoder.Token()
		if err != nil {
			return nil // the end; that it is JSON is known
		}
		at := open[len(open)-1]
		name, text := token.(string)
		switch {
		case token == json.Delim('}'), token == json.Delim(']'):
			open = open[:len(open)-1]
			continue
		case text && at.names != nil && !at.named:
			if at.names[name] {
				begins := behind + int64(bytes.IndexByte(data[behind:], '"'))
				return fmt.Errorf("%s: the field %q is there twice", placeIn(data, begins+1), name)
			}
			at.names[name], at.named = true, true
			continue
		}
		at.named = false
		switch token {
		case json.Delim('{'):
			open = append(open, &object{names: map[string]bool{}})
		case json.Delim('['):
			open = append(open, &object{})
		}
	}
}
