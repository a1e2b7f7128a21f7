package brokers

import (
	"net"
	"slices"
	"strconv"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/balance"
)

const (
	alterDirsKey    = 34
	alterConfigsKey = 44
)

// alone takes changes as the broker 1 of a cluster of one would.
func alone(t *testing.T) *taker {
	var k *taker
	known := map[int16]int16{metadata.key: 12, alterDirsKey: 2, alterConfigsKey: 1}
	k = take(t, known, func(request kmsg.Request) kmsg.Response {
		switch request.(type) {
		case *kmsg.MetadataRequest:
			r := kmsg.NewPtrMetadataResponse()
			host, port, _ := net.SplitHostPort(k.address)
			b := kmsg.NewMetadataResponseBroker()
			number, _ := strconv.Atoi(port)
			b.NodeID, b.Host, b.Port = 1, host, int32(number)
			r.Brokers = append(r.Brokers, b)
			return r
		case *kmsg.AlterReplicaLogDirsRequest:
			return kmsg.NewPtrAlterReplicaLogDirsResponse()
		}
		return kmsg.NewPtrIncrementalAlterConfigsResponse()
	})
	return k
}

// last is the latest request of a kind, and whether there is one.
func last[T kmsg.Request](k *taker) (T, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range slices.Backward(k.seen) {
		if one, is := r.(T); is {
			return one, true
		}
	}
	var none T
	return none, false
}

// TestMoveInside: the broker that has replicas is told which of its directories they go to, and to
// cancel that where they are; the throttle is one of all brokers.
func TestMoveInside(t *testing.T) {
	k := alone(t)
	on := []balance.BrokerID{1}
	var moves []balance.Move
	for p := range int32(2) {
		moves = append(moves, balance.Move{Topic: "events", Partition: p, Before: on, After: on,
			From: "/a", To: "/b"})
	}
	a := open(t, patient)
	err := a.Change(t.Context(), []string{k.address}, scheduler.StartMoves{Name: "x",
		Moves: moves, Throttle: 7})
	if err != nil {
		t.Fatal(err)
	}
	rate, ok := last[*kmsg.IncrementalAlterConfigsRequest](k)
	if !ok || rate.Resources[0].ResourceName != "" ||
		rate.Resources[0].Configs[0].Name != insideRate ||
		*rate.Resources[0].Configs[0].Value != "7" {
		t.Errorf("the throttle: %+v", rate)
	}
	told := func(want string) {
		t.Helper()
		r, ok := last[*kmsg.AlterReplicaLogDirsRequest](k)
		if !ok || len(r.Dirs) != 1 || r.Dirs[0].Dir != want || len(r.Dirs[0].Topics) != 1 ||
			!slices.Equal(r.Dirs[0].Topics[0].Partitions, []int32{0, 1}) {
			t.Errorf("told %+v, not to go to %s", r, want)
		}
	}
	told("/b")
	err = a.Change(t.Context(), []string{k.address},
		scheduler.CancelMoves{Name: "x", Moves: moves})
	if err != nil {
		t.Fatal(err)
	}
	told("/a")
	moves[0].After = []balance.BrokerID{2}
	err = a.Change(t.Context(), []string{k.address},
		scheduler.StartMoves{Name: "x", Moves: moves})
	if err == nil {
		t.Error("a broker that is not there takes a move")
	}
}

// TestCordon: a broker is told of all of its directories, and to forget that.
func TestCordon(t *testing.T) {
	k := alone(t)
	a := open(t, patient)
	for _, on := range []bool{true, false} {
		err := a.Change(t.Context(), []string{k.address}, scheduler.Cordon{Broker: 1, On: on})
		if err != nil {
			t.Fatal(err)
		}
		r, _ := last[*kmsg.IncrementalAlterConfigsRequest](k)
		c := r.Resources[0].Configs[0]
		set := c.Op == kmsg.IncrementalAlterConfigOpSet && c.Value != nil && *c.Value == "*"
		if r.Resources[0].ResourceName != "1" || c.Name != cordonedDirs || set != on {
			t.Errorf("cordon %v: %+v", on, r.Resources[0])
		}
	}
}

// TestDisks: failed directories are named, and a broker is cordoned when all others are.
func TestDisks(t *testing.T) {
	answer := func(version int16, dirs ...kmsg.DescribeLogDirsResponseDir) []byte {
		r := kmsg.NewPtrDescribeLogDirsResponse()
		r.SetVersion(version)
		r.Dirs = dirs
		return r.AppendTo(nil)
	}
	dir := func(path string, code int16, cordoned bool) kmsg.DescribeLogDirsResponseDir {
		d := kmsg.NewDescribeLogDirsResponseDir()
		d.Dir, d.ErrorCode, d.IsCordoned = path, code, cordoned
		return d
	}
	for name, test := range map[string]struct {
		body     []byte
		version  int16
		failed   []string
		cordoned bool
	}{
		"well":     {answer(5, dir("/a", 0, false), dir("/b", 0, false)), 5, nil, false},
		"old":      {answer(4, dir("/a", 0, false)), 4, nil, false},
		"half":     {answer(5, dir("/a", 0, true), dir("/b", 0, false)), 5, nil, false},
		"cordoned": {answer(5, dir("/a", 0, true), dir("/b", 0, true)), 5, nil, true},
		"failed": {answer(5, dir("/b", storageFailed, false), dir("/a", 0, true)), 5,
			[]string{"/b"}, true},
	} {
		var d disks
		if err := d.take(test.version, test.body); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !slices.Equal(d.failed, test.failed) || d.cordoned != test.cordoned {
			t.Errorf("%s: %+v", name, d)
		}
		if err := d.take(test.version, test.body[:len(test.body)/2]); err == nil {
			t.Errorf("%s: half an answer is taken", name)
		}
	}
}

// TestAddDisks: what a broker says of itself is told of it, and who is the oldest decides whether
// brokers can be cordoned.
func TestAddDisks(t *testing.T) {
	facts := scheduler.KafkaFacts{Brokers: []scheduler.BrokerFacts{{ID: 1, Address: "a:1"},
		{ID: 2, Address: "b:1"}}}
	answers := []*answer{
		{address: "b:1", level: cordonLevel, disks: disks{failed: []string{"/x"}}, silent: true},
		{address: "a:1", level: cordonLevel, disks: disks{cordoned: true}},
		{address: "c:1", controller: true}}
	addDisks(&facts, answers)
	if !facts.Cordons || !facts.Brokers[0].Cordoned || len(facts.Brokers[0].Failed) > 0 ||
		facts.Brokers[1].Cordoned || !slices.Equal(facts.Brokers[1].Failed, []string{"/x"}) {
		t.Errorf("%+v", facts)
	}
	answers[0].level = cordonLevel - 1
	if addDisks(&facts, answers); facts.Cordons {
		t.Error("brokers of an older level can be cordoned")
	}
}
