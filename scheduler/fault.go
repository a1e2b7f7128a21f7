package scheduler

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// What is done, as a pod's fault policy says, about instances whose agents are not there.
//
// The time counts from when the first task of an instance was reported to be unreachable, which
// is stored with the task; so a restart of the scheduler does not begin it anew. A replacement is
// what an operator's is: the same refusals, the same entry in the journal. Two things go beyond:
// there are never more of a pod under replacement at a time than the policy allows, and the data
// of a broker is not given up while a partition has no leader, which may be there and nowhere
// else.

// faultPolicy gives the policy of an instance's pod, nil if it has none or is not wanted.
func (m *Machine) faultPolicy(name PodName) *servicespec.FaultPolicy {
	spec, ok := m.spec(name)
	if !ok {
		return nil
	}
	return spec.Fault
}

// away tells since when nobody can reach the agent of an instance; ok is false if it is there,
// for all that is known.
func (p Pod) away() (since time.Time, ok bool) {
	if p.Place == nil || p.anyRuns() {
		return since, false
	}
	for _, t := range p.Tasks {
		if t.unsure() && (!ok || t.Since.Before(since)) {
			since, ok = t.Since, true
		}
	}
	return since, ok
}

// away is Pod.away that knows of agents that are away when what ended on them is to be launched
// again.
func (m *Machine) away(p Pod) (since time.Time, ok bool) {
	ended := func(t Task) bool { return t.ID != "" && !t.live() && t.State != mesos.Finished }
	if since, ok = p.away(); ok || p.Place == nil || p.anyRuns() ||
		!slices.ContainsFunc(p.Tasks, ended) {
		return since, ok
	}
	since = m.hard.Agents[p.Place.Agent].Away
	return since, !since.IsZero()
}

// passFaults replaces, as far as their policies allow, instances that were away for too long.
func (m *Machine) passFaults() {
	for _, name := range m.visits() {
		p, policy := m.hard.Pods[name], m.faultPolicy(name)
		since, away := m.away(p)
		if !away || policy == nil || policy.Action != servicespec.FaultReplace ||
			p.Request == Replace {
			continue
		}
		due, reason := m.replaceAt(p, policy, since)
		if m.now.Before(due) {
			m.wakeBy(due)
			continue
		}
		if m.holdReplace(p, policy) != "" {
			continue // the recovery step says why
		}
		m.carryOut(Commanded{Command: PodReplace{Pod: name.String()},
			Caller: Caller{Who: "fault-policy of pod " + name.Type, Reason: reason}})
	}
}

// returnGrace is how long the machine of an agent that is gone may take to offer under another id
// what it kept.
const returnGrace = time.Minute

// replaceAt is when a policy replaces an instance, and for what reason. Whose agent can never
// come back is not waited for.
func (m *Machine) replaceAt(
	p Pod, policy *servicespec.FaultPolicy, since time.Time,
) (due time.Time, reason string) {
	if a := m.hard.Agents[p.Place.Agent]; a.Fate == FateGone {
		return a.Decided.Add(returnGrace),
			fmt.Sprintf("its agent %s is gone for ever: %s", a.ID, a.Why)
	}
	patience := policy.UnreachableTimeout.Duration()
	return since.Add(patience),
		fmt.Sprintf("its agent %s was not reachable for %s", p.hostname(), patience)
}

// noteReplaced finds out which replacements have come to their end without a recovery: those of
// instances that were never complete, or whose recovery was forced to its end before they were.
func (m *Machine) noteReplaced() {
	for _, name := range m.visits() {
		p := m.hard.Pods[name]
		if p.Replacing && p.Request == "" && m.back(p) {
			m.setPod(m.replaced(p))
		}
	}
}

// replaced gives the record of an instance whose replacement has come to its end, and has
// those looked at again that wait for it.
func (m *Machine) replaced(p Pod) Pod {
	m.due = m.due || p.Replacing
	p.Replacing = false
	return p
}

// back reports whether an instance that was given a new place does there what it is for: something
// of it has to. Jobs that the plan deploy has not are of no concern, and one that was done before
// may have failed: nothing launches it again, once an operator has forced its recovery to an end.
func (m *Machine) back(p Pod) bool {
	spec, ok := m.spec(p.Name)
	if !ok || p.Place == nil || p.Recovery != nil {
		return false
	}
	some := false
	for _, t := range p.Tasks {
		ts, known := taskSpec(spec, t.Name)
		if !known || t.ID == "" {
			continue
		}
		does := m.taskBack(p, spec, ts)
		forced := ts.Goal != servicespec.GoalRunning && !t.live() && t.Deployed != ""
		if !does && !forced && !m.jobAside(p.Name, ts) {
			return false
		}
		some = some || does
	}
	return some
}

// replacing lists the instances of a pod, other than one, that are under replacement.
func (m *Machine) replacing(but PodName) []PodName {
	var names []PodName
	for _, name := range m.podNames() {
		if name.Type == but.Type && name != but && m.hard.Pods[name].Replacing {
			names = append(names, name)
		}
	}
	return names
}

// holdReplace says why an instance may not be replaced by its policy now, "" if it may. One that
// is under replacement already, and was lost again, makes no more of them.
func (m *Machine) holdReplace(p Pod, policy *servicespec.FaultPolicy) string {
	if m.hard.Overrides.Interrupted[planRecovery] {
		return "the plan recovery is interrupted"
	}
	others := m.replacing(p.Name)
	if len(others) >= policy.MaxReplacements && !p.Replacing {
		return fmt.Sprintf("%s is under replacement, and the fault policy allows %d at a time",
			others[0], policy.MaxReplacements)
	}
	spec, _ := m.spec(p.Name)
	return cmp.Or(m.holdVote(p), m.mayReplace(p, spec))
}

// holdVote says why the quorum may need the vote of a node, "" if it does not. Nobody sees what
// runs on an agent that is away: for all that is known a node there, and one that is being
// replaced, has become a voter since Kafka was asked.
func (m *Machine) holdVote(p Pod) string {
	spec, ok := m.spec(p.Name)
	if !ok || spec.Kafka == nil || !spec.Kafka.Controls() || !m.hard.Kafka.Founded {
		return ""
	}
	f := m.kafkaNow()
	if f == nil {
		return "Kafka does not say who votes"
	}
	voters, ready := slices.Clone(f.Voters), 0
	for _, name := range m.podNames() {
		o := m.hard.Pods[name]
		os, ok := m.spec(name)
		if !ok || os.Kafka == nil || !os.Kafka.Controls() {
			continue
		}
		if name == p.Name || o.Replacing || o.Place == nil {
			voters = append(voters, nodeID(name, os))
		} else if up, _ := m.ready(o); up && m.votes(name) && !m.endsNow(name) {
			ready++
		}
	}
	slices.Sort(voters)
	voters = slices.Compact(voters)
	if need := len(voters)/2 + 1; ready < need {
		return fmt.Sprintf("it may be one of %d voters, of whom %d others are ready and keep "+
			"their data, and the quorum needs %d", len(voters), ready, need)
	}
	return ""
}

// factsOld is the age from which what Kafka said counts no more for what cannot be undone.
const factsOld = time.Minute

// kafkaNow is what the service's own cluster said lately, nil if it said nothing.
func (m *Machine) kafkaNow() *KafkaFacts {
	f := m.facts
	if f == nil || f.Error != "" || f.ClusterID != m.hard.Kafka.ID ||
		!m.now.Before(f.Asked.Add(factsOld)) {
		return nil
	}
	return f
}

// awayReason says what an instance waits for whose agent is not reachable.
func (m *Machine) awayReason(p Pod) string {
	text := fmt.Sprintf("its agent %s is not reachable", p.hostname())
	policy := m.faultPolicy(p.Name)
	since, away := m.away(p)
	gone := m.hard.Agents[p.Place.Agent].Fate == FateGone
	if gone {
		text = fmt.Sprintf("its agent on %s is gone for ever: %s", p.hostname(),
			m.hard.Agents[p.Place.Agent].Why)
	}
	switch {
	case !away || policy == nil && !gone:
		return text
	case policy == nil:
		return text + "; it waits for pod replace " + p.Name.String()
	}
	due, _ := m.replaceAt(p, policy, since)
	switch {
	case policy.Action != servicespec.FaultReplace && gone:
		return text + "; the fault policy waits for pod replace " + p.Name.String()
	case policy.Action != servicespec.FaultReplace:
		return text + "; the fault policy is to wait for it, or for pod replace " +
			p.Name.String()
	case m.now.Before(due):
		return fmt.Sprintf("%s; it is replaced at %s", text, due.UTC().Format(time.RFC3339))
	}
	if hold := m.holdReplace(p, policy); hold != "" {
		return text + "; it is not replaced yet: " + hold
	}
	return text + "; it is to be replaced"
}

// marked gives the record of an instance that is to be replaced.
func (p Pod) marked(what Request) Pod {
	p.Replacing = p.Replacing || what == Replace
	return p
}

// wakeBy asks for a tick at a time to come.
func (m *Machine) wakeBy(at time.Time) {
	if at.After(m.now) && (m.wake.IsZero() || at.Before(m.wake)) {
		m.wake = at
	}
}
