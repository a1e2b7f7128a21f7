package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
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

// decodeObject reads a JSON object whose fields are spelled exactly as in the shape.
func decodeObject(body []byte, into any) error {
	if object := bytes.TrimSpace(body); len(object) == 0 || object[0] != '{' {
		return errors.New("reading the body: it must be a JSON object")
	}
	if err := checkFields(body, fieldsOf(into)); err != nil {
		return fmt.Errorf("reading the body: %w", err)
	}
	if err := api.DecodeJSON(body, into); err != nil {
		return fmt.Errorf("reading the body: %w", err)
	}
	return nil
}

// fieldsOf are the names of the fields that a shape has in JSON.
func fieldsOf(into any) []string {
	var names []string
	shape := reflect.TypeOf(into).Elem()
	for i := range shape.NumField() {
		name, _, _ := strings.Cut(shape.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// checkFields refuses fields of an object that are not among the known ones, or null. That it is
// no JSON is left to who reads it.
func checkFields(body []byte, known []string) error {
	var given map[string]json.RawMessage
	if json.Unmarshal(body, &given) != nil {
		return nil
	}
	for _, name := range sortedKeys(given) {
		switch {
		case !slices.Contains(known, name):
			return fmt.Errorf("there is no field %q; %s", name, choiceOf(name, known))
		case string(given[name]) == "null":
			return fmt.Errorf("the field %q is null; leave it out", name)
		}
	}
	return nil
}

// choiceOf says what may have been meant by a name, or what there is.
func choiceOf(name string, known []string) string {
	if near := servicespec.Nearest(name, known); near != "" {
		return "did you mean " + near + "?"
	}
	return "there are " + strings.Join(known, ", ")
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
