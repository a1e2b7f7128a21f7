package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// TestRouterIsTheContract: the router answers exactly to the routes of package api, which are
// those of openapi.yaml.
func TestRouterIsTheContract(t *testing.T) {
	want := map[string]bool{}
	for _, route := range api.Routes() {
		want[route.Method+" "+route.Path] = true
	}
	err := chi.Walk(newRouter(config(nil, &machine{})), func(method, path string, _ http.Handler,
		_ ...func(http.Handler) http.Handler) error {
		if key := method + " " + path; want[key] {
			delete(want, key)
		} else {
			t.Errorf("%s is not in the contract", key)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for route := range want {
		t.Errorf("nothing answers to %s", route)
	}
}

// TestHostile puts requests that are wrong, and some that are only odd.
func TestHostile(t *testing.T) {
	huge := strings.Repeat("x", api.MaxBody+1)
	target := api.PathServiceTarget
	for _, c := range []struct {
		name, method, path, media, body string
		status                          int
		says                            string
	}{
		{"huge", "PUT", target, api.JSONType, huge, 413, "larger than 1048576 bytes"},
		{"huge where none is read", "POST", "/v2/service/stop", "", huge, 413, "too-large"},
		{"huge start", "POST", "/v1/plans/deploy/start", api.JSONType, huge, 413, "larger"},
		{"no body", "PUT", target, api.JSONType, "", 400, "A body is needed"},
		{"bad JSON", "PUT", target, api.JSONType, "{bad", 400, "reading the body"},
		{"two values", "PUT", target, api.JSONType, `{"spec":"name: a"}{}`, 400, "more after"},
		{"unknown field", "PUT", target, api.JSONType, `{"spek":""}`, 400, "did you mean spec?"},
		{"field twice", "PUT", target, api.JSONType, `{"spec":"a: b","spec":"name: a"}`, 400,
			"column 16: the field \\\"spec\\\" is there twice"},
		{"wrong kind", "PUT", target, api.JSONType, `{"spec":7}`, 400, "must be a text in quotes"},
		{"deep JSON", "PUT", target, api.JSONType, strings.Repeat(`{"a":`, 20_000), 400, "deep"},
		{"Latin-1", "PUT", target, api.JSONType, "{\"spec\":\"n\xe4me\"}", 400, "is not UTF-8"},
		{"not an object", "PUT", target, api.JSONType, `[]`, 400, "reading the body"},
		{"no UUID", "PUT", target, api.JSONType, `{"id":"../x","spec":"name: a"}`, 400, "UUID"},
		{"bad spec", "PUT", target, api.JSONType, `{"spec":"- x"}`, 400, "line 1: no name"},
		{"no type", "PUT", target, "", `{"spec":"name: a"}`, 415, "application/json"},
		{"wrong type", "PUT", target, "text/yaml", "name: a", 415, "application/json"},
		{"odd type", "PUT", target, ";;", "{}", 415, "application/json"},
		{"charset", "PUT", target, "application/json; charset=utf-8",
			`{"spec":"name: a"}`, 200, `"changed": true`},
		{"wrong method", "DELETE", "/v2/service", "", "", 405, "only to GET and HEAD"},
		{"no such method", "BREW", "/v2/service", "", "", 405, "method-not-allowed"},
		{"wrong method of a change", "GET", "/v2/service/stop", "", "", 405, "only to POST"},
		{"trailing slash and method", "POST", "/v1/plans/", "", "", 405, "accessing /v1/plans/. "},
		{"nothing there", "GET", "/v2/x", "", "", 404, "nothing at this path"},
		{"case matters", "GET", "/V1/health", "", "", 404, "/V1/health"},
		{"verb", "POST", "/v1/plans/deploy/explode", "", "", 404, "Not Found"},
		{"list of parameters", "POST", "/v1/plans/deploy/start", api.JSONType, `["A"]`, 400,
			"Couldn't parse parameters"},
		{"zero byte", "POST", "/v1/plans/deploy/start", api.JSONType, `{"A":"\u0000"}`, 400,
			"the value of A has a zero byte"},
		{"no parameters", "POST", "/v1/plans/deploy/start", "", "", 500, "Request failed."},
		{"escaped", "GET", "/v1/plans/%64eploy", "", "", 200, "phases"},
		{"escaped slash", "GET", "/v1/plans/de%2Fploy", "", "", 404, "Plan de/ploy not found"},
		{"escaped per cent", "GET", "/v1/plans/100%25", "", "", 404, "Plan 100% not found"},
		{"markup", "GET", "/v1/plans/%3Cb%3E", "", "", 404, "Plan <b> not found"},
		{"dots", "GET", "/v1/pod/../../etc/status", "", "", 404, "Not Found"},
		{"empty pod", "GET", "/v1/pod//status", "", "", 404, "/v1/pod//status"},
		{"leading zero", "GET", "/v1/pod/kafka-00/status", "", "", 404, "Pod kafka-00 not found"},
		{"own name of uninstall", "GET", "/v1/plans/uninstall", "", "", 404, "not found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
			if c.media != "" {
				r.Header.Set("Content-Type", c.media)
			}
			w := ask(t, config(completeView(), &machine{}), r)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
				t.Errorf("%d %s, want %d with %q", w.Code, w.Body, c.status, c.says)
			}
			checkError(t, c.path, w)
		})
	}
}

// checkError: errors are sentences or pages, and in /v2 problems with a known code.
func checkError(t *testing.T, path string, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code < 400 {
		return
	}
	if w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Error("a browser may guess the type of the answer")
	}
	media := w.Header().Get("Content-Type")
	if !strings.HasPrefix(path, "/v2/") {
		if media != api.TextType && media != api.PageType {
			t.Errorf("the error is %s", media)
		}
		return
	}
	var problem api.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil || media != api.ProblemType ||
		problem.Status != w.Code || problem.Type != api.ProblemBase+problem.Code {
		t.Errorf("not a problem: %v %s %+v", err, media, problem)
	}
}

// A body that is compressed is not read, and said to be that.
func TestCompressedBody(t *testing.T) {
	r := httptest.NewRequest("PUT", api.PathServiceTarget, strings.NewReader("\x1f\x8b"))
	r.Header.Set("Content-Type", api.JSONType)
	r.Header.Set("Content-Encoding", "gzip")
	if w := ask(t, config(completeView(), &machine{}), r); w.Code != 415 ||
		!strings.Contains(w.Body.String(), "Content-Encoding") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// An unknown length must not let more than the limit in.
func TestHugeBodyOfUnknownLength(t *testing.T) {
	r := httptest.NewRequest("PUT", api.PathServiceTarget,
		strings.NewReader(strings.Repeat("x", api.MaxBody+1)))
	r.ContentLength = -1
	r.Header.Set("Content-Type", api.JSONType)
	if w := ask(t, config(completeView(), &machine{}), r); w.Code != 413 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestOriginsAndHosts(t *testing.T) {
	for _, c := range []struct {
		name, method, host string
		header             [2]string
		status             int
	}{
		{"plain", "POST", "127.0.0.1:8080", [2]string{}, 200},
		{"loopback of another agent", "POST", "127.0.3.1:8080", [2]string{}, 200},
		{"IPv6", "POST", "[::1]:8080", [2]string{}, 200},
		{"name", "POST", "LOCALHOST:8080", [2]string{}, 200},
		{"extra name", "POST", "kafka.example", [2]string{}, 200},
		{"same origin", "POST", "localhost:80", [2]string{"Origin", "http://localhost:80"}, 200},
		{"other origin", "POST", "localhost:80", [2]string{"Origin", "http://evil.example"}, 403},
		{"other port", "POST", "localhost:8080", [2]string{"Origin", "http://localhost:99"}, 403},
		{"null origin", "POST", "localhost:8080", [2]string{"Origin", "null"}, 403},
		{"cross-site", "POST", "localhost:8080", [2]string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"reads have no origin", "GET", "localhost:8080",
			[2]string{"Origin", "http://evil.example"}, 405},
		{"rebound", "POST", "evil.example:8080", [2]string{}, 403},
		{"rebound read", "GET", "evil.example:8080", [2]string{}, 403},
		{"rebound address", "POST", "10.1.2.3:8080", [2]string{}, 403},
		{"no host", "POST", "", [2]string{}, 403},
		{"looks alike", "POST", "localhost.evil.example", [2]string{}, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, api.PathServiceStop, nil)
			r.Host = c.host
			if c.header[0] != "" {
				r.Header.Set(c.header[0], c.header[1])
			}
			cfg := config(completeView(), &machine{})
			cfg.AllowHost = HostPolicy("127.0.0.1:8080", "kafka.example:99", "")
			w := ask(t, cfg, r)
			if w.Code != c.status {
				t.Errorf("%d %s, want %d", w.Code, w.Body, c.status)
			}
			if w.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Error("other origins may read this")
			}
		})
	}
	for listen, guarded := range map[string]bool{
		"127.0.0.1": true, "127.0.0.1:8080": true, "[::1]:8080": true, "::1": true,
		"localhost:1": true, "0.0.0.0:8080": false, "[::]:8080": false, "10.0.0.1": false,
		":8080": false,
	} {
		if (HostPolicy(listen) != nil) != guarded {
			t.Errorf("listening on %q: guarded must be %v", listen, guarded)
		}
	}
}

func TestNotStarted(t *testing.T) {
	m := &machine{}
	for _, route := range api.Routes() {
		path := api.Fill(route.Path, "deploy", "stop")
		w := ask(t, config(nil, m), httptest.NewRequest(route.Method, path, nil))
		want := 503
		switch route.Path {
		case api.PathVersion, api.PathOpenAPI, api.PathMetrics, api.PathMetricsV1,
			api.PathDebugThreads, api.PathWADL:
			want = 200
		case api.PathExecutorArtifact, api.PathKafkaArtifact, api.PathJavaArtifact:
			want = 404
		}
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	if m.command != nil {
		t.Error("the machine was asked before it started")
	}
}

// What the machine says no to is an error of the kind that its code says.
func TestProblems(t *testing.T) {
	for _, c := range []struct {
		code   scheduler.ProblemCode
		status int
		apis   string
	}{
		{scheduler.NotFound, 404, api.CodeNotFound},
		{scheduler.Conflict, 409, api.CodeConflict},
		{scheduler.InvalidRequest, 400, api.CodeInvalidRequest},
		{"never heard of", 500, api.CodeInternal},
	} {
		m := &machine{reply: scheduler.Reply{
			Problem: &scheduler.Problem{Code: c.code, Message: "The sentence."}}}
		r := httptest.NewRequest("POST", api.PathServiceStart, nil)
		w := ask(t, config(completeView(), m), r)
		checkError(t, api.PathServiceStart, w)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.apis) ||
			!strings.Contains(w.Body.String(), "The sentence.") {
			t.Errorf("%s: %d %s", c.code, w.Code, w.Body)
		}
	}
	m := &machine{err: context.DeadlineExceeded}
	r := httptest.NewRequest("POST", "/v1/pod/kafka-0/restart", nil)
	if w := ask(t, config(completeView(), m), r); w.Code != 503 {
		t.Errorf("no reply: %d %s", w.Code, w.Body)
	}
}

// A bug ends one request, with a line in the log and nothing of it in the answer.
func TestPanicAndAudit(t *testing.T) {
	var log bytes.Buffer
	cfg := config(completeView(), &machine{})
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	cfg.Do = func(context.Context, scheduler.Command, scheduler.Caller) (scheduler.Reply, error) {
		panic(errors.New("a secret"))
	}
	r := httptest.NewRequest("POST", "/v1/plans/deploy/stop?x=1%0Ay", nil)
	w := ask(t, cfg, r)
	if w.Code != 500 || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, part := range []string{"a secret", "hostile_test.go", "change asked for",
		"method=POST", "path=/v1/plans/deploy/stop", "status=500", "caller=192.0.2.1:1234"} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("no %q in the log: %s", part, log.String())
		}
	}
}
