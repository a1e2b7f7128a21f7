package offer_test

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
)

// checkShortage checks that an offer does once what the reasons name is added to it, and that a
// thousandth less of the first scalar would not do. Volumes take parts of PATH disks one after the
// other, so the disk that was added for one may serve another; then one is named again.
func checkShortage(t *rapid.T, req needing, o mesos.Offer, reasons []offer.Reason) {
	if len(reasons) == 0 {
		t.Fatalf("%s is refused without a reason", o.Resources)
	}
	f := filling{t: t, req: req, offer: o, scalar: -1}
	f.req.taken = slices.Clone(req.taken)
	if !f.fillAll(reasons) {
		return
	}
	refusal := f.evaluate()
	for range 10 {
		if refusal == nil || slices.ContainsFunc(refusal.Agents()[0].Reasons, notOfPath) {
			break
		}
		f.fillAll(refusal.Agents()[0].Reasons)
		refusal = f.evaluate()
	}
	if refusal != nil {
		t.Fatalf("%+v, but with %s more: %s", reasons, f.more, refusal)
	}
	if f.scalar < 0 {
		return
	}
	f.more[f.scalar].Scalar--
	if refusal := f.evaluate(); refusal == nil {
		t.Fatalf("%s more would have been enough", f.more)
	}
}

// needing is a requirement on hosts where ports are in use that the agents do not know of.
type needing struct {
	offer.Requirement
	taken []takenPorts
}

type takenPorts struct {
	host  string
	ports resource.Ranges
}

func (n needing) evaluate(offers []mesos.Offer) (offer.Match, *offer.Refusal) {
	table := offer.NewTable(offers)
	for _, taken := range n.taken {
		table.Occupy(taken.host, taken.ports, "")
	}
	return table.Evaluate(n.Requirement)
}

// filling is an offer to which is added what it was refused for.
type filling struct {
	t      *rapid.T
	req    needing
	offer  mesos.Offer
	more   resource.List
	scalar int // where the first scalar is in more, -1 if there is none
}

func (f *filling) evaluate() *offer.Refusal {
	o := f.offer
	o.Resources = o.Resources.Add(f.more.WithRole(o.Role)...)
	_, refusal := f.req.evaluate([]mesos.Offer{o})
	return refusal
}

// notOfPath says whether a reason is another one than that a part of a PATH disk is missing.
func notOfPath(r offer.Reason) bool {
	return r.Code != offer.NoVolume || !strings.HasPrefix(r.Detail, "PATH")
}

// fillAll adds what reasons name; false says that no resource can mend it.
func (f *filling) fillAll(reasons []offer.Reason) bool {
	for _, r := range reasons {
		if r.String() == "" {
			f.t.Fatalf("no words for %+v", r)
		}
		if !f.fill(r) {
			return false
		}
	}
	return true
}

// fill adds what a reason names; false says that no resource can mend it.
func (f *filling) fill(r offer.Reason) bool {
	switch r.Code {
	case offer.Insufficient:
		if f.scalar < 0 {
			f.scalar = len(f.more)
		}
		f.more = append(f.more, resource.NewScalar(r.Name, r.Need-r.Have))
	case offer.NoVolume:
		disk := resource.NewScalar(resource.Disk, r.Need)
		if kind, _, _ := strings.Cut(r.Detail, " "); kind != "ROOT" {
			disk.Disk = &resource.DiskInfo{Source: kind,
				Root: fmt.Sprintf("/more/%d", len(f.more))}
		}
		f.more = append(f.more, disk)
	case offer.PortTaken, offer.NoPort:
		return f.fillPort(r.Ports)
	case offer.NotReserved:
		f.more = append(f.more, f.recorded(r)...)
	default:
		return false
	}
	return true
}

// fillPort adds one of the ports that nobody has yet; it is false if there is none.
func (f *filling) fillPort(within resource.Ranges) bool {
	gone := portsOf(f.offer.Resources).Add(portsOf(f.more))
	if within.Count() == 1 {
		gone = portsOf(f.more) // it may be offered and taken all the same
	}
	rest, _ := within.Sub(within.Intersect(gone))
	if len(rest) == 0 {
		return false
	}
	port := resource.Ranges{{Begin: rest[0].Begin, End: rest[0].Begin}}
	if !portsOf(f.offer.Resources.Filter(free)).Contains(port) {
		f.more = append(f.more, resource.NewPorts(port))
	}
	for i := range f.req.taken {
		taken := &f.req.taken[i].ports
		*taken, _ = taken.Sub(taken.Intersect(port))
	}
	return true
}

// free says whether nobody has the resource, unless it is for a role above.
func free(r resource.Resource) bool {
	n := len(r.Reservations)
	return n == 0 || !r.Reservations[n-1].Dynamic
}

// recorded gives what is on record of the instance and missing, as the reason has it.
func (f *filling) recorded(r offer.Reason) (missing resource.List) {
	kept := f.req.Kept
	parts := []resource.List{nil}
	if !kept.ExecutorRuns {
		parts[0] = kept.Executor
	}
	for _, need := range f.req.Sets {
		for _, set := range kept.Sets {
			if set.Name == need.Name && !slices.Contains(kept.Unseen, set.Name) {
				parts = append(parts, set.Resources)
			}
		}
	}
	for _, part := range parts {
		there := sameIDs(f.offer.Resources, part)
		for _, x := range part {
			volume := x.DiskInfo().PersistenceID
			if r.Detail == "volume" && volume == r.Name ||
				r.Detail == "" && x.Name == r.Name && volume == "" && len(there) == 0 {
				missing = append(missing, x)
			}
		}
	}
	if r.Detail == "" && (missing.Total(r.Name) != r.Need ||
		!slices.Equal(portsOf(missing), r.Ports)) || len(missing) == 0 {
		f.t.Fatalf("%+v is not on record: %s", r, missing)
	}
	return missing
}

// sameIDs gives the resources of a list that are reserved under the ids of another.
func sameIDs(l, of resource.List) resource.List {
	return l.Filter(func(r resource.Resource) bool {
		return slices.ContainsFunc(of, func(x resource.Resource) bool {
			return len(r.Reservations) > 0 &&
				r.Label(resource.ResourceID) == x.Label(resource.ResourceID)
		})
	})
}
