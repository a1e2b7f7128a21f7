package server

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/kafka-sched/kafka-sched/api"
)

// write sends a whole answer.
func write(w http.ResponseWriter, status int, media string, body []byte) {
	if p, ok := w.(*admitted); ok && len(body) > largeAnswer {
		free, ok := p.room(len(body))
		if !ok {
			busy(w, p.request)
			return
		}
		defer free()
	}
	header := w.Header()
	header.Set("Content-Type", media)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	if status != http.StatusNoContent {
		header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	if status != http.StatusNoContent {
		// A client that went away cannot be told so.
		_, _ = w.Write(body)
	}
}

// writeJSON sends a value as JSON, for human eyes too unless there is much of it.
func writeJSON(w http.ResponseWriter, status int, value any) {
	writeJSONAs(w, status, api.JSONType, value)
}

func writeJSONAs(w http.ResponseWriter, status int, media string, value any) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		// All values are shapes of package api: this is a bug, and recoverPanic says so.
		panic(err)
	}
	if body.Len() > largeAnswer { // for no eye; and indenting takes as long as all the rest
		write(w, status, media, body.Bytes())
		return
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, body.Bytes(), "", "  "); err != nil {
		panic(err) // as above
	}
	write(w, status, media, indented.Bytes())
}

// fail sends an error: a sentence in the predecessor's half, a problem elsewhere.
func fail(w http.ResponseWriter, r *http.Request, status int, code, detail string) {
	failAs(w, r, api.Problem{Status: status, Code: code, Detail: detail})
}

// failAs is fail with more to say in a problem.
func failAs(w http.ResponseWriter, r *http.Request, problem api.Problem) {
	if predecessors(r.URL.Path) {
		sentence(w, problem.Status, problem.Detail)
		return
	}
	problem.Type, problem.Title = api.ProblemBase+problem.Code, http.StatusText(problem.Status)
	writeJSONAs(w, problem.Status, api.ProblemType, problem)
}

// missing sends the predecessor's 404: "Plan x not found".
func missing(w http.ResponseWriter, r *http.Request, kind, name string) {
	fail(w, r, http.StatusNotFound, api.CodeNotFound, kind+" "+name+" not found")
}

// param gives a {parameter} of the path, unescaped.
func param(r *http.Request, name string) string {
	value := chi.URLParam(r, name)
	if r.URL.RawPath == "" {
		return value // the router matched the unescaped path
	}
	if plain, err := url.PathUnescape(value); err == nil {
		return plain
	}
	return value
}

// texts makes plain strings of any kind of them, never nil, so that JSON has [] and not null.
func texts[S ~string](list []S) []string {
	out := make([]string, 0, len(list))
	for _, s := range list {
		out = append(out, string(s))
	}
	return out
}
