package server

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
)

// question reads the parameters of a query. What is wrong with them, or a parameter that
// nobody asked for, is told by answerable, after all were read.
type question struct {
	values url.Values
	known  []string
	wrong  string
}

func newQuestion(r *http.Request) *question {
	values, err := url.ParseQuery(r.URL.RawQuery)
	q := &question{values: values}
	if err != nil {
		q.wrong = "The query cannot be read: " + err.Error() + "."
	}
	return q
}

// refuse keeps the first mistake.
func (q *question) refuse(format string, args ...any) {
	if q.wrong == "" {
		q.wrong = fmt.Sprintf(format, args...)
	}
}

// text gives a parameter, "" when it is not there.
func (q *question) text(name string) string {
	q.known = append(q.known, name)
	if len(q.values[name]) > 1 {
		q.refuse("The parameter %s is given more than once.", name)
	}
	return q.values.Get(name)
}

// flag gives a parameter that is true or false, nil when it is not there.
func (q *question) flag(name string) *bool {
	text := q.text(name)
	truth := text == "true"
	switch {
	case truth || text == "false":
		return &truth
	case q.values.Has(name):
		q.refuse("The parameter %s must be true or false, not %q.", name, text)
	}
	return nil
}

// is gives a flag that is false when it is not there.
func (q *question) is(name string) bool {
	flag := q.flag(name)
	return flag != nil && *flag
}

// number gives a parameter within bounds, or the default when it is not there.
func (q *question) number(name string, least, most, otherwise int) int {
	text := q.text(name)
	if !q.values.Has(name) {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		q.refuse("The parameter %s must be a number from %d to %d, not %q.",
			name, least, most, text)
	}
	return n
}

// oneOf gives a parameter that is one of some words, or "" when it is not there.
func (q *question) oneOf(name string, words ...string) string {
	text := q.text(name)
	if q.values.Has(name) && !slices.Contains(words, text) {
		q.refuse("The parameter %s must be one of %s, not %q.",
			name, strings.Join(words, ", "), text)
	}
	return text
}

// moment gives a time, zero when it is not there.
func (q *question) moment(name string) time.Time {
	text := q.text(name)
	if !q.values.Has(name) {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		q.refuse("The parameter %s must be a time such as 2026-01-31T23:59:59Z, not %q.",
			name, text)
	}
	return t
}

// page gives the part of a list that is wanted.
func (q *question) page() api.Page {
	p := api.Page{Limit: q.number("limit", 1, api.MaxLimit, 0)}
	text := q.text("cursor")
	last, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(last) == 0 && q.values.Has("cursor") {
		q.refuse("The parameter cursor is not one that a list gave.")
	}
	p.Cursor = string(last)
	return p
}

// answerable answers a query that makes no sense.
func (q *question) answerable(w http.ResponseWriter, r *http.Request) bool {
	for _, name := range sortedKeys(q.values) {
		if !slices.Contains(q.known, name) {
			q.refuse("There is no parameter %q here; %s.", name, q.choice())
		}
	}
	if q.wrong != "" {
		fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest, q.wrong)
	}
	return q.wrong == ""
}

func (q *question) choice() string {
	if len(q.known) == 0 {
		return "there are none"
	}
	return "there are " + strings.Join(q.known, ", ")
}

// pageOf gives the part of a list that is wanted and the cursor of the next part, "" at the end.
// Each item has a key; past says whether an item comes after the one with a key, which may be
// gone.
func pageOf[T any](
	list []T, p api.Page, key func(T) string, past func(item T, last string) bool,
) (part []T, next string) {
	if p.Cursor != "" {
		for len(list) > 0 && !past(list[0], p.Cursor) {
			list = list[1:]
		}
	}
	if p.Limit == 0 || len(list) <= p.Limit {
		return list, ""
	}
	last := key(list[p.Limit-1])
	return list[:p.Limit], base64.RawURLEncoding.EncodeToString([]byte(last))
}

// behind is a past for lists that begin with the newest and of which only the oldest go: when
// the item with the key is gone, so are all after it.
func behind[T any](key func(T) string) func(item T, last string) bool {
	found := false
	return func(item T, last string) bool {
		was := found
		found = found || key(item) == last
		return was
	}
}
