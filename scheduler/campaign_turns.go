package scheduler

import (
	"fmt"
	"slices"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Turns in a campaign: each node has one, in which it is taken down to come back with what the
// phase brings. A node that is away before its turn comes back as it was.

// diedBefore reports whether a Kafka node or a ZooKeeper server ended by itself, or was lost,
// before its turn in a campaign, or was restarted: nobody has rolled it, and it has not run with
// the target.
func (m *Machine) diedBefore(p Pod) bool {
	spec, _ := m.spec(p.Name)
	t, _ := p.task(serverTask(spec))
	return m.hard.Campaign.under() && !p.Rolls && p.Request == "" && t.ID != "" &&
		!t.runs() && t.Launch != m.launchHash(p.Name, t.Name)
}

// keepsTurn reports whether a node that ended by itself is brought back as it was, and has its turn
// then, although the plan deploy has come to it. On the way back it has it at once.
func (m *Machine) keepsTurn(p Pod) bool { return !m.hard.Campaign.Back && m.diedBefore(p) }

// rolling reports whether instances of a pod have turns in a campaign, and one may begin now.
func (m *Machine) rolling(spec servicespec.Pod) bool {
	return m.hard.Campaign.under() && m.connected && serverTask(spec) != ""
}

// pausedTurn reports whether a node that an operator has paused is left alone by a campaign: when
// it is resumed it comes back as it was, and has its turn then.
func (m *Machine) pausedTurn(p Pod) bool {
	spec, _ := m.spec(p.Name)
	t, _ := p.task(serverTask(spec))
	return m.hard.Campaign.under() && !m.hard.Campaign.Back && t.Idle && t.runs()
}

// asBefore has a node that is brought back before its turn launched with what it ran with: what
// may be bad comes to no more nodes than it was decided on. On the way back that is the target, and
// so it is where nobody would let it in as it was.
func (m *Machine) asBefore(p Pod, l launchOf) launchOf {
	name := serverTask(l.spec)
	if l.plan != planRecovery && !l.caretaker || !m.keepsTurn(p) ||
		!slices.Contains(l.tasks, name) {
		return l
	}
	t, _ := p.task(name)
	for i := range m.hard.Earlier {
		e := &m.hard.Earlier[i]
		if spec := podSpec(e.Service, p.Name.Type); e.ID == t.Target && spec != nil &&
			!m.enters(t, *spec) {
			l.before, l.spec = e, *spec
		}
	}
	return l
}

// takeTurnsBack has nodes wait for their turns that had them on the way back, as the campaign goes
// on after all: one that is away comes back as it was.
func (m *Machine) takeTurnsBack() {
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		spec, wanted := m.spec(name)
		t, _ := p.task(serverTask(spec))
		if wanted && p.Rolls && t.ID != "" && t.Launch != m.launchHash(name, t.Name) {
			p.Rolls = false
			m.setPod(p)
		}
	}
}

// holdHalt says who has to come back before a campaign rolls another Kafka node, "" if nobody: one
// that was rolled and does not come back halts it, also where nobody misses the next one.
func (m *Machine) holdHalt(name PodName, spec servicespec.Pod) string {
	if c := m.hard.Campaign; !c.under() || c.Back || spec.Kafka == nil {
		return ""
	}
	most := 1
	if spec.Update != nil {
		most = max(most, spec.Update.MaxUnavailable)
	}
	for _, other := range m.podNames() {
		p := m.hard.Pods[other]
		_, wanted := m.spec(other)
		if other == name || !p.Rolls || p.Down == nil && wanted {
			continue
		}
		if most--; most > 0 {
			continue
		}
		if !wanted {
			return fmt.Sprintf("%s, which did not come back, has to be gone first", other)
		}
		return fmt.Sprintf("%s has to come back first", other)
	}
	return ""
}

// halts reports whether a Kafka node that had its turn in a campaign, and that a smaller
// configuration does not want, did not come up with what that brought: what it shows of the next
// ones holds until it is gone.
func (m *Machine) halts(p Pod, spec servicespec.Pod) bool {
	t, _ := p.task(serverTask(spec))
	return p.Rolls && spec.Kafka != nil && m.hard.Campaign.under() && !m.hard.Campaign.Back &&
		t.ID != "" && !m.everReady(p, spec)
}
