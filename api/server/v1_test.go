package server

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	wire "github.com/mesos/mesos-go/api/v1/lib"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// none and nothing are the media type and the body of empty answers.
const none, nothing = "", ""

// edge is an odd request and its answer.
type edge struct {
	method, path, accept string
	status               int
	media, body          string // the body, or a part of it
}

var edges = []edge{
	{"GET", "/", "", 404, api.PageType, "Problem accessing /. Reason:\n<pre>    Not Found</pre>"},
	{"GET", "/v1", "", 404, api.PageType, "accessing /v1."},
	{"GET", "/v1/", "", 404, api.PageType, "accessing /v1/."},
	{"GET", "/v2/debug", "", 404, api.PageType, "accessing /v2/debug."},
	{"GET", "//v1/health", "", 404, api.PageType, "accessing //v1/health."},
	{"GET", "/v1/a%22%3Cb%3E", "", 404, api.PageType, "accessing /v1/a%22%3Cb%3E."},
	{"GET", "/v1/caf\u00e9", "", 404, api.PageType, "accessing /v1/caf%C3%A9."},
	{"GET", "/v1/pod/", "", 200, api.JSONType, "node-0"},
	{"GET", "/v1/pod/node-0", "", 404, api.PageType, ""},
	{"GET", "/v1/pod/node-0/", "", 404, api.PageType, ""},
	{"GET", "/v1/pod/node-0/status/", "", 200, api.JSONType, `"name": "node-0"`},
	{"GET", "/v1/pod/NODE-0/status", "", 404, api.TextType, "Pod NODE-0 not found"},
	{"GET", "/v1/pod/node--1/status", "", 404, api.TextType, "Pod node--1 not found"},
	{"GET", "/v1/pod/node-1/status", "", 404, api.TextType, "Pod node-1 not found"},
	{"GET", "/v1/pod/status", "text/plain", 200, api.JSONType, `"service": "/folder/mixed"`},
	{"GET", "/v1/plans/deploy;x=1", "", 202, api.JSONType, "phases"},
	{"GET", "/v1;a/plans;b=2/deploy", "", 202, api.JSONType, "phases"},
	{"GET", "/v1/plans/deploy%3Bx", "", 404, api.TextType, "Plan deploy;x not found"},
	{"GET", "/v1/plans?x=y", "text/html", 200, api.JSONType, "deploy"},
	{"GET", "/v1/plans/deploy/nosuch", "", 404, api.PageType, ""},
	{"GET", "/v1/plans/deploy/stop", "", 405, api.PageType, "Method Not Allowed"},
	{"POST", "/v1/plans/deploy/nosuch", "", 404, api.PageType, ""},
	{"HEAD", "/v1/plans", "", 200, api.JSONType, nothing},
	{"HEAD", "/v1/pod/node-0/restart", "", 405, api.PageType, nothing},
	{"HEAD", "/v1/nosuch", "", 404, api.PageType, nothing},
	{"OPTIONS", "/v1/nosuch", "", 404, none, nothing},
	{"OPTIONS", "/v1/state", "", 404, none, nothing},
	{"OPTIONS", "/v1/metrics", "", 200, none, nothing},
	{"DELETE", "/v1/plans", "", 405, none, nothing},
	{"PATCH", "/v1/health", "", 405, none, nothing},
	{"PUT", "/v1/plans/deploy", "", 405, none, nothing},
	{"DELETE", "/v1/pod/node-0", "", 404, none, nothing},
	{"POST", "/v1/configurations", "", 405, api.PageType, "Error 405 Method Not Allowed"},
	{"GET", "/v1/state/files", "application/json", 406, none, nothing},
	{"GET", "/v1/state/files/notes", "text/plain;q=0", 406, none, nothing},
	{"GET", "/v1/state/files", "text/*;q=0.1, a/b", 200, api.TextType,
		"[edge, empty, notes]"},
	{"GET", "/v1/state/files/notes", "*/*", 200, api.TextType, "second version"},
	{"GET", "/v1/state/files/empty", "", 200, api.TextType, ""},
	{"GET", "/v1/state/files/nosuch", "", 404, api.TextType, "Failed to get the file"},
	{"GET", "/v1/debug/threads", "application/json", 406, none, nothing},
	{"GET", "/v1/debug/threads", "", 200, api.TextType, "goroutine"},
	{"PUT", "/v1/state/refresh", "", 200, api.JSONType, "Received cmd: refresh"},
	{"POST", "/v1/state/refresh", "", 405, api.PageType, ""},
	{"GET", "/v1/configurations", "", 200, api.JSONType, earlierOfMixed},
	{"GET", "/v1/configurations/" + earlierOfMixed, "", 200, api.JSONType, `"./server"`},
	{"GET", "/v1/configurations/" + targetOfMixed, "", 200, api.JSONType, "--new"},
	{"GET", "/v1/configurations/deadbeef-0000-4000-8000-000000000000", "", 404, api.PageType, ""},
	{"GET", "/v1/configurations/not-a-uuid", "", 400, api.PageType, "Bad Request"},
	{"GET", "/v1/configurations/targetId/", "", 200, api.JSONType, targetOfMixed},
	{"GET", "/v1/endpoints/HTTP", "", 404, api.PageType, "accessing /v1/endpoints/HTTP."},
}

// TestEdges puts the odd requests of HTTP that the predecessor was asked as well.
func TestEdges(t *testing.T) {
	for _, c := range edges {
		r := httptest.NewRequest(c.method, "/", nil)
		r.URL.Path = ""
		target := httptest.NewRequest(c.method, "http://x"+c.path, nil)
		r.URL, r.RequestURI = target.URL, c.path
		if c.accept != "" {
			r.Header.Set("Accept", c.accept)
		}
		w := ask(t, config(mixedView(), &machine{}), r)
		body := w.Body.String()
		if c.method == "HEAD" {
			body = "" // the server of net/http leaves it out
		}
		if w.Code != c.status || w.Header().Get("Content-Type") != c.media ||
			!strings.Contains(body, c.body) || (c.media == none && body != "") {
			t.Errorf("%s %s %s: %d %q %s", c.method, c.path, c.accept, w.Code,
				w.Header().Get("Content-Type"), body)
		}
	}
}

// TestWADL compares with what the predecessor said of its resources, but for the name and
// version of the library that made it.
func TestWADL(t *testing.T) {
	for name, request := range map[string][2]string{
		"application": {"GET", "/application.wadl"},
		"plans":       {"OPTIONS", "/v1/plans"},
		"plan":        {"OPTIONS", "/v1/plans/deploy"},
		"restart":     {"OPTIONS", "/v1/pod/node-0/restart"},
		"health":      {"OPTIONS", "/v1/health/"},
	} {
		want, err := os.ReadFile(filepath.Join("testdata", "wadl", name+".xml"))
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(request[0], request[1], nil)
		r.Host = "scheduler.example:8080"
		w := ask(t, config(mixedView(), &machine{}), r)
		if w.Code != 200 || w.Header().Get("Content-Type") != api.WADLType {
			t.Errorf("%s: %d %s", name, w.Code, w.Header())
		}
		if diff := cmp.Diff(sortedLines(string(want)), sortedLines(w.Body.String())); diff != "" {
			t.Errorf("%s: -recorded +got %s", name, diff)
		}
	}
	// Every resource of the document is a route, and its parameters are escaped.
	r := httptest.NewRequest("OPTIONS", "/v1/pod/%22%3E/info", nil)
	w := ask(t, config(mixedView(), &machine{}), r)
	if !strings.Contains(w.Body.String(), `path="v1/pod/&#34;&gt;/info"`) {
		t.Errorf("%s", w.Body)
	}
	for _, doc := range resourceDocs {
		for _, child := range append(doc.below, doc) {
			path := doc.path + "/" + strings.TrimPrefix(child.path, "/")
			if child.path == doc.path {
				path = doc.path
			}
			r := httptest.NewRequest("OPTIONS", api.Fill(path, "a", "b", "c", "d"), nil)
			w := ask(t, config(mixedView(), &machine{}), r)
			for _, m := range child.methods {
				if !strings.Contains(w.Header().Get("Allow"), m.verb) {
					t.Errorf("%s %s is no route: %q", m.verb, path, w.Header().Get("Allow"))
				}
			}
		}
	}
}

// sortedLines: the predecessor lists the parameters of a path in no order.
func sortedLines(text string) []string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	slices.Sort(lines)
	return lines
}

// TestStart reads the bodies of starts.
func TestStart(t *testing.T) {
	many := map[string]string{"EXTRA": "1", "other_Var": "two"}
	for _, c := range []struct {
		media, body string
		status      int
		says        string
		params      map[string]string
	}{
		{"", "", 500, "Error 500 Request failed.", nil},
		{api.JSONType, " \n", 500, "<pre>    Request failed.</pre>", nil},
		{api.JSONType, "null", 500, "Request failed.", nil},
		{"", "{}", 415, "Unsupported Media Type", nil},
		{"text/plain", "{}", 415, "Unsupported Media Type", nil},
		{"text/plain", "", 415, "Unsupported Media Type", nil},
		{"application/json+x", "{}", 415, "Unsupported", nil},
		{";;", "{}", 415, "Unsupported", nil},
		{api.JSONType, "{bad", 400, "Couldn't parse parameters: this is no JSON", nil},
		{api.JSONType, `{"A":"1"`, 400, "Couldn't parse parameters: the JSON ends", nil},
		{api.JSONType, `{"A"`, 400, "Couldn't parse parameters: ", nil},
		{api.JSONType, `{"A":"1"}{}`, 400, "there is more after", nil},
		{api.JSONType, "[]", 400, "a JSON object of names and values is needed", nil},
		{api.JSONType, `"x"`, 400, "a JSON object", nil},
		{api.JSONType, `{"N":{"a":1}}`, 400, "the value of N is neither", nil},
		{api.JSONType, `{"N":["a"]}`, 400, "the value of N is neither", nil},
		{api.JSONType, `{"1bad-name":"x"}`, 400, "Couldn't parse parameters: 1bad-name is not " +
			"a valid environment variable name", nil},
		{api.JSONType, `{"":"x"}`, 400, " is not a valid", nil},
		{api.JSONType, "{}", 200, "Received cmd: start deploy with parameters: {}\"", nil},
		{api.JSONType + "; charset=utf-8", "{}", 200, "parameters: {}", nil},
		{api.JSONType, `{"EXTRA":"1","other_Var":"two"}`, 200,
			"parameters: {EXTRA=1, other_Var=two}", many},
		{api.JSONType, `{"N":1.50,"B":true}`, 200, "parameters: {N=1.50, B=true}",
			map[string]string{"N": "1.50", "B": "true"}},
		{api.JSONType, `{"N":null}`, 200, "parameters: {N=null}", nil},
		{api.JSONType, `{"A":"1","B":"2","A":"3"}`, 200, "parameters: {A=3, B=2}",
			map[string]string{"A": "3", "B": "2"}},
	} {
		m := &machine{}
		r := httptest.NewRequest("POST", "/v1/plans/deploy/start", strings.NewReader(c.body))
		if c.media != "" {
			r.Header.Set("Content-Type", c.media)
		}
		w := ask(t, config(mixedView(), m), r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s %s: %d %s", c.media, c.body, w.Code, w.Body)
		}
		var want scheduler.Command
		if c.status == 200 {
			want = scheduler.PlanCommand{Verb: "start", Plan: "deploy", Params: c.params}
		}
		if !reflect.DeepEqual(m.command, want) {
			t.Errorf("%s: the machine was asked %+v", c.body, m.command)
		}
	}
	// What the body says counts before what the path says.
	r := httptest.NewRequest("POST", "/v1/plans/nosuch/start", strings.NewReader("{bad"))
	r.Header.Set("Content-Type", api.JSONType)
	if w := ask(t, config(mixedView(), &machine{}), r); w.Code != 400 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestPause names tasks in all the ways there are.
func TestPause(t *testing.T) {
	all := []string{"node-0-init", "node-0-server"}
	server := []string{"node-0-server"}
	for _, c := range []struct {
		body         string
		status       int
		asked, tasks []string
	}{
		{"", 200, nil, all},
		{"[]", 200, nil, all},
		{`["server"]`, 200, server, server},
		{`["node-0-server"]`, 200, server, server},
		{`["node-0-server", "server"]`, 200, server, server},
		{`["server", "init"]`, 200, all, all},
		{`["server", "nosuch"]`, 404, nil, nil},
		{`[1]`, 404, nil, nil},
		{`[["server"]]`, 404, nil, nil},
		{`null`, 400, nil, nil},
		{`{"tasks": ["server"]}`, 400, nil, nil},
		{`["server"`, 400, nil, nil},
		{`{bad`, 400, nil, nil},
	} {
		for verb, command := range map[string]scheduler.Command{
			"pause":  scheduler.PodPause{Pod: "node-0", Tasks: c.asked},
			"resume": scheduler.PodResume{Pod: "node-0", Tasks: c.asked},
		} {
			m := &machine{}
			r := httptest.NewRequest("POST", "/v1/pod/node-0/"+verb, strings.NewReader(c.body))
			r.Header.Set("Content-Type", "text/plain")
			w := ask(t, config(mixedView(), m), r)
			if w.Code != c.status {
				t.Errorf("%s %s: %d %s", verb, c.body, w.Code, w.Body)
			}
			if c.status != 200 {
				if m.command != nil {
					t.Errorf("%s %s: the machine was asked", verb, c.body)
				}
				continue
			}
			var got api.PodCommanded
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Pod != "node-0" ||
				!reflect.DeepEqual(got.Tasks, c.tasks) ||
				!reflect.DeepEqual(m.command, command) {
				t.Errorf("%s %s: %s, %+v", verb, c.body, w.Body, m.command)
			}
		}
	}
}

// TestPutFile sends forms.
func TestPutFile(t *testing.T) {
	const end = "--bnd--\r\n"
	form := func(field, content string) string {
		return "--bnd\r\nContent-Disposition: form-data; name=\"" + field +
			"\"; filename=\"n\"\r\nContent-Type: text/plain\r\n\r\n" + content + "\r\n" + end
	}
	const multi = "multipart/form-data; boundary=bnd"
	edge := strings.Repeat("x", 1024)
	for _, c := range []struct {
		name, media, body string
		status            int
		says              string
	}{
		{"notes", multi, form("file", "hello file"), 200, ""},
		{"empty", multi, form("file", ""), 200, ""},
		{"edge", multi, form("file", edge), 200, ""},
		{"two", multi, strings.TrimSuffix(form("other", "x"), end) + form("file", "y"), 200, ""},
		{"a%20b", multi, form("file", "x"), 200, ""},
		{"big", multi, form("file", edge+"x"), 400, "Stream exceeds 1024 byte size limit"},
		{"wrong", multi, form("other", "x"), 400, `The form has no field "file"`},
		{"cut", multi, strings.TrimSuffix(form("file", "x"), end), 400,
			"The form cannot be read to its end"},
		{"bytes", multi, form("file", "\xff\xfe"), 400, "no text in UTF-8"},
		{"a%2Fb", multi, form("file", "x"), 400, "not a name for a file"},
		{"a%00b", multi, form("file", "x"), 400, "not a name for a file"},
		{"a%FF", multi, form("file", "x"), 400, "not a name for a file"},
		{strings.Repeat("a", 256), multi, form("file", "x"), 400, "not a name for a file"},
		{"plain", "text/plain", "x", 415, ""},
		{"nobody", "", "", 400, ""},
		{"boundless", "multipart/form-data", form("file", "x"), 400, "cannot be read"},
		{"huge", multi, form("other", strings.Repeat("x", api.MaxBody)), 413, "larger"},
	} {
		m := &machine{}
		r := httptest.NewRequest("PUT", "/v1/state/files/"+c.name, strings.NewReader(c.body))
		r.ContentLength = -1
		if c.media != "" {
			r.Header.Set("Content-Type", c.media)
		}
		w := ask(t, config(mixedView(), m), r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) ||
			(c.says == "" && w.Body.Len() > 0) || (m.command != nil) != (c.status == 200) {
			t.Errorf("%s: %d %s, %+v", c.name, w.Code, w.Body, m.command)
		}
	}
}

// TestTaskStatusProperty decodes the protobuf that is squeezed into a text.
func TestTaskStatusProperty(t *testing.T) {
	v := mixedView()
	var status wire.TaskStatus
	if err := status.Unmarshal([]byte(statusBytes(*v.Pods[1].Tasks[0].Last))); err != nil {
		t.Fatal(err)
	}
	if status.TaskID.Value != "folder.mixed__node-0-server__uuid-7" ||
		status.GetState() != wire.TASK_RUNNING || status.GetAgentID().GetValue() != "S0" ||
		status.GetExecutorID().GetValue() != "folder.mixed__node__uuid-8" ||
		status.GetSource() != wire.SOURCE_EXECUTOR ||
		status.GetReason() != wire.REASON_TASK_CHECK_STATUS_UPDATED ||
		status.GetCheckStatus().GetCommand().GetExitCode() != 1 || !status.GetHealthy() ||
		status.GetTimestamp() != float64(viewTime.Unix()) ||
		status.ContainerStatus.NetworkInfos[0].IPAddresses[0].GetIPAddress() != "10.0.0.1" {
		t.Errorf("%+v", status)
	}
	path := "/v1/state/properties/node-0-server:task-status"
	w := ask(t, config(v, &machine{}), httptest.NewRequest("GET", path, nil))
	var text string
	if err := json.Unmarshal(w.Body.Bytes(), &text); err != nil ||
		!strings.HasPrefix(text, "\n%\n#folder.mixed__node-0-server__uuid-7\x10\x01") {
		t.Errorf("%q, %v", text, err)
	}
}

// TestServiceByName: what is asked of the service by its name is asked of the service.
func TestServiceByName(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/service/folder.mixed/plans/deploy":            "node-deploy",
		"/v1/services/.folder.mixed/pod/node-0/status":     "node-0-server",
		"/v1/multi/folder%2Fmixed/configurations/targetId": targetOfMixed,
		"/v1/service/folder.mixed/state/frameworkId":       frameworkOfViews,
		"/v1/service/folder.mixed/plans/nosuch":            "Plan nosuch not found",
		"/v1/service/folder.mixed/endpoints":               "[]",
		"/v1/service/other/plans":                          "Service other not found",
		"/v1/service/folder.mixed/health":                  "Not Found",
		"/v1/service/folder.mixed":                         "Not Found",
		"/v1/service/folder.mixed/artifacts/template/" + targetOfMixed +
			"/node/server/conf": "a={{A}}\n",
	} {
		w := ask(t, config(mixedView(), &machine{}), httptest.NewRequest("GET", path, nil))
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	m := &machine{}
	r := httptest.NewRequest("POST", "/v1/service/folder.mixed/pod/node-0/restart", nil)
	if w := ask(t, config(mixedView(), m), r); w.Code != 200 ||
		m.command != (scheduler.PodRestart{Pod: "node-0"}) {
		t.Errorf("%d %s, %+v", w.Code, w.Body, m.command)
	}
	w := ask(t, config(nil, m), httptest.NewRequest("GET", "/v1/service/a/plans", nil))
	if w.Code != 503 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestEndpointNames: without a DNS that knows tasks there are the names of the hosts, and no
// virtual address.
func TestEndpointNames(t *testing.T) {
	v := launchedView()
	v.Service = "folder/kafka"
	plain, named := config(v, &machine{}), inCluster(config(v, &machine{}))
	for want, cfg := range map[string]Config{
		`"dns": ["host-1.example:9092"]`: plain,
		`"dns": ["kafka-0-broker.folderkafka.autoip.dcos.thisdcos.directory:9092"], ` +
			`"vip": "broker.folderkafka.l4lb.thisdcos.directory:9092"`: named,
	} {
		w := ask(t, cfg, httptest.NewRequest("GET", "/v1/endpoints/broker", nil))
		got := strings.Join(strings.Fields(w.Body.String()), " ")
		got = strings.NewReplacer("[ ", "[", " ]", "]").Replace(got)
		if want = `{ "address": ["host-1.example:9092"], ` + want + " }"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
