package offer

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// cause is what a refusal is about: who wanted a place, and what there was at that time. The
// refusals of all instances of a shape share one.
type cause struct {
	req    Requirement
	agents []*agent
	known  []AgentRefusal // the reasons, if they were given
	told   string         // the sentence without the instance's name, once it was made
}

// Because makes a refusal of reasons that are known.
func Because(pod string, agents ...AgentRefusal) *Refusal {
	return &Refusal{Pod: pod, cause: &cause{known: agents}}
}

// refuse makes the refusal of an instance by all agents.
func (t *Table) refuse(req *Requirement) *Refusal {
	t.lent = true
	because := &cause{req: *req, agents: t.agents}
	if because.req.Peers = nil; req.Kept == nil && req.Peers != nil && req.counts() {
		because.req.Peers = req.Peers.Clone()
	}
	return &Refusal{Pod: req.Pod, cause: because}
}

// counts says whether anything about the places that are allowed depends on peers.
func (req *Requirement) counts() bool {
	return slices.ContainsFunc(req.Rule.Constraints, placement.Constraint.Counts) ||
		req.Where != nil && req.Where.Counts()
}

// where prepares the other rule; without one everything is allowed.
func (req *Requirement) where(peers *placement.Crowd) placement.ExprJudge {
	if req.Where == nil {
		return placement.ExprJudge{}
	}
	return req.Where.JudgeIn(peers)
}

// Agents gives the reasons of all agents, sorted by host name, then agent id; none when no offer
// was there.
func (r *Refusal) Agents() []AgentRefusal {
	if r.cause == nil {
		return nil
	}
	out := r.cause.refusals(r.cause.agents)
	slices.SortStableFunc(out, func(a, b AgentRefusal) int {
		return cmp.Or(cmp.Compare(a.Hostname, b.Hostname), cmp.Compare(a.Agent, b.Agent))
	})
	return out
}

// Of gives the reasons of one agent, nil for one that offered nothing.
func (r *Refusal) Of(id mesos.AgentID) []Reason {
	if all := r.of(id); len(all) > 0 {
		return all[0].Reasons
	}
	return nil
}

// of gives the reasons of one agent, for each role that it offered something to.
func (r *Refusal) of(id mesos.AgentID) []AgentRefusal {
	if r.cause == nil {
		return nil
	}
	if r.cause.known != nil {
		return slices.DeleteFunc(slices.Clone(r.cause.known),
			func(a AgentRefusal) bool { return a.Agent != id })
	}
	all := r.cause.agents[firstOf(r.cause.agents, id):]
	n := 0
	for n < len(all) && all[n].Agent == id {
		n++
	}
	return r.cause.refusals(all[:n])
}

// refusals gives the reasons of some of the agents, all that are known if they need not be found
// out.
func (c *cause) refusals(agents []*agent) []AgentRefusal {
	if c.known != nil {
		return slices.Clone(c.known)
	}
	if len(agents) == 0 {
		return nil
	}
	out, why := make([]AgentRefusal, len(agents)), c.inquiry()
	for i, a := range agents {
		out[i] = AgentRefusal{Agent: a.Agent, Hostname: a.Hostname, Reasons: why.reasons(a)}
	}
	return out
}

// asked is how many agents offered something.
func (r *Refusal) asked() int {
	if r.cause == nil {
		return 0
	}
	return max(len(r.cause.agents), len(r.cause.known))
}

// Tell gives the sentence that String does and keeps it, for all refusals with the same cause.
// Nobody else may read any of them meanwhile.
func (r *Refusal) Tell() string {
	if r.cause != nil && r.Kept == "" && r.cause.told == "" {
		r.cause.told = r.causes()
	}
	return r.String()
}

// inquiry is what is needed to find out reasons, one agent after the other.
type inquiry struct {
	req   *Requirement
	parts []SetNeed
	wants []portWant
	judge placement.Judge
	where placement.ExprJudge
}

func (c *cause) inquiry() inquiry {
	parts, peers := c.req.parts(), c.req.crowd()
	return inquiry{
		req: &c.req, parts: parts, wants: portWants(parts),
		judge: c.req.Rule.JudgeIn(peers), where: c.req.where(peers),
	}
}

// reasons tells why what an agent offers does not fit; nothing if it does.
func (q *inquiry) reasons(a *agent) []Reason {
	if kept := q.req.Kept; kept != nil {
		if a.Agent != kept.Agent {
			return otherAgent
		}
		_, reasons := q.req.resume(a)
		return reasons
	}
	if a.draining {
		return draining
	}
	if a.barred != "" {
		return []Reason{{Code: Platform, Detail: a.barred}}
	}
	if a.Unavailable != nil {
		return maintenance
	}
	if v := q.judge.Evaluate(a.place); !v.Allowed {
		return []Reason{{Code: Placement, Name: v.Constraint.String(), Detail: v.Reason}}
	}
	if v := q.where.Evaluate(a.place); !v.Allowed {
		name := q.where.String()
		if inner, ok := strings.CutPrefix(name, "("); ok {
			name = strings.TrimSuffix(inner, ")")
		}
		return []Reason{{Code: Placement, Name: name, Detail: v.Reason}}
	}
	_, reasons := q.req.place(q.parts, q.wants, a)
	return reasons
}

// Reasons that are the same for all agents that have them.
var (
	maintenance = []Reason{{Code: Maintenance}}
	draining    = []Reason{{Code: Draining}}
	otherAgent  = []Reason{{Code: OtherAgent}}
)

// crowd gives the peers, an empty crowd for none.
func (req *Requirement) crowd() *placement.Crowd {
	if req.Peers == nil {
		return placement.NewCrowd()
	}
	return req.Peers
}
