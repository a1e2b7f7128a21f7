package localmesos

import (
	"fmt"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
)

// UnregisterAgent is SIGUSR1 of an agent's process: it tells the master that it
// leaves, ends its executors and itself.
func (c *Cluster) UnregisterAgent(name string) error {
	err, gone := ask(c, func() error {
		a, err := c.faultAgent(name)
		if err != nil {
			return err
		}
		return c.unregister(a)
	})
	if gone != nil {
		return gone
	}
	return err
}

func (c *Cluster) unregister(a *agentNode) error {
	if a.out != nil || a.Gone {
		return fmt.Errorf("agent %s is not registered", a.Name)
	}
	c.removeOffers(true, func(o *offer) bool { return o.agent == a })
	why := "Agent " + a.cfg.Hostname + " removed: the agent unregistered"
	for _, t := range c.tasksOn(a) {
		if f := c.frameworks[t.Framework]; f != nil {
			c.loseTask(f, t, mesos.REASON_AGENT_REMOVED, why)
		}
	}
	c.tellFailure(a)
	c.watchAgentRemoved(a)
	c.sendOff(a, false)
	return nil
}

// sendOff ends the process of an agent that the master has removed, with its
// executors. It may come back, with its id or another one.
func (c *Cluster) sendOff(a *agentNode, newID bool) {
	for _, e := range sortedExecutors(a) {
		e.Unknown = true
	}
	if a.out == nil {
		if _, err := c.powerOff(a, Fault{NewID: newID, Timeout: Span(time.Hour)}); err != nil {
			c.log.Error("an agent cannot be ended", "agent", a.Name, "error", err)
			return
		}
	}
	a.out.giveUp.cancel()
	a.out.unreachable, a.out.newID = a.out.since, newID
}
