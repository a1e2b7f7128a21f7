package mesoshttp

import (
	"time"

	"github.com/mesos/mesos-go/api/v1/lib/executor"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// executorEventFromWire translates what an executor is to know; ok is false for all other
// events. LAUNCH_GROUP is among those: only Mesos' default executor is sent it.
func executorEventFromWire(e *executor.Event) (event mesos.ExecutorEvent, ok bool) {
	switch e.Type {
	case executor.Event_SUBSCRIBED:
		s := e.Subscribed
		if s == nil {
			return nil, false
		}
		return mesos.ExecutorSubscribed{
			Framework: mesos.FrameworkID(s.FrameworkInfo.GetID().GetValue()),
			Executor:  mesos.ExecutorID(s.ExecutorInfo.ExecutorID.Value),
			Agent:     mesos.AgentID(s.AgentInfo.GetID().GetValue()),
			Hostname:  s.AgentInfo.Hostname,
		}, true
	case executor.Event_LAUNCH:
		if e.Launch == nil {
			return nil, false
		}
		return mesos.ExecutorLaunch{Task: taskFromWire(&e.Launch.Task)}, true
	case executor.Event_KILL:
		if e.Kill == nil {
			return nil, false
		}
		kill := mesos.ExecutorKill{Task: mesos.TaskID(e.Kill.TaskID.Value)}
		if period := e.Kill.GetKillPolicy().GetGracePeriod(); period != nil {
			grace := time.Duration(period.Nanoseconds)
			kill.Grace = &grace
		}
		return kill, true
	case executor.Event_ACKNOWLEDGED:
		if e.Acknowledged == nil {
			return nil, false
		}
		return mesos.ExecutorAcknowledged{
			Task: mesos.TaskID(e.Acknowledged.TaskID.Value),
			UUID: e.Acknowledged.UUID,
		}, true
	case executor.Event_SHUTDOWN:
		return mesos.ExecutorShutdown{}, true
	case executor.Event_ERROR:
		return mesos.ExecutorRefused{Message: e.GetError().GetMessage()}, true
	default:
		return nil, false
	}
}
