package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// AgentState is how an agent is, for all that is known.
type AgentState string

// The states of agents.
const (
	AgentConnected AgentState = "CONNECTED"
	AgentAway      AgentState = "AWAY" // nobody can reach it
	AgentDraining  AgentState = "DRAINING"
	AgentDrained   AgentState = "DRAINED"
	AgentGone      AgentState = "GONE" // it can never come back under its id
	AgentAbandoned AgentState = "ABANDONED"
)

// AgentView is an agent that something is held on.
type AgentView struct {
	ID       mesos.AgentID
	Hostname string
	State    AgentState
	// Since is from when it was away, zero while it is there.
	Since time.Time
	// Note is a sentence on what was decided or is planned, "" for nothing.
	Note string
	// Pods are the instances that have their places there, and Leftovers what is left of others.
	Pods      []PodName
	Leftovers []mesos.ReservationID
	// Volumes are all persistent volumes of these.
	Volumes []mesos.PersistenceID
	Domain  mesos.Domain
	// Attributes as of the last placement; not to be changed.
	Attributes []mesos.Attribute
	// Drain and Unavailable are what operators plan, nil for nothing.
	Drain       *mesos.Drain
	Unavailable *mesos.Unavailability
}

// Agents lists the agents that something is held on, by id.
func (v *View) Agents() []AgentView {
	found := map[mesos.AgentID]*AgentView{}
	at := func(id mesos.AgentID, host string) *AgentView {
		if found[id] == nil {
			found[id] = &AgentView{ID: id, Hostname: host}
		}
		return found[id]
	}
	for i := range v.Pods {
		p := &v.Pods[i]
		if p.Place == nil {
			continue
		}
		a := at(p.Agent, p.Hostname)
		a.Pods = append(a.Pods, p.Name)
		a.Volumes = append(a.Volumes, p.Volumes...)
		a.Domain, a.Attributes = p.Domain, p.Place.Attributes
	}
	for _, l := range v.Leftovers {
		a := at(l.Agent, l.Hostname)
		a.Leftovers = append(a.Leftovers, l.Reservation)
		a.Volumes = append(a.Volumes, l.Volumes()...)
	}
	list := make([]AgentView, 0, len(found))
	for _, id := range slices.Sorted(maps.Keys(found)) {
		v.describe(found[id])
		list = append(list, *found[id])
	}
	return list
}

// describe adds what is known of an agent beside what is held on it.
func (v *View) describe(a *AgentView) {
	seen := v.Seen[a.ID]
	outlook := v.Outlooks[a.ID]
	a.Drain, a.Unavailable = seen.Drain, outlook.Window
	if a.Unavailable == nil {
		a.Unavailable = seen.Unavailable
	}
	record := v.Away[a.ID]
	a.Since, a.State = record.Away, AgentConnected
	switch {
	case record.Fate == FateGone:
		a.State, a.Note = AgentGone, record.Why
	case record.Fate == FateAbandoned:
		a.State = AgentAbandoned
		a.Note = fmt.Sprintf("by %s at %s", record.By, record.Decided.UTC().Format(time.RFC3339))
		if record.Why != "" {
			a.Note += ", reason given: " + record.Why
		}
		if record.Away.IsZero() {
			a.Note += "; it is there, and what is left on it is freed"
		}
	case !record.Away.IsZero():
		a.State = AgentAway
	case a.Drain != nil && a.Drain.Drained:
		a.State = AgentDrained
	case a.Drain != nil && a.Drain.Draining, outlook.Drain:
		a.State = AgentDraining
	}
	if a.Note == "" && a.State == AgentConnected && seen.Deactivated {
		a.Note = "deactivated by an operator: nothing of it is offered"
	}
	if a.Note == "" && a.Unavailable != nil {
		a.Note = "maintenance " + windowText(*a.Unavailable)
	}
}

// windowText says when a maintenance window is.
func windowText(u mesos.Unavailability) string {
	text := "from " + u.Start.UTC().Format(time.RFC3339)
	if u.Duration > 0 {
		text += " to " + u.Start.Add(u.Duration).UTC().Format(time.RFC3339)
	}
	return text
}
