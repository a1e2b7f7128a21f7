package localmesos

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/master"
)

// masterHandler serves everything at the master's address.
func (c *Cluster) masterHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := trimPath(r.URL.Path, "/master")
		if !c.authenticate(w, r, path) {
			return
		}
		switch {
		case path == "/api/v1/scheduler":
			c.serveScheduler(w, r)
		case path == "/api/v1" || strings.HasPrefix(path, "/api/v1/"):
			c.serveOperator(w, r)
		case path == "/health":
			w.WriteHeader(http.StatusOK)
		case path == "/version":
			writeJSON(w, versionMap())
		case path == "/redirect":
			w.Header().Set("Location", "//"+c.masterAddr())
			w.WriteHeader(http.StatusTemporaryRedirect)
		case path == "/teardown":
			c.serveTeardown(w, r)
		case path == "/metrics/snapshot":
			c.serveSnapshot(w, c.metrics)
		case path == "/flags":
			writeJSON(w, map[string]any{"flags": flagMap(c.flags())})
		default:
			notFound().write(w, false)
		}
	})
}

func versionMap() map[string]any { return map[string]any{"version": mesosVersion} }

func flagMap(flags []mesos.Flag) map[string]string {
	out := map[string]string{}
	for _, f := range flags {
		out[f.Name] = f.GetValue()
	}
	return out
}

func (c *Cluster) serveTeardown(w http.ResponseWriter, r *http.Request) {
	if !checkMethod(w, r, http.MethodPost) {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	id := r.PostFormValue("frameworkId")
	if id == "" {
		fail(http.StatusBadRequest, "Missing 'frameworkId' query parameter").write(w, false)
		return
	}
	p, err := ask(c, func() *reply { return c.teardown(id) })
	if err != nil {
		p = fail(http.StatusServiceUnavailable, "%s", err)
	}
	p.write(w, false)
}

func (c *Cluster) teardown(id string) *reply {
	f := c.frameworks[id]
	if f == nil || f.Completed {
		return fail(http.StatusBadRequest, "No framework found with specified ID")
	}
	c.removeFramework(f)
	return &reply{status: http.StatusOK}
}

func (c *Cluster) serveSnapshot(w http.ResponseWriter, of func() []mesos.Metric) {
	metrics, err := ask(c, of)
	if err != nil {
		fail(http.StatusServiceUnavailable, "%s", err).write(w, false)
		return
	}
	out := map[string]float64{}
	for _, m := range metrics {
		out[m.Name] = m.GetValue()
	}
	writeJSON(w, out)
}

// serveOperator is the master's /api/v1.
func (c *Cluster) serveOperator(w http.ResponseWriter, r *http.Request) {
	if !checkMethod(w, r, http.MethodPost) {
		return
	}
	call := &master.Call{}
	bad := readCall(r, call)
	if bad == nil {
		bad = validateOperatorCall("master", call.Type.String(), call)
	}
	protobuf, ok := wantsProtobuf(r)
	if bad == nil && !ok {
		bad = notAcceptable()
	}
	if bad != nil {
		bad.write(w, false)
		return
	}
	p, err := ask(c, func() *reply {
		if call.Type == master.Call_SUBSCRIBE {
			return c.watch(protobuf)
		}
		return c.operatorCall(call)
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
	c.post(func() { c.unwatch(p.stream) })
}

// validateOperatorCall checks that the type is known and that its own message,
// if the call has one, is there.
func validateOperatorCall(kind, name string, call any) *reply {
	expect := func(what string) *reply {
		return fail(http.StatusBadRequest,
			"Failed to validate %s::Call: Expecting '%s' to be present", kind, what)
	}
	if name == "UNKNOWN" {
		return expect("type")
	}
	field := strings.ToLower(name)
	if field == "get_containers" {
		return nil // Its message is optional.
	}
	v := reflect.ValueOf(call).Elem()
	for _, f := range fieldsOf(v.Type()) {
		if f.name == field && v.Field(f.index).IsNil() {
			return expect(field)
		}
	}
	return nil
}

func (c *Cluster) operatorCall(call *master.Call) *reply {
	for _, try := range []func(*master.Call) *reply{c.upkeepCall, c.drainCall, c.shareCall} {
		if p := try(call); p != nil {
			return p
		}
	}
	switch call.Type {
	case master.Call_RESERVE_RESOURCES, master.Call_UNRESERVE_RESOURCES,
		master.Call_CREATE_VOLUMES, master.Call_DESTROY_VOLUMES,
		master.Call_GROW_VOLUME, master.Call_SHRINK_VOLUME:
		return c.operatorReshape(call)
	case master.Call_TEARDOWN:
		return c.teardown(call.Teardown.FrameworkID.Value)
	case master.Call_MARK_AGENT_GONE:
		return c.markGone(call.MarkAgentGone.AgentID.Value)
	case master.Call_LIST_FILES, master.Call_READ_FILE:
		return &reply{status: http.StatusNotFound} // The master has no files.
	case master.Call_SET_LOGGING_LEVEL:
		return &reply{status: http.StatusOK}
	}
	return c.operatorView(call)
}

func (c *Cluster) operatorView(call *master.Call) *reply {
	r := &master.Response{Type: master.Response_Type(
		master.Response_Type_value[call.Type.String()])}
	switch call.Type {
	case master.Call_GET_HEALTH:
		r.GetHealth = &master.Response_GetHealth{Healthy: true}
	case master.Call_GET_VERSION:
		r.GetVersion = &master.Response_GetVersion{
			VersionInfo: mesos.VersionInfo{Version: mesosVersion}}
	case master.Call_GET_FLAGS:
		r.GetFlags = &master.Response_GetFlags{Flags: c.flags()}
	case master.Call_GET_METRICS:
		r.GetMetrics = &master.Response_GetMetrics{Metrics: c.metrics()}
	case master.Call_GET_LOGGING_LEVEL:
		r.GetLoggingLevel = &master.Response_GetLoggingLevel{}
	case master.Call_GET_MASTER:
		r.GetMaster = &master.Response_GetMaster{MasterInfo: c.masterInfo(),
			StartTime: ptr(seconds(c.started)), ElectedTime: ptr(seconds(c.started))}
	case master.Call_GET_AGENTS:
		r.GetAgents = c.viewAgents()
	case master.Call_GET_FRAMEWORKS:
		r.GetFrameworks = c.viewFrameworks()
	case master.Call_GET_TASKS:
		r.GetTasks = c.viewTasks()
	case master.Call_GET_EXECUTORS:
		r.GetExecutors = c.viewExecutors()
	case master.Call_GET_OPERATIONS:
		r.GetOperations = &master.Response_GetOperations{
			Operations: c.viewOperations(func(*mesos.Operation) bool { return true })}
	case master.Call_GET_ROLES:
		r.GetRoles = &master.Response_GetRoles{Roles: c.viewRoles()}
	case master.Call_GET_STATE:
		r.GetState = c.viewState()
	default:
		return fail(http.StatusNotImplemented, "%s is not supported here", call.Type)
	}
	return answer(r)
}

func (c *Cluster) viewState() *master.Response_GetState {
	return &master.Response_GetState{GetTasks: c.viewTasks(), GetExecutors: c.viewExecutors(),
		GetFrameworks: c.viewFrameworks(), GetAgents: c.viewAgents()}
}

// operationOf turns an operator's call into the operation of a framework.
func operationOf(call *master.Call) (string, mesos.Offer_Operation) {
	var op mesos.Offer_Operation
	switch call.Type {
	case master.Call_RESERVE_RESOURCES:
		op.Type = mesos.Offer_Operation_RESERVE
		op.Reserve = &mesos.Offer_Operation_Reserve{Source: call.ReserveResources.Source,
			Resources: call.ReserveResources.Resources}
		return call.ReserveResources.AgentID.Value, op
	case master.Call_UNRESERVE_RESOURCES:
		op.Type = mesos.Offer_Operation_UNRESERVE
		op.Unreserve = &mesos.Offer_Operation_Unreserve{
			Resources: call.UnreserveResources.Resources}
		return call.UnreserveResources.AgentID.Value, op
	case master.Call_CREATE_VOLUMES:
		op.Type = mesos.Offer_Operation_CREATE
		op.Create = &mesos.Offer_Operation_Create{Volumes: call.CreateVolumes.Volumes}
		return call.CreateVolumes.AgentID.Value, op
	case master.Call_DESTROY_VOLUMES:
		op.Type = mesos.Offer_Operation_DESTROY
		op.Destroy = &mesos.Offer_Operation_Destroy{Volumes: call.DestroyVolumes.Volumes}
		return call.DestroyVolumes.AgentID.Value, op
	case master.Call_GROW_VOLUME:
		op.Type = mesos.Offer_Operation_GROW_VOLUME
		op.GrowVolume = &mesos.Offer_Operation_GrowVolume{Volume: call.GrowVolume.Volume,
			Addition: call.GrowVolume.Addition}
		return call.GrowVolume.AgentID.GetValue(), op
	default:
		op.Type = mesos.Offer_Operation_SHRINK_VOLUME
		op.ShrinkVolume = &mesos.Offer_Operation_ShrinkVolume{Volume: call.ShrinkVolume.Volume,
			Subtract: call.ShrinkVolume.Subtract}
		return call.ShrinkVolume.AgentID.GetValue(), op
	}
}

// operatorReshape carries out an operator's reservation or volume operation.
// Offers that stand in its way are rescinded.
func (c *Cluster) operatorReshape(call *master.Call) *reply {
	id, op := operationOf(call)
	a := c.agentByID(id)
	if a == nil {
		return fail(http.StatusBadRequest, "No agent found with specified ID")
	}
	eachResources(&op, upgrade)
	conv, err := c.convert(a, &op, "", nil)
	if err != nil {
		where := fmt.Sprintf(" on agent %s at %s (%s)", a.id, a.pid(), a.cfg.Hostname)
		if op.Type == mesos.Offer_Operation_DESTROY {
			where = ""
		}
		return fail(http.StatusBadRequest, "Invalid %s operation%s: %s", op.Type, where, err)
	}
	unused, ok := minus(a.total(), unallocate(c.used(a)))
	if !ok || !containsAll(unused, conv.consumed) {
		return fail(http.StatusConflict, "%s does not contain %s", formatResources(a.total()),
			formatResources(conv.consumed))
	}
	c.removeOffers(true, func(o *offer) bool { return o.agent == a })
	c.changeTotal(a, &op, conv)
	return accepted()
}

// markGone removes an agent for ever.
func (c *Cluster) markGone(id string) *reply {
	var a *agentNode
	for _, known := range c.agents {
		if known.id == id {
			a = known
		}
	}
	switch {
	case a == nil:
		return fail(http.StatusNotFound, "Agent '%s' not found", id)
	case a.Gone:
		return &reply{status: http.StatusOK}
	}
	a.Gone = true
	c.saveAgent(a)
	c.removeOffers(true, func(o *offer) bool { return o.agent == a })
	for _, t := range c.tasksOf(func(t *task) bool { return t.Agent == id }) {
		if f := c.frameworks[t.Framework]; f != nil && !t.terminal() {
			t.State = mesos.TASK_GONE_BY_OPERATOR
			why := mesos.REASON_AGENT_REMOVED_BY_OPERATOR
			if !f.can(mesos.FrameworkInfo_Capability_PARTITION_AWARE) {
				why = mesos.REASON_AGENT_REMOVED
			}
			s := c.masterStatus(t.Info.V.TaskID, t.Info.V.AgentID, t.State, why,
				"Agent has been marked gone")
			s.ExecutorID = &mesos.ExecutorID{Value: t.Executor}
			t.Sent = &taskStatus{s}
			c.sendStatus(f, s)
			c.watchTaskUpdated(t, s)
		}
		c.removeTask(t)
	}
	for _, e := range sortedExecutors(a) {
		e.Unknown = true
		c.endExecutor(e, executorTerminated)
	}
	c.forgetFilters(a)
	if !a.out.forgotten() {
		c.tellFailure(a)
	}
	c.watchAgentRemoved(a)
	return &reply{status: http.StatusOK}
}
