package localmesos

import (
	"net/http"
	"slices"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/allocator"
	"github.com/mesos/mesos-go/api/v1/lib/executor"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

// schedulerCall carries out every call but SUBSCRIBE.
func (c *Cluster) schedulerCall(
	call *scheduler.Call, constraints requestedConstraints, streamID string,
) *reply {
	f := c.frameworks[call.FrameworkID.GetValue()]
	switch {
	case f == nil || f.Completed:
		return fail(http.StatusBadRequest, "Framework cannot be found")
	case !f.connected():
		return fail(http.StatusForbidden, "Framework is not subscribed")
	case streamID == "":
		return fail(http.StatusBadRequest,
			"All non-subscribe calls should include the 'Mesos-Stream-Id' header")
	case streamID != f.stream.id:
		return fail(http.StatusBadRequest, "The stream ID '%s' included in this request "+
			"didn't match the stream ID currently associated with framework ID %s", streamID, f.id)
	}
	switch call.Type {
	case scheduler.Call_TEARDOWN:
		c.removeFramework(f)
	case scheduler.Call_ACCEPT:
		c.receiveAccept(f, call.Accept)
	case scheduler.Call_DECLINE:
		c.decline(f, call.Decline)
	case scheduler.Call_REVIVE:
		c.revive(f, call.GetRevive().GetRoles())
	case scheduler.Call_SUPPRESS:
		c.suppress(f, call.GetSuppress().GetRoles())
	case scheduler.Call_ACCEPT_INVERSE_OFFERS:
		c.answerInverse(f, call.AcceptInverseOffers.InverseOfferIDs,
			allocator.InverseOfferStatus_ACCEPT, call.AcceptInverseOffers.Filters)
	case scheduler.Call_DECLINE_INVERSE_OFFERS:
		c.answerInverse(f, call.DeclineInverseOffers.InverseOfferIDs,
			allocator.InverseOfferStatus_DECLINE, call.DeclineInverseOffers.Filters)
	case scheduler.Call_KILL:
		c.kill(f, call.Kill)
	case scheduler.Call_SHUTDOWN:
		c.shutdown(f, call.Shutdown)
	case scheduler.Call_ACKNOWLEDGE:
		c.acknowledge(f, call.Acknowledge)
	case scheduler.Call_ACKNOWLEDGE_OPERATION_STATUS:
		c.acknowledgeOperation(f, call.AcknowledgeOperationStatus)
	case scheduler.Call_RECONCILE:
		c.reconcile(f, call.Reconcile.Tasks)
	case scheduler.Call_RECONCILE_OPERATIONS:
		c.reconcileOperations(f, call.ReconcileOperations.Operations)
	case scheduler.Call_MESSAGE:
		c.messageToExecutor(f, call.Message)
	case scheduler.Call_UPDATE_FRAMEWORK:
		return c.updateFramework(f, call.UpdateFramework, constraints)
	}
	return accepted()
}

func (c *Cluster) decline(f *framework, call *scheduler.Call_Decline) {
	for _, id := range call.OfferIDs {
		if o := c.offers[id.Value]; o != nil && o.framework == f {
			c.removeOffer(o, false)
			c.refuse(f, o, o.resources, call.Filters)
		}
	}
}

// rolesOrAll limits roles to those of the framework; none named means all.
func rolesOrAll(f *framework, roles []string) []string {
	all := rolesOf(&f.Info.V)
	if len(roles) == 0 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(roles), func(r string) bool {
		return !slices.Contains(all, r)
	})
}

func (c *Cluster) revive(f *framework, roles []string) {
	roles = rolesOrAll(f, roles)
	for _, r := range roles {
		delete(f.Suppressed, r)
	}
	f.clearFilters(roles)
	c.saveFramework(f)
	c.allocateNow()
}

func (c *Cluster) suppress(f *framework, roles []string) {
	for _, r := range rolesOrAll(f, roles) {
		f.Suppressed[r] = true
	}
	c.saveFramework(f)
}

func (c *Cluster) updateFramework(
	f *framework, call *scheduler.Call_UpdateFramework, constraints requestedConstraints,
) *reply {
	info := call.FrameworkInfo
	if err := validateUpdateFramework(f, &info, call.SuppressedRoles); err != nil {
		return fail(http.StatusBadRequest, "FrameworkInfo update is not valid: %s", err)
	}
	if constraints.err != nil {
		return fail(http.StatusBadRequest, "%s", constraints.err)
	}
	before, suppressed := rolesOf(&f.Info.V), f.Suppressed
	c.changeFramework(f, info)
	f.constraints = constraints.set
	f.Suppressed = setOf(call.SuppressedRoles)
	f.clearFilters(slices.DeleteFunc(slices.Clone(rolesOf(&info)), func(role string) bool {
		stays := slices.Contains(before, role) && !suppressed[role]
		return stays || f.Suppressed[role]
	}))
	c.saveFramework(f)
	c.watchFramework(f, false)
	c.scheduleAllocation()
	return &reply{status: http.StatusOK}
}

func (c *Cluster) kill(f *framework, call *scheduler.Call_Kill) {
	t := c.tasks[taskKey(f.id, call.TaskID.Value)]
	if t == nil || call.AgentID == nil && c.outageOf(t.Agent).forgotten() {
		c.reconcile(f, []scheduler.Call_Reconcile_Task{
			{TaskID: call.TaskID, AgentID: call.AgentID}})
		return
	}
	c.killTask(t, call.KillPolicy)
}

func (c *Cluster) shutdown(f *framework, call *scheduler.Call_Shutdown) {
	a := c.agentByID(call.AgentID.Value)
	if a == nil {
		return
	}
	if e := a.executors[executorKey(f.id, call.ExecutorID.Value)]; e != nil {
		c.endExecutor(e, executorTerminated)
	}
}

func (c *Cluster) messageToExecutor(f *framework, call *scheduler.Call_Message) {
	a := c.agentByID(call.AgentID.Value)
	if a == nil {
		return
	}
	if e := a.executors[executorKey(f.id, call.ExecutorID.Value)]; e != nil {
		c.toExecutor(e, &executor.Event{Type: executor.Event_MESSAGE,
			Message: &executor.Event_Message{Data: call.Data}})
	}
}

// reconcile answers with the states of tasks: all of the framework's if none is
// named. While executors of an earlier run are still awaited, nothing is said
// about their tasks, nor about tasks that might be theirs.
func (c *Cluster) reconcile(f *framework, tasks []scheduler.Call_Reconcile_Task) {
	if len(tasks) == 0 {
		for _, t := range c.tasksOf(func(t *task) bool { return t.Framework == f.id }) {
			if !c.awaited(t) {
				c.sendStatus(f, c.knownStatus(t))
			}
		}
		return
	}
	for _, q := range tasks {
		if a := c.byID[q.AgentID.GetValue()]; a != nil && a.Gone {
			c.sendStatus(f, c.masterStatus(q.TaskID, *q.AgentID, mesos.TASK_GONE_BY_OPERATOR,
				mesos.REASON_RECONCILIATION, "Reconciliation: Task is gone"))
			continue
		}
		if s, ok := c.unreachableStatus(f, q); ok {
			c.sendStatus(f, s)
			continue
		}
		t := c.tasks[taskKey(f.id, q.TaskID.Value)]
		switch {
		case t != nil && c.awaited(t):
		case t != nil:
			c.sendStatus(f, c.knownStatus(t))
		case c.recovering(q.AgentID.GetValue()):
		case c.agentByID(q.AgentID.GetValue()) != nil:
			c.sendStatus(f, c.masterStatus(q.TaskID, *q.AgentID, mesos.TASK_GONE,
				mesos.REASON_RECONCILIATION, "Reconciliation: Task is unknown to the agent"))
		default:
			c.sendStatus(f, c.masterStatus(q.TaskID, mesos.AgentID{Value: q.AgentID.GetValue()},
				mesos.TASK_UNKNOWN, mesos.REASON_RECONCILIATION, "Reconciliation: Task is unknown"))
		}
	}
}

// knownStatus is the state that the scheduler was last told, or was about to be.
func (c *Cluster) knownStatus(t *task) mesos.TaskStatus {
	state := t.State
	if t.Sent != nil {
		state = t.Sent.V.GetState()
	}
	s := c.masterStatus(t.Info.V.TaskID, t.Info.V.AgentID, state, mesos.REASON_RECONCILIATION,
		"Reconciliation: Latest task state")
	if !t.commandTask() {
		s.ExecutorID = &mesos.ExecutorID{Value: t.Executor}
	}
	if t.Sent != nil {
		s.Healthy, s.CheckStatus = t.Sent.V.Healthy, t.Sent.V.CheckStatus
		s.ContainerStatus, s.Labels = t.Sent.V.ContainerStatus, t.Sent.V.Labels
	}
	return s
}
