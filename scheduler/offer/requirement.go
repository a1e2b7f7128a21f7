package offer

import (
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// Requirement is what one pod instance needs.
type Requirement struct {
	// Pod names the instance in refusals: "kafka-0".
	Pod string
	// Role and Principal are those that new reservations are made with.
	Role, Principal string
	// Reservation is what the ids of new reservations are derived from: each resource gets one
	// of its own, as the label "resource_id" (see ResourceID). Labels go onto each as well.
	Reservation mesos.ReservationID
	Labels      []resource.Label
	// Executor is what the pod's executor itself needs.
	Executor Scalars
	// Sets are resource sets of the pod: all of them for a new place, and for a kept one those
	// that the tasks to be launched use.
	Sets []SetNeed
	// Volumes are those of the pod itself; they belong to the executor.
	Volumes []VolumeNeed
	// Rule is the pod's placement rule; Peers are the places of the pod type's other
	// instances, nil if there are none. It is read when it is needed, so it must tell of the
	// moment, and requirements that share it are seen to be alike.
	Rule  placement.Rule
	Peers *placement.Crowd
	// Where is a rule that has to allow the place as well, nil for none.
	Where *placement.Expr
	// Prefer makes some of the places that Rule allows better than others.
	Prefer []placement.Preference
	// Kept is set when the instance already holds a reservation; then only that one will do,
	// with what Sets want more or less of.
	Kept *Kept
}

// Scalars is an amount of each scalar resource; disk here is the root disk without volumes.
type Scalars struct {
	CPUs, GPUs resource.Milli
	Mem, Disk  resource.MiB
}

// SetNeed is what one resource set is to hold.
type SetNeed struct {
	Name    string
	Scalars Scalars
	Ports   []servicespec.Port
	Volumes []VolumeNeed
}

// VolumeNeed is a persistent volume together with the id it is created under.
type VolumeNeed struct {
	Volume servicespec.Volume
	ID     mesos.PersistenceID
}

// Kept is a reservation that the instance already holds. An offer satisfies it when it is of
// this agent and holds something of each set to be launched with, and all of its volumes; how
// much there is decides what is reserved or given back to suit the needs.
type Kept struct {
	Agent mesos.AgentID
	// Hostname of the agent, for refusals; "" will do.
	Hostname string
	Executor resource.List
	// ExecutorRuns says that the instance's executor runs, so that it needs nothing.
	ExecutorRuns bool
	Sets         []SetResources
	// Unseen names those of them that no task was ever seen to run with: the ACCEPT that made
	// them may have been lost, so what is missing of them is made anew, volumes too.
	Unseen []string
	// Doubted names those of them beside which more may be reserved under their ids, and of which
	// nobody knows whether a task runs with them: one has ended that is offered as a whole.
	Doubted []string
	// Drop names those of them that the spec has no more; they are freed if they are offered.
	Drop []string
	// Beside says that all of it is in use and stays so: what is wanted more has to be free
	// beside it, and nothing is given back. What a match reserves then is secured before anything
	// is stopped for it, and its Sets are what is held from then on.
	Beside bool
}

// SetResources is what one resource set holds.
type SetResources struct {
	Name      string
	Resources resource.List
	Ports     []PortUse // in the order of SetNeed.Ports
}

// PortUse is a port that was chosen.
type PortUse struct {
	Name   string
	Number int
}

// Match is a place for the instance in one offer.
type Match struct {
	// Offers of the agent that the match is made of, all of which go into the ACCEPT; Offer is
	// the first of them.
	Offer  mesos.OfferID
	Offers []mesos.OfferID
	Agent  mesos.AgentID
	// Role is that of the offers.
	Role string
	// Destroy, Unreserve, Reserve and Create are what the ACCEPT must carry before the launch,
	// in that order, as allocated to the role; all are empty for an instance that returns to
	// its reservation as it is.
	Destroy, Unreserve, Reserve, Create resource.List
	// Executor and Sets are the reserved resources (volumes among them) to launch with,
	// without the allocation role; they are what a later Kept must name.
	Executor resource.List
	Sets     []SetResources
	// Used is what all this takes of the offer, as the offer has it, with what is given back;
	// Remaining is what the offer still holds afterwards; merged, as resource.List.Add does.
	Used, Remaining resource.List
}

// Refusal says why no offer fits; it is never empty. It holds what is needed to tell, and finds
// the reasons out when it is asked for them: it can be read at any time and by anybody.
type Refusal struct {
	Pod string
	// Kept is set when the instance waits for the agent of its reservation; KeptHost is that
	// agent's host name, "" when it is not known.
	Kept     mesos.AgentID
	KeptHost string
	cause    *cause
}

// AgentRefusal is why what one agent offers does not fit.
type AgentRefusal struct {
	Agent    mesos.AgentID
	Hostname string
	Reasons  []Reason
}

// Reason is one thing that is missing.
type Reason struct {
	Code Code
	// Name is the resource, port or volume (its path, for NotReserved its persistence id); for
	// Placement the constraint.
	Name string
	// Need and Have are amounts in thousandths for scalars and volumes, else 0.
	Need, Have resource.Milli
	// Ports are those of which one was wanted, or for NotReserved those that are missing.
	Ports resource.Ranges
	// Detail is what amounts cannot say: for Placement a sentence, for Platform
	// too, for NoVolume the kind of disk wanted, for Insufficient "more" when it is that much more
	// than what is kept.
	Detail string
}

// Code is the kind of a Reason.
type Code string

// The kinds of refusal.
const (
	Insufficient Code = "insufficient" // too little of a scalar
	PortTaken    Code = "port-taken"   // a fixed port is not in the offer
	NoPort       Code = "no-port"      // no dynamic port is left in the ranges wanted
	NoVolume     Code = "no-volume"    // no disk is large enough, or none of the type or profile
	Placement    Code = "placement"    // the placement rule forbids the agent
	NotReserved  Code = "not-reserved" // the kept reservation is not (wholly) in the offer
	OtherAgent   Code = "other-agent"  // the instance's reservation is on another agent
	Maintenance  Code = "maintenance"  // the agent has a maintenance window
	Draining     Code = "draining"     // an operator drains the agent
	Platform     Code = "platform"     // no executor runs on the kind of machine that the agent is
)
