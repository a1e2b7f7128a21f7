package apiconform

import "regexp"

// Ids of the recordings are written uuid-1, uuid-2, …; those of this scheduler are UUIDs.
var (
	recordedID = regexp.MustCompile(`uuid-\d+`)
	ownID      = `([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})`
)

// pair is a recorded id and ours for the same thing.
type pair struct{ recorded, ours string }

// ids maps the ids of one service's recordings onto ours, one to one. What an answer that
// conforms shows is settled: it never changes. What others suggest is a guess, good enough to
// send a request for the same thing.
type ids struct {
	settled, back map[string]string
	guessed       map[string]string
}

func newIDs() *ids {
	return &ids{map[string]string{}, map[string]string{}, map[string]string{}}
}

// allows says whether a pair contradicts no other.
func (m *ids) allows(p pair) bool {
	ours, known := m.settled[p.recorded]
	recorded, taken := m.back[p.ours]
	return (!known || ours == p.ours) && (!taken || recorded == p.recorded)
}

func (m *ids) settle(pairs []pair) {
	for _, p := range pairs {
		m.settled[p.recorded], m.back[p.ours] = p.ours, p.recorded
	}
}

func (m *ids) guess(pairs []pair) {
	for _, p := range pairs {
		m.guessed[p.recorded] = p.ours
	}
}

// translate puts our ids into a text of a request; unknown are the ids that have none.
func (m *ids) translate(text string) (out string, unknown []string) {
	out = recordedID.ReplaceAllStringFunc(text, func(id string) string {
		if ours, ok := m.settled[id]; ok {
			return ours
		}
		if ours, ok := m.guessed[id]; ok {
			return ours
		}
		unknown = append(unknown, id)
		return id
	})
	return out, unknown
}

// match compares a recorded text with ours: all but the ids must be equal. Those that stand in
// the same places are pairs.
func match(recorded, ours string) ([]pair, bool) {
	places := recordedID.FindAllStringIndex(recorded, -1)
	if len(places) == 0 {
		return nil, recorded == ours
	}
	pattern, names, at := "^", []string{}, 0
	for _, p := range places {
		pattern += regexp.QuoteMeta(recorded[at:p[0]]) + ownID
		names = append(names, recorded[p[0]:p[1]])
		at = p[1]
	}
	pattern += regexp.QuoteMeta(recorded[at:]) + "$"
	found := regexp.MustCompile(pattern).FindStringSubmatch(ours)
	if found == nil {
		return nil, false
	}
	pairs := make([]pair, len(names))
	for i, name := range names {
		pairs[i] = pair{name, found[i+1]}
	}
	return pairs, true
}
