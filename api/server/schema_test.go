package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/kafka-sched/kafka-sched/api"
)

// contract is the OpenAPI document as plain values, to check answers against and to make
// requests of.
type contract map[string]any

func readContract(t testing.TB) contract {
	t.Helper()
	c, err := theContract()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var theContract = sync.OnceValues(func() (contract, error) {
	var c map[string]any // yaml gives the maps within the type of the outermost
	err := yaml.Unmarshal(api.OpenAPI(), &c)
	return c, err
})

// at follows keys into the document, and references on the way.
func (c contract) at(value any, keys ...string) any {
	for _, key := range keys {
		m, _ := c.follow(value).(map[string]any)
		value = m[key]
	}
	return c.follow(value)
}

// follow gives what a value refers to, if it is a reference.
func (c contract) follow(value any) any {
	m, ok := value.(map[string]any)
	if !ok {
		return value
	}
	ref, ok := m["$ref"].(string)
	if !ok {
		return value
	}
	return c.at(map[string]any(c), strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
}

func (c contract) operation(method, path string) map[string]any {
	o, _ := c.at(map[string]any(c), "paths", path, strings.ToLower(method)).(map[string]any)
	return o
}

// anywhere are the statuses that every route may answer with, as the document's text says.
var anywhere = []int{400, 403, 405, 413, 500, 503}

// checkAnswer says what in an answer is not as the document has it, "" for nothing.
func (c contract) checkAnswer(
	method, path string, status int, media string, body []byte,
) string {
	response := c.at(c.operation(method, path), "responses", fmt.Sprint(status))
	if predecessors(path) && status >= 400 {
		return checkOldError(status, media, response != nil)
	}
	if response == nil {
		if !slices.Contains(anywhere, status) {
			return fmt.Sprintf("the status %d is not documented", status)
		}
		response = c.at(map[string]any(c), "components", "responses", "BadRequest")
	}
	content, _ := c.at(response, "content").(map[string]any)
	if len(content) == 0 {
		if len(body) > 0 {
			return fmt.Sprintf("%d bytes where none are documented", len(body))
		}
		return ""
	}
	media, _, _ = strings.Cut(media, ";")
	var described any
	for of, description := range content {
		if of, _, _ = strings.Cut(of, ";"); of == media {
			described = description
		}
	}
	if described == nil {
		return fmt.Sprintf("the media type %s of the status %d is not documented", media, status)
	}
	if media != api.JSONType && media != api.ProblemType {
		return ""
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return "not JSON: " + err.Error()
	}
	return c.check(c.at(described, "schema"), value, "$")
}

// checkOldError: the predecessor's errors are sentences, pages, or nothing.
func checkOldError(status int, media string, documented bool) string {
	media, _, _ = strings.Cut(media, ";")
	switch {
	case !documented && !slices.Contains(append(anywhere, 404, 415), status):
		return fmt.Sprintf("the status %d is not documented", status)
	case media != "" && media != api.TextType && media != "text/html":
		return "the error is " + media
	}
	return ""
}

// check holds a JSON value against a schema. Objects whose fields are listed have no others.
func (c contract) check(schema, value any, where string) string {
	s, ok := c.follow(schema).(map[string]any)
	if !ok {
		return where + ": there is no schema"
	}
	if list, ok := s["enum"].([]any); ok && !slices.Contains(list, value) {
		return fmt.Sprintf("%s: %v is none of %v", where, value, list)
	}
	wrong := fmt.Sprintf("%s: %v is no %v", where, value, s["type"])
	if either, ok := s["oneOf"].([]any); ok {
		return c.checkEither(either, value, where)
	}
	switch s["type"] {
	case nil:
		return ""
	case "object":
		object, ok := value.(map[string]any)
		if !ok {
			return wrong
		}
		return c.checkObject(s, object, where)
	case "array":
		list, ok := value.([]any)
		if !ok {
			return wrong
		}
		for i, item := range list {
			if bad := c.check(s["items"], item, fmt.Sprintf("%s[%d]", where, i)); bad != "" {
				return bad
			}
		}
	case "string":
		text, ok := value.(string)
		if !ok {
			return wrong
		}
		return checkText(s, text, where)
	case "boolean":
		if _, ok := value.(bool); !ok {
			return wrong
		}
	case "integer", "number":
		number, ok := value.(json.Number)
		if !ok {
			return wrong
		}
		f, err := number.Float64()
		if err != nil || s["type"] == "integer" && f != math.Trunc(f) {
			return wrong
		}
	}
	return ""
}

// checkEither holds a value against schemas of which one must fit.
func (c contract) checkEither(schemas []any, value any, where string) string {
	bad := ""
	for _, schema := range schemas {
		if bad = c.check(schema, value, where); bad == "" {
			return ""
		}
	}
	return bad
}

func (c contract) checkObject(s, object map[string]any, where string) string {
	required, _ := s["required"].([]any)
	for _, name := range required {
		if _, ok := object[name.(string)]; !ok {
			return fmt.Sprintf("%s: %s is missing", where, name)
		}
	}
	properties, listed := s["properties"].(map[string]any)
	for _, name := range sortedKeys(object) {
		schema, known := properties[name]
		if !known {
			if schema = s["additionalProperties"]; schema == nil && listed {
				return fmt.Sprintf("%s: %s is not documented", where, name)
			}
		}
		if _, is := schema.(map[string]any); !is {
			continue // anything goes
		}
		if bad := c.check(schema, object[name], where+"."+name); bad != "" {
			return bad
		}
	}
	return ""
}

func checkText(s map[string]any, text, where string) string {
	if s["format"] == "date-time" {
		if _, err := time.Parse(time.RFC3339Nano, text); err != nil {
			return where + ": " + err.Error()
		}
	}
	if most, ok := s["maxLength"].(int); ok && len(text) > most {
		return fmt.Sprintf("%s: longer than %d", where, most)
	}
	if pattern, ok := s["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(text) {
		return fmt.Sprintf("%s: %q does not match %s", where, text, pattern)
	}
	return ""
}

// The checks find what is wrong, or the tests that use them would assert nothing.
func TestContractChecks(t *testing.T) {
	c := readContract(t)
	problem := `{"type":"x","title":"x","status":404,"code":"not-found","detail":"x"}`
	for _, bad := range []struct {
		path, media, body, says string
		status                  int
	}{
		{"/v2/version", api.JSONType, `{"version":"1"}`, "", 200},
		{"/v2/version", api.JSONType, `{"version":1}`, "is no string", 200},
		{"/v2/version", api.JSONType, `{}`, "missing", 200},
		{"/v2/version", api.JSONType, `{"version":"1","x":2}`, "not documented", 200},
		{"/v2/version", api.TextType, `1`, "media type", 200},
		{"/v2/version", api.JSONType, `{}`, "not documented", 202},
		{"/v2/pods/{pod}", api.ProblemType, problem, "", 404},
		{"/v2/pods/{pod}", api.ProblemType, strings.ReplaceAll(problem, "not-f", "f"),
			"none of", 404},
		{"/v2/pods", api.JSONType, `{"pods":[{}]}`, "$.pods[0]: name is missing", 200},
		{"/v2/journal", api.JSONType, `{"entries":[{"number":1.5,"at":"x","kind":"x","what":"",
			"result":""}]}`, "date-time|parsing time", 200},
		{"/v2/plans/{plan}", api.JSONType, "x", "bytes where none", 304},
	} {
		got := c.checkAnswer("GET", bad.path, bad.status, bad.media, []byte(bad.body))
		found := bad.says == "" && got == ""
		for _, part := range strings.Split(bad.says, "|") {
			found = found || part != "" && strings.Contains(got, part)
		}
		if !found {
			t.Errorf("%d %s %s: %q, want %q", bad.status, bad.path, bad.body, got, bad.says)
		}
	}
}
