package localmesos

import (
	"slices"
	"strconv"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/agent"
	"github.com/mesos/mesos-go/api/v1/lib/master"
)

// The answers to the operators' GET calls. Lists that Mesos shows even when
// they are empty are made, not nil.

func timeInfo(t time.Time) *mesos.TimeInfo { return &mesos.TimeInfo{Nanoseconds: t.UnixNano()} }

// infoOf is a framework's info with what Mesos fills in.
func (c *Cluster) infoOf(f *framework) mesos.FrameworkInfo { return f.Info.V }

func (c *Cluster) viewFramework(f *framework) master.Response_GetFrameworks_Framework {
	out := master.Response_GetFrameworks_Framework{
		FrameworkInfo: c.infoOf(f), Active: f.connected(), Connected: f.connected(),
		Recovered: f.recovered, RegisteredTime: timeInfo(f.Registered),
		ReregisteredTime: timeInfo(f.Reregistered),
	}
	if f.recovered {
		out.RegisteredTime, out.ReregisteredTime = nil, nil
	}
	if f.Completed {
		out.UnregisteredTime = timeInfo(f.Unregistered)
		return out
	}
	var offered, used []mesos.Resource
	for _, id := range sortedKeys(c.offers) {
		if o := c.offers[id]; o.framework == f {
			out.Offers = append(out.Offers, c.offerFor(o))
			offered = append(offered, o.resources...)
		}
	}
	for _, a := range c.agents {
		for _, e := range sortedExecutors(a) {
			if e.Framework == f.id {
				used = plus(used, e.resources())
			}
		}
	}
	for _, t := range c.tasksOf(func(t *task) bool { return t.Framework == f.id }) {
		if !t.terminal() {
			used = append(used, t.Info.V.Resources...)
		}
	}
	if len(used) > 0 {
		out.AllocatedResources = endpointForm(plus(nil, used))
	}
	if len(offered) > 0 {
		out.OfferedResources = endpointForm(plus(nil, offered))
	}
	return out
}

func (c *Cluster) viewFrameworks() *master.Response_GetFrameworks {
	out := &master.Response_GetFrameworks{
		Frameworks:          []master.Response_GetFrameworks_Framework{},
		CompletedFrameworks: []master.Response_GetFrameworks_Framework{}}
	for _, id := range sortedKeys(c.frameworks) {
		if f := c.frameworks[id]; f.Completed {
			out.CompletedFrameworks = append(out.CompletedFrameworks, c.viewFramework(f))
		} else {
			out.Frameworks = append(out.Frameworks, c.viewFramework(f))
		}
	}
	return out
}

func (c *Cluster) viewAgent(a *agentNode) master.Response_GetAgents_Agent {
	out := master.Response_GetAgents_Agent{
		AgentInfo: a.info(), Active: a.out == nil && !a.Deactivated, Deactivated: &a.Deactivated,
		Version: mesosVersion, PID: ptr(a.pid()), RegisteredTime: timeInfo(a.Registered),
		TotalResources: endpointForm(a.total()),
		Capabilities: []mesos.AgentInfo_Capability{
			{Type: mesos.AgentInfo_Capability_MULTI_ROLE},
			{Type: mesos.AgentInfo_Capability_HIERARCHICAL_ROLE},
			{Type: mesos.AgentInfo_Capability_RESERVATION_REFINEMENT},
			{Type: mesos.AgentInfo_Capability_RESOURCE_PROVIDER},
			{Type: mesos.AgentInfo_Capability_RESIZE_VOLUME},
			{Type: mesos.AgentInfo_Capability_AGENT_OPERATION_FEEDBACK},
			{Type: mesos.AgentInfo_Capability_AGENT_DRAINING},
			{Type: mesos.AgentInfo_Capability_TASK_RESOURCE_LIMITS}},
	}
	if !a.Reregistered.IsZero() {
		out.ReregisteredTime = timeInfo(a.Reregistered)
	}
	if d := a.Draining; d != nil {
		out.DrainInfo, out.EstimatedDrainStartTime = d.view(), timeInfo(d.Since)
	}
	if used := c.used(a); len(used) > 0 {
		out.AllocatedResources = endpointForm(used)
	}
	if offered := c.offered(a); len(offered) > 0 {
		out.OfferedResources = endpointForm(offered)
	}
	return out
}

func (c *Cluster) viewAgents() *master.Response_GetAgents {
	out := &master.Response_GetAgents{Agents: []master.Response_GetAgents_Agent{},
		RecoveredAgents: []mesos.AgentInfo{}}
	for _, a := range c.agents {
		switch {
		case a.active():
			out.Agents = append(out.Agents, c.viewAgent(a))
		case a.present && !a.Gone && a.out.unregistered():
			out.RecoveredAgents = append(out.RecoveredAgents, a.info())
		}
	}
	return out
}

func viewTask(t *task) mesos.Task {
	out := mesos.Task{
		Name: t.Info.V.Name, TaskID: t.Info.V.TaskID,
		FrameworkID: mesos.FrameworkID{Value: t.Framework},
		AgentID:     t.Info.V.AgentID, State: t.State.Enum(),
		Resources: t.Info.V.Resources, Labels: t.Info.V.Labels,
		Discovery: t.Info.V.Discovery, Container: t.Info.V.Container,
		HealthCheck: t.Info.V.HealthCheck, KillPolicy: t.Info.V.KillPolicy,
	}
	if !t.commandTask() {
		out.ExecutorID = &mesos.ExecutorID{Value: t.Executor}
	}
	for _, s := range t.Statuses {
		out.Statuses = append(out.Statuses, s.V)
	}
	if t.Sent != nil {
		out.StatusUpdateState, out.StatusUpdateUUID = t.Sent.V.State, t.Sent.V.UUID
	}
	return out
}

func (c *Cluster) viewTasks() *master.Response_GetTasks {
	out := &master.Response_GetTasks{Tasks: []mesos.Task{}, UnreachableTasks: []mesos.Task{},
		CompletedTasks: []mesos.Task{}}
	for _, t := range c.tasksOf(func(*task) bool { return true }) {
		switch {
		case t.terminal():
			out.CompletedTasks = append(out.CompletedTasks, viewTask(t))
		case c.outageOf(t.Agent).forgotten():
			out.UnreachableTasks = append(out.UnreachableTasks, c.viewUnreachable(t))
		default:
			out.Tasks = append(out.Tasks, viewTask(t))
		}
	}
	for _, t := range c.completed {
		out.CompletedTasks = append(out.CompletedTasks, viewTask(t))
	}
	return out
}

// viewUnreachable is a task on an agent that was given up, with what was said of it then.
func (c *Cluster) viewUnreachable(t *task) mesos.Task {
	out, o := viewTask(t), c.outageOf(t.Agent)
	s := c.aboutTask(t, mesos.TASK_UNREACHABLE, mesos.REASON_AGENT_REMOVED,
		"health check timed out")
	s.UnreachableTime = &mesos.TimeInfo{Nanoseconds: o.unreachable.UnixNano()}
	s.Timestamp, s.ExecutorID = ptr(seconds(o.unreachable)), nil
	if f := c.frameworks[t.Framework]; f != nil {
		s.State = f.stateFor(s.GetState()).Enum()
	}
	out.State, out.Statuses = s.State, append(out.Statuses, s)
	return out
}

func (c *Cluster) viewExecutors() *master.Response_GetExecutors {
	out := &master.Response_GetExecutors{Executors: []master.Response_GetExecutors_Executor{}}
	for _, a := range c.agents {
		for _, e := range sortedExecutors(a) {
			if !e.Generated {
				out.Executors = append(out.Executors, master.Response_GetExecutors_Executor{
					ExecutorInfo: e.Info.V, AgentID: mesos.AgentID{Value: a.id}})
			}
		}
	}
	return out
}

func (c *Cluster) viewOperations(match func(*mesos.Operation) bool) []mesos.Operation {
	var out []mesos.Operation
	for _, o := range c.sortedOperations() {
		if match(&o.Op.V) {
			out = append(out, o.Op.V)
		}
	}
	return out
}

// viewRoles are the roles of frameworks and those above them, which have what those below have.
func (c *Cluster) viewRoles() []mesos.Role {
	byRole := map[string]*mesos.Role{}
	role := func(name string) *mesos.Role {
		if byRole[name] == nil {
			byRole[name] = &mesos.Role{Name: name, Weight: c.weight(name)}
		}
		return byRole[name]
	}
	for _, id := range sortedKeys(c.frameworks) {
		f := c.frameworks[id]
		if f.Completed {
			continue
		}
		for _, name := range rolesOf(&f.Info.V) {
			r := role(name)
			r.Frameworks = append(r.Frameworks, mesos.FrameworkID{Value: id})
			for i, letter := range name {
				if letter == '/' {
					role(name[:i])
				}
			}
		}
	}
	for _, a := range c.agents {
		held := append(c.used(a), c.offered(a)...)
		for _, name := range sortedKeys(byRole) {
			mine := slices.DeleteFunc(slices.Clone(held), func(r mesos.Resource) bool {
				return !inTree(r.GetAllocationInfo().GetRole(), name) || r.GetType() != mesos.SCALAR
			})
			if len(mine) > 0 {
				byRole[name].Resources = plus(byRole[name].Resources, stripped(mine))
			}
		}
	}
	roles := []mesos.Role{}
	for _, name := range sortedKeys(byRole) {
		roles = append(roles, *byRole[name])
	}
	return roles
}

// metrics are the counters and gauges of the master.
func (c *Cluster) metrics() []mesos.Metric {
	values := map[string]float64{"master/elected": 1, "master/frameworks_connected": 0,
		"master/frameworks_disconnected": 0, "master/slaves_active": 0,
		"master/slaves_connected": 0, "master/slaves_disconnected": 0,
		"master/slaves_inactive": 0, "master/slaves_unreachable": 0,
		"master/uptime_secs": time.Since(c.started).Seconds()}
	for _, s := range mesos.TaskState_name {
		state := mesos.TaskState(mesos.TaskState_value[s])
		name := "master/tasks_" + stateName(state)
		values[name] = 0
		if isTerminal(state) {
			values[name] = float64(c.stats.byState[state])
		}
	}
	for _, t := range c.tasks {
		if !t.terminal() {
			values["master/tasks_"+stateName(t.State)]++
		}
	}
	for _, f := range c.frameworks {
		switch {
		case f.Completed:
		case f.connected():
			values["master/frameworks_connected"]++
		default:
			values["master/frameworks_disconnected"]++
		}
	}
	values["master/frameworks_active"] = values["master/frameworks_connected"]
	values["master/frameworks_inactive"] = values["master/frameworks_disconnected"]
	for _, a := range c.agents {
		if a.present && !a.Gone && a.out.forgotten() && !a.cfg.Late {
			values["master/slaves_unreachable"]++
		}
		if a.active() {
			values["master/slaves_active"]++
			if a.out == nil {
				values["master/slaves_connected"]++
			} else {
				values["master/slaves_disconnected"]++
			}
		}
	}
	return listMetrics(values)
}

func listMetrics(values map[string]float64) []mesos.Metric {
	out := make([]mesos.Metric, 0, len(values))
	for _, k := range sortedKeys(values) {
		out = append(out, mesos.Metric{Name: k, Value: ptr(values[k])})
	}
	return out
}

func (c *Cluster) flags() []mesos.Flag {
	values := map[string]string{
		"allocation_interval":                 formatDuration(c.cfg.OfferInterval),
		"authenticate_frameworks":             "false",
		"authenticate_http_frameworks":        "false",
		"authenticate_http_readonly":          "false",
		"authenticate_http_readwrite":         "false",
		"cluster":                             c.cfg.ClusterName,
		"hostname":                            c.ip,
		"ip":                                  c.ip,
		"max_completed_frameworks":            "50",
		"min_allocatable_resources":           "cpus:0.01|mem:32",
		"port":                                strconv.Itoa(c.port),
		"executor_registration_timeout":       formatDuration(c.cfg.RegistrationTimeout),
		"executor_reregistration_timeout":     formatDuration(c.cfg.ReregistrationTimeout),
		"executor_shutdown_grace_period":      formatDuration(c.cfg.ShutdownGrace),
		"recovery_timeout":                    "15mins",
		"status_update_retry_interval_min":    formatDuration(c.cfg.UpdateRetry),
		"operation_status_retry_interval_min": formatDuration(c.cfg.UpdateRetry),
		"executor_sandboxes_kept_per_agent":   strconv.Itoa(c.cfg.KeepRuns),
		"work_dir":                            c.cfg.Dir,
		"scheduler_heartbeat_interval":        formatDuration(c.cfg.HeartbeatInterval),
		"silence_about_recovering_executors":  formatDuration(c.cfg.RecoveryWait),
	}
	var out []mesos.Flag
	for _, k := range sortedKeys(values) {
		out = append(out, mesos.Flag{Name: k, Value: ptr(values[k])})
	}
	return out
}

// agentTasks are the lists of an agent's GET_TASKS.
func (c *Cluster) agentTasks(a *agentNode) *agent.Response_GetTasks {
	out := &agent.Response_GetTasks{PendingTasks: []mesos.Task{}, QueuedTasks: []mesos.Task{},
		LaunchedTasks: []mesos.Task{}, TerminatedTasks: []mesos.Task{},
		CompletedTasks: []mesos.Task{}}
	for _, t := range c.tasksOf(func(t *task) bool { return t.Agent == a.id }) {
		switch {
		case t.terminal():
			out.TerminatedTasks = append(out.TerminatedTasks, viewTask(t))
		case t.Delivered:
			out.LaunchedTasks = append(out.LaunchedTasks, viewTask(t))
		default:
			out.QueuedTasks = append(out.QueuedTasks, viewTask(t))
		}
	}
	for _, e := range sortedExecutors(a) {
		for i := range e.Orphans {
			out.LaunchedTasks = append(out.LaunchedTasks, viewTask(&e.Orphans[i]))
		}
	}
	for _, t := range c.completed {
		if orphaned(a, t) {
			continue
		}
		if t.Agent == a.id {
			out.CompletedTasks = append(out.CompletedTasks, viewTask(t))
		}
	}
	return out
}

// orphaned tells whether an executor on an agent still runs a task of a framework that is gone.
func orphaned(a *agentNode, t *task) bool {
	e := a.executors[executorKey(t.Framework, t.Executor)]
	return e != nil && slices.ContainsFunc(e.Orphans, func(o task) bool { return o.id() == t.id() })
}

func (c *Cluster) agentExecutors(a *agentNode) *agent.Response_GetExecutors {
	out := &agent.Response_GetExecutors{Executors: []agent.Response_GetExecutors_Executor{},
		CompletedExecutors: []agent.Response_GetExecutors_Executor{}}
	for _, e := range sortedExecutors(a) {
		out.Executors = append(out.Executors,
			agent.Response_GetExecutors_Executor{ExecutorInfo: e.Info.V})
	}
	for _, e := range c.ended {
		if e.agent == a {
			out.CompletedExecutors = append(out.CompletedExecutors,
				agent.Response_GetExecutors_Executor{ExecutorInfo: e.Info.V})
		}
	}
	return out
}

func (c *Cluster) agentFrameworks(a *agentNode) *agent.Response_GetFrameworks {
	out := &agent.Response_GetFrameworks{Frameworks: []agent.Response_GetFrameworks_Framework{},
		CompletedFrameworks: []agent.Response_GetFrameworks_Framework{}}
	for _, id := range sortedKeys(c.frameworks) {
		mine := func(e *executorRun) bool { return e.Framework == id && e.agent == a }
		info := agent.Response_GetFrameworks_Framework{FrameworkInfo: c.infoOf(c.frameworks[id])}
		switch {
		case slices.ContainsFunc(sortedExecutors(a), mine):
			out.Frameworks = append(out.Frameworks, info)
		case slices.ContainsFunc(c.ended, mine):
			out.CompletedFrameworks = append(out.CompletedFrameworks, info)
		}
	}
	return out
}
