package scheduler

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// commanded carries out, or refuses, what an operator asked, and always replies.
func (m *Machine) commanded(c Commanded) {
	m.out.Replies = append(m.out.Replies, m.carryOut(c))
}

// carryOut carries out, or refuses, what an operator or a policy asked, and keeps it in the
// journal.
func (m *Machine) carryOut(c Commanded) Reply {
	r := Reply{ID: c.ID}
	m.stirAll()
	if m.hard.Intent == Uninstall || m.hard.Intent == Uninstalled {
		m.commandedLate(c, &r)
	} else {
		m.commandedNow(c, &r)
	}
	outcome, code := r.Message, ""
	if r.Problem != nil {
		outcome, code = r.Problem.Message, string(r.Problem.Code)
	}
	m.note(Info, CountCommands, "command", "command", commandText(c.Command),
		"from", c.Caller.Who, "reason", c.Caller.Reason, "outcome", outcome, "problem", code)
	if changes(c.Command) {
		m.record(JournalEntry{Kind: "command", Plan: planOf(c.Command), By: c.Caller.Who,
			Reason: c.Caller.Reason, What: commandText(c.Command), Outcome: outcome, Code: code})
	}
	return r
}

// changes reports whether a command is more than a question.
func changes(c Command) bool {
	switch c := c.(type) {
	case SetTarget:
		return !c.Preview
	case Rollback:
		return !c.Preview
	}
	return true
}

func planOf(c Command) string {
	switch c := c.(type) {
	case PlanCommand:
		return c.Plan
	case RollExecutors:
		return planDeploy
	case Upgrade:
		return string(Upgrading)
	case Migrate:
		return string(Migrating)
	case CampaignCommand:
		return string(c.Kind)
	}
	return ""
}

// commandedNow is for a service that is there to stay.
func (m *Machine) commandedNow(c Commanded, r *Reply) {
	switch cmd := c.Command.(type) {
	case ServiceUninstall:
		m.setIntent(Uninstall)
		r.Message = "uninstalling: all tasks are killed, all reservations and volumes freed"
	case PlanCommand:
		r.Message, r.Problem = m.planCommand(cmd, c.Caller)
	case PodRestart:
		r.Tasks, r.Message, r.Problem = m.request(cmd.Pod, Restart, cmd.Force)
	case PodReplace:
		r.Tasks, r.Message, r.Problem = m.request(cmd.Pod, Replace, cmd.Force)
	case PodMove:
		r.Tasks, r.Message, r.Problem = m.askMove(cmd, c.Caller)
	case PodPause:
		r.Tasks, r.Message, r.Problem = m.pause(cmd.Pod, cmd.Tasks, true)
	case PodResume:
		r.Tasks, r.Message, r.Problem = m.pause(cmd.Pod, cmd.Tasks, false)
	case BackoffReset:
		r.Tasks, r.Message, r.Problem = m.resetBackoff(cmd.Pod)
	case ServiceStop:
		r.Message, r.Problem = m.changeIntent(Stop)
	case ServiceStart:
		r.Message, r.Problem = m.changeIntent(Run)
	case SetTarget:
		if r.Problem = m.refuseTopics(cmd.Service); r.Problem == nil {
			m.setTarget(cmd, c.Caller.Who, r)
		}
	case Rollback:
		m.rollback(cmd, c.Caller.Who, r)
	case PutFile:
		r.Message, r.Problem = m.putFile(cmd)
	case Rebalance:
		r.Message, r.Problem = m.rebalance(cmd, c.Caller)
	case RebalanceCancel:
		r.Message, r.Problem = m.cancelRebalance()
	case Upgrade:
		r.Message, r.Problem = m.upgrade(cmd, c.Caller)
	case Migrate:
		r.Message, r.Problem = m.migrate(cmd, c.Caller)
	case CampaignCommand:
		r.Message, r.Problem = m.campaignCommand(cmd, c.Caller)
	case Remark:
		r.Message = cmd.Outcome
	case RollExecutors:
		r.Tasks, r.Message, r.Problem = m.rollExecutors()
	case AgentAbandon:
		r.Message, r.Problem = m.abandon(cmd, c.Caller)
	}
}

// commandedLate is for a service that is being uninstalled.
func (m *Machine) commandedLate(c Commanded, r *Reply) {
	switch cmd := c.Command.(type) {
	case ServiceUninstall:
		r.Problem = problem(AlreadyDone, "the service is being uninstalled already")
	case PlanCommand:
		r.Message, r.Problem = m.planCommand(cmd, c.Caller)
	case AgentAbandon:
		r.Message, r.Problem = m.abandon(cmd, c.Caller)
	default:
		r.Problem = problem(Conflict,
			"the service is being uninstalled; that cannot be undone")
	}
}

func problem(code ProblemCode, format string, args ...any) *Problem {
	return &Problem{code, fmt.Sprintf(format, args...)}
}

func (m *Machine) changeIntent(to Intent) (string, *Problem) {
	switch {
	case m.hard.Intent == to && to == Stop:
		return "", problem(AlreadyDone, "the service is stopped already")
	case m.hard.Intent == to:
		return "", problem(AlreadyDone, "the service is started already")
	}
	m.setIntent(to)
	if to == Stop {
		return "stopping: all tasks are told to end, data and reservations stay", nil
	}
	return "starting: all tasks go back to their places", nil
}

// Bounds of the small texts that are kept for operators.
const (
	filesMost    = 100
	fileNameMost = 255 // bytes
)

func (m *Machine) putFile(c PutFile) (string, *Problem) {
	if c.Name == "" || len(c.Name) > fileNameMost {
		return "", problem(InvalidRequest, "the name of a file needs 1 to %d bytes",
			fileNameMost)
	}
	if _, known := m.hard.Files[c.Name]; !known && len(m.hard.Files) >= filesMost {
		return "", problem(Conflict, "%d files are kept already, which is all that there is "+
			"room for; overwrite one of them", filesMost)
	}
	files := map[string]string{c.Name: c.Content}
	for _, name := range sortedKeys(m.hard.Files) {
		if name != c.Name {
			files[name] = m.hard.Files[name]
		}
	}
	m.hard.Files = files
	m.write(WriteFile(c))
	return fmt.Sprintf("kept %d bytes as %s", len(c.Content), c.Name), nil
}

// instance finds the record of an instance by its printed name.
func (m *Machine) instance(pod string) (Pod, *Problem) {
	for _, name := range m.podNames() {
		if name.String() == pod {
			return m.hard.Pods[name], nil
		}
	}
	return Pod{}, problem(NotFound, "Pod %s not found", pod)
}

// fullNames are the names of all tasks of an instance, sorted.
func (p Pod) fullNames() []string {
	var names []string
	for _, t := range p.Tasks {
		names = append(names, p.Name.fullName(t.Name))
	}
	sort.Strings(names)
	return names
}

// request notes what an operator wants of one instance; the pass does it.
func (m *Machine) request(
	pod string, what Request, force bool,
) ([]string, string, *Problem) {
	p, missing := m.instance(pod)
	if missing != nil {
		return nil, "", missing
	}
	if _, wanted := m.spec(p.Name); !wanted {
		return nil, "", problem(Conflict, "%s is being decommissioned", pod)
	}
	forces := force && !p.Force
	if p.Request == what && !forces {
		return nil, "", problem(AlreadyDone, "a %s of %s is under way already", what, pod)
	}
	if p.Request == Replace && what != Replace {
		return m.keepPlace(p, force)
	}
	if reason := m.refuseReplace(p); what == Replace && reason != "" && !force {
		return nil, "", problem(Conflict, "%s; force replaces it all the same", reason)
	}
	p.Request, p.Force = what, p.Force || force
	m.setPod(p.marked(what).forgiven())
	return p.fullNames(), fmt.Sprintf("%s of %s begins", what, pod), nil
}

// keepPlace gives up the replacement of an instance, which has its place and its data as long as
// that is held, and restarts it there: what it waits for may be gone for good. Where it was given
// that place by a replacement, and was never complete there, that one goes on.
func (m *Machine) keepPlace(p Pod, force bool) ([]string, string, *Problem) {
	replacing := p.Incarnation > 1 &&
		!slices.ContainsFunc(p.Tasks, func(t Task) bool { return t.WasReady })
	p = m.withoutRequest(p)
	p.Request, p.Force, p.Replacing = Restart, force, replacing
	m.setPod(p.forgiven())
	return p.fullNames(), fmt.Sprintf("%s is not replaced; its restart, with the data that it "+
		"has, begins", p.Name), nil
}

// pause notes which tasks of an instance an operator wants paused, or not any more.
func (m *Machine) pause(pod string, tasks []string, on bool) ([]string, string, *Problem) {
	p, missing := m.instance(pod)
	if missing != nil {
		return nil, "", missing
	}
	spec, wanted := m.spec(p.Name)
	if !wanted {
		return nil, "", problem(Conflict, "%s is being decommissioned", pod)
	}
	for _, name := range tasks {
		if !slices.ContainsFunc(p.Tasks, func(t Task) bool {
			return t.Name == name || p.Name.fullName(t.Name) == name
		}) {
			return nil, "", problem(NotFound, "%s has no task %s; it has %s", pod, name,
				strings.Join(p.fullNames(), ", "))
		}
	}
	var chosen []string
	p = p.withTasks(func(t *Task) {
		full := p.Name.fullName(t.Name)
		if len(tasks) > 0 && !slices.Contains(tasks, t.Name) && !slices.Contains(tasks, full) {
			return
		}
		chosen = append(chosen, full)
		ts, _ := taskSpec(spec, t.Name)
		t.Resumed = !on && (t.Paused || t.Idle)
		t.Paused = on && ts.Goal == servicespec.GoalRunning
	})
	sort.Strings(chosen)
	m.setPod(p.forgiven())
	verb := map[bool]string{true: "paused", false: "resumed"}[on]
	return chosen, fmt.Sprintf("%s is being %s", strings.Join(chosen, ", "), verb), nil
}

// resetBackoff lets the next launch of an instance come at once.
func (m *Machine) resetBackoff(pod string) ([]string, string, *Problem) {
	p, missing := m.instance(pod)
	if missing != nil {
		return nil, "", missing
	}
	failures, notBefore := p.failures()
	if failures == 0 && notBefore.IsZero() {
		return nil, "", problem(AlreadyDone, "no launch of %s failed of late", pod)
	}
	m.setPod(p.forgiven())
	return p.fullNames(), fmt.Sprintf("%s is launched as soon as it has a place, "+
		"%d failed launches are forgotten", pod, failures), nil
}
