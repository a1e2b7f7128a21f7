package mesoshttp

import (
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	wire "github.com/mesos/mesos-go/api/v1/lib"
	operator "github.com/mesos/mesos-go/api/v1/lib/master"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// AgentState is an agent in a snapshot of a cluster.
type AgentState struct {
	// Offer is what nobody uses, allocated to no role; it has the agent's id for its own.
	mesos.Offer
	// InUse is what tasks and executors have.
	InUse resource.List
	// Away is why the agent makes no offers now, "" if it does: "drained".
	Away string
}

// DecodeSnapshot reads a snapshot of a cluster: the answer of a master's operator API to
// GET_AGENTS, in JSON, to which that to GET_MAINTENANCE_SCHEDULE may be added; or an OFFERS event
// of the scheduler API.
func DecodeSnapshot(data []byte) ([]AgentState, error) {
	var kind struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(data, &kind); err != nil {
		return nil, fmt.Errorf("reading a snapshot: %w", err)
	}
	switch kind.Type {
	case "GET_AGENTS":
		var answer operator.Response
		if err := decodeMessage(codecFor(true), data, &answer); err != nil {
			return nil, fmt.Errorf("reading a snapshot: %w", err)
		}
		return statesOf(&answer), nil
	case "OFFERS":
		var event scheduler.Event
		if err := decodeMessage(codecFor(true), data, &event); err != nil {
			return nil, fmt.Errorf("reading a snapshot: %w", err)
		}
		var states []AgentState
		for i := range event.GetOffers().GetOffers() {
			o := offerFromWire(&event.Offers.Offers[i])
			o.Resources = o.Resources.WithoutRole()
			states = append(states, AgentState{Offer: o})
		}
		return states, nil
	}
	return nil, fmt.Errorf("reading a snapshot: its type is %q, and has to be GET_AGENTS or "+
		"OFFERS: take one with kafka-sched simulate --take-snapshot", kind.Type)
}

// statesOf translates an answer to GET_AGENTS.
func statesOf(answer *operator.Response) []AgentState {
	var windows []*wire.Unavailability
	var machines [][]wire.MachineID
	if schedule := answer.GetMaintenanceSchedule; schedule != nil {
		for i := range schedule.Schedule.Windows {
			w := &schedule.Schedule.Windows[i]
			windows, machines = append(windows, &w.Unavailability), append(machines, w.MachineIDs)
		}
	}
	var states []AgentState
	for i := range answer.GetAgents.GetAgents() {
		a := &answer.GetAgents.Agents[i]
		s := stateOf(a)
		for k, w := range windows {
			if slices.ContainsFunc(machines[k], func(m wire.MachineID) bool {
				return isMachine(m, s.Hostname, s.IP)
			}) {
				s.Unavailable = &mesos.Unavailability{
					Start:    time.Unix(0, w.Start.Nanoseconds).UTC(),
					Duration: durationFromWire(w.Duration),
				}
			}
		}
		states = append(states, s)
	}
	return states
}

// isMachine says whether a machine's id, of which one part may be left out, is of a machine.
func isMachine(m wire.MachineID, hostname, ip string) bool {
	return (m.GetHostname() != "" || m.GetIP() != "") &&
		(m.GetHostname() == "" || strings.EqualFold(m.GetHostname(), hostname)) &&
		(m.GetIP() == "" || m.GetIP() == ip)
}

func stateOf(a *operator.Response_GetAgents_Agent) AgentState {
	id := a.AgentInfo.GetID().GetValue()
	like := offerFromWire(&wire.Offer{
		ID: wire.OfferID{Value: id}, AgentID: wire.AgentID{Value: id},
		Hostname: a.AgentInfo.Hostname, Attributes: a.AgentInfo.Attributes,
		Domain: a.AgentInfo.Domain,
	})
	s := AgentState{Offer: like, InUse: resourcesFromWire(a.AllocatedResources).WithoutRole()}
	_, address, _ := strings.Cut(a.GetPID(), "@")
	s.IP, _, _ = net.SplitHostPort(address)
	s.Resources = resourcesFromWire(a.TotalResources).WithoutRole()
	for _, r := range s.InUse {
		rest, err := s.Resources.Sub(resource.List{r})
		if err != nil { // more is in use than there is, or it is shared: then none is left
			rest = s.Resources.Filter(func(o resource.Resource) bool { return !o.Same(r) })
		}
		s.Resources = rest
	}
	switch {
	case a.DrainInfo != nil && a.DrainInfo.State == wire.DrainState_DRAINED:
		s.Away = "drained"
	case a.DrainInfo != nil:
		s.Away = "draining"
	case a.GetDeactivated():
		s.Away = "deactivated"
	case !a.Active:
		s.Away = "not connected"
	}
	return s
}
