package scheduler

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Predecessor is what is known of a service that a scheduler of DC/OS Commons ran: what it stored,
// or what the master tells of it.
type Predecessor struct {
	Framework mesos.FrameworkID
	// TargetID is its configuration of the moment, Configs are all that it kept, by id.
	TargetID string
	Configs  map[string]servicespec.Service
	// Deployed says that a deployment was complete once.
	Deployed bool
	Tasks    []PredecessorTask
	Files    map[string]string
	// Loose is what is reserved beside, and Hosts says of which instances it is, by their names.
	Loose []LooseReservations
	Hosts map[string]string
	// Orphaned says that the framework is no more: only what is reserved is left.
	Orphaned bool
}

// PredecessorTask is a task instance. One that was never launched has no Info.ID, and holds its
// reservations all the same.
type PredecessorTask struct {
	Name string // "kafka-0-broker"
	Info mesos.TaskInfo
	// Status is the latest, Reached the latest that had an address; nil when there was none.
	Status, Reached *mesos.Status
	// Override is NONE, PAUSED or DECOMMISSIONED, and Progress PENDING, IN_PROGRESS or COMPLETE;
	// "" when nobody asked for any.
	Override, Progress string
}

// Labels of the predecessor's tasks.
const (
	oldPodLabel    = "task_type"
	oldIndexLabel  = "index"
	oldTargetLabel = "target_configuration"
	oldFailedLabel = "permanently-failed"
	oldHostLabel   = "offer_hostname"
	oldRegionLabel = "offer_region"
	oldZoneLabel   = "offer_zone"
	oldAttrsLabel  = "offer_attributes"
)

// Adoption is a service of the predecessor as it is taken over.
type Adoption struct {
	// Hard is the state that a machine goes on from; it counts only without Problems.
	Hard Hard
	// Problems are why it cannot be taken over, Notes what will be otherwise than before.
	Problems, Notes []string
}

// Adopt takes a service of the predecessor over: its framework, its configurations, its instances
// with their tasks and with what is reserved for them. Nothing is given up: what cannot be held as
// it is makes a problem.
//
// With want it goes on with that configuration instead of the predecessor's own, as if it had been
// updated: tasks for which it makes a difference are rolled by the plan deploy.
func Adopt(old Predecessor, want *Target, now time.Time) Adoption {
	a := adopting{old: old, now: now, hard: Hard{Framework: old.Framework, Intent: Run,
		Pods:      map[PodName]Pod{},
		Leftovers: map[mesos.ReservationID]Leftover{}, Files: old.Files}}
	if old.Framework == "" && !old.Orphaned {
		a.problem("there is no framework id: nothing was installed, or all was uninstalled")
	}
	target, known := old.Configs[old.TargetID]
	if !known {
		a.problem("the configuration %q, which it ran with, is not there", old.TargetID)
		return a.Adoption
	}
	for _, group := range a.instances() {
		a.instance(group)
	}
	a.loose(target)
	a.target(target, want)
	a.settle()
	for _, name := range slices.SortedFunc(maps.Keys(a.hard.Pods), PodName.compare) {
		a.compare(a.hard.Pods[name])
	}
	whole := a.hard
	if old.Orphaned {
		whole.Framework = "new" // the master gives it one with the first subscription
	}
	a.Problems = append(a.Problems, Verify(whole)...)
	a.Hard = a.hard
	return a.Adoption
}

// adopting is an Adoption as it comes to be.
type adopting struct {
	Adoption
	old  Predecessor
	now  time.Time
	hard Hard
}

func (a *adopting) problem(format string, args ...any) {
	a.Problems = append(a.Problems, fmt.Sprintf(format, args...))
}

func (a *adopting) notef(format string, args ...any) {
	a.Notes = append(a.Notes, fmt.Sprintf(format, args...))
}

// group are the tasks of one instance.
type group struct {
	name  PodName
	tasks []PredecessorTask
}

// instances puts the tasks of each instance together, those that live last: what they hold is the
// truth.
func (a *adopting) instances() []group {
	groups := map[PodName]*group{}
	for _, t := range a.old.Tasks {
		index, err := strconv.Atoi(labelOf(t.Info.Labels, oldIndexLabel))
		name := PodName{labelOf(t.Info.Labels, oldPodLabel), index}
		if err != nil || index < 0 || name.Type == "" {
			a.problem("%s: its labels %s and %s do not say which instance it is of", t.Name,
				oldPodLabel, oldIndexLabel)
			continue
		}
		if groups[name] == nil {
			groups[name] = &group{name: name}
		}
		groups[name].tasks = append(groups[name].tasks, t)
	}
	var list []group
	for _, name := range slices.SortedFunc(maps.Keys(groups), PodName.compare) {
		g := groups[name]
		slices.SortStableFunc(g.tasks, func(x, y PredecessorTask) int {
			return cmp.Compare(x.age(), y.age())
		})
		list = append(list, *g)
	}
	return list
}

// age orders tasks: never launched, ended, live.
func (t PredecessorTask) age() int {
	switch {
	case t.Info.ID == "":
		return 0
	case t.state().Terminal():
		return 1
	}
	return 2
}

// state is that of the latest launch, as far as it was stored. One of which nothing is known was
// launched, and will be asked about.
func (t PredecessorTask) state() mesos.TaskState {
	if t.Status == nil || t.Status.Task != t.Info.ID {
		return mesos.Staging
	}
	return t.Status.State
}

// ran reports whether a launch of it was ever seen: the status that it has at the beginning is the
// predecessor's own.
func (t PredecessorTask) ran() bool {
	return t.Reached != nil || t.Status != nil && t.Status.State != mesos.Staging
}

func labelOf(labels []resource.Label, key string) string {
	for _, l := range labels {
		if l.Key == key {
			return l.Value
		}
	}
	return ""
}

// instance makes the record of one instance.
func (a *adopting) instance(g group) {
	p := Pod{Name: g.name, Incarnation: 1}
	last := g.tasks[len(g.tasks)-1].Info
	p.Place = a.placeOf(g)
	failed := true
	for _, t := range g.tasks {
		if t.Info.Agent != last.Agent {
			a.problem("%s: its tasks are on the agents %s and %s; replace or restart it with the "+
				"predecessor first", g.name, t.Info.Agent, last.Agent)
		}
		if t.Info.ID != "" && t.ran() {
			p.Ran, p.Place.Confirmed = true, true
		}
		failed = failed && (t.Info.ID == "" || t.lost())
	}
	launched := slices.ContainsFunc(g.tasks,
		func(t PredecessorTask) bool { return t.Info.ID != "" })
	if failed && launched {
		p.Request = Replace
		a.notef("%s was to be replaced, and will be: its volumes %s on %s are destroyed then",
			g.name, joinIDs(p.Place.volumes()), p.Place.Hostname)
	} else if i := slices.IndexFunc(g.tasks, PredecessorTask.lost); i >= 0 {
		a.notef("%s was marked as failed for good, and others of %s were not: it is brought back "+
			"in its place", g.tasks[i].Name, g.name)
	}
	if last.Executor.ID != "" {
		p.Executor = Executor{ID: last.Executor.ID, Command: last.Executor.Command,
			ShutdownGrace: last.Executor.ShutdownGrace}
	}
	for _, t := range g.tasks {
		p.Tasks = append(p.Tasks, a.task(g.name, t))
	}
	a.hard.Pods[g.name] = p
}

// lost reports whether an operator wants the task in another place.
func (t PredecessorTask) lost() bool {
	mark := labelOf(t.Info.Labels, oldFailedLabel)
	return mark != "" && mark != "false"
}

func joinIDs(ids []mesos.PersistenceID) string {
	text := make([]string, len(ids))
	for i, id := range ids {
		text[i] = string(id)
	}
	return cmp.Or(strings.Join(text, ", "), "(none)")
}

// taskName is the name of a task in the spec.
func (n PodName) taskName(full string) string {
	return strings.TrimPrefix(full, n.String()+"-")
}

// specOf finds what a task was launched from; the target's, if its own is not known.
func (a *adopting) specOf(name PodName, t PredecessorTask) (servicespec.Task, bool) {
	for _, id := range []string{labelOf(t.Info.Labels, oldTargetLabel), a.old.TargetID} {
		if pod := podSpec(a.old.Configs[id], name.Type); pod != nil {
			if ts, ok := taskSpec(*pod, name.taskName(t.Name)); ok {
				return ts, true
			}
		}
	}
	return servicespec.Task{}, false
}

// task makes the record of a task.
func (a *adopting) task(name PodName, old PredecessorTask) Task {
	t := Task{Name: name.taskName(old.Name)}
	t.Paused = old.Override == "PAUSED"
	if old.Info.ID == "" {
		return t
	}
	ts, _ := a.specOf(name, old)
	t.ID, t.State, t.Executor = old.Info.ID, old.state(), old.Info.Executor.ID
	t.Since = a.now
	t.Target = labelOf(old.Info.Labels, oldTargetLabel)
	t.Launch = a.old.Configs[t.Target].TaskLaunchHash(name.Type, anyIndex, t.Name)
	if s := old.Status; s != nil && s.Task == t.ID {
		t.Reason, t.Message, t.Ready, t.Healthy = s.Reason, s.Message, s.Ready, s.Healthy
		t.Since = laterOf(s.Time, time.Time{})
		t.Last, t.Executor = updateOf(s), cmp.Or(s.Executor, t.Executor)
	} else if s != nil {
		a.notef("%s: the latest status is of the launch %s and not of %s; the master is asked",
			old.Name, s.Task, t.ID)
	}
	if old.Reached != nil {
		t.Reached, t.IP = updateOf(old.Reached), old.Reached.IP
		if old.Reached.Task == t.ID && t.Ready == nil {
			t.Ready = old.Reached.Ready // an answer of the master does not tell it again
		}
	}
	awake := t
	awake.Paused = false
	t.WasReady = awake.complete(ts)
	if t.WasReady || a.old.Deployed && old.Status != nil && t.State.Terminal() {
		t.Deployed = t.Target
	}
	// A paused task was launched with a command that does nothing, and so was one that is to go
	// on and was not launched again yet.
	switch old.Override {
	case "PAUSED":
		t.Idle = old.Progress != "PENDING"
	case "NONE":
		t.Idle = old.Progress == "PENDING"
	}
	return t
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func updateOf(s *mesos.Status) *StatusUpdate {
	return &StatusUpdate{ID: s.Task, Executor: s.Executor, Agent: s.Agent, State: s.State,
		Source: s.Source, Reason: s.Reason, Message: s.Message, At: s.Time, Ready: s.Ready,
		Healthy: s.Healthy, IP: s.IP}
}
