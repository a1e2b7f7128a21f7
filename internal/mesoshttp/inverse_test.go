package mesoshttp

import (
	"slices"
	"testing"
	"time"

	wire "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/executor"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// The other halves of the translation, which only a master or an agent needs: calls read,
// events written. Scripted masters and agents speak with them.

func frameworkFromWire(f *wire.FrameworkInfo) mesos.FrameworkInfo {
	return mesos.FrameworkInfo{
		ID:   mesos.FrameworkID(f.GetID().GetValue()),
		Name: f.Name,
		User: f.User,
		Role: f.Roles[0], MoreRoles: f.Roles[1:],
		GPUs: slices.ContainsFunc(f.Capabilities, func(c wire.FrameworkInfo_Capability) bool {
			return c.Type == wire.FrameworkInfo_Capability_GPU_RESOURCES
		}),
		Principal:       f.GetPrincipal(),
		FailoverTimeout: time.Duration(f.GetFailoverTimeout() * float64(time.Second)),
		WebURL:          f.GetWebUiURL(),
		Hostname:        f.GetHostname(),
	}
}

func callFromWire(t testing.TB, c *scheduler.Call) mesos.Call {
	switch c.Type {
	case scheduler.Call_ACCEPT:
		out := mesos.Accept{
			Offers: offerIDs(c.Accept.OfferIDs), Refuse: refuse(c.Accept.Filters),
		}
		for i := range c.Accept.Operations {
			out.Operations = append(out.Operations,
				operationBack(t, &c.Accept.Operations[i]))
		}
		return out
	case scheduler.Call_DECLINE:
		return mesos.Decline{
			Offers: offerIDs(c.Decline.OfferIDs), Refuse: refuse(c.Decline.Filters),
		}
	case scheduler.Call_REVIVE:
		return mesos.Revive{}
	case scheduler.Call_SUPPRESS:
		return mesos.Suppress{}
	case scheduler.Call_KILL:
		out := mesos.Kill{
			Task:  mesos.TaskID(c.Kill.TaskID.Value),
			Agent: mesos.AgentID(c.Kill.GetAgentID().GetValue()),
		}
		if p := c.Kill.GetKillPolicy().GetGracePeriod(); p != nil {
			out.Grace = pointer(durationFromWire(p))
		}
		return out
	case scheduler.Call_ACKNOWLEDGE:
		return mesos.Acknowledge{
			Task:  mesos.TaskID(c.Acknowledge.TaskID.Value),
			Agent: mesos.AgentID(c.Acknowledge.AgentID.Value),
			UUID:  c.Acknowledge.UUID,
		}
	case scheduler.Call_RECONCILE:
		out := mesos.Reconcile{}
		for _, task := range c.Reconcile.Tasks {
			out.Tasks = append(out.Tasks, mesos.TaskOnAgent{
				Task:  mesos.TaskID(task.TaskID.Value),
				Agent: mesos.AgentID(task.GetAgentID().GetValue()),
			})
		}
		return out
	case scheduler.Call_ACKNOWLEDGE_OPERATION_STATUS:
		return mesos.AcknowledgeOperation{
			ID:    mesos.OperationID(c.AcknowledgeOperationStatus.OperationID.Value),
			Agent: mesos.AgentID(c.AcknowledgeOperationStatus.AgentID.GetValue()),
			UUID:  c.AcknowledgeOperationStatus.UUID,
		}
	case scheduler.Call_RECONCILE_OPERATIONS:
		out := mesos.ReconcileOperations{}
		for _, o := range c.ReconcileOperations.Operations {
			out.Operations = append(out.Operations, mesos.OperationOnAgent{
				ID:    mesos.OperationID(o.OperationID.Value),
				Agent: mesos.AgentID(o.GetAgentID().GetValue()),
			})
		}
		return out
	default:
		return plainCall(t, c)
	}
}

// plainCall is callFromWire for those that are left.
func plainCall(t testing.TB, c *scheduler.Call) mesos.Call {
	switch c.Type {
	case scheduler.Call_ACCEPT_INVERSE_OFFERS:
		return mesos.AcceptInverse{Offers: offerIDs(c.AcceptInverseOffers.InverseOfferIDs),
			Refuse: refuse(c.AcceptInverseOffers.Filters)}
	case scheduler.Call_DECLINE_INVERSE_OFFERS:
		return mesos.DeclineInverse{Offers: offerIDs(c.DeclineInverseOffers.InverseOfferIDs),
			Refuse: refuse(c.DeclineInverseOffers.Filters)}
	case scheduler.Call_TEARDOWN:
		return mesos.Teardown{}
	default:
		t.Errorf("a call of type %s came", c.Type)
		return nil
	}
}

func operationBack(t testing.TB, op *wire.Offer_Operation) mesos.Operation {
	id := mesos.OperationID(op.GetID().GetValue())
	switch op.Type {
	case wire.Offer_Operation_RESERVE:
		return mesos.Reserve{ID: id, Resources: resourcesFromWire(op.Reserve.Resources)}
	case wire.Offer_Operation_UNRESERVE:
		return mesos.Unreserve{ID: id, Resources: resourcesFromWire(op.Unreserve.Resources)}
	case wire.Offer_Operation_CREATE:
		return mesos.Create{ID: id, Volumes: resourcesFromWire(op.Create.Volumes)}
	case wire.Offer_Operation_DESTROY:
		return mesos.Destroy{ID: id, Volumes: resourcesFromWire(op.Destroy.Volumes)}
	case wire.Offer_Operation_LAUNCH:
		var out mesos.Launch
		for i := range op.Launch.TaskInfos {
			out.Tasks = append(out.Tasks, taskFromWire(&op.Launch.TaskInfos[i]))
		}
		return out
	default:
		t.Errorf("an operation of type %s came", op.Type)
		return nil
	}
}

func offerIDs(ids []wire.OfferID) (out []mesos.OfferID) {
	for _, id := range ids {
		out = append(out, mesos.OfferID(id.Value))
	}
	return out
}

func refuse(f *wire.Filters) time.Duration {
	return time.Duration(f.GetRefuseSeconds() * float64(time.Second))
}

func eventToWire(t testing.TB, e mesos.Event) *scheduler.Event {
	switch e := e.(type) {
	case mesos.Subscribed:
		return subscribedWire(e.Framework, 15)
	case mesos.Offers:
		out := &scheduler.Event{Type: scheduler.Event_OFFERS, Offers: &scheduler.Event_Offers{}}
		for _, o := range e.Offers {
			out.Offers.Offers = append(out.Offers.Offers, offerToWire(o))
		}
		return out
	case mesos.InverseOffers:
		out := &scheduler.Event{Type: scheduler.Event_INVERSE_OFFERS,
			InverseOffers: &scheduler.Event_InverseOffers{}}
		for _, o := range e.Offers {
			out.InverseOffers.InverseOffers = append(out.InverseOffers.InverseOffers,
				wire.InverseOffer{OfferID: wire.OfferID{Value: string(o.ID)},
					AgentID: &wire.AgentID{Value: string(o.Agent)},
					Unavailability: wire.Unavailability{
						Start:    wire.TimeInfo{Nanoseconds: o.Unavailable.Start.UnixNano()},
						Duration: durationToWire(o.Unavailable.Duration)}})
		}
		return out
	case mesos.Rescinded:
		return &scheduler.Event{Type: scheduler.Event_RESCIND,
			Rescind: &scheduler.Event_Rescind{OfferID: wire.OfferID{Value: string(e.Offer)}}}
	case mesos.Updated:
		return &scheduler.Event{Type: scheduler.Event_UPDATE,
			Update: &scheduler.Event_Update{Status: statusToWire(e.Status)}}
	case mesos.OperationUpdated:
		return &scheduler.Event{Type: scheduler.Event_UPDATE_OPERATION_STATUS,
			UpdateOperationStatus: &scheduler.Event_UpdateOperationStatus{
				Status: wire.OperationStatus{
					OperationID: operationIDToWire(e.ID),
					State:       wire.OperationState(wire.OperationState_value[e.State]),
					Message:     &e.Message,
					UUID:        &wire.UUID{Value: e.UUID},
					AgentID:     &wire.AgentID{Value: string(e.Agent)},
				}}}
	case mesos.ExecutorFailed:
		out := &scheduler.Event{Type: scheduler.Event_FAILURE,
			Failure: &scheduler.Event_Failure{AgentID: &wire.AgentID{Value: string(e.Agent)}}}
		if e.Executor != "" {
			out.Failure.ExecutorID = &wire.ExecutorID{Value: string(e.Executor)}
			out.Failure.Status = pointer(int32(e.Status))
		}
		return out
	case mesos.Refused:
		return &scheduler.Event{Type: scheduler.Event_ERROR,
			Error: &scheduler.Event_Error{Message: e.Message}}
	default:
		t.Fatalf("no wire form for %T", e)
		return nil
	}
}

func subscribedWire(id mesos.FrameworkID, heartbeat float64) *scheduler.Event {
	return &scheduler.Event{
		Type: scheduler.Event_SUBSCRIBED,
		Subscribed: &scheduler.Event_Subscribed{
			FrameworkID:              &wire.FrameworkID{Value: string(id)},
			HeartbeatIntervalSeconds: &heartbeat,
			MasterInfo: &wire.MasterInfo{ID: "m", Port: pointer(uint32(5050)),
				Address: &wire.Address{
					Hostname: pointer("master"), IP: pointer("10.0.0.1"), Port: 5050}},
		},
	}
}

func offerToWire(o mesos.Offer) wire.Offer {
	out := wire.Offer{
		ID: wire.OfferID{Value: string(o.ID)}, AgentID: wire.AgentID{Value: string(o.Agent)},
		Hostname: o.Hostname, Resources: resourcesToWire(o.Resources, o.Role),
		URL:            &wire.URL{Address: wire.Address{IP: &o.IP, Port: int32(o.Port)}},
		AllocationInfo: &wire.Resource_AllocationInfo{Role: &o.Role},
		Domain: &wire.DomainInfo{FaultDomain: &wire.DomainInfo_FaultDomain{
			Region: wire.DomainInfo_FaultDomain_RegionInfo{Name: o.Domain.Region},
			Zone:   wire.DomainInfo_FaultDomain_ZoneInfo{Name: o.Domain.Zone},
		}},
	}
	for _, a := range o.Attributes {
		out.Attributes = append(out.Attributes, wire.Attribute{
			Name: a.Name, Type: wire.TEXT, Text: &wire.Value_Text{Value: a.Value}})
	}
	for _, id := range o.Executors {
		out.ExecutorIDs = append(out.ExecutorIDs, wire.ExecutorID{Value: string(id)})
	}
	if u := o.Unavailable; u != nil {
		out.Unavailability = &wire.Unavailability{
			Start:    wire.TimeInfo{Nanoseconds: u.Start.UnixNano()},
			Duration: durationToWire(u.Duration),
		}
	}
	return out
}

func executorEventToWire(t testing.TB, e mesos.ExecutorEvent) *executor.Event {
	switch e := e.(type) {
	case mesos.ExecutorSubscribed:
		return &executor.Event{Type: executor.Event_SUBSCRIBED,
			Subscribed: &executor.Event_Subscribed{
				FrameworkInfo: wire.FrameworkInfo{
					ID: &wire.FrameworkID{Value: string(e.Framework)}},
				ExecutorInfo: wire.ExecutorInfo{
					ExecutorID: wire.ExecutorID{Value: string(e.Executor)}},
				AgentInfo: wire.AgentInfo{Hostname: e.Hostname,
					ID: &wire.AgentID{Value: string(e.Agent)}},
			}}
	case mesos.ExecutorLaunch:
		return &executor.Event{Type: executor.Event_LAUNCH, Launch: &executor.Event_Launch{
			Task: taskToWire(e.Task, e.Task.Executor.Framework, "")}}
	case mesos.ExecutorKill:
		out := &executor.Event{Type: executor.Event_KILL, Kill: &executor.Event_Kill{
			TaskID: wire.TaskID{Value: string(e.Task)}}}
		if e.Grace != nil {
			out.Kill.KillPolicy = &wire.KillPolicy{
				GracePeriod: &wire.DurationInfo{Nanoseconds: int64(*e.Grace)}}
		}
		return out
	case mesos.ExecutorAcknowledged:
		return &executor.Event{Type: executor.Event_ACKNOWLEDGED,
			Acknowledged: &executor.Event_Acknowledged{
				TaskID: wire.TaskID{Value: string(e.Task)}, UUID: e.UUID}}
	case mesos.ExecutorShutdown:
		return &executor.Event{Type: executor.Event_SHUTDOWN}
	case mesos.ExecutorRefused:
		return &executor.Event{Type: executor.Event_ERROR,
			Error: &executor.Event_Error{Message: e.Message}}
	default:
		t.Fatalf("no wire form for %T", e)
		return nil
	}
}
