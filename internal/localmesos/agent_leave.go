package localmesos

import (
	"fmt"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
)

// UnregisterAgent is SIGUSR1 of an agent's process: it tells the master that it
// leaves, ends its executors and itself. When it returns, it is as a new agent.
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
	_, err := c.powerOff(a, Fault{NewID: true, Timeout: Span(1<<62 - 1)})
	if err == nil {
		a.out.giveUp.cancel()
		a.out.unreachable = a.out.since
	}
	return err
}
