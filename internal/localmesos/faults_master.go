package localmesos

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

// What a master answers while it cannot answer.
const (
	noLeader    = "No leader elected"
	notFinished = "Master has not finished recovery"
)

// Times of a fail-over, unless the fault names others.
const (
	recoveryTime = time.Second
	rejoinTime   = 2 * time.Second
)

// failOver ends the leading master and puts another in its place: the streams are cut without
// an end, requests are answered 503 while nobody leads and while the new one reads its
// registry, and then frameworks can subscribe again. Agents register a while later; until
// then nothing is offered, and nothing is said about their tasks.
func (c *Cluster) failOver(f Fault) string {
	election, recovery := f.Election.or(0), f.For.or(recoveryTime)
	c.faults.recovery.cancel()
	c.refuseAll(noLeader)
	c.cutStreams()
	c.removeOffers(false, func(*offer) bool { return true })
	for _, a := range c.agents {
		c.forgetAgent(a)
	}
	c.masterID, c.nextOffer, c.nextFW, c.nextAgent = uuid.NewString(), 0, 0, 0
	recover := func() {
		c.refuseAll(notFinished)
		c.faults.recovery = c.later(recovery, func() { c.lead(f.Rejoin.or(rejoinTime)) })
	}
	switch {
	case c.cfg.Stepped: // see Recover, Lead and Rejoin
	case election > 0:
		c.faults.recovery = c.later(election, recover)
	default:
		recover()
	}
	return fmt.Sprintf("the master has failed over: no leader for %s, then %s of recovery; "+
		"agents register again after %s more", election, recovery, f.Rejoin.or(rejoinTime))
}

func (c *Cluster) refuseAll(why string) { c.faults.refusal.Store(&why) }

// cutStreams breaks the connections of frameworks and watchers, as a process that dies does.
func (c *Cluster) cutStreams() {
	for _, id := range sortedKeys(c.frameworks) {
		if f := c.frameworks[id]; f.connected() {
			c.after(f.stream.cut)
			c.disconnect(f)
			f.recovered = !f.Completed
		}
	}
	for s := range c.watchers {
		c.after(s.cut)
		c.unwatch(s)
	}
}

// forgetAgent leaves of an agent what stands in the registry.
func (c *Cluster) forgetAgent(a *agentNode) {
	switch {
	case !a.present || a.Gone || a.out.forgotten():
		return
	case a.out == nil:
		a.out = &outage{kind: rejoining, since: time.Now()}
	}
	a.out.recovered, a.out.heard = true, nil
	if c.cfg.ForgetfulMaster {
		a.out.recovered, a.out.unknown, a.out.unreachable = false, true, time.Now()
	}
}

// lead lets the new master answer, and agents register with it a little later.
func (c *Cluster) lead(rejoin time.Duration) {
	c.started = time.Now()
	c.faults.refusal.Store(nil)
	if !c.cfg.Stepped {
		c.faults.recovery = c.later(rejoin, c.rejoinAll)
	}
}

// rejoinAll has the agents register with a new master.
func (c *Cluster) rejoinAll() {
	for _, a := range c.agents {
		if a.out != nil && a.out.kind == rejoining {
			c.rejoin(a)
		}
	}
}

// rescindOffers takes offers back, of one agent or all.
func (c *Cluster) rescindOffers(f Fault) (string, error) {
	var of *agentNode
	if f.Agent != "" {
		a, err := c.faultAgent(f.Agent)
		if err != nil {
			return "", err
		}
		of = a
	}
	n := len(c.offers)
	c.removeOffers(true, func(o *offer) bool { return of == nil || o.agent == of })
	return fmt.Sprintf("%d offers are rescinded", n-len(c.offers)), nil
}

// unreachableStatus answers a reconciliation that concerns an agent which the master has given
// up, or nothing.
func (c *Cluster) unreachableStatus(
	f *framework, q scheduler.Call_Reconcile_Task,
) (mesos.TaskStatus, bool) {
	if o := c.outageOf(q.AgentID.GetValue()); q.AgentID != nil && o.forgotten() {
		if o.unknown {
			return c.masterStatus(q.TaskID, *q.AgentID, mesos.TASK_UNKNOWN,
				mesos.REASON_RECONCILIATION, "Reconciliation: Task is unknown"), true
		}
		s := c.masterStatus(q.TaskID, *q.AgentID, mesos.TASK_UNREACHABLE,
			mesos.REASON_RECONCILIATION, "Reconciliation: Task is unreachable")
		s.UnreachableTime = &mesos.TimeInfo{Nanoseconds: o.unreachable.UnixNano()}
		return s, true
	}
	t := c.tasks[taskKey(f.id, q.TaskID.Value)]
	if t == nil || q.AgentID != nil || !c.outageOf(t.Agent).forgotten() {
		return mesos.TaskStatus{}, false
	}
	return c.masterStatus(q.TaskID, mesos.AgentID{}, mesos.TASK_UNKNOWN,
		mesos.REASON_RECONCILIATION, "Reconciliation: Task is unknown"), true
}
