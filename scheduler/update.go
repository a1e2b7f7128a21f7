package scheduler

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// How another configuration becomes the target, or is refused, or only looked at.

// adoptTarget makes the process's configuration the target of a service that has none, and of
// one that has another if it was offered.
func (m *Machine) adoptTarget() {
	if m.hard.Target.ID == "" {
		m.hard.Target = m.cfg.Target
		m.hard.Target.Number, m.hard.Target.Since = 1, m.now
		m.write(WriteTarget{m.hard.Target})
	}
	if m.hard.Intent == "" {
		m.setIntent(Run)
	}
	if m.cfg.Offered && m.hard.Intent != Uninstall && m.hard.Intent != Uninstalled {
		m.cfg.Offered = false
		m.offered()
	}
	if m.hard.Kafka.ID == "" && m.hasKafka() && !m.usesZooKeeper() {
		m.setKafka(KafkaCluster{ID: kafkaID(m.cfg.UUID())})
	}
}

// offered takes the process's configuration as the target. What cannot be rolled out is shown,
// and work goes on with the configuration before; whom the tasks run as is fixed for ever, and
// a process that was started for another user ends.
func (m *Machine) offered() {
	old, next := m.hard.Target.Service, m.cfg.Target.Service
	if old.User != next.User {
		m.exit(1, fmt.Sprintf("the user cannot change from %s to %s: the data belongs to the "+
			"old one", old.User, next.User))
		return
	}
	var r Reply
	m.setTarget(SetTarget{ID: m.cfg.Target.ID, Service: next}, "start", &r)
	if r.Problem != nil && r.Problem.Code != AlreadyDone {
		m.planErrors = forbidden(canonical(old), canonical(next))
		if len(m.planErrors) == 0 {
			m.planErrors = []string{r.Problem.Message}
		}
		m.note(Err, "", "the configuration cannot be rolled out",
			"reasons", strings.Join(m.planErrors, "; "))
	}
}

// setTarget makes another configuration the target, if this release can roll it out.
func (m *Machine) setTarget(cmd SetTarget, by string, r *Reply) {
	old, next := canonical(m.hard.Target.Service), canonical(cmd.Service)
	if reflect.DeepEqual(old, next) {
		r.Problem = problem(AlreadyDone, "the service has this configuration already")
		return
	}
	if reason := m.refuseTarget(next); reason != "" {
		r.Problem = problem(Conflict, "%s", reason)
		return
	}
	if reasons := forbidden(old, next); len(reasons) > 0 {
		r.Problem = problem(Conflict, "this change cannot be rolled out: %s",
			strings.Join(reasons, "; "))
		return
	}
	if reason := cmp.Or(m.refuseSize(next), m.refuseServers(next),
		refuseShrink(old, cmd)); reason != "" {
		r.Problem = problem(Conflict, "%s", reason)
		return
	}
	known := slices.IndexFunc(m.hard.Earlier,
		func(e EarlierTarget) bool { return e.ID == cmd.ID })
	if cmd.ID == m.hard.Target.ID || known >= 0 &&
		!reflect.DeepEqual(canonical(m.hard.Earlier[known].Service), next) {
		r.Problem = problem(InvalidRequest, "another configuration has the id %s already", cmd.ID)
		return
	}
	target := Target{ID: cmd.ID, Service: cmd.Service, Number: m.hard.Target.Number + 1,
		Since: m.now, By: by, Updates: m.hard.Target.Updates || !m.hard.Target.Done.IsZero()}
	if cmd.Preview {
		r.Preview = m.preview(target, cmd.Live)
		r.Message = fmt.Sprintf("%d steps would be done", len(r.Preview))
		return
	}
	before := m.hard.Target.Service
	m.replaceTarget(target)
	m.tookLive(before, cmd.Live)
	r.Message = "configuration " + cmd.ID + " is the target now"
}

// earlierMost is how many configurations before the target are kept, beside those that a task
// still runs with.
const earlierMost = 10

// failedOtherwise lists the tasks of an instance that failed lately and are to be launched with
// something else from now on, so that their failures say nothing of the next launch.
func (p Pod) failedOtherwise(before, next servicespec.Service) []string {
	var names []string
	for _, t := range p.Tasks {
		kind, index := p.Name.Type, p.Name.Index
		if t.Failures > 0 && before.TaskLaunchHash(kind, index, t.Name) !=
			next.TaskLaunchHash(kind, index, t.Name) {
			names = append(names, t.Name)
		}
	}
	return names
}

// replaceTarget makes a configuration the target, keeps the one before, and forgets what was
// said of its deployment.
func (m *Machine) replaceTarget(next Target) {
	before := EarlierTarget(m.hard.Target)
	keep := []EarlierTarget{}
	for _, e := range m.hard.Earlier {
		if e.ID != next.ID {
			keep = append(keep, e)
			continue
		}
		m.write(DeleteEarlier{e.ID})
	}
	keep = append(keep, before)
	m.write(WriteEarlier{before})
	for i := 0; len(keep) > earlierMost && i < len(keep)-earlierMost; {
		if m.launchedWith(keep[i].ID) {
			i++
			continue
		}
		m.write(DeleteEarlier{keep[i].ID})
		keep = slices.Delete(keep, i, i+1)
	}
	next.Servers = m.keptServers(next.Service)
	m.hard.Earlier, m.hard.Target, m.planErrors = keep, next, nil
	m.write(WriteTarget{next})
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		bad := p.failedOtherwise(before.Service, next.Service)
		again := func(t Task) bool { return t.Again }
		if len(bad) == 0 && !slices.ContainsFunc(p.Tasks, again) {
			continue
		}
		if p = p.withTasks(func(t *Task) { t.Again = false }); len(bad) > 0 {
			p = p.forgiven(bad...)
		}
		m.setPod(p)
	}
	said, _ := m.hard.Overrides.Forget(planDeploy)
	m.hard.Overrides, _ = said.Forget(planDecommission)
	m.write(WriteOverrides{m.hard.Overrides})
	run := m.hard.Runs[planDeploy]
	run.Params, run.Steps, run.Seen = nil, nil, ""
	m.setRun(planDeploy, run)
}

// launchedWith reports whether a task runs with a configuration.
func (m *Machine) launchedWith(target string) bool {
	for _, name := range m.podNames() {
		for _, t := range m.hard.Pods[name].Tasks {
			if t.live() && t.Target == target {
				return true
			}
		}
	}
	return false
}

// rollback makes an earlier configuration the target again.
func (m *Machine) rollback(cmd Rollback, by string, r *Reply) {
	earlier := m.hard.Earlier
	if len(earlier) == 0 {
		r.Problem = problem(Conflict, "there is no earlier configuration to go back to")
		return
	}
	to := earlier[len(earlier)-1]
	if cmd.ID != "" {
		i := slices.IndexFunc(earlier, func(e EarlierTarget) bool { return e.ID == cmd.ID })
		if i < 0 {
			r.Problem = problem(NotFound, "there is no earlier configuration %s", cmd.ID)
			return
		}
		to = earlier[i]
	}
	m.setTarget(SetTarget{ID: to.ID, Service: to.Service, Preview: cmd.Preview, Live: cmd.Live,
		Fits: cmd.Fits}, by, r)
}

// preview lists the steps that a configuration would make necessary, in order.
func (m *Machine) preview(next Target, live []string) []PlannedStep {
	changes := m.changesTo(next.Service)
	var list []PlannedStep
	for _, plan := range plans.Build(declaredPlans(next)) {
		if plan.Name != planDeploy {
			continue
		}
		for _, phase := range plan.Phases {
			for _, s := range phase.Steps {
				if step, ok := m.plannedStep(next, live, s, changes); ok {
					step.Phase = phase.Name
					list = append(list, step)
				}
			}
		}
	}
	for _, name := range m.podNames() {
		spec := podSpec(next.Service, name.Type)
		if spec == nil || name.Index >= spec.Count {
			list = append(list, PlannedStep{Phase: name.String(), Step: name.String(),
				Action:  "decommission",
				Reasons: []string{"the configuration does not want it any more"}})
		}
	}
	return list
}

func podSpec(s servicespec.Service, pod string) *servicespec.Pod {
	for i := range s.Pods {
		if s.Pods[i].Type == pod {
			return &s.Pods[i]
		}
	}
	return nil
}

// plannedStep says what a configuration would make of one step; ok is false for nothing.
func (m *Machine) plannedStep(
	next Target, live []string, s plans.Step, changes func(PodName, Task) []servicespec.Change,
) (step PlannedStep, ok bool) {
	step = PlannedStep{Step: s.Name}
	p := m.hard.Pods[PodName{s.Pod, s.Index}]
	spec := podSpec(next.Service, s.Pod)
	for _, name := range s.Tasks {
		t, _ := p.task(name)
		ts, _ := taskSpec(*spec, name)
		switch {
		case t.ID == "":
			step.Action = "launch"
			step.Reasons = append(step.Reasons, name+" was never launched")
		case ts.Goal == servicespec.GoalOnce && t.complete(ts):
		case next.Service.TaskLaunchHash(s.Pod, s.Index, name) !=
			launchWith(m.hard.Target.Service, next.Service, live, p.Name, t):
			if step.Action == "" {
				step.Action = "restart"
			}
			step.Reasons = append(step.Reasons,
				reasonsOf(changes(p.Name, t), p.Name, name)...)
		}
	}
	reason := relisted(m.hard.Target.Service, next.Service, s.Pod)
	if reason != "" && p.launched() {
		step.Action = cmp.Or(step.Action, "restart")
		step.Reasons = append(step.Reasons, reason)
	}
	if p.launched() && resizes(p, *spec) {
		step.Action = "replace"
		step.Reasons = append(step.Reasons, resizeText(p, *spec))
	}
	slices.Sort(step.Reasons)
	step.Reasons = slices.Compact(step.Reasons)
	return step, step.Action != ""
}

// changesTo gives what a configuration changes for a task, from the one that the task was launched
// with, or the target if that one is not kept any more.
func (m *Machine) changesTo(
	next servicespec.Service,
) func(PodName, Task) []servicespec.Change {
	kept := []Target{m.hard.Target}
	for _, e := range slices.Backward(m.hard.Earlier) {
		kept = append(kept, Target(e))
	}
	found := map[string][]servicespec.Change{} // by the id of the configuration
	return func(name PodName, t Task) []servicespec.Change {
		from := slices.IndexFunc(kept, func(k Target) bool {
			return k.Service.TaskLaunchHash(name.Type, name.Index, t.Name) == t.Launch
		})
		with := kept[max(from, 0)]
		changes, is := found[with.ID]
		if !is {
			changes = servicespec.Diff(with.Service, next)
			found[with.ID] = changes
		}
		return changes
	}
}

// reasonsOf are the changes that concern the launch of a task of an instance.
func reasonsOf(changes []servicespec.Change, name PodName, task string) []string {
	var reasons []string
	for _, c := range changes {
		path, inPod := strings.CutPrefix(c.Path, "pods."+name.Type+".")
		of := func(what, own string) bool { // of this one, if of any
			return !strings.HasPrefix(path, what) || strings.HasPrefix(path, what+own+".")
		}
		restarts := c.Class != servicespec.Nothing && c.Class != servicespec.Live
		if restarts && inPod && of("tasks.", task) &&
			of("kafka.instances.", strconv.Itoa(name.Index)) {
			reasons = append(reasons, c.String())
		}
	}
	if len(reasons) == 0 {
		reasons = append(reasons, task+" runs with an older configuration")
	}
	return reasons
}

// canonical gives a service as the store would give it back, so that two can be compared: an
// empty list and none are the same there.
func canonical(s servicespec.Service) servicespec.Service {
	data, err := s.Encode()
	if err == nil {
		s, err = servicespec.DecodeService(data)
	}
	if err != nil {
		panic("scheduler: a service has no canonical form: " + err.Error())
	}
	return s
}

// forbidden says what in a change cannot be rolled out.
func forbidden(old, next servicespec.Service) []string {
	var reasons []string
	refuse := func(format string, args ...any) {
		reasons = append(reasons, fmt.Sprintf(format, args...))
	}
	if old.Name != next.Name || old.Role != next.Role || old.Principal != next.Principal ||
		old.User != next.User {
		refuse("name, role, principal and user are for ever")
	}
	for _, role := range next.Roles() {
		if !slices.Contains(old.Roles(), role) && old.Role == next.Role {
			refuse("no pod had the role %s, which the framework is not subscribed with: "+
				"a pre-reserved role can only be there from the beginning", role)
		}
	}
	for _, o := range old.Pods {
		n := podSpec(next, o.Type)
		switch {
		case n == nil && !o.AllowDecommission:
			refuse("pod %s cannot be removed: its allow-decommission is not set", o.Type)
		case n == nil && o.Kafka != nil:
			refuse("pod %s runs Kafka and cannot be removed as a whole", o.Type)
		case n == nil:
		case n.Count < o.Count && !n.AllowDecommission && o.Kafka == nil:
			refuse("the count of pod %s cannot shrink from %d to %d: its allow-decommission "+
				"is not set", o.Type, o.Count, n.Count)
		default:
			reasons = append(reasons, forbiddenIn(o, *n)...)
		}
	}
	for _, n := range next.Pods {
		if podSpec(old, n.Type) == nil && n.Kafka != nil && n.Kafka.Controls() && onZooKeeper(old) {
			refuse("pod %s: controllers join brokers on ZooKeeper by a migration only "+
				"(kafka-sched migrate)", n.Type)
		}
	}
	return reasons
}

// onZooKeeper reports whether brokers of a service have their metadata in ZooKeeper.
func onZooKeeper(s servicespec.Service) bool {
	return slices.ContainsFunc(s.Pods, func(p servicespec.Pod) bool {
		return p.Kafka != nil && p.Kafka.OnZooKeeper()
	})
}

// forbiddenIn says what in a change of one pod cannot be rolled out: what is reserved for good.
func forbiddenIn(o, n servicespec.Pod) []string {
	var reasons []string
	if o.PreReservedRole != n.PreReservedRole {
		reasons = append(reasons, fmt.Sprintf("pod %s: the pre-reserved role cannot change",
			o.Type))
	}
	if (o.Kafka == nil) != (n.Kafka == nil) {
		reasons = append(reasons, fmt.Sprintf("pod %s: whether it runs Kafka cannot change",
			o.Type))
	}
	if o.Kafka != nil && n.Kafka != nil {
		reasons = append(reasons, forbiddenKafka(o.Type, *o.Kafka, *n.Kafka)...)
	}
	reasons = append(reasons, forbiddenServers(o, n)...)
	reasons = append(reasons, forbiddenVolumes("pod "+o.Type, o.Kafka != nil, o.Volumes,
		n.Volumes)...)
	for _, was := range o.Tasks {
		if is, ok := taskSpec(n, was.Name); ok {
			reasons = append(reasons, forbiddenVolumes("pod "+o.Type+", task "+was.Name,
				o.Kafka != nil, was.Resources.Volumes, is.Resources.Volumes)...)
		}
	}
	return reasons
}
