package offer

import (
	"cmp"
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// Evaluate finds the best place for an instance among the offers, or tells for each of them
// why it is none. Exactly one of the results is set.
//
// An instance without a reservation may go wherever its rule and the resources allow. Of these
// places the one whose preferences weigh most is the best: an operator's wish goes before what is
// good by default, and who wants both writes a rule. Among equals what is best follows from what
// brokers want, which is not to fall together: the host with the fewest peers, then the zone
// with the fewest, then the agent with the most room (how many times the instance would fit by
// its scarcest scalar: spread, not packed), then the lowest agent id and offer id. An agent with
// a maintenance window gets nothing new.
//
// An instance with a reservation goes back to it, window or not, and nowhere else; what its
// sets want more is reserved there, what they want less is given back, and what one of them
// gives back another may have.
//
// Each offer is looked at for itself: two offers of one agent are not put together.
func Evaluate(req Requirement, offers []mesos.Offer) (Match, *Refusal) {
	if req.Kept != nil {
		return returnToKept(&req, offers)
	}
	parts := req.parts()
	wants := portWants(parts)
	candidates := req.candidates(total(parts), offers)
	for i := range candidates {
		c := &candidates[i]
		if len(c.reasons) > 0 {
			continue
		}
		var match Match
		if match, c.reasons = req.place(parts, wants, c.offer); len(c.reasons) == 0 {
			return match, nil
		}
	}
	return Match{}, refusal(&req, candidates)
}

// Operations gives what an ACCEPT must carry before the launch, nothing for an instance that
// returns to its reservation as it is.
func Operations(m Match) []mesos.Operation {
	var out []mesos.Operation
	if len(m.Destroy) > 0 {
		out = append(out, mesos.Destroy{Volumes: m.Destroy})
	}
	if len(m.Unreserve) > 0 {
		out = append(out, mesos.Unreserve{Resources: m.Unreserve})
	}
	if len(m.Reserve) > 0 {
		out = append(out, mesos.Reserve{Resources: m.Reserve})
	}
	if len(m.Create) > 0 {
		out = append(out, mesos.Create{Volumes: m.Create})
	}
	return out
}

// candidate is one offer with what decides whether it is tried, and when.
type candidate struct {
	offer          *mesos.Offer
	liked          int     // the weights of the preferences that it meets
	onHost, inZone int     // peers there already
	room           float64 // how many times the instance would fit
	reasons        []Reason
}

// candidates gives the offers with the best first. Those that are out of the question before
// their resources are looked at have their reason already.
func (req *Requirement) candidates(need amounts, offers []mesos.Offer) []candidate {
	judge, scorer := req.Rule.Judge(req.Peers), placement.NewScorer(req.Prefer, req.Peers)
	hosts, zones := crowds(req.Peers)
	out := make([]candidate, len(offers))
	for i := range offers {
		o, c := &offers[i], &out[i]
		c.offer = o
		if o.Unavailable != nil {
			c.reasons = maintenance
			continue
		}
		place := Place(*o)
		if v := judge.Evaluate(place); !v.Allowed {
			c.reasons = []Reason{{
				Code: Placement, Name: v.Constraint.String(), Detail: v.Reason,
			}}
			continue
		}
		c.liked = scorer.Score(place)
		c.onHost, c.inZone = hosts[o.Hostname], zones[o.Domain]
		c.room = req.offered(o).room(need)
	}
	slices.SortFunc(out, candidate.compare)
	return out
}

// maintenance is what is wrong with every agent that has a window.
var maintenance = []Reason{{Code: Maintenance}}

// Place gives what a placement rule can ask of the offer's agent.
func Place(o mesos.Offer) placement.Agent {
	a := placement.Agent{Hostname: o.Hostname, Region: o.Domain.Region, Zone: o.Domain.Zone}
	if len(o.Attributes) > 0 {
		a.Attributes = make([]placement.Attribute, len(o.Attributes))
	}
	for i, attribute := range o.Attributes {
		a.Attributes[i] = placement.Attribute(attribute)
	}
	return a
}

// crowds counts the peers on each host and in each zone.
func crowds(peers []placement.Agent) (map[string]int, map[mesos.Domain]int) {
	hosts, zones := map[string]int{}, map[mesos.Domain]int{}
	for _, p := range peers {
		hosts[p.Hostname]++
		if p.Zone != "" {
			zones[mesos.Domain{Region: p.Region, Zone: p.Zone}]++
		}
	}
	return hosts, zones
}

// compare puts the better candidate first.
func (c candidate) compare(o candidate) int {
	return cmp.Or(
		cmp.Compare(o.liked, c.liked),
		cmp.Compare(c.onHost, o.onHost),
		cmp.Compare(c.inZone, o.inZone),
		cmp.Compare(o.room, c.room),
		cmp.Compare(c.offer.Agent, o.offer.Agent),
		cmp.Compare(c.offer.ID, o.offer.ID),
	)
}

// refusal collects the reasons of all candidates in the order of their hosts.
func refusal(req *Requirement, candidates []candidate) *Refusal {
	slices.SortFunc(candidates, func(a, b candidate) int {
		return cmp.Or(
			cmp.Compare(a.offer.Hostname, b.offer.Hostname),
			cmp.Compare(a.offer.Agent, b.offer.Agent),
			cmp.Compare(a.offer.ID, b.offer.ID),
		)
	})
	r := &Refusal{Pod: req.Pod}
	for _, c := range candidates {
		r.Agents = append(r.Agents, AgentRefusal{
			Agent: c.offer.Agent, Hostname: c.offer.Hostname, Reasons: c.reasons,
		})
	}
	return r
}

// scalarNames are the scalars that an instance can need.
var scalarNames = [...]string{resource.CPUs, resource.GPUs, resource.Mem, resource.Disk}

// diskAt is where scalarNames has the disk.
const diskAt = len(scalarNames) - 1

// amounts holds a quantity of each of scalarNames.
type amounts [len(scalarNames)]resource.Milli

// amounts gives the scalars in the order of scalarNames.
func (s Scalars) amounts() amounts {
	return amounts{s.CPUs, s.GPUs, s.Mem.Milli(), s.Disk.Milli()}
}

func (a amounts) plus(o amounts) amounts {
	for i := range a {
		a[i] += o[i]
	}
	return a
}

// room says how many times need is in a.
func (a amounts) room(need amounts) float64 {
	room, first := 0.0, true
	for i := range a {
		if need[i] <= 0 {
			continue
		}
		times := float64(a[i]) / float64(need[i])
		if first || times < room {
			room, first = times, false
		}
	}
	return room
}

// parts are what an instance consists of: its executor, and then its sets.
func (req *Requirement) parts() []SetNeed {
	parts := make([]SetNeed, 0, 1+len(req.Sets))
	parts = append(parts, SetNeed{Scalars: req.Executor, Volumes: req.Volumes})
	return append(parts, req.Sets...)
}

// total adds up what the parts need of each scalar, their ROOT volumes included.
func total(parts []SetNeed) amounts {
	var sum amounts
	for i := range parts {
		sum = sum.plus(parts[i].Scalars.amounts()).plus(rootDisk(parts[i].Volumes))
	}
	return sum
}

func rootDisk(volumes []VolumeNeed) amounts {
	var sum resource.MiB
	for i := range volumes {
		if v := &volumes[i].Volume; v.Type != mountType {
			sum += v.Size
		}
	}
	return Scalars{Disk: sum}.amounts()
}

// offered adds up what the offer has for a new place of each scalar.
func (req *Requirement) offered(o *mesos.Offer) amounts {
	var sum amounts
	for i := range o.Resources {
		if r := &o.Resources[i]; req.usable(r) {
			sum.count(r)
		}
	}
	return sum
}

// count adds a resource, if it is one of which any part can be used.
func (a *amounts) count(r *resource.Resource) {
	for i, name := range scalarNames {
		if r.Name == name && plain(r) {
			a[i] += r.Scalar
		}
	}
}
