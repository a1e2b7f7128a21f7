package scheduler

import (
	"cmp"
	"maps"
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// What a step does to its instance: which tasks it wants launched, which ones must end first,
// and whether they may.

// wanted reports whether a step wants a task launched, or launched anew.
func (m *Machine) wanted(
	plan string, s plans.Step, p Pod, spec servicespec.Pod, ts servicespec.Task,
) bool {
	t, _ := p.task(ts.Name)
	switch {
	case t.ID == "":
		return true
	case plan == planDeploy && m.leftToOthers(p, ts, t):
		return false
	case t.unsure() && !p.anyRuns() || toggled(t, ts):
		return true
	case plan == planDeploy && m.outdated(p, spec, t):
		return true
	case !byItself(plan):
		step := m.hard.Runs[plan].Steps[s.ID]
		return step.Again || !slices.Contains(step.Tasks, t.ID) || fell(t, ts)
	}
	return fell(t, ts)
}

// deployed reports whether the plan deploy is done with a task.
func (m *Machine) deployed(p Pod, t Task) bool {
	return !t.Again && t.Deployed == m.hard.Target.ID && !m.movedEnsemble(p, t)
}

// leftToOthers reports whether a task is a job that the plan deploy is done with, though the rest
// of its step may not be, and that a started plan has launched since: what becomes of it is for
// that plan to see to.
func (m *Machine) leftToOthers(p Pod, ts servicespec.Task, t Task) bool {
	if ts.Goal == servicespec.GoalRunning || !m.deployed(p, t) {
		return false
	}
	//tidy:unordered it is in one of them, or in none
	for _, run := range m.hard.Runs {
		//tidy:unordered likewise
		for _, step := range run.Steps {
			if slices.Contains(step.Tasks, t.ID) {
				return true
			}
		}
	}
	return false
}

// toggled reports whether the operator wants a task paused that is not, or the reverse.
func toggled(t Task, ts servicespec.Task) bool {
	return ts.Goal == servicespec.GoalRunning && t.ID != "" && t.Paused != t.Idle
}

// fell reports whether a task was launched and ended without having done its work.
func fell(t Task, ts servicespec.Task) bool {
	return t.ID != "" && !t.live() && !t.complete(ts)
}

// outdated reports whether a task was launched from something else than the target says. A
// task that ran once and for all never is.
func (m *Machine) outdated(p Pod, spec servicespec.Pod, t Task) bool {
	ts, ok := taskSpec(spec, t.Name)
	if ok && m.movedEnsemble(p, t) {
		return true
	}
	if !ok || t.ID == "" || t.Again || t.Deployed == m.hard.Target.ID {
		return ok && t.Again
	}
	if ts.Goal == servicespec.GoalOnce && t.complete(ts) {
		return false
	}
	return m.launchHash(p.Name, t.Name) != t.Launch || resizes(p, spec)
}

// launchHash is what stands for all that a task of an instance of the target is launched with.
func (m *Machine) launchHash(name PodName, task string) string {
	mark, _ := m.ensembleMark(name, task)
	hashes := m.index.hashes
	if m.index.own {
		if own, ok := hashes[launchKey{name.Type, name.Index, task}]; ok {
			return own + mark
		}
	}
	return hashes[launchKey{name.Type, anyIndex, task}] + mark
}

// toLaunch lists the tasks that a step wants launched, in its order. An essential task that is
// launched anew takes those with it that run beside it in the same step.
func (m *Machine) toLaunch(
	plan string, s plans.Step, p Pod, spec servicespec.Pod,
) []string {
	var names []string
	whole := false
	for _, name := range s.Tasks {
		ts, ok := taskSpec(spec, name)
		if !ok || !m.wanted(plan, s, p, spec, ts) {
			continue
		}
		names = append(names, name)
		t, _ := p.task(name)
		whole = whole || ts.Essential && ts.Goal == servicespec.GoalRunning && t.ID != ""
	}
	if !whole {
		return names
	}
	all := names[:0:0]
	for _, name := range s.Tasks {
		ts, _ := taskSpec(spec, name)
		if slices.Contains(names, name) || ts.Goal == servicespec.GoalRunning {
			all = append(all, name)
		}
	}
	return all
}

// advance does the next thing for the instance of a step that may be worked on now.
func (w *work) advance(plan string, s plans.Step) {
	m, name := w.m, PodName{s.Pod, s.Index}
	spec, ok := m.spec(name)
	if !ok {
		return
	}
	p, known := m.hard.Pods[name]
	p.Name = name
	if known && (p.Request != "" || p.caretakes()) {
		return
	}
	names := m.toLaunch(plan, s, p, spec)
	if len(names) == 0 {
		return
	}
	if plan == planDeploy && p.anyRuns() && resizes(p, spec) {
		w.resize(plan, s, p, spec)
		return
	}
	ends, rolls := m.inTheWay(p, spec, names)
	if len(ends) > 0 {
		m.disown(plan, s.ID)
		m.tried[name], m.refusals[name] = s.ID, nil
	}
	switch {
	case plan == planDeploy && m.keepsTurn(p):
	case plan == planDeploy && m.pausedTurn(p):
		m.waits[name] = "it is paused, and has its turn once it was resumed and is back"
	case len(ends) == 0 && plan == planRecovery && m.takenAlong(p, spec):
		m.waits[name] = cmp.Or(m.waits[name],
			"waits until what is being stopped beside it has ended")
	case len(ends) == 0:
		w.place(m.asBefore(p,
			launchOf{pod: name, spec: spec, tasks: names, plan: plan, step: s.ID}))
	case rolls || m.takesKafka(p, spec, ends) || m.takesServer(p, spec, ends):
		reason := w.holdUpdate(plan, s)
		if rolls && reason != "" && !m.endsNow(name) && !p.idles(ends) {
			m.waits[name] = reason
			return
		}
		if reason := m.holdStop(p, spec, ends); reason != "" {
			m.waits[name] = reason
			return
		}
		if short := w.secure(p, launchOf{pod: name, spec: spec, tasks: names, plan: plan,
			step: s.ID, beside: true}); short != "" {
			m.waits[name] = short
			return
		}
		// What others end comes back as it was, and has its turn later.
		turn := plan == planDeploy && m.rolling(spec) && !m.endsNow(name)
		w.killTasks(m.takenDown(p, spec, ends, turn), ends, nil)
		m.waits[name] = "its tasks are being stopped, to be launched anew"
	default:
		w.killTasks(p, ends, nil)
		m.waits[name] = "its other tasks are being stopped, because one of them ended"
	}
}

// disown forgets what a step launched before it was to be done again: it is about to be ended.
func (m *Machine) disown(plan, step string) {
	run := m.hard.Runs[plan]
	if run.Steps[step].Again {
		run.Steps = maps.Clone(run.Steps)
		delete(run.Steps, step)
		m.setRun(plan, run)
	}
}

// inTheWay lists the launches that must end before tasks can be launched: those of the tasks
// themselves, those that have the resources which they need, and all of them when the executor
// has not fetched what the tasks need. rolls says that nothing is broken, so that there is
// time.
func (m *Machine) inTheWay(
	p Pod, spec servicespec.Pod, names []string,
) (ends []mesos.TaskID, rolls bool) {
	sets := map[string]bool{}
	rolls = true
	for _, name := range names {
		ts, _ := taskSpec(spec, name)
		sets[ts.Resources.Name] = true
		t, _ := p.task(name)
		rolls = rolls && !fell(t, ts)
	}
	stale := p.anyRuns() && (m.staleExecutor(p, spec) || m.exchanges(p))
	for _, t := range p.Tasks {
		ts, known := taskSpec(spec, t.Name)
		if t.runs() && (stale || !known || sets[ts.Resources.Name]) {
			ends = append(ends, t.ID)
		}
	}
	return ends, rolls
}

// takenAlong reports whether an essential task of an instance was told to end: what is launched
// beside it meanwhile is ended with it when it is launched anew.
func (m *Machine) takenAlong(p Pod, spec servicespec.Pod) bool {
	return slices.ContainsFunc(p.Tasks, func(t Task) bool {
		ts, known := taskSpec(spec, t.Name)
		_, told := m.kills[t.ID]
		return known && told && t.live() && ts.Essential && ts.Goal == servicespec.GoalRunning
	})
}

// staleExecutor reports whether the executor that runs was launched with something else than
// the target says. The executor's own binary does not count: an older one does as well, until an
// operator wants it exchanged.
func (m *Machine) staleExecutor(p Pod, spec servicespec.Pod) bool {
	want := m.executorOf(p, spec)
	same := slices.Equal(besideBinaries(p.Executor.Command.URIs),
		besideBinaries(want.Command.URIs))
	return !same || p.Executor.Command.User != want.Command.User ||
		!sameSecrets(p.Executor, want)
}

// besideBinaries are the URIs of all but the executor itself.
func besideBinaries(uris []mesos.URI) []mesos.URI {
	return slices.DeleteFunc(slices.Clone(uris), func(u mesos.URI) bool { return u.Executable })
}

// idles reports whether launches are all idle, so that nobody misses them.
func (p Pod) idles(launches []mesos.TaskID) bool {
	return !slices.ContainsFunc(p.Tasks, func(t Task) bool {
		return slices.Contains(launches, t.ID) && !t.Idle
	})
}

// tend looks after one instance of the target, whatever the plans say: it notes what became
// complete, and what has to be brought back.
func (w *work) tend(name PodName) {
	m := w.m
	p := m.hard.Pods[name]
	spec, ok := m.spec(name)
	if !ok {
		return
	}
	if p.caretakes() {
		w.kill(p, nil)
		m.waits[name] = "its controller, which ran alone, is being stopped"
		return
	}
	if m.withdraws(spec) {
		w.withdraw(p)
		return
	}
	if p.Request != "" {
		return
	}
	if broken, essential := m.broken(w, p, spec); len(broken) > 0 {
		if essential {
			broken = m.beside(p, spec)
		}
		m.recover(name, transient, [][]string{broken})
	}
	if r := m.recovery[name]; (r == nil || r.done) && m.unbuilt(w, p, spec) {
		m.recover(name, permanent, m.rebuilding(w, p))
	}
	if r := m.recovery[name]; r != nil && !r.done && m.restored(p, spec, r) {
		r.done = true
		m.due = true // what is broken all the same is brought back anew
		p = m.hard.Pods[name]
		p.Recovery = nil
		if m.back(p) {
			p = m.replaced(p)
		}
		m.setPod(p)
	}
}

// taskBack reports whether a task does what it is for, or is paused as the operator wants it.
func (m *Machine) taskBack(p Pod, spec servicespec.Pod, ts servicespec.Task) bool {
	t, _ := p.task(ts.Name)
	ready, _ := m.taskReady(p, spec, ts, t)
	return ready || t.restsAsWanted()
}

// unbuilt reports whether a task that is owed was not launched in a new place yet.
func (m *Machine) unbuilt(w *work, p Pod, spec servicespec.Pod) bool {
	return slices.ContainsFunc(p.Tasks, func(t Task) bool {
		ts, _ := taskSpec(spec, t.Name)
		return ts.Goal == servicespec.GoalRunning && t.ID == "" && m.owed(w, p, t)
	})
}

// owed reports whether a task comes up in a new place without waiting for its turn in a plan: it
// was complete once, or it is a Kafka node, without which those before it may have to stay.
func (m *Machine) owed(w *work, p Pod, t Task) bool {
	if t.Deployed != "" {
		return true
	}
	spec, _ := m.spec(p.Name)
	return spec.Kafka != nil && spec.Kafka.Task == t.Name && m.hard.Kafka.Founded &&
		p.Incarnation > 1 && m.needed(w, p, t)
}

// broken lists the tasks of an instance that have to be brought back, for all that is known,
// and says whether one of them is essential.
func (m *Machine) broken(
	w *work, p Pod, spec servicespec.Pod,
) (names []string, essential bool) {
	for _, ts := range spec.Tasks {
		t, _ := p.task(ts.Name)
		if ts.Goal != servicespec.GoalRunning || t.ID == "" {
			continue
		}
		if (t.unsure() || fell(t, ts)) && m.needed(w, p, t) || toggled(t, ts) {
			names = append(names, ts.Name)
			essential = essential || ts.Essential
		}
	}
	return names, essential
}

// beside lists the tasks of an instance that run, or ran, for good.
func (m *Machine) beside(p Pod, spec servicespec.Pod) []string {
	var names []string
	for _, ts := range spec.Tasks {
		t, _ := p.task(ts.Name)
		if ts.Goal == servicespec.GoalRunning && t.ID != "" {
			names = append(names, ts.Name)
		}
	}
	return names
}

// needed reports whether a task is brought back without regard to the order of the plans: one
// that no plan is about to launch now. Those that come before it in a plan may be unable to come
// up without it, as Kafka nodes are without a quorum.
func (m *Machine) needed(w *work, p Pod, t Task) bool {
	if w.current == nil {
		w.current = map[PodName][]string{}
		m.noteCurrent(w)
	}
	return m.keepsTurn(p) || !slices.Contains(w.current[p.Name], t.Name)
}

// noteCurrent collects the tasks of the steps whose turn it is in the plans that launch things.
func (m *Machine) noteCurrent(w *work) {
	for _, plan := range m.built() {
		if !byItself(plan.Name) && !m.hard.Runs[plan.Name].Active {
			continue
		}
		for _, s := range m.assess(plan).Current {
			name := PodName{s.Pod, s.Index}
			if _, known := m.hard.Pods[name]; known {
				w.current[name] = append(w.current[name], s.Tasks...)
			}
		}
	}
}

// restored reports whether all that a recovery brings back is there again, or need not be
// because an operator said so.
func (m *Machine) restored(p Pod, spec servicespec.Pod, r *recovery) bool {
	for _, step := range r.Steps {
		if m.hard.Overrides.Forced[r.key(p.Name)+"/"+stepName(p.Name, step)] {
			continue
		}
		for _, name := range step {
			if ts, ok := taskSpec(spec, name); ok && !m.taskBack(p, spec, ts) {
				return false
			}
		}
	}
	return true
}

// The kinds of recovery.
const (
	transient = "TRANSIENT" // in the same place, with the same data
	permanent = "PERMANENT" // in a new place
)

// recover notes that tasks of an instance are being brought back.
func (m *Machine) recover(name PodName, kind string, steps [][]string) {
	if len(steps) == 0 || len(steps[0]) == 0 {
		return
	}
	r := m.recovery[name]
	var next Recovery
	switch {
	case r == nil || r.done || r.Kind != kind && kind == permanent:
		next = Recovery{Kind: kind, Order: m.nextOrder(), Steps: steps}
	case r.Kind == permanent && kind == permanent:
		next = r.Recovery
		next.Steps = steps
		if slices.EqualFunc(next.Steps, r.Steps, slices.Equal) {
			return
		}
	case r.Kind == kind:
		spec, _ := m.spec(name)
		next = r.Recovery
		next.Steps = [][]string{union(spec, r.Steps[0], steps[0])}
		if slices.Equal(next.Steps[0], r.Steps[0]) {
			return
		}
	default:
		return
	}
	if r == nil || r.Order != next.Order {
		m.forget(next.key(name)) // what was said of an earlier one does not concern this one
	}
	m.recovery[name] = &recovery{Recovery: next}
	p := m.hard.Pods[name]
	p.Recovery = &next
	m.setPod(p)
}

// key is that of the recovery's phase in plans.Overrides.
func (r Recovery) key(name PodName) string {
	return plans.Key(planRecovery, stepName(name, r.Steps[len(r.Steps)-1]), "")
}

// forget forgets what operators said of a plan or a phase, which begins anew.
func (m *Machine) forget(key string) {
	if said, changed := m.hard.Overrides.Forget(key); changed {
		m.hard.Overrides = said
		m.write(WriteOverrides{said})
	}
}

func (m *Machine) nextOrder() int {
	m.orders++
	return m.orders
}

// union lists the tasks that are in one of two lists, in the order of the spec.
func union(spec servicespec.Pod, a, b []string) []string {
	var names []string
	for _, ts := range spec.Tasks {
		if slices.Contains(a, ts.Name) || slices.Contains(b, ts.Name) {
			names = append(names, ts.Name)
		}
	}
	return names
}

// rebuilding are the steps that bring an instance up in a new place: those of the plan deploy,
// as far as they were done once.
func (m *Machine) rebuilding(w *work, p Pod) [][]string {
	m.derive()
	var steps [][]string
	for _, phase := range m.index.declared.Phases {
		for _, s := range phase.Steps {
			var names []string
			for _, name := range s.Tasks {
				t, _ := p.task(name)
				if s.Pod == p.Name.Type && s.Index == p.Name.Index && m.owed(w, p, t) {
					names = append(names, name)
				}
			}
			if len(names) > 0 {
				steps = append(steps, names)
			}
		}
	}
	return steps
}
