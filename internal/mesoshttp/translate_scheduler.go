package mesoshttp

import (
	"fmt"
	"slices"
	"time"

	wire "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// capabilities are what every subscription carries. REGION_AWARE: offers of agents in other
// regions come too, placement rules decide on them.
var capabilities = []wire.FrameworkInfo_Capability{
	{Type: wire.FrameworkInfo_Capability_MULTI_ROLE},
	{Type: wire.FrameworkInfo_Capability_RESERVATION_REFINEMENT},
	{Type: wire.FrameworkInfo_Capability_PARTITION_AWARE},
	{Type: wire.FrameworkInfo_Capability_REGION_AWARE},
	{Type: wire.FrameworkInfo_Capability_TASK_KILLING_STATE},
}

// capabilitiesOf are those of a framework. Masters offer agents with GPUs only to those who say
// that they know of them (Mesos: --filter_gpu_resources).
func capabilitiesOf(f mesos.FrameworkInfo) []wire.FrameworkInfo_Capability {
	list := slices.Clone(capabilities)
	if f.GPUs {
		list = append(list, wire.FrameworkInfo_Capability{
			Type: wire.FrameworkInfo_Capability_GPU_RESOURCES})
	}
	return list
}

// subscribeToWire gives the SUBSCRIBE call. The master wants the id of a known framework in
// the call and in the info.
func subscribeToWire(f mesos.FrameworkInfo) *scheduler.Call {
	checkpoint, failover := true, f.FailoverTimeout.Seconds()
	info := &wire.FrameworkInfo{
		User:            f.User,
		Name:            f.Name,
		FailoverTimeout: &failover,
		Checkpoint:      &checkpoint,
		Roles:           append([]string{f.Role}, f.MoreRoles...),
		Principal:       optional(f.Principal),
		WebUiURL:        optional(f.WebURL),
		Hostname:        optional(f.Hostname),
		Capabilities:    capabilitiesOf(f),
	}
	call := &scheduler.Call{
		Type:      scheduler.Call_SUBSCRIBE,
		Subscribe: &scheduler.Call_Subscribe{FrameworkInfo: info},
	}
	if f.ID != "" {
		info.ID = &wire.FrameworkID{Value: string(f.ID)}
		call.FrameworkID = &wire.FrameworkID{Value: string(f.ID)}
	}
	return call
}

// callToWire translates a call of a framework that is subscribed in a role.
func callToWire(c mesos.Call, framework mesos.FrameworkID, role string) *scheduler.Call {
	out := &scheduler.Call{FrameworkID: &wire.FrameworkID{Value: string(framework)}}
	switch c := c.(type) {
	case mesos.Accept:
		out.Type = scheduler.Call_ACCEPT
		out.Accept = &scheduler.Call_Accept{
			OfferIDs: offersToWire(c.Offers),
			Filters:  filtersToWire(c.Refuse),
		}
		for _, op := range c.Operations {
			out.Accept.Operations = append(out.Accept.Operations,
				operationToWire(op, framework, role))
		}
	case mesos.Decline:
		out.Type = scheduler.Call_DECLINE
		out.Decline = &scheduler.Call_Decline{
			OfferIDs: offersToWire(c.Offers),
			Filters:  filtersToWire(c.Refuse),
		}
	case mesos.Revive:
		out.Type = scheduler.Call_REVIVE
	case mesos.Suppress:
		out.Type = scheduler.Call_SUPPRESS
	case mesos.Kill:
		out.Type = scheduler.Call_KILL
		out.Kill = killToWire(c)
	case mesos.Acknowledge:
		out.Type = scheduler.Call_ACKNOWLEDGE
		out.Acknowledge = &scheduler.Call_Acknowledge{
			AgentID: wire.AgentID{Value: string(c.Agent)},
			TaskID:  wire.TaskID{Value: string(c.Task)},
			UUID:    c.UUID,
		}
	case mesos.Reconcile:
		out.Type = scheduler.Call_RECONCILE
		out.Reconcile = reconcileToWire(c)
	case mesos.AcknowledgeOperation:
		out.Type = scheduler.Call_ACKNOWLEDGE_OPERATION_STATUS
		out.AcknowledgeOperationStatus = &scheduler.Call_AcknowledgeOperationStatus{
			AgentID:     &wire.AgentID{Value: string(c.Agent)},
			UUID:        c.UUID,
			OperationID: wire.OperationID{Value: string(c.ID)},
		}
	case mesos.ReconcileOperations:
		out.Type = scheduler.Call_RECONCILE_OPERATIONS
		out.ReconcileOperations = reconcileOperationsToWire(c)
	case mesos.AcceptInverse:
		out.Type = scheduler.Call_ACCEPT_INVERSE_OFFERS
		out.AcceptInverseOffers = &scheduler.Call_AcceptInverseOffers{
			InverseOfferIDs: offersToWire(c.Offers), Filters: filtersToWire(c.Refuse)}
	case mesos.DeclineInverse:
		out.Type = scheduler.Call_DECLINE_INVERSE_OFFERS
		out.DeclineInverseOffers = &scheduler.Call_DeclineInverseOffers{
			InverseOfferIDs: offersToWire(c.Offers), Filters: filtersToWire(c.Refuse)}
	case mesos.Teardown:
		out.Type = scheduler.Call_TEARDOWN
	default:
		panic(fmt.Sprintf("mesoshttp: call of unknown type %T", c))
	}
	return out
}

func killToWire(c mesos.Kill) *scheduler.Call_Kill {
	out := &scheduler.Call_Kill{TaskID: wire.TaskID{Value: string(c.Task)}}
	if c.Agent != "" {
		out.AgentID = &wire.AgentID{Value: string(c.Agent)}
	}
	if c.Grace != nil {
		out.KillPolicy = &wire.KillPolicy{
			GracePeriod: &wire.DurationInfo{Nanoseconds: int64(*c.Grace)},
		}
	}
	return out
}

func reconcileToWire(c mesos.Reconcile) *scheduler.Call_Reconcile {
	out := &scheduler.Call_Reconcile{Tasks: []scheduler.Call_Reconcile_Task{}}
	for _, t := range c.Tasks {
		task := scheduler.Call_Reconcile_Task{TaskID: wire.TaskID{Value: string(t.Task)}}
		if t.Agent != "" {
			task.AgentID = &wire.AgentID{Value: string(t.Agent)}
		}
		out.Tasks = append(out.Tasks, task)
	}
	return out
}

func reconcileOperationsToWire(
	c mesos.ReconcileOperations,
) *scheduler.Call_ReconcileOperations {
	out := &scheduler.Call_ReconcileOperations{
		Operations: []scheduler.Call_ReconcileOperations_Operation{}}
	for _, o := range c.Operations {
		operation := scheduler.Call_ReconcileOperations_Operation{
			OperationID: wire.OperationID{Value: string(o.ID)}}
		if o.Agent != "" {
			operation.AgentID = &wire.AgentID{Value: string(o.Agent)}
		}
		out.Operations = append(out.Operations, operation)
	}
	return out
}

func operationToWire(
	op mesos.Operation, framework mesos.FrameworkID, role string,
) wire.Offer_Operation {
	switch op := op.(type) {
	case mesos.Reserve:
		return wire.Offer_Operation{
			Type:    wire.Offer_Operation_RESERVE,
			ID:      operationIDToWire(op.ID),
			Reserve: &wire.Offer_Operation_Reserve{Resources: resourcesToWire(op.Resources, role)},
		}
	case mesos.Unreserve:
		return wire.Offer_Operation{
			Type: wire.Offer_Operation_UNRESERVE,
			ID:   operationIDToWire(op.ID),
			Unreserve: &wire.Offer_Operation_Unreserve{
				Resources: resourcesToWire(op.Resources, role),
			},
		}
	case mesos.Create:
		return wire.Offer_Operation{
			Type:   wire.Offer_Operation_CREATE,
			ID:     operationIDToWire(op.ID),
			Create: &wire.Offer_Operation_Create{Volumes: resourcesToWire(op.Volumes, role)},
		}
	case mesos.Destroy:
		return wire.Offer_Operation{
			Type:    wire.Offer_Operation_DESTROY,
			ID:      operationIDToWire(op.ID),
			Destroy: &wire.Offer_Operation_Destroy{Volumes: resourcesToWire(op.Volumes, role)},
		}
	case mesos.Launch:
		launch := &wire.Offer_Operation_Launch{}
		for _, t := range op.Tasks {
			launch.TaskInfos = append(launch.TaskInfos, taskToWire(t, framework, role))
		}
		return wire.Offer_Operation{Type: wire.Offer_Operation_LAUNCH, Launch: launch}
	default:
		panic(fmt.Sprintf("mesoshttp: operation of unknown type %T", op))
	}
}

func operationIDToWire(id mesos.OperationID) *wire.OperationID {
	if id == "" {
		return nil
	}
	return &wire.OperationID{Value: string(id)}
}

func offersToWire(ids []mesos.OfferID) []wire.OfferID {
	out := make([]wire.OfferID, 0, len(ids))
	for _, id := range ids {
		out = append(out, wire.OfferID{Value: string(id)})
	}
	return out
}

// filtersToWire always gives a filter: without one Mesos refuses for five seconds.
func filtersToWire(refuse time.Duration) *wire.Filters {
	seconds := refuse.Seconds()
	return &wire.Filters{RefuseSeconds: &seconds}
}

// eventFromWire translates what the machine is to know; ok is false for all other events.
// SUBSCRIBED and ERROR are among them: the client itself acts on these, too.
func eventFromWire(e *scheduler.Event) (event mesos.Event, ok bool) {
	switch e.Type {
	case scheduler.Event_SUBSCRIBED:
		return mesos.Subscribed{
			Framework: mesos.FrameworkID(e.GetSubscribed().GetFrameworkID().GetValue()),
			Master:    masterAddress(e.GetSubscribed().GetMasterInfo()),
		}, e.Subscribed != nil
	case scheduler.Event_OFFERS:
		var offers mesos.Offers
		for i := range e.GetOffers().GetOffers() {
			offers.Offers = append(offers.Offers, offerFromWire(&e.Offers.Offers[i]))
		}
		return offers, len(offers.Offers) > 0
	case scheduler.Event_INVERSE_OFFERS:
		offers := inverseFromWire(e.GetInverseOffers().GetInverseOffers())
		return offers, len(offers.Offers) > 0
	case scheduler.Event_RESCIND:
		id := e.GetRescind().GetOfferID()
		return mesos.Rescinded{Offer: mesos.OfferID(id.Value)}, e.Rescind != nil
	case scheduler.Event_UPDATE:
		if e.Update == nil {
			return nil, false
		}
		return mesos.Updated{Status: statusFromWire(&e.Update.Status)}, true
	case scheduler.Event_UPDATE_OPERATION_STATUS:
		if e.UpdateOperationStatus == nil {
			return nil, false
		}
		return operationFromWire(&e.UpdateOperationStatus.Status), true
	case scheduler.Event_FAILURE:
		return mesos.ExecutorFailed{
			Agent:    mesos.AgentID(e.GetFailure().GetAgentID().GetValue()),
			Executor: mesos.ExecutorID(e.GetFailure().GetExecutorID().GetValue()),
			Status:   int(e.GetFailure().GetStatus()),
		}, e.Failure != nil
	case scheduler.Event_ERROR:
		return mesos.Refused{Message: e.GetError().GetMessage()}, true
	default:
		return nil, false
	}
}

// inverseFromWire leaves out those that name no agent: this framework is asked for none.
func inverseFromWire(list []wire.InverseOffer) (out mesos.InverseOffers) {
	for i := range list {
		o := &list[i]
		if o.AgentID == nil {
			continue
		}
		out.Offers = append(out.Offers, mesos.InverseOffer{
			ID: mesos.OfferID(o.OfferID.Value), Agent: mesos.AgentID(o.AgentID.Value),
			Unavailable: mesos.Unavailability{
				Start:    time.Unix(0, o.Unavailability.Start.Nanoseconds).UTC(),
				Duration: durationFromWire(o.Unavailability.Duration),
			}})
	}
	return out
}

func operationFromWire(s *wire.OperationStatus) mesos.OperationUpdated {
	out := mesos.OperationUpdated{
		ID:      mesos.OperationID(s.GetOperationID().GetValue()),
		State:   operationState(s.State),
		Message: s.GetMessage(),
		Agent:   mesos.AgentID(s.GetAgentID().GetValue()),
	}
	if s.UUID != nil {
		out.UUID = s.UUID.Value
	}
	return out
}

// operationState names a state; one that is newer than this project says as little as UNKNOWN.
func operationState(s wire.OperationState) string {
	if name := s.String(); slices.Contains(mesos.OperationStates, name) {
		return name
	}
	return mesos.OperationUnknown
}

// masterAddress gives host:port of the master, by its IP address where it names one.
func masterAddress(m *wire.MasterInfo) string {
	if m == nil {
		return ""
	}
	if a := m.Address; a != nil {
		host := a.GetIP()
		if host == "" {
			host = a.GetHostname()
		}
		return hostPort(host, int(a.Port))
	}
	return hostPort(m.GetHostname(), int(m.GetPort()))
}
