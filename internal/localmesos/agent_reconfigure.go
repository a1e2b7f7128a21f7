package localmesos

import (
	"fmt"
	"slices"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
)

// Reconfigure gives an agent that is away the resources and attributes of other flags, in the
// form of Agent.Resources and Agent.TypedAttributes. Of what it had nothing may change; only
// with Mesos's reconfiguration policy "additive" may there be more. Otherwise the process of a
// real agent ends, and the error says why.
func (c *Cluster) Reconfigure(name, resources, attributes string, additive bool) error {
	err, gone := ask(c, func() error {
		a, err := c.faultAgent(name)
		if err != nil {
			return err
		}
		if a.out == nil {
			return fmt.Errorf("agent %s is there", name)
		}
		return c.reconfigure(a, resources, attributes, additive)
	})
	if gone != nil {
		return gone
	}
	return err
}

func (c *Cluster) reconfigure(a *agentNode, resources, attributes string, additive bool) error {
	to := a.cfg
	to.Resources, to.TypedAttributes = resources, attributes
	if _, err := flagResources(resources); err != nil {
		return fmt.Errorf("the resources of agent %s: %w", a.Name, err)
	}
	old, more := a.cfg.resources(), to.resources()
	grown, larger := minus(more, old)
	kept := containsAttributes(to.attributes(), a.cfg.attributes())
	same := larger && kept && len(grown) == 0 && containsAttributes(a.cfg.attributes(),
		to.attributes())
	switch {
	case same:
		return nil
	case !additive:
		return fmt.Errorf("agent %s has changed, and its reconfiguration policy is equal", a.Name)
	case !larger || !kept:
		return fmt.Errorf("agent %s lacks some of what it had", a.Name)
	}
	a.cfg = to
	a.setTotal(plus(a.total(), grown))
	c.saveAgent(a)
	return nil
}

// containsAttributes tells whether all of some attributes are among others.
func containsAttributes(all, some []mesos.Attribute) bool {
	return !slices.ContainsFunc(some, func(want mesos.Attribute) bool {
		return !slices.ContainsFunc(all, func(have mesos.Attribute) bool {
			return have.Equal(want)
		})
	})
}
