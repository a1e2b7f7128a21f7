package apiconform

import (
	"regexp"
	"strings"
)

// Ids of the recordings are written uuid-1, uuid-2, …; those of this scheduler are UUIDs.
var (
	recordedID = regexp.MustCompile(`uuid-\d+`)
	ownID      = regexp.MustCompile(`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
)

const ownIDLength = 36

// pair is a recorded id and ours for the same thing.
type pair struct {
	recorded, ours string
	ofPlan         bool // it stands in a plan
}

// ids maps the ids of one service's recordings onto ours, one to one. What an answer that
// conforms shows is settled: it never changes. What others suggest is a guess, good enough to
// send a request for the same thing.
//
// The predecessor makes new ids for the phases and steps of its plans at each start, and of each
// recovery. Ours may stay, so that an id of ours in a plan may stand for a new recorded one.
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
	if known {
		return ours == p.ours
	}
	_, taken := m.back[p.ours]
	return !taken || p.ofPlan
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
	var pairs []pair
	if !strings.Contains(recorded, "uuid-") {
		return nil, recorded == ours
	}
	at := 0
	for _, place := range recordedID.FindAllStringIndex(recorded, -1) {
		rest, ok := strings.CutPrefix(ours, recorded[at:place[0]])
		if !ok || len(rest) < ownIDLength || !ownID.MatchString(rest[:ownIDLength]) {
			return nil, false
		}
		pairs = append(pairs, pair{recorded: recorded[place[0]:place[1]], ours: rest[:ownIDLength]})
		ours, at = rest[ownIDLength:], place[1]
	}
	return pairs, recorded[at:] == ours
}
