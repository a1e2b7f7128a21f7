package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// optionalBody reads a body that is a JSON object of exactly this shape, or nothing; it answers
// itself when it is something else.
func optionalBody(w http.ResponseWriter, r *http.Request, into any) bool {
	_, ok := bodyInto(w, r, into)
	return ok
}

// bodyInto is optionalBody that says whether there was anything.
func bodyInto(w http.ResponseWriter, r *http.Request, into any) (given, ok bool) {
	body, err := readBody(w, r, api.JSONType)
	if err != nil || body == nil {
		return false, err == nil
	}
	if err := decodeObject(body, into); err != nil {
		fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest, err.Error())
		return true, false
	}
	return true, true
}

// decodeObject is decodeJSON for objects whose fields are spelled exactly as in the shape.
func decodeObject(body []byte, into any) error {
	if body = bytes.TrimSpace(body); len(body) == 0 || body[0] != '{' {
		return fmt.Errorf("reading the body: it must be a JSON object")
	}
	if err := decodeJSON(body, into); err != nil {
		return err
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal(body, &given); err != nil {
		return fmt.Errorf("reading the body: %w", err)
	}
	fields := map[string]bool{}
	shape := reflect.TypeOf(into).Elem()
	for i := range shape.NumField() {
		name, _, _ := strings.Cut(shape.Field(i).Tag.Get("json"), ",")
		fields[name] = true
	}
	for _, name := range sortedKeys(given) {
		switch {
		case !fields[name]:
			return fmt.Errorf("reading the body: there is no field %q", name)
		case string(given[name]) == "null":
			return fmt.Errorf("reading the body: the field %q is null; leave it out", name)
		}
	}
	return nil
}

// reasonable refuses reasons that are too long to keep.
func reasonable(w http.ResponseWriter, r *http.Request, reason string) bool {
	if len(reason) > api.MaxReason {
		fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest, fmt.Sprintf(
			"The reason has %d bytes; at most %d are kept.", len(reason), api.MaxReason))
		return false
	}
	return true
}

// answerOutcome carries a command out, if the resource that it changes is what the caller thinks,
// and answers with what came of it.
func (x *v2) answerOutcome(
	w http.ResponseWriter, r *http.Request, c scheduler.Command, reason string,
	revision func(*scheduler.View) string,
) {
	if reply, ok := x.taken(w, r, c, reason, revision); ok {
		writeJSON(w, http.StatusOK, outcome(reply))
	}
}

// taken hands a command to the machine; it answers itself when it is not taken.
func (x *v2) taken(
	w http.ResponseWriter, r *http.Request, c scheduler.Command, reason string,
	revision func(*scheduler.View) string,
) (scheduler.Reply, bool) {
	if !reasonable(w, r, reason) {
		return scheduler.Reply{}, false
	}
	return x.order(w, r, c, printable(reason, api.MaxReason), func() bool {
		return matches(w, r, revision(x.View()))
	})
}
