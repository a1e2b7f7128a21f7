package localmesos

import (
	"fmt"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

// acceptance is one ACCEPT under way: the operations are applied one after the
// other to what remains of the offers.
type acceptance struct {
	c         *Cluster
	framework *framework
	offers    []*offer
	agent     *agentNode
	role      string
	remaining []mesos.Resource
}

// accept carries out an ACCEPT. What its operations do not use is declined.
func (c *Cluster) accept(f *framework, call *scheduler.Call_Accept) {
	offers, err := c.acceptedOffers(f, call.OfferIDs)
	for _, o := range offers {
		c.removeOffer(o, false)
	}
	if err != nil {
		c.refuseOperations(f, call.Operations, err)
		return
	}
	x := &acceptance{c: c, framework: f, offers: offers, agent: offers[0].agent,
		role: offers[0].role}
	for _, o := range offers {
		x.remaining = plus(x.remaining, o.resources)
	}
	for i := range call.Operations {
		op := &call.Operations[i]
		eachResources(op, func(rs []mesos.Resource) {
			upgrade(rs)
			for i := range rs {
				if rs[i].AllocationInfo == nil {
					rs[i].AllocationInfo = &mesos.Resource_AllocationInfo{Role: &x.role}
				}
			}
		})
		x.apply(op)
	}
	c.refuse(f, offers[0], x.remaining, call.Filters)
	c.scheduleAllocation()
}

// acceptedOffers finds the offers of an ACCEPT. Together with an error it
// returns those that exist, since they are used up all the same.
func (c *Cluster) acceptedOffers(f *framework, ids []mesos.OfferID) ([]*offer, error) {
	var out []*offer
	var err error
	keep := func(e error) {
		if err == nil {
			err = e
		}
	}
	seen := map[string]bool{}
	for _, id := range ids {
		o := c.offers[id.Value]
		switch {
		case seen[id.Value]:
			keep(fmt.Errorf("Duplicate offer %s in offer list", id.Value))
			continue
		case o == nil:
			keep(fmt.Errorf("Offer %s is no longer valid", id.Value))
			continue
		case o.framework != f:
			keep(fmt.Errorf("Offer %s has invalid framework %s while framework %s is expected",
				id.Value, o.framework.id, f.id))
			continue
		case len(out) > 0 && o.role != out[0].role:
			keep(fmt.Errorf("Aggregated offers must be allocated to the same role. "+
				"Offer %s uses role '%s but another is using role '%s",
				id.Value, o.role, out[0].role))
		case len(out) > 0 && o.agent != out[0].agent:
			keep(fmt.Errorf("Aggregated offers must belong to one single agent. "+
				"Offer %s uses agent %s and agent %s", id.Value, o.agent.id, out[0].agent.id))
		}
		seen[id.Value] = true
		out = append(out, o)
	}
	if len(out) == 0 {
		keep(fmt.Errorf("No offers specified"))
	}
	return out, err
}

// refuseOperations answers the operations of an ACCEPT with invalid offers.
func (c *Cluster) refuseOperations(f *framework, ops []mesos.Offer_Operation, err error) {
	for i := range ops {
		op := &ops[i]
		for _, t := range operationTasks(op) {
			c.sendStatus(f, c.masterStatus(t.TaskID, t.AgentID, mesos.TASK_DROPPED,
				mesos.REASON_INVALID_OFFERS, "Task launched with invalid offers: "+err.Error()))
		}
		if op.ID != nil && !isLaunch(op) {
			c.operationError(f, op, "Operation attempted with invalid offers: "+err.Error())
		}
	}
}

func isLaunch(op *mesos.Offer_Operation) bool {
	return op.Type == mesos.Offer_Operation_LAUNCH || op.Type == mesos.Offer_Operation_LAUNCH_GROUP
}

func operationTasks(op *mesos.Offer_Operation) []mesos.TaskInfo {
	switch op.Type {
	case mesos.Offer_Operation_LAUNCH:
		return op.GetLaunch().GetTaskInfos()
	case mesos.Offer_Operation_LAUNCH_GROUP:
		if g := op.LaunchGroup; g != nil {
			return g.TaskGroup.Tasks
		}
	}
	return nil
}

// eachResources visits every list of resources in an operation.
func eachResources(op *mesos.Offer_Operation, visit func([]mesos.Resource)) {
	for _, t := range op.GetLaunch().GetTaskInfos() {
		visit(t.Resources)
		if t.Executor != nil {
			visit(t.Executor.Resources)
		}
	}
	if g := op.LaunchGroup; g != nil {
		visit(g.Executor.Resources)
		for _, t := range g.TaskGroup.Tasks {
			visit(t.Resources)
			if t.Executor != nil {
				visit(t.Executor.Resources)
			}
		}
	}
	visit(op.GetReserve().GetResources())
	visit(op.GetUnreserve().GetResources())
	visit(op.GetCreate().GetVolumes())
	visit(op.GetDestroy().GetVolumes())
	one := func(r *mesos.Resource) {
		list := []mesos.Resource{*r}
		visit(list)
		*r = list[0]
	}
	if g := op.GrowVolume; g != nil {
		one(&g.Volume)
		one(&g.Addition)
	}
	if s := op.ShrinkVolume; s != nil {
		one(&s.Volume)
	}
}

func (x *acceptance) apply(op *mesos.Offer_Operation) {
	switch op.Type {
	case mesos.Offer_Operation_UNKNOWN:
	case mesos.Offer_Operation_LAUNCH:
		x.launch(op)
	case mesos.Offer_Operation_LAUNCH_GROUP:
		x.launchGroup(op)
	default:
		x.reshape(op)
	}
}

func (x *acceptance) taskError(t mesos.TaskInfo, reason mesos.TaskStatus_Reason, message string) {
	x.c.stats.count(mesos.TASK_ERROR)
	x.c.sendStatus(x.framework, x.c.masterStatus(t.TaskID, t.AgentID, mesos.TASK_ERROR, reason,
		message))
}
