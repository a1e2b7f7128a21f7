package localmesos

import (
	"net/http"
	"slices"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/executor"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

// serveExecutor is an agent's /api/v1/executor.
func (c *Cluster) serveExecutor(a *agentNode, w http.ResponseWriter, r *http.Request) {
	if !checkMethod(w, r, http.MethodPost) {
		return
	}
	call := &executor.Call{}
	bad := readCall(r, call)
	if bad == nil {
		bad = validateExecutorCall(call)
	}
	protobuf, ok := wantsProtobuf(r)
	if bad == nil && call.Type == executor.Call_SUBSCRIBE && !ok {
		bad = notAcceptable()
	}
	if bad != nil {
		bad.write(w, false)
		return
	}
	p, err := ask(c, func() *reply { return c.executorCall(a, call, protobuf) })
	if err != nil {
		fail(http.StatusServiceUnavailable, "%s", err).write(w, false)
		return
	}
	if p.stream == nil {
		p.write(w, protobuf)
		return
	}
	p.stream.serve(w, r, c.stop)
	c.post(func() { c.executorGone(a, call, p.stream) })
}

func validateExecutorCall(call *executor.Call) *reply {
	expect := func(name string) *reply {
		return fail(http.StatusBadRequest,
			"Failed to validate Executor::Call: Expecting '%s' to be present", name)
	}
	switch call.Type {
	case executor.Call_UNKNOWN:
		return expect("type")
	case executor.Call_SUBSCRIBE:
		if call.Subscribe == nil {
			return expect("subscribe")
		}
	case executor.Call_MESSAGE:
		if call.Message == nil {
			return expect("message")
		}
	case executor.Call_UPDATE:
		if call.Update == nil {
			return expect("update")
		}
		return validateUpdate(call, &call.Update.Status)
	}
	return nil
}

func validateUpdate(call *executor.Call, s *mesos.TaskStatus) *reply {
	invalid := func(format string, args ...any) *reply {
		return fail(http.StatusBadRequest, "Failed to validate Executor::Call: "+format, args...)
	}
	who := "executor " + call.ExecutorID.Value + " of framework " + call.FrameworkID.Value
	switch {
	case s.UUID == nil:
		return invalid("Expecting 'uuid' to be present")
	case !isUUID(s.UUID):
		return invalid("Not a valid UUID")
	case s.ExecutorID != nil && s.ExecutorID.Value != call.ExecutorID.Value:
		return invalid("ExecutorID in Call: %s does not match ExecutorID in TaskStatus: %s",
			call.ExecutorID.Value, s.ExecutorID.Value)
	case s.GetSource() != mesos.SOURCE_EXECUTOR:
		return invalid("Received Call from %s with invalid source, "+
			"expecting 'SOURCE_EXECUTOR'", who)
	case s.GetState() == mesos.TASK_STAGING:
		return invalid("Received TASK_STAGING from %s which is not allowed", who)
	}
	return nil
}

func (c *Cluster) executorCall(a *agentNode, call *executor.Call, protobuf bool) *reply {
	known := slices.ContainsFunc(sortedExecutors(a), func(e *executorRun) bool {
		return e.Framework == call.FrameworkID.Value
	})
	if !known {
		return fail(http.StatusBadRequest, "Framework cannot be found")
	}
	e := a.executors[executorKey(call.FrameworkID.Value, call.ExecutorID.Value)]
	if e == nil {
		return fail(http.StatusBadRequest, "Executor cannot be found")
	}
	switch call.Type {
	case executor.Call_SUBSCRIBE:
		return c.executorSubscribe(e, call.Subscribe, protobuf)
	case executor.Call_UPDATE:
		c.executorUpdate(e, call.Update.Status)
	case executor.Call_MESSAGE:
		c.messageFromExecutor(e, call.Message.Data)
	}
	return accepted()
}

// executorSubscribe connects an executor, for the first time or again.
func (c *Cluster) executorSubscribe(
	e *executorRun, call *executor.Call_Subscribe, protobuf bool,
) *reply {
	f := c.frameworks[e.Framework]
	if f == nil || e.Process.PID == 0 {
		return fail(http.StatusBadRequest, "Executor cannot be found")
	}
	if old := e.stream; old != nil {
		c.after(old.close)
	}
	again := e.Subscribed
	e.stream = newStream("", protobuf)
	e.Subscribed, e.recovering = true, false
	e.timeout.cancel()
	c.saveExecutor(e)
	c.toExecutor(e, &executor.Event{Type: executor.Event_SUBSCRIBED,
		Subscribed: &executor.Event_Subscribed{
			ExecutorInfo: e.Info.V, FrameworkInfo: c.infoOf(f), AgentInfo: e.agent.info(),
			ContainerID: &mesos.ContainerID{Value: e.Container},
		}})
	for _, u := range call.UnacknowledgedUpdates {
		call := &executor.Call{ExecutorID: e.Info.V.ExecutorID,
			FrameworkID: mesos.FrameworkID{Value: e.Framework}}
		if validateUpdate(call, &u.Status) == nil {
			c.executorUpdate(e, u.Status)
		}
	}
	if again {
		c.dropLostLaunches(e, call)
	}
	if e.Ending != nil {
		c.toExecutor(e, &executor.Event{Type: executor.Event_SHUTDOWN})
	} else {
		c.deliver(e)
	}
	return &reply{status: http.StatusOK, stream: e.stream}
}

// dropLostLaunches ends tasks whose LAUNCH did not reach the executor: it does
// not know them, and no update of them was ever received.
func (c *Cluster) dropLostLaunches(e *executorRun, call *executor.Call_Subscribe) {
	for _, t := range c.executorTasks(e) {
		known := slices.ContainsFunc(call.UnacknowledgedTasks, func(i mesos.TaskInfo) bool {
			return i.TaskID.Value == t.id()
		})
		if t.Delivered && t.State == mesos.TASK_STAGING && !known {
			c.agentUpdate(t, ending{mesos.TASK_DROPPED, mesos.REASON_AGENT_RESTARTED,
				"Task launched during agent restart"})
		}
	}
}

// executorGone is called when an executor's stream has ended.
func (c *Cluster) executorGone(a *agentNode, call *executor.Call, s *stream) {
	e := a.executors[executorKey(call.FrameworkID.Value, call.ExecutorID.Value)]
	if e != nil && e.stream == s {
		e.stream = nil
	}
}

// executorUpdate takes a status update: stored, then acknowledged to the
// executor, then forwarded.
func (c *Cluster) executorUpdate(e *executorRun, s mesos.TaskStatus) {
	s.AgentID = &mesos.AgentID{Value: e.Agent}
	e.agent.decorate(&s)
	if s.Timestamp == nil {
		s.Timestamp = ptr(seconds(time.Now()))
	}
	t := c.tasks[taskKey(e.Framework, s.TaskID.Value)]
	mine := t != nil && t.Agent == e.Agent && t.Executor == e.id
	switch {
	case mine && t.hasSeen(s.UUID):
		c.acknowledgeUpdate(e, s)
	case mine && !t.terminal():
		if s.ContainerStatus == nil {
			s.ContainerStatus = e.status()
		}
		c.acknowledgeUpdate(e, s)
		c.addUpdate(t, s)
	default: // Unknown or over: passed on once, as Mesos does.
		if f := c.frameworks[e.Framework]; f != nil && f.connected() && !e.Unknown {
			c.sendStatus(f, s)
		}
	}
}

func (c *Cluster) acknowledgeUpdate(e *executorRun, s mesos.TaskStatus) {
	c.toExecutor(e, &executor.Event{Type: executor.Event_ACKNOWLEDGED,
		Acknowledged: &executor.Event_Acknowledged{TaskID: s.TaskID, UUID: s.UUID}})
}

func (e *executorRun) status() *mesos.ContainerStatus {
	return &mesos.ContainerStatus{
		ContainerID: &mesos.ContainerID{Value: e.Container},
		NetworkInfos: []mesos.NetworkInfo{{IPAddresses: []mesos.NetworkInfo_IPAddress{{
			Protocol: mesos.IPv4.Enum(), IPAddress: ptr(e.agent.ip)}}}},
		ExecutorPID: ptr(uint32(e.Process.PID)),
	}
}

// toExecutor sends an event if the executor is connected.
func (c *Cluster) toExecutor(e *executorRun, ev *executor.Event) {
	s := e.stream
	if s == nil || e.agent.out.deaf() {
		return
	}
	c.after(func() {
		if err := s.push(ev); err != nil {
			c.log.Error("an event cannot be encoded", "executor", e.id, "error", err)
		}
	})
}

// deliver hands the waiting tasks to a connected executor, their volumes first,
// and then the kills that waited for it.
func (c *Cluster) deliver(e *executorRun) {
	if c.cfg.Simulate && e.Ending == nil {
		c.simulateTasks(e)
		return
	}
	if e.stream == nil || e.Ending != nil {
		return
	}
	waiting := slices.DeleteFunc(c.executorTasks(e), func(t *task) bool {
		return t.Delivered || t.terminal()
	})
	for len(waiting) > 0 {
		together := 1
		for waiting[0].Group != 0 && together < len(waiting) &&
			waiting[together].Group == waiting[0].Group {
			together++
		}
		c.deliverTogether(e, waiting[:together])
		waiting = waiting[together:]
	}
	for _, t := range c.executorTasks(e) {
		if t.killing && !t.terminal() {
			c.sendKill(e, t)
		}
	}
}

// deliverTogether sends a LAUNCH, or the LAUNCH_GROUP of a whole group.
func (c *Cluster) deliverTogether(e *executorRun, tasks []*task) {
	var infos []mesos.TaskInfo
	var volumes []mesos.Resource
	for _, t := range tasks {
		t.Delivered = true
		c.saveTask(t)
		infos = append(infos, t.Info.V)
		volumes = append(volumes, t.Info.V.Resources...)
	}
	ev := &executor.Event{Type: executor.Event_LAUNCH,
		Launch: &executor.Event_Launch{Task: infos[0]}}
	if tasks[0].Group != 0 {
		for i := range infos {
			infos[i].Executor = &e.Info.V
		}
		ev = &executor.Event{Type: executor.Event_LAUNCH_GROUP,
			LaunchGroup: &executor.Event_LaunchGroup{TaskGroup: mesos.TaskGroupInfo{Tasks: infos}}}
	}
	stream, user, sandbox := e.stream, c.executorUser(e), e.sandbox()
	c.after(func() {
		err := linkTask(e, sandbox, user, volumes)
		if err == nil {
			err = stream.push(ev)
		}
		if err != nil {
			c.next(func() {
				for _, t := range tasks {
					c.failLaunch(t, err)
				}
			})
		}
	})
}

func linkTask(e *executorRun, sandbox, user string, rs []mesos.Resource) error {
	own, err := lookupOwner(user)
	if err != nil {
		return err
	}
	return linkVolumes(e.agent, sandbox, rs, own)
}

func (c *Cluster) failLaunch(t *task, err error) {
	if !t.terminal() {
		c.agentUpdate(t, ending{mesos.TASK_FAILED, mesos.REASON_CONTAINER_LAUNCH_FAILED,
			"Failed to launch task: " + err.Error()})
	}
}

// sendKill sends the KILL that waits for the executor.
func (c *Cluster) sendKill(e *executorRun, t *task) {
	if c.cfg.Simulate {
		c.simulateEnd(t, mesos.TASK_KILLED)
		return
	}
	c.toExecutor(e, &executor.Event{Type: executor.Event_KILL,
		Kill: &executor.Event_Kill{TaskID: t.Info.V.TaskID, KillPolicy: t.kill}})
}

// killTask carries out a KILL of the scheduler.
func (c *Cluster) killTask(t *task, policy *mesos.KillPolicy) {
	e := c.executorOf(t)
	if c.losesKill(t, policy) || t.terminal() || e == nil {
		return
	}
	if !t.Delivered {
		c.killUndelivered(e, t)
		return
	}
	t.kill, t.killing = policy, true
	c.sendKill(e, t)
}

// killUndelivered ends a task, and its group, that its executor has not seen.
func (c *Cluster) killUndelivered(e *executorRun, t *task) {
	message := "Killed before delivery to the executor"
	if t.Group != 0 {
		message = "A task within the task group was killed before delivery to the executor"
	}
	for _, mate := range c.executorTasks(e) {
		if mate == t || t.Group != 0 && mate.Group == t.Group {
			c.agentUpdate(mate, ending{mesos.TASK_KILLED, mesos.REASON_TASK_KILLED_DURING_LAUNCH,
				message})
		}
	}
	unfinished := func(t *task) bool { return !t.terminal() }
	if !slices.ContainsFunc(c.executorTasks(e), unfinished) && !e.Subscribed {
		c.endExecutor(e, executorTerminated)
	}
}

func (c *Cluster) messageFromExecutor(e *executorRun, data []byte) {
	if f := c.frameworks[e.Framework]; f != nil && f.connected() && e.agent.out == nil {
		c.toFramework(f, &scheduler.Event{Type: scheduler.Event_MESSAGE,
			Message: &scheduler.Event_Message{AgentID: mesos.AgentID{Value: e.Agent},
				ExecutorID: e.Info.V.ExecutorID, Data: data}})
	}
}
