package offer

import (
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// Evaluate is Table.Evaluate for a single requirement.
func Evaluate(req Requirement, offers []mesos.Offer) (Match, *Refusal) {
	return NewTable(offers).Evaluate(req)
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

// scalarNames are the scalars that an instance can need.
var scalarNames = [...]string{resource.CPUs, resource.GPUs, resource.Mem, resource.Disk}

// gpusAt and diskAt are where scalarNames has them.
const (
	gpusAt = 1
	diskAt = len(scalarNames) - 1
)

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

// hold says whether there is as much of everything as is needed.
func (a *amounts) hold(need *amounts) bool {
	for i := range a {
		if a[i] < need[i] {
			return false
		}
	}
	return true
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
		if volumes[i].ofRoot() {
			sum += volumes[i].Volume.Size
		}
	}
	return Scalars{Disk: sum}.amounts()
}

// offered adds up what the offer has for a new place of each scalar.
func offered(role string, o *mesos.Offer) amounts {
	var sum amounts
	for i := range o.Resources {
		if r := &o.Resources[i]; usable(r, role) {
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
