package mesos

import (
	"fmt"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// AgentsSeen is what the master's operator API says about the agents: all that it lists, now
// and then, whether or not they are offered to this framework. It is no part of the scheduler
// API's stream, may be old by a moment, and may not come at all (an operator API that asks for
// other credentials); nothing may depend on it alone.
type AgentsSeen struct {
	Agents []SeenAgent
	// Removed are agents that were listed before, by this process, and are no longer: they are
	// unreachable, were marked as gone, or left. One that a new master still expects is neither
	// here nor there.
	Removed []AgentID
}

// SeenAgent is one agent as the operator API shows it.
type SeenAgent struct {
	ID           AgentID
	Hostname, IP string
	Attributes   []Attribute
	Domain       Domain
	// Reserved is what of it is reserved dynamically or statically, for whomever: with labels, and
	// with volumes as they are.
	Reserved resource.List
	// Capabilities by name, such as AGENT_OPERATION_FEEDBACK.
	Capabilities []string
	// Active agents are connected; Deactivated ones are offered to nobody.
	Active, Deactivated bool
	// Drain is nil unless an operator drains the agent.
	Drain *Drain
	// Unavailable is nil unless a maintenance window is scheduled.
	Unavailable *Unavailability
}

// Drain is the state of an agent that an operator drains with DRAIN_AGENT.
type Drain struct {
	Draining, Drained, MarkGone bool
	MaxGrace                    time.Duration // 0 for none
}

func (AgentsSeen) event() {}

// String gives "agents a1@host(cpus(r):1) a2@host draining removed=a3": the reserved resources,
// and what is out of the ordinary.
func (e AgentsSeen) String() string {
	var b strings.Builder
	b.WriteString("agents")
	for _, a := range e.Agents {
		fmt.Fprintf(&b, " %s@%s(%s)", a.ID, a.Hostname, resourcesText(a.Reserved, true))
		b.WriteString(a.oddities())
	}
	removed := make([]string, len(e.Removed))
	for i, id := range e.Removed {
		removed[i] = string(id)
	}
	return b.String() + field("removed", strings.Join(removed, ","))
}

// oddities names what keeps an agent from being an ordinary one.
func (a SeenAgent) oddities() string {
	var text string
	if !a.Active {
		text += " inactive"
	}
	if a.Deactivated {
		text += " deactivated"
	}
	if d := a.Drain; d != nil {
		switch {
		case d.Drained:
			text += " drained"
		case d.Draining:
			text += " draining"
		}
		if d.MarkGone {
			text += " mark-gone"
		}
	}
	if a.Unavailable != nil {
		text += " unavailable=" + a.Unavailable.Start.UTC().Format(time.RFC3339)
	}
	return text
}
