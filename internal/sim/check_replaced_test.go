package sim

import (
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// checkReplaced: a fault policy never has more instances of a pod under replacement at a time
// than it allows, those that the operator replaces included; one that was replaced and was never
// complete in its new place may be replaced again, and makes no more of them. It replaces nobody
// whose agent was not lost for as long as it says, and no node whose data the quorum cannot do
// without.
type checkReplaced struct {
	w *world
	// under are the instances under replacement, with the incarnation that each of them had first.
	under map[scheduler.PodName]int
	// incomplete are those under replacement by their records as the last step left them: the
	// tasks of one that is not in under any more all run, but need not be ready.
	incomplete map[scheduler.PodName]bool
}

func (c *checkReplaced) stepped(_ scheduler.Event, out scheduler.Output) {
	c.settle()
	policy := replacedByPolicy(out)
	for _, pod := range replacedByMove(out) {
		c.vote(pod, "moved")
	}
	for _, write := range out.Writes { // in their order: one may be given up, and another begin
		w, ok := write.(scheduler.WritePod)
		if !ok {
			continue
		}
		begins := w.Pod.Request == scheduler.Replace || w.Pod.Request == scheduler.Leave
		if i := slices.Index(policy, w.Pod.Name); begins && i >= 0 {
			policy = slices.Delete(policy, i, i+1)
			c.begun(w.Pod.Name)
		}
		c.asked(w.Pod)
	}
	for _, pod := range policy {
		c.w.fail("replacements", "%s is replaced by its policy, and no record says so", pod)
	}
	c.settle()
	c.incomplete = map[scheduler.PodName]bool{}
	for name, p := range c.w.store.hard.Pods {
		c.incomplete[name] = p.Replacing
	}
}

// asked notes what is wanted of an instance. A restart gives up a replacement that has not begun,
// also where one before it is done.
func (c *checkReplaced) asked(p scheduler.Pod) {
	if c.up(p) { // if only for this moment: a step may launch more of it at once
		delete(c.under, p.Name)
	}
	first, under := c.under[p.Name]
	switch p.Request {
	case scheduler.Replace, scheduler.Leave:
		if !under {
			c.under[p.Name] = p.Incarnation
		}
	case "":
		if _, wanted := c.w.wanted(p.Name); under && !wanted && p.Incarnation == first {
			delete(c.under, p.Name) // it is to go, and keeps its data until then
		}
	case scheduler.Restart:
		p.Request = ""
		if under && (p.Incarnation == first || c.up(p)) {
			delete(c.under, p.Name)
		}
	}
}

// settle forgets those that are up again.
func (c *checkReplaced) settle() {
	for name := range c.under {
		if p, ok := c.w.store.hard.Pods[name]; !ok || c.up(p) {
			delete(c.under, name)
		}
	}
}

// begun checks that a policy may replace an instance now.
func (c *checkReplaced) begun(pod scheduler.PodName) {
	others, allowed := 0, 0
	for _, spec := range c.w.store.hard.Target.Service.Pods {
		if spec.Type == pod.Type && spec.Fault != nil {
			allowed = spec.Fault.MaxReplacements
		}
	}
	for name := range c.under {
		if name != pod && name.Type == pod.Type {
			others++
		}
	}
	_, again := c.under[pod]
	again = again || c.incomplete[pod]
	if others >= allowed && !again || allowed == 0 {
		c.w.fail("replacements", "%s is replaced by its policy while %d others are", pod, others)
	}
	c.vote(pod, "replaced by its policy")
}

// vote checks that the quorum can do without the data of an instance.
func (c *checkReplaced) vote(pod scheduler.PodName, what string) {
	if !c.w.operator.expendable(pod) {
		c.w.fail("replacements", "%s is %s, and its vote is needed", pod, what)
	}
}

// up reports whether an instance has been replaced and runs: something of it does. A job that the
// plan deploy has not, or that an operator forced to its end there, is of no concern, and one that
// was done before may have failed, where he forced its recovery to an end. A task that the target
// has no more is not waited for.
func (c *checkReplaced) up(p scheduler.Pod) bool {
	if p.Request != "" || p.Recovery != nil || p.Place == nil {
		return false
	}
	spec, _ := c.w.wanted(p.Name)
	some := false
	for _, t := range p.Tasks {
		ts, known := taskOf(spec, t.Name)
		if !known {
			continue
		}
		does := t.State == mesos.Running || t.State == mesos.Finished
		over := t.Name == "backup" || ts.Goal != servicespec.GoalRunning &&
			(t.Deployed != "" && t.State.Terminal() || c.forced(p.Name, t.Name))
		if t.ID != "" && !does && !over {
			return false
		}
		some = some || t.ID != "" && does
	}
	return some
}

// forced reports whether an operator forced a step of the plan deploy to its end that has a task of
// an instance.
func (c *checkReplaced) forced(pod scheduler.PodName, task string) bool {
	for key := range c.w.store.hard.Overrides.Forced {
		_, tasks, of := strings.Cut(key, "/"+pod.String()+":[")
		if of && strings.HasPrefix(key, "deploy/") && slices.Contains(
			strings.Split(strings.TrimSuffix(tasks, "]"), ", "), task) {
			return true
		}
	}
	return false
}

// replacedByPolicy lists the instances whose replacement by a policy begins in a step.
func replacedByPolicy(out scheduler.Output) []scheduler.PodName {
	return replacedBy(out, "fault-policy")
}

// replacedByMove lists the instances that begin to move, as an operator wanted.
func replacedByMove(out scheduler.Output) []scheduler.PodName {
	return replacedBy(out, "plan maintenance")
}

func replacedBy(out scheduler.Output, by string) []scheduler.PodName {
	var pods []scheduler.PodName
	for _, j := range journal(out, by) {
		if j.Code != "" {
			continue
		}
		what := strings.TrimPrefix(j.What, "pod replace ")
		for _, write := range out.Writes {
			if w, ok := write.(scheduler.WritePod); ok && w.Pod.Name.String() == what {
				pods = append(pods, w.Pod.Name)
				break
			}
		}
	}
	return pods
}
