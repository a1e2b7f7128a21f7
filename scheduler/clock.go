package scheduler

import "slices"

// What is stored has times of a clock that somebody may have set since. While a process runs, its
// times come from a clock that nobody sets; so it is looked at once, when a machine begins.
//
// A time that lies ahead can only be wrong, and would be waited for: an instance would back off for
// an hour because of a clock that was an hour ahead, and a silent agent be waited for so much
// longer. One that lies behind may be right, and is believed.

// mindClock sets times that lie further ahead than they can to now.
func (m *Machine) mindClock() {
	most := m.now.Add(max(backoffMax, m.cfg.Backoff.Max))
	ahead := func(t Task) bool { return t.Since.After(m.now) || t.NotBefore.After(most) }
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		if !slices.ContainsFunc(p.Tasks, ahead) {
			continue
		}
		m.setPod(p.withTasks(func(t *Task) {
			if t.NotBefore.After(most) {
				t.NotBefore = m.now
			}
			if t.Since.After(m.now) {
				t.Since = m.now
			}
		}))
	}
	for _, id := range m.agentIDs() {
		if a := m.hard.Agents[id]; a.Away.After(m.now) {
			a.Away = m.now
			m.setAgent(a)
		}
	}
}
