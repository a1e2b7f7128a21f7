package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// master is the model of a Mesos master: what it knows of one framework and of its agents.
type master struct {
	w          *world
	up         bool
	frameworks int
	framework  mesos.FrameworkID
	removed    bool // the framework was torn down
	session    *session
	agents     []*agent
	suppressed bool
	offers     map[mesos.OfferID]*offer
	offerCount int
	filters    []filter
	allocating bool
	records    map[mesos.TaskID]*record
	updates    uint64
	operations map[mesos.OperationID]*operation
	orphans    int       // counts
	orphaned   time.Time // when the latest came
}

// session is one subscription. Both directions keep their order.
type session struct {
	p         *process
	life      int
	broken    bool
	toMaster  time.Time // when the latest message to the master arrives
	toProcess time.Time
}

type offer struct {
	id        mesos.OfferID
	agent     *agent
	resources resource.List
}

type filter struct {
	agent     *agent
	resources resource.List
	until     time.Time
}

// record is a task as the master knows it.
type record struct {
	task   *task
	status mesos.Status
	known  bool // a status was forwarded
}

func newMaster(w *world) *master {
	m := &master{w: w, up: true, offers: map[mesos.OfferID]*offer{},
		records: map[mesos.TaskID]*record{}, operations: map[mesos.OperationID]*operation{}}
	for i := range w.scenario.agents {
		m.agents = append(m.agents, newAgent(m, i))
	}
	return m
}

// subscribe opens a session; false if no master leads.
func (m *master) subscribe(p *process) bool {
	w := m.w
	if !m.up {
		return false
	}
	if m.session != nil {
		m.session.broken = true
	}
	s := &session{p: p, life: p.life}
	p.session = s
	if p.framework == "" {
		m.frameworks++
		m.framework, m.removed = mesos.FrameworkID(fmt.Sprintf("fw-%d", m.frameworks)), false
		if len(m.records) > 0 {
			w.fail("frameworks", "tasks of a framework whose id was never stored")
		}
	} else if m.removed {
		m.send(s, mesos.Refused{Message: "Framework has been removed"})
		return true
	}
	m.session, m.suppressed, m.filters = s, false, nil
	m.removeOffers(func(*offer) bool { return true }, false)
	w.tell("subscribed as %s", m.framework)
	m.send(s, mesos.Subscribed{Framework: m.framework, Master: "m:5050"})
	m.allocateSoon()
	return true
}

// broken ends a session; the master notices at once or some seconds later.
func (m *master) broken(s *session) {
	s.broken = true
	gone := func() {
		if m.session == s {
			m.session = nil
			m.removeOffers(func(*offer) bool { return true }, false)
		}
	}
	if m.w.flip(0.7) {
		gone()
	} else {
		m.w.after(m.w.between(0, 4*time.Second), gone)
	}
}

// disconnect breaks the connection; the scheduler learns of it some time later.
func (m *master) disconnect() {
	s := m.session
	if s == nil || s.broken {
		return
	}
	w := m.w
	w.tell("the scheduler is cut off from the master")
	m.broken(s)
	w.after(w.between(0, 3*time.Second), func() {
		if p := s.p; p.alive && p.session == s {
			p.session = nil
			p.step(fromMesos(mesos.Disconnected{Reason: "cut off"}))
			if p.alive {
				p.connectLater()
			}
		}
	})
}

// send has an event arrive at the scheduler, in order, if the session lasts until then.
func (m *master) send(s *session, ev mesos.Event) {
	if s == nil || s.broken {
		return
	}
	at := m.w.now.Add(m.w.latency())
	if at.Before(s.toProcess) {
		at = s.toProcess
	}
	s.toProcess = at
	m.w.at(at, func() {
		if s.broken || s.p.session != s || !s.p.alive || s.p.life != s.life {
			return
		}
		if sub, ok := ev.(mesos.Subscribed); ok {
			s.p.framework = sub.Framework
		}
		s.p.step(fromMesos(ev))
	})
}

// hear has a call arrive at the master, in order, if the session lasts until then.
func (m *master) hear(s *session, call mesos.Call) {
	if s.broken {
		return
	}
	at := m.w.now.Add(m.w.latency())
	if m.w.chance(0.01 * m.w.scenario.network) {
		at = at.Add(m.w.between(0, 2*time.Second))
	}
	if at.Before(s.toMaster) {
		at = s.toMaster
	}
	s.toMaster = at
	m.w.at(at, func() {
		if !s.broken && m.session == s {
			m.call(call)
		}
	})
}

func (m *master) call(call mesos.Call) {
	switch c := call.(type) {
	case mesos.Accept:
		m.accept(c)
	case mesos.Decline:
		for _, id := range c.Offers {
			if o := m.offers[id]; o != nil {
				delete(m.offers, id)
				m.refuse(o.agent, o.resources, c.Refuse)
			}
		}
		m.allocateSoon()
	case mesos.Revive:
		m.suppressed, m.filters = false, nil
		m.allocateSoon()
	case mesos.Suppress:
		m.suppressed = true
	case mesos.Kill:
		m.kill(c)
	case mesos.Acknowledge:
		m.acknowledge(c)
	case mesos.Reconcile:
		m.reconcile(c)
	case mesos.AcknowledgeOperation:
		m.acknowledgeOperation(c)
	case mesos.ReconcileOperations:
		m.reconcileOperations(c)
	case mesos.Teardown:
		m.teardown()
	}
}

func (m *master) agentByID(id mesos.AgentID) *agent {
	for _, a := range m.agents {
		if a.id == id {
			return a
		}
	}
	return nil
}

func (m *master) refuse(a *agent, rest resource.List, d time.Duration) {
	if d <= 0 || len(rest) == 0 {
		return
	}
	m.filters = append(m.filters, filter{a, rest, m.w.now.Add(d)})
	m.w.after(d, m.allocateSoon)
}

// removeOffers takes offers back; rescind tells the scheduler.
func (m *master) removeOffers(which func(*offer) bool, rescind bool) {
	for _, id := range m.offerIDs() {
		if o := m.offers[id]; which(o) {
			delete(m.offers, id)
			if rescind {
				m.send(m.session, mesos.Rescinded{Offer: id})
			}
		}
	}
	m.allocateSoon()
}

func (m *master) offerIDs() []mesos.OfferID {
	ids := make([]mesos.OfferID, 0, len(m.offers))
	for id := range m.offers {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// allocateSoon offers what is free within a second.
func (m *master) allocateSoon() {
	if m.allocating {
		return
	}
	m.allocating = true
	m.w.after(m.w.between(50*time.Millisecond, time.Second), func() {
		m.allocating = false
		m.allocate()
	})
}

func (m *master) allocate() {
	if !m.up || m.session == nil || m.suppressed || m.removed {
		return
	}
	m.filters = slices.DeleteFunc(m.filters, func(f filter) bool {
		return !f.until.After(m.w.now)
	})
	var batch []mesos.Offer
	for _, a := range m.agents {
		if o := m.offerOf(a); o != nil {
			m.offers[o.id] = o
			batch = append(batch, mesos.Offer{ID: o.id, Agent: a.id, Hostname: a.hostname,
				IP: a.hostname, Port: 5051, Role: role, Resources: o.resources.WithRole(role),
				Unavailable: a.window})
			if m.w.chance(0.03 * m.w.scenario.network) {
				m.w.after(m.w.between(0, 100*time.Millisecond), func() {
					m.removeOffers(func(x *offer) bool { return x == o }, true)
				})
			}
		}
	}
	if len(batch) == 0 {
		return
	}
	if m.w.flip(0.3) {
		for _, o := range batch {
			m.send(m.session, mesos.Offers{Offers: []mesos.Offer{o}})
		}
		return
	}
	m.send(m.session, mesos.Offers{Offers: batch})
}

// offerOf makes an offer of what is free of an agent, unless it is refused.
func (m *master) offerOf(a *agent) *offer {
	if a.state != registered || a.drained || a.deactivated {
		return nil
	}
	free := a.free()
	for _, id := range m.offerIDs() {
		if o := m.offers[id]; o.agent == a {
			free = a.without(free, o.resources, "offered")
		}
	}
	if free.Total(resource.CPUs) < 10 && free.Total(resource.Mem) < 32000 {
		return nil
	}
	for _, f := range m.filters {
		if f.agent == a && f.resources.Contains(free) {
			return nil
		}
	}
	m.offerCount++
	return &offer{mesos.OfferID(fmt.Sprintf("o%05d", m.offerCount)), a, free}
}

func (m *master) accept(c mesos.Accept) {
	var offers []*offer
	valid := true
	for _, id := range c.Offers {
		o := m.offers[id]
		valid = valid && o != nil
		if o != nil {
			delete(m.offers, id)
			offers = append(offers, o)
		}
	}
	defer m.allocateSoon()
	if !valid {
		m.dropLaunches(c)
		return
	}
	a := offers[0].agent
	var remaining resource.List
	for _, o := range offers {
		remaining = remaining.Add(o.resources...)
	}
	m.refuse(a, a.accept(c.Operations, remaining), c.Refuse)
}

// dropLaunches answers an ACCEPT of offers that are no more.
func (m *master) dropLaunches(c mesos.Accept) {
	for _, op := range c.Operations {
		if id := operationID(op); id != "" {
			m.answerOperation("", id, mesos.OperationError)
		}
		launch, _ := op.(mesos.Launch)
		for _, t := range launch.Tasks {
			m.agentByID(t.Agent).gone[t.Executor.ID] = true
			state := mesos.Dropped
			if m.w.chance(0.2) {
				state = mesos.Lost
			}
			m.answer(mesos.Status{Task: t.ID, Agent: t.Agent, State: state,
				Reason: "REASON_INVALID_OFFERS", Message: "offer is no longer valid"})
		}
	}
}

// answer sends a status of the master's own; nobody acknowledges it.
func (m *master) answer(s mesos.Status) {
	s.Source, s.UUID = "SOURCE_MASTER", nil
	m.send(m.session, mesos.Updated{Status: s})
}

func (m *master) kill(c mesos.Kill) {
	r := m.records[c.Task]
	if r == nil {
		m.reconcile(mesos.Reconcile{Tasks: []mesos.TaskOnAgent{{Task: c.Task, Agent: c.Agent}}})
		return
	}
	r.task.agent.hear(func() { r.task.kill(c.Grace) })
}

func (m *master) acknowledge(c mesos.Acknowledge) {
	a := m.agentByID(c.Agent)
	if a == nil {
		m.w.fail("acknowledged", "an unknown agent %q", c.Agent)
		return
	}
	if r := m.records[c.Task]; r != nil && r.status.State.Terminal() &&
		string(r.status.UUID) == string(c.UUID) {
		delete(m.records, c.Task)
	}
	a.hear(func() { a.acknowledge(c.Task, c.UUID) })
}

// reconcile answers as Mesos does: what is known, GONE for what a registered agent does not
// have, and nothing while an agent is still awaited after a fail-over.
func (m *master) reconcile(c mesos.Reconcile) {
	if len(c.Tasks) == 0 {
		for _, id := range m.recordIDs() {
			m.answerRecord(m.records[id])
		}
		return
	}
	for _, q := range c.Tasks {
		if r := m.records[q.Task]; r != nil {
			m.answerRecord(r)
			continue
		}
		s := mesos.Status{Task: q.Task, Agent: q.Agent, Reason: "REASON_RECONCILIATION"}
		a := m.agentByID(q.Agent)
		switch {
		case a == nil:
			s.State = mesos.Unknown
		case a.declared:
			s.State = mesos.GoneByOperator
		case a.dead:
			s.State = mesos.Unknown // of an agent that it has removed a master keeps nothing
		case a.state == awaited:
			if m.w.flip(0.5) {
				continue
			}
			s.State = mesos.Unknown
		case a.state == unreachable:
			s.State = mesos.Unreachable
		default:
			s.State, s.Message = mesos.Gone, "Reconciliation: Task is unknown to the agent"
		}
		m.answer(s)
	}
}

func (m *master) answerRecord(r *record) {
	s := r.status
	s.Reason = "REASON_RECONCILIATION"
	m.answer(s)
}

func (m *master) recordIDs() []mesos.TaskID {
	ids := make([]mesos.TaskID, 0, len(m.records))
	for id := range m.records {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// forward takes a status update of an agent and passes it on.
func (m *master) forward(t *task, s mesos.Status) {
	if r := m.records[t.info.ID]; r != nil && r.task == t {
		r.status, r.known = s, true
		if s.State.Terminal() {
			t.held = false
			m.allocateSoon()
		}
	}
	m.send(m.session, mesos.Updated{Status: s})
}

// failover: another master takes over, which knows nothing before the agents tell it.
func (m *master) failover() {
	w := m.w
	if !m.up {
		return
	}
	w.tell("the master fails")
	m.up = false
	m.disconnect()
	m.session = nil
	m.offers, m.filters = map[mesos.OfferID]*offer{}, nil
	m.records = map[mesos.TaskID]*record{}
	m.operations = map[mesos.OperationID]*operation{}
	for _, a := range m.agents {
		if a.state != unreachable && !a.dead {
			a.state = awaited
		}
		for _, t := range a.tasks {
			t.wasAway = true
		}
	}
	w.after(w.between(200*time.Millisecond, 10*time.Second), func() {
		w.tell("another master leads")
		m.up = true
		for _, a := range m.agents {
			a.registerLater(w.between(100*time.Millisecond, 10*time.Second))
		}
	})
}

// teardown removes the framework and all its tasks. Reservations stay.
func (m *master) teardown() {
	m.w.tell("the framework is torn down")
	m.removed = true
	m.records = map[mesos.TaskID]*record{}
	m.removeOffers(func(*offer) bool { return true }, false)
	for _, a := range m.agents {
		for _, t := range a.taskList() {
			t.vanish()
		}
	}
	if s := m.session; s != nil {
		s.broken, m.session = true, nil
	}
}
