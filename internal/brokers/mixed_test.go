package brokers

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// mixed are the answers of a cluster in the middle of its way from ZooKeeper to KRaft: brokers 0
// and 1 have their metadata from ZooKeeper, broker 2 from the quorum, and controller 9 leads that.
// What the test changes makes it another moment.
func mixed(change func(onZooKeeper []*answer, kraft, leader *answer)) []*answer {
	all := []broker{{id: 0, address: "zero:1"}, {id: 1, address: "one:1"},
		{id: 2, address: "two:1"}}
	make := func(address string) *answer {
		return &answer{address: address, clusterID: "c", brokers: all, elected: 1,
			quorum: quorum{leader: 1, zooKeeper: true}, whole: &whole{unmoved: true}}
	}
	own := quorum{leader: 9, epoch: 5, voters: []int{9},
		trails: map[int]time.Duration{2: time.Second, 9: 0}}
	zero, one, two := make("zero:1"), make("one:1"), make("two:1")
	two.quorum, two.elected, two.whole = own, 2, &whole{}
	leader := &answer{address: "nine:1", clusterID: "c", controller: true, quorum: own,
		controllers: []broker{{id: 9, address: "nine:1"}}, elected: -1}
	change([]*answer{zero, one}, two, leader)
	return []*answer{zero, one, two, leader}
}

// TestMixedQuorum: which nodes count as up to date in a cluster that migrates: those with ZooKeeper
// as long as they agree on the controller that it elected, and whoever follows the quorum's log.
func TestMixedQuorum(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(onZooKeeper []*answer, kraft, leader *answer)
		trails map[int]time.Duration
	}{
		{"brokers on ZooKeeper agree on the controller",
			func([]*answer, *answer, *answer) {},
			map[int]time.Duration{0: 0, 1: 0, 2: time.Second, 9: 0}},
		{"they do not", func(old []*answer, _, _ *answer) { old[0].elected = 0 },
			map[int]time.Duration{2: time.Second, 9: 0}},
		{"none of them knows of one", func(old []*answer, _, _ *answer) {
			old[0].elected, old[1].elected = -1, -1
		}, map[int]time.Duration{2: time.Second, 9: 0}},
		{"one of them knows of none", func(old []*answer, _, _ *answer) { old[1].elected = -1 },
			map[int]time.Duration{2: time.Second, 9: 0}},
		{"the quorum tells of no replicas", func(_ []*answer, kraft, leader *answer) {
			kraft.quorum.trails, leader.quorum.trails = nil, nil
		}, map[int]time.Duration{0: 0, 1: 0}},
		{"a later leader counts", func(_ []*answer, _, leader *answer) {
			leader.quorum = quorum{leader: 9, epoch: 6, voters: []int{9},
				trails: map[int]time.Duration{9: 0}}
		}, map[int]time.Duration{0: 0, 1: 0, 9: 0}},
	} {
		q := latestQuorum(mixed(c.change))
		if d := cmp.Diff(c.trails, q.trails); d != "" || q.leader != 9 || q.zooKeeper {
			t.Errorf("%s: leader %d (-want +got):\n%s", c.name, q.leader, d)
		}
	}
}

// TestZooKeeperQuorum: without controllers, who leads is what all brokers say.
func TestZooKeeperQuorum(t *testing.T) {
	answers := mixed(func([]*answer, *answer, *answer) {})[:2]
	q := latestQuorum(answers)
	if d := cmp.Diff(map[int]time.Duration{0: 0, 1: 0}, q.trails); d != "" || q.leader != 1 {
		t.Errorf("leader %d (-want +got):\n%s", q.leader, d)
	}
	answers[0].quorum.leader = 0
	if q := latestQuorum(answers); q.leader != noQuorum.leader || q.trails != nil {
		t.Errorf("two of them: leader %d, trails %v", q.leader, q.trails)
	}
}

// TestTakenOver: what the leading controller tells of reassignments counts only once the
// controllers are in charge beyond doubt.
func TestTakenOver(t *testing.T) {
	tells := func(leader *answer) {
		leader.moves = &whole{moving: []moving{{"events", 3}}}
	}
	follow := func(leader *answer) { leader.quorum.trails[0], leader.quorum.trails[1] = 0, 0 }
	for _, c := range []struct {
		name   string
		change func(onZooKeeper []*answer, kraft, leader *answer)
		counts bool
	}{
		{"all brokers follow the quorum, and none was elected", func(_ []*answer, two, l *answer) {
			tells(l)
			follow(l)
			two.whole.unmoved = true
		}, true},
		{"the leader does not tell", func(_ []*answer, two, l *answer) {
			follow(l)
			two.whole.unmoved = true
		}, false},
		{"a broker on ZooKeeper does not follow the quorum", func(_ []*answer, two, l *answer) {
			tells(l)
			follow(l)
			delete(l.quorum.trails, 1)
			two.whole.unmoved = true
		}, false},
		{"a broker tells itself", func(old []*answer, two, l *answer) {
			tells(l)
			follow(l)
			two.whole.unmoved, old[1].whole.unmoved = true, false
		}, false},
		{"a broker was asked for a sign of life only", func(old []*answer, two, l *answer) {
			tells(l)
			follow(l)
			two.whole.unmoved, old[0].whole = true, nil
		}, true},
	} {
		latest := quorum{}
		answers := mixed(func(old []*answer, kraft, leader *answer) {
			c.change(old, kraft, leader)
			latest = leader.quorum
		})
		moves := takenOver(answers, latest)
		if (moves != nil) != c.counts || moves != nil && moves.moving[0].topic != "events" {
			t.Errorf("%s: %+v", c.name, moves)
		}
	}
}
