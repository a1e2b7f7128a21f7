package balance_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/kafka-sched/kafka-sched/scheduler/balance"
)

const mib = 1 << 20

// brokers makes brokers of ids from 0, with the racks of a word: "aabb".
func brokers(racks string) []balance.Broker {
	var list []balance.Broker
	for i, r := range racks {
		b := balance.Broker{ID: balance.BrokerID(i)}
		if r != '-' {
			b.Rack = string(r)
		}
		list = append(list, b)
	}
	return list
}

// partition makes a partition of a size in MiB.
func partition(id int32, size int64, on ...balance.BrokerID) balance.Partition {
	p := balance.Partition{Topic: "t", ID: id}
	for _, b := range on {
		p.Replicas = append(p.Replicas, balance.Replica{Broker: b, Bytes: size * mib})
	}
	return p
}

// said is a plan in short.
func said(p balance.Plan) string {
	var list []string
	for _, m := range p.Moves {
		list = append(list, fmt.Sprintf("%d %v>%v %d", m.Partition, m.Before, m.After, m.Bytes/mib))
	}
	for _, l := range p.Left {
		list = append(list, fmt.Sprintf("%d stays on %d: %s", l.Partition, l.Broker, l.Reason))
	}
	return fmt.Sprint(list)
}

// as gives some brokers a standing.
func as(b []balance.Broker, s balance.Standing, ids ...int) []balance.Broker {
	for _, id := range ids {
		b[id].Standing = s
	}
	return b
}

// sized gives brokers their capacities in MiB.
func sized(b []balance.Broker, capacity ...int64) []balance.Broker {
	for i := range b {
		b[i].Capacity = capacity[i] * mib
	}
	return b
}

func TestMake(t *testing.T) {
	const added, leaving, down = balance.Added, balance.Leaving, balance.Down
	for _, c := range []struct {
		name       string
		goal       balance.Goal
		brokers    []balance.Broker
		partitions []balance.Partition
		want       string
	}{
		{"nothing to do", balance.Even, brokers("--"), []balance.Partition{
			partition(0, 10, 0), partition(1, 10, 1)}, "[]"},
		{"a new broker gets its part and no more", balance.Fill, as(brokers("---"), added, 2),
			[]balance.Partition{partition(0, 10, 0), partition(1, 10, 1), partition(2, 10, 0),
				partition(3, 10, 1), partition(4, 10, 0), partition(5, 10, 1)},
			"[0 [0]>[2] 10 1 [1]>[2] 10]"},
		{"empty partitions count too", balance.Fill, as(brokers("--"), added, 1),
			[]balance.Partition{partition(0, 0, 0), partition(1, 0, 0)}, "[0 [0]>[1] 0]"},
		{"what leaves goes where the least is", balance.Empty, as(brokers("---"), leaving, 0),
			[]balance.Partition{partition(0, 10, 0), partition(1, 30, 1), partition(2, 10, 2)},
			"[0 [0]>[2] 10]"},
		{"racks stay apart, and a broker that leads enough leads no more", balance.Empty,
			as(brokers("abba"), leaving, 0), []balance.Partition{partition(0, 10, 0, 1),
				partition(1, 90, 3)}, "[0 [0 1]>[1 3] 10]"},
		{"the last broker of a rack leaves", balance.Empty, as(brokers("abb"), leaving, 0),
			[]balance.Partition{partition(0, 10, 0, 1)}, "[0 [0 1]>[2 1] 10]"},
		{"as many replicas as brokers that stay", balance.Empty, as(brokers("---"), leaving, 0),
			[]balance.Partition{partition(0, 10, 0, 1, 2)},
			"[0 stays on 0: every broker that stays has a replica of it already]"},
		{"no room", balance.Empty, sized(as(brokers("--"), leaving, 0), 100, 50),
			[]balance.Partition{partition(0, 10, 0), partition(1, 40, 1)},
			"[0 stays on 0: no broker that may take it has room on its disks]"},
		{"the other rack is full, so it stays apart and here", balance.Empty,
			sized(as(brokers("abca"), leaving, 0), 1000, 1000, 20, 10), []balance.Partition{
				partition(0, 50, 0, 1)},
			"[0 stays on 0: no broker that may take it has room on its disks]"},
		{"twice the disk is due twice as much", balance.Even, sized(brokers("--"), 300, 600),
			[]balance.Partition{partition(0, 9, 0), partition(1, 9, 0), partition(2, 9, 0)},
			"[0 [0]>[1] 9 1 [0]>[1] 9]"},
		{"what is down neither gives nor takes", balance.Even,
			as(brokers("---"), down, 2), []balance.Partition{
				partition(0, 10, 0), partition(1, 10, 1), partition(2, 50, 2)}, "[]"},
		{"only leaders move", balance.Even, brokers("--"), []balance.Partition{
			partition(0, 10, 0, 1), partition(1, 10, 0, 1), partition(2, 10, 0, 1),
			partition(3, 10, 0, 1)}, "[0 [0 1]>[1 0] 0]"},
		{"a replica on a broker that nobody knows", balance.Even, brokers("--"),
			[]balance.Partition{partition(0, 10, 9, 0), partition(1, 10, 8, 7, 0),
				partition(2, 10, 0)}, "[0 [9 0]>[9 1] 10]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := balance.Make(&balance.Cluster{Brokers: c.brokers, Partitions: c.partitions},
				c.goal, balance.Options{})
			if got := said(plan); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestPreview(t *testing.T) {
	b := brokers("---")
	b[0].Standing = balance.Leaving
	plan := balance.Make(&balance.Cluster{Brokers: b, Partitions: []balance.Partition{
		partition(0, 10, 0, 1), partition(1, 20, 1, 2)}}, balance.Empty, balance.Options{})
	want := []balance.Preview{
		{Broker: 0, Before: balance.Load{Bytes: 10 * mib, Replicas: 1, Leaders: 1}, Out: 10 * mib},
		{Broker: 1, Before: balance.Load{Bytes: 30 * mib, Replicas: 2, Leaders: 1},
			After: balance.Load{Bytes: 30 * mib, Replicas: 2, Leaders: 1}},
		{Broker: 2, Before: balance.Load{Bytes: 20 * mib, Replicas: 1},
			After: balance.Load{Bytes: 30 * mib, Replicas: 2, Leaders: 1}, In: 10 * mib},
	}
	if !slices.Equal(plan.Brokers, want) || plan.Bytes != 10*mib {
		t.Errorf("got  %+v\nwant %+v", plan.Brokers, want)
	}
}

func TestBatches(t *testing.T) {
	move := func(before, after string) balance.Move {
		m := balance.Move{Topic: before + after}
		for _, r := range before {
			m.Before = append(m.Before, balance.BrokerID(r-'0'))
		}
		for _, r := range after {
			m.After = append(m.After, balance.BrokerID(r-'0'))
		}
		return m
	}
	moves := []balance.Move{move("01", "21"), move("01", "10"), move("02", "03"), move("45", "46"),
		move("7", "8"), move("12", "21")}
	var got []string
	limits := balance.Limits{PerBroker: 1, Total: 2, Leaders: 1}
	for _, batch := range balance.Batches(moves, limits) {
		text := ""
		for _, m := range batch {
			text += m.Topic + " "
		}
		got = append(got, text)
	}
	if want := "[0121 4546  0203 78  0110  1221 ]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
