package localmesos

import (
	"maps"
	"slices"
)

// What is looked up often is kept by agent as well, so that one agent's affairs cost the same
// in a small cluster and in a large one. Only these functions change the lists.

func (c *Cluster) addAgent(a *agentNode) {
	c.agents = append(c.agents, a)
	c.byID[a.id] = a
}

func (c *Cluster) addTask(t *task) {
	c.tasks[t.key()] = t
	if a := c.byID[t.Agent]; a != nil {
		a.tasks[t.key()] = t
		a.touch()
	}
	c.saveTask(t)
}

// forgetTask removes a task and its record.
func (c *Cluster) forgetTask(t *task) {
	delete(c.tasks, t.key())
	if a := c.byID[t.Agent]; a != nil {
		delete(a.tasks, t.key())
		a.touch()
	}
	c.drop(bucketTasks, t.key())
}

func (c *Cluster) addOffer(o *offer) {
	c.offers[o.id] = o
	o.agent.offers[o.id] = o
	o.agent.touch()
}

func (c *Cluster) forgetOffer(o *offer) {
	o.timeout.cancel()
	delete(c.offers, o.id)
	delete(o.agent.offers, o.id)
	o.agent.touch()
}

// touch tells that what is free of an agent may have changed.
func (a *agentNode) touch() { a.freeKnown = false }

// tasksOn returns an agent's tasks in the order of their launch.
func (c *Cluster) tasksOn(a *agentNode) []*task {
	return slices.SortedFunc(maps.Values(a.tasks), func(x, y *task) int {
		return compareUint(x.Seq, y.Seq)
	})
}

// offersOf returns an agent's offers in the order of their ids.
func (c *Cluster) offersOf(a *agentNode) []*offer {
	out := make([]*offer, 0, len(a.offers))
	for _, id := range sortedKeys(a.offers) {
		out = append(out, a.offers[id])
	}
	return out
}
