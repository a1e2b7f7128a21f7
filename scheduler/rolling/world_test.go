package rolling_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
)

// epoch is the beginning of a world's time.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }

// world is a cluster, the faults that befall it, somebody who rolls it by the verdicts, and a
// judge who looks at each stop.
type world struct {
	*kafka
	seed    uint64
	rollout rolling.Rollout
	calm    int  // when the faults stop
	faulty  bool // faults happen at all

	asked    *round // on its way
	facts    *rolling.Facts
	known    *round // what the facts come from
	answered []int  // when a node last answered
	later    []delayed

	unsafe []string
	stuck  string
	stops  int
	races  int
	trace  []string
	tell   bool
}

type delayed struct {
	at int
	do func()
}

// round is one asking: when, what could be known then, and when the facts arrive.
type round struct {
	asked, arrives int
	facts          *rolling.Facts
	newest         *picture // of the metadata in the answers
	newestAt       int
	alive          []bool // who served then
	fit            []bool // which voters were up to date then
}

func newWorld(seed uint64) *world {
	r := rand.New(rand.NewPCG(seed, 8))
	w := &world{kafka: &kafka{rand: r, leader: -1}, seed: seed}
	w.drawNodes()
	w.drawTopics()
	w.drawPolicy()
	w.faulty = r.IntN(8) > 0
	for range 60 { // it comes up
		w.tick()
	}
	if w.faulty {
		w.calm = w.now + r.IntN(150_000)
	}
	w.answered = make([]int, len(w.nodes))
	return w
}

// drawNodes draws combined nodes, or brokers and controllers apart.
func (w *world) drawNodes() {
	brokers, racks := 1+w.rand.IntN(9), w.rand.IntN(4)
	voters, apart := []int{1, 3, 3, 5}[w.rand.IntN(4)], w.rand.IntN(2) == 0
	add := func(serves, votes bool) {
		m := &machine{id: len(w.nodes), serves: serves, votes: votes, state: up, fenced: true,
			registered: serves}
		if racks > 1 {
			m.rack = fmt.Sprint("r", m.id%racks)
		}
		w.nodes = append(w.nodes, m)
	}
	for i := range brokers {
		add(true, !apart && i < voters)
	}
	for i := 0; apart && i < voters; i++ {
		add(false, true)
	}
	for i := range w.nodes {
		w.rollout.Todo = append(w.rollout.Todo, rolling.NodeID(i))
	}
	w.rand.Shuffle(len(w.nodes), func(i, j int) {
		t := w.rollout.Todo
		t[i], t[j] = t[j], t[i]
	})
}

func (w *world) brokers() (list []*machine) {
	for _, m := range w.nodes {
		if m.serves {
			list = append(list, m)
		}
	}
	return list
}

// drawTopics draws topics, most of them with more replicas than they need.
func (w *world) drawTopics() {
	brokers := w.brokers()
	for t := range 1 + w.rand.IntN(4) {
		replicas := min(len(brokers), []int{1, 2, 3, 3, 3, 3, 4}[w.rand.IntN(7)])
		minISR := max(1, replicas-1-w.rand.IntN(2))
		if w.rand.IntN(10) == 0 {
			minISR = 1 + w.rand.IntN(3)
		}
		for id := range 1 + w.rand.IntN(5) {
			p := &part{topic: fmt.Sprint("t", t), id: id, minISR: minISR, leader: -1}
			for _, i := range w.rand.Perm(len(brokers))[:replicas] {
				p.shares = append(p.shares, share{node: brokers[i].id, inSync: true})
			}
			w.parts = append(w.parts, p)
		}
	}
}

func (w *world) drawPolicy() {
	w.rollout.Policy = rolling.Policy{
		MaxUnavailable: w.rand.IntN(4),
		Fragile: []rolling.Choice{"", rolling.MoveAway, rolling.Allow,
			rolling.Refuse}[w.rand.IntN(4)],
	}
	w.rollout.Limits = rolling.Limits{Patience: 2 * time.Minute, Return: 20 * time.Second,
		Drain: []time.Duration{-1, 20 * time.Second}[w.rand.IntN(2)]}
}

// wait is how long after the faults everything may take.
func (w *world) wait() int { return 600_000 + 150_000*len(w.nodes) }

// run lives a world's life.
func (w *world) run() {
	healed, end := false, 0
	for !w.rollout.Complete() {
		switch {
		case w.now < w.calm:
			w.fault()
		case !healed:
			w.heal()
			healed, end = true, w.now+w.wait()
		case w.now > end:
			w.stuck = fmt.Sprintf("%d of %d nodes are done after %d s without faults: %s%s",
				len(w.rollout.Done), len(w.nodes), w.wait()/1000, w.rollout.Halted(),
				w.rollout.Blocked.Sentence())
			return
		}
		w.tick()
		w.due()
		w.ask()
		w.step()
		w.mind()
	}
}

// due does what was delayed.
func (w *world) due() {
	w.later = slices.DeleteFunc(w.later, func(d delayed) bool {
		if d.at <= w.now {
			d.do()
		}
		return d.at <= w.now
	})
}

func (w *world) after(ms int, do func()) {
	w.later = append(w.later, delayed{w.now + ms, do})
}

// step lets the rollout decide, and does what it wants.
func (w *world) step() {
	sight := rolling.Sight{Now: at(w.now), Facts: w.facts,
		Nodes: make(map[rolling.NodeID]rolling.Condition)}
	for _, m := range w.nodes {
		c := rolling.Condition{Ended: m.state == off, Segments: m.logs}
		if !m.serves {
			c.Role = rolling.ControllerRole
		}
		sight.Nodes[rolling.NodeID(m.id)] = c
	}
	for _, a := range w.rollout.Step(sight) {
		w.act(a)
	}
	if w.tell {
		w.trace = append(w.trace, fmt.Sprintf("%s\n\t%s %s", w.kafka, w.rollout.Blocked.Sentence(),
			w.rollout.Halted()))
	}
}

func (w *world) act(a rolling.Action) {
	m := w.nodes[a.Node]
	if w.tell {
		w.trace = append(w.trace,
			fmt.Sprintf("%6.1fs DO %s %d", float64(w.now)/1000, a.Kind, a.Node))
	}
	switch a.Kind {
	case rolling.StopNode:
		w.stops++
		w.judge(m)
		m.byUs = m.byUs || m.state != off
		w.kafka.stop(m)
		w.count()
	case rolling.StartNode:
		w.after(w.rand.IntN(2_000), func() { w.start(m) })
	case rolling.HandOver, rolling.ElectPreferred:
		for _, h := range a.Leaders {
			w.lead(w.find(h.Topic, h.Partition), int(h.To))
		}
	case rolling.MoveReplicas:
		for _, move := range a.Moves {
			var target []int
			for _, id := range move.Replicas {
				target = append(target, int(id))
			}
			w.reassign(w.find(move.Topic, move.Partition), target)
		}
	}
}

func (w *world) find(topic string, id int32) *part {
	for _, p := range w.parts {
		if p.topic == topic && p.id == int(id) {
			return p
		}
	}
	return nil
}

// mind brings back processes that ended, as a scheduler does, and counts who is back.
func (w *world) mind() {
	for _, m := range w.nodes {
		if m.state == off && w.now-m.downSince > 20_000 && m.exits == 0 {
			w.start(m)
		}
		if m.byUs && w.back(m) {
			m.byUs = false
		}
	}
}

// ask asks now and then, and takes in what arrives.
func (w *world) ask() {
	if r := w.asked; r != nil && w.now >= r.arrives {
		if r.facts != nil {
			w.facts, w.known = r.facts, r
		}
		w.asked = nil
	}
	if w.asked != nil || w.now%1_000 != 0 {
		return
	}
	latency := beat * w.rand.IntN(3)
	if w.now < w.calm && w.rand.IntN(12) == 0 {
		latency = beat * w.rand.IntN(16)
	}
	w.asked = w.question()
	w.asked.arrives = w.now + latency
}

// question is what the cluster answers at this moment.
func (w *world) question() *round {
	r := &round{asked: w.now, alive: make([]bool, len(w.nodes)), fit: make([]bool, len(w.nodes))}
	var reached []*machine
	for i, m := range w.nodes {
		r.alive[i] = m.alive()
		r.fit[i] = m.alive() && w.now-m.caughtUp <= fetchLimit
		if m.alive() && !m.cut {
			w.answered[i] = w.now + 1
			if m.serves && m.view != nil {
				reached = append(reached, m)
			}
		}
	}
	if len(reached) == 0 {
		return r
	}
	w.rand.Shuffle(len(reached), func(i, j int) {
		reached[i], reached[j] = reached[j], reached[i]
	})
	reached = reached[:min(2, len(reached))]
	w.build(r, reached)
	return r
}

// build makes facts of the answers of some brokers.
func (w *world) build(r *round, from []*machine) {
	b := rolling.NewBuilder(at(r.asked))
	for i, m := range w.nodes {
		if !m.serves {
			continue
		}
		broker := rolling.Broker{ID: rolling.NodeID(i), Rack: m.rack, Registered: true,
			Behind: -1}
		for _, a := range from {
			broker.Registered = broker.Registered && a.view.register[i]
			broker.Fenced = broker.Fenced || a.view.fenced[i]
		}
		if w.answered[i] > 0 {
			broker.Answered = at(w.answered[i])
		}
		if w.leader >= 0 {
			broker.Behind = time.Duration(w.now-m.caughtUp) * time.Millisecond
		}
		b.Broker(broker)
	}
	quorum := rolling.Quorum{Leader: rolling.NodeID(w.leader)}
	for _, m := range w.voters() {
		v := rolling.Voter{ID: rolling.NodeID(m.id),
			Behind: time.Duration(w.now-m.caughtUp) * time.Millisecond}
		if w.answered[m.id] > 0 {
			v.Answered = at(w.answered[m.id])
		}
		quorum.Voters = append(quorum.Voters, v)
	}
	if w.leader >= 0 {
		b.Quorum(quorum)
	}
	for _, a := range from {
		w.answer(b, a)
		// Somebody frozen has heard nothing since; all others have heard everything.
		if seen := w.seen(a); r.newest == nil || seen > r.newestAt {
			r.newest, r.newestAt = a.view, seen
		}
	}
	for _, p := range w.parts {
		if p.target != nil {
			b.Moving(p.topic, int32(p.id))
		}
	}
	r.facts = b.Facts()
}

func (w *world) seen(m *machine) int {
	if m.frozen {
		return m.frozenAt
	}
	return w.now
}

func (w *world) answer(b *rolling.Builder, from *machine) {
	b.Answer(rolling.NodeID(from.id))
	for _, p := range from.view.parts {
		topic := b.Topic(p.topic, p.minISR)
		var replicas, isr []rolling.NodeID
		for _, s := range p.shares {
			replicas = append(replicas, rolling.NodeID(s.node))
			if s.inSync {
				isr = append(isr, rolling.NodeID(s.node))
			}
		}
		b.Partition(topic, int32(p.id), rolling.NodeID(p.leader), replicas, isr)
	}
}

// report is what is printed of a world that went wrong.
func (w *world) report() string {
	const last = 40
	text := fmt.Sprintf("cluster %d: %s %s\n", w.seed, strings.Join(w.unsafe, "; "), w.stuck)
	return text + strings.Join(w.trace[max(0, len(w.trace)-last):], "\n")
}
