package offer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// String says in one sentence for operators why the instance has no place. Agents that miss
// the same are told together, with the one that comes nearest.
func (r *Refusal) String() string {
	switch {
	case r.Kept != "":
		return r.waiting()
	case r.asked() == 0:
		return "no offers yet"
	case r.cause.told != "":
		return "no agent fits " + r.Pod + ": " + r.cause.told
	}
	return "no agent fits " + r.Pod + ": " + r.causes()
}

// causes is what the sentence has of the agents.
func (r *Refusal) causes() string {
	agents := r.Agents()
	parts := []string{fmt.Sprintf("%d tried", len(agents))}
	groups, looked := groupsOf(agents)
	for _, g := range groups {
		parts = append(parts, g.sentence(looked))
	}
	return strings.Join(parts, "; ")
}

// waiting is the sentence of an instance that can only return to its reservation.
func (r *Refusal) waiting() string {
	nearest, offered := r.nearest()
	host := cmp.Or(r.KeptHost, nearest.Hostname, "agent "+string(r.Kept))
	if !offered {
		text := r.Pod + " waits for its reservation on " + host
		if others := r.asked(); others > 0 {
			text += fmt.Sprintf(" (not among the %d offered)", others)
		}
		return text
	}
	var lacks, room []string
	for _, reason := range nearest.Reasons {
		if reason.Code == NotReserved {
			lacks = append(lacks, reason.shortage())
		} else {
			room = append(room, reason.String())
		}
	}
	if len(lacks) == 0 {
		return r.Pod + " waits for room to grow on " + host + ": " + strings.Join(room, "; ")
	}
	text := r.Pod + " waits for its reservation on " + host + ", whose offer lacks " +
		strings.Join(lacks, ", ")
	if len(room) > 0 {
		text += ", and for room to grow there: " + strings.Join(room, "; ")
	}
	return text
}

// nearest is the offer of the agent of the reservation that holds most of it, if there is one;
// an agent may make several.
func (r *Refusal) nearest() (best AgentRefusal, offered bool) {
	lacking := func(a AgentRefusal) (n int) {
		for _, reason := range a.Reasons {
			if reason.Code == NotReserved {
				n++
			}
		}
		return n
	}
	for _, a := range r.of(r.Kept) {
		if !offered || lacking(a) < lacking(best) {
			best, offered = a, true
		}
	}
	return best, offered
}

// group is one reason that some agents share.
type group struct {
	Reason        // the one with the most
	host   string // that agent's
	hosts  []string
}

// codes in the order in which reasons are told.
var codes = []Code{
	Insufficient, NoVolume, PortTaken, NoPort, Placement, Maintenance, Draining, Platform,
	NotReserved, OtherAgent,
}

// groupsOf puts the same reasons of all agents together; looked is the number of agents whose
// resources were looked at, so that nothing else kept them out.
func groupsOf(agents []AgentRefusal) (groups []group, looked int) {
	for _, a := range agents {
		resources := false
		for _, reason := range a.Reasons {
			resources = resources || reason.Code != Placement && reason.Code != Maintenance &&
				reason.Code != Draining && reason.Code != Platform
			i := slices.IndexFunc(groups, func(g group) bool { return g.like(reason) })
			if i < 0 {
				i = len(groups)
				groups = append(groups, group{Reason: reason, host: a.Hostname})
			}
			g := &groups[i]
			g.hosts = append(g.hosts, a.Hostname)
			if reason.Have > g.Have {
				g.Reason, g.host = reason, a.Hostname
			}
		}
		if resources {
			looked++
		}
	}
	slices.SortStableFunc(groups, func(a, b group) int {
		return cmp.Or(
			cmp.Compare(slices.Index(codes, a.Code), slices.Index(codes, b.Code)),
			cmp.Compare(slices.Index(scalarNames[:], a.Name), slices.Index(scalarNames[:], b.Name)),
		)
	})
	return groups, looked
}

// like says whether the reason is that of the group but for who has how much.
func (g group) like(r Reason) bool {
	return g.Code == r.Code && g.Name == r.Name && g.Need == r.Need &&
		slices.Equal(g.Ports, r.Ports) && (r.Code == Placement || g.Detail == r.Detail)
}

// sentence tells the reason of a group, where looked agents were looked at.
func (g group) sentence(looked int) string {
	n := len(g.hosts)
	switch g.Code {
	case Insufficient:
		text := "needs " + quantity(g.Name, g.Need)
		switch {
		case n < looked:
			return fmt.Sprintf("%s, too little on %s (at most %s)", text, g.where(), g.Have)
		case g.Have == 0:
			return text + ", none is offered"
		}
		return fmt.Sprintf("%s, the most offered is %s (%s)", text, g.Have, g.host)
	case NoVolume:
		text := fmt.Sprintf("no %s of %s MiB for %s on %s", g.Detail, g.Need, g.Name, g.where())
		if g.Have > 0 {
			text += fmt.Sprintf(", the largest is %s (%s)", g.Have, g.host)
		}
		return text
	case Placement:
		return fmt.Sprintf("placement forbids %d (%s)", n, g.Name)
	case Maintenance:
		return fmt.Sprintf("maintenance is scheduled for %d", n)
	case Draining:
		return fmt.Sprintf("an operator drains %d", n)
	case Platform:
		return "on " + g.where() + " " + g.Detail
	}
	return g.Reason.String() + " on " + g.where()
}

// where names up to three hosts, and counts the others.
func (g group) where() string {
	const most = 3
	if len(g.hosts) <= most {
		return strings.Join(g.hosts, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(g.hosts[:most], ", "), len(g.hosts)-most)
}

// String says what is wrong with the one agent that the reason is about.
func (r Reason) String() string {
	switch r.Code {
	case Insufficient:
		text := "needs " + quantity(r.Name, r.Need)
		if r.Detail != "" {
			text += " " + r.Detail
		}
		return fmt.Sprintf("%s, offered is %s", text, r.Have)
	case PortTaken:
		return fmt.Sprintf("port %s (%s) is not free", shortRanges(r.Ports), r.Name)
	case NoPort:
		return fmt.Sprintf("no port of %s is free for %s", shortRanges(r.Ports), r.Name)
	case NoVolume:
		text := fmt.Sprintf("no %s of %s MiB for %s", r.Detail, r.Need, r.Name)
		if r.Have > 0 {
			text += fmt.Sprintf(", the largest is %s", r.Have)
		}
		return text
	case Placement, Platform:
		return r.Detail
	case NotReserved:
		return "the offer lacks " + r.shortage()
	case OtherAgent:
		return "the reservation is on another agent"
	case Maintenance:
		return "maintenance is scheduled"
	case Draining:
		return "an operator drains the agent"
	}
	return string(r.Code)
}

// shortage names what an offer lacks of a reservation.
func (r Reason) shortage() string {
	switch {
	case r.Detail != "":
		return r.Detail + " " + r.Name
	case len(r.Ports) > 0:
		return "port " + shortRanges(r.Ports)
	}
	return quantity(r.Name, r.Need)
}

// quantity names an amount with its unit: "2 cpus", "2048 MiB of mem".
func quantity(name string, m resource.Milli) string {
	if name == resource.Mem || name == resource.Disk {
		return m.String() + " MiB of " + name
	}
	return m.String() + " " + name
}

// shortRanges prints ranges for people: "9092,31000-31005".
func shortRanges(rs resource.Ranges) string {
	parts := make([]string, len(rs))
	for i, r := range rs {
		parts[i] = fmt.Sprint(r.Begin)
		if r.End != r.Begin {
			parts[i] += fmt.Sprintf("-%d", r.End)
		}
	}
	return strings.Join(parts, ",")
}
