package localmesos

import (
	"errors"
	"net/http"
	"path"
	"strings"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/agent"
)

// agentHandler serves everything at an agent's address.
func (c *Cluster) agentHandler(a *agentNode) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := trimPath(r.URL.Path, "/slave(1)")
		switch {
		case p == "/api/v1/executor":
			c.serveExecutor(a, w, r)
		case p == "/api/v1" || strings.HasPrefix(p, "/api/v1/"):
			c.serveAgentOperator(a, w, r)
		case path.Dir(p) == "/files":
			a.serveFiles(w, r, path.Base(p))
		case p == "/metrics/snapshot":
			c.serveSnapshot(w, func() []mesos.Metric { return c.agentMetrics(a) })
		case p == "/health":
			w.WriteHeader(http.StatusOK)
		case p == "/version":
			writeJSON(w, versionMap())
		default:
			notFound().write(w, false)
		}
	})
}

// serveAgentOperator is an agent's /api/v1.
func (c *Cluster) serveAgentOperator(a *agentNode, w http.ResponseWriter, r *http.Request) {
	if !checkMethod(w, r, http.MethodPost) {
		return
	}
	call := &agent.Call{}
	bad := readCall(r, call)
	if bad == nil {
		bad = validateOperatorCall("agent", call.Type.String(), call)
	}
	protobuf, ok := wantsProtobuf(r)
	if bad == nil && !ok {
		bad = notAcceptable()
	}
	if bad != nil {
		bad.write(w, false)
		return
	}
	if p := a.fileCall(call); p != nil {
		p.write(w, protobuf)
		return
	}
	p, err := ask(c, func() *reply { return c.agentCall(a, call) })
	if err != nil {
		p = fail(http.StatusServiceUnavailable, "%s", err)
	}
	p.write(w, protobuf)
}

// fileCall answers the calls that need the disk, outside of the loop.
func (a *agentNode) fileCall(call *agent.Call) *reply {
	switch call.Type {
	case agent.Call_LIST_FILES:
		infos, err := a.listFiles(call.ListFiles.Path)
		if err != nil {
			return fileError(err)
		}
		return answer(&agent.Response{Type: agent.Response_LIST_FILES,
			ListFiles: &agent.Response_ListFiles{FileInfos: infos}})
	case agent.Call_READ_FILE:
		length := int64(-1)
		if call.ReadFile.Length != nil {
			length = int64(min(*call.ReadFile.Length, maxRead))
		}
		if int64(call.ReadFile.Offset) < 0 {
			return fileError(errors.New("the offset is too large"))
		}
		size, data, err := a.readFile(call.ReadFile.Path, int64(call.ReadFile.Offset), length)
		if err != nil {
			return fileError(err)
		}
		return answer(&agent.Response{Type: agent.Response_READ_FILE,
			ReadFile: &agent.Response_ReadFile{Size_: uint64(size), Data: data}})
	}
	return nil
}

func (c *Cluster) agentCall(a *agentNode, call *agent.Call) *reply {
	r := &agent.Response{Type: agent.Response_Type(agent.Response_Type_value[call.Type.String()])}
	switch call.Type {
	case agent.Call_GET_HEALTH:
		r.GetHealth = &agent.Response_GetHealth{Healthy: true}
	case agent.Call_GET_VERSION:
		r.GetVersion = &agent.Response_GetVersion{
			VersionInfo: mesos.VersionInfo{Version: mesosVersion}}
	case agent.Call_GET_FLAGS:
		r.GetFlags = &agent.Response_GetFlags{Flags: c.flags()}
	case agent.Call_GET_METRICS:
		r.GetMetrics = &agent.Response_GetMetrics{Metrics: c.agentMetrics(a)}
	case agent.Call_GET_AGENT:
		info := a.info()
		r.GetAgent = &agent.Response_GetAgent{AgentInfo: &info}
	case agent.Call_GET_TASKS:
		r.GetTasks = c.agentTasks(a)
	case agent.Call_GET_EXECUTORS:
		r.GetExecutors = c.agentExecutors(a)
	case agent.Call_GET_FRAMEWORKS:
		r.GetFrameworks = c.agentFrameworks(a)
	case agent.Call_GET_OPERATIONS:
		r.GetOperations = &agent.Response_GetOperations{Operations: c.viewOperations(
			func(o *mesos.Operation) bool { return o.AgentID.GetValue() == a.id })}
	case agent.Call_GET_RESOURCE_PROVIDERS:
		r.GetResourceProviders = &agent.Response_GetResourceProviders{}
	case agent.Call_GET_CONTAINERS:
		r.GetContainers = containersOf(a)
	case agent.Call_GET_STATE:
		r.GetState = &agent.Response_GetState{GetTasks: c.agentTasks(a),
			GetExecutors: c.agentExecutors(a), GetFrameworks: c.agentFrameworks(a)}
	default:
		return fail(http.StatusNotImplemented, "%s is not supported here", call.Type)
	}
	return answer(r)
}

// agentMetrics are the counters and gauges of an agent.
func (c *Cluster) agentMetrics(a *agentNode) []mesos.Metric {
	values := map[string]float64{"slave/registered": 0, "slave/executors_preempted": 0,
		"slave/executors_registering": 0, "slave/executors_running": 0,
		"slave/executors_terminating": 0, "slave/executors_terminated": 0}
	if a.active() {
		values["slave/registered"] = 1
	}
	for _, e := range a.executors {
		switch {
		case e.Ending != nil:
			values["slave/executors_terminating"]++
		case e.Subscribed:
			values["slave/executors_running"]++
		default:
			values["slave/executors_registering"]++
		}
	}
	for _, e := range c.ended {
		if e.agent == a {
			values["slave/executors_terminated"]++
		}
	}
	for s := range mesos.TaskState_name {
		values["slave/tasks_"+stateName(mesos.TaskState(s))] = 0
	}
	for _, t := range a.tasks {
		values["slave/tasks_"+stateName(t.State)]++
	}
	return listMetrics(values)
}

func containersOf(a *agentNode) *agent.Response_GetContainers {
	out := &agent.Response_GetContainers{Containers: []agent.Response_GetContainers_Container{}}
	for _, e := range sortedExecutors(a) {
		out.Containers = append(out.Containers, agent.Response_GetContainers_Container{
			FrameworkID:  &mesos.FrameworkID{Value: e.Framework},
			ExecutorID:   &mesos.ExecutorID{Value: e.id},
			ExecutorName: ptr(e.Info.V.GetName()),
			ContainerID:  mesos.ContainerID{Value: e.Container},
			ContainerStatus: &mesos.ContainerStatus{
				ContainerID: &mesos.ContainerID{Value: e.Container},
				ExecutorPID: ptr(uint32(e.Process.PID))},
		})
	}
	return out
}
