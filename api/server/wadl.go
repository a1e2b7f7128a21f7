package server

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
)

// resourceDoc is a resource of the predecessor as its WADL lists it: with its methods, and the
// resources below it, whose paths are spelled as the predecessor spells them.
type resourceDoc struct {
	path    string
	methods []methodDoc
	below   []resourceDoc
}

// methodDoc is a method of a resource. A query parameter may carry its type: "sync:boolean".
type methodDoc struct {
	verb, id           string
	query              []string
	consumes, produces string
}

func get(id string, query ...string) []methodDoc {
	return []methodDoc{{verb: http.MethodGet, id: id, query: query}}
}

func getText(id string) []methodDoc {
	return []methodDoc{{verb: http.MethodGet, id: id, produces: api.TextType}}
}

func post(id string, query ...string) []methodDoc {
	return []methodDoc{{verb: http.MethodPost, id: id, query: query}}
}

// filterQuery are the parameters of the debug resources.
var filterQuery = []string{"plan", "phase", "step", "sync:boolean"}

// resourceDocs are the predecessor's resources. What this project and its Kafka service add
// is in openapi.yaml alone.
var resourceDocs = []resourceDoc{
	{"/v1/plan", get("get"), []resourceDoc{
		{"interrupt", post("interrupt"), nil},
		{"restart", post("restart", "phase", "step"), nil},
		{"forceComplete", post("forceComplete", "phase", "step"), nil},
		{"continue", post("continuePlan"), nil},
	}},
	{"/v1/configurations", get("getConfigurationIds"), []resourceDoc{
		{"/target", get("getTarget"), nil},
		{"/{configurationId}", get("getConfiguration"), nil},
		{"/targetId", get("getTargetId"), nil},
	}},
	{"/v1/state", nil, []resourceDoc{
		{"/properties/{key}", get("getProperty"), nil},
		{"/files/{name}", append(getText("getFile"), methodDoc{verb: http.MethodPut,
			id: "putFile", consumes: "multipart/form-data"}), nil},
		{"/files", getText("getFiles"), nil},
		{"/zone/tasks", get("getTaskNamesToZones"), nil},
		{"/zone/tasks/{taskName}", get("getTaskNameToZone"), nil},
		{"/zone/{podType}/{ip}", get("getTaskIPsToZones"), nil},
		{"/properties", get("getPropertyKeys"), nil},
		{"/refresh", []methodDoc{{verb: http.MethodPut, id: "refreshCache"}}, nil},
		{"/frameworkId", get("getFrameworkId"), nil},
	}},
	{"/v1/endpoints", get("getEndpoints"), []resourceDoc{
		{"/{name}", get("getEndpoint"), nil},
	}},
	{"/v1/plans", get("list"), []resourceDoc{
		{"{planName}", get("get"), nil},
		{"{planName}/start", []methodDoc{{verb: http.MethodPost, id: "start",
			consumes: api.JSONType}}, nil},
		{"{planName}/interrupt", post("interrupt", "phase"), nil},
		{"{planName}/stop", post("stop"), nil},
		{"{planName}/restart", post("restart", "phase", "step"), nil},
		{"{planName}/forceComplete", post("forceComplete", "phase", "step"), nil},
		{"{planName}/continue", post("continuePlan", "phase"), nil},
	}},
	{"/v2/debug", nil, []resourceDoc{
		{"offers", get("getOfferOutcomes", filterQuery...), nil},
	}},
	{"/v1/pod", get("list"), []resourceDoc{
		{"/{name}/replace", post("replace"), nil},
		{"/{name}/resume", post("resume"), nil},
		{"/{name}/pause", post("pause"), nil},
		{"/{name}/status", get("getStatus"), nil},
		{"/status", get("getStatuses"), nil},
		{"/{name}/restart", post("restart"), nil},
		{"/{name}/info", get("getInfo"), nil},
	}},
	{"/v1/health", get("getHealth", "verbose:boolean"), nil},
	{"/v1/artifacts", nil, []resourceDoc{
		{"/template/{configurationId}/{podType}/{taskName}/{configurationName}",
			get("getTemplate"), nil},
	}},
	{"/v1/debug", nil, []resourceDoc{
		{"threads", getText("getThreads"), nil},
		{"plans", get("getOfferOutcomes", filterQuery...), nil},
		{"taskStatuses", get("getOfferOutcomes", filterQuery...), nil},
		{"reservations", get("getOfferOutcomes", filterQuery...), nil},
	}},
}

// wadl answers with all resources.
func wadl(w http.ResponseWriter, r *http.Request) {
	var text wadlText
	for _, doc := range resourceDocs {
		text.resource(2, doc.path, doc)
	}
	write(w, http.StatusOK, api.WADLType, []byte(text.whole(r)))
}

// wadlOf gives the document of the resource that a request's path leads to.
func wadlOf(r *http.Request) (string, bool) {
	path := routePath(r)
	doc, ok := docOf(path)
	if !ok {
		return "", false
	}
	var text wadlText
	text.resource(2, strings.TrimPrefix(path, "/"), doc)
	return text.whole(r), true
}

// docOf finds a resource, of several that fit the one with the fewest parameters.
func docOf(path string) (best resourceDoc, found bool) {
	least := len(path)
	try := func(doc resourceDoc, pattern string) {
		if n := strings.Count(pattern, "{"); n < least && fits(pattern, path) {
			best, found, least = doc, true, n
		}
	}
	for _, doc := range resourceDocs {
		if len(doc.methods) > 0 {
			try(doc, doc.path)
		}
		for _, child := range doc.below {
			try(child, doc.path+"/"+strings.TrimPrefix(child.path, "/"))
		}
	}
	return best, found
}

// fits says whether a path is of a pattern with {parameters}.
func fits(pattern, path string) bool {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return false
	}
	for i := range want {
		if want[i] != have[i] && !strings.HasPrefix(want[i], "{") {
			return false
		}
	}
	return true
}

// wadlText is the inner part of a document while it is written.
type wadlText struct{ strings.Builder }

// line writes one line, indented by so many levels; the values are escaped.
func (t *wadlText) line(level int, format string, values ...string) {
	escaped := make([]any, len(values))
	for i, value := range values {
		var out strings.Builder
		// A strings.Builder takes everything.
		_ = xml.EscapeText(&out, []byte(value))
		escaped[i] = out.String()
	}
	t.WriteString(strings.Repeat("    ", level))
	fmt.Fprintf(t, format+"\n", escaped...)
}

func (t *wadlText) resource(level int, path string, doc resourceDoc) {
	t.line(level, `<resource path="%s">`, path)
	for _, segment := range strings.Split(path, "/") {
		if name, is := strings.CutPrefix(segment, "{"); is {
			t.parameter(level+1, strings.TrimSuffix(name, "}"), "template")
		}
	}
	for _, m := range doc.methods {
		t.method(level+1, m)
	}
	for _, child := range doc.below {
		t.resource(level+1, child.path, child)
	}
	t.line(level, "</resource>")
}

func (t *wadlText) parameter(level int, name, style string) {
	name, kind, _ := strings.Cut(name, ":")
	if kind == "" {
		kind = "string"
	}
	t.line(level, `<param xmlns:xs="http://www.w3.org/2001/XMLSchema" name="%s" style="%s" `+
		`type="xs:%s"/>`, name, style, kind)
}

func (t *wadlText) method(level int, m methodDoc) {
	t.line(level, `<method id="%s" name="%s">`, m.id, m.verb)
	if len(m.query) > 0 || m.consumes != "" {
		t.line(level+1, "<request>")
		for _, name := range m.query {
			t.parameter(level+2, name, "query")
		}
		if m.consumes != "" {
			t.line(level+2, `<representation mediaType="%s"/>`, m.consumes)
		}
		t.line(level+1, "</request>")
	}
	produces := m.produces
	if produces == "" {
		produces = "*/*"
	}
	t.line(level+1, "<response>")
	t.line(level+2, `<representation mediaType="%s"/>`, produces)
	t.line(level+1, "</response>")
	t.line(level, "</method>")
}

// whole puts the document around what was written.
func (t *wadlText) whole(r *http.Request) string {
	var out wadlText
	out.line(0, `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`)
	out.line(0, `<application xmlns="http://wadl.dev.java.net/2009/02">`)
	out.line(1, `<grammars/>`)
	out.line(1, `<resources base="http://%s/">`, r.Host)
	out.WriteString(t.String())
	out.line(1, `</resources>`)
	out.line(0, `</application>`)
	return out.String()
}
