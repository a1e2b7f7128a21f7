package scheduler

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// The pace of an update, as a pod's update policy sets it: how many instances may be down at a
// time, how long each must have been ready before the next goes, zone after zone, and that the
// plan is interrupted when an updated instance fails. It concerns what runs and is launched
// anew by the plan deploy; the strategies of the plan and what Kafka needs hold besides.

// noteReady keeps since when instances have been ready without a break. It begins anew with the
// process, which makes an update wait longer and never shorter.
func (w *work) noteReady() {
	m := w.m
	for _, name := range m.visits() {
		p := m.hard.Pods[name]
		spec, _ := m.spec(name)
		if spec.Update == nil || spec.Update.Settle == 0 {
			continue
		}
		if up, _ := w.up(p); !up {
			delete(m.readySince, name)
		} else if m.readySince[name].IsZero() {
			m.readySince[name] = m.now
		}
	}
}

// up reports whether an instance does what it does at this time of an update, and if not, what is
// missing. A job that has ended and whose turn comes later is not missed: those before it in the
// plan would wait for it, and it for them.
func (w *work) up(p Pod) (bool, string) {
	return w.m.readyBut(p, func(ts servicespec.Task, t Task) bool {
		return ts.Goal != servicespec.GoalRunning && !t.live() && w.m.needed(w, p, t)
	})
}

// holdUpdate says why the update policy of a pod keeps the instance of a step from being stopped
// now, "" if it does not.
func (w *work) holdUpdate(plan string, s plans.Step) string {
	m := w.m
	if plan != planDeploy {
		return ""
	}
	name := PodName{s.Pod, s.Index}
	spec, ok := m.spec(name)
	if held := cmp.Or(m.holdCampaign(), m.holdHalt(name, spec)); held != "" {
		return held
	}
	if !ok || spec.Update == nil {
		return ""
	}
	down, reason := 0, ""
	for _, other := range m.podNames() {
		p := m.hard.Pods[other]
		if other == name || other.Type != name.Type || !p.deployed() {
			continue
		}
		if why := w.unavailable(p, spec.Update); why != "" {
			down, reason = down+1, cmp.Or(reason, why)
		}
	}
	if down >= spec.Update.MaxUnavailable {
		return reason
	}
	return m.holdZone(s, spec)
}

// unavailable says why an instance counts as down in an update, "" if it does not. One that was
// updated counts until it has settled.
func (w *work) unavailable(p Pod, policy *servicespec.UpdatePolicy) string {
	m := w.m
	if spec, _ := m.spec(p.Name); spec.Kafka == nil { // else the verdict knows better
		if m.endsNow(p.Name) {
			return fmt.Sprintf("%s is being stopped", p.Name)
		}
		if ok, reason := w.up(p); !ok {
			return fmt.Sprintf("%s is not ready: %s", p.Name, reason)
		}
	}
	updated := slices.ContainsFunc(p.Tasks,
		func(t Task) bool { return t.ID != "" && t.Target == m.hard.Target.ID })
	settled := m.readySince[p.Name].Add(policy.Settle.Duration())
	if !updated || policy.Settle == 0 || !m.now.Before(settled) {
		return ""
	}
	m.wakeBy(settled)
	return fmt.Sprintf("%s has to be ready for %s first, until %s", p.Name,
		policy.Settle.Duration(), settled.UTC().Format(time.RFC3339))
}

// holdZone says which zone goes before that of a step, if its pod is updated zone by zone.
func (m *Machine) holdZone(s plans.Step, spec servicespec.Pod) string {
	if !spec.Update.ByRack {
		return ""
	}
	zone := m.zoneOf(s)
	for _, phase := range m.built()[0].Phases {
		if !slices.ContainsFunc(phase.Steps,
			func(o plans.Step) bool { return o.ID == s.ID }) {
			continue
		}
		for _, o := range phase.Steps {
			if earlier := m.zoneOf(o); earlier < zone &&
				m.stepStatus(planDeploy)(o) != plans.Complete {
				return fmt.Sprintf("zone %s goes first, and %s is not done",
					earlier, PodName{o.Pod, o.Index})
			}
		}
	}
	return ""
}

// sorts reports whether any pod of the target is updated zone by zone now, or rolled with the
// controller last.
func (m *Machine) sorts() bool {
	rolls := m.hard.Target.Updates || !m.hard.Target.Done.IsZero()
	sorts := func(p servicespec.Pod) bool {
		return p.Update != nil && p.Update.ByRack && m.hard.Target.Updates ||
			p.Kafka != nil && p.Kafka.Controls() && rolls
	}
	return m.usesZooKeeper() || slices.ContainsFunc(m.hard.Target.Service.Pods, sorts)
}

// sorted gives the plans with the steps of the plan deploy in the order of their zones, in those
// phases whose pods are updated so, and with the node last that leads the quorum, or that ZooKeeper
// made the controller; of a pod that is updated so, last of its zone.
func (m *Machine) sorted(list []plans.Plan) []plans.Plan {
	if !m.sorts() {
		return list
	}
	byRack := map[string]bool{}
	for _, p := range m.hard.Target.Service.Pods {
		byRack[p.Type] = p.Update != nil && p.Update.ByRack && m.hard.Target.Updates
	}
	list = slices.Clone(list)
	list[0].Phases = slices.Clone(list[0].Phases)
	for i, phase := range list[0].Phases {
		if len(phase.Steps) == 0 {
			continue
		}
		steps := m.controllerLast(phase.Steps)
		if byRack[phase.Steps[0].Pod] {
			steps = slices.Clone(steps)
			slices.SortStableFunc(steps, func(a, b plans.Step) int {
				return cmp.Compare(m.zoneOf(a), m.zoneOf(b))
			})
		}
		list[0].Phases[i].Steps = steps
	}
	return list
}

// controllerLast gives the steps of a phase with that of the node last which is the active
// controller, the leader of the quorum or the broker that ZooKeeper elected, if it is to be
// launched anew, so that the controller changes once in a roll. Those that were taken down already,
// or need not be, come first.
func (m *Machine) controllerLast(steps []plans.Step) []plans.Step {
	spec, ok := m.spec(PodName{steps[0].Pod, steps[0].Index})
	if !ok || spec.Kafka == nil || !spec.Kafka.OnZooKeeper() && !spec.Kafka.Controls() {
		return steps
	}
	f := m.kafkaNow()
	var turns [3][]plans.Step
	for _, s := range steps {
		turn := 1
		p := m.hard.Pods[PodName{s.Pod, s.Index}]
		t, _ := p.task(spec.Kafka.Task)
		switch {
		case p.Down != nil || !m.outdated(p, spec, t):
			turn = 0
		case f != nil && nodeID(p.Name, spec) == f.Leader:
			turn = 2
		}
		turns[turn] = append(turns[turn], s)
	}
	return slices.Concat(turns[:]...)
}

// zoneOf is the zone that the instance of a step has its place in. One without a place comes
// behind all others.
func (m *Machine) zoneOf(s plans.Step) string {
	place := m.hard.Pods[PodName{s.Pod, s.Index}].Place
	if place == nil {
		return "\xff"
	}
	return place.Domain.Region + "/" + place.Domain.Zone
}

// haltUpdate interrupts the plan deploy when a task that was launched for an update has failed.
func (m *Machine) haltUpdate(p Pod, t Task) {
	spec, ok := m.spec(p.Name)
	target := m.hard.Target
	if !ok || spec.Update == nil || !spec.Update.HaltOnFailure || !target.Updates ||
		!target.Done.IsZero() || t.Target != target.ID ||
		m.hard.Overrides.Interrupted[planDeploy] {
		return
	}
	reason := fmt.Sprintf("%s is %s", p.Name.fullName(t.Name), t.State)
	if t.Message != "" {
		reason += ": " + t.Message
	}
	m.carryOut(Commanded{Command: PlanCommand{Verb: PlanInterrupt, Plan: planDeploy},
		Caller: Caller{Who: "update policy of pod " + p.Name.Type, Reason: reason}})
}
