package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// What the operator commands: anything at all while faults last, and then all that it takes for
// the service to become complete.

// act commands something now and then.
func (o *operator) act() {
	w := o.w
	if !w.faults {
		return
	}
	w.after(w.between(time.Second, 40*time.Second), o.act)
	pods := o.pods()
	if len(pods) == 0 {
		o.plan(scheduler.PlanContinue)
		return
	}
	pod := pods[w.rng.IntN(len(pods))]
	what := w.rng.IntN(38)
	if !w.cut.allows("command") {
		return
	}
	if o.shape.former && w.flip(0.3) {
		o.campaign()
		return
	}
	if o.shape.metadata != native && w.flip(0.4) {
		o.migration()
		return
	}
	switch what {
	case 0, 1:
		w.process.command(scheduler.PodRestart{Pod: pod.String()})
	case 2, 3, 4:
		o.replace(pod)
	case 5, 6:
		w.process.command(scheduler.PodPause{Pod: pod.String(), Tasks: o.someTasks(pod)})
	case 7, 8:
		w.process.command(scheduler.PodResume{Pod: pod.String(), Tasks: o.someTasks(pod)})
	case 9:
		w.process.command(scheduler.BackoffReset{Pod: pod.String()})
	case 10:
		w.process.command(scheduler.ServiceStop{})
	case 11, 12:
		w.process.command(scheduler.ServiceStart{})
	case 13, 14, 15:
		o.change()
	case 16:
		o.rollback()
	case 17, 18, 19, 20:
		o.start()
	case 21, 22, 23, 24:
		o.release()
	case 25, 26:
		o.plan(scheduler.PlanInterrupt)
	case 27:
		o.plan(scheduler.PlanContinue)
	case 28:
		o.plan(scheduler.PlanRestart)
	case 29:
		o.plan(scheduler.PlanStop)
	case 30:
		o.plan(scheduler.PlanForceComplete)
	case 32, 33:
		o.abandon()
	case 34, 35, 36:
		o.move(pod)
	case 37:
		w.process.command(scheduler.PodMove{Pod: pod.String(), Cancel: true})
	case 31:
		if w.scenario.uninstall && w.flip(0.3) {
			o.uninstall()
		}
	}
}

// pods are the instances that have a record, sorted.
func (o *operator) pods() []scheduler.PodName {
	var pods []scheduler.PodName
	for name := range o.w.store.hard.Pods {
		pods = append(pods, name)
	}
	slices.SortFunc(pods, func(a, b scheduler.PodName) int {
		return strings.Compare(a.String(), b.String())
	})
	return pods
}

// someTasks draws tasks of an instance, none of which means all of them.
func (o *operator) someTasks(pod scheduler.PodName) []string {
	tasks := o.w.store.hard.Pods[pod].Tasks
	if len(tasks) == 0 || o.w.flip(0.4) {
		return nil
	}
	return []string{tasks[o.w.rng.IntN(len(tasks))].Name}
}

// change asks for another configuration.
func (o *operator) change() {
	if o.shape.metadata != native {
		o.shape.metadata = o.w.metadata()
	}
	o.become(o.shape.changed(o.w.rng, o.w.scenario.agents))
}

// become makes a shape the target.
func (o *operator) become(next shape) {
	w := o.w
	o.targets++
	r, ok := w.process.command(scheduler.SetTarget{ID: fmt.Sprintf("target-%d", o.targets+1),
		Service: o.asStored(next.service())})
	if ok && r.Problem == nil {
		o.shape = next
	}
	o.noteLeft()
}

func (o *operator) rollback() {
	o.w.process.command(scheduler.Rollback{})
	o.noteLeft()
}

// noteLeft keeps in mind who is not wanted now.
func (o *operator) noteLeft() {
	for name := range o.w.store.hard.Pods {
		if _, wanted := o.w.wanted(name); !wanted {
			o.leave(name)
		}
	}
}

// leave keeps in mind that an instance goes.
func (o *operator) leave(name scheduler.PodName) {
	if o.left == nil {
		o.left = map[scheduler.PodName]bool{}
	}
	o.left[name] = true
}

// start starts a plan with parameters.
func (o *operator) start() {
	v := o.w.process.picture()
	if len(v.Plans) == 0 {
		return
	}
	plan := v.Plans[o.w.rng.IntN(len(v.Plans))].Name
	params := map[string]string{}
	for _, key := range []string{"TARGET", "LEVEL"} {
		if o.w.flip(0.5) {
			params[key] = fmt.Sprint("value-", o.w.rng.IntN(100))
		}
	}
	r, ok := o.w.process.command(scheduler.PlanCommand{Verb: scheduler.PlanStart, Plan: plan,
		Params: params})
	if o.params == nil {
		o.params = map[string]map[string]string{}
	}
	switch {
	case ok && r.Problem == nil:
		o.params[plan] = params
	case !ok:
		delete(o.params, plan) // it may be stored, or not
	}
}

// release lets a phase go that waits for it.
func (o *operator) release() {
	v := o.w.process.picture()
	var waiting []scheduler.PlanCommand
	for _, p := range v.Plans {
		for _, ph := range p.Phases {
			if ph.Status == plans.Waiting {
				waiting = append(waiting, scheduler.PlanCommand{Verb: scheduler.PlanContinue,
					Plan: p.Name, Phase: ph.Name})
			}
		}
	}
	if len(waiting) > 0 {
		o.w.process.command(waiting[o.w.rng.IntN(len(waiting))])
	}
}

// plan commands some plan, or for some verbs some part of it.
func (o *operator) plan(verb scheduler.PlanVerb) {
	v := o.w.process.picture()
	if len(v.Plans) == 0 {
		return
	}
	rng := o.w.rng
	plan := v.Plans[rng.IntN(len(v.Plans))]
	c := scheduler.PlanCommand{Verb: verb, Plan: plan.Name}
	if verb != scheduler.PlanStop && len(plan.Phases) > 0 && rng.IntN(2) == 0 {
		phase := plan.Phases[rng.IntN(len(plan.Phases))]
		c.Phase = phase.Name
		if len(phase.Steps) > 0 && rng.IntN(2) == 0 {
			c.Step = phase.Steps[rng.IntN(len(phase.Steps))].Name
		}
	}
	o.w.process.command(c)
}

// replace replaces an instance, if that does not destroy what no cluster can do without.
func (o *operator) replace(pod scheduler.PodName) {
	w := o.w
	if !o.expendable(pod) {
		return
	}
	if !w.process.alive {
		return
	}
	o.note(pod)
	w.process.command(scheduler.PodReplace{Pod: pod.String()})
}

// note keeps that an instance is replaced, by the operator or as a policy of his says.
func (o *operator) note(pod scheduler.PodName) {
	if o.replaced == nil {
		o.replaced = map[scheduler.PodName]bool{}
	}
	o.replaced[pod] = true
	for _, a := range o.w.master.agents {
		for _, t := range a.taskList() {
			if strings.HasPrefix(t.info.Name, pod.String()+"-") {
				t.replaced = true
			}
		}
	}
}

// notice takes in what was done in the operator's name, as policies and actions say.
func (o *operator) notice(out scheduler.Output) {
	for _, pod := range slices.Concat(replacedByPolicy(out), replacedByMove(out)) {
		o.note(pod)
	}
	o.noteUndone(out)
	for _, j := range journal(out, "action ") {
		if o.params == nil {
			o.params = map[string]map[string]string{}
		}
		o.params[j.Plan] = map[string]string{}
	}
}

// journal gives the entries that a step adds for those whose names begin so.
func journal(out scheduler.Output, by string) []scheduler.JournalEntry {
	var entries []scheduler.JournalEntry
	for _, write := range out.Writes {
		j, ok := write.(scheduler.WriteJournal)
		if ok && j.Entry.Kind == "command" && strings.HasPrefix(j.Entry.By, by) {
			entries = append(entries, j.Entry)
		}
	}
	return entries
}

// expendable reports whether a majority of the voters keeps its data without an instance, even
// if those that are being replaced join the quorum in their last moment. A record may still name
// a volume whose disk was lost with its agent: nothing is kept there.
func (o *operator) expendable(pod scheduler.PodName) bool {
	k, hard := o.w.kafka, o.w.store.hard
	own, controls := o.voter(pod)
	if o.isServer(pod) {
		return o.spareServer(pod)
	}
	if !hard.Kafka.Founded || hard.Kafka.Joins || !controls || o.withdraws() {
		return true
	}
	c := k.clusters[len(k.clusters)-1]
	kept, voters := 0, map[int]bool{}
	if o.mayJoin(pod) {
		voters[own] = true
	}
	for id := range c.voters {
		voters[id] = true
	}
	for name, p := range hard.Pods {
		id, controls := o.voter(name)
		if !controls || name == pod {
			continue
		}
		if _, wanted := o.w.wanted(name); !wanted && p.Place == nil {
			continue // it has gone, and does not come back
		}
		if p.Place == nil || p.Request == scheduler.Replace {
			voters[id] = true
			continue
		}
		v := c.voters[id]
		if v != nil && !v.destroyed && slices.Contains(volumesOf(p), v.id) {
			kept++
		}
	}
	return kept > len(voters)/2
}

// mayJoin reports whether an instance may still come to be a voter where it is: nothing comes up on
// an agent that never comes back.
func (o *operator) mayJoin(name scheduler.PodName) bool {
	place := o.w.store.hard.Pods[name].Place
	if place == nil {
		return true
	}
	a := o.w.master.agentByID(place.Agent)
	return a == nil || !a.dead
}

// voter gives the node id of an instance, and whether it is a controller.
func (o *operator) voter(name scheduler.PodName) (id int, controls bool) {
	for _, pod := range o.w.store.hard.Target.Service.Pods {
		if pod.Type == name.Type && pod.Kafka != nil {
			return pod.Kafka.NodeID(name.Index), pod.Kafka.Controls()
		}
	}
	return 0, false
}

func (o *operator) uninstall() {
	o.ended = o.w.now
	_, ok := o.w.process.command(scheduler.ServiceUninstall{})
	if ok || o.w.store.hard.Intent == scheduler.Uninstall { // it may crash behind its writes
		o.uninstalled = true
	}
}

// helpful takes back all that holds the service up, once the faults have stopped.
func (o *operator) helpful() {
	w := o.w
	w.after(2*time.Second, o.helpful)
	if !w.process.alive {
		return
	}
	if w.store.hard.Intent == scheduler.Stop {
		w.process.command(scheduler.ServiceStart{})
	}
	for _, name := range o.pods() {
		paused := func(t scheduler.Task) bool { return t.Paused }
		if slices.ContainsFunc(w.store.hard.Pods[name].Tasks, paused) {
			w.process.command(scheduler.PodResume{Pod: name.String()})
		}
	}
	o.replaceLost()
	o.forceWaiting()
	o.growBack()
	o.electUnclean()
	o.endMoves()
	o.endCampaign()
	o.continueHeld()
	o.continuePlans()
	o.undoForced()
}

// said are the keys of what operators said, sorted.
func said(of map[string]bool) []string {
	var keys []string
	for key, on := range of {
		if on {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// part makes a command on what a key of plans.Overrides names.
func part(verb scheduler.PlanVerb, key string) scheduler.PlanCommand {
	parts := append(strings.SplitN(key, "/", 3), "", "")
	return scheduler.PlanCommand{Verb: verb, Plan: parts[0], Phase: parts[1], Step: parts[2]}
}

// continueHeld undoes all interrupts.
func (o *operator) continueHeld() {
	for _, key := range said(o.w.store.hard.Overrides.Interrupted) {
		r, ok := o.w.process.command(part(scheduler.PlanContinue, key))
		if ok && r.Problem != nil && r.Problem.Code != scheduler.NotFound {
			o.w.fail("liveness", "continuing %s is refused: %s", key, r.Problem.Message)
		}
	}
}

// continuePlans continues the plans that were started once, and releases canaries.
func (o *operator) continuePlans() {
	w := o.w
	for _, p := range w.process.picture().Plans {
		run := w.store.hard.Runs[p.Name]
		if p.Status == plans.Complete || custom(p.Name) && run.Number == 0 {
			continue
		}
		if custom(p.Name) && !run.Active {
			w.process.command(part(scheduler.PlanContinue, p.Name))
		}
		for _, ph := range p.Phases {
			if ph.Status == plans.Waiting {
				w.process.command(part(scheduler.PlanContinue, p.Name+"/"+ph.Name))
			}
		}
	}
}

// undoForced has the steps done that were forced of the plans deploy and decommission, so that the
// service is in the end as the configuration says.
func (o *operator) undoForced() {
	for _, key := range said(o.w.store.hard.Overrides.Forced) {
		if strings.HasPrefix(key, "deploy/") || strings.HasPrefix(key, "decommission/") {
			o.w.process.command(part(scheduler.PlanRestart, key))
		}
	}
}

// custom reports whether a plan is one that has to be started.
func custom(plan string) bool { return plan == "backup" || plan == "verify" }
