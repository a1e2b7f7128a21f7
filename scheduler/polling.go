package scheduler

import "time"

// polling is when a cluster is asked for facts: one question at a time, and again some time after
// its answer.
type polling struct {
	due      time.Time // when to ask next, zero when there is nobody to ask
	asking   time.Time // when the last question was put, zero when its answer is there
	answered time.Time // when the last answer came
}

// next is when to ask, or to give an answer up.
func (p *polling) next() time.Time {
	if p.asking.IsZero() {
		return p.due
	}
	return p.asking.Add(factsLost)
}

// asks reports whether a question is to be put now that is due at a time, and notes that it is.
func (p *polling) asks(now, due time.Time) bool {
	p.due = due
	if now.Before(p.next()) {
		return false
	}
	p.asking = now
	return true
}

// took notes that the answer is there.
func (p *polling) took(now time.Time) { p.asking, p.answered = time.Time{}, now }

// rest notes that there is nobody to ask.
func (p *polling) rest() { p.due, p.asking = time.Time{}, time.Time{} }

// hurry has the next question put at once.
func (p *polling) hurry() { p.answered = time.Time{} }
