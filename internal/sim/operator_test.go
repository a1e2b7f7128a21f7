package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// operator is the person who commands; and the one whom all troubles of the world befall.
type operator struct {
	w           *world
	targets     int
	replaced    map[scheduler.PodName]bool // ever
	uninstalled bool
}

// trouble makes something fail every few seconds, as long as faults last.
func (o *operator) trouble() {
	w := o.w
	if !w.faults {
		return
	}
	w.after(w.between(500*time.Millisecond, 20*time.Second), o.trouble)
	net := w.scenario.network
	a := w.master.agents[w.rng.IntN(len(w.master.agents))]
	switch w.rng.IntN(8) {
	case 0, 1:
		if w.chance(0.4 * net) {
			a.cutFor(w.between(100*time.Millisecond, 15*time.Second))
		}
	case 2:
		if w.chance(0.3 * net) {
			a.cutFor(w.between(20*time.Second, 3*time.Minute))
		}
	case 3:
		if w.chance(0.2 * net) {
			a.reboot()
		}
	case 4, 5:
		if w.chance(0.4 * net) {
			w.master.disconnect()
		}
	case 6:
		if w.chance(0.2 * net) {
			w.master.failover()
		}
	case 7:
		if w.chance(0.3*w.scenario.crashes) && w.process.alive {
			w.process.die("while it waits")
		}
	}
}

// act commands something now and then.
func (o *operator) act() {
	w := o.w
	if !w.faults {
		return
	}
	w.after(w.between(time.Second, 50*time.Second), o.act)
	var pods []scheduler.PodName
	for name := range w.store.hard.Pods {
		pods = append(pods, name)
	}
	slices.SortFunc(pods, func(a, b scheduler.PodName) int {
		return strings.Compare(a.String(), b.String())
	})
	if len(pods) == 0 {
		return
	}
	pod := pods[w.rng.IntN(len(pods))]
	switch w.rng.IntN(16) {
	case 0, 1, 2:
		w.process.command(scheduler.PodRestart{Pod: pod.String()})
	case 3, 4, 5, 6:
		o.replace(pod)
	case 7:
		w.process.command(scheduler.ServiceStop{})
	case 8, 9:
		w.process.command(scheduler.ServiceStart{})
	case 10:
		o.targets++
		w.process.command(scheduler.SetTarget{ID: fmt.Sprintf("target-%d", o.targets+1),
			Service: w.scenario.next[w.rng.IntN(len(w.scenario.next))]})
	case 11, 12:
		o.hold(scheduler.PlanInterrupt)
	case 13:
		o.hold(scheduler.PlanContinue)
	case 14:
		o.hold(scheduler.PlanRestart)
	case 15:
		if w.scenario.uninstall && w.flip(0.3) {
			o.uninstall()
		}
	}
}

// hold commands some part of a plan.
func (o *operator) hold(verb scheduler.PlanVerb) {
	v := o.w.process.view
	if v == nil || len(v.Plans) == 0 {
		return
	}
	rng := o.w.rng
	plan := v.Plans[rng.IntN(len(v.Plans))]
	c := scheduler.PlanCommand{Verb: verb, Plan: plan.Name}
	if len(plan.Phases) > 0 && rng.IntN(2) == 0 {
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
	if pod.Type == "kafka" && !o.expendable(pod) {
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

// expendable reports whether a majority of the voters keeps its data without an instance, even
// if those that are being replaced join the quorum in their last moment.
func (o *operator) expendable(pod scheduler.PodName) bool {
	k, hard := o.w.kafka, o.w.store.hard
	if !hard.Kafka.Founded {
		return true
	}
	c := k.clusters[len(k.clusters)-1]
	kept, voters := 0, map[int]bool{pod.Index: true}
	for id := range c.voters {
		voters[id] = true
	}
	for name, p := range hard.Pods {
		if name.Type != "kafka" || name == pod {
			continue
		}
		if p.Place == nil || p.Request == scheduler.Replace {
			voters[name.Index] = true
			continue
		}
		if v := c.voters[name.Index]; v != nil && slices.Contains(volumesOf(p), v.id) {
			kept++
		}
	}
	return kept > len(voters)/2
}

func (o *operator) uninstall() {
	if _, ok := o.w.process.command(scheduler.ServiceUninstall{}); ok {
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
	var keys []string
	for key, on := range w.store.hard.Overrides.Interrupted {
		if on {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		parts := append(strings.SplitN(key, "/", 3), "", "")
		r, ok := w.process.command(scheduler.PlanCommand{Verb: scheduler.PlanContinue,
			Plan: parts[0], Phase: parts[1], Step: parts[2]})
		if ok && r.Problem != nil && r.Problem.Code != scheduler.NotFound {
			w.fail("liveness", "continuing %s is refused: %s", key, r.Problem.Message)
		}
	}
}

// heal ends all troubles.
func (o *operator) heal() {
	w := o.w
	w.faults = false
	w.tell("from here on nothing fails any more")
	for _, a := range w.master.agents {
		if a.cut {
			a.cut = false
			a.cuts++
			a.registerLater(w.between(10*time.Millisecond, 3*time.Second))
		}
	}
	o.helpful()
}
