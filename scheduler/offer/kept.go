package offer

import (
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// returnToKept brings an instance back to the reservation that it holds. The master adds up
// what is addable, so the resources of executor and tasks come back as sums, and sums are what
// is compared.
func returnToKept(req *Requirement, offers []mesos.Offer) (Match, *Refusal) {
	kept := req.Kept
	want := kept.resources().WithRole(req.Role)
	candidates := make([]candidate, len(offers))
	var best *Match
	for i := range offers {
		o, c := &offers[i], &candidates[i]
		c.offer, c.reasons = o, otherAgent
		if o.Agent != kept.Agent {
			continue
		}
		remaining, err := o.Resources.Sub(want)
		if err != nil {
			c.reasons = missing(o.Resources, want)
		} else if best == nil || o.ID < best.Offer {
			best = &Match{
				Offer: o.ID, Agent: o.Agent, Used: want, Remaining: remaining,
				Executor: kept.Executor.WithoutRole(), Tasks: kept.tasks(),
			}
		}
	}
	if best != nil {
		return *best, nil
	}
	r := refusal(req, candidates)
	r.Kept, r.KeptHost = kept.Agent, kept.Hostname
	return Match{}, r
}

// otherAgent is what is wrong with every agent but the one of the reservation.
var otherAgent = []Reason{{Code: OtherAgent}}

// resources adds up all that the instance holds.
func (k *Kept) resources() resource.List {
	sum := k.Executor.WithoutRole().Merged()
	for i := range k.Tasks {
		sum = sum.Add(k.Tasks[i].Resources.WithoutRole()...)
	}
	return sum
}

// tasks gives what the tasks hold, without an allocation role.
func (k *Kept) tasks() []TaskResources {
	var out []TaskResources
	for _, t := range k.Tasks {
		t.Resources = t.Resources.WithoutRole()
		out = append(out, t)
	}
	return out
}

// missing tells which of the resources wanted, each there once, an offer does not hold.
func missing(offered, want resource.List) []Reason {
	offered = offered.Merged()
	var out []Reason
	for _, w := range want {
		if offered.Contains(resource.List{w}) {
			continue
		}
		reason := Reason{Code: NotReserved, Name: w.Name}
		if id := w.DiskInfo().PersistenceID; id != "" {
			reason.Name, reason.Detail = id, "volume"
			out = append(out, reason)
			continue
		}
		same := offered.Filter(w.Same)
		reason.Need, reason.Have = w.Scalar, same.Total(w.Name)
		reason.Ports = w.Ranges
		for _, r := range same {
			reason.Ports, _ = reason.Ports.Sub(reason.Ports.Intersect(r.Ranges))
		}
		out = append(out, reason)
	}
	return out
}
