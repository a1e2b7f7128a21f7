package sim

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// store holds what is durable, and shares nothing with the machine that wrote it.
type store struct{ hard scheduler.Hard }

func (s *store) apply(writes []scheduler.Write) {
	h := &s.hard
	if h.Pods == nil {
		h.Pods = map[scheduler.PodName]scheduler.Pod{}
		h.Leftovers = map[mesos.ReservationID]scheduler.Leftover{}
		h.Runs = map[string]scheduler.PlanRun{}
		h.Files = map[string]string{}
		h.Agents = map[mesos.AgentID]scheduler.Agent{}
		h.Actions = map[string]scheduler.ActionRun{}
	}
	for _, w := range writes {
		switch w := w.(type) {
		case scheduler.WriteFramework:
			h.Framework = w.ID
		case scheduler.WriteTarget:
			h.Target = w.Target
		case scheduler.WriteIntent:
			h.Intent = w.Intent
		case scheduler.WriteKafka:
			h.Kafka = w.Kafka
		case scheduler.WritePod:
			h.Pods[w.Pod.Name] = clonePod(w.Pod)
		case scheduler.DeletePod:
			delete(h.Pods, w.Name)
		case scheduler.WriteLeftover:
			h.Leftovers[w.Leftover.Reservation] = w.Leftover
		case scheduler.DeleteLeftover:
			delete(h.Leftovers, w.Reservation)
		case scheduler.WriteOverrides:
			h.Overrides = cloneOverrides(w.Overrides)
		case scheduler.WriteRebalancing:
			h.Rebalancing = w.Rebalancing
		default:
			s.applyHistory(w)
		}
	}
}

func (s *store) applyHistory(w scheduler.Write) {
	h := &s.hard
	switch w := w.(type) {
	case scheduler.WriteEarlier:
		same := func(t scheduler.EarlierTarget) bool { return t.ID == w.Earlier.ID }
		if i := slices.IndexFunc(h.Earlier, same); i >= 0 {
			h.Earlier[i] = w.Earlier
		} else {
			h.Earlier = append(h.Earlier, w.Earlier)
		}
	case scheduler.DeleteEarlier:
		h.Earlier = slices.DeleteFunc(h.Earlier,
			func(t scheduler.EarlierTarget) bool { return t.ID == w.ID })
	case scheduler.WriteRun:
		h.Runs[w.Plan] = cloneRun(w.Run)
	case scheduler.DeleteRun:
		delete(h.Runs, w.Plan)
	case scheduler.WriteJournal:
		h.Journal = append(h.Journal, w.Entry)
	case scheduler.DeleteJournal:
		h.Journal = slices.DeleteFunc(h.Journal,
			func(e scheduler.JournalEntry) bool { return e.Number == w.Number })
	case scheduler.WriteAction:
		h.Actions[w.Name] = w.Run
	case scheduler.DeleteAction:
		delete(h.Actions, w.Name)
	case scheduler.WriteFile:
		h.Files[w.Name] = w.Content
	case scheduler.WriteCampaign:
		h.Campaign = w.Campaign
	case scheduler.WriteAgent:
		h.Agents[w.Agent.ID] = w.Agent
	case scheduler.DeleteAgent:
		delete(h.Agents, w.ID)
	default:
		panic(fmt.Sprintf("sim: write of unknown type %T", w))
	}
}

// load gives a copy for a machine to begin with.
func (s *store) load() scheduler.Hard {
	h := s.hard
	h.Pods = map[scheduler.PodName]scheduler.Pod{}
	for name, p := range s.hard.Pods {
		h.Pods[name] = clonePod(p)
	}
	h.Leftovers = maps.Clone(s.hard.Leftovers)
	h.Overrides = cloneOverrides(s.hard.Overrides)
	h.Earlier = slices.SortedFunc(slices.Values(s.hard.Earlier),
		func(a, b scheduler.EarlierTarget) int { return cmp.Compare(a.Number, b.Number) })
	h.Runs = map[string]scheduler.PlanRun{}
	for plan, r := range s.hard.Runs {
		h.Runs[plan] = cloneRun(r)
	}
	h.Journal = slices.Clone(s.hard.Journal)
	h.Files, h.Actions = maps.Clone(s.hard.Files), maps.Clone(s.hard.Actions)
	h.Agents = maps.Clone(s.hard.Agents)
	return h
}

func clonePod(p scheduler.Pod) scheduler.Pod {
	p.Tasks = slices.Clone(p.Tasks)
	if p.Place != nil {
		place := *p.Place
		p.Place = &place
	}
	return p
}

func cloneOverrides(o plans.Overrides) plans.Overrides {
	return plans.Overrides{
		Interrupted: maps.Clone(o.Interrupted), Forced: maps.Clone(o.Forced),
		Released: maps.Clone(o.Released), Said: maps.Clone(o.Said),
	}
}

func cloneRun(r scheduler.PlanRun) scheduler.PlanRun {
	r.Params = maps.Clone(r.Params)
	steps := map[string]scheduler.StepRun{}
	for key, s := range r.Steps {
		s.Tasks = slices.Clone(s.Tasks)
		steps[key] = s
	}
	r.Steps = steps
	return r
}

// process is the scheduler as a process: it dies and is started again.
type process struct {
	w         *world
	machine   *scheduler.Machine
	other     *thorough
	life      int // counts starts
	alive     bool
	session   *session // nil while not connected
	framework mesos.FrameworkID
	wakes     int // counts armings, so that older ones are void
	exit      *scheduler.Exit
	unheard   bool            // the master did not hear that the framework ends
	seen      *scheduler.View // see picture
	passed    bool            // the latest step was a pass
	uuids     uint64
	commands  scheduler.CommandID
	replies   map[scheduler.CommandID]scheduler.Reply
	// points counts the places at which it could have crashed, planned are those at which it is
	// to, in order.
	points  int
	planned []int
}

func newProcess(w *world) *process {
	return &process{w: w, replies: map[scheduler.CommandID]scheduler.Reply{}}
}

func (p *process) uuid() [16]byte {
	p.uuids++
	var b [16]byte
	for i := range 8 {
		b[15-i] = byte(p.uuids >> (8 * i))
	}
	return b
}

func (p *process) start() {
	p.life++
	p.alive = true
	p.w.tell("the scheduler starts, life %d", p.life)
	cfg := scheduler.Config{
		Target:      scheduler.Target{ID: "target-1", Service: p.w.scenario.shape.service()},
		ExecutorURI: "http://s/executor", KafkaURI: "http://s/kafka.tgz", Address: "http://s",
		UUID: p.uuid, Undrawn: !p.w.thorough,
	}
	p.machine = scheduler.Restore(cfg, p.w.store.load())
	p.seen, p.unheard = nil, false
	if p.other = nil; p.w.thorough {
		p.other = newThorough(p.w, cfg, p.uuids)
	}
	p.framework = p.w.store.hard.Framework
	p.w.record(nil, false)
	p.step(scheduler.Tick{})
	p.connectLater()
}

// connectLater subscribes after a while, as the client does with its back-off.
func (p *process) connectLater() {
	life := p.life
	p.w.after(p.w.between(5*time.Millisecond, time.Second), func() {
		if !p.alive || p.life != life || p.session != nil {
			return
		}
		if !p.w.master.subscribe(p) {
			p.connectLater()
		}
	})
}

// die is a crash: what is in memory and in flight is gone.
func (p *process) die(how string) {
	p.w.tell("the scheduler crashes %s", how)
	p.alive = false
	if s := p.session; s != nil {
		p.session = nil
		p.w.master.broken(s)
	}
	p.w.after(p.w.between(100*time.Millisecond, 8*time.Second), p.start)
}

// step gives the machine one event and does what it wants, unless it crashes in between.
func (p *process) step(ev scheduler.Event) {
	if !p.alive {
		return
	}
	w := p.w
	w.trace.add(w.now, ev)
	p.seen = nil
	_, p.passed = ev.(scheduler.Tick)
	out := p.machine.Step(w.now, ev)
	if p.other != nil {
		p.other.follow(ev, out, p.machine)
	}
	if w.plant != nil {
		w.plant(ev, &out)
	}
	crash, point := p.crashes(out)
	w.record(ev, crash && point == 0)
	if crash && point == 0 {
		p.die("before its writes")
		return
	}
	w.store.apply(out.Writes)
	for _, write := range out.Writes {
		w.trace.add(w.now, write)
	}
	w.operator.notice(out)
	for _, c := range w.checkers {
		c.stepped(ev, out)
	}
	for i, call := range out.Calls {
		if crash && i == point-1 {
			break
		}
		w.trace.add(w.now, call)
		p.carry(call)
	}
	if crash && p.alive {
		p.die("behind its writes")
		return
	}
	for _, r := range out.Replies {
		p.replies[r.ID] = r
	}
	p.arm()
}

// picture is what the machine shows now; it is drawn for those who look, once between two steps.
func (p *process) picture() *scheduler.View {
	if p.seen == nil {
		p.seen = p.machine.View()
		if p.other != nil {
			p.other.look(p.seen, p.passed)
		}
		if p.alive {
			(&checkStored{p.w}).shown(p.seen)
		}
	}
	return p.seen
}

// crashes tells whether a step is the last of this life, and where in it that is: before the
// writes, behind them, behind the first call, and so on. Chance says so, or a plan of points.
func (p *process) crashes(out scheduler.Output) (crash bool, point int) {
	if p.w.chance(0.004 * p.w.scenario.crashes) {
		return true, p.w.rng.IntN(len(out.Calls) + 2)
	}
	before, first := p.points, 0
	if len(out.Writes) == 0 {
		first = 2 // only behind its calls
	}
	p.points += len(out.Calls) + 2 - first
	if len(p.planned) == 0 || p.planned[0] >= p.points {
		return false, 0
	}
	point = first + p.planned[0] - before
	p.planned = p.planned[1:]
	return true, point
}

func (p *process) carry(call scheduler.Call) {
	switch call := call.(type) {
	case scheduler.ToMesos:
		if mesos.ForOperator(call.Call) {
			p.w.master.operate(call.Call)
			break
		}
		if _, parts := call.Call.(mesos.Teardown); parts {
			p.unheard = p.session == nil || p.session.broken
		}
		if p.session != nil {
			p.w.master.hear(p.session, call.Call)
		}
	case scheduler.AskKafka:
		p.w.kafka.ask(p, call)
	case scheduler.AskZooKeeper:
		p.w.kafka.zoo.ask(p, call)
	case scheduler.AskMigration:
		p.w.kafka.askMigration(p, call)
	case scheduler.AskMoves:
		p.w.kafka.weigh(p, call)
	case scheduler.AskConfigs:
		p.w.kafka.configs(p, call)
	case scheduler.ChangeKafka:
		p.w.kafka.change(p, call)
	case scheduler.Exit:
		if p.unheard {
			p.die("as no master has answered TEARDOWN")
			break
		}
		p.exit = &call
		p.alive = false
	}
}

// arm has the machine woken when it wants, but never more often than the loop would.
func (p *process) arm() {
	p.wakes++
	at := p.machine.NextWake()
	if at.IsZero() || !p.alive {
		return
	}
	if soonest := p.w.now.Add(time.Millisecond); at.Before(soonest) {
		at = soonest
	}
	wake, life := p.wakes, p.life
	p.w.at(at, func() {
		if p.wakes == wake && p.life == life {
			p.step(scheduler.Tick{})
		}
	})
}

// command asks as an operator and tells whether the machine took it; false too if it crashed.
func (p *process) command(c scheduler.Command) (scheduler.Reply, bool) {
	if !p.alive {
		return scheduler.Reply{}, false
	}
	p.commands++
	id := p.commands
	p.step(scheduler.Commanded{ID: id, Command: c, Caller: scheduler.Caller{Who: "operator"}})
	r, ok := p.replies[id]
	return r, ok
}
