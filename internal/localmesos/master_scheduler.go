package localmesos

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/google/uuid"
)

// serveScheduler is the master's /api/v1/scheduler.
func (c *Cluster) serveScheduler(w http.ResponseWriter, r *http.Request) {
	if !checkMethod(w, r, http.MethodPost) {
		return
	}
	call := &scheduler.Call{}
	body, bad := readBody(r)
	if bad == nil {
		bad = decodeCall(r, body, call)
	}
	if bad == nil {
		bad = validateSchedulerCall(call)
	}
	if bad == nil && call.Type == scheduler.Call_SUBSCRIBE {
		bad = checkPrincipal(c.principal(r), call.Subscribe.FrameworkInfo)
	}
	protobuf, ok := wantsProtobuf(r)
	streamID := r.Header.Get("Mesos-Stream-Id")
	if bad == nil && call.Type == scheduler.Call_SUBSCRIBE {
		switch {
		case !ok:
			bad = notAcceptable()
		case streamID != "":
			bad = fail(http.StatusBadRequest,
				"Subscribe calls should not include the 'Mesos-Stream-Id' header")
		}
	}
	if bad != nil {
		bad.write(w, false)
		return
	}
	constraints := requestedConstraints{}
	if r.Header.Get("Content-Type") == mediaJSON && (call.Type == scheduler.Call_SUBSCRIBE ||
		call.Type == scheduler.Call_UPDATE_FRAMEWORK) {
		constraints.set, constraints.err = offerConstraintsOf(body)
	}
	p, err := ask(c, func() *reply {
		if call.Type == scheduler.Call_SUBSCRIBE {
			return c.subscribe(call, constraints, protobuf)
		}
		return c.schedulerCall(call, constraints, streamID)
	})
	if err != nil {
		fail(http.StatusServiceUnavailable, "%s", err).write(w, false)
		return
	}
	if p.stream == nil {
		p.write(w, protobuf)
		return
	}
	p.stream.serve(w, r, c.stop)
	c.post(func() { c.schedulerGone(p.stream) })
}

// checkPrincipal compares who subscribes with whom the framework names.
func checkPrincipal(authenticated string, info *mesos.FrameworkInfo) *reply {
	if authenticated == "" || info.Principal == nil || info.GetPrincipal() == authenticated {
		return nil
	}
	return fail(http.StatusBadRequest, "Failed to validate scheduler::Call: Authenticated "+
		"principal '%s' does not match principal '%s' set in `FrameworkInfo`", authenticated,
		info.GetPrincipal())
}

// validateSchedulerCall checks what can be checked without any state.
func validateSchedulerCall(call *scheduler.Call) *reply {
	invalid := func(what string) *reply {
		return fail(http.StatusBadRequest, "Failed to validate scheduler::Call: %s", what)
	}
	expect := func(present bool, name string) *reply {
		if present {
			return nil
		}
		return invalid("Expecting '" + name + "' to be present")
	}
	if call.Type == scheduler.Call_UNKNOWN {
		return expect(false, "type")
	}
	if call.Type == scheduler.Call_SUBSCRIBE {
		if call.Subscribe == nil {
			return expect(false, "subscribe")
		}
		if call.FrameworkID.GetValue() != call.Subscribe.FrameworkInfo.ID.GetValue() {
			return invalid("'framework_id' differs from 'subscribe.framework_info.id'")
		}
		return nil
	}
	if call.FrameworkID == nil {
		return expect(false, "framework_id")
	}
	switch call.Type {
	case scheduler.Call_ACCEPT:
		return expect(call.Accept != nil, "accept")
	case scheduler.Call_DECLINE:
		return expect(call.Decline != nil, "decline")
	case scheduler.Call_ACCEPT_INVERSE_OFFERS:
		return expect(call.AcceptInverseOffers != nil, "accept_inverse_offers")
	case scheduler.Call_DECLINE_INVERSE_OFFERS:
		return expect(call.DeclineInverseOffers != nil, "decline_inverse_offers")
	case scheduler.Call_KILL:
		return expect(call.Kill != nil, "kill")
	case scheduler.Call_SHUTDOWN:
		return expect(call.Shutdown != nil, "shutdown")
	case scheduler.Call_ACKNOWLEDGE:
		if call.Acknowledge != nil && !isUUID(call.Acknowledge.UUID) {
			return invalid("Not a valid UUID")
		}
		return expect(call.Acknowledge != nil, "acknowledge")
	case scheduler.Call_ACKNOWLEDGE_OPERATION_STATUS:
		ack := call.AcknowledgeOperationStatus
		switch {
		case ack == nil:
			return expect(false, "acknowledge_operation_status")
		case !isUUID(ack.UUID):
			return invalid("Not a valid UUID")
		}
		return expect(ack.AgentID != nil, "agent_id")
	case scheduler.Call_RECONCILE:
		return expect(call.Reconcile != nil, "reconcile")
	case scheduler.Call_RECONCILE_OPERATIONS:
		return expect(call.ReconcileOperations != nil, "reconcile_operations")
	case scheduler.Call_MESSAGE:
		return expect(call.Message != nil, "message")
	case scheduler.Call_REQUEST:
		return expect(call.Request != nil, "request")
	case scheduler.Call_UPDATE_FRAMEWORK:
		return expect(call.UpdateFramework != nil, "update_framework")
	}
	return nil
}

// toFramework sends an event if the framework is connected.
func (c *Cluster) toFramework(f *framework, ev *scheduler.Event) {
	if !c.spoil(f, ev) {
		c.push(f, ev)
	}
}

func (c *Cluster) push(f *framework, ev *scheduler.Event) {
	s := f.stream
	if s == nil {
		return
	}
	c.after(func() {
		if err := s.push(ev); err != nil {
			c.log.Error("an event cannot be encoded", "framework", f.id, "error", err)
		}
	})
}

// refuseSubscription is a stream with one ERROR event.
func (c *Cluster) refuseSubscription(protobuf bool, message string) *reply {
	s := newStream(uuid.NewString(), protobuf)
	c.closeWithError(s, message)
	return &reply{status: http.StatusOK, stream: s}
}

func (c *Cluster) closeWithError(s *stream, message string) {
	c.after(func() {
		ev := &scheduler.Event{Type: scheduler.Event_ERROR,
			Error: &scheduler.Event_Error{Message: message}}
		if err := s.push(ev); err != nil {
			c.log.Error("an event cannot be encoded", "error", err)
		}
		s.close()
	})
}

// subscribe connects a framework: a new one, or one that comes back.
func (c *Cluster) subscribe(
	call *scheduler.Call, constraints requestedConstraints, protobuf bool,
) *reply {
	info, suppressed := *call.Subscribe.FrameworkInfo, call.Subscribe.SuppressedRoles
	if err := validateFramework(&info, suppressed); err != nil {
		return c.refuseSubscription(protobuf, err.Error())
	}
	if constraints.err != nil {
		return c.refuseSubscription(protobuf, constraints.err.Error())
	}
	id := info.ID.GetValue()
	f := c.frameworks[id]
	now := time.Now()
	switch {
	case f == nil:
		if id == "" {
			id = fmt.Sprintf("%s-%04d", c.masterID, c.nextFW)
			c.nextFW++
		}
		info.ID = &mesos.FrameworkID{Value: id}
		if info.Checkpoint == nil {
			info.Checkpoint = ptr(false)
		}
		f = &framework{id: id, Info: frameworkInfo{info}, Registered: now, Reregistered: now}
		c.frameworks[id] = f
		defer c.watchFramework(f, true)
	case f.Completed:
		return c.refuseSubscription(protobuf, "Framework has been removed")
	case f.Info.V.GetPrincipal() != info.GetPrincipal():
		return c.refuseSubscription(protobuf, "Changing framework's principal is not allowed.")
	default:
		c.changeFramework(f, info)
		f.Reregistered = now
		defer c.watchFramework(f, false)
	}
	f.Suppressed, f.constraints = setOf(suppressed), constraints.set
	c.saveFramework(f)
	c.connect(f, newStream(uuid.NewString(), protobuf))
	return &reply{status: http.StatusOK, stream: f.stream}
}

func setOf(items []string) map[string]bool {
	out := map[string]bool{}
	for _, s := range items {
		out[s] = true
	}
	return out
}

// connect gives a framework its stream, and takes the old one away.
func (c *Cluster) connect(f *framework, s *stream) {
	failedOver := f.stream != nil
	if failedOver {
		c.closeWithError(f.stream, "Framework failed over")
	}
	c.removeOffers(false, func(o *offer) bool { return o.framework == f })
	f.failover.cancel()
	f.heartbeat.cancel()
	f.clearFilters(rolesOf(&f.Info.V))
	f.stream, f.recovered = s, false
	s.limit += len(c.agents) * backlogPerAgent // all offers may come as one event
	c.toFramework(f, &scheduler.Event{Type: scheduler.Event_SUBSCRIBED,
		Subscribed: &scheduler.Event_Subscribed{
			FrameworkID:              &mesos.FrameworkID{Value: f.id},
			HeartbeatIntervalSeconds: ptr(c.cfg.HeartbeatInterval.Seconds()),
			MasterInfo:               c.masterInfo(),
		}})
	c.beat(f)
	if failedOver {
		c.scheduleAllocation()
	} else {
		c.allocateNow()
	}
	c.resendAll(f)
}

func (c *Cluster) beat(f *framework) {
	c.toFramework(f, &scheduler.Event{Type: scheduler.Event_HEARTBEAT})
	f.heartbeat = c.later(c.cfg.HeartbeatInterval, func() { c.beat(f) })
}

// changeFramework takes over what may change; user and checkpoint may not, and
// are silently kept.
func (c *Cluster) changeFramework(f *framework, info mesos.FrameworkInfo) {
	old := f.Info.V
	info.ID, info.User, info.Checkpoint, info.Principal =
		old.ID, old.User, old.Checkpoint, old.Principal
	f.Info.V = info
	roles := rolesOf(&info)
	c.removeOffers(true, func(o *offer) bool {
		return o.framework == f && !slices.Contains(roles, o.role)
	})
}

// schedulerGone is called when a scheduler's stream has ended.
func (c *Cluster) schedulerGone(s *stream) {
	for _, id := range sortedKeys(c.frameworks) {
		if f := c.frameworks[id]; f.stream == s {
			c.disconnect(f)
		}
	}
}

func (c *Cluster) disconnect(f *framework) {
	f.heartbeat.cancel()
	f.stream = nil
	for _, t := range c.tasks {
		if t.Framework == f.id {
			t.retry.cancel()
		}
	}
	c.removeOffers(false, func(o *offer) bool { return o.framework == f })
	c.awaitFailover(f)
}

// awaitFailover removes a framework that does not come back in time.
func (c *Cluster) awaitFailover(f *framework) {
	timeout := time.Duration(max(f.Info.V.GetFailoverTimeout(), 0) * float64(time.Second))
	if timeout == 0 {
		c.removeFramework(f)
		return
	}
	f.failover = c.later(timeout, func() { c.removeFramework(f) })
}

// removeFramework ends a framework for ever: its executors are shut down, its
// tasks forgotten. Reservations and volumes stay.
func (c *Cluster) removeFramework(f *framework) {
	f.heartbeat.cancel()
	f.failover.cancel()
	c.removeOffers(false, func(o *offer) bool { return o.framework == f })
	f.clearFilters(rolesOf(&f.Info.V))
	for _, a := range c.agents {
		for _, e := range sortedExecutors(a) {
			if e.Framework != f.id {
				continue
			}
			// The master counts them as free at once, though processes may linger.
			e.Released = true
			for _, t := range c.executorTasks(e) {
				if !t.terminal() {
					e.Orphans = append(e.Orphans, *t)
				}
			}
			a.touch()
			c.endExecutor(e, executorTerminated)
		}
	}
	for _, t := range c.tasksOf(func(t *task) bool { return t.Framework == f.id }) {
		if !t.terminal() {
			t.State = mesos.TASK_KILLED
			c.stats.count(t.State)
			s := c.masterStatus(t.Info.V.TaskID, t.Info.V.AgentID, mesos.TASK_KILLED,
				mesos.REASON_FRAMEWORK_REMOVED, "Framework "+f.id+" removed")
			t.Statuses = append(t.Statuses, taskStatus{s})
			c.watchTaskUpdated(t, s)
		}
		c.removeTask(t)
	}
	for _, o := range c.sortedOperations() {
		if o.Op.V.GetFrameworkID().GetValue() == f.id {
			c.removeOperation(o)
		}
	}
	if s := f.stream; s != nil {
		f.stream = nil
		c.after(s.close)
	}
	f.Completed, f.Unregistered = true, time.Now()
	c.saveFramework(f)
	c.watchFrameworkRemoved(f)
	c.forgetFrameworks()
	c.scheduleAllocation()
}

// forgetFrameworks keeps the 50 latest completed frameworks.
func (c *Cluster) forgetFrameworks() {
	var done []*framework
	for _, id := range sortedKeys(c.frameworks) {
		if c.frameworks[id].Completed {
			done = append(done, c.frameworks[id])
		}
	}
	slices.SortStableFunc(done, func(x, y *framework) int {
		return x.Unregistered.Compare(y.Unregistered)
	})
	for _, f := range done[:max(0, len(done)-50)] {
		delete(c.frameworks, f.id)
		c.drop(bucketFrameworks, f.id)
	}
}
