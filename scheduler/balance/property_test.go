package balance_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/kafka-sched/kafka-sched/scheduler/balance"
)

// draw makes any cluster, and the goal that suits it.
func draw(t *rapid.T) (*balance.Cluster, balance.Goal) {
	goal := rapid.SampledFrom([]balance.Goal{balance.Even, balance.Fill, balance.Empty}).
		Draw(t, "goal")
	n := rapid.IntRange(1, 10).Draw(t, "brokers")
	racks := rapid.IntRange(1, 4).Draw(t, "racks")
	c := &balance.Cluster{}
	special := map[balance.Goal]balance.Standing{balance.Fill: balance.Added,
		balance.Empty: balance.Leaving, balance.Even: balance.Down}[goal]
	for i := range n {
		b := balance.Broker{ID: balance.BrokerID(i),
			Rack: fmt.Sprint(rapid.IntRange(1, racks).Draw(t, "rack"))}
		if rapid.IntRange(0, 3).Draw(t, "standing") == 0 {
			b.Standing = special
		}
		if rapid.IntRange(0, 3).Draw(t, "sized") == 0 {
			b.Capacity = mib * rapid.Int64Range(1, 2000).Draw(t, "capacity")
		}
		c.Brokers = append(c.Brokers, b)
	}
	hosts := rapid.Permutation(c.Brokers)
	for id := range rapid.IntRange(0, 30).Draw(t, "partitions") {
		size := rapid.Int64Range(0, 100).Draw(t, "size")
		p := balance.Partition{Topic: "t", ID: int32(id)}
		for _, b := range hosts.Draw(t, "on")[:rapid.IntRange(1, min(4, n)).Draw(t, "factor")] {
			if b.Standing == balance.Added {
				continue
			}
			p.Replicas = append(p.Replicas, balance.Replica{Broker: b.ID, Bytes: size * mib})
		}
		if len(p.Replicas) > 0 {
			c.Partitions = append(c.Partitions, p)
		}
	}
	return c, goal
}

func find(c *balance.Cluster, id balance.BrokerID) balance.Broker {
	return c.Brokers[slices.IndexFunc(c.Brokers, func(b balance.Broker) bool {
		return b.ID == id
	})]
}

// racksOf is in how many racks brokers are.
func racksOf(c *balance.Cluster, ids []balance.BrokerID) int {
	racks := make(map[string]bool)
	for _, id := range ids {
		racks[find(c, id).Rack] = true
	}
	return len(racks)
}

// applied is where every partition is after a plan.
func applied(c *balance.Cluster, p balance.Plan) map[int32][]balance.BrokerID {
	at := make(map[int32][]balance.BrokerID)
	for _, part := range c.Partitions {
		for _, r := range part.Replicas {
			at[part.ID] = append(at[part.ID], r.Broker)
		}
	}
	for _, m := range p.Moves {
		if !slices.Equal(at[m.Partition], m.Before) {
			panic("a move from where nothing is, or a second one of a partition")
		}
		at[m.Partition] = m.After
	}
	return at
}

func TestPlansAreSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, goal := draw(t)
		plan := balance.Make(c, goal, balance.Options{})
		at := applied(c, plan)
		stay := 0
		var staying []balance.BrokerID
		for _, b := range c.Brokers {
			if b.Standing == balance.InService || b.Standing == balance.Added {
				stay++
				staying = append(staying, b.ID)
			}
		}
		for _, p := range c.Partitions {
			after := at[p.ID]
			var before []balance.BrokerID
			for _, r := range p.Replicas {
				before = append(before, r.Broker)
			}
			if len(after) != len(before) {
				t.Fatalf("%d: %v becomes %v", p.ID, before, after)
			}
			if s := slices.Sorted(slices.Values(after)); len(slices.Compact(s)) != len(after) {
				t.Fatalf("%d: two replicas on one broker: %v", p.ID, after)
			}
			if was, is := racksOf(c, before), racksOf(c, after); is < was &&
				(goal != balance.Empty || is < racksOf(c, staying)) {
				t.Fatalf("%d: from %d racks to %d: %v, %v", p.ID, was, is, before, after)
			}
			for _, b := range after {
				if s := find(c, b).Standing; !slices.Contains(before, b) &&
					(s == balance.Leaving || s == balance.Down) {
					t.Fatalf("%d: %v becomes %v", p.ID, before, after)
				}
			}
		}
		checkGoal(t, c, goal, plan, at)
		checkPreview(t, c, plan, at)
	})
}

// checkGoal sees that what was wanted is done or said to be impossible, and nothing else.
func checkGoal(t *rapid.T, c *balance.Cluster, goal balance.Goal, plan balance.Plan,
	at map[int32][]balance.BrokerID) {
	var necessary int64
	for _, p := range c.Partitions {
		for _, r := range p.Replicas {
			if find(c, r.Broker).Standing != balance.Leaving {
				continue
			}
			told := slices.ContainsFunc(plan.Left, func(l balance.Left) bool {
				return l.Partition == p.ID && l.Broker == r.Broker && l.Reason != ""
			})
			if told != slices.Contains(at[p.ID], r.Broker) {
				t.Fatalf("%d on %d: left %v, told %v", p.ID, r.Broker, !told, told)
			}
			if !told {
				necessary += r.Bytes
			}
		}
	}
	if goal == balance.Empty && plan.Bytes != necessary {
		t.Fatalf("%d bytes move, and %d have to", plan.Bytes, necessary)
	}
	for _, b := range plan.Brokers {
		if goal == balance.Fill && b.In > 0 && find(c, b.Broker).Standing != balance.Added {
			t.Fatalf("%d gets %d bytes", b.Broker, b.In)
		}
		if capacity := find(c, b.Broker).Capacity; capacity > 0 && b.In > 0 &&
			b.After.Bytes > capacity*9/10 {
			t.Fatalf("%d is overfull: %d of %d", b.Broker, b.After.Bytes, capacity)
		}
	}
}

// checkPreview sees that the preview is what comes of the moves.
func checkPreview(t *rapid.T, c *balance.Cluster, plan balance.Plan,
	at map[int32][]balance.BrokerID) {
	var in int64
	for _, b := range plan.Brokers {
		var bytes int64
		replicas, leaders := 0, 0
		for _, p := range c.Partitions {
			if i := slices.Index(at[p.ID], b.Broker); i >= 0 {
				replicas, bytes = replicas+1, bytes+p.Replicas[0].Bytes
				if i == 0 {
					leaders++
				}
			}
		}
		want := balance.Load{Bytes: bytes, Replicas: replicas, Leaders: leaders}
		if b.After != want || b.Before.Bytes+b.In-b.Out != b.After.Bytes {
			t.Fatalf("%+v, and it is %+v", b, want)
		}
		in += b.In
	}
	if in != plan.Bytes {
		t.Fatalf("%d bytes come in, and %d move", in, plan.Bytes)
	}
}

// TestEvenGetsThere: with racks of one size and partitions that are small, every broker gets within
// the tolerance, and no more moves than what the brokers have above their due. A second plan has
// nothing left to do.
func TestEvenGetsThere(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		c := uneven(r, 3*(1+r.IntN(6)), 3, 300, 3)
		plan := balance.Make(c, balance.Even, balance.Options{})
		var total, above int64
		for _, b := range plan.Brokers {
			total += b.Before.Bytes
		}
		due := total / int64(len(plan.Brokers))
		for _, b := range plan.Brokers {
			above += max(0, b.Before.Bytes-due)
			if d := float64(b.After.Bytes)/float64(due) - 1; d > 0.12 || d < -0.12 {
				t.Errorf("seed %d: broker %d has %+.2f of its due", seed, b.Broker, d)
			}
		}
		if plan.Bytes > above*11/10 {
			t.Errorf("seed %d: %d bytes move, and %d are above what is due", seed, plan.Bytes,
				above)
		}
		again := *c
		again.Partitions = nil
		at := applied(c, plan)
		for _, p := range c.Partitions {
			q := balance.Partition{Topic: p.Topic, ID: p.ID}
			for _, b := range at[p.ID] {
				q.Replicas = append(q.Replicas, balance.Replica{Broker: b,
					Bytes: p.Replicas[0].Bytes})
			}
			again.Partitions = append(again.Partitions, q)
		}
		if rest := balance.Make(&again, balance.Even, balance.Options{}); rest.Bytes > 0 {
			t.Errorf("seed %d: a second plan moves %d bytes more", seed, rest.Bytes)
		}
	}
}

// TestFillGetsThere: added brokers get what is due to them and no more, and all that moves moves to
// them.
func TestFillGetsThere(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 2))
		old := 3 * (1 + r.IntN(5))
		c := uneven(r, old, 3, 400, 3)
		for i := range 3 * (1 + r.IntN(2)) {
			c.Brokers = append(c.Brokers, balance.Broker{ID: balance.BrokerID(old + i),
				Rack: fmt.Sprint("r", i%3), Standing: balance.Added})
		}
		plan := balance.Make(c, balance.Fill, balance.Options{})
		var total, in int64
		for _, b := range plan.Brokers {
			total += b.Before.Bytes
		}
		due := float64(total) / float64(len(plan.Brokers))
		for _, b := range plan.Brokers[old:] {
			in += b.In
			if part := float64(b.After.Bytes) / due; part < 0.87 || part > 1.03 {
				t.Errorf("seed %d: broker %d gets %.2f of its due", seed, b.Broker, part)
			}
		}
		if in != plan.Bytes {
			t.Errorf("seed %d: %d bytes move, %d of them to new brokers", seed, plan.Bytes, in)
		}
	}
}

// uneven is a cluster in which the first brokers of each rack have most.
func uneven(r *rand.Rand, n, racks, partitions, replicas int) *balance.Cluster {
	c := &balance.Cluster{}
	for i := range n {
		c.Brokers = append(c.Brokers, balance.Broker{ID: balance.BrokerID(i),
			Rack: fmt.Sprint("r", i%racks)})
	}
	for id := range partitions {
		p := balance.Partition{Topic: fmt.Sprint("t", id/100), ID: int32(id)}
		size := int64(r.IntN(20)) * mib
		for _, rack := range r.Perm(racks)[:replicas] {
			at := min(r.IntN(n/racks), r.IntN(n/racks))
			p.Replicas = append(p.Replicas, balance.Replica{
				Broker: balance.BrokerID(at*racks + rack), Bytes: size})
		}
		c.Partitions = append(c.Partitions, p)
	}
	return c
}

func TestBatchesKeepLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, goal := draw(t)
		plan := balance.Make(c, goal, balance.Options{})
		l := balance.Limits{PerBroker: rapid.IntRange(1, 3).Draw(t, "per broker"),
			Total: rapid.IntRange(1, 5).Draw(t, "total"), Leaders: 2}
		moves := 0
		for _, batch := range balance.Batches(plan.Moves, l) {
			moves += len(batch)
			busy := make(map[balance.BrokerID]int)
			for _, m := range batch {
				list := slices.Concat(m.Before[:1], m.After)
				list = slices.DeleteFunc(list, func(b balance.BrokerID) bool {
					return b != m.Before[0] && slices.Contains(m.Before, b)
				})
				slices.Sort(list)
				for _, b := range slices.Compact(list) {
					if m.Bytes > 0 {
						busy[b]++
					}
				}
			}
			for b, n := range busy {
				if n > l.PerBroker {
					t.Fatalf("%d moves at a time on %d", n, b)
				}
			}
			if len(batch) == 0 || len(batch) > max(l.Total, l.Leaders) {
				t.Fatalf("a batch of %d", len(batch))
			}
		}
		if moves != len(plan.Moves) {
			t.Fatalf("%d moves in batches, %d in the plan", moves, len(plan.Moves))
		}
	})
}

func BenchmarkEven(b *testing.B)  { benchmark(b, balance.Even) }
func BenchmarkFill(b *testing.B)  { benchmark(b, balance.Fill) }
func BenchmarkEmpty(b *testing.B) { benchmark(b, balance.Empty) }

// benchmark plans for 1,000 brokers and 200,000 partitions.
func benchmark(b *testing.B, goal balance.Goal) {
	c := uneven(rand.New(rand.NewPCG(1, 2)), 1000, 4, 200_000, 3)
	for i := range 100 {
		switch goal {
		case balance.Fill:
			c.Brokers = append(c.Brokers, balance.Broker{ID: balance.BrokerID(1000 + i),
				Rack: fmt.Sprint("r", i%4), Standing: balance.Added})
		case balance.Empty:
			c.Brokers[i*7].Standing = balance.Leaving
		}
	}
	var plan balance.Plan
	for b.Loop() {
		plan = balance.Make(c, goal, balance.Options{})
		balance.Batches(plan.Moves, balance.Limits{})
	}
	b.ReportMetric(float64(len(plan.Moves)), "moves")
}
