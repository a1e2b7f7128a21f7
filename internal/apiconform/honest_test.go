package apiconform

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// mirror gives the recorded answer as ours, every id in our form.
func mirror(t *testing.T, r response) answer {
	a := answer{status: r.Status, body: string(r.Body)}
	if r.Type != nil {
		a.media = *r.Type
	}
	if text, ok := decode(r.Body).(string); ok && (text == "" || mediaOf(r) != "application/json") {
		a.body = text
	} else if decode(r.Body) == nil {
		a.body = ""
	}
	a.body = recordedID.ReplaceAllStringFunc(a.body, func(id string) string {
		n, err := strconv.Atoi(strings.TrimPrefix(id, "uuid-"))
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("00000000-0000-4000-8000-%012d", n)
	})
	return a
}

// eachAnswer hands every recorded answer over, with the ids of its service.
func eachAnswer(t *testing.T, do func(l line, m *ids)) {
	copies, err := readCopies()
	if err != nil {
		t.Fatal(err)
	}
	for _, service := range serviceNames {
		m := newIDs()
		for _, r := range copies[service] {
			for _, l := range r.lines {
				if l.Response != nil {
					do(l, m)
				}
			}
		}
	}
}

// A scheduler that answers as the predecessor, with other ids, conforms in everything.
func TestSameAnswersConform(t *testing.T) {
	n := 0
	eachAnswer(t, func(l line, m *ids) {
		c := comparison{ids: m, path: bare(l.Request.Path)}
		c.answers(*l.Response, mirror(t, *l.Response))
		m.settle(c.pairs)
		n++
		for _, f := range c.found {
			t.Errorf("%s: %s %s: recorded %s, ours %s", l.place(), f.kind, f.where, f.want, f.got)
		}
	})
	if n < 3000 {
		t.Errorf("only %d answers", n)
	}
}

// Any change of any part of an answer is seen, but for what doc.go names.
func TestChangedAnswersDiffer(t *testing.T) {
	done := map[string]bool{}
	changes := 0
	eachAnswer(t, func(l line, m *ids) {
		want := mirror(t, *l.Response)
		c := comparison{ids: m, path: bare(l.Request.Path)}
		c.answers(*l.Response, want)
		m.settle(c.pairs)
		key := fmt.Sprint(requestPattern(*l.Request), l.Response.Status)
		if done[key] || len(want.body) > 8000 {
			return
		}
		done[key] = true
		for _, change := range changed(want) {
			changes++
			c := comparison{ids: m, path: bare(l.Request.Path)}
			c.answers(*l.Response, change.answer)
			if len(c.found) == 0 && !c.unstable(change.where) {
				t.Errorf("%s: %s at %s is not seen", l.place(), change.what, change.where)
			}
		}
	})
	if changes < 3000 {
		t.Errorf("only %d changes", changes)
	}
}

// change is an answer of which one thing is not as it should be.
type change struct {
	answer
	what, where string
}

func changed(a answer) []change {
	list := []change{
		{answer{a.status + 1, a.media, a.body}, "another status", ""},
		{answer{a.status, "text/x", a.body}, "another media type", ""},
		{answer{a.status, a.media, a.body + "x"}, "a longer body", ""},
	}
	root := decode([]byte(a.body))
	if root == nil {
		return list
	}
	add := func(what, where string) {
		body, err := json.Marshal(root)
		if err != nil {
			panic(err)
		}
		list = append(list, change{answer{a.status, a.media, string(body)}, what, where})
	}
	changeWithin(root, "$", func(v any) { root = v }, add)
	return list
}

// changeWithin changes each value below v in turn, has it added, and changes it back.
func changeWithin(v any, where string, set func(any), add func(what, where string)) {
	switch v := v.(type) {
	case map[string]any:
		v["zz-extra"] = nil
		add("one name more", where)
		delete(v, "zz-extra")
		for _, name := range slices.Sorted(maps.Keys(v)) {
			value, inner := v[name], where+"."+name
			delete(v, name)
			add("a missing name", inner+" ")
			v[name] = value
			changeWithin(value, inner, func(x any) { v[name] = x }, add)
		}
	case []any:
		set(append(slices.Clone(v), "zz-extra"))
		add("one member more", where)
		set(v)
		for i := range min(len(v), 3) {
			changeWithin(v[i], where+"[]", func(x any) { v[i] = x }, add)
		}
	case string:
		set(v + "x")
		add("another text", where)
		set(1)
		add("a number for a text", where+" ")
		set(v)
	case json.Number:
		set(json.Number("1" + v.String()))
		add("another number", where)
		set(v.String())
		add("a text for a number", where+" ")
		set(v)
	case bool:
		set(!v)
		add("another truth", where)
		set(v)
	default:
		set("x")
		add("a text for null", where)
		set(v)
	}
}

// An id of another thing is seen as soon as the thing is known.
func TestExchangedIDsDiffer(t *testing.T) {
	m := newIDs()
	one, two := "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
	same := func(want, got string) bool {
		c := comparison{ids: m}
		c.values("$", decode([]byte(want)), decode([]byte(got)))
		if len(c.found) == 0 {
			m.settle(c.pairs)
		}
		return len(c.found) == 0
	}
	for _, step := range []struct {
		want, got string
		same      bool
	}{
		{`{"a":"uuid-1"}`, `{"a":"no-uuid"}`, false},
		{`{"a":"uuid-1","b":"uuid-2"}`, `{"a":"` + one + `","b":"` + one + `"}`, false},
		{`{"a":"uuid-1","b":"uuid-1"}`, `{"a":"` + one + `","b":"` + two + `"}`, false},
		{`["uuid-1","uuid-2"]`, `["` + one + `","` + two + `"]`, true}, // no order, nothing learnt
		{`["uuid-2","uuid-1"]`, `["` + one + `","` + two + `"]`, true},
		{`{"a":"uuid-1"}`, `{"a":"` + one + `"}`, true},
		{`["uuid-2","uuid-1"]`, `["` + one + `","` + two + `"]`, true}, // of two one was known
		{`{"a":"x uuid-2 y"}`, `{"a":"x ` + one + ` y"}`, false},
		{`{"a":"x uuid-2 y"}`, `{"a":"x ` + two + ` y"}`, true},
		{`["uuid-2","uuid-3"]`, `["` + one + `","` + two + `"]`, false},
	} {
		if got := same(step.want, step.got); got != step.same {
			t.Errorf("%s and %s: %t", step.want, step.got, got)
		}
	}
	if text, unknown := m.translate("/x/uuid-2?y=uuid-9"); text != "/x/"+two+"?y=uuid-9" ||
		!slices.Equal(unknown, []string{"uuid-9"}) {
		t.Errorf("translated into %s, unknown %v", text, unknown)
	}
}
