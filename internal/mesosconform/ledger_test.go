package mesosconform

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
)

// ledger is what a connection was offered in the recording and not by us, by agent, role and
// kind of resource. What becomes free right at a round of the allocator falls into that round or
// into the next one: then the sums over both are the same, and that is what is held to.
type ledger struct {
	balance  map[string]float64
	outcomes []int // those that conform once the balance is even
	since    float64
	recorded []any // the offers on both sides since it was even
	ours     []any
}

// settleWithin is how far apart, in recorded seconds, rounds are that may even out.
const settleWithin = 2.5

var split = regexp.MustCompile(`^\$\.offers\.offers\[[^\]]*\]` +
	`(\.resources\[|\.executor_ids(\[\])?: |: recorded .*, missing$|: not recorded)`)

// splittable tells whether all that differs is how much was offered when.
func splittable(found []string) bool {
	return !slices.ContainsFunc(found, func(f string) bool {
		return f != missing && !split.MatchString(f)
	})
}

// enter enters a recorded OFFERS event and ours, which may be nil, whose comparison found
// something, as the last outcome. It takes more of our events if they make it even.
func (p *replay) enter(s *stream, l *line, e *received) {
	last := len(p.outcomes) - 1
	if l.call() != "OFFERS" || !splittable(p.outcomes[last].found) {
		return
	}
	b := p.ledgers[l.Conn]
	if b == nil || len(b.outcomes) == 0 || l.T-b.since > settleWithin {
		b = &ledger{balance: map[string]float64{}, since: l.T}
		p.ledgers[l.Conn] = b
	}
	b.outcomes = append(b.outcomes, last)
	b.recorded = append(b.recorded, p.book(b, p.names.translateAll(l.Body), 1)...)
	if e != nil {
		b.ours = append(b.ours, p.book(b, e.body, -1)...)
	}
	p.takeMore(s, b)
	if !b.even() {
		return
	}
	for _, i := range b.outcomes {
		p.outcomes[i].found = nil
	}
	p.alias(b)
	delete(p.ledgers, l.Conn)
}

// takeMore adds our next offers as long as it is not even; if it does not become so, they
// are left for what comes.
func (p *replay) takeMore(s *stream, b *ledger) {
	balance, ours := maps.Clone(b.balance), slices.Clone(b.ours)
	events, _ := s.unused()
	var taken []*received
	for _, e := range events {
		if b.even() {
			break
		}
		if e.closed == "" && textAt(e.body, "type") == "OFFERS" {
			b.ours = append(b.ours, p.book(b, e.body, -1)...)
			taken = append(taken, e)
		}
	}
	if !b.even() {
		b.balance, b.ours = balance, ours
		return
	}
	for _, e := range taken {
		e.used, e.as = true, -1
	}
}

// book adds the offers of an event to the balance.
func (p *replay) book(b *ledger, event any, sign float64) []any {
	offers, _ := at(event, "offers", "offers").([]any)
	for _, o := range offers {
		resources, _ := at(o, "resources").([]any)
		for _, r := range resources {
			kind, _ := r.(map[string]any)
			kind = maps.Clone(kind)
			amount := 1.0
			if v, ok := at(kind, "scalar", "value").(json.Number); ok {
				amount, _ = v.Float64()
				delete(kind, "scalar")
			}
			key := textAt(o, "agent_id", "value") + short(kind)
			b.balance[key] += sign * amount
		}
	}
	return offers
}

func (b *ledger) even() bool {
	for _, v := range b.balance {
		if math.Abs(v) > 1e-6 {
			return false
		}
	}
	return true
}

// alias has the recorded offers of each agent stand for all of ours of it, in requests.
func (p *replay) alias(b *ledger) {
	for _, r := range b.recorded {
		recorded := textAt(r, "id", "value")
		for _, o := range b.ours {
			if textAt(r, "agent_id", "value") == textAt(o, "agent_id", "value") &&
				fmt.Sprint(at(r, "allocation_info")) == fmt.Sprint(at(o, "allocation_info")) {
				p.names.stands(recorded, textAt(o, "id", "value"))
			}
		}
	}
}
