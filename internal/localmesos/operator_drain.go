package localmesos

import (
	"net/http"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/master"
)

// draining is an agent's way out: its tasks are ended, and nothing is offered of
// it until it is reactivated.
type draining struct {
	Since time.Time
	// Grace caps the grace periods of the tasks, if it is set.
	Grace *time.Duration
	// MarkGone removes the agent for ever in the end.
	MarkGone bool
	Done     bool
}

// drainCall carries out the calls that take agents out of use, or returns nil.
func (c *Cluster) drainCall(call *master.Call) *reply {
	switch call.Type {
	case master.Call_DRAIN_AGENT:
		d := &draining{Since: time.Now(), MarkGone: call.DrainAgent.GetMarkGone()}
		if g := call.DrainAgent.MaxGracePeriod; g != nil {
			grace := time.Duration(g.GetSeconds())*time.Second + time.Duration(g.GetNanos())
			d.Grace = &grace
		}
		return c.startDraining(call.DrainAgent.AgentID.Value, d)
	case master.Call_DEACTIVATE_AGENT:
		a := c.agentByID(call.DeactivateAgent.AgentID.Value)
		if a == nil {
			return fail(http.StatusBadRequest, "Unknown agent")
		}
		c.deactivate(a)
		return &reply{status: http.StatusOK}
	case master.Call_REACTIVATE_AGENT:
		a := c.agentByID(call.ReactivateAgent.AgentID.Value)
		if a == nil || !a.Deactivated {
			return fail(http.StatusBadRequest, "Agent is not deactivated")
		}
		a.Deactivated, a.Draining = false, nil
		c.saveAgent(a)
		c.scheduleAllocation()
		return &reply{status: http.StatusOK}
	}
	return nil
}

// deactivate keeps an agent from being offered.
func (c *Cluster) deactivate(a *agentNode) {
	a.Deactivated = true
	c.saveAgent(a)
	c.removeOffers(true, func(o *offer) bool { return o.agent == a })
}

func (c *Cluster) startDraining(id string, d *draining) *reply {
	a := c.agentByID(id)
	if a == nil {
		return fail(http.StatusBadRequest, "Unknown agent")
	}
	a.Draining = d
	c.deactivate(a)
	for _, t := range c.tasksOn(a) {
		if !t.terminal() {
			c.killTask(t, d.policy(t))
		}
	}
	c.whenDrained(a)
	return &reply{status: http.StatusOK}
}

// policy is how a task of a draining agent is killed: as it wants, but not slower
// than the operator does.
func (d *draining) policy(t *task) *mesos.KillPolicy {
	grace := defaultKillGrace
	if p := t.Info.V.KillPolicy; p != nil && p.GracePeriod != nil {
		grace = durationOf(p.GracePeriod)
	}
	if d.Grace == nil || grace <= *d.Grace {
		return t.Info.V.KillPolicy
	}
	return &mesos.KillPolicy{GracePeriod: &mesos.DurationInfo{Nanoseconds: int64(*d.Grace)}}
}

// whenDrained notes that an agent has no task left.
func (c *Cluster) whenDrained(a *agentNode) {
	if a.Draining == nil || a.Draining.Done || len(a.tasks) > 0 {
		return
	}
	a.Draining.Done = true
	c.saveAgent(a)
	if a.Draining.MarkGone {
		c.markGone(a.id)
	}
}

// decorate says of an update from an executor that its agent is being drained.
func (a *agentNode) decorate(s *mesos.TaskStatus) {
	d := a.Draining
	if d == nil || d.Done {
		return
	}
	if state := s.GetState(); state == mesos.TASK_KILLING || isTerminal(state) {
		s.Reason = mesos.REASON_AGENT_DRAINING.Enum()
		if d.MarkGone {
			s.State, s.Message = mesos.TASK_GONE_BY_OPERATOR.Enum(), nil
		}
	}
}

func (d *draining) view() *mesos.DrainInfo {
	if d == nil {
		return nil
	}
	info := &mesos.DrainInfo{State: mesos.DrainState_DRAINING,
		Config: mesos.DrainConfig{MarkGone: &d.MarkGone}}
	if d.Done {
		info.State = mesos.DrainState_DRAINED
	}
	if d.Grace != nil {
		info.Config.MaxGracePeriod = &mesos.DurationInfo{Nanoseconds: int64(*d.Grace)}
	}
	return info
}
