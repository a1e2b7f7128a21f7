package scheduler

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// What the operator API shows of reservations that no instance has.
//
// Offers alone are enough as long as they come; an agent that is deactivated, or whose free
// resources other frameworks are given, makes none. A picture of the agents may be older than
// what was done since it was asked for, so nothing follows from one alone: what two in a row
// show was there, or was not, when the second was asked for.
const picturesEnough = 2

// unofferedMost is how many reservations the master is asked to free after one picture: where there
// are more, offers free them faster than it could.
const unofferedMost = 100

// leftoversSeen takes in what a picture of the agents shows of them.
func (m *Machine) leftoversSeen(ev mesos.AgentsSeen) {
	m.feedback.able = map[mesos.AgentID]bool{}
	owners := m.owners()
	ours := map[mesos.ReservationID]bool{}
	m.feedback.unoffered = 0
	m.placesListed(ev)
	for _, a := range ev.Agents {
		if slices.Contains(a.Capabilities, mesos.CapabilityFeedback) &&
			slices.Contains(a.Capabilities, mesos.CapabilityProvider) {
			m.feedback.able[a.ID] = true
		}
		if a.Active || a.Deactivated {
			m.pictured(a, owners, ours)
		}
	}
	for id := range m.feedback.shown {
		if !ours[id] {
			delete(m.feedback.shown, id)
		}
	}
}

// pictured looks for leftovers on one agent, and for those that are there no more.
func (m *Machine) pictured(
	a mesos.SeenAgent, owners map[string]mesos.ReservationID, ours map[mesos.ReservationID]bool,
) {
	loose := m.unowned(a.Reserved, owners)
	for _, id := range slices.Sorted(maps.Keys(loose)) {
		ours[id] = true
		m.feedback.shown[id] = max(m.feedback.shown[id], 0) + 1
		if m.feedback.shown[id] < picturesEnough {
			continue
		}
		if l, known := m.hard.Leftovers[id]; known {
			m.freeUnoffered(a, l, loose[id])
		} else {
			m.strayFound(a.ID, a.Hostname, id, loose[id])
		}
	}
	for _, id := range m.leftoversOn(a.ID) {
		l := m.hard.Leftovers[id]
		if loose[id] != nil || len(l.Tasks)+len(l.Pending) > 0 {
			continue
		}
		ours[id] = true
		m.feedback.shown[id] = min(m.feedback.shown[id], 0) - 1
		if m.feedback.shown[id] <= -picturesEnough {
			m.forgetLeftover(l)
		}
	}
}

// unowned are the parts of a list that are ours and that no instance has, by their reservation.
func (m *Machine) unowned(
	list resource.List, owners map[string]mesos.ReservationID,
) map[mesos.ReservationID]resource.List {
	found := map[mesos.ReservationID]resource.List{}
	for _, r := range list {
		id, ok := m.ownReservation(r)
		owner := owners[id]
		if id == "" || !ok && owner == "" || owner == held {
			continue
		}
		if owner == "" {
			owner = mesos.ReservationID(r.Label(labelReservation))
			_, left := m.hard.Leftovers[owner]
			if owner == "" || left || owners[string(owner)] == held {
				owner = mesos.ReservationID(id) // its place had given this part up, or never saw it
			}
		}
		found[owner] = append(found[owner], r)
	}
	return found
}

// strayFound makes a leftover of a reservation that no record holds, so that it is shown, and
// waited for, unless it does not say whose it was.
func (m *Machine) strayFound(
	agent mesos.AgentID, host string, id mesos.ReservationID, list resource.List,
) (Leftover, bool) {
	pod, ok := parsePodName(list[0].Label(labelPod))
	if !ok || m.hard.Intent == Uninstalled {
		return Leftover{}, false
	}
	m.note(Warn, "", "a reservation is found that nobody has, it is to be freed",
		"reservation", string(id), "pod", pod.String(), "host", host)
	l := Leftover{Reservation: id, Pod: pod, Agent: agent, Hostname: host,
		Resources: list.WithoutRole(), Confirmed: true}
	m.setLeftover(l)
	return l, true
}

// freeUnoffered has the master itself free a leftover that no offer brings. It refuses as long
// as anything of it is in use.
func (m *Machine) freeUnoffered(a mesos.SeenAgent, l Leftover, list resource.List) {
	if !l.Confirmed {
		l.Confirmed, l.Freeing, l.Pending = true, false, nil
		m.setLeftover(l)
		return
	}
	there := resourceIDs(list)
	part := slices.ContainsFunc(resourceIDs(l.Resources),
		func(id string) bool { return !slices.Contains(there, id) })
	if part || !m.connected || len(l.Tasks)+len(l.Pending) > 0 ||
		m.feedback.unoffered == unofferedMost {
		return
	}
	m.feedback.unoffered++
	list = list.WithoutRole()
	if volumes := list.Volumes(); len(volumes) > 0 {
		m.send(mesos.DestroyVolumes{Agent: a.ID, Volumes: volumes})
	}
	m.send(mesos.UnreserveResources{Agent: a.ID, Resources: list.WithoutVolumes()})
	m.note(Info, "", "the master is asked to free a reservation that it does not offer",
		"reservation", string(l.Reservation), "host", l.Hostname)
}

// parsePodName reads "kafka-0".
func parsePodName(text string) (PodName, bool) {
	i := strings.LastIndexByte(text, '-')
	if i <= 0 {
		return PodName{}, false
	}
	index, err := strconv.Atoi(text[i+1:])
	return PodName{Type: text[:i], Index: index}, err == nil && index >= 0
}
