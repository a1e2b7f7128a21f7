package brokers

import (
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// twoAnswers are two agreeing ones, of node 0 and of node 1; the test then makes them differ.
func twoAnswers() (*answer, *answer) {
	make := func(address string) *answer {
		return &answer{
			address: address, clusterID: "c", tellsFenced: true,
			brokers: []broker{{id: 0, address: "zero:1"}, {id: 1, address: "one:1"},
				{id: 2, address: "two:1"}},
			hosts: map[int]*hosting{0: {hosted: 4, leads: 2}, 1: {hosted: 4, leads: 2},
				2: {hosted: 4}},
			quorum: quorum{leader: 0, epoch: 3, voters: []int{0, 1, 2}},
		}
	}
	return make("zero:1"), make("one:1")
}

// agreed is what they say together.
var agreed = scheduler.KafkaFacts{
	ClusterID: "c", Leader: 0, Voters: []int{0, 1, 2},
	Brokers: []scheduler.BrokerFacts{
		{ID: 0, Address: "zero:1", Hosted: 4, Leads: 2},
		{ID: 1, Address: "one:1", Hosted: 4, Leads: 2},
		{ID: 2, Address: "two:1", Hosted: 4},
	},
}

// disagreements are how they can differ, and what changes in the facts.
var disagreements = []struct {
	name   string
	differ func(zero, one *answer)
	want   func(f *scheduler.KafkaFacts)
}{
	{"agreement", func(_, _ *answer) {}, func(*scheduler.KafkaFacts) {}},
	{"the worst count of each broker", func(zero, one *answer) {
		zero.hosts[1].notInSync, one.hosts[2].notInSync = 1, 2
		one.offline = 3
	}, func(f *scheduler.KafkaFacts) {
		f.Brokers[1].NotInSync, f.Brokers[2].NotInSync = 1, 2
		f.OfflinePartitions = 3
	}},
	{"the leader's list counts", func(zero, one *answer) {
		zero.brokers[2].fenced = true
		one.brokers = one.brokers[:2]
	}, func(f *scheduler.KafkaFacts) { f.Brokers[2].Fenced = true }},
	{"even if it is the more favourable", func(_, one *answer) {
		one.brokers[2].fenced = true
	}, func(*scheduler.KafkaFacts) {}},
	{"the leader is silent: all must list", func(zero, one *answer) {
		zero.quorum.leader, one.quorum.leader = 2, 2
		zero.brokers[1].fenced = true
		one.brokers = one.brokers[:2]
	}, func(f *scheduler.KafkaFacts) {
		f.Leader, f.Brokers[1].Fenced, f.Brokers = 2, true, f.Brokers[:2]
	}},
	{"the latest epoch", func(zero, one *answer) {
		zero.quorum = noQuorum
		one.quorum = quorum{leader: 1, epoch: 4, voters: []int{1, 0}}
	}, func(f *scheduler.KafkaFacts) { f.Leader, f.Voters = 1, []int{0, 1} }},
	{"no quorum", func(zero, one *answer) {
		zero.quorum, one.quorum = noQuorum, noQuorum
	}, func(f *scheduler.KafkaFacts) { f.Leader, f.Voters = -1, nil }},
	{"one too old to tell of fenced brokers", func(zero, one *answer) {
		zero.quorum.leader, one.quorum.leader = 2, 2
		one.tellsFenced, one.brokers = false, one.brokers[:2]
	}, func(f *scheduler.KafkaFacts) { f.Leader, f.Brokers[2].Fenced = 2, true }},
	{"the controller that ZooKeeper elected", func(zero, one *answer) {
		zero.quorum = quorum{leader: 1, zooKeeper: true}
		one.quorum = zero.quorum
	}, func(f *scheduler.KafkaFacts) { f.Leader, f.Voters = 1, nil }},
	{"the one is told of another controller than the other", func(zero, one *answer) {
		zero.quorum = quorum{leader: 1, zooKeeper: true}
		one.quorum = quorum{leader: 0, zooKeeper: true}
	}, func(f *scheduler.KafkaFacts) { f.Leader, f.Voters = -1, nil }},
	{"two clusters", func(_, one *answer) { one.clusterID = "d" },
		func(f *scheduler.KafkaFacts) {
			*f = scheduler.KafkaFacts{Leader: -1, Error: "brokers of two clusters answer: " +
				"zero:1 of c, one:1 of d"}
		}},
	{"a broker is listed twice", func(zero, one *answer) {
		zero.quorum.leader, one.quorum.leader = 2, 2
		zero.brokers = zero.brokers[:2]
		one.brokers = append(one.brokers, one.brokers[2])
	}, func(f *scheduler.KafkaFacts) { f.Leader, f.Brokers = 2, f.Brokers[:2] }},
}

func TestMerge(t *testing.T) {
	for _, c := range disagreements {
		t.Run(c.name, func(t *testing.T) {
			for _, swap := range []bool{false, true} {
				zero, one := twoAnswers()
				c.differ(zero, one)
				answers := []*answer{zero, one}
				if swap && c.name != "two clusters" {
					answers = []*answer{one, zero}
				}
				want := agreed
				want.Brokers = append([]scheduler.BrokerFacts(nil), agreed.Brokers...)
				c.want(&want)
				if d := cmp.Diff(want, merge(answers)); d != "" {
					t.Errorf("swapped %v (-want +got):\n%s", swap, d)
				}
			}
		})
	}
}

// FuzzRead feeds the readers of responses: none may panic, and what they count must fit.
func FuzzRead(f *testing.F) {
	v := view{
		cluster: "c", brokers: []broker{{id: 0, address: "zero:1"},
			{id: 1, address: "one:1", fenced: true}},
		partitions: []partition{{0, []int{0, 1}, []int{0}}, {-1, []int{1}, nil}},
		quorum:     quorum{leader: 0, epoch: 1, voters: []int{0, 1}},
	}
	for _, q := range []question{apiVersions, metadata, describeCluster, describeQuorum} {
		for version := q.min; version <= q.max; version++ {
			header := 9
			if q.key == apiVersions.key {
				header = 8
			}
			f.Add(q.key, version, respond(v, q.key, version, frameOf(q, version))[header:])
		}
	}
	f.Fuzz(func(t *testing.T, key, version int16, body []byte) {
		a := &answer{address: "zero:1", quorum: noQuorum}
		switch key {
		case apiVersions.key:
			_, _ = readVersions(body, []question{metadata}, nil)
		case metadata.key:
			if a.readMetadata(version, body) == nil {
				facts := merge([]*answer{a})
				if facts.OfflinePartitions > len(body) {
					t.Errorf("%d offline partitions in %d bytes", facts.OfflinePartitions,
						len(body))
				}
			}
		case describeCluster.key:
			if a.readCluster(version, body) == nil && len(a.brokers) > len(body) {
				t.Errorf("%d brokers in %d bytes", len(a.brokers), len(body))
			}
		case describeQuorum.key:
			if q, err := readQuorum(version, body); err != nil && q.leader != -1 {
				t.Errorf("a quorum with an error: %+v, %v", q, err)
			}
		}
	})
}

// A response of 30,000 partitions must leave next to nothing in memory.
func TestMetadataIsWalkedWithoutMemory(t *testing.T) {
	v := view{cluster: "c"}
	for i := range 30_000 {
		v.partitions = append(v.partitions,
			partition{i % 3, []int{0, 1, 2}, []int{0, 1, 2}})
	}
	body := respond(v, metadata.key, metadata.max, frameOf(metadata, metadata.max))[9:]
	a := new(answer)
	allocations := testing.AllocsPerRun(3, func() {
		if err := a.readMetadata(metadata.max, body); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > 20 || a.hosts[2].hosted != 30_000 || a.hosts[2].leads != 10_000 {
		t.Errorf("%v allocations, %+v", allocations, *a.hosts[2])
	}
}

// The tags that later versions may add are skipped, and their sizes are not trusted.
func TestTags(t *testing.T) {
	for _, c := range []struct {
		bytes string
		ok    bool
	}{
		{"\x00", true},
		{"\x01\x00\x02ab", true},
		{"\x02\x00\x01a\x07\x00", true},
		{"\x01\x00\x03ab", false},
		{"\x01\x00" + string(binary.AppendUvarint(nil, 1<<63)), false},
		{"\xff\xff\xff\xff\x0f", false},
		{"", false},
	} {
		r := reader{left: []byte(c.bytes)}
		r.tags()
		if got := r.done() == nil; got != c.ok {
			t.Errorf("%q: %v, want %v", c.bytes, got, c.ok)
		}
	}
}
