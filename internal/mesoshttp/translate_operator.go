package mesoshttp

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	wire "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/maintenance"
	operator "github.com/mesos/mesos-go/api/v1/lib/master"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// operatorCallToWire translates a call for which mesos.ForOperator is true. What it names is
// allocated to nobody.
func operatorCallToWire(c mesos.Call) *operator.Call {
	switch c := c.(type) {
	case mesos.UnreserveResources:
		return &operator.Call{
			Type: operator.Call_UNRESERVE_RESOURCES,
			UnreserveResources: &operator.Call_UnreserveResources{
				AgentID:   wire.AgentID{Value: string(c.Agent)},
				Resources: resourcesToWire(c.Resources.WithoutRole(), ""),
			},
		}
	case mesos.DestroyVolumes:
		return &operator.Call{
			Type: operator.Call_DESTROY_VOLUMES,
			DestroyVolumes: &operator.Call_DestroyVolumes{
				AgentID: wire.AgentID{Value: string(c.Agent)},
				Volumes: resourcesToWire(c.Volumes.WithoutRole(), ""),
			},
		}
	default:
		panic(fmt.Sprintf("mesoshttp: %T is no call of the operator API", c))
	}
}

// listFromWire translates the list of agents, and of those that the master has recovered.
func listFromWire(
	list *operator.Response_GetAgents,
) (agents []mesos.SeenAgent, recovered []mesos.AgentID) {
	for i := range list.GetAgents() {
		agents = append(agents, agentFromWire(&list.Agents[i]))
	}
	for _, a := range list.GetRecoveredAgents() {
		recovered = append(recovered, mesos.AgentID(a.GetID().GetValue()))
	}
	return agents, recovered
}

// seenOf is the event of a list of agents; schedule may be nil.
func seenOf(agents []mesos.SeenAgent, schedule *maintenance.Schedule) mesos.AgentsSeen {
	seen := mesos.AgentsSeen{Agents: agents}
	for i, a := range agents {
		seen.Agents[i].Unavailable = unavailability(schedule, a.Hostname, a.IP)
	}
	slices.SortFunc(seen.Agents, func(a, b mesos.SeenAgent) int {
		return strings.Compare(string(a.ID), string(b.ID))
	})
	return seen
}

func agentFromWire(a *operator.Response_GetAgents_Agent) mesos.SeenAgent {
	out := mesos.SeenAgent{
		ID:          mesos.AgentID(a.AgentInfo.GetID().GetValue()),
		Hostname:    a.AgentInfo.Hostname,
		IP:          addressOfPID(a.GetPID()),
		Domain:      domainFromWire(a.AgentInfo.Domain),
		Attributes:  attributesFromWire(a.AgentInfo.Attributes),
		Active:      a.Active,
		Deactivated: a.GetDeactivated(),
	}
	for i := range a.TotalResources {
		if r := resourceFromWire(&a.TotalResources[i]); len(r.Reservations) > 0 {
			out.Reserved = append(out.Reserved, r)
		}
	}
	out.Reserved = slices.Clip(out.Reserved)
	for _, c := range a.Capabilities {
		out.Capabilities = append(out.Capabilities, c.Type.String())
	}
	if d := a.DrainInfo; d != nil {
		out.Drain = &mesos.Drain{
			Draining: d.State == wire.DrainState_DRAINING,
			Drained:  d.State == wire.DrainState_DRAINED,
			MarkGone: d.Config.GetMarkGone(),
			MaxGrace: durationFromWire(d.Config.MaxGracePeriod),
		}
	}
	return out
}

// addressOfPID reads the IP address of slave(1)@10.0.0.1:5051.
func addressOfPID(pid string) string {
	_, address, _ := strings.Cut(pid, "@")
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	return host
}

// unavailability gives the first window of a machine, nil for none. A machine id may have only
// one of the two parts.
func unavailability(
	schedule *maintenance.Schedule, hostname, ip string,
) *mesos.Unavailability {
	var first *mesos.Unavailability
	for _, w := range schedule.GetWindows() {
		here := slices.ContainsFunc(w.MachineIDs, func(m wire.MachineID) bool {
			return (m.GetHostname() != "" || m.GetIP() != "") &&
				(m.GetHostname() == "" || strings.EqualFold(m.GetHostname(), hostname)) &&
				(m.GetIP() == "" || m.GetIP() == ip)
		})
		if u := unavailabilityFromWire(&w.Unavailability); here &&
			(first == nil || u.Start.Before(first.Start)) {
			first = u
		}
	}
	return first
}

func unavailabilityFromWire(u *wire.Unavailability) *mesos.Unavailability {
	if u == nil {
		return nil
	}
	return &mesos.Unavailability{
		Start:    time.Unix(0, u.Start.Nanoseconds).UTC(),
		Duration: durationFromWire(u.Duration),
	}
}

func sortedIDs(set map[mesos.AgentID]bool) []mesos.AgentID {
	return slices.Sorted(maps.Keys(set))
}
