package rolling_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
)

// judge looks at a stop in the moment in which it happens. What counts is the cluster itself and
// not what anybody said of it: how many replicas that are in sync and whose process works are
// left, and how many voters. A stop is unsafe if too few are left, and if that could be known
// when the facts of the decision were asked for: what fails after that moment fails anyhow. Who
// decides by facts that are six seconds old, or by metadata two seconds behind, has no excuse.
func (w *world) judge(m *machine) {
	if !m.alive() {
		return // it did nothing for anybody
	}
	excused := w.known != nil && w.known.newestAt >= w.known.asked-fetchLimit &&
		w.now-w.known.asked <= 6_000
	now := make([]bool, len(w.nodes))
	fit := make([]bool, len(w.nodes))
	for i, other := range w.nodes {
		now[i] = other.alive()
		fit[i] = other.alive() && w.now-other.caughtUp <= fetchLimit
	}
	for i, p := range w.parts {
		bad := w.short(p, m, now, w.fencedNow())
		if bad == "" {
			continue
		}
		if excused && w.short(&w.known.newest.parts[i], m, w.known.alive,
			w.known.newest.fenced) == "" {
			w.races++
			continue
		}
		w.blame("stopping %d at %s: %s-%d has %s", m.id, at(w.now).Sub(epoch), p.topic, p.id, bad)
	}
	voters := w.voters()
	if m.votes && len(voters) > 2 && w.left(m, fit) < len(voters)/2+1 {
		if excused && w.left(m, w.known.fit) >= len(voters)/2+1 {
			w.races++
			return
		}
		w.blame("stopping %d at %s: %d of %d voters are left", m.id, at(w.now).Sub(epoch),
			w.left(m, fit), len(voters))
	}
}

func (w *world) blame(format string, args ...any) {
	w.unsafe = append(w.unsafe, fmt.Sprintf(format, args...))
}

func (w *world) fencedNow() []bool {
	list := make([]bool, len(w.nodes))
	for i, m := range w.nodes {
		list[i] = m.fenced
	}
	return list
}

// left is the number of voters that are fit without a node and those that we have down.
func (w *world) left(gone *machine, fit []bool) int {
	n := 0
	for _, m := range w.voters() {
		if m != gone && fit[m.id] && m.state != stopping {
			n++
		}
	}
	return n
}

// short says what a partition lacks without a node, given who lives and who is fenced. A fenced
// broker serves nobody, even if it is the last one of an ISR.
func (w *world) short(p *part, m *machine, alive, fenced []bool) string {
	own := p.share(m.id)
	if own == nil || !own.inSync || !alive[m.id] || fenced[m.id] {
		return ""
	}
	left := 0
	for _, s := range p.shares {
		node := w.nodes[s.node]
		if s.node != m.id && s.inSync && alive[s.node] && !(node.byUs && !node.alive()) {
			left++
		}
	}
	need := p.minISR
	if len(p.shares) <= p.minISR { // such a one cannot bear it
		switch w.rollout.Policy.Fragile {
		case rolling.Refuse:
		case rolling.Allow:
			need = min(1, len(p.shares)-1)
		default:
			if w.couldMove(p, m, alive, fenced) {
				break
			}
			need = min(1, len(p.shares)-1)
		}
	}
	if left >= need {
		return ""
	}
	return fmt.Sprintf("%d replicas in sync and needs %d", left, need)
}

// couldMove reports whether another broker could have taken a partition first.
func (w *world) couldMove(p *part, m *machine, alive, fenced []bool) bool {
	return slices.ContainsFunc(w.nodes, func(o *machine) bool {
		return o.serves && o != m && alive[o.id] && !fenced[o.id] && o.registered &&
			p.share(o.id) == nil && !o.byUs
	})
}

// count sees that no more nodes than allowed are down because of us, and all of one rack.
func (w *world) count() {
	var down []*machine
	for _, m := range w.nodes {
		if m.byUs {
			down = append(down, m)
		}
	}
	if most := max(1, w.rollout.Policy.MaxUnavailable); len(down) > most {
		w.blame("%d nodes are down because of us at %s, and %d may be", len(down),
			at(w.now).Sub(epoch), most)
	}
	for _, m := range down {
		if len(down) > 1 && (m.votes || m.rack == "" || m.rack != down[0].rack) {
			w.blame("%d of rack %q is down with others at %s", m.id, m.rack, at(w.now).Sub(epoch))
		}
	}
}

// fault lets something fail now and then.
func (w *world) fault() {
	if !w.faulty || w.rand.IntN(12) > 0 {
		return
	}
	m := w.nodes[w.rand.IntN(len(w.nodes))]
	some := 1_000 + w.rand.IntN(60_000)
	switch w.rand.IntN(12) {
	case 0, 1:
		w.end(m, true)
	case 2:
		if m.alive() {
			m.state = hung
			w.after(some, func() { w.unhang(m) })
		}
	case 3:
		m.slow = true
		w.after(some, func() { m.slow = false })
	case 4:
		m.cut = true
		w.after(some, func() { m.cut = false })
	case 5:
		w.freeze(m, some/4)
	case 6:
		for _, m := range w.brokers() { // all but one
			if w.rand.IntN(len(w.nodes)) > 0 {
				w.freeze(m, some/4)
			}
		}
	case 7:
		m.laggy = true
		w.after(some, func() { m.laggy = false })
	case 8, 9:
		w.reassignSome()
	case 10:
		p := w.parts[w.rand.IntN(len(w.parts))]
		least := 1 + w.rand.IntN(3)
		for _, other := range w.parts {
			if other.topic == p.topic {
				other.minISR = least
			}
		}
		w.changed = true
	case 11:
		if w.rand.IntN(4) == 0 {
			m.badConfig = true
		} else if w.leader >= 0 {
			w.leader, w.vacant = -1, w.now+2_000
		}
	}
}

// freeze keeps new metadata from a broker.
func (w *world) freeze(m *machine, ms int) {
	if m.view != nil && m.alive() && !m.frozen {
		m.frozen, m.frozenAt = true, w.now
		w.after(ms, func() { m.frozen = false })
	}
}

func (w *world) unhang(m *machine) {
	if m.state == hung {
		m.state = up
	}
}

// reassignSome moves one replica of a partition to another broker, or adds one.
func (w *world) reassignSome() {
	p, brokers := w.parts[w.rand.IntN(len(w.parts))], w.brokers()
	to := brokers[w.rand.IntN(len(brokers))].id
	if p.target != nil || p.share(to) != nil {
		return
	}
	var target []int
	for _, s := range p.shares {
		target = append(target, s.node)
	}
	if i := w.rand.IntN(len(target) + 1); i < len(target) {
		target[i] = to
	} else {
		target = append(target, to)
	}
	w.reassign(p, target)
}

// heal ends all faults; whoever refused to let fragile topics go decides otherwise.
func (w *world) heal() {
	w.faulty = false
	for _, m := range w.nodes {
		m.badConfig, m.slow, m.cut, m.frozen, m.laggy, m.exits = false, false, false, false,
			false, 0
		w.unhang(m)
	}
	if w.rollout.Policy.Fragile == rolling.Refuse {
		w.after(int(30*time.Second/time.Millisecond), func() {
			w.rollout.Policy.Fragile = rolling.Allow
		})
	}
}
