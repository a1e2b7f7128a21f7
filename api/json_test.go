package api

import (
	"strings"
	"testing"
)

// TestDecodeJSON: whatever is wrong with JSON is said in words, with its place.
func TestDecodeJSON(t *testing.T) {
	type inner struct {
		Replicas []int   `json:"replicas"`
		Share    float64 `json:"share"`
	}
	type shape struct {
		Name  string           `json:"name"`
		Count *int8            `json:"count"`
		On    bool             `json:"on"`
		Inner inner            `json:"inner"`
		Named map[string]inner `json:"named"`
	}
	deep := strings.Repeat(`[`, 20_000)
	for _, c := range []struct{ text, says string }{
		{` {"name": "x", "named": {"name": {}}, "inner": {"replicas": [1, 2]}} `, ""},
		{``, "the JSON ends too early"},
		{`{"name": "x"`, "the JSON ends too early"},
		{`{"name": "x`, "the JSON ends too early"},
		{`{name: 1}`, "line 1, column 2: this is not JSON: invalid character 'n' where a name " +
			"in double quotes has to stand"},
		{"{\n \"name\": x}", "line 2, column 10: this is not JSON: invalid character 'x' where " +
			"a value has to stand"},
		{`{"é" 1}`, "line 1, column 6: this is not JSON: invalid character '1' where a colon " +
			"has to stand"},
		{`{"name": "x" "on": true}`, "invalid character '\"' where a comma or } has to stand"},
		{`{"inner": {"replicas": [1 2]}}`, "invalid character '2' where a comma or ] has to stand"},
		{`{} {}`, "line 1, column 4: there is more after the JSON value"},
		{"{}\n\n]", "line 3, column 1: there is more after the JSON value"},
		{`{"named": ` + deep, "it is nested too deep"},
		{`{"name": 7}`, "name must be a text in quotes, and is a number"},
		{`{"name": ["x"]}`, "name must be a text in quotes, and is a list"},
		{`{"count": 1.5}`, "count must be a whole number of at most 8 bits, and is the number 1.5"},
		{`{"count": 99999999999999999999}`, "and is the number 99999999999999999999"},
		{`{"on": "true"}`, "on must be true or false, and is a text"},
		{`{"inner": true}`, "inner must be an object, and is true or false"},
		{`{"inner": {"share": {}}}`, "inner.share must be a number, and is an object"},
		{`{"inner": {"replicas": 1}}`, "inner.replicas must be a list, and is a number"},
		{`["x"]`, "this must be an object, and is a list"},
		{`{"inner": {"replica": [1]}}`, `there is no field "replica"`},
		{`{"name": "x", "name": "y"}`, `line 1, column 15: the field "name" is there twice`},
		{`{"named": {"a": {}, "b": {"share": 1}, "a": {}}}`, `the field "a" is there twice`},
		{`{"inner": {"replicas": [1], "share": 1, "replicas": [2]}}`,
			`the field "replicas" is there twice`},
		{"{\"name\": \"a\xff\"}", "line 1, column 12: this is not UTF-8"},
	} {
		err := DecodeJSON([]byte(c.text), &shape{})
		if got := textOf(err); (c.says == "") != (err == nil) || !strings.Contains(got, c.says) ||
			strings.Contains(got, "json:") || strings.Contains(got, "Go ") {
			t.Errorf("%.60s: %s, want %s", c.text, got, c.says)
		}
	}
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
