package commons

import (
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/mesoshttp"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// FromMaster finds out from a master's state what the predecessor ran of a service, when what it
// stored is lost: the tasks that are there tell which instance they are of, and what is reserved
// beside them, for the service's role and principal, has the predecessor's labels. What the tasks
// were launched from nobody knows any more; the target is taken for it.
//
// Named says which instances the reservations on hosts are of that no task tells.
func FromMaster(
	state mesoshttp.ClusterState, target scheduler.Target, named map[string]string,
) Found {
	s := target.Service
	f := Found{Name: s.Name}
	f.TargetID, f.Deployed = target.ID, true
	f.Configs = map[string]servicespec.Service{target.ID: s}
	f.Hosts = named
	live := map[mesos.FrameworkID]bool{}
	for _, framework := range state.Frameworks {
		live[framework.ID] = true
		if strings.Trim(framework.Name, "/") != strings.Trim(s.Name, "/") ||
			framework.Principal != s.Principal {
			continue
		}
		if f.Framework != "" {
			f.problem("the frameworks %s and %s are both called %s", f.Framework, framework.ID,
				framework.Name)
		}
		f.Framework, f.Running = framework.ID, f.Running || framework.Active
	}
	f.Orphaned = f.Framework == ""
	if f.Orphaned {
		f.notef("the master has no framework %s of the principal %s any more: what is reserved "+
			"goes on under a new one", s.Name, s.Principal)
	} else {
		f.notef("what its tasks were launched from is not known: they are taken for launched " +
			"from this spec, until they are launched again")
	}
	f.agents(state, s, live)
	f.tasksOf(state, target.ID)
	f.markHeld()
	return f
}

// agents collects what the agents have reserved for the service by the predecessor.
func (f *Found) agents(
	state mesoshttp.ClusterState, s servicespec.Service, live map[mesos.FrameworkID]bool,
) {
	for _, a := range state.Agents {
		loose := scheduler.LooseReservations{Agent: a}
		for _, r := range a.Reserved {
			if n := len(r.Reservations); n == 0 || !r.Reservations[n-1].Dynamic ||
				r.Reservations[n-1].Principal != s.Principal ||
				!slices.Contains(s.Roles(), r.Reservations[n-1].Role) {
				continue
			}
			owner := mesos.FrameworkID(r.Label("framework_id"))
			mine := owner == f.Framework || f.Orphaned && !live[owner]
			if mine && r.Label(resource.ResourceID) != "" && r.Label("reservation") == "" {
				r.Role = ""
				loose.Resources = append(loose.Resources, r)
			}
		}
		if len(loose.Resources) > 0 {
			f.Loose = append(f.Loose, loose)
		}
	}
}

// tasksOf takes the latest launch of each task. One that ended counts only where the instance is,
// and with what of its resources is still there.
func (f *Found) tasksOf(state mesoshttp.ClusterState, target string) {
	if f.Orphaned {
		return
	}
	at := map[string]mesos.AgentID{}
	index := map[string]int{}
	for _, t := range state.Tasks {
		pod := labelOf(t.Labels, "task_type") + "-" + labelOf(t.Labels, "index")
		ended := t.Status.State.Terminal()
		if t.Framework != f.Framework || pod == "-" ||
			ended && at[pod] != "" && at[pod] != t.Agent {
			continue
		}
		task := f.taskOf(t, target)
		if i, known := index[task.Name]; known {
			if old := f.Tasks[i]; ended && old.Status.State.Terminal() &&
				task.Status.Time.After(old.Status.Time) {
				f.Tasks[i] = task
			}
			continue
		}
		at[pod], index[task.Name] = t.Agent, len(f.Tasks)
		f.Tasks = append(f.Tasks, task)
	}
}

func (f *Found) taskOf(t mesoshttp.TaskState, target string) scheduler.PredecessorTask {
	task := scheduler.PredecessorTask{Name: t.Name, Info: t.TaskInfo, Status: &t.Status}
	task.Info.Labels = slices.DeleteFunc(slices.Clone(t.Labels),
		func(l resource.Label) bool { return l.Key == "target_configuration" })
	task.Info.Labels = append(task.Info.Labels,
		resource.Label{Key: "target_configuration", Value: target})
	if t.Status.IP != "" {
		task.Reached = &t.Status
	}
	for _, a := range f.Loose {
		if a.Agent.ID == t.Agent {
			there := func(r resource.Resource) bool {
				return a.Resources.Labelled(resource.ResourceID,
					r.Label(resource.ResourceID)) != nil
			}
			if t.Status.State.Terminal() {
				task.Info.Resources = task.Info.Resources.Filter(there)
				task.Info.Executor.Resources = task.Info.Executor.Resources.Filter(there)
			}
		}
	}
	return task
}

// markHeld takes out of what is reserved what the tasks hold.
func (f *Found) markHeld() {
	held := map[string]bool{}
	for _, t := range f.Tasks {
		for _, r := range slices.Concat(t.Info.Resources, t.Info.Executor.Resources) {
			held[r.Label(resource.ResourceID)] = true
		}
	}
	for i := range f.Loose {
		f.Loose[i].Resources = f.Loose[i].Resources.Filter(
			func(r resource.Resource) bool { return !held[r.Label(resource.ResourceID)] })
	}
}

func labelOf(labels []resource.Label, key string) string {
	for _, l := range labels {
		if l.Key == key {
			return l.Value
		}
	}
	return ""
}
