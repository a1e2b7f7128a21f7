package cli

import (
	"context"
	"fmt"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/internal/sandbox"
)

// findSandbox finds where a pod's task runs or ran last.
func findSandbox(
	ctx context.Context, s api.Service, p api.Pod, t api.Task,
) (*sandbox.Sandbox, error) {
	if p.AgentID == "" || t.ExecutorID == "" {
		return nil, fail(exitNotFound, "%s was never launched, so it has no output", p.Name)
	}
	if s.Master == "" {
		return nil, fmt.Errorf("the scheduler is not connected to Mesos now, so the agent of %s "+
			"cannot be found", p.Name)
	}
	box, err := sandbox.Find(ctx, sandbox.Executor{
		Master: s.Master, Framework: s.FrameworkID, Agent: p.AgentID, Name: t.ExecutorID,
	})
	if err != nil {
		return nil, fmt.Errorf("finding the agent of %s: %w", p.Name, err)
	}
	return box, nil
}
