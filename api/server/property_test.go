package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// drawn is a request that was made of the document.
type drawn struct {
	method, route, target string
	header                map[string]string
	body                  string
	// wrong says what the document does not allow in it, "" for nothing.
	wrong string
}

// places are names that some view knows, by the parameter of a path.
var places = map[string][]string{
	"plan": {"deploy", "recovery", "uninstall"}, "phase": {"broker", "uuid-1", "kill-tasks"},
	"step": {"kafka-0:[broker]", "uuid-4", "kill-task-kafka-0"},
	"pod":  {"kafka-0", "kafka-1", "kafka-2"}, "task": {"broker", "kafka-0-broker"},
	"id": {firstID, secondID, "target", fullView().TargetID}, "endpoint": {"broker"},
}

// drawRequest makes a request of any operation of one half of the document.
func drawRequest(t *rapid.T, c contract, half string) drawn {
	var routes []string
	paths := c["paths"].(map[string]any)
	for _, path := range sortedKeys(paths) {
		for _, method := range sortedKeys(paths[path].(map[string]any)) {
			if slices.Contains(c.operation(method, path)["tags"].([]any), any(half)) {
				routes = append(routes, strings.ToUpper(method)+" "+path)
			}
		}
	}
	d := drawn{header: map[string]string{}}
	d.method, d.route, _ = strings.Cut(rapid.SampledFrom(routes).Draw(t, "route"), " ")
	operation := c.operation(d.method, d.route)
	query := url.Values{}
	d.target = d.route
	parameters, _ := operation["parameters"].([]any)
	for _, p := range parameters {
		d.parameter(t, c, c.follow(p).(map[string]any), query)
	}
	if strings.HasPrefix(d.route, "/v2/") &&
		rapid.IntRange(0, 9).Draw(t, "another parameter") == 0 {
		query.Set("no-such-parameter", "x")
		d.wrong = "a parameter"
	}
	if len(query) > 0 {
		d.target += "?" + query.Encode()
	}
	if body := c.at(operation, "requestBody"); body != nil {
		d.drawBody(t, c, body.(map[string]any))
	}
	return d
}

// parameter gives one parameter of the document a value, or leaves it out.
func (d *drawn) parameter(t *rapid.T, c contract, p map[string]any, query url.Values) {
	name := p["name"].(string)
	schema := c.follow(p["schema"]).(map[string]any)
	text, fits := drawText(t, schema, name)
	if p["in"] == "path" {
		if known := places[name]; known != nil && rapid.Bool().Draw(t, "known "+name) {
			text = rapid.SampledFrom(known).Draw(t, name)
		}
		if text == "" {
			text = "-" // an empty segment is another path
		}
		if schema["enum"] == nil {
			fits = true
		}
		// As an encoded slash, a dot segment is left for the router's own tests.
		text = strings.NewReplacer("/", "-", ".", "-").Replace(text)
		d.target = strings.Replace(d.target, "{"+name+"}", url.PathEscape(text), 1)
	}
	given := rapid.IntRange(0, 2).Draw(t, "give "+name) == 0
	switch {
	case p["in"] == "query" && given:
		query.Set(name, text)
	case p["in"] == "header" && given:
		text = plainHeader(text)
		fits = name != api.HeaderKey || text != "" && len(text) <= api.MaxKey
		d.header[name] = text
	case p["in"] != "path":
		return
	}
	if !fits {
		d.wrong = name
	}
}

// plainHeader keeps what a header can carry.
func plainHeader(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, text))
}

// drawText makes a value for a parameter; fits says whether the schema has it so.
func drawText(t *rapid.T, schema map[string]any, name string) (text string, fits bool) {
	if rapid.IntRange(0, 5).Draw(t, "odd "+name) == 0 {
		text = rapid.String().Draw(t, name)
		if schema["type"] != "string" || schema["enum"] != nil || name == "cursor" {
			return text + "!", false // no number, none of the words, and nothing that a list gave
		}
		return text, checkText(schema, text, name) == ""
	}
	if list, ok := schema["enum"].([]any); ok {
		return rapid.SampledFrom(list).Draw(t, name).(string), true
	}
	switch {
	case schema["type"] == "boolean":
		return fmt.Sprint(rapid.Bool().Draw(t, name)), true
	case schema["type"] == "integer":
		least, _ := schema["minimum"].(int)
		most, bounded := schema["maximum"].(int)
		if !bounded {
			most = least + 100
		}
		return fmt.Sprint(rapid.IntRange(least, most).Draw(t, name)), true
	case schema["format"] == "date-time":
		return "2026-05-04T01:02:03Z", true
	case name == "types":
		return rapid.StringMatching(schema["pattern"].(string)).Draw(t, name), true
	case name == "cursor":
		return "a2Fma2EtMQ", true // kafka-1
	}
	return rapid.StringMatching(`[a-z0-9-]{1,12}`).Draw(t, name), true
}

// drawBody makes a body of the schema, or one that it does not allow.
func (d *drawn) drawBody(t *rapid.T, c contract, body map[string]any) {
	content := c.at(body, "content").(map[string]any)
	media := sortedKeys(content)[0]
	schema := c.at(content[media], "schema")
	switch rapid.IntRange(0, 9).Draw(t, "body") {
	case 0:
		if body["required"] == true {
			d.wrong = "no body"
		}
		return
	case 1:
		d.body = rapid.SampledFrom([]string{"{", "[]", "null", "1", `"x"`, `{"x":1}`, `{}{}`,
			`{"reason":1}`, `{"reason":null}`, "\xff"}).Draw(t, "junk")
		d.wrong = "a body that is none"
	case 2:
		d.body, media, d.wrong = "{}", "text/plain", "a body of another type"
	default:
		value := drawValue(t, c, schema, "$")
		text, _ := json.Marshal(value)
		d.body = string(text)
	}
	d.header["Content-Type"] = media
}

// drawValue makes a value of a schema.
func drawValue(t *rapid.T, c contract, schema any, where string) any {
	s := c.follow(schema).(map[string]any)
	switch s["type"] {
	case "object":
		value := map[string]any{}
		properties, _ := s["properties"].(map[string]any)
		required := fmt.Sprint(s["required"])
		for _, name := range sortedKeys(properties) {
			if strings.Contains(required, name) || rapid.Bool().Draw(t, where+"."+name+"?") {
				value[name] = drawValue(t, c, properties[name], where+"."+name)
			}
		}
		if more, ok := s["additionalProperties"].(map[string]any); ok {
			for _, name := range rapid.SliceOfN(rapid.StringMatching(`[A-Z_]{1,5}`), 0, 3).
				Draw(t, where+" keys") {
				value[name] = drawValue(t, c, more, where+"."+name)
			}
		}
		return value
	case "array":
		return []any{drawValue(t, c, s["items"], where+"[0]")}
	case "integer":
		return rapid.Int().Draw(t, where)
	case "boolean":
		return rapid.Bool().Draw(t, where)
	}
	return rapid.SampledFrom([]string{"", "broker", "kafka-0:[broker]", "name: x", "- x", "é<&>",
		firstID}).Draw(t, where)
}

// views are those that a request may meet; nil is before the start.
var views = []func() *scheduler.View{
	richView, richView, servingView, fullView, completeView, uninstallView, startedView,
	func() *scheduler.View { return nil },
}

// servingView is one in which a broker serves.
func servingView() *scheduler.View {
	v := fullView()
	v.Kafka.Facts.Brokers[0].Fenced = false
	return v
}

// asksKafka says whether a route does nothing but ask Kafka.
func asksKafka(route string) bool {
	for _, begin := range []string{"topics", "acl", "groups", "quotas", "users", "log-dirs",
		"transactions", "elections", "reassignments", "features",
		"configurations/target/drift"} {
		if strings.HasPrefix(route[len("/v1/"):], begin) {
			return true
		}
	}
	return false
}

// TestAnyRequest makes requests of the document, right and wrong ones, and compares the answers
// with it: whatever is asked, the status, the media type and the shape are documented; what the
// document does not allow is refused and never reaches the machine; nothing is a bug.
func TestAnyRequest(t *testing.T) {
	c := readContract(t)
	for _, half := range []string{"v1", "v2"} {
		t.Run(half, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				for range 20 {
					d := drawRequest(t, c, half)
					v := rapid.SampledFrom(views).Draw(t, "view")()
					put(t, c, d, v, drawMachine(t, c, d))
				}
			})
		})
	}
}

// drawMachine makes a machine that says yes, or no for a reason that the request may have.
func drawMachine(t *rapid.T, c contract, d drawn) *machine {
	m := &machine{reply: scheduler.Reply{Message: "Yes."}}
	if code := rapid.SampledFrom([]scheduler.ProblemCode{"", "", scheduler.AlreadyDone,
		scheduler.NotFound, scheduler.Conflict, scheduler.InvalidRequest,
	}).Draw(t, "reply"); code != "" {
		if c.at(c.operation(d.method, d.route), "responses", "404") == nil {
			code = scheduler.Conflict // there is nothing that could be missing
		}
		m.reply.Problem = &scheduler.Problem{Code: code, Message: "No."}
	}
	if rapid.IntRange(0, 9).Draw(t, "no reply") == 0 {
		m.err = errors.New("no reply")
	}
	return m
}

// put puts a request to a server and checks the answer.
func put(t *rapid.T, c contract, d drawn, v *scheduler.View, m *machine) {
	r := httptest.NewRequest(d.method, d.target, strings.NewReader(d.body))
	for name, value := range d.header {
		r.Header.Set(name, value)
	}
	cfg := config(v, m)
	var log bytes.Buffer
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	cfg.Feed = NewFeed()
	cfg.Kafka = &topics{}
	ending := make(chan struct{})
	close(ending)
	cfg.Ending = ending
	w := httptest.NewRecorder()
	New(cfg).ServeHTTP(w, r)
	describe := func(problem string) {
		t.Fatalf("%s\n%s %s %v\n%s\n%d %v\n%s", problem, d.method, d.target, d.header, d.body,
			w.Code, w.Header(), w.Body)
	}
	if wrong := c.checkAnswer(d.method, d.route, w.Code, w.Header().Get("Content-Type"),
		w.Body.Bytes()); wrong != "" {
		describe(wrong)
	}
	switch {
	case strings.Contains(log.String(), "panicked") ||
		w.Code == 503 && v != nil && m.err == nil && m.times == 0 &&
			!strings.HasSuffix(d.route, "/logs") && !strings.HasSuffix(d.route, "/preview") &&
			!(asksKafka(d.route) && len(live(v)) == 0):
		describe("this is a bug: " + log.String())
	case d.wrong != "" && v != nil && !predecessors(d.route) && (w.Code < 400 || m.times > 0):
		describe("it has " + d.wrong + ", and was taken")
	}
}
