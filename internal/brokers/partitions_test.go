package brokers

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
)

// stop asks for the verdict on a node, as seen a moment after the facts were asked for.
func stop(t *testing.T, a *Asker, addresses []string, id int) rolling.Verdict {
	t.Helper()
	facts := a.AskAll(t.Context(), addresses)
	if facts.Error != "" || facts.Rolling == nil {
		t.Fatalf("no facts: %+v", facts)
	}
	return facts.Rolling.MayStop(rolling.Request{Node: rolling.NodeID(id),
		Now: now.Add(time.Second)})
}

// TestVerdictOfAnswers: the facts that brokers give of each partition lead to the verdicts that
// they should.
func TestVerdictOfAnswers(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(v *view, all []*scripted)
		want   rolling.Code
	}{
		{"all is well", func(*view, []*scripted) {}, rolling.Safe},
		{"a topic that demands as much as it has",
			func(v *view, _ []*scripted) { v.minimum = 3 }, rolling.Accepted},
		{"too few in sync", func(v *view, _ []*scripted) {
			v.minimum = 2
			v.partitions[0].isr = []int{0, 1}
		}, rolling.UnderMinISR},
		{"nobody tells the minimum", func(v *view, _ []*scripted) {
			v.code = map[int16]int16{describeMinimums(nil).key: 29}
		}, rolling.MinISRUnknown},
		{"a partition that moves", func(v *view, _ []*scripted) { v.moves = []int{0} },
			rolling.Reassigning},
		{"no leader of the quorum", func(v *view, _ []*scripted) {
			v.code = map[int16]int16{describeQuorum.key: 15}
		}, rolling.NoLeader},
		{"a broker that hangs", func(_ *view, all []*scripted) {
			all[2].twist = func(net.Conn, int16, []byte) bool { return true }
		}, rolling.QuorumLost},
		{"brokers that differ", func(_ *view, all []*scripted) {
			all[1].view.partitions = []partition{{leader: 2, replicas: []int{0, 1, 2},
				isr: []int{0, 1, 2}}}
		}, rolling.AnswersDiffer},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, all, addresses := three(t)
			v.minimum, v.partitions = 2, v.partitions[:1]
			c.change(&v, all)
			for i, s := range all {
				told := v
				if s.view.partitions[0].leader != 0 {
					told.partitions = s.view.partitions
				}
				s.show(told, all[i].twist)
			}
			if got := stop(t, open(t, brief), addresses, 0); got.Code != c.want {
				t.Errorf("%s, not %s: %s", got.Code, c.want, got.Sentence())
			}
		})
	}
}

// TestCrowd: in a large cluster three brokers tell of everything, the others give a sign of life,
// and each counts as having answered.
func TestCrowd(t *testing.T) {
	v := view{cluster: "cluster-1", minimum: 2,
		quorum: quorum{leader: 0, epoch: 7, voters: []int{2, 0, 1}}}
	var all []*scripted
	var addresses []string
	for id := range 12 {
		s := start(t, id)
		all, addresses = append(all, s), append(addresses, s.address)
		v.brokers = append(v.brokers, broker{id: id, address: s.address})
		v.partitions = append(v.partitions, partition{leader: id,
			replicas: []int{id, (id + 1) % 12, (id + 2) % 12},
			isr:      []int{id, (id + 1) % 12, (id + 2) % 12}})
	}
	for _, s := range all {
		s.show(v, nil)
	}
	a := open(t, patient)
	for ask := range 3 {
		if got := stop(t, a, addresses, 5); got.Code != rolling.Safe {
			t.Errorf("ask %d: %s", ask, got.Sentence())
		}
	}
	told := 0
	for _, s := range all {
		_, n := s.count(metadata.key)
		told += n
		if _, signs := s.count(apiVersions.key); signs == 0 {
			t.Errorf("%s gave no sign", s.address)
		}
	}
	if told != 9 {
		t.Errorf("%d answers about all partitions to three asks", told)
	}
	all[7].show(v, func(net.Conn, int16, []byte) bool { return true })
	if got := stop(t, open(t, brief), addresses, 5); got.Code != rolling.BrokerSilent {
		t.Errorf("with one that hangs: %s", got.Sentence())
	}
}

// TestManyTopics: minimums are asked for in several requests, and none is lost.
func TestManyTopics(t *testing.T) {
	v, all, addresses := three(t)
	v.topics, v.minimum = 950, 2
	v.partitions = v.partitions[:1]
	for _, s := range all {
		s.show(v, nil)
	}
	facts := open(t, patient).AskAll(t.Context(), addresses)
	if facts.Rolling.Partitions() != 950 {
		t.Fatalf("%d partitions", facts.Rolling.Partitions())
	}
	got := facts.Rolling.MayStop(rolling.Request{Node: 0, Now: now})
	if got.Code != rolling.Safe {
		t.Error(fmt.Sprint("not all minimums are known: ", got.Sentence()))
	}
}
