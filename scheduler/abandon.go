package scheduler

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// How an agent is given up that will not come back, although Mesos does not know that.
//
// What is held there can only be freed by the agent itself, so without it a decommissioning or
// an uninstallation would wait for ever. Nobody waits for an agent that was given up; what is
// known to be left there stays on record, and if the agent comes back all the same, its tasks
// are killed and its reservations freed.

// abandon gives up an agent.
func (m *Machine) abandon(c AgentAbandon, by Caller) (string, *Problem) {
	id, unclear := m.agentNamed(c.Agent)
	if unclear != nil {
		return "", unclear
	}
	host, _ := m.holdsOn(id)
	a := m.hard.Agents[id]
	if a.Fate == FateAbandoned && m.givenUp(id) { // else it came back, and goes once more
		return "", problem(AlreadyDone, "agent %s on %s was abandoned already, by %s at %s",
			id, host, a.By, a.Decided.UTC().Format(time.RFC3339))
	}
	if sign := m.sight(id); sign != "" && !c.Force {
		return "", problem(Conflict, "agent %s on %s is connected: %s; pod replace frees in "+
			"order what is held there, and only force gives it up", id, host, sign)
	}
	for _, name := range m.podsOn(id) {
		if reason := m.refuseAbandon(name); reason != "" && !c.Force {
			return "", problem(Conflict, "%s; only force gives it up all the same", reason)
		}
	}
	if a.Away.IsZero() { // until there is another sign of it
		a.Away = m.now
		delete(m.heard, id)
	}
	m.setAgent(Agent{ID: id, Hostname: host, Away: a.Away, Fate: FateAbandoned,
		Decided: m.now, By: by.Who, Why: by.Reason})
	return m.abandoned(id, host, c.Force), nil
}

// refuseAbandon says why an instance cannot do without its place, "" if it can.
func (m *Machine) refuseAbandon(name PodName) string {
	p := m.hard.Pods[name]
	if _, wanted := m.spec(name); !wanted || m.leavesAll() || p.Request == Replace {
		return ""
	}
	return m.refuseReplace(p)
}

// leavesAll reports whether the whole service goes.
func (m *Machine) leavesAll() bool {
	return m.hard.Intent == Uninstall || m.hard.Intent == Uninstalled
}

// abandoned has the instances of an agent that was given up replaced, and says what goes with
// it.
func (m *Machine) abandoned(id mesos.AgentID, host string, force bool) string {
	var replaced, freed []string
	var volumes []mesos.PersistenceID
	for _, name := range m.podsOn(id) {
		p := m.hard.Pods[name]
		volumes = append(volumes, p.Place.volumes()...)
		if _, wanted := m.spec(name); !wanted || m.leavesAll() {
			freed = append(freed, name.String())
			continue
		}
		replaced = append(replaced, name.String())
		if p.Request != Replace {
			p.Request, p.Force = Replace, force
			m.setPod(p.marked(Replace).forgiven())
		}
	}
	for _, left := range m.leftoversOn(id) {
		l := m.hard.Leftovers[left]
		volumes = append(volumes, l.Volumes()...)
		freed = append(freed, "reservation "+string(left)+" of "+l.Pod.String())
	}
	text := fmt.Sprintf("agent %s on %s is abandoned", id, host)
	if len(replaced) > 0 {
		text += "; replaced elsewhere: " + strings.Join(replaced, ", ")
	}
	if len(freed) > 0 {
		text += "; not waited for: " + strings.Join(freed, ", ")
	}
	if len(volumes) == 0 {
		return text + "; no volumes are given up"
	}
	slices.Sort(volumes)
	list := make([]string, len(volumes))
	for i, v := range volumes {
		list[i] = string(v)
	}
	return text + "; volumes given up: " + strings.Join(list, ", ")
}

// agentNamed finds an agent that something is held on, by its id or its host name.
func (m *Machine) agentNamed(name string) (mesos.AgentID, *Problem) {
	var found []mesos.AgentID
	for _, id := range m.heldAgents() {
		host, _ := m.holdsOn(id)
		if string(id) == name {
			return id, nil
		}
		if host == name {
			found = append(found, id)
		}
	}
	switch len(found) {
	case 0:
		return "", problem(NotFound, "Agent %s not found: nothing is held on an agent of that "+
			"id or host name", name)
	case 1:
		return found[0], nil
	}
	ids := make([]string, len(found))
	for i, id := range found {
		ids[i] = string(id)
	}
	return "", problem(Conflict, "%s has several agents that something is held on; name one by "+
		"its id: %s", name, strings.Join(ids, ", "))
}

// abandonAfter is how long an agent may be away until nobody waits for it any more, as the
// policies of the pods say that left something there, and the pod whose policy takes longest; 0
// is for ever. An agent that an instance of the target has its place on is not given up so.
func (m *Machine) abandonAfter(id mesos.AgentID) (longest time.Duration, kind string) {
	of := func(pod string) bool {
		policy := m.latePolicy(pod)
		if policy == nil || policy.AbandonTimeout == 0 {
			return false
		}
		if after := policy.AbandonTimeout.Duration(); after > longest {
			longest, kind = after, pod
		}
		return true
	}
	for _, name := range m.podsOn(id) {
		if _, wanted := m.spec(name); wanted && !m.leavesAll() || !of(name.Type) {
			return 0, ""
		}
	}
	for _, left := range m.leftoversOn(id) {
		if !of(m.hard.Leftovers[left].Pod.Type) {
			return 0, ""
		}
	}
	return longest, kind
}

// latePolicy is the fault policy of a pod of the target, or of the latest configuration that had
// it; nil for none.
func (m *Machine) latePolicy(pod string) *servicespec.FaultPolicy {
	if spec := podSpec(m.hard.Target.Service, pod); spec != nil {
		return spec.Fault
	}
	for _, e := range slices.Backward(m.hard.Earlier) {
		if spec := podSpec(e.Service, pod); spec != nil {
			return spec.Fault
		}
	}
	return nil
}

// noteAbandoned says what a service leaves behind that is gone.
func (m *Machine) noteAbandoned() {
	for _, id := range m.leftoverIDs() {
		l := m.hard.Leftovers[id]
		m.note(Warn, "", "a reservation stays on an agent that was abandoned; should the agent "+
			"come back, free it through the operator API", "reservation", string(id),
			"agent", string(l.Agent), "host", l.Hostname)
	}
}
