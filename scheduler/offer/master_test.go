package offer_test

import (
	"fmt"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
)

// failer is a test, be it of testing or of rapid.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// comeBack gives the offer that the master makes once an instance launched with the match has
// ended: the same with the operations carried out.
func comeBack(t failer, offers []mesos.Offer, m offer.Match) mesos.Offer {
	t.Helper()
	for _, o := range offers {
		if o.ID == m.Offer {
			o.ID += "'"
			o.Resources = carryOut(t, o.Resources, offer.Operations(m))
			return o
		}
	}
	t.Fatalf("the match is of offer %s, which was not made", m.Offer)
	return mesos.Offer{}
}

// carryOut does to resources what the master does for the operations of an ACCEPT, in their
// order; it fails the test when one of them is of something that is not there.
func carryOut(t failer, have resource.List, operations []mesos.Operation) resource.List {
	t.Helper()
	exchange := func(from, to resource.List) {
		rest, err := have.Sub(from)
		if err != nil {
			t.Fatalf("%s cannot become %s in %s: %v", from, to, have, err)
		}
		have = rest.Add(to...)
	}
	for _, op := range operations {
		switch op := op.(type) {
		case mesos.Destroy:
			exchange(op.Volumes, op.Volumes.WithoutVolumes())
		case mesos.Unreserve:
			exchange(op.Resources, op.Resources.PopReservation())
		case mesos.Reserve:
			exchange(op.Resources.PopReservation(), op.Resources)
		case mesos.Create:
			exchange(op.Volumes.WithoutVolumes(), op.Volumes)
		default:
			t.Fatalf("unknown operation %T", op)
		}
	}
	return have
}

// readableIDs tells how the ids of reserved resources are written in stories:
// RESERVATION/SET/NAME, where the set of the executor is called so.
type readableIDs map[string]string

const executorSet = "executor"

// add gives the id that is written so, and remembers it.
func (ids readableIDs) add(reservation, set, name string) string {
	of := set
	if set == executorSet {
		of = ""
	}
	id := offer.ResourceID(mesos.ReservationID(reservation), of, name)
	ids[id] = fmt.Sprintf("%s/%s/%s", reservation, set, name)
	return id
}

// of remembers all ids that may come of a requirement.
func (ids readableIDs) of(req offer.Requirement) {
	all := append([]offer.SetNeed{{Name: executorSet, Volumes: req.Volumes}}, req.Sets...)
	for _, set := range all {
		names := []string{resource.CPUs, resource.GPUs, resource.Mem, resource.Disk}
		for _, p := range set.Ports {
			names = append(names, offer.PortID(p.Name))
		}
		for _, v := range set.Volumes {
			names = append(names, v.Volume.Path)
		}
		for _, name := range names {
			ids.add(string(req.Reservation), set.Name, name)
		}
	}
}

// parsed gives a list that was read from text with the ids in their own form.
func (ids readableIDs) parsed(l resource.List) resource.List {
	return changeIDs(l, func(text string) string {
		parts := strings.SplitN(text, "/", 3)
		if len(parts) < 3 {
			return text
		}
		return ids.add(parts[0], parts[1], parts[2])
	})
}

// printed gives the text of a list with readable ids.
func (ids readableIDs) printed(l resource.List) string {
	return changeIDs(l, func(id string) string {
		if text, known := ids[id]; known {
			return text
		}
		return id
	}).String()
}

// changeIDs gives a copy of a list with each resource id changed.
func changeIDs(l resource.List, change func(string) string) resource.List {
	out := make(resource.List, 0, len(l))
	for _, r := range l {
		reservations := r.Reservations
		r.Reservations = nil
		for _, res := range reservations {
			labels := res.Labels
			res.Labels = nil
			for _, label := range labels {
				if label.Key == resource.ResourceID {
					label.Value = change(label.Value)
				}
				res.Labels = append(res.Labels, label)
			}
			r.Reservations = append(r.Reservations, res)
		}
		out = append(out, r)
	}
	return out
}
