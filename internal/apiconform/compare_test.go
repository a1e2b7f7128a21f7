package apiconform

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"mime"
	"regexp"
	"slices"
	"strings"
)

// The kinds of differences.
const (
	kindStatus  = "status"
	kindMedia   = "media"
	kindBody    = "body"    // one has a body, or JSON, and the other has not
	kindText    = "text"    // of a body that is no JSON
	kindMissing = "missing" // a name of a JSON object that only the recording has
	kindExtra   = "extra"   // … that only we have
	kindType    = "type"
	kindValue   = "value"
	kindLength  = "length" // of a JSON list
	kindOrder   = "order"  // of a JSON list
	kindID      = "id"     // the id of something else, by what was seen before
	kindWorld   = "world"  // what was recorded before cannot be followed
)

const pathMetrics = "/v1/metrics"

// difference is one way in which our answer is another one.
type difference struct {
	kind  string
	where string // in the JSON: $.phases[].name; of statuses: 500->404
	want  string
	got   string
}

// comparison compares one answer with the recorded one.
type comparison struct {
	ids   *ids
	path  string // of the request, without its query
	pairs []pair
	found []difference
}

func (c *comparison) differ(kind, where string, want, got any) {
	c.found = append(c.found, difference{kind, where, printed(want), printed(got)})
}

func printed(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

// bare is a path without its query.
func bare(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return path
}

// answers compares status, media type and body.
func (c *comparison) answers(want response, got answer) {
	if want.Status != got.status {
		change := fmt.Sprintf("%d->%d", want.Status, got.status)
		c.differ(kindStatus, change, want.Status, got.status)
	}
	wantMedia := mediaOf(want)
	gotMedia, _, _ := mime.ParseMediaType(got.media)
	if wantMedia != gotMedia {
		c.differ(kindMedia, wantMedia+"->"+gotMedia, wantMedia, gotMedia)
	}
	c.bodies(want, got)
}

func mediaOf(r response) string {
	if r.Type == nil {
		return ""
	}
	media, _, _ := mime.ParseMediaType(*r.Type)
	return media
}

func (c *comparison) bodies(want response, got answer) {
	wantBody := decode(want.Body)
	text, isText := wantBody.(string)
	empty := wantBody == nil || isText && text == ""
	if empty || got.body == "" {
		if !empty || got.body != "" && strings.TrimSpace(got.body) != `""` {
			c.differ(kindBody, "", wantBody, got.body)
		}
		return
	}
	if mediaOf(want) == "application/json" {
		if gotBody := decode([]byte(got.body)); gotBody != nil {
			c.values("$", wantBody, gotBody)
			return
		}
		if !isText {
			c.differ(kindBody, "", wantBody, got.body)
			return
		}
	}
	if c.path == pathMetrics+"/prometheus" && want.Status == 200 {
		c.metrics(text, got.body)
		return
	}
	c.texts(kindText, "", text, got.body)
}

// decode reads JSON with its numbers as they are written, nil for what is none.
func decode(data []byte) any {
	in := json.NewDecoder(bytes.NewReader(data))
	in.UseNumber()
	var v any
	if in.Decode(&v) != nil || in.More() {
		return nil
	}
	return v
}

// values compares two JSON values.
func (c *comparison) values(where string, want, got any) {
	switch want := want.(type) {
	case map[string]any:
		if got, ok := got.(map[string]any); ok {
			c.objects(where, want, got)
			return
		}
	case []any:
		if got, ok := got.([]any); ok {
			c.lists(where, want, got)
			return
		}
	case string:
		if got, ok := got.(string); ok {
			c.texts(kindValue, where, want, got)
			return
		}
	case json.Number:
		if got, ok := got.(json.Number); ok {
			if !c.unstable(where) && !sameNumber(want, got) {
				c.differ(kindValue, where, want, got)
			}
			return
		}
	default: // true, false, null
		if want == got {
			return
		}
		if _, ok := got.(bool); ok && want != nil {
			if !c.unstable(where) {
				c.differ(kindValue, where, want, got)
			}
			return
		}
	}
	c.differ(kindType, where, want, got)
}

func sameNumber(a, b json.Number) bool {
	x, okX := new(big.Rat).SetString(a.String())
	y, okY := new(big.Rat).SetString(b.String())
	return okX && okY && x.Cmp(y) == 0
}

// unstable says whether only the type of a value counts: a time, or what a metric measures.
func (c *comparison) unstable(where string) bool {
	return strings.HasSuffix(where, ".timestamp") || c.path == pathMetrics
}

func (c *comparison) objects(where string, want, got map[string]any) {
	if c.path == pathMetrics && where == "$.counters" {
		want, got = withCounters(want, got), withCounters(got, want)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if value, ok := got[name]; ok {
			c.values(where+"."+name, want[name], value)
		} else {
			c.differ(kindMissing, where+"."+name, want[name], "")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			c.differ(kindExtra, where+"."+name, "", got[name])
		}
	}
}

func (c *comparison) lists(where string, want, got []any) {
	if len(want) != len(got) {
		c.differ(kindLength, where, want, got)
		return
	}
	if c.unordered(where) {
		want, got = byName(want), byName(got)
	}
	wantNames, gotNames := names(want), names(got)
	if !slices.Equal(wantNames, gotNames) &&
		slices.Equal(sorted(wantNames), sorted(gotNames)) {
		c.differ(kindOrder, where, wantNames, gotNames)
		return
	}
	got, certain := c.arranged(where+"[]", want, got, gotNames)
	for i := range want {
		if certain[i] {
			c.values(where+"[]", want[i], got[i])
			continue
		}
		trial := c.trial()
		trial.values(where+"[]", want[i], got[i])
		c.found = append(c.found, trial.found...)
	}
}

// unorderedLists are those of plans: where in the answers to which paths.
var unorderedLists = map[string][]string{
	"/v1/plans":              {"$"},
	"/v1/debug/plans":        {"$.plans", "$.serviceTopology", "$.activePlans"},
	"/v1/debug/taskStatuses": {"$"},
}

func (c *comparison) unordered(where string) bool {
	return slices.Contains(unorderedLists[strings.TrimSuffix(c.path, "/")], where)
}

// byName gives the list sorted by its members' names.
func byName(list []any) []any {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b any) int {
		return strings.Compare(names([]any{a})[0], names([]any{b})[0])
	})
	return list
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

// arranged brings those members of a list whose names differ only in their ids into the order
// of the recorded ones, since they have none: a hash of the ids gave it. A member with a known
// id goes where that is; the others go where they are equal. If several are, which one it is
// remains uncertain, and nothing is learnt from it.
func (c *comparison) arranged(
	where string, want, got []any, gotNames []string,
) (out []any, certain []bool) {
	out, certain = slices.Clone(got), make([]bool, len(want))
	placed := make([]bool, len(got))
	candidates := func(i int, fits func(want, got any) bool) (list []int) {
		for j := range got {
			if !placed[j] && gotNames[j] == gotNames[i] && fits(want[i], got[j]) {
				list = append(list, j)
			}
		}
		return list
	}
	put := func(i, j int) { out[i], placed[j] = got[j], true }
	known := func(w, g any) bool { return c.namesake(w, g) || c.equal(where, w, g, true) }
	equal := func(w, g any) bool { return c.equal(where, w, g, false) }
	var open []int
	for i := range want {
		if certain[i] = !strings.Contains(gotNames[i], anID); certain[i] {
			placed[i] = true
		} else if list := candidates(i, known); len(list) > 0 {
			certain[i] = true
			put(i, list[0])
		} else {
			open = append(open, i)
		}
	}
	for _, i := range open {
		certain[i] = len(candidates(i, equal)) == 1
	}
	anything := func(_, _ any) bool { return true }
	for _, i := range open {
		put(i, append(candidates(i, equal), candidates(i, anything)...)[0])
	}
	return out, certain
}

// namesake says whether the ids in two members' names are known to belong together.
func (c *comparison) namesake(want, got any) bool {
	pairs, same := match(nameOf(want), nameOf(got))
	for _, p := range pairs {
		same = same && c.ids.settled[p.recorded] == p.ours
	}
	return same && len(pairs) > 0
}

// trial is a comparison that knows what this one knows, and whose outcome does not count.
func (c *comparison) trial() *comparison {
	return &comparison{ids: c.ids, path: c.path, pairs: slices.Clone(c.pairs)}
}

// equal compares on trial; known wants an id in it to be known.
func (c *comparison) equal(where string, want, got any, known bool) bool {
	trial := c.trial()
	trial.values(where, want, got)
	if len(trial.found) > 0 || !known {
		return len(trial.found) == 0
	}
	for _, p := range trial.pairs[len(c.pairs):] {
		if c.ids.settled[p.recorded] == p.ours || slices.Contains(c.pairs, p) {
			return true
		}
	}
	return false
}

// anID stands for an id in a name.
const anID = "*"

// names are what the members of a list are called, without ids; "" for what has no name.
func names(list []any) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = anyID.ReplaceAllString(nameOf(v), anID)
	}
	return out
}

// nameOf is what a member of a list is called, "" if nothing.
func nameOf(v any) string {
	switch v := v.(type) {
	case map[string]any:
		name, _ := v["name"].(string)
		return name
	case string:
		return v
	}
	return ""
}

var anyID = regexp.MustCompile(recordedID.String() + "|" + ownID.String())

// texts compares two texts but for their ids and times.
func (c *comparison) texts(kind, where, want, got string) {
	want, got = c.steady(want), c.steady(got)
	pairs, ok := match(want, got)
	if !ok {
		c.differ(kind, where, want, got)
		return
	}
	for _, p := range pairs {
		p.ofPlan = strings.HasPrefix(where, "$.phases[]")
		if !c.ids.allows(p) || !c.fits(p) {
			c.differ(kindID, where, p.recorded+" is "+c.known(p), p.ours)
			return
		}
		c.pairs = append(c.pairs, p)
	}
}

// fits says whether a pair contradicts none of this answer.
func (c *comparison) fits(p pair) bool {
	for _, q := range c.pairs {
		if (q.recorded == p.recorded) != (q.ours == p.ours) {
			return false
		}
	}
	return true
}

func (c *comparison) known(p pair) string {
	if ours, ok := c.ids.settled[p.recorded]; ok {
		return ours
	}
	if recorded, ok := c.ids.back[p.ours]; ok {
		return "not that of " + recorded
	}
	return "another one in this answer"
}

var (
	// signature is where Jetty and Jersey write their names and versions into the recorded pages.
	signature = regexp.MustCompile(`<hr><a href="http://eclipse\.org/jetty">[^<]*</a><hr/>\n|` +
		`\n *<doc xmlns:jersey=[^>]*/>`)
	// pathParameters are rows of a WADL, whose order a hash gave.
	pathParameters = regexp.MustCompile(`( *<param .*style="template" .*/>\n)+`)
	// encodedTime is the time within an encoded task status: a double behind the agent's id,
	// some of whose bytes are no text and were replaced.
	encodedTime = regexp.MustCompile(`(?s)(-S\d+?)1.{0,7}?\x{FFFD}{1,2}A`)
	// millis is a time as Java prints it.
	millis = regexp.MustCompile(`\b1[78]\d{11}\b`)
)

// steady replaces what is another one each time: times, and the order of the names of files.
func (c *comparison) steady(text string) string {
	if strings.HasPrefix(text, "<") { // a page, or WADL
		text = signature.ReplaceAllString(text, "")
		text = pathParameters.ReplaceAllStringFunc(text, func(rows string) string {
			return strings.Join(sorted(strings.SplitAfter(rows, "\n")), "")
		})
	}
	if c.path == "/v1/state/files" && strings.HasPrefix(text, "[") {
		names := strings.Split(strings.Trim(text, "[]\n"), ", ")
		text = "[" + strings.Join(sorted(names), ", ") + "]"
	}
	if strings.ContainsRune(text, '\uFFFD') {
		text = encodedTime.ReplaceAllString(text, "${1}1<time>")
	}
	if len(text) >= len("1777777777777") {
		text = millis.ReplaceAllString(text, "<time>")
	}
	return text
}

// guesses pairs ids up that stand in like places of two answers which need not be equal:
// members of lists go by their names, then by their places.
func guesses(want, got any) []pair {
	switch want := want.(type) {
	case map[string]any:
		got, _ := got.(map[string]any)
		var pairs []pair
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if value, ok := got[name]; ok {
				pairs = append(pairs, guesses(want[name], value)...)
			}
		}
		return pairs
	case []any:
		got, _ := got.([]any)
		return guessesOfLists(want, got)
	case string:
		if got, ok := got.(string); ok {
			pairs, _ := match(want, got)
			return pairs
		}
	}
	return nil
}

func guessesOfLists(want, got []any) []pair {
	var pairs []pair
	wantNames, gotNames := names(want), names(got)
	for i := range want {
		j := i
		if wantNames[i] != "" && wantNames[i] != anID {
			j = slices.Index(gotNames, wantNames[i])
		}
		if j >= 0 && j < len(got) {
			pairs = append(pairs, guesses(want[i], got[j])...)
		}
	}
	return pairs
}
