package rolling_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
)

// racks is a world of 30 brokers in 3 racks, three replicas each in a rack of its own, and three
// controllers beside them, in which nothing fails and all brokers take the same time within a
// tenth.
func racks(seed uint64, atATime int) *world {
	w := &world{kafka: &kafka{rand: rand.New(rand.NewPCG(seed, 30)), leader: -1, alike: true},
		seed: seed}
	for i := range 33 {
		w.nodes = append(w.nodes, &machine{id: i, serves: i < 30, votes: i >= 30, state: up,
			fenced: true, registered: true, rack: fmt.Sprint("r", i%3)})
		if i < 30 {
			w.rollout.Todo = append(w.rollout.Todo, rolling.NodeID(i))
		}
	}
	for id := range 300 {
		p := &part{topic: "t", id: id, minISR: 2, leader: -1}
		for _, rack := range w.rand.Perm(3) {
			p.shares = append(p.shares, share{node: 3*w.rand.IntN(10) + rack, inSync: true})
		}
		w.parts = append(w.parts, p)
	}
	w.rollout.Policy.MaxUnavailable = atATime
	w.answered = make([]int, len(w.nodes))
	for range 60 {
		w.tick()
	}
	return w
}

// rollTime is how long a roll of all brokers takes.
func rollTime(t testing.TB, seed uint64, atATime int) time.Duration {
	w := racks(seed, atATime)
	from := w.now
	w.run()
	if len(w.unsafe) > 0 || w.stuck != "" {
		t.Fatal(w.report())
	}
	return time.Duration(w.now-from) * time.Millisecond
}

// TestFiveAtATime: 30 brokers in 3 racks, five at a time, in simulated time (C3).
func TestFiveAtATime(t *testing.T) {
	var one, five time.Duration
	for seed := range uint64(5) {
		one += rollTime(t, seed, 1) / 5
		five += rollTime(t, seed, 5) / 5
	}
	faster := float64(one) / float64(five)
	t.Logf("30 brokers in 3 racks: %s one at a time, %s five at a time, %.1f times faster",
		one, five, faster)
	if faster < 4.5 {
		t.Errorf("five at a time are only %.1f times faster", faster)
	}
}

// TestJudgeSeesCarelessness: whoever stops nodes without asking is found out.
func TestJudgeSeesCarelessness(t *testing.T) {
	found := 0
	for seed := range uint64(50) {
		w := newWorld(seed)
		w.faulty, w.rollout.Policy.Fragile = true, rolling.Refuse
		for range 200 {
			w.fault()
			w.tick()
			w.due()
			w.ask()
			w.mind()
			if w.now%5_000 == 0 {
				w.act(rolling.Action{Kind: rolling.StopNode,
					Node: rolling.NodeID(w.rand.IntN(len(w.nodes)))})
			}
		}
		if len(w.unsafe) > 0 {
			found++
		}
	}
	if found < 45 {
		t.Errorf("of 50 careless rolls only %d are found out", found)
	}
}

// large is a builder's work for 1,000 brokers and 200,000 partitions, told by two of them.
func large() *rolling.Facts {
	const brokers, topics, partitions = 1000, 2000, 100
	b := rolling.NewBuilder(start)
	for id := range rolling.NodeID(brokers) {
		b.Broker(rolling.Broker{ID: id, Rack: fmt.Sprint("r", id%3), Registered: true,
			Answered: start})
	}
	b.Quorum(rolling.Quorum{Leader: 5000, Voters: []rolling.Voter{
		{ID: 5000, Answered: start}, {ID: 5001, Answered: start}, {ID: 5002, Answered: start}}})
	replicas := make([]rolling.NodeID, 3)
	for from := range rolling.NodeID(2) {
		b.Answer(from)
		for t := range topics {
			topic := b.Topic(fmt.Sprint("topic-", t), 2)
			for id := range int32(partitions) {
				first := (t*partitions + int(id)) * 7
				for i := range replicas {
					replicas[i] = rolling.NodeID((first + i*(1+t%100)) % brokers)
				}
				b.Partition(topic, id, replicas[0], replicas, replicas)
			}
		}
	}
	return b.Facts()
}

func BenchmarkFacts(b *testing.B) {
	for b.Loop() {
		if n := large().Partitions(); n != 200_000 {
			b.Fatal(n)
		}
	}
}

func BenchmarkMayStop(b *testing.B) {
	f := large()
	for b.Loop() {
		if v := f.MayStop(rolling.Request{Node: 77, Now: start}); !v.OK() {
			b.Fatal(v.Sentence())
		}
	}
}

// BenchmarkBegin begins a roll of all brokers: every one is looked at, none may go.
func BenchmarkBegin(b *testing.B) {
	f := large()
	var todo []rolling.NodeID
	for id := range rolling.NodeID(1000) {
		todo = append(todo, id)
	}
	for b.Loop() {
		o := rolling.Rollout{Todo: todo}
		o.Step(rolling.Sight{Now: start, Facts: f})
		if len(o.Rolls) != 1 {
			b.Fatal(o.Blocked.Sentence())
		}
	}
}
