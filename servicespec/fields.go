package servicespec

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// language says which keys a mapping may have: those that are always read, and those that are
// read only when the whole language is wanted.
type language struct {
	keys  []string
	later []string
	// gone are keys of old files, with what to do about them.
	gone map[string]string
}

// fields reads the keys of one mapping; every mistake goes to mistakes with its place.
type fields struct {
	*mistakes
	value
	path string
}

// fieldsOf opens a mapping and reports the keys that the language does not have. A value that
// is no mapping is reported, and ok is false.
func (m *mistakes) fieldsOf(v value, path string, lang language) (fields, bool) {
	f := fields{m, v, path}
	if v.kind != mapKind {
		f.wrong(v, "", fmt.Sprintf("must be a mapping, not %s", describe(v)))
		return f, false
	}
	for _, e := range v.entries {
		f.checkKey(e, lang)
	}
	return f, true
}

func (f fields) checkKey(e entry, lang language) {
	if slices.Contains(lang.keys, e.key) || f.entire && slices.Contains(lang.later, e.key) {
		return
	}
	if f.full() {
		return
	}
	problem := Error{Line: e.line, Column: e.column, Path: join(f.path, e.key),
		Code: UnknownKey, Message: "unknown key", Hint: f.keyHint(e, lang)}
	if hint := lang.gone[e.key]; hint != "" {
		problem.Code, problem.Hint = Unsupported, hint
		problem.Message = "the key " + e.key + " is not supported"
	}
	if slices.Contains(lang.later, e.key) {
		problem.Code = Unsupported
		problem.Message = "the key " + e.key + " is not supported yet"
		problem.Hint = "remove it"
	}
	f.add(problem)
}

// synonyms are what keys are called elsewhere.
var synonyms = map[string]string{"mem": "memory", "ram": "memory", "command": "cmd",
	"instances": "count", "replicas": "count", "environment": "env", "constraints": "placement",
	"disk": "volume", "type": "kind", "healthcheck": "health-check"}

// keyHint says what may be meant by a key that is not known here.
func (f fields) keyHint(e entry, lang language) string {
	known := lang.keys
	if f.entire {
		known = slices.Concat(lang.keys, lang.later)
	}
	if word := synonyms[e.key]; slices.Contains(known, word) {
		return "did you mean " + word + "?"
	}
	if near := Nearest(e.key, known); near != "" {
		return didYouMean(e.key, known)
	}
	depth := strings.Count(f.path, ".") // 1 is a pod
	inPod := strings.HasPrefix(f.path, "pods.") && depth == 1
	_, counts := e.value.get("count")
	switch {
	case inPod && slices.Contains(taskKeys, e.key):
		return "it belongs to a task: indent it below tasks and the task's name"
	case f.path == "" && counts:
		return "a pod stands below pods: indent it"
	}
	return didYouMean(e.key, known)
}

// named reads a mapping from names to values in the order of the file. Blank names and null
// values are reported where they are not allowed by the reader itself.
func (f fields) named(key string) []entry {
	v, ok := f.get(key)
	if !ok {
		return nil
	}
	if v.kind != mapKind {
		f.wrong(v, key, fmt.Sprintf("must be a mapping of names, not %s", describe(v)))
		return nil
	}
	return v.entries
}

// list reads a list; a value that is none is reported.
func (f fields) list(key string) []value {
	v, ok := f.get(key)
	if !ok {
		return nil
	}
	if v.kind != listKind {
		f.wrong(v, key, fmt.Sprintf("must be a list, not %s", describe(v)))
		return nil
	}
	return v.items
}

// text reads a string; ok is false when it is absent, empty or wrong.
func (f fields) text(key string) (text string, ok bool) {
	v, ok := f.get(key)
	if !ok {
		return "", false
	}
	if v.kind != scalarKind {
		f.wrong(v, key, fmt.Sprintf("must be text, not %s", describe(v)))
		return "", false
	}
	return v.text, v.text != ""
}

// required reads a string that must be there.
func (f fields) required(key string) (string, bool) {
	f.missing(key)
	return f.filled(key)
}

// filled reads a string that must not be empty where it is.
func (f fields) filled(key string) (string, bool) {
	text, ok := f.text(key)
	if v, there := f.get(key); there && v.kind == scalarKind && text == "" {
		f.bad(v, key, "must not be empty", "")
	}
	return text, ok
}

// missing reports a required key that is absent; one that is there and wrong was reported.
func (f fields) missing(key string) {
	if _, there := f.get(key); !there {
		f.add(Error{Line: f.line, Column: f.column, Path: f.path, Code: Missing,
			Message: key + " is missing"})
	}
}

// boolean reads true or false in any case.
func (f fields) boolean(key string, def bool) bool {
	v, ok := f.get(key)
	if !ok {
		return def
	}
	switch {
	case v.kind == scalarKind && strings.EqualFold(v.text, "true"):
		return true
	case v.kind == scalarKind && strings.EqualFold(v.text, "false"):
		return false
	}
	f.wrong(v, key, fmt.Sprintf("must be true or false, not %s", describe(v)))
	return def
}

// whole reads a whole number between least and most; ok is false when it is absent or wrong.
func (f fields) whole(key string, least, most int64) (int64, bool) {
	v, ok := f.get(key)
	if !ok {
		return 0, false
	}
	return f.wholeValue(v, key, least, most)
}

func (f fields) wholeValue(v value, key string, least, most int64) (int64, bool) {
	return f.measure(v, key, least, most, func(string) string { return "" })
}

// measured reads a whole number as whole does; hint says what to do about a text that has a unit.
func (f fields) measured(
	key string, least, most int64, hint func(text string) string,
) (int64, bool) {
	v, ok := f.get(key)
	if !ok {
		return 0, false
	}
	return f.measure(v, key, least, most, hint)
}

func (f fields) measure(
	v value, key string, least, most int64, hint func(text string) string,
) (int64, bool) {
	if v.kind != scalarKind {
		f.wrong(v, key, fmt.Sprintf("must be a whole number, not %s", describe(v)))
		return 0, false
	}
	n, message := wholeNumber(withoutZeros(v.text), least, most)
	if message != "" {
		f.bad(v, key, message, hint(v.text))
		return 0, false
	}
	return n, true
}

// withoutZeros takes the fraction off numbers such as 2048.0, as other programs write whole ones.
func withoutZeros(text string) string {
	whole, zeros, found := strings.Cut(text, ".")
	if found && whole != "" && zeros != "" && strings.Trim(zeros, "0") == "" {
		return whole
	}
	return text
}

// wholeNumber reads a decimal number within bounds, or says what is wrong with it.
func wholeNumber(text string, least, most int64) (n int64, wrong string) {
	n, err := strconv.ParseInt(text, 10, 64)
	digits := strings.TrimPrefix(text, "-")
	switch {
	case err != nil && strings.Trim(digits, "0123456789") != "",
		digits == "", text[0] == '+', len(digits) > 1 && digits[0] == '0':
		return 0, fmt.Sprintf("must be a whole number, not %s", quote(text))
	case n < least:
		return 0, fmt.Sprintf("must be at least %d, not %s", least, shorten(text))
	case err != nil, n > most:
		return 0, fmt.Sprintf("must be at most %d, not %s", most, shorten(text))
	}
	return n, ""
}

func shorten(digits string) string {
	if len(digits) > 24 {
		return digits[:24] + "…"
	}
	return digits
}

// amount reads a positive number of megabytes.
func (f fields) amount(key string) (resource.MiB, bool) {
	n, ok := f.measured(key, 1, maxMegabytes, megabytesHint)
	return resource.MiB(n), ok
}

// milli reads a positive decimal number of at most three decimals.
func (f fields) milli(key string) (resource.Milli, bool) {
	v, ok := f.get(key)
	if !ok {
		return 0, false
	}
	if v.kind != scalarKind {
		f.wrong(v, key, fmt.Sprintf("must be a number, not %s", describe(v)))
		return 0, false
	}
	n, message := milliNumber(v.text)
	if message != "" {
		f.bad(v, key, message, thousandthsHint(v.text))
		return 0, false
	}
	return n, true
}

// milliNumber reads a positive number in thousandths, or says what is wrong with it.
func milliNumber(text string) (n resource.Milli, wrong string) {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || strings.Trim(text, "+-.0123456789eE") != "" {
		return 0, fmt.Sprintf("must be a number, not %s", quote(text))
	}
	thousandths := math.Round(x * 1000)
	switch {
	case thousandths < 1:
		return 0, fmt.Sprintf("must be at least 0.001, not %s", shorten(text))
	case x > maxCPUs:
		return 0, fmt.Sprintf("must be at most %d, not %s", maxCPUs, shorten(text))
	}
	return resource.Milli(thousandths), ""
}

// seconds reads a whole number of seconds.
func (f fields) seconds(key string, least, most int64) (time.Duration, bool) {
	n, ok := f.measured(key, least, most, secondsHint)
	return time.Duration(n) * time.Second, ok
}

// oneOf reads a word out of a closed list, given in the spelling of the list.
func (f fields) oneOf(key string, words ...string) (string, bool) {
	text, ok := f.text(key)
	if !ok {
		return "", false
	}
	for _, word := range words {
		if strings.EqualFold(text, word) {
			return word, true
		}
	}
	v, _ := f.get(key)
	hint := ""
	if near := Nearest(text, words); near != "" {
		hint = "did you mean " + near + "?"
	}
	f.bad(v, key, fmt.Sprintf("must be one of %s, not %s", strings.Join(words, ", "),
		quote(text)), hint)
	return "", false
}

// wrong reports a value of the wrong type.
func (f fields) wrong(v value, key, message string) {
	f.report(v, key, WrongType, message, "")
}

// bad reports a value that is of the right type, and not allowed.
func (f fields) bad(v value, key, message, hint string) {
	f.report(v, key, BadValue, message, hint)
}

func (f fields) report(v value, key string, code Code, message, hint string) {
	path := f.path
	if key != "" {
		path = join(path, key)
	}
	f.add(Error{Line: v.line, Column: v.column, Path: path, Code: code, Message: message,
		Hint: hint})
}

// at reports a mistake at the value of a key, or at the mapping when the key is absent.
func (f fields) at(key string, code Code, message, hint string) {
	for _, e := range f.entries {
		if e.key == key {
			f.report(e.value, key, code, message, hint)
			return
		}
	}
	f.report(f.value, "", code, message, hint)
}

// describe names what a value is, for a message.
func describe(v value) string {
	if v.kind == scalarKind {
		return quote(v.text)
	}
	return v.kind.String()
}
