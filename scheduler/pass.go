package scheduler

import (
	"fmt"
	"sort"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// pass compares what shall be with what is, for everything, and emits what is missing. It runs
// after every event; doing nothing is its usual outcome.
func (m *Machine) pass() {
	m.waits = map[PodName]string{}
	work := &work{m: m, wants: map[string]bool{}, kills: map[mesos.TaskID]bool{},
		operations: map[mesos.OfferID][]mesos.Operation{}}
	m.passRequests(work)
	if m.hard.Intent != Stop {
		m.stopLive, m.stopAt = 0, time.Time{}
	}
	switch m.hard.Intent {
	case Run:
		m.passRun(work)
	case Stop:
		m.passStop(work)
	case Uninstall:
		m.passUninstall(work)
	}
	work.free()
	work.finish()
	m.reconcile()
	m.askKafka()
	if m.hard.Intent == Uninstall && len(m.hard.Pods) == 0 && len(m.hard.Leftovers) == 0 {
		m.setIntent(Uninstalled)
	}
	if m.hard.Intent == Uninstalled {
		m.passUninstalled()
	}
}

// work is what one pass collects before it becomes calls.
type work struct {
	m          *Machine
	wants      map[string]bool
	kills      map[mesos.TaskID]bool
	operations map[mesos.OfferID][]mesos.Operation
}

// passRequests carries on with what operators asked of single instances.
func (m *Machine) passRequests(w *work) {
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		if p.Request == "" {
			continue
		}
		if p.Deployed != "" {
			kind := map[Request]string{Restart: "TRANSIENT", Replace: "PERMANENT"}[p.Request]
			m.recover(name, kind)
		}
		if p.anyLive() && !(p.Request == Replace && p.allUnsure()) {
			w.kill(p, nil)
			m.waits[name] = "its tasks are being stopped for a " + string(p.Request)
			continue
		}
		if p.Request == Replace {
			p = m.leave(p)
			p.Incarnation++
			p = p.emptied()
		}
		p.Request, p.Failures, p.NotBefore = "", 0, time.Time{}
		m.setPod(p)
	}
}

// leave turns an instance's reservation into a leftover.
func (m *Machine) leave(p Pod) Pod {
	if p.Place == nil {
		return p
	}
	l := Leftover{
		Reservation: p.Place.Reservation, Pod: p.Name,
		Agent: p.Place.Agent, Hostname: p.Place.Hostname,
		Resources: placeResources(*p.Place), Confirmed: p.Place.Confirmed,
	}
	for _, t := range p.Tasks {
		if t.live() {
			l.Tasks = append(l.Tasks, t.ID)
			m.asked[t.ID] = question{again: m.now.Add(askFirst), wait: askFirst}
		}
	}
	m.unfound(l.Resources)
	m.setLeftover(l)
	p.Place = nil
	return p
}

// passRun works on plans: deploy first, then recovery.
func (m *Machine) passRun(w *work) {
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		outdated := m.outdated(p)
		ok, _ := m.ready(p)
		switch {
		case p.Caretaker && p.anyLive():
			w.kill(p, nil)
			m.waits[name] = "its controller, which ran alone, is being stopped"
		case p.Request != "":
		case ok && p.launched() && !outdated:
			m.settle(p)
			if r := m.recovery[name]; r != nil {
				r.done = true
			}
		case outdated && p.anyLive() && !p.allUnsure() && !m.fallen(p):
			// The deploy plan rolls it when its turn has come. One that is broken as well cannot
			// wait for that: those before it may wait until it is ready.
		case m.needed(p) && m.broken(p):
			m.recover(name, "TRANSIENT")
		}
	}
	for _, plan := range m.plans() {
		assessed := plans.Assess(plan, m.stepStatus(plan.Name), m.hard.Overrides)
		for _, step := range assessed.Candidates {
			w.advance(PodName{step.Pod, step.Index})
		}
	}
}

// recover notes that an instance is being brought back.
func (m *Machine) recover(name PodName, kind string) {
	r := m.recovery[name]
	if r != nil && !r.done && r.kind == "PERMANENT" {
		return
	}
	if r != nil && !r.done && r.kind == kind {
		return
	}
	m.recoveries++
	m.recovery[name] = &recovery{kind: kind, order: m.recoveries}
}

// needed reports whether an instance is brought back without regard to the order of the deploy
// plan: one that was complete once, and a Kafka node that may have joined the quorum, because
// those that come before it in the plan may be unable to come up without it.
func (m *Machine) needed(p Pod) bool {
	spec, _ := m.spec(p.Name)
	return p.Deployed != "" || spec.Kafka != nil && m.hard.Kafka.Founded && p.launched() &&
		p.Place != nil
}

// broken reports whether the instance needs to be brought back, for all that is known.
func (m *Machine) broken(p Pod) bool {
	for _, t := range p.Tasks {
		if t.unsure() {
			return true
		}
	}
	return len(p.Tasks) == 0 || m.fallen(p)
}

// fallen reports whether a task of the instance ended that should not have.
func (m *Machine) fallen(p Pod) bool {
	spec, ok := m.spec(p.Name)
	if !ok {
		return false
	}
	for _, t := range p.Tasks {
		ts, _ := taskSpec(spec, t.Name)
		if !t.live() && !t.complete(ts) {
			return true
		}
	}
	return false
}

// advance does the next thing for an instance that may be worked on now.
func (w *work) advance(name PodName) {
	m := w.m
	spec, ok := m.spec(name)
	if !ok {
		return
	}
	p, known := m.hard.Pods[name]
	if known && (p.Request != "" || p.Caretaker && p.anyLive()) {
		return
	}
	if known && p.anyLive() && !p.allUnsure() {
		switch {
		case m.fallen(p):
			w.kill(p, nil)
			m.waits[name] = "its other tasks are being stopped, because one of them ended"
		case m.outdated(p):
			if reason := m.holdRoll(name); reason != "" && !m.endsNow(name) {
				m.waits[name] = reason
				return
			}
			w.kill(p, nil)
			m.waits[name] = "its tasks are being stopped, to be launched anew"
		}
		return
	}
	w.place(name, spec, false)
}

// holdRoll says why an instance may not be stopped for a new configuration now, "" if it may.
func (m *Machine) holdRoll(name PodName) string {
	for _, other := range m.podNames() {
		p := m.hard.Pods[other]
		if other == name || other.Type != name.Type || p.Deployed == "" {
			continue
		}
		if m.endsNow(other) {
			return fmt.Sprintf("%s is being stopped", other)
		}
		if ok, reason := m.ready(p); !ok {
			return fmt.Sprintf("%s is not ready: %s", other, reason)
		}
	}
	return ""
}

// passUninstall ends all tasks at once, since their data goes as well, and turns all
// reservations into leftovers.
func (m *Machine) passUninstall(w *work) {
	now := time.Duration(0)
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		if p.anyLive() {
			w.kill(p, &now)
			continue
		}
		m.leave(p)
		delete(m.hard.Pods, name)
		m.write(DeletePod{name})
	}
}

// passUninstalled removes the framework itself, the last thing that is left.
func (m *Machine) passUninstalled() {
	switch {
	case m.finished:
	case m.hard.Framework == "":
		m.exit(0, "uninstalled")
	case m.connected:
		m.send(mesos.Teardown{})
		m.exit(0, "uninstalled")
	}
}

// kill asks for the end of all live tasks of an instance, again and again until it is seen.
func (w *work) kill(p Pod, grace *time.Duration) {
	m := w.m
	for _, t := range p.Tasks {
		if !t.live() {
			continue
		}
		w.kills[t.ID] = true
		at, sent := m.kills[t.ID]
		if !m.connected || sent && m.now.Before(at.Add(killAgain)) {
			continue
		}
		m.kills[t.ID] = m.now
		agent := mesos.AgentID("")
		if p.Place != nil {
			agent = p.Place.Agent
		}
		m.send(mesos.Kill{Task: t.ID, Agent: agent, Grace: grace})
		m.note(Info, CountKills, "kill", "task", string(t.ID))
	}
}

// finish turns what the pass collected into calls, and forgets the offers.
func (w *work) finish() {
	m := w.m
	for id := range m.kills {
		if !w.kills[id] {
			delete(m.kills, id)
		}
	}
	refuse := declineIdle
	if len(w.wants) > 0 {
		refuse = declineWorking
	}
	var unused []mesos.OfferID
	for _, id := range sortedOffers(m.offers) {
		if ops := w.operations[id]; len(ops) > 0 {
			m.send(mesos.Accept{
				Offers: []mesos.OfferID{id}, Operations: ops, Refuse: time.Second})
			m.note(Debug, CountAccepts, "accept", "offer", string(id))
			continue
		}
		unused = append(unused, id)
	}
	if len(unused) > 0 {
		m.send(mesos.Decline{Offers: unused, Refuse: refuse})
		m.note(Debug, CountDeclines, "decline", "offers", fmt.Sprint(len(unused)))
	}
	m.offers = map[mesos.OfferID]mesos.Offer{}
	w.tellWants()
}

// tellWants revives when something new wants an offer, and suppresses when nothing does.
func (w *work) tellWants() {
	m := w.m
	if !m.connected {
		return
	}
	gained := false
	//tidy:unordered one gain is as good as another
	for key := range w.wants {
		gained = gained || !m.wants[key]
	}
	switch {
	case gained:
		m.send(mesos.Revive{})
		m.note(Debug, CountRevives, "revive")
	case len(w.wants) == 0 && (len(m.wants) > 0 || !m.told):
		m.send(mesos.Suppress{})
		m.note(Debug, CountSuppresses, "suppress")
	}
	m.told = true
	m.wants = w.wants
}

func sortedOffers(offers map[mesos.OfferID]mesos.Offer) []mesos.OfferID {
	ids := make([]mesos.OfferID, 0, len(offers))
	for id := range offers {
		ids = append(ids, id)
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	return ids
}

// reconcile asks the master about tasks: those in doubt by name, and all from time to time.
func (m *Machine) reconcile() {
	if !m.connected {
		return
	}
	var due []mesos.TaskOnAgent
	live := map[mesos.TaskID]bool{}
	ask := func(task mesos.TaskID, agent mesos.AgentID) {
		live[task] = true
		q, open := m.asked[task]
		if !open || m.now.Before(q.again) {
			return
		}
		due = append(due, mesos.TaskOnAgent{Task: task, Agent: agent})
		wait := min(max(q.wait*2, askFirst), askMax)
		m.asked[task] = question{again: m.now.Add(wait), wait: wait}
	}
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		for _, t := range p.Tasks {
			if t.live() {
				ask(t.ID, p.Place.Agent)
			}
		}
	}
	for _, id := range m.leftoverIDs() {
		l := m.hard.Leftovers[id]
		for _, t := range l.Tasks {
			ask(t, l.Agent)
		}
	}
	for id := range m.asked {
		if !live[id] {
			delete(m.asked, id)
		}
	}
	if len(due) > 0 {
		m.send(mesos.Reconcile{Tasks: due})
	}
	if !m.now.Before(m.implicit) {
		m.send(mesos.Reconcile{})
		m.implicit = m.now.Add(implicitEvery)
	}
}

// hasKafka reports whether any pod of the target runs Kafka.
func (m *Machine) hasKafka() bool {
	for _, p := range m.hard.Target.Service.Pods {
		if p.Kafka != nil {
			return true
		}
	}
	return false
}

// kafkaPods lists the instances whose Kafka runs, with their specs.
func (m *Machine) kafkaPods() (pods []Pod, specs []servicespec.Pod) {
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		spec, ok := m.spec(name)
		if !ok || spec.Kafka == nil || p.Place == nil {
			continue
		}
		for _, t := range p.Tasks {
			if t.Name == spec.Kafka.Task && t.State == mesos.Running {
				pods, specs = append(pods, p), append(specs, spec)
			}
		}
	}
	return pods, specs
}
