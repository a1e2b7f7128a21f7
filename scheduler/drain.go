package scheduler

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// Agents that are to go by plan: those that an operator drains, and those that a maintenance
// window is scheduled for. Instances whose fault policy says "planned: replace" leave them, one
// after the other, and so do those whose placement rule no longer allows their agent because its
// attributes changed; the plan maintenance shows it. All others stay: a drained agent gives them
// back what they hold when it is active again, and one in maintenance when that is over.
//
// A window may be told by offers, by inverse offers and by the operator API, a drain by that API
// and by the reasons of statuses. All of it is soft; a move that was planned is not.

// Outlook is what is known of an agent's future.
type Outlook struct {
	Window *mesos.Unavailability // nil for none
	Drain  bool                  // an operator has it drained
}

// inverseAgain is how long an inverse offer that was declined is not to come again.
const inverseAgain = 30 * time.Second

// foresee takes in what is known of an agent's future. That it is an ordinary one is kept only
// of agents that an instance was to leave.
func (m *Machine) foresee(id mesos.AgentID, o Outlook) {
	left := false
	//tidy:unordered one of them is as good as another
	for _, move := range m.moves {
		left = left || move.Agent == id
	}
	was, known := m.outlooks[id]
	keep := left || o != (Outlook{})
	if keep == known && o == was {
		return
	}
	m.outlooks = maps.Clone(m.outlooks) // pictures have the one before
	if keep {
		m.outlooks[id] = o
	} else {
		delete(m.outlooks, id)
	}
}

// offeredBy takes in what an offer tells of its agent. A drained agent makes none.
func (m *Machine) offeredBy(o mesos.Offer) {
	m.agentHere(o.Agent)
	m.foresee(o.Agent, Outlook{Window: o.Unavailable})
}

// seenOutlook takes in what the operator API tells of the futures of agents, and of their
// attributes.
func (m *Machine) seenOutlook() {
	for _, id := range m.heldAgents() {
		a, listed := m.seen[id]
		if !listed {
			continue
		}
		drain := a.Drain != nil && (a.Drain.Draining || a.Drain.Drained)
		m.foresee(id, Outlook{Window: a.Unavailable, Drain: drain})
	}
	for _, name := range m.podNames() {
		if p := m.hard.Pods[name]; p.Place != nil && m.seen[p.Place.Agent].ID != "" {
			m.relabel(p, m.seen[p.Place.Agent])
		}
	}
}

// relabel takes in that the attributes or the domain of an instance's agent changed. An agent
// can only gain them under its id; the reconfiguration policy "additive" lets it.
func (m *Machine) relabel(p Pod, a mesos.SeenAgent) {
	was := *p.Place
	place := was
	if len(a.Attributes) >= len(was.Attributes) && len(a.Attributes) > 0 {
		place.Attributes = a.Attributes
	}
	place.Domain.Region = cmp.Or(a.Domain.Region, was.Domain.Region)
	place.Domain.Zone = cmp.Or(a.Domain.Zone, was.Domain.Zone)
	if slices.Equal(place.Attributes, was.Attributes) && place.Domain == was.Domain {
		return
	}
	spec, wanted := m.spec(p.Name)
	peers := m.peersOf(p.Name)
	p.Place = &place
	if place.Domain != was.Domain && wanted { // what runs was told the zone before
		p = p.withTasks(func(t *Task) {
			ts, known := taskSpec(spec, t.Name)
			t.Again = t.Again || known && t.runs() && ts.Goal == servicespec.GoalRunning
		})
	}
	m.setPod(p)
	m.note(Info, "", "the agent of an instance has other attributes", "pod", p.Name.String(),
		"host", place.Hostname)
	before := spec.Placement.Evaluate(agentOf(was), peers)
	after := spec.Placement.Evaluate(agentOf(place), peers)
	if wanted && before.Allowed && !after.Allowed {
		m.planMove(p, CausePlacement,
			"its placement rule no longer allows the agent: "+after.Reason)
	}
}

// peersOf are the places of the other instances of a type.
func (m *Machine) peersOf(name PodName) []placement.Agent {
	var peers []placement.Agent
	for _, other := range m.podNames() {
		o := m.hard.Pods[other]
		if other != name && other.Type == name.Type && o.Place != nil {
			peers = append(peers, agentOf(*o.Place))
		}
	}
	return peers
}

// drained notes that an agent is drained, as a status says.
func (m *Machine) drained(s mesos.Status) {
	if s.Reason == reasonDraining && s.Agent != "" {
		m.foresee(s.Agent, Outlook{Window: m.outlooks[s.Agent].Window, Drain: true})
	}
}

// inverseOffered answers inverse offers: an agent on which nothing of ours runs may go.
func (m *Machine) inverseOffered(ev mesos.InverseOffers) {
	var accept, decline []mesos.OfferID
	for _, o := range ev.Offers {
		window := o.Unavailable
		m.foresee(o.Agent, Outlook{Window: &window, Drain: m.outlooks[o.Agent].Drain})
		if there := m.liveOn(o.Agent); len(there) > 0 {
			decline = append(decline, o.ID)
			m.note(Info, "", "an inverse offer is declined", "agent", string(o.Agent),
				"reason", fmt.Sprintf("%s runs there", there[0]))
			continue
		}
		accept = append(accept, o.ID)
		m.note(Info, "", "an inverse offer is accepted", "agent", string(o.Agent))
	}
	if len(accept) > 0 {
		m.send(mesos.AcceptInverse{Offers: accept, Refuse: inverseAgain})
	}
	if len(decline) > 0 {
		m.send(mesos.DeclineInverse{Offers: decline, Refuse: inverseAgain})
	}
}

// liveOn lists the instances whose tasks may run on an agent.
func (m *Machine) liveOn(id mesos.AgentID) []PodName {
	return slices.DeleteFunc(m.podsOn(id),
		func(name PodName) bool { return !m.hard.Pods[name].anyLive() })
}

// goes says why an agent is to go by plan, "" if it is not, for all that is known.
func (m *Machine) goes(id mesos.AgentID) string {
	o := m.outlooks[id]
	switch {
	case o.Drain:
		return "its agent is drained by an operator"
	case o.Window != nil:
		return "maintenance of its agent is scheduled " + windowText(*o.Window)
	}
	return ""
}

// cause is why instances leave an agent of that outlook.
func (o Outlook) cause() MoveCause {
	if o.Drain {
		return CauseDrain
	}
	return CauseMaintenance
}

// passMoves plans that instances leave agents that are to go.
func (m *Machine) passMoves() {
	for _, id := range slices.Sorted(maps.Keys(m.outlooks)) {
		why := m.goes(id)
		if why == "" {
			continue
		}
		for _, name := range m.podsOn(id) {
			p, cause := m.hard.Pods[name], m.outlooks[id].cause()
			again := p.Move != nil && p.Move.Cause == CauseMaintenance && cause == CauseDrain
			if p.Request == "" && (p.Move == nil || again) {
				m.planMove(p, cause, why)
			}
		}
	}
}

// endMoves ends the moves of instances that have left, and gives up those that are planned and not
// begun where the agent is to stay.
func (m *Machine) endMoves() {
	for _, name := range m.visits() {
		p := m.hard.Pods[name]
		if p.Move == nil {
			continue
		}
		_, wanted := m.spec(name)
		begun := p.Request != "" || p.Incarnation > p.Move.Incarnation
		switch {
		case p.Incarnation > p.Move.Incarnation && p.Request == "" && !p.Replacing:
			p.Move = nil
			m.setPod(p)
			m.note(Info, "", "an instance has left its agent", "pod", name.String())
		case !wanted, !begun && m.pointless(p):
			m.dropMove(p)
		}
	}
}

// pointless reports whether nothing wants a planned move any more.
func (m *Machine) pointless(p Pod) bool {
	if !p.Move.Cause.chosen() && !m.leavesByPolicy(p.Name) {
		return true // another configuration has it stay
	}
	switch p.Move.Cause {
	case CauseRoom:
		return !m.cramps(p)
	case CauseSize:
		spec, _ := m.spec(p.Name)
		return !resizes(p, spec)
	case CauseDisk:
		spec, _ := m.spec(p.Name)
		return m.kafkaNow() != nil && len(m.failedDirs(p, spec)) == 0
	case CausePlacement, CauseAsked:
		return false
	}
	elsewhere := p.Place != nil && p.Place.Agent != p.Move.Agent // or its machine is another now
	_, told := m.outlooks[p.Move.Agent]
	return elsewhere || told && m.goes(p.Move.Agent) == ""
}

// dropMove gives up a move that was planned and is not begun.
func (m *Machine) dropMove(p Pod) {
	p.Move = nil
	m.setPod(p)
	delete(m.moves, p.Name)
	delete(m.rooms, p.Name)
	m.due = true
}

// planMove notes that an instance is to leave its agent, if its fault policy has it so.
func (m *Machine) planMove(p Pod, cause MoveCause, why string) {
	if p.Place != nil && m.leavesByPolicy(p.Name) {
		m.addMove(p, Move{Cause: cause, Why: why})
	}
}

// leavesByPolicy reports whether the fault policy of an instance has it leave what is to go.
func (m *Machine) leavesByPolicy(name PodName) bool {
	policy := m.faultPolicy(name)
	return policy != nil && policy.Planned == servicespec.FaultReplace
}

// addMove notes that an instance is to leave its place.
func (m *Machine) addMove(p Pod, move Move) {
	move.Agent, move.Hostname = p.Place.Agent, p.Place.Hostname
	move.Order, move.Incarnation = m.nextOrder(), p.Incarnation
	p.Move = &move
	delete(m.rooms, p.Name)
	m.moves[p.Name] = move
	m.forget(plans.Key(planMaintenance, p.Name.String(), ""))
	m.setPod(p)
}

// maintenancePlan has a phase for each instance that is, or was, to leave its agent.
func (m *Machine) maintenancePlan() plans.Plan {
	plan := plans.Plan{Name: planMaintenance, Strategy: servicespec.Parallel}
	names := make([]PodName, 0, len(m.moves))
	for name := range m.moves {
		if _, wanted := m.spec(name); wanted {
			names = append(names, name)
		}
	}
	sort.Slice(names, func(i, j int) bool {
		return m.moves[names[i]].Order < m.moves[names[j]].Order
	})
	for _, name := range names {
		move := m.moves[name]
		unique := fmt.Sprint(planMaintenance, " ", move.Order)
		phase := plans.NewPhase(unique, name.String(), servicespec.Serial)
		step := plans.NewSubjectStep(unique, phase.Name, "move-"+name.String(),
			"off "+move.Hostname)
		step.Pod, step.Index = name.Type, name.Index
		phase.Steps = append(phase.Steps, step)
		plan.Phases = append(plan.Phases, phase)
	}
	return plan
}

// moveState says how far a step of the plan maintenance has come.
func (m *Machine) moveState(s plans.Step) (plans.Status, string) {
	p := m.hard.Pods[PodName{s.Pod, s.Index}]
	move := p.Move
	switch {
	case move == nil:
		return plans.Complete, ""
	case p.Request == Leave:
		return plans.Starting, m.waitOf(p.Name, "its tasks are being stopped: "+move.Why)
	case p.Request != "":
		return plans.Starting, m.waitOf(p.Name, "it is to be replaced: "+move.Why)
	case p.Incarnation > move.Incarnation:
		return plans.Starting, "the plan recovery builds it up in a new place"
	case move.Held != "":
		return plans.Delayed, fmt.Sprintf("it stays on %s although %s: %s; plan restart has it "+
			"tried again", move.Hostname, move.Why, move.Held)
	case move.Cause.chosen():
		return plans.Pending, fmt.Sprintf("it is to go from %s %s: %s; %s", move.Hostname,
			move.destination(), move.Why, m.holdMove(p))
	}
	return plans.Pending, fmt.Sprintf("it is to leave %s: %s; %s", move.Hostname, move.Why,
		m.holdMove(p))
}

// move begins to move an instance, unless something holds it.
func (w *work) move(s plans.Step) {
	m := w.m
	p := m.hard.Pods[PodName{s.Pod, s.Index}]
	if p.Move == nil || p.Request != "" || p.Incarnation > p.Move.Incarnation {
		return
	}
	if p.Move.Held != "" {
		w.lookForStay(p)
		return
	}
	w.lookForRoom(p)
	spec, _ := m.spec(p.Name)
	if m.holdMove(p) != "" {
		w.lookForStay(p)
		m.evacuate(p, spec, m.clears(p, spec))
		return
	}
	p.Request, p.Force = Replace, p.Force || p.Move.Force
	if p.anyLive() && m.hard.Kafka.Founded && spec.Kafka != nil && spec.Kafka.Serves() &&
		!p.Force {
		p.Request = Leave
		delete(m.leftAt, p.Name)
	}
	m.setPod(p.marked(Replace).forgiven())
	m.due = true
	by := "fault-policy of pod " + p.Name.Type
	if p.Move.Cause.chosen() {
		by = "plan " + planMaintenance
	}
	m.record(JournalEntry{Kind: "command", Plan: planMaintenance,
		By: by, Reason: p.Move.Why,
		What: "pod replace " + p.Name.String(), Outcome: "it leaves " + p.Move.Hostname})
}

// holdMove says why an instance may not leave its agent now, "" if it may: one goes at a time,
// only while the others are whole, and never with data that is nowhere else.
func (m *Machine) holdMove(p Pod) string {
	for _, name := range m.podNames() {
		if o := m.hard.Pods[name]; name != p.Name && (o.Request != "" || o.Replacing) {
			return fmt.Sprintf("%s goes first", name)
		}
	}
	if hold := m.holdRoom(p); hold != "" || p.Move.Force {
		return hold
	}
	spec, ok := m.spec(p.Name)
	if ok && (spec.Kafka != nil || spec.ZooKeeper != nil) {
		hold := cmp.Or(m.holdVote(p), m.mayReplace(p, spec))
		if hold != "" && len(m.clears(p, spec)) > 0 {
			hold += "; they are moved to other brokers first"
		}
		return hold
	}
	for _, name := range m.podNames() {
		o := m.hard.Pods[name]
		if _, wanted := m.spec(name); name.Type != p.Name.Type || name == p.Name || !wanted ||
			!o.deployed() {
			continue
		}
		if ok, reason := m.ready(o); !ok {
			return fmt.Sprintf("%s is not ready: %s", name, reason)
		}
	}
	return ""
}

// holdLeft says why the data of a broker whose tasks have ended has to stay, "" if it need not.
// It is final if somebody would have to decide something, or if without the broker too little is
// left of something.
func (m *Machine) holdLeft(p Pod) (hold string, final bool) {
	spec, ok := m.spec(p.Name)
	if !ok || spec.Kafka == nil || !spec.Kafka.Serves() || !m.hard.Kafka.Founded {
		return "", false
	}
	if f := m.whole(); f == nil || m.facts.serves(nodeID(p.Name, spec)) {
		m.inquiry.wanted = true
		return asksKafka, false
	}
	hold = m.mayReplace(p, spec)
	switch v := m.inquiry.verdicts[p.Name].Verdict; v.Code {
	case rolling.DataLost, rolling.UnderMinISR, rolling.Offline, rolling.QuorumLost:
		final = hold != ""
	default:
		final = hold != "" && v.Answer == rolling.Refused
	}
	return hold, final
}

// drainReason says what an instance waits for whose agent is drained.
func (m *Machine) drainReason(p Pod) string {
	text := fmt.Sprintf("its agent %s is drained by an operator", p.hostname())
	if p.Move != nil {
		return text + "; it leaves it by the plan maintenance"
	}
	return text + "; it goes on there when the agent is reactivated, or elsewhere by pod replace " +
		p.Name.String()
}

// stays reports whether the agent of an instance is known to be an ordinary one again.
func (m *Machine) stays(p Pod) bool {
	_, told := m.outlooks[p.Place.Agent]
	return told && m.goes(p.Place.Agent) == ""
}

// retried gives the record of an instance whose move was given up and is tried again.
func (p Pod) retried() Pod {
	move := *p.Move
	move.Held = ""
	p.Move = &move
	return p
}

// serves reports whether Kafka takes a broker to be there. It may do so for some seconds after
// the broker has ended, and takes it for the leader of partitions as long.
func (f *KafkaFacts) serves(id int) bool {
	b := f.broker(id)
	return b != nil && !b.Fenced
}

// asksKafka is what is waited for when Kafka has not said yet what is missing.
const asksKafka = "Kafka does not say yet whether its data is elsewhere too"

// leftPatience is how long a broker that ended to leave waits for what Kafka says of its data.
const leftPatience = 2 * time.Minute

// leftLong reports whether a broker that ended to leave has waited for Kafka for as long as it may.
// What Kafka lacks may be that very broker, or its vote.
func (m *Machine) leftLong(name PodName) bool {
	since, waits := m.leftAt[name]
	if !waits {
		since = m.now
		m.leftAt[name] = since
	}
	m.wakeBy(since.Add(leftPatience))
	return !m.now.Before(since.Add(leftPatience))
}

// left decides what becomes of a broker whose tasks were ended so that it can leave its agent:
// it is replaced, or goes on where it is because its data is nowhere else, or Kafka does not say.
func (w *work) left(p Pod) {
	m := w.m
	hold, final := m.holdLeft(p)
	if vote := m.holdVote(p); hold == "" && vote != "" {
		hold, final = vote, true
	}
	if hold != "" && !final && m.leftLong(p.Name) {
		hold, final = fmt.Sprintf("for %s it had to wait: %s", leftPatience, hold), true
	}
	switch {
	case hold == "":
		p.Request = Replace
		m.due = true
	case !final, p.Move != nil && p.Move.Cause == CauseDrain && !m.stays(p):
		m.waits[p.Name] = hold
		if final { // there is no going back to an agent that is drained, unless it is no more
			w.lookForStay(p)
		}
		return
	default:
		p.Request, p.Replacing = "", false
		if p.Move != nil {
			held := *p.Move
			held.Held = hold
			p.Move = &held
		}
		m.due = true
		m.note(Warn, "", "an instance does not leave its agent", "pod", p.Name.String(),
			"reason", hold)
	}
	m.setPod(p)
}
