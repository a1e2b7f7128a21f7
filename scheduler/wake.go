package scheduler

import "time"

// When a step looks at everything: at once after anything that may have changed what is to do, when
// a time has come that somebody waits for, and else not.

// passEvery is after how long a tick looks at everything whatever it is for.
const passEvery = time.Second

// idle reports whether at a time nothing is due but to ask Kafka and ZooKeeper, for which nobody
// has to look at all the rest, as that was done just now.
func (m *Machine) idle(now time.Time) bool {
	if m.due || !now.Before(m.passedAt.Add(passEvery)) {
		return false
	}
	work := m.nextWork()
	return work.IsZero() || work.After(now)
}

// NextWake is when the machine wants a Tick although nothing else happened; the zero time
// means never.
func (m *Machine) NextWake() time.Time {
	if m.finished {
		return time.Time{}
	}
	if m.due {
		return m.now
	}
	return earliest(m.nextWork(), m.polling.next(), m.servers.polling.next())
}

// nextWork is when a pass is due although nothing else happened, the zero time for never.
func (m *Machine) nextWork() (next time.Time) {
	if m.connected {
		//tidy:unordered the earliest of all
		for _, q := range m.asked {
			next = earliest(next, q.again)
		}
		//tidy:unordered the earliest of all
		for _, at := range m.kills {
			next = earliest(next, at.Add(killAgain))
		}
		next = earliest(next, m.implicit, m.feedback.next)
	}
	if m.wake.After(m.now) {
		next = earliest(next, m.wake)
	}
	if rough := m.stopAt.Add(stopPatience); m.hard.Intent == Stop && rough.After(m.now) {
		next = earliest(next, rough)
	}
	for _, name := range m.visits() {
		for _, t := range m.hard.Pods[name].Tasks {
			if t.NotBefore.After(m.now) {
				next = earliest(next, t.NotBefore)
			}
		}
	}
	return next
}

// earliest is the first of some times; zero ones do not count.
func earliest(times ...time.Time) (first time.Time) {
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}
