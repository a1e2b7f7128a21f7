package store

import (
	"fmt"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// agent is an agent that is not simply there.
type agent struct {
	ID       *mesos.AgentID `json:"id"`
	Hostname string         `json:"hostname"`
	Away     time.Time      `json:"away,omitzero"`
	Fate     scheduler.Fate `json:"fate,omitempty"`
	Decided  time.Time      `json:"decided,omitzero"`
	By       string         `json:"by,omitempty"`
	Why      string         `json:"why,omitempty"`
}

func agentToRow(a scheduler.Agent) agent {
	return agent{ID: &a.ID, Hostname: a.Hostname, Away: a.Away.UTC(), Fate: a.Fate,
		Decided: a.Decided.UTC(), By: a.By, Why: a.Why}
}

func (r agent) domain() (scheduler.Agent, error) {
	id, err := required("id", r.ID)
	if err != nil {
		return scheduler.Agent{}, err
	}
	switch r.Fate {
	case scheduler.FateOpen, scheduler.FateGone, scheduler.FateAbandoned:
	default:
		return scheduler.Agent{}, fmt.Errorf("the fate %q is none", r.Fate)
	}
	return scheduler.Agent{ID: id, Hostname: r.Hostname, Away: r.Away.UTC(), Fate: r.Fate,
		Decided: r.Decided.UTC(), By: r.By, Why: r.Why}, nil
}

func moveToRow(m scheduler.Move) move {
	return move{Agent: m.Agent, Hostname: m.Hostname, Why: m.Why, Order: m.Order,
		Incarnation: m.Incarnation, Held: m.Held, Cause: m.Cause, To: m.To,
		Force: m.Force}
}

func (r move) domain() scheduler.Move {
	return scheduler.Move{Agent: r.Agent, Hostname: r.Hostname, Why: r.Why, Order: r.Order,
		Incarnation: r.Incarnation, Held: r.Held, Cause: r.Cause, To: r.To,
		Force: r.Force}
}

// move is a planned departure of an instance from its agent.
type move struct {
	Agent       mesos.AgentID `json:"agent"`
	Hostname    string        `json:"hostname"`
	Why         string        `json:"why"`
	Order       int           `json:"order"`
	Incarnation int           `json:"incarnation"`
	Held        string        `json:"held,omitempty"`

	Cause scheduler.MoveCause `json:"cause,omitempty"`
	To    string              `json:"to,omitempty"`
	Force bool                `json:"force,omitempty"`
}
