package scheduler

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// rig is a machine with a small cluster around it that does what the machine says, one thing
// after the other, when a test tells it to. Nothing fails unless the test says so.
type rig struct {
	t       testing.TB
	cfg     Config
	ids     *uint32
	machine *Machine
	stored  Hard
	now     time.Time
	replies []Reply // to the latest command
	agents  []*rigAgent
	tasks   []rigTask // in the order of their launches
	kills   []mesos.TaskID
	offered int
	// suppressed says that the machine wants no offers, events counts what happened.
	suppressed bool
	events     int
	// crashAfter restarts the machine behind the event of that number.
	crashAfter int
}

type rigAgent struct {
	id    mesos.AgentID
	total resource.List // with what is reserved
	rack  string
}

// rigTask is a launch.
type rigTask struct {
	info  mesos.TaskInfo
	agent int
	state mesos.TaskState
}

const (
	rigAgents = 3
	rigTotal  = "cpus:8;mem:16000;disk:50000;ports:[1025-2000]"
)

func newRig(t testing.TB, spec string) *rig {
	service, problems := servicespec.Parse("spec.yml", []byte(spec), nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return newRigOf(t, service, rigAgents, rigTotal)
}

// newRigOf is a rig with so many agents with such resources, in racks a, b and c in turn.
func newRigOf(t testing.TB, service servicespec.Service, agents int, each string) *rig {
	r := &rig{t: t, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), ids: new(uint32)}
	r.cfg = Config{Target: Target{ID: "target-1", Service: service},
		ExecutorURI: "http://s/executor", UUID: r.uuid}
	for i := range agents {
		total, err := resource.ParseList(each)
		if err != nil {
			t.Fatal(err)
		}
		r.agents = append(r.agents, &rigAgent{mesos.AgentID(fmt.Sprint("a", i)), total,
			string("abc"[i%3])})
	}
	r.machine = Restore(r.cfg, Hard{})
	r.step(Tick{})
	r.step(FromMesos{mesos.Subscribed{Framework: "fw-1", Master: "m:5050"}})
	return r
}

func (r *rig) uuid() [16]byte {
	*r.ids++
	return [16]byte{12: byte(*r.ids >> 24), byte(*r.ids >> 16), byte(*r.ids >> 8), byte(*r.ids)}
}

// copied is a rig that goes its own way from here on.
func (r *rig) copied() *rig {
	c := *r
	ids := *r.ids
	c.ids = &ids
	c.cfg.UUID = c.uuid
	c.machine = r.machine.copied()
	c.machine.cfg = c.cfg
	c.stored = r.stored.clone()
	c.agents = nil
	for _, a := range r.agents {
		c.agents = append(c.agents, &rigAgent{a.id, slices.Clone(a.total), a.rack})
	}
	c.tasks, c.kills = slices.Clone(r.tasks), slices.Clone(r.kills)
	return &c
}

// copied is a machine that goes its own way from here on.
func (m *Machine) copied() *Machine {
	c := *m
	c.hard = m.hard.clone()
	c.offers, c.wants = maps.Clone(m.offers), maps.Clone(m.wants)
	c.asked, c.kills = maps.Clone(m.asked), maps.Clone(m.kills)
	c.refusals, c.tried = maps.Clone(m.refusals), maps.Clone(m.tried)
	c.waits, c.since = maps.Clone(m.waits), maps.Clone(m.since)
	c.leaving, c.farewells = maps.Clone(m.leaving), maps.Clone(m.farewells)
	c.blocked, c.wanting = maps.Clone(m.blocked), maps.Clone(m.wanting)
	c.index.deploy = nil
	c.restless.names = maps.Clone(m.restless.names)
	c.undrawn.names = maps.Clone(m.undrawn.names)
	c.holdings = newHoldings()
	for name := range m.hard.Pods {
		c.holdings.unchecked.add(name)
	}
	c.drawn.steps = slices.Clone(m.drawn.steps)
	c.drawn.leaving = maps.Clone(m.drawn.leaving)
	c.index.statuses = nil
	for _, phase := range m.index.statuses {
		c.index.statuses = append(c.index.statuses, slices.Clone(phase))
	}
	c.executorAt = maps.Clone(m.executorAt)
	c.taskAt, c.crowds = maps.Clone(m.taskAt), map[string]*placement.Crowd{}
	c.lodgers, c.lefts, c.leavers = nil, nil, maps.Clone(m.leavers)
	c.unnoted.pods.names = maps.Clone(m.unnoted.pods.names)
	c.unnoted.leftovers = slices.Clone(m.unnoted.leftovers)
	c.feedback = m.feedback.copied()
	c.changing = maps.Clone(m.changing)
	c.declared.tries = maps.Clone(m.declared.tries)
	c.declared.drifts = maps.Clone(m.declared.drifts)
	c.outcomes, c.reachedBefore = slices.Clone(m.outcomes), maps.Clone(m.reachedBefore)
	c.readySince, c.seen = maps.Clone(m.readySince), maps.Clone(m.seen)
	c.outlooks, c.heard = maps.Clone(m.outlooks), maps.Clone(m.heard)
	c.moves, c.cramped = maps.Clone(m.moves), maps.Clone(m.cramped)
	c.rooms, c.diskLost = maps.Clone(m.rooms), maps.Clone(m.diskLost)
	c.leftAt = maps.Clone(m.leftAt)
	c.securedAt, c.fallen = maps.Clone(m.securedAt), maps.Clone(m.fallen)
	c.freedAt, c.unseen = maps.Clone(m.freedAt), maps.Clone(m.unseen)
	c.recovery = map[PodName]*recovery{}
	for name, r := range m.recovery {
		own := *r
		c.recovery[name] = &own
	}
	return &c
}

// step gives the machine one event and does what it wants.
func (r *rig) step(ev Event) {
	r.single(ev)
	if r.events++; r.events == r.crashAfter {
		r.crash()
	}
}

func (r *rig) single(ev Event) {
	r.now = r.now.Add(time.Millisecond)
	out := r.machine.Step(r.now, ev)
	if len(out.Replies) > 0 {
		r.replies = out.Replies
	}
	for _, w := range out.Writes {
		r.stored.Apply(w)
	}
	for _, c := range out.Calls {
		to, ok := c.(ToMesos)
		if !ok {
			continue
		}
		switch call := to.Call.(type) {
		case mesos.Accept:
			r.accept(call)
		case mesos.Kill:
			if !slices.Contains(r.kills, call.Task) {
				r.kills = append(r.kills, call.Task)
			}
		case mesos.Suppress:
			r.suppressed = true
		case mesos.Revive:
			r.suppressed = false
		}
	}
}

// crash ends the machine and begins another one with what is stored.
func (r *rig) crash() {
	r.machine = Restore(r.cfg, r.stored.clone())
	r.suppressed = false
	r.single(Tick{})
	r.single(FromMesos{mesos.Subscribed{Framework: "fw-1", Master: "m:5050"}})
	for i := range r.tasks {
		if t := &r.tasks[i]; !t.state.Terminal() {
			r.single(FromMesos{mesos.Updated{Status: r.status(t)}})
		}
	}
}

// accept carries out operations, and sees that no more is used than there is, and that no task
// is launched while it runs.
func (r *rig) accept(a mesos.Accept) {
	for _, op := range a.Operations {
		agent := r.agentOf(a.Offers[0])
		var from, to resource.List
		switch op := op.(type) {
		case mesos.Reserve:
			to = op.Resources.WithoutRole()
			from = to.PopReservation()
		case mesos.Unreserve:
			from = op.Resources.WithoutRole()
			to = from.PopReservation()
		case mesos.Create:
			to = op.Volumes.WithoutRole()
			from = withoutDisk(to)
		case mesos.Destroy:
			from = op.Volumes.WithoutRole()
			to = withoutDisk(from)
		case mesos.Launch:
			r.launch(agent, op)
			continue
		}
		rest, err := r.agents[agent].total.Sub(from)
		if err != nil {
			r.t.Fatalf("%s is not there: %v", op, err)
		}
		r.agents[agent].total = rest.Add(to...)
	}
}

func withoutDisk(volumes resource.List) resource.List {
	list := slices.Clone(volumes)
	for i := range list {
		list[i].Disk = nil
	}
	return list
}

func (r *rig) agentOf(offer mesos.OfferID) int {
	var n, agent int
	if _, err := fmt.Sscanf(string(offer), "o%d-%d", &n, &agent); err != nil {
		r.t.Fatal(err)
	}
	return agent
}

func (r *rig) launch(agent int, op mesos.Launch) {
	for _, info := range op.Tasks {
		if t := r.find(info.Name); t != nil {
			r.t.Fatalf("%s is launched while %s is %s", info.ID, t.info.ID, t.state)
		}
		r.tasks = append(r.tasks, rigTask{info, agent, mesos.Staging})
	}
	r.free(agent)
}

// free is what nobody uses of an agent.
func (r *rig) free(agent int) resource.List {
	list := r.agents[agent].total.Merged()
	executors := map[mesos.ExecutorID]bool{}
	for _, t := range r.tasks {
		if t.agent != agent || t.state.Terminal() {
			continue
		}
		used := t.info.Resources.WithoutRole()
		if id := t.info.Executor.ID; !executors[id] {
			executors[id] = true
			used = used.Add(t.info.Executor.Resources.WithoutRole()...)
		}
		rest, err := list.Sub(used)
		if err != nil {
			r.t.Fatalf("%s uses what is not there: %v", t.info.ID, err)
		}
		list = rest
	}
	return list
}

// find gives the live launch of a task by its full name.
func (r *rig) find(name string) *rigTask {
	for i := range r.tasks {
		if t := &r.tasks[i]; t.info.Name == name && !t.state.Terminal() {
			return t
		}
	}
	return nil
}

func (r *rig) tick() { r.step(Tick{}) }

// settle ticks if the machine wants that at once.
func (r *rig) settle() {
	for range 5 {
		if wake := r.machine.NextWake(); wake.IsZero() || wake.After(r.now) {
			return
		}
		r.tick()
	}
	r.t.Fatal("the machine wakes itself again and again")
}

// offer offers all that is free; with a most, no more than that of what nobody has reserved.
func (r *rig) offer(most string) {
	r.offered++
	role := r.cfg.Target.Service.Role
	var ev mesos.Offers
	for i, a := range r.agents {
		list := r.free(i).WithRole(role)
		if most != "" {
			limit, err := resource.ParseList(most)
			if err != nil {
				r.t.Fatal(err)
			}
			if i > 0 {
				limit = nil
			}
			list = append(list.Filter(func(x resource.Resource) bool {
				return len(x.Reservations) > 0
			}), limit.WithRole(role)...)
		}
		ev.Offers = append(ev.Offers, mesos.Offer{
			ID: mesos.OfferID(fmt.Sprintf("o%d-%d", r.offered, i)), Agent: a.id,
			Hostname: "h" + string(a.id), IP: "h" + string(a.id), Role: role,
			Attributes: []mesos.Attribute{{Name: "rack", Value: a.rack}},
			Domain:     mesos.Domain{Region: "here", Zone: a.rack}, Resources: list})
	}
	r.step(FromMesos{ev})
}

func (r *rig) status(t *rigTask) mesos.Status {
	s := mesos.Status{Task: t.info.ID, Agent: r.agents[t.agent].id, State: t.state,
		UUID: []byte{1}}
	if t.state == mesos.Running {
		s.Ready = new(bool)
		*s.Ready = true
	}
	return s
}

// report has a task come into a state.
func (r *rig) report(t *rigTask, state mesos.TaskState) {
	t.state = state
	if state.Terminal() {
		r.kills = slices.DeleteFunc(r.kills,
			func(id mesos.TaskID) bool { return id == t.info.ID })
	}
	r.step(FromMesos{mesos.Updated{Status: r.status(t)}})
}

// isJob reports whether a task is one that ends by itself.
func (r *rig) isJob(t *rigTask) bool {
	for _, pod := range r.machine.hard.Target.Service.Pods {
		for index := range pod.Count {
			for _, ts := range pod.Tasks {
				if (PodName{pod.Type, index}).fullName(ts.Name) == t.info.Name {
					return ts.Goal != servicespec.GoalRunning
				}
			}
		}
	}
	return false
}

// up has the live launch of a task reach its goal.
func (r *rig) up(name string) {
	t := r.find(name)
	if t == nil {
		r.t.Fatalf("%s does not run", name)
	}
	r.report(t, mesos.Running)
	if r.isJob(t) {
		r.report(t, mesos.Finished)
	}
	r.settle()
}

// round lets everything happen that is due: kills, starts, ends, offers, and a second.
func (r *rig) round() {
	r.settle()
	for i := range r.tasks {
		t := &r.tasks[i]
		switch {
		case t.state.Terminal():
		case slices.Contains(r.kills, t.info.ID):
			r.report(t, mesos.Killed)
		case t.state == mesos.Staging:
			r.report(t, mesos.Running)
		case r.isJob(t):
			r.report(t, mesos.Finished)
		}
	}
	r.settle()
	if !r.suppressed {
		r.offer("")
	}
	r.now = r.now.Add(time.Second)
	r.tick()
}

// command commands, and gives the reply.
func (r *rig) command(c Command) Reply {
	r.replies = nil
	r.step(Commanded{ID: 1, Command: c, Caller: Caller{Who: "test"}})
	if len(r.replies) != 1 {
		r.t.Fatalf("%d replies to %s", len(r.replies), commandText(c))
	}
	return r.replies[0]
}

// must commands what must be taken.
func (r *rig) must(c Command) {
	if reply := r.command(c); reply.Problem != nil {
		r.t.Fatalf("%s: %s", commandText(c), reply.Problem.Message)
	}
	r.settle()
}

func (r *rig) plan(name string) PlanView {
	v := r.machine.view()
	i := slices.IndexFunc(v.Plans, func(p PlanView) bool { return p.Name == name })
	if i < 0 {
		return PlanView{}
	}
	return v.Plans[i]
}

// statuses draws the statuses of a plan in one line.
func statuses(p PlanView) string {
	text := string(p.Status)
	for _, ph := range p.Phases {
		var steps []string
		for _, s := range ph.Steps {
			steps = append(steps, string(s.Status))
		}
		text += fmt.Sprintf("  %s %s (%s)", ph.Name, ph.Status, strings.Join(steps, " "))
	}
	return text
}

// release lets the next canary step of a phase go.
func (r *rig) release(plan, phase string) Reply {
	return r.command(PlanCommand{Verb: PlanContinue, Plan: plan, Phase: phase})
}

// TestCopied fails when a machine has a map that a copy would share.
func TestCopied(t *testing.T) {
	const maps = 33 // those that copied knows
	n := 0
	for i := range reflect.TypeFor[Machine]().NumField() {
		if reflect.TypeFor[Machine]().Field(i).Type.Kind() == reflect.Map {
			n++
		}
	}
	if n != maps {
		t.Errorf("a machine has %d maps, and its copy knows of %d", n, maps)
	}
}
