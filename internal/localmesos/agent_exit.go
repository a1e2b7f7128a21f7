package localmesos

import (
	"cmp"
	"context"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/executor"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

func durationOf(d *mesos.DurationInfo) time.Duration { return time.Duration(d.Nanoseconds) }

// killRest kills what is left of a session.
func (c *Cluster) killRest(p process) {
	ctx, cancel := context.WithTimeout(c.ctx, killTimeout)
	defer cancel()
	if err := p.killSession(ctx); err != nil {
		c.log.Error("processes of an executor cannot be killed", "session", p.PID, "error", err)
	}
}

// endExecutor asks an executor to shut down, and kills it after the grace period.
func (c *Cluster) endExecutor(e *executorRun, why ending) {
	if e.Ending != nil {
		return
	}
	e.Ending = &why
	c.saveExecutor(e)
	e.timeout.cancel()
	if c.cfg.Simulate {
		c.simulateExit(e)
		return
	}
	if e.Process.PID == 0 {
		return // executorPrepared abandons it.
	}
	grace := cmp.Or(e.agent.cfg.ShutdownGrace, c.cfg.ShutdownGrace)
	if g := e.Info.V.ShutdownGracePeriod; g != nil {
		grace = durationOf(g)
	}
	c.toExecutor(e, &executor.Event{Type: executor.Event_SHUTDOWN})
	e.grace = c.later(grace, func() { c.killExecutor(e) })
}

// killExecutor kills the executor's session; its watcher sees the end of it.
func (c *Cluster) killExecutor(e *executorRun) {
	if c.cfg.Simulate {
		c.next(func() { c.executorEnded(e, nil) })
		return
	}
	p := e.Process
	if p.PID == 0 {
		return
	}
	c.after(func() { c.background(func() { c.killRest(p) }) })
}

// executorEnded is called once, when no process of the executor is left or it
// could not be started. Its unfinished tasks end with it.
func (c *Cluster) executorEnded(e *executorRun, status *int32) {
	if e.agent.executors[e.key()] != e || c.holdsExit(e, status) {
		return
	}
	if e.abandoned {
		status = ptr(int32(0)) // It never began.
	}
	e.timeout.cancel()
	e.grace.cancel()
	if s := e.stream; s != nil {
		e.stream = nil
		c.after(s.close)
	}
	delete(e.agent.executors, e.key())
	e.agent.touch()
	c.drop(bucketExecutors, e.recordKey())
	c.ended = append(c.ended, e)
	c.ended = c.ended[max(0, len(c.ended)-50):]
	c.log.Info("executor ended", "agent", e.agent.Name, "framework", e.Framework, "executor", e.id)

	f := c.frameworks[e.Framework]
	if f != nil && !f.Completed && !e.Generated && !e.Unknown {
		failure := &scheduler.Event{Type: scheduler.Event_FAILURE,
			Failure: &scheduler.Event_Failure{
				AgentID:    &mesos.AgentID{Value: e.Agent},
				ExecutorID: &mesos.ExecutorID{Value: e.id},
				Status:     status,
			}}
		c.whenHeard(e.agent, func() { c.toFramework(f, failure) })
	}
	why := executorTerminated
	if e.Ending != nil {
		why = *e.Ending
	}
	for _, t := range c.executorTasks(e) {
		if !t.terminal() {
			c.agentUpdate(t, why)
		}
	}
	if !c.cfg.Simulate {
		c.after(func() { c.background(func() { c.forgetSecrets(e) }) })
		c.collectSandboxes(e.agent)
	}
	c.scheduleAllocation()
	c.checkIdle()
}

// agentUpdate ends a task by a status of the agent's own making.
func (c *Cluster) agentUpdate(t *task, why ending) {
	c.addUpdate(t, mesos.TaskStatus{
		TaskID: t.Info.V.TaskID, State: why.State.Enum(), Message: &why.Message,
		Source: mesos.SOURCE_AGENT.Enum(), Reason: why.Reason.Enum(),
		AgentID:    &mesos.AgentID{Value: t.Agent},
		ExecutorID: &mesos.ExecutorID{Value: t.Executor},
		Timestamp:  ptr(seconds(time.Now())), UUID: newUUID(),
	})
}
