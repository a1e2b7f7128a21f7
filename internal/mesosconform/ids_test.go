package mesosconform

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// token finds, in a text, what names things: ids of all kinds and addresses.
var token = regexp.MustCompile(
	`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(-[SO]?\d+)?` +
		`|\b\d+\.\d+(ns|us|ms|secs|mins|hrs|days|weeks)\b|127\.0\.0\.1:\d+`)

// uuidBytes is a UUID as JSON has it in fields of bytes.
var uuidBytes = regexp.MustCompile(`^[A-Za-z0-9+/]{22}==$`)

var fraction = regexp.MustCompile(`^\d+\.\d+[a-z]+$`)

// names relates what stands in the recording to what stands in the replay, one to one.
type names struct {
	ours, theirs map[string]string
	log          []string // what was learnt, to be forgotten by undo
	paths        [][2]string
	offers       map[string][]string // offers of ours that stand for a recorded one
}

func newNames() *names {
	return &names{ours: map[string]string{}, theirs: map[string]string{},
		offers: map[string][]string{}}
}

// same tells whether recorded may stand for got, and remembers that it does.
func (n *names) same(recorded, got string) bool {
	if have, ok := n.ours[recorded]; ok {
		return have == got
	}
	if _, ok := n.theirs[got]; ok {
		return false
	}
	n.ours[recorded], n.theirs[got] = got, recorded
	n.log = append(n.log, recorded)
	return true
}

func (n *names) mark() int { return len(n.log) }

// undo forgets what was learnt after the mark.
func (n *names) undo(mark int) {
	for _, recorded := range n.log[mark:] {
		delete(n.theirs, n.ours[recorded])
		delete(n.ours, recorded)
	}
	n.log = n.log[:mark]
}

// resourceList finds resources in a text: "cpus(allocated: r):1; disk[id:path]:5".
var resourceList = func() *regexp.Regexp {
	one := `[a-z]+(?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\]]*\])*:(?:\[[^\]]*\]|[0-9.]+)`
	return regexp.MustCompile(one + `(?:; ` + one + `)+`)
}()

// sortResources puts the lists of resources in a text in order; they come out of hash maps.
func sortResources(text string) string {
	return resourceList.ReplaceAllStringFunc(text, func(list string) string {
		parts := strings.Split(list, "; ")
		slices.Sort(parts)
		return strings.Join(parts, "; ")
	})
}

// sameText compares texts but for the tokens in them.
func (n *names) sameText(recorded, got string) bool {
	recorded, got = sortResources(recorded), sortResources(got)
	for _, p := range n.paths {
		got = strings.ReplaceAll(got, p[1], p[0])
	}
	if uuidBytes.MatchString(recorded) && uuidBytes.MatchString(got) {
		return n.same(recorded, got)
	}
	if recorded == got && !token.MatchString(got) {
		return true
	}
	a, b := token.FindAllStringIndex(recorded, -1), token.FindAllStringIndex(got, -1)
	if len(a) != len(b) {
		return recorded == got
	}
	mark, x, y, ok := n.mark(), 0, 0, true
	for i := range a {
		v, w := recorded[a[i][0]:a[i][1]], got[b[i][0]:b[i][1]]
		ok = ok && recorded[x:a[i][0]] == got[y:b[i][0]]
		switch {
		case fraction.MatchString(v) && fraction.MatchString(w):
		default:
			ok = ok && n.same(v, w)
		}
		x, y = a[i][1], b[i][1]
	}
	if ok && recorded[x:] == got[y:] {
		return true
	}
	n.undo(mark)
	return recorded == got
}

// translate writes a recorded text in the words of the replay.
func (n *names) translate(recorded string) string {
	for _, p := range n.paths {
		recorded = strings.ReplaceAll(recorded, p[0], p[1])
	}
	if ours, ok := n.ours[recorded]; ok {
		return ours
	}
	return token.ReplaceAllStringFunc(recorded, func(s string) string {
		if ours, ok := n.ours[s]; ok {
			return ours
		}
		return s
	})
}

// translateAll does so with every text in a JSON value.
func (n *names) translateAll(v any) any {
	switch v := v.(type) {
	case string:
		return n.translate(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = n.translateAll(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			if ids, ok := e.([]any); ok && k == "offer_ids" {
				out[k] = n.translateOffers(ids)
				continue
			}
			out[k] = n.translateAll(e)
		}
		return out
	}
	return v
}

// stands adds an offer of ours to those that stand for a recorded one.
func (n *names) stands(recorded, ours string) {
	if !slices.Contains(n.offers[recorded], ours) {
		n.offers[recorded] = append(n.offers[recorded], ours)
	}
}

// translateOffers does so with a list of offer ids, each of which may stand for several.
func (n *names) translateOffers(list []any) []any {
	out := []any{}
	add := func(id string) {
		if !slices.ContainsFunc(out, func(o any) bool { return textAt(o, "value") == id }) {
			out = append(out, map[string]any{"value": id})
		}
	}
	for _, o := range list {
		ours := n.translate(textAt(o, "value"))
		for _, id := range n.offers[ours] {
			add(id)
		}
		if len(n.offers[ours]) == 0 {
			add(ours)
		}
	}
	return out
}

// translatePath does so with the path and the query of a URL, in which names are escaped.
func (n *names) translatePath(endpoint string) string {
	path, query, ok := strings.Cut(endpoint, "?")
	if !ok {
		return endpoint
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return endpoint
	}
	for _, list := range values {
		for i := range list {
			list[i] = n.translate(list[i])
		}
	}
	return path + "?" + values.Encode()
}
