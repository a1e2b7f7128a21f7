package scheduler

import (
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// How a service goes for good, with all that it has.

// uninstallPlan names everything that was there when uninstalling began, or was met since.
func (m *Machine) uninstallPlan() plans.Plan {
	known := len(m.leaving)
	if m.leaving == nil {
		m.leaving, m.leavers = map[string]bool{}, map[string][]leaver{}
		m.noteEverything()
	} else {
		m.noteChanged()
	}
	if len(m.leaving) == known && len(m.uninstalls.Phases) > 0 {
		return m.uninstalls // what was there once stays in the plan
	}
	keys := make([]string, 0, len(m.leaving))
	for key := range m.leaving {
		keys = append(keys, key)
	}
	order := map[string]int{"kill": 0, "unre": 1, "dere": 2}
	sort.Slice(keys, func(i, j int) bool {
		a, b := order[keys[i][:4]], order[keys[j][:4]]
		return a < b || a == b && keys[i] < keys[j]
	})
	plan := plans.Plan{Name: planUninstall, Strategy: plans.Dependency}
	for _, key := range keys {
		phase, step, _ := strings.Cut(key, "/")
		if n := len(plan.Phases); n == 0 || plan.Phases[n-1].Name != phase {
			strategy := servicespec.Parallel
			if phase == phaseDeregister {
				strategy = servicespec.Serial
			}
			plan.Phases = append(plan.Phases, plans.NewPhase(planUninstall, phase, strategy))
		}
		last := &plan.Phases[len(plan.Phases)-1]
		last.Steps = append(last.Steps,
			plans.NewSubjectStep(planUninstall, phase, step, step))
	}
	last := len(plan.Phases) - 1
	for _, phase := range plan.Phases[:last] {
		plan.Phases[last].After = append(plan.Phases[last].After, plans.After{
			Phase: phase.Name, Index: -1})
	}
	m.uninstalls = plan
	return plan
}

// phaseDeregister is the last phase of the plan uninstall.
const phaseDeregister = "deregister-service"

// noteEverything takes in what is there to be ended or freed.
func (m *Machine) noteEverything() {
	for _, name := range m.podNames() {
		m.notePod(name)
	}
	for _, id := range m.leftoverIDs() {
		m.noteLeftover(id)
	}
	m.leave1(phaseDeregister, "deregister")
	m.unnoted = unnoted{}
}

// noteChanged takes in what changed since that was last done.
func (m *Machine) noteChanged() {
	for _, name := range m.unnoted.pods.sorted() {
		m.notePod(name)
	}
	for _, id := range m.unnoted.leftovers {
		m.noteLeftover(id)
	}
	m.unnoted = unnoted{}
}

// unnoted is what changed since the plan uninstall was last looked at.
type unnoted struct {
	pods      nameSet
	leftovers []mesos.ReservationID
}

func (m *Machine) notePod(name PodName) {
	p := m.hard.Pods[name]
	for _, t := range p.Tasks {
		if t.ID != "" {
			m.leave1("kill-tasks", "kill-task-"+string(t.ID))
		}
	}
	if p.Place != nil {
		m.leaveAll(p.Place.Hostname, placeResources(*p.Place), leaver{name, p.Place.Reservation})
	}
}

func (m *Machine) noteLeftover(id mesos.ReservationID) {
	l := m.hard.Leftovers[id]
	m.leaveAll(l.Hostname, l.Resources, leaver{l.Pod, id})
}

// leaver is who has a resource that is to be freed: an instance, or what is left of it.
type leaver struct {
	pod  PodName
	left mesos.ReservationID
}

func (m *Machine) leaveAll(host string, list resource.List, by leaver) {
	for _, id := range resourceIDs(list) {
		m.leave1("unreserve-resources-"+host, "unreserve-"+id)
		if !slices.Contains(m.leavers[id], by) {
			m.leavers[id] = append(slices.Clip(m.leavers[id]), by)
		}
	}
}

func (m *Machine) leave1(phase, step string) { m.leaving[phase+"/"+step] = true }

// uninstallState says whether what a step of the uninstall plan names is still there.
func (m *Machine) uninstallState(s plans.Step) (plans.Status, string) {
	if s.Subject == "deregister" {
		if m.hard.Intent != Uninstalled {
			return plans.Pending, "waits until everything is freed"
		}
		return plans.Complete, ""
	}
	if task, is := strings.CutPrefix(s.Subject, "kill-task-"); is {
		p, i, known := m.findTask(mesos.TaskID(task))
		if _, sent := m.kills[mesos.TaskID(task)]; known && p.Tasks[i].live() && !sent &&
			m.lingers(p) {
			return plans.Pending, "waits for the master"
		}
		return plans.Complete, ""
	}
	return m.unreserveState(strings.TrimPrefix(s.Subject, "unreserve-"))
}

// unreserveState says whether the resource of an id is freed.
func (m *Machine) unreserveState(id string) (plans.Status, string) {
	looked := plans.Pending
	if m.connected {
		looked = plans.Prepared
	}
	for _, by := range m.leavers[id] {
		place := m.hard.Pods[by.pod].Place
		if place != nil && place.has(id) {
			return looked, m.absence(place.Agent, "waits until the tasks have ended")
		}
	}
	for _, by := range m.leavers[id] {
		l, known := m.hard.Leftovers[by.left]
		if known && hasID(l.Resources, id) && !m.givenUp(l.Agent) {
			return looked, m.absence(l.Agent, "waits for an offer of its agent")
		}
	}
	return plans.Complete, ""
}

// passUninstall ends all tasks at once, since their data goes as well, and turns all
// reservations into leftovers.
func (m *Machine) passUninstall(w *work) {
	now := time.Duration(0)
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		if m.lingers(p) {
			w.kill(p, &now)
			continue
		}
		m.leave(p)
		m.dropPod(name)
	}
}

// passUninstalled removes the framework itself, the last thing that is left.
func (m *Machine) passUninstalled() {
	switch {
	case m.finished:
	case m.hard.Framework == "":
		m.exit(0, "uninstalled")
	case m.connected:
		m.send(mesos.Teardown{})
		m.exit(0, "uninstalled")
	}
}
