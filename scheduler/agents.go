package scheduler

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// What is known of the agents that something is held on: since when one is away, and what was
// decided of it. A record is kept only for those that are not simply there, and only as long as
// something is held on them.

// heardLong is how long a word of an agent counts as a sign that it is there.
const heardLong = 10 * time.Minute

// removedAnew is what a master says of an agent whose machine came back under another id
// (Master::reregisterSlave, Master::registerSlave); it never comes back under the old one.
const removedAnew = "a new agent registered at the same address"

// cameAnew is why such an agent is gone. Its disks may have stayed, with all that was reserved on
// them, and the other agent offers that, unless somebody else has the rest of it.
const cameAnew = "its machine came back as another agent"

// heirAwaited is how long a reservation is waited for that may have come to another agent so.
const heirAwaited = 10 * time.Minute

// heardOf takes in what a status tells of its agent.
func (m *Machine) heardOf(s mesos.Status) {
	switch {
	case s.Agent == "":
	case s.State == mesos.GoneByOperator:
		m.agentGone(s.Agent, "an operator declared it gone")
	case strings.HasSuffix(s.Message, removedAnew):
		m.agentGone(s.Agent, cameAnew)
	case s.State == mesos.Unreachable, s.State == mesos.Unknown, s.State == mesos.Lost:
		m.agentAway(s.Agent)
	case !s.State.Terminal(), s.Source != "" && s.Source != sourceMaster,
		s.Reason == reasonReconciled: // only of what it lists does a master know such ends
		m.agentHere(s.Agent)
	}
}

// sourceMaster is the source of statuses that the master makes up itself.
const sourceMaster = "SOURCE_MASTER"

// agentHere notes that an agent is there.
func (m *Machine) agentHere(id mesos.AgentID) {
	m.heard[id] = m.now
	a, known := m.hard.Agents[id]
	switch {
	case !known || a.Fate == FateGone:
	case a.Fate == FateOpen:
		m.dropAgent(id)
	case !a.Away.IsZero():
		a.Away = time.Time{}
		m.setAgent(a)
		m.note(Warn, "", "an agent came back that was given up; what is left there is freed",
			"agent", string(id), "host", a.Hostname)
	}
}

// agentAway notes that nobody can reach an agent, if something is held on it.
func (m *Machine) agentAway(id mesos.AgentID) {
	delete(m.heard, id)
	a, known := m.hard.Agents[id]
	if known && (!a.Away.IsZero() || a.Fate == FateGone) {
		return
	}
	if !known {
		host, held := m.holdsOn(id)
		if !held {
			return
		}
		a = Agent{ID: id, Hostname: host}
	}
	a.Away = m.now
	m.setAgent(a)
}

// agentGone notes that an agent can never come back under its id. Nothing of it is left to be
// freed, unless its machine has another agent, which may have what was on its disks.
func (m *Machine) agentGone(id mesos.AgentID, why string) {
	a, known := m.hard.Agents[id]
	host, held := m.holdsOn(id)
	if !held || a.Fate == FateGone {
		return
	}
	if !known {
		a = Agent{ID: id, Hostname: host}
	}
	if a.Away.IsZero() {
		a.Away = m.now
	}
	a.Fate, a.Why, a.Decided, a.By = FateGone, why, m.now, ""
	m.setAgent(a)
	m.note(Warn, "", "an agent is gone for ever", "agent", string(id), "host", a.Hostname,
		"reason", why)
	if m.forfeited(a) {
		m.dropLeftovers(id)
	}
}

func (m *Machine) dropLeftovers(on mesos.AgentID) {
	for _, left := range m.leftoversOn(on) {
		m.dropLeftover(left)
	}
}

// agentsSeen takes in what the operator API says of agents.
func (m *Machine) agentsSeen(ev mesos.AgentsSeen) {
	seen := make(map[mesos.AgentID]mesos.SeenAgent, len(ev.Agents))
	for _, a := range ev.Agents {
		a.Reserved = nil // it is much, and looked at now: see leftoversSeen
		seen[a.ID] = a
	}
	m.seen = seen
	for _, id := range m.heldAgents() {
		switch a := seen[id]; {
		case a.Active:
			m.agentHere(id)
		case !a.Deactivated: // else Mesos does not show whether it is connected
			m.agentAway(id)
		}
	}
	m.seenOutlook()
	m.leftoversSeen(ev)
}

// connected reports whether the master hears an agent. One that is drained or deactivated is
// listed as not active, and is there.
func connected(a mesos.SeenAgent) bool { return a.Active || a.Deactivated }

// heldAgents lists the agents that something is held on, sorted.
func (m *Machine) heldAgents() []mesos.AgentID {
	held := map[mesos.AgentID]bool{}
	for _, name := range m.podNames() {
		if p := m.hard.Pods[name].Place; p != nil {
			held[p.Agent] = true
		}
	}
	for _, l := range m.hard.Leftovers {
		held[l.Agent] = true
	}
	return slices.Sorted(maps.Keys(held))
}

// holdsOn reports whether anything is held on an agent, and gives its host name.
func (m *Machine) holdsOn(id mesos.AgentID) (host string, held bool) {
	for _, name := range m.podNames() {
		if p := m.hard.Pods[name].Place; p != nil && p.Agent == id {
			return p.Hostname, true
		}
	}
	for _, left := range m.leftoversOn(id) {
		return m.hard.Leftovers[left].Hostname, true
	}
	return "", false
}

// podsOn lists the instances that have their places on an agent.
func (m *Machine) podsOn(id mesos.AgentID) []PodName {
	var names []PodName
	for _, name := range m.podNames() {
		if p := m.hard.Pods[name].Place; p != nil && p.Agent == id {
			names = append(names, name)
		}
	}
	return names
}

// sight says by what sign an agent is taken to be there, "" if there is none.
func (m *Machine) sight(id mesos.AgentID) string {
	if a := m.hard.Agents[id]; a.Fate == FateGone || !a.Away.IsZero() {
		return ""
	}
	for _, name := range m.podsOn(id) {
		if m.hard.Pods[name].anyRuns() {
			return name.String() + " runs there"
		}
	}
	if connected(m.seen[id]) {
		return "the master lists it as connected"
	}
	if at, ok := m.heard[id]; ok && m.now.Before(at.Add(heardLong)) {
		return "it was heard of at " + at.UTC().Format(time.RFC3339)
	}
	return ""
}

// givenUp reports whether nobody waits for an agent: it is gone for ever, and so is what it had, or
// it was abandoned and did not come back.
func (m *Machine) givenUp(id mesos.AgentID) bool {
	a := m.hard.Agents[id]
	return m.forfeited(a) || a.Fate == FateAbandoned && !a.Away.IsZero()
}

// forfeited reports whether what an agent had is gone with it.
func (m *Machine) forfeited(a Agent) bool {
	return a.Fate == FateGone && !m.now.Before(a.heirUntil())
}

// heirUntil is until when another agent may come to offer what one had that is gone.
func (a Agent) heirUntil() time.Time {
	if a.Why != cameAnew {
		return a.Decided
	}
	return a.Decided.Add(heirAwaited)
}

// lingers reports whether a task of an instance may still run where somebody waits for it.
func (m *Machine) lingers(p Pod) bool {
	return p.anyLive() && !(p.Place != nil &&
		(m.givenUp(p.Place.Agent) || m.hard.Agents[p.Place.Agent].Fate == FateGone))
}

func (m *Machine) setAgent(a Agent) {
	agents := maps.Clone(m.hard.Agents)
	if agents == nil {
		agents = map[mesos.AgentID]Agent{}
	}
	agents[a.ID] = a
	m.hard.Agents = agents
	m.write(WriteAgent{a})
}

func (m *Machine) dropAgent(id mesos.AgentID) {
	agents := maps.Clone(m.hard.Agents)
	delete(agents, id)
	m.hard.Agents = agents
	m.write(DeleteAgent{id})
}

// agentIDs lists the agents that there is a record of.
func (m *Machine) agentIDs() []mesos.AgentID {
	return slices.SortedFunc(maps.Keys(m.hard.Agents), cmp.Compare)
}

// passAgents gives up agents that were away for too long, and what came to no other agent.
func (m *Machine) passAgents() {
	for _, id := range m.agentIDs() {
		a := m.hard.Agents[id]
		if len(m.leftoversOn(id)) > 0 && a.Fate == FateGone {
			m.passHeir(a)
			continue
		}
		patience, kind := m.abandonAfter(id)
		if a.Fate != FateOpen || a.Away.IsZero() || patience == 0 {
			continue
		}
		if due := a.Away.Add(patience); m.now.Before(due) {
			m.wakeBy(due)
			continue
		}
		m.carryOut(Commanded{Command: AgentAbandon{Agent: string(id)},
			Caller: Caller{Who: "fault-policy of pod " + kind,
				Reason: fmt.Sprintf("it was not reachable for %s", patience)}})
	}
}

// soughtEvery is how often agents that were given up are looked for, and soughtFor for how long
// offers are wanted then.
const (
	soughtEvery = 10 * time.Minute
	soughtFor   = 30 * time.Second
)

// seek looks for agents that were abandoned and that something is left on: nothing runs there that
// would tell that they are back, and nobody wants their offers. So offers are wanted for a while,
// which also show what came back with the machine as another agent, and the master is asked. Of a
// task that it does not know a master says that it is gone where it has the agent, and nothing of
// the kind where it has not (Master::_reconcileTasks); so there is no such task.
func (w *work) seek() {
	m := w.m
	lost := m.lostAgents()
	switch {
	case len(lost) == 0:
		m.soughtAt = time.Time{}
		return
	case !m.connected:
		return
	case m.soughtAt.IsZero() || !m.now.Before(m.soughtAt.Add(soughtEvery)):
		m.soughtAt = m.now
		m.send(mesos.Reconcile{Tasks: lost})
	}
	if until := m.soughtAt.Add(soughtFor); m.now.Before(until) {
		w.wants["abandoned"] = true
		m.wakeBy(until)
	}
	m.wakeBy(m.soughtAt.Add(soughtEvery))
}

// lostAgents lists the agents that were abandoned and are not back, each with a task to ask about.
func (m *Machine) lostAgents() (list []mesos.TaskOnAgent) {
	for _, id := range m.agentIDs() {
		if a := m.hard.Agents[id]; a.Fate == FateAbandoned && !a.Away.IsZero() {
			list = append(list, mesos.TaskOnAgent{
				Task: mesos.TaskID(m.taskPrefix() + "__abandoned__" + string(id)), Agent: id})
		}
	}
	return list
}

// passHeir forgets the reservations of an agent whose machine has another one, once that should
// have offered them.
func (m *Machine) passHeir(a Agent) {
	if !m.forfeited(a) {
		m.wakeBy(a.heirUntil())
		return
	}
	m.note(Warn, "", "what was reserved on an agent that is gone is not offered by the one that "+
		"its machine has now; should it be there, it is freed when it is seen",
		"agent", string(a.ID), "host", a.Hostname)
	m.dropLeftovers(a.ID)
}

// forgetAgents forgets those that nothing is held on any more.
func (m *Machine) forgetAgents() {
	if len(m.hard.Agents) == 0 {
		return
	}
	held := m.heldAgents()
	for _, id := range m.agentIDs() {
		if _, found := slices.BinarySearch(held, id); !found {
			m.dropAgent(id)
		}
	}
}

// absence says what somebody waits for who waits for an agent: for what otherwise, or, while it
// is away, for its return or its end.
func (m *Machine) absence(id mesos.AgentID, otherwise string) string {
	a := m.hard.Agents[id]
	if a.Fate == FateGone {
		return fmt.Sprintf("%s; what it had is waited for until %s, and agent abandon %s gives it "+
			"up", a.Why, a.heirUntil().UTC().Format(time.RFC3339), id)
	}
	if a.Away.IsZero() || a.Fate != FateOpen {
		return otherwise
	}
	text := fmt.Sprintf("its agent %s on %s is away since %s", id, a.Hostname,
		a.Away.UTC().Format(time.RFC3339))
	if patience, _ := m.abandonAfter(id); patience > 0 {
		return text + "; it is given up at " + a.Away.Add(patience).UTC().Format(time.RFC3339)
	}
	return text + "; agent abandon " + string(id) + " gives it up"
}

// rehome follows reservations whose agent came back under another id: its disks, with all that
// was reserved on them, may have stayed. Nobody may have said that the old agent is away: where
// nothing ran, no status tells it. But what one agent offers, no other one has any more.
func (m *Machine) rehome() {
	at := m.offeredOurs()
	if len(at) == 0 {
		return
	}
	offered := func(old mesos.AgentID, list resource.List) (mesos.Offer, bool) {
		for _, id := range resourceIDs(list) {
			if o, ok := m.offers[at[id]]; ok && o.Agent != old {
				return o, true
			}
		}
		return mesos.Offer{}, false
	}
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		if p.Place == nil || p.anyRuns() && m.hard.Agents[p.Place.Agent].Fate != FateGone {
			continue
		}
		o, ok := offered(p.Place.Agent, placeResources(*p.Place))
		if !ok {
			continue
		}
		p = p.withTasks(func(t *Task) {
			if m.kafkaAway(p, *t); t.runs() { // its end went with its agent, and nobody tells
				t.State, t.Since = mesos.Lost, m.now
			}
		})
		place := *p.Place
		place.Agent, place.Hostname, place.IP = o.Agent, o.Hostname, o.IP
		place.Domain, place.Attributes = o.Domain, o.Attributes
		place.Pending = nil // its agent tells of them no more, and the offer shows what is there
		p.Place = &place
		m.setPod(p)
		m.askAbout([]PodName{name}) // it does not know of what ran under the other id
		m.note(Info, "", "the agent of an instance came back under another id",
			"pod", name.String(), "host", o.Hostname, "agent", string(o.Agent))
	}
	for _, left := range m.leftoverIDs() {
		l := m.hard.Leftovers[left]
		if o, ok := offered(l.Agent, l.Resources); ok {
			l.Agent, l.Hostname, l.Tasks, l.Pending = o.Agent, o.Hostname, nil, nil
			m.setLeftover(l)
		}
	}
}

// offeredOurs tells for each id on a reserved resource of this framework which offer has it.
func (m *Machine) offeredOurs() map[string]mesos.OfferID {
	var at map[string]mesos.OfferID
	for _, id := range slices.Sorted(maps.Keys(m.offers)) {
		for _, r := range m.offers[id].Resources {
			if resourceID, ours := m.ownReservation(r); ours {
				if at == nil {
					at = map[string]mesos.OfferID{}
				}
				at[resourceID] = id
			}
		}
	}
	return at
}
