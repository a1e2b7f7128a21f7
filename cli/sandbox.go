package cli

import (
	"context"
	"fmt"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/internal/sandbox"
)

// findSandbox finds where a pod's task runs or ran last.
func (e *env) findSandbox(
	ctx context.Context, s api.Service, p api.Pod, t api.Task,
) (*sandbox.Sandbox, error) {
	if p.AgentID == "" || t.ExecutorID == "" {
		return nil, fail(exitNotFound, "%s was never launched, so it has no output", p.Name)
	}
	if s.Master == "" {
		return nil, fmt.Errorf("the scheduler is not connected to Mesos now, so the agent of %s "+
			"cannot be found", p.Name)
	}
	box, err := e.finder().Find(ctx, sandbox.Executor{
		Master: s.MasterAddress(), Framework: s.FrameworkID, Agent: p.AgentID, Name: t.ExecutorID,
	})
	if err != nil {
		return nil, fmt.Errorf("finding the agent of %s: %w", p.Name, err)
	}
	return box, nil
}

// finder finds sandboxes of the cluster that a command is about, as its Mesos lets us in.
func (e *env) finder() sandbox.Finder {
	f, err := e.folder()
	if err != nil || !e.here() {
		return sandbox.Finder{}
	}
	c, err := f.load()
	if err != nil {
		return sandbox.Finder{}
	}
	a, err := c.Access.open()
	if err != nil {
		return sandbox.Finder{} // the agent will say what is missing
	}
	return sandbox.Finder{Scheme: a.Scheme(), Over: a.Over}
}
