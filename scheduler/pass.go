package scheduler

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
)

// pass compares what shall be with what is and emits what is missing. It runs on ticks and with
// offers; any other event asks for a tick at once. Doing nothing is its usual outcome.
func (m *Machine) pass() {
	m.waits, m.blocked = map[PodName]string{}, map[string]string{}
	work := &work{m: m, wants: map[string]bool{}, kills: map[mesos.TaskID]bool{},
		holders:    map[setKey]holder{},
		operations: map[mesos.OfferID][]mesos.Operation{}}
	m.wake, m.curious = time.Time{}, false
	m.servers.curious = false
	m.inquiry.begin()
	if len(m.offers) > 0 {
		m.rouseWanting()
	}
	m.rehome()
	m.passAgents()
	if m.hard.Intent == Run {
		m.passMoves()
		m.passFaults()
		m.passDisks()
		m.passHealth()
	}
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
	work.seek()
	m.reconcile()
	work.finish()
	m.noteVerdicts()
	m.forgetAgents()
	m.passVoters()
	m.passCordons()
	m.passFill()
	m.passRebalancing()
	m.passCampaign()
	m.passChain()
	m.passMigration()
	m.passDeclared()
	m.forgetChanges()
	m.passed = m.passed || m.connected
	m.reconcileOperations()
	m.poll()
	if m.hard.Intent == Uninstall && len(m.hard.Pods) == 0 && len(m.leftToFree()) == 0 {
		m.setIntent(Uninstalled)
		m.noteAbandoned()
	}
	if m.hard.Intent == Uninstalled {
		m.passUninstalled()
	}
	m.calm()
}

// work is what one pass collects before it becomes calls.
type work struct {
	m       *Machine
	wants   map[string]bool
	kills   map[mesos.TaskID]bool
	holders map[setKey]holder // see hold
	unseen  map[PodName]time.Time
	// assessed are the plans whose holders are not noted yet.
	assessed []plans.Assessment
	current  map[PodName][]string // the tasks that plans are about to launch; see needed
	offers   *offer.Table         // what is offered, once it is wanted; see table
	// operations are those of each bundle of offers, by the first of them.
	operations map[mesos.OfferID][]mesos.Operation
}

// passRequests carries on with what operators asked of single instances.
func (m *Machine) passRequests(w *work) {
	for _, name := range m.visits() {
		p := m.hard.Pods[name]
		if p.Request == "" {
			continue
		}
		spec, wanted := m.spec(name)
		if !wanted {
			m.setPod(m.withoutRequest(p))
			continue
		}
		if p.deployed() {
			kind, steps := transient, [][]string{m.beside(p, spec)}
			if p.Request == Replace {
				kind, steps = permanent, m.rebuilding(w, p)
			}
			m.recover(name, kind, steps)
			p = m.hard.Pods[name]
		}
		w.lookForReturn(p)
		if m.hard.Intent == Stop && p.caretakes() {
			continue // until the brokers have stopped, which need it
		}
		if hold := m.holdRequest(p); hold != "" {
			m.waits[name] = hold
			continue
		}
		if p.anyRuns() || m.lingers(p) && (p.Request != Replace || m.awaitsReturn(p)) {
			w.takeDown(p)
			m.waits[name] = "its tasks are being stopped for a " + string(p.Request)
			continue
		}
		if p.Request == Leave {
			w.left(p)
			continue
		}
		if p.Request == Replace {
			m.acted(name)
			p = m.leave(p)
			p.Incarnation++
			p = p.emptied()
		}
		p.Request, p.Force = "", false
		m.setPod(p.forgiven())
	}
}

// lookForReturn has offers come as long as an instance is to be stopped and nobody knows whether it
// runs: its machine may be another agent now, and what that one offers may be all that tells.
func (w *work) lookForReturn(p Pod) {
	if p.Request != Replace && p.Place != nil && !p.anyRuns() && w.m.lingers(p) {
		w.wants["return/"+p.Name.String()] = true
	}
}

// withoutRequest gives the record of an instance without what was asked of it: of one that is to go
// the plan decommission asks Kafka whether it may be stopped, and whether its data may go.
func (m *Machine) withoutRequest(p Pod) Pod {
	p.Request, p.Force, p.Replacing, p.Recovery = "", false, false, nil
	delete(m.recovery, p.Name)
	m.due = true
	return p
}

// leave turns an instance's reservation into a leftover.
func (m *Machine) leave(p Pod) Pod {
	if p.Place == nil {
		return p
	}
	l := Leftover{
		Reservation: p.Place.Reservation, Pod: p.Name,
		Agent: p.Place.Agent, Hostname: p.Place.Hostname,
		Resources: seenResources(*p.Place), Confirmed: p.Place.Confirmed,
		Pending: p.Place.Pending,
	}
	agent := m.hard.Agents[l.Agent]
	for _, t := range p.Tasks {
		if t.live() && agent.Fate != FateGone {
			l.Tasks = append(l.Tasks, t.ID)
			m.asked[t.ID] = question{again: m.now.Add(askFirst), wait: askFirst}
		}
	}
	m.unfound(l.Resources)
	if !m.forfeited(agent) {
		m.setLeftover(l)
	}
	p.Place = nil
	return p
}

// passRun works on plans, in their order, after everything was looked after that needs no
// plan.
func (m *Machine) passRun(w *work) {
	m.forgetEmpty()
	m.passEnsembles()
	// What became complete is noted first: a step that is done leaves what fell to recovery.
	for _, name := range m.visits() {
		p := m.hard.Pods[name]
		if spec, ok := m.settles(p); ok {
			if noted, changed := m.completed(p, spec); changed {
				m.setPod(noted)
			}
		}
	}
	for _, name := range m.visits() {
		w.tend(name)
	}
	m.noteReplaced()
	m.noteBack()
	m.passReturning()
	m.endMoves()
	w.noteReady()
	m.followSteps()
	m.passActions()
	list, writes := m.plans(), len(m.out.Writes)
	assessed := make([]plans.Assessment, len(list))
	for i, plan := range list {
		assessed[i] = m.assess(plan)
	}
	w.assessed = assessed
	for _, a := range assessed[1:] {
		for _, step := range a.Candidates {
			m.rouse(PodName{step.Pod, step.Index})
		}
	}
	m.rousePassedOver(assessed[0].Candidates)
	for i, plan := range list {
		if plan.Name == planDecommission {
			w.passDecommission(assessed[i])
			continue
		}
		if plan.Name == planRebalance || plan.Name == string(m.hard.Campaign.Kind) {
			continue // passRebalancing, passCampaign
		}
		if plan.Name == planMaintenance {
			for _, step := range assessed[i].Current { // those that were given up too
				w.move(step)
			}
			continue
		}
		for _, step := range assessed[i].Candidates {
			w.turn(plan.Name, step)
		}
	}
	w.passSurplus(assessed[0])
	w.passMore()
	m.followPlans(assessed, writes)
}

// turn does the next thing for a step whose turn it is.
func (w *work) turn(plan string, s plans.Step) {
	name := PodName{s.Pod, s.Index}
	if w.m.wanting[name] {
		return // there are no offers, so it goes on wanting one
	}
	if s.Pod != "" {
		w.m.stir(name)
	}
	if w.mayWork(plan, s) {
		w.advance(plan, s)
	}
}

// holder is the plan, and its step by its tasks, that has a resource set of an instance in hand.
type holder struct {
	plan  string
	tasks []string
}

// setKey names a resource set of an instance.
type setKey struct {
	pod PodName
	set string
}

// setKeys name the resource sets that a step uses, in the order of its tasks.
func (m *Machine) setKeys(s plans.Step) []setKey {
	name := PodName{s.Pod, s.Index}
	spec, _ := m.spec(name)
	keys := make([]setKey, len(s.Tasks))
	for i, task := range s.Tasks {
		ts, _ := taskSpec(spec, task)
		keys[i] = setKey{name, ts.Resources.Name}
	}
	return keys
}

// noteHolders notes which resource sets the plans have in hand: those of steps that launched
// something and are not done. Most passes do not want to know.
func (w *work) noteHolders() {
	assessed := w.assessed
	w.assessed = nil
	for _, a := range assessed {
		w.noteHoldersOf(a)
	}
}

func (w *work) noteHoldersOf(a plans.Assessment) {
	for i, phase := range a.Plan.Phases {
		for j, s := range phase.Steps {
			status := a.Phases[i].Steps[j]
			if s.Pod != "" && (status == plans.Starting || status == plans.Started) {
				w.hold(a.Plan.Name, w.m.underWay(s))
			}
		}
	}
}

// underWay is a step with those of its tasks that it has in hand. Of a paused instance those are
// what runs and is neither paused nor done: for how long it stays paused nobody knows.
func (m *Machine) underWay(s plans.Step) plans.Step {
	name := PodName{s.Pod, s.Index}
	p := m.hard.Pods[name]
	if !p.paused() {
		return s
	}
	spec, _ := m.spec(name)
	s.Tasks = slices.DeleteFunc(slices.Clone(s.Tasks), func(task string) bool {
		ts, _ := taskSpec(spec, task)
		t, _ := p.task(task)
		return t.Paused || !t.live() || t.complete(ts)
	})
	return s
}

// hold notes that a plan has the resource sets of a step in hand, as far as no other one has.
func (w *work) hold(plan string, s plans.Step) {
	for _, key := range w.m.setKeys(s) {
		if w.holders[key].plan == "" {
			w.holders[key] = holder{plan, s.Tasks}
		}
	}
}

// mayWork reports whether a plan may work on a step: no other plan has one of its resource sets
// in hand, and what an instance lost with its place was built up again. Deploy and recovery do
// not exclude each other where they want the same tasks.
func (w *work) mayWork(plan string, s plans.Step) bool {
	r := w.m.recovery[PodName{s.Pod, s.Index}]
	if r != nil && !r.done && r.Kind == permanent && plan != planRecovery {
		w.m.blocked[s.ID] = "waits for the plan recovery, which builds it up in a new place"
		return false
	}
	w.noteHolders()
	own := func(plan string) bool { return plan == planDeploy || plan == planRecovery }
	for i, key := range w.m.setKeys(s) {
		h := w.holders[key]
		same := own(h.plan) && own(plan) && slices.Contains(h.tasks, s.Tasks[i])
		if h.plan != "" && h.plan != plan && !same {
			w.m.blocked[s.ID] = fmt.Sprintf("waits for the plan %s, which works on %s of %s",
				h.plan, strings.Join(h.tasks, ", "), PodName{s.Pod, s.Index})
			return false
		}
	}
	w.hold(plan, s)
	return true
}

// passDecommission does the next step of each plan for what is to go, and repeats the kills that
// were sent before.
func (w *work) passDecommission(a plans.Assessment) {
	m := w.m
	for _, name := range m.visits() {
		if _, wanted := m.spec(name); wanted {
			continue
		}
		p := m.hard.Pods[name]
		for _, t := range p.Tasks {
			if _, sent := m.kills[t.ID]; sent && t.live() {
				w.killTasks(p, []mesos.TaskID{t.ID}, nil)
			}
		}
	}
	for _, s := range a.Candidates {
		w.decommission(s)
	}
}

// kill asks for the end of all live tasks of an instance, again and again until it is seen.
func (w *work) kill(p Pod, grace *time.Duration) {
	var live []mesos.TaskID
	for _, t := range p.Tasks {
		if t.live() {
			live = append(live, t.ID)
		}
	}
	w.killTasks(p, live, grace)
}

// killTasks asks for the end of some tasks of an instance, again and again until it is seen.
func (w *work) killTasks(p Pod, tasks []mesos.TaskID, grace *time.Duration) {
	m := w.m
	for _, id := range tasks {
		w.kills[id] = true
		at, sent := m.kills[id]
		if !m.connected || sent && m.now.Before(at.Add(killAgain)) {
			continue
		}
		m.kills[id] = m.now
		m.stir(p.Name)
		agent := mesos.AgentID("")
		if p.Place != nil {
			agent = p.Place.Agent
		}
		m.send(mesos.Kill{Task: id, Agent: agent, Grace: grace})
		m.note(Info, CountKills, "kill", "task", string(id))
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
	if len(w.wants) > 0 || len(m.wanting) > 0 {
		refuse = declineWorking
	}
	var unused []mesos.OfferID
	for i := range w.table().Len() {
		o := w.table().Bundle(i)
		if ops := w.operations[o.ID]; len(ops) > 0 {
			m.send(mesos.Accept{Offers: o.IDs, Operations: ops, Refuse: time.Second})
			m.note(Debug, CountAccepts, "accept", "offer", string(o.ID))
			continue
		}
		unused = append(unused, o.IDs...)
	}
	slices.Sort(unused)
	if len(unused) > 0 {
		m.send(mesos.Decline{Offers: unused, Refuse: refuse})
		m.note(Debug, CountDeclines, "decline", "offers", fmt.Sprint(len(unused)))
	}
	m.offers, m.unseen = map[mesos.OfferID]mesos.Offer{}, w.unseen
	w.tellWants()
}

// tellWants revives when something new wants an offer, and suppresses when nothing does.
func (w *work) tellWants() {
	m := w.m
	if !m.connected {
		return
	}
	gained := false
	for key := range w.wants { //tidy:unordered one gain is as good as another
		gained = gained || !m.wants[key]
	}
	switch {
	case gained:
		m.send(mesos.Revive{})
		m.note(Debug, CountRevives, "revive")
	case len(w.wants) == 0 && len(m.wanting) == 0 && (len(m.wants) > 0 || !m.told):
		m.send(mesos.Suppress{})
		m.note(Debug, CountSuppresses, "suppress")
	}
	m.told = true
	m.wants = w.wants
}
