package scheduler

import (
	"fmt"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// Moves that nobody's agent forces: an operator wants an instance elsewhere, or its volumes are to
// have other sizes. They are steps of the plan maintenance, and differ from other moves in that
// there is time. So nothing is stopped before an agent was seen to have room, and partitions that
// only this broker has are moved to other ones first, if that is what was chosen for them.

// room is what the latest offers said of a new place for an instance.
type room struct {
	at      time.Time
	refusal string // "" if one of them had room
}

// roomLong is for how long an agent that was seen to have room is taken to have it.
const roomLong = time.Minute

// chosen reports whether a move is one that there is time for.
func (c MoveCause) chosen() bool {
	return c == CauseAsked || c == CauseSize || c == CauseDisk
}

// askMove notes that an operator wants an instance elsewhere; the plan maintenance does it.
func (m *Machine) askMove(c PodMove, by Caller) ([]string, string, *Problem) {
	p, missing := m.instance(c.Pod)
	if missing != nil {
		return nil, "", missing
	}
	if _, wanted := m.spec(p.Name); !wanted {
		return nil, "", problem(Conflict, "%s is being decommissioned", c.Pod)
	}
	if c.Cancel {
		return m.cancelMove(p)
	}
	host, unknown := m.hostOf(c.To)
	if unknown != nil {
		return nil, "", unknown
	}
	underway := p.Move != nil && p.Move.Cause == CauseAsked
	switch {
	case m.hard.Intent != Run:
		return nil, "", problem(Conflict, "the service is stopped")
	case p.Place == nil && underway: // the way back is gone, so it may go anywhere
		return m.aimElsewhere(p, host)
	case p.Request != "" || p.Replacing:
		return nil, "", problem(Conflict, "%s is being restarted or replaced; wait for its end",
			c.Pod)
	case p.Place == nil:
		return nil, "", problem(Conflict, "%s has no place yet that it could leave", c.Pod)
	case host == p.Place.Hostname:
		return nil, "", problem(AlreadyDone, "%s is on %s already", c.Pod, host)
	case underway && p.Move.To == host && p.Move.Force == c.Force && p.Move.Held == "":
		return nil, "", problem(AlreadyDone, "%s is to move already", c.Pod)
	}
	if reason := m.refuseReplace(p); reason != "" && !c.Force {
		return nil, "", problem(Conflict, "%s; force moves it all the same", reason)
	}
	why := "an operator wants it elsewhere"
	if by.Reason != "" {
		why += ": " + by.Reason
	}
	m.addMove(p, Move{Cause: CauseAsked, Why: why, To: host, Force: c.Force})
	return p.fullNames(), fmt.Sprintf("%s is to move off %s; follow it with plan follow %s",
		c.Pod, p.Place.Hostname, planMaintenance), nil
}

// aimElsewhere has an instance that has left its place go to another agent than was wanted.
func (m *Machine) aimElsewhere(p Pod, host string) ([]string, string, *Problem) {
	if p.Move.To == host {
		return nil, "", problem(AlreadyDone, "%s waits for such a place already", p.Name)
	}
	move := *p.Move
	move.To = host
	p.Move, m.moves[p.Name] = &move, move
	m.setPod(p)
	return p.fullNames(), fmt.Sprintf("%s goes %s", p.Name, move.destination()), nil
}

// cancelMove takes back that an instance is to move, as long as nothing was done for it.
func (m *Machine) cancelMove(p Pod) ([]string, string, *Problem) {
	switch {
	case p.Move == nil || p.Move.Cause != CauseAsked:
		return nil, "", problem(AlreadyDone, "no operator wants %s to move", p.Name)
	case p.Request != "" || p.Incarnation > p.Move.Incarnation:
		return nil, "", problem(Conflict, "%s is on its way already; move it back later", p.Name)
	}
	m.dropMove(p)
	return p.fullNames(), fmt.Sprintf("%s stays where it is", p.Name), nil
}

// hostOf gives the host name of an agent that an operator names by that or by its id.
func (m *Machine) hostOf(agent string) (string, *Problem) {
	if agent == "" || m.seen == nil {
		return agent, nil
	}
	if a, known := m.seen[mesos.AgentID(agent)]; known {
		return a.Hostname, nil
	}
	//tidy:unordered one is enough
	for _, a := range m.seen {
		if a.Hostname == agent {
			return agent, nil
		}
	}
	return "", problem(InvalidRequest, "Mesos has no agent %s", agent)
}

// destination says where a move leads.
func (move Move) destination() string {
	switch {
	case move.To != "":
		return "to " + move.To
	case move.Cause == CauseSize:
		return "to a volume of the new size"
	}
	return "to another agent"
}

// aimed adds to a placement rule where a move leads.
func aimed(rule placement.Rule, move *Move) placement.Rule {
	if move == nil || move.To == "" && move.Cause != CauseAsked && move.Cause != CauseDisk {
		return rule
	}
	c := placement.Constraint{Field: "hostname", Operator: placement.IsNot, Param: move.Hostname}
	if move.To != "" {
		c.Operator, c.Param = placement.Is, move.To
	}
	rule.Constraints = append(slices.Clip(rule.Constraints), c)
	return rule
}

// lookForRoom notes whether an agent that is offered has room for an instance that is to move.
func (w *work) lookForRoom(p Pod) {
	m := w.m
	if !p.Move.Cause.chosen() || p.Place == nil {
		return
	}
	w.wants["move/"+p.Name.String()] = true
	last, known := m.rooms[p.Name]
	until := last.at.Add(roomLong)
	if known && !m.now.Before(until) {
		delete(m.rooms, p.Name)
		known = false
	}
	if len(m.offers) == 0 {
		m.wakeBy(until)
		return
	}
	refusal := w.roomFor(p)
	switch {
	case refusal == nil:
		m.rooms[p.Name] = room{at: m.now}
	case !known || last.refusal != "": // who had room was not among these
		m.rooms[p.Name] = room{at: m.now, refusal: refusal.Tell()}
	}
	m.wakeBy(m.rooms[p.Name].at.Add(roomLong))
}

// roomFor looks for a new place for an instance that has one; nil is that there is one. Where it
// may come back to its own agent, what it has there is free by then.
func (w *work) roomFor(p Pod) *offer.Refusal {
	m, without := w.m, p
	spec, _ := m.spec(p.Name)
	l := launchOf{pod: p.Name, spec: spec, beside: true}
	for _, ts := range spec.Tasks {
		l.tasks = append(l.tasks, ts.Name)
	}
	offers := m.offers
	if p.Move.Cause == CauseSize {
		role := m.hard.Target.Service.RoleOf(spec)
		m.offers = with(offers, "freed", freedOffer(*p.Place, role))
	}
	without.Place = nil
	crowd := m.peers(p.Name.Type)
	crowd.Remove(agentOf(*p.Place))
	own := &work{m: m}
	_, refusal := own.table().Evaluate(own.requirement(without, l, p.Place.Reservation))
	crowd.Add(agentOf(*p.Place))
	m.offers = offers
	return refusal
}

// freedOffer is what the agent of a place would offer more if nothing was reserved there.
func freedOffer(place Place, role string) mesos.Offer {
	free := placeResources(place).WithRole(role).WithoutVolumes().PopReservation()
	return mesos.Offer{ID: "freed", Agent: place.Agent, Hostname: place.Hostname, IP: place.IP,
		Domain: place.Domain, Attributes: place.Attributes, Role: role, Resources: free.Merged()}
}

// holdRoom says why there is no place yet that an instance could move to, "" if there is.
func (m *Machine) holdRoom(p Pod) string {
	last, known := m.rooms[p.Name]
	switch {
	case !p.Move.Cause.chosen() || p.Place == nil:
		return ""
	case !known:
		return "no offer came yet of an agent that could take it"
	case last.refusal != "":
		return "no agent has room for it: " + last.refusal
	}
	return ""
}

// clears are the partitions that are moved to other brokers first, because nobody else has all of
// their data, or too few would, if that is what keeps an instance and is what was chosen for them.
func (m *Machine) clears(p Pod, spec servicespec.Pod) []rolling.Move {
	v := m.inquiry.verdicts[p.Name].Verdict
	held := v.Code == rolling.DataLost || v.Code == rolling.UnderMinISR
	if !held || v.Answer != rolling.Refused || !p.Move.Cause.chosen() ||
		fragile(spec) != rolling.MoveAway {
		return nil
	}
	return m.evacuation(p, spec, v.Node)
}

// lookForStay has offers come as long as an instance is to leave an agent that is to go, and does
// not: where the operator API tells nothing, only offers tell that the agent is to stay after all.
func (w *work) lookForStay(p Pod) {
	switch p.Move.Cause {
	case CauseMaintenance, CauseDrain:
		w.wants["stay/"+p.Name.String()] = true
	}
}

// returnAwaited is how long an instance that moves waits for its agent, if nobody can reach that: a
// master that leads anew waits as long for agents to register (--agent_reregister_timeout).
const returnAwaited = 10 * time.Minute

// awaitsReturn reports whether the replacement by which an instance moves has to wait, as its tasks
// may run on where nobody can reach them: no operator said that they are to be given up.
func (m *Machine) awaitsReturn(p Pod) bool {
	if p.Move == nil || p.Incarnation > p.Move.Incarnation || p.Force {
		return false
	}
	var until time.Time
	for _, t := range p.Tasks {
		if at := t.Since.Add(returnAwaited); t.unsure() && at.After(until) {
			until = at
		}
	}
	if !m.now.Before(until) {
		return false
	}
	m.wakeBy(until)
	return true
}
