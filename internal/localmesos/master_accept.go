package localmesos

import (
	"fmt"
	"slices"

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
		case len(out) > 0 && o.agent != out[0].agent:
			keep(fmt.Errorf("Aggregated offers must belong to one single agent. "+
				"Offer %s uses agent %s and agent %s", id.Value, o.agent.id, out[0].agent.id))
		case len(out) > 0 && o.role != out[0].role:
			keep(fmt.Errorf("Aggregated offers must be allocated to the same role. "+
				"Offer %s uses role '%s' but another is using role '%s'",
				id.Value, o.role, out[0].role))
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
		for _, t := range operationTasks(op) {
			x.taskError(t, mesos.REASON_TASK_GROUP_INVALID,
				"Task groups are not supported here: LAUNCH tasks with an executor of their own")
		}
	default:
		x.reshape(op)
	}
}

func (x *acceptance) taskError(t mesos.TaskInfo, reason mesos.TaskStatus_Reason, message string) {
	x.c.stats.count(mesos.TASK_ERROR)
	x.c.sendStatus(x.framework, x.c.masterStatus(t.TaskID, t.AgentID, mesos.TASK_ERROR, reason,
		message))
}

// launch starts the tasks of a LAUNCH that are valid and fit.
func (x *acceptance) launch(op *mesos.Offer_Operation) {
	for _, t := range operationTasks(op) {
		if op.ID != nil {
			x.taskError(t, mesos.REASON_TASK_INVALID,
				"The `id` field cannot be set on LAUNCH operations")
			continue
		}
		if err := x.launchTask(t); err != nil {
			x.taskError(t, mesos.REASON_TASK_INVALID, err.Error())
		}
	}
}

func (x *acceptance) launchTask(t mesos.TaskInfo) error {
	t = completeTask(t, x.framework.id)
	if err := x.validateTask(&t); err != nil {
		return err
	}
	values := takeSecretValues(t.Executor)
	needed := plus(nil, t.Resources)
	key := executorKey(x.framework.id, t.Executor.ExecutorID.Value)
	if running := x.agent.executors[key]; running == nil {
		needed = plus(needed, t.Executor.Resources)
	} else if err := compatible(&running.Info.V, t.Executor); err != nil {
		return err
	}
	rest, ok := minus(x.remaining, needed)
	if !ok {
		return fmt.Errorf("Total resources %s required by task and its executor "+
			"is more than available %s", formatResources(needed), formatResources(x.remaining))
	}
	x.remaining = rest
	if x.loses(t) {
		return nil
	}
	x.c.launchOnAgent(x.framework, x.agent, t, values)
	return nil
}

// completeTask fills in what Mesos fills in; it copies what it changes.
func completeTask(t mesos.TaskInfo, framework string) mesos.TaskInfo {
	if t.Executor == nil {
		return t
	}
	e := *t.Executor
	if e.Type == mesos.ExecutorInfo_UNKNOWN {
		e.Type = mesos.ExecutorInfo_CUSTOM
	}
	if e.Command != nil && e.Command.Environment != nil {
		command := *e.Command
		vars := slices.Clone(e.Command.Environment.Variables)
		for i := range vars {
			vars[i].Type = vars[i].GetType().Enum()
		}
		command.Environment = &mesos.Environment{Variables: vars}
		e.Command = &command
	}
	if e.Container != nil {
		container := *e.Container
		container.Volumes = slices.Clone(e.Container.Volumes)
		e.Container = &container
	}
	t.Executor = &e
	return t
}

func (x *acceptance) validateTask(t *mesos.TaskInfo) error {
	if err := checkID(t.TaskID.Value); err != nil {
		return err
	}
	if (t.Command == nil) == (t.Executor == nil) {
		return fmt.Errorf("Task should have at least one (but not both) " +
			"of CommandInfo or ExecutorInfo present")
	}
	if t.AgentID.Value != x.agent.id {
		return fmt.Errorf("Task uses invalid agent %s while agent %s is expected",
			t.AgentID.Value, x.agent.id)
	}
	if x.c.tasks[taskKey(x.framework.id, t.TaskID.Value)] != nil {
		return fmt.Errorf("Task has duplicate ID: %s", t.TaskID.Value)
	}
	if len(t.Resources) == 0 {
		return fmt.Errorf("Task uses no resources")
	}
	if err := validateResources(t.Resources); err != nil {
		return fmt.Errorf("Task uses invalid resources: %w", err)
	}
	if t.Executor == nil {
		return fmt.Errorf("Command tasks are not supported here: a task must have an executor")
	}
	if t.Container != nil || !onlySecrets(t.Executor.Container) {
		return fmt.Errorf("Containers are not supported here")
	}
	return x.validateExecutor(t.Executor)
}

func (x *acceptance) validateExecutor(e *mesos.ExecutorInfo) error {
	if err := checkID(e.ExecutorID.Value); err != nil {
		return fmt.Errorf("Executor ID is invalid: %w", err)
	}
	switch {
	case e.FrameworkID == nil:
		return fmt.Errorf("'ExecutorInfo.framework_id' must be set")
	case e.FrameworkID.Value != x.framework.id:
		return fmt.Errorf("ExecutorInfo has an invalid FrameworkID (Actual: %s vs Expected: %s)",
			e.FrameworkID.Value, x.framework.id)
	case e.Type == mesos.ExecutorInfo_DEFAULT:
		return fmt.Errorf("The DEFAULT executor is not supported here")
	case e.Command == nil:
		return fmt.Errorf("'ExecutorInfo.command' must be set for 'CUSTOM' executor")
	case e.ShutdownGracePeriod.GetNanoseconds() < 0:
		return fmt.Errorf("ExecutorInfo's 'shutdown_grace_period' must be non-negative")
	}
	if err := validateSecrets(e); err != nil {
		return err
	}
	if err := validateResources(e.Resources); err != nil {
		return fmt.Errorf("Executor uses invalid resources: %w", err)
	}
	return nil
}

// compatible tells whether a task may run on an executor that exists: the infos
// must be equal except for their labels.
func compatible(have, want *mesos.ExecutorInfo) error {
	a, b := *have, *want
	a.Labels, b.Labels = nil, nil
	if a.Equal(&b) {
		return nil
	}
	line := "------------------------------------------------------------\n"
	return fmt.Errorf("ExecutorInfo is not compatible with existing ExecutorInfo "+
		"with same ExecutorID.\n%sExisting ExecutorInfo:\n%s\n%sExecutorInfo:\n%s\n%s",
		line, encodeJSON(have), line, encodeJSON(want), line)
}
