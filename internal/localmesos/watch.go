package localmesos

import (
	"net/http"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/master"
)

// The operators' event stream. Each watcher has its stream and heartbeat timer.

func (c *Cluster) watch(protobuf bool) *reply {
	s := newStream("", protobuf)
	c.watchers[s] = nil
	c.toWatcher(s, &master.Event{Type: master.Event_SUBSCRIBED,
		Subscribed: &master.Event_Subscribed{GetState: c.viewState(),
			HeartbeatIntervalSeconds: ptr(c.cfg.HeartbeatInterval.Seconds())}})
	c.beatWatcher(s)
	return &reply{status: http.StatusOK, stream: s}
}

func (c *Cluster) beatWatcher(s *stream) {
	c.toWatcher(s, &master.Event{Type: master.Event_HEARTBEAT})
	c.watchers[s] = c.later(c.cfg.HeartbeatInterval, func() { c.beatWatcher(s) })
}

func (c *Cluster) unwatch(s *stream) {
	c.watchers[s].cancel()
	delete(c.watchers, s)
}

func (c *Cluster) toWatcher(s *stream, ev *master.Event) {
	c.after(func() {
		if err := s.push(ev); err != nil {
			c.log.Error("an event cannot be encoded", "error", err)
		}
	})
}

// toWatchers sends an event that is made only if somebody watches.
func (c *Cluster) toWatchers(make func() *master.Event) {
	if len(c.watchers) == 0 {
		return
	}
	ev := make()
	for s := range c.watchers {
		c.toWatcher(s, ev)
	}
}

func (c *Cluster) watchTaskAdded(t *task) {
	c.toWatchers(func() *master.Event {
		return &master.Event{Type: master.Event_TASK_ADDED,
			TaskAdded: &master.Event_TaskAdded{Task: viewTask(t)}}
	})
}

func (c *Cluster) watchTaskUpdated(t *task, s mesos.TaskStatus) {
	c.toWatchers(func() *master.Event {
		return &master.Event{Type: master.Event_TASK_UPDATED,
			TaskUpdated: &master.Event_TaskUpdated{
				FrameworkID: mesos.FrameworkID{Value: t.Framework}, Status: s,
				State: t.State.Enum()}}
	})
}

func (c *Cluster) watchFramework(f *framework, added bool) {
	c.toWatchers(func() *master.Event {
		view := master.Response_GetFrameworks_Framework{FrameworkInfo: c.infoOf(f),
			Active: f.connected(), Connected: f.connected(), Recovered: f.recovered,
			RegisteredTime: timeInfo(f.Registered), ReregisteredTime: timeInfo(f.Reregistered),
			UnregisteredTime: &mesos.TimeInfo{}} // Events show it so.
		if added {
			return &master.Event{Type: master.Event_FRAMEWORK_ADDED,
				FrameworkAdded: &master.Event_FrameworkAdded{Framework: view}}
		}
		return &master.Event{Type: master.Event_FRAMEWORK_UPDATED,
			FrameworkUpdated: &master.Event_FrameworkUpdated{Framework: view}}
	})
}

func (c *Cluster) watchFrameworkRemoved(f *framework) {
	c.toWatchers(func() *master.Event {
		return &master.Event{Type: master.Event_FRAMEWORK_REMOVED,
			FrameworkRemoved: &master.Event_FrameworkRemoved{FrameworkInfo: c.infoOf(f)}}
	})
}

func (c *Cluster) watchAgentAdded(a *agentNode) {
	c.toWatchers(func() *master.Event {
		return &master.Event{Type: master.Event_AGENT_ADDED,
			AgentAdded: &master.Event_AgentAdded{Agent: c.viewAgent(a)}}
	})
}

func (c *Cluster) watchAgentRemoved(a *agentNode) {
	c.toWatchers(func() *master.Event {
		return &master.Event{Type: master.Event_AGENT_REMOVED,
			AgentRemoved: &master.Event_AgentRemoved{AgentID: mesos.AgentID{Value: a.id}}}
	})
}
