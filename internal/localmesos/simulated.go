package localmesos

import (
	"strconv"
	"strings"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"

	"github.com/kafka-sched/kafka-sched/executor"
)

// With Config.Simulate nothing runs. Agents have no address of their own, executors have no
// process, and tasks come to their states by themselves, as kafka-sched's executor reports
// them: STARTING, RUNNING, and ready where the task has a readiness check. They run until they
// are killed; one whose command is only "sleep N", or that has a label simulate-seconds,
// finishes after so many seconds. Volumes have no directories, sandboxes no files.
//
// This is the one place that reads what a framework's own executor is told, the Order.

// simulatedStart is how long a simulated task takes from STARTING to RUNNING.
const simulatedStart = 50 * time.Millisecond

// labelSeconds is the label of a task that finishes by itself in the simulation.
const labelSeconds = "simulate-seconds"

// simulateTasks launches the tasks that wait for a simulated executor.
func (c *Cluster) simulateTasks(e *executorRun) {
	e.Subscribed = true
	c.saveExecutor(e)
	for _, t := range c.executorTasks(e) {
		if !t.Delivered && !t.terminal() {
			t.Delivered = true
			c.simulatedUpdate(t, mesos.TASK_STARTING, nil, nil)
			c.goOn(t)
		}
	}
}

// goOn lets a task that starts run. It is also what a task of an earlier run is taken up with.
func (c *Cluster) goOn(t *task) {
	order, err := executor.DecodeOrder(t.Info.V.Data)
	if err != nil {
		order = executor.Order{} // An executor of another kind: there are no checks.
	}
	if t.State == mesos.TASK_STARTING {
		c.later(simulatedStart, func() { c.simulateRunning(t, order) })
	}
	if d := lifetime(&t.Info.V, order); d > 0 {
		c.later(simulatedStart+d, func() { c.simulateEnd(t, mesos.TASK_FINISHED) })
	}
}

func (c *Cluster) simulateRunning(t *task, order executor.Order) {
	if t.State != mesos.TASK_STARTING {
		return
	}
	c.simulatedUpdate(t, mesos.TASK_RUNNING, nil, nil)
	var ready, healthy *bool
	if order.Readiness != nil {
		ready = ptr(true)
	}
	if order.Health != nil {
		healthy = ptr(true)
	}
	if ready != nil || healthy != nil {
		c.simulatedUpdate(t, mesos.TASK_RUNNING, ready, healthy)
	}
}

// lifetime is after what time a task finishes by itself; 0 means never.
func lifetime(info *mesos.TaskInfo, order executor.Order) time.Duration {
	text, ok := strings.CutPrefix(strings.TrimSpace(order.Command), "sleep ")
	for _, l := range info.Labels.GetLabels() {
		if l.Key == labelSeconds {
			text, ok = l.GetValue(), true
		}
	}
	seconds, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if !ok || err != nil || seconds <= 0 || seconds > 1e6 {
		return 0
	}
	return time.Duration(seconds * float64(time.Second))
}

// simulatedUpdate is a status update as kafka-sched's executor sends it.
func (c *Cluster) simulatedUpdate(t *task, state mesos.TaskState, ready, healthy *bool) {
	e := c.executorOf(t)
	if e == nil || t.terminal() {
		return
	}
	s := mesos.TaskStatus{TaskID: t.Info.V.TaskID, State: &state,
		Source: mesos.SOURCE_EXECUTOR.Enum(), AgentID: &mesos.AgentID{Value: t.Agent},
		ExecutorID: &mesos.ExecutorID{Value: t.Executor}, UUID: newUUID(),
		Timestamp: ptr(seconds(time.Now())), Healthy: healthy, ContainerStatus: e.status()}
	if ready != nil {
		s.Reason = mesos.REASON_TASK_CHECK_STATUS_UPDATED.Enum()
		s.CheckStatus = &mesos.CheckStatusInfo{Type: mesos.CheckInfo_TCP.Enum(),
			TCP: &mesos.CheckStatusInfo_Tcp{Succeeded: ready}}
	}
	c.addUpdate(t, s)
}

// simulateEnd ends a task; with its last task an executor ends, too.
func (c *Cluster) simulateEnd(t *task, state mesos.TaskState) {
	e := c.executorOf(t)
	if e == nil || t.terminal() {
		return
	}
	c.simulatedUpdate(t, state, nil, nil)
	for _, other := range c.executorTasks(e) {
		if !other.terminal() {
			return
		}
	}
	c.later(simulatedStart, func() {
		for _, other := range c.executorTasks(e) {
			if !other.terminal() {
				return
			}
		}
		c.executorEnded(e, ptr(int32(0)))
	})
}

// simulateExit ends an executor with its tasks.
func (c *Cluster) simulateExit(e *executorRun) {
	c.next(func() {
		for _, t := range c.executorTasks(e) {
			c.simulatedUpdate(t, mesos.TASK_KILLED, nil, nil)
		}
		c.executorEnded(e, ptr(int32(0)))
	})
}

// simulateAgain takes up the tasks of an executor of an earlier run.
func (c *Cluster) simulateAgain(e *executorRun) {
	e.recovering = false
	for _, t := range c.executorTasks(e) {
		if !t.terminal() {
			c.goOn(t)
		}
	}
	c.simulateTasks(e)
}
