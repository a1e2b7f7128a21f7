package scheduler

import (
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// Reasons and sources of statuses that decide what a TASK_LOST stands for.
const (
	sourceAgent       = "SOURCE_AGENT"
	reasonOffers      = "REASON_INVALID_OFFERS"
	reasonReregister  = "REASON_EXECUTOR_REREGISTRATION_TIMEOUT"
	reasonTaskInvalid = "REASON_TASK_INVALID"
	reasonGroup       = "REASON_TASK_GROUP_INVALID"
	reasonDraining    = "REASON_AGENT_DRAINING"
	reasonReconciled  = "REASON_RECONCILIATION"
	// unknownToAgent ends the message of a master that does not say TASK_GONE.
	unknownToAgent = "Task is unknown to the agent"
)

// precise gives a status in the words that Mesos has for frameworks that are aware of
// partitions. A master or an agent that does not take this one for such says TASK_LOST for all
// of them: for a launch that never came to be, for a task that ended unseen, and for one that
// may run on where nobody can reach it. Only the last has to be waited for.
func precise(s mesos.Status) mesos.Status {
	if s.State != mesos.Lost {
		return s
	}
	switch {
	case s.Source == sourceAgent && s.Reason == reasonReregister:
		s.State = mesos.Gone // its executor did not come back to its agent
	case s.Source == sourceAgent:
		s.State = mesos.Dropped // its agent is there, and could not begin it
	case s.Source != sourceMaster:
	case s.Reason == reasonReconciled && strings.HasSuffix(s.Message, unknownToAgent):
		s.State = mesos.Gone // its agent is there, and has no such task
	case s.Reason == reasonOffers, s.Reason == reasonTaskInvalid, s.Reason == reasonGroup:
		s.State = mesos.Dropped // the master refused the launch
	}
	return s
}

// blameless reports whether a task ended for a reason that says nothing of the task: the offer
// was no more, or an operator drains the agent.
func (t Task) blameless() bool {
	return t.Reason == reasonOffers || t.Reason == reasonDraining
}
