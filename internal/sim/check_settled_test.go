package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// unsettled says what is still missing from a service that is complete, "" if nothing is.
func (w *world) unsettled() string {
	p := w.process
	switch {
	case !p.alive || p.session == nil:
		return "the scheduler is not connected"
	case slices.ContainsFunc(w.leftovers(), w.waitsFor):
		return fmt.Sprintf("%d leftovers are not freed", len(w.store.hard.Leftovers))
	}
	for _, a := range w.master.agents {
		if a.state != registered && !a.dead {
			return fmt.Sprintf("agent %s has not come back", a.id)
		}
	}
	for _, plan := range p.picture().Plans {
		if plan.Status == plans.Complete ||
			custom(plan.Name) && w.store.hard.Runs[plan.Name].Number == 0 {
			continue
		}
		for _, ph := range plan.Phases {
			for _, s := range ph.Steps {
				if s.Status != plans.Complete {
					return fmt.Sprintf("plan %s is %s: %s is %s: %s",
						plan.Name, plan.Status, s.Name, s.Status, s.Reason)
				}
			}
		}
		return fmt.Sprintf("plan %s is %s", plan.Name, plan.Status)
	}
	if len(w.master.offers) > 0 {
		return "offers are kept"
	}
	if !p.picture().Suppressed || !w.master.suppressed {
		return "offers are still wanted"
	}
	wanted := 0
	for _, pod := range w.store.hard.Target.Service.Pods {
		wanted += pod.Count
	}
	if len(w.store.hard.Pods) != wanted {
		return fmt.Sprintf("%d instances of %d", len(w.store.hard.Pods), wanted)
	}
	for name, p := range w.store.hard.Pods {
		if p.Request != "" {
			return fmt.Sprintf("%s of %s has not been done", p.Request, name)
		}
	}
	if wrong := w.unheld(); wrong != "" {
		return wrong
	}
	if wrong := w.undeclared(); wrong != "" {
		return wrong
	}
	if wrong := w.unfinished(); wrong != "" {
		return wrong
	}
	if wrong := w.unmigrated(); wrong != "" {
		return wrong
	}
	return w.offTarget()
}

// unheld says in which way the reservations on the agents are not exactly those of the
// instances, and the tasks not exactly theirs.
func (w *world) unheld() string {
	want := map[mesos.AgentID]resource.List{}
	tasks := map[mesos.TaskID]bool{}
	for _, p := range w.store.hard.Pods {
		if p.Place == nil {
			return p.Name.String() + " has no place"
		}
		if p.Replacing {
			return p.Name.String() + " is still under replacement"
		}
		want[p.Place.Agent] = want[p.Place.Agent].Add(resourcesOf(p).WithoutRole()...)
		spec, _ := w.wanted(p.Name)
		for _, t := range p.Tasks {
			ts, ok := taskOf(spec, t.Name)
			runs := ts.Goal == servicespec.GoalRunning || !ok && !t.State.Terminal()
			if t.ID != "" && runs {
				tasks[t.ID] = true
			}
		}
	}
	for _, a := range w.master.agents {
		if got := reservedOn(a); !got.Equal(want[a.id]) {
			return fmt.Sprintf("%s has reserved %s, the instances there hold %s",
				a.id, got, want[a.id])
		}
		for _, t := range a.taskList() {
			if t.alive() && !tasks[t.info.ID] {
				return fmt.Sprintf("task %s runs on %s, and nobody knows it", t.info.ID, a.id)
			}
			delete(tasks, t.info.ID)
		}
	}
	for id := range tasks {
		return fmt.Sprintf("task %s does not run", id)
	}
	return ""
}

func reservedOn(a *agent) resource.List {
	return a.total.Filter(func(r resource.Resource) bool { return len(r.Reservations) > 0 })
}

// leftBehind says what an uninstalled service has left in the world, "" if nothing.
func (w *world) leftBehind() string {
	for _, a := range w.master.agents {
		if w.store.hard.Agents[a.id].Fate == scheduler.FateAbandoned {
			continue
		}
		if r := reservedOn(a).Filter(a.mayBeKnown); len(r) > 0 {
			return fmt.Sprintf("%s still has reserved %s", a.id, r)
		}
		if i := slices.IndexFunc(a.taskList(), (*task).alive); i >= 0 {
			return fmt.Sprintf("%s still runs on %s", a.taskList()[i].info.ID, a.id)
		}
	}
	if !w.master.removed {
		return "the framework is still registered"
	}
	return ""
}

// mayBeKnown reports whether the scheduler may know of something that is reserved on an agent: of
// an orphan it is told by pictures of the agents alone, which come every half minute, show what is
// registered, and are none once all is gone.
func (a *agent) mayBeKnown(r resource.Resource) bool {
	ended := a.m.w.operator.ended
	return r.Label("pod") != orphanOf ||
		a.m.orphaned.Add(time.Minute).Before(ended) && a.since.Add(time.Minute).Before(ended)
}

// resourcesOf is all that an instance holds.
func resourcesOf(p scheduler.Pod) resource.List {
	if p.Place == nil {
		return nil
	}
	list := slices.Clone(p.Place.Executor)
	for _, t := range p.Place.Sets {
		list = append(list, t.Resources...)
	}
	return list
}
