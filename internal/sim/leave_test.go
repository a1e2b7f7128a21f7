package sim

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// What befalls agents by plan, or for ever: drains, maintenance windows, machines that come back
// as other agents with or without their disks, agents that an operator declares gone, and those
// that he gives up.

// askEvery is how often inverse offers come again that were declined.
const askEvery = 30 * time.Second

// askAgain sends the inverse offers again that are open.
func (m *master) askAgain() {
	m.w.after(askEvery, m.askAgain)
	if m.up && m.session != nil && !m.removed {
		m.askToLeave()
	}
}

// askToLeave sends an inverse offer for each agent with a window.
func (m *master) askToLeave() {
	var ev mesos.InverseOffers
	for _, a := range m.agents {
		if a.window != nil && a.state == registered {
			m.offerCount++
			ev.Offers = append(ev.Offers, mesos.InverseOffer{
				ID:    mesos.OfferID(fmt.Sprintf("i%05d", m.offerCount)),
				Agent: a.id, Unavailable: *a.window})
		}
	}
	if len(ev.Offers) > 0 && !m.suppressed {
		m.send(m.session, ev)
	}
}

// drain ends all that runs on an agent, and offers nothing of it until it is reactivated.
func (a *agent) drain() {
	w := a.m.w
	if a.drained || a.state != registered {
		return
	}
	w.tell("%s is drained", a.id)
	a.drained = true
	a.m.removeOffers(func(o *offer) bool { return o.agent == a }, true)
	for _, t := range a.taskList() {
		t.draining = true
		t.kill(nil)
	}
	w.after(w.between(20*time.Second, 3*time.Minute), a.reactivate)
}

func (a *agent) reactivate() {
	if a.drained {
		a.m.w.tell("%s is reactivated", a.id)
		a.drained = false
		a.m.allocateSoon()
	}
}

// schedule announces maintenance of an agent, which is called off some time later.
func (a *agent) schedule() {
	w := a.m.w
	if a.window != nil || a.dead {
		return
	}
	w.tell("maintenance of %s is scheduled", a.id)
	a.window = &mesos.Unavailability{Start: w.now.Add(time.Hour), Duration: time.Hour}
	a.m.removeOffers(func(o *offer) bool { return o.agent == a }, true)
	a.m.askToLeave()
	w.after(w.between(20*time.Second, 4*time.Minute), a.callOff)
}

func (a *agent) callOff() {
	if a.window != nil {
		a.m.w.tell("maintenance of %s is called off", a.id)
		a.window = nil
		a.m.removeOffers(func(o *offer) bool { return o.agent == a }, true)
	}
}

// reborn: the machine of an agent comes back as another agent. Its disks may have stayed, and an
// operator may have declared the old agent gone before.
func (a *agent) reborn() {
	w := a.m.w
	kept, declared := w.flip(0.5), w.flip(0.5)
	if a.dead || a.state != registered || a.drained || a.window != nil ||
		!kept && !w.operator.spares(a) {
		return
	}
	next := newAgent(a.m, len(a.m.agents))
	next.hostname = a.hostname
	w.tell("%s comes back as %s, disks kept: %v, declared gone: %v", a.id, next.id, kept,
		declared)
	declared = declared && !kept
	for _, t := range a.taskList() {
		t.vanish()
	}
	clear(a.executors)
	if kept {
		next.total, next.heir = a.total, true
	} else {
		w.operator.lose(a)
	}
	a.total, a.dead, a.declared, a.state, a.cut = nil, true, declared, unreachable, true
	a.cuts++
	a.m.removeOffers(func(o *offer) bool { return o.agent == a }, true)
	for _, id := range a.m.recordIDs() {
		r := a.m.records[id]
		if r.task.agent != a {
			continue
		}
		delete(a.m.records, id)
		if !r.status.State.Terminal() || !r.known { // an end that nobody told yet, too
			a.m.answer(a.last(id))
		}
	}
	a.m.agents = append(a.m.agents, next)
	a.m.allocateSoon()
}

// last is what the master says of a task whose agent is gone for ever.
func (a *agent) last(id mesos.TaskID) mesos.Status {
	if a.declared {
		return mesos.Status{Task: id, Agent: a.id, State: mesos.GoneByOperator}
	}
	return mesos.Status{Task: id, Agent: a.id, State: mesos.Lost, Reason: "REASON_AGENT_REMOVED",
		Message: "Agent " + a.hostname + " removed: a new agent registered at the same address"}
}

// on lists the instances that have their places on an agent.
func (o *operator) on(a *agent) []scheduler.PodName {
	return slices.DeleteFunc(o.pods(), func(name scheduler.PodName) bool {
		place := o.w.store.hard.Pods[name].Place
		return place == nil || place.Agent != a.id
	})
}

// spares reports whether the quorum can do without what is on an agent, or may come up there.
func (o *operator) spares(a *agent) bool {
	controllers := map[string]bool{}
	for _, name := range o.on(a) {
		if o.isServer(name) && !o.spareServer(name) {
			return false
		}
		if _, controls := o.voter(name); controls {
			controllers[name.String()] = true
			if !o.expendable(name) {
				return false
			}
		}
	}
	for _, t := range a.taskList() {
		pod := t.info.Name[:strings.LastIndexByte(t.info.Name, '-')]
		if t.node != nil && t.node.controls && !controllers[pod] {
			return false // one that the store does not know of any more, or not yet
		}
	}
	return len(controllers) < 2 && !o.strayVoter(a) && o.w.store.hard.Intent == scheduler.Run
}

// strayVoter reports whether an agent has the volume of a voter, or all that is in ZooKeeper, which
// the store takes to be on another one: the agent has just come back under its present id.
func (o *operator) strayVoter(a *agent) bool {
	var known []mesos.PersistenceID
	for _, name := range o.on(a) {
		known = append(known, volumesOf(o.w.store.hard.Pods[name])...)
	}
	for _, r := range reservedOn(a).Volumes() {
		id := mesos.PersistenceID(r.DiskInfo().PersistenceID)
		if slices.Contains(known, id) {
			continue
		}
		if o.w.kafka.zoo.synced[o.w.kafka.volumes[id]] {
			return true
		}
		for _, c := range o.w.kafka.clusters {
			for _, v := range c.voters {
				if v.id == id {
					return true
				}
			}
		}
	}
	return false
}

// lose keeps that the volumes of an agent are gone, and who has to be built up anew for it.
func (o *operator) lose(a *agent) {
	for _, r := range reservedOn(a).Volumes() {
		if v := o.w.kafka.volumes[mesos.PersistenceID(r.DiskInfo().PersistenceID)]; v != nil {
			v.destroyed = true
		}
	}
	for _, name := range o.on(a) {
		o.giveUp(name)
	}
}

// giveUp notes that an instance is replaced without a command that says so.
func (o *operator) giveUp(name scheduler.PodName) {
	o.note(name)
	if o.lost == nil {
		o.lost = map[string]int{}
	}
	o.lost[name.String()]++
}

// abandon gives up an agent, if that does not destroy what no cluster can do without.
func (o *operator) abandon() {
	w := o.w
	a := w.master.agents[w.rng.IntN(len(w.master.agents))]
	if !w.process.alive || a.dead || !o.spares(a) {
		return
	}
	for _, name := range o.on(a) {
		o.giveUp(name)
	}
	w.process.command(scheduler.AgentAbandon{Agent: string(a.id), Force: w.flip(0.2)})
}

// replaceLost replaces what waits for agents that will not come back, and gives up those.
func (o *operator) replaceLost() {
	w := o.w
	for _, a := range w.master.agents {
		if !a.dead {
			continue
		}
		for _, name := range o.on(a) {
			p := w.store.hard.Pods[name]
			away := !slices.ContainsFunc(p.Tasks, func(t scheduler.Task) bool {
				return t.State == mesos.Running
			})
			if _, wanted := w.wanted(name); wanted && away && !p.Force &&
				o.expendable(name) { // whatever Kafka says: the data will not come back
				o.giveUp(name)
				w.process.command(scheduler.PodReplace{Pod: name.String(), Force: true})
			}
		}
		left := slices.ContainsFunc(w.leftovers(), func(l scheduler.Leftover) bool {
			return l.Agent == a.id
		})
		record := w.store.hard.Agents[a.id]
		awaited := record.Fate == scheduler.FateOpen ||
			record.Fate == scheduler.FateAbandoned && record.Away.IsZero() // it came back, and went
		if (left || len(o.on(a)) > 0) && awaited &&
			(o.spares(a) || o.lastOf(a)) {
			for _, name := range o.on(a) { // its disks may be those of an agent that came since
				o.giveUp(name)
			}
			w.process.command(scheduler.AgentAbandon{Agent: string(a.id), Force: true})
		}
	}
}

// forceWaiting has what was to be replaced, and has ended, replaced although Kafka cannot say that
// nobody misses it: an operator who has seen it wait that long takes the loss. What runs is waited
// for longer: others may come to have its data.
func (o *operator) forceWaiting() {
	for _, name := range o.pods() {
		p := o.w.store.hard.Pods[name]
		runs := slices.ContainsFunc(p.Tasks, func(t scheduler.Task) bool {
			return t.State == mesos.Running
		})
		if runs && o.w.now.Before(o.healed.Add(patience)) {
			continue
		}
		if p.Request == scheduler.Replace && !p.Force && o.expendable(name) {
			o.w.process.command(scheduler.PodReplace{Pod: name.String(), Force: true})
		}
	}
}

// patience is how long an operator waits before he gives way to what Kafka says.
const patience = 10 * time.Minute

// growBack has as many brokers again as topics have replicas, where one was to leave of as many:
// whoever shrinks a cluster while it does not answer is not told before. It also wants those back
// that were to leave and have fallen, and a third controller where one of two is to be replaced.
func (o *operator) growBack() {
	w := o.w
	if w.now.Before(o.healed.Add(patience)) {
		return
	}
	for _, p := range w.process.picture().Plans {
		for _, ph := range p.Phases {
			i := slices.IndexFunc(ph.Steps, func(s scheduler.StepView) bool {
				return strings.Contains(s.Reason, "cannot leave") || o.fallen(ph.Name, s) ||
					o.ofTwo(s)
			})
			if i < 0 {
				continue
			}
			next := o.shape
			if strings.HasPrefix(cmp.Or(ph.Steps[i].Pod, ph.Name), "controller-") {
				next.controllers = o.count("controller") + 1
			} else {
				next.brokers = o.count("broker", "kafka") + 1
			}
			o.become(next)
			return
		}
	}
}

// count gives how many instances of some pod types the service is to have: after a way back, not as
// many as the configuration that was asked for last has.
func (o *operator) count(types ...string) int {
	n := 0
	for _, pod := range o.w.store.hard.Target.Service.Pods {
		if slices.Contains(types, pod.Type) {
			n += pod.Count
		}
	}
	return n
}

// electUnclean lets replicas lead that are not in sync, where the data of all that were are gone
// for good: an operator who has seen such partitions for that long takes the loss (docs/kafka.md).
func (o *operator) electUnclean() {
	k := o.w.kafka
	if o.w.now.Before(o.healed.Add(patience)) {
		return
	}
	for _, c := range k.clusters {
		for i, p := range c.partitions {
			if c.id != o.w.store.hard.Kafka.ID || !k.governed(c) || k.led(c, p) || !c.lost(p) {
				continue
			}
			next := slices.IndexFunc(p.replicas, func(id int) bool { return k.serves(c, id) })
			if next >= 0 {
				o.w.tell("broker %d leads %s-%d, uncleanly", p.replicas[next], topicName(i), i)
				p.isr = map[int]bool{p.replicas[next]: true}
				k.settle(c)
			}
		}
	}
}

// fallen reports whether a step waits for Kafka where the node that is to go does not run: nobody
// starts that again, and its data or its vote may be what Kafka lacks.
func (o *operator) fallen(pod string, s scheduler.StepView) bool {
	if s.Status == plans.Complete ||
		!strings.HasPrefix(s.Name, "empty-") && !strings.HasPrefix(s.Name, "forget-") {
		return false
	}
	return !slices.ContainsFunc(o.w.kafka.nodes, func(n *node) bool {
		return strings.HasPrefix(n.t.info.Name, pod+"-")
	})
}

// ofTwo reports whether a step waits until one of two controllers, which still runs, is replaced:
// the quorum has to live without it, and never can. Whoever has a controller replaced and takes
// away another one before that has begun is not told.
func (o *operator) ofTwo(s scheduler.StepView) bool {
	count, waits := 0, false
	for _, name := range o.pods() {
		if _, controls := o.voter(name); controls {
			count++
			waits = waits || name.String() == s.Pod && s.Status != plans.Complete &&
				o.w.store.hard.Pods[name].Request == scheduler.Replace
		}
	}
	return waits && count == 2
}

// lastOf reports whether a service that is uninstalled waits for an agent in vain: no quorum is
// to be spared any more, and nothing is left to be freed on a later agent of its machine.
func (o *operator) lastOf(a *agent) bool {
	return o.w.store.hard.Intent == scheduler.Uninstall &&
		!slices.ContainsFunc(o.w.master.agents, func(next *agent) bool {
			return next.hostname == a.hostname && len(reservedOn(next)) > 0
		})
}

// leftovers are those on record.
func (w *world) leftovers() []scheduler.Leftover {
	var list []scheduler.Leftover
	for _, l := range w.store.hard.Leftovers {
		list = append(list, l)
	}
	return list
}

// waitsFor reports whether somebody waits for a leftover: its agent is there, or may be.
func (w *world) waitsFor(l scheduler.Leftover) bool {
	a := w.master.agentByID(l.Agent)
	return a == nil || !a.dead
}
