package scheduler

import "time"

// polling is when a cluster is asked for facts: one question at a time, and again some time after
// its answer.
type polling struct {
	due      time.Time // when to ask next, zero when there is nobody to ask
	asking   time.Time // when the last question was put, zero when its answer is there
	answered time.Time // when the last answer came
	since    time.Time // since when somebody waits for what they say, zero for nobody
}

// factsSlow is the longest time between two questions while somebody waits for what the answers
// say: half the age that counts for a verdict (rolling.Policy.MaxAge), and less.
const factsSlow = 2 * time.Second

// pace is the time between an answer and the next question: that of an idle cluster, unless
// somebody waits for what it says, and something was last moved at a time.
func (p *polling) pace(waits bool, idle time.Duration, now, moved time.Time) time.Duration {
	if waits {
		return p.haste(now, moved)
	}
	p.since = time.Time{}
	return idle
}

// haste is the time between an answer and the next question while somebody waits for what they say:
// short in the beginning, and then a sixteenth of the wait until that answer, so that the wait is
// not much longer for it and one of hours costs an eighth. It begins anew when something was moved
// since.
func (p *polling) haste(now, moved time.Time) time.Duration {
	if p.since.IsZero() {
		p.since = now
	}
	if p.since.Before(moved) {
		p.since = moved
	}
	return min(max(p.answered.Sub(p.since)/16, factsBusy), factsSlow)
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
