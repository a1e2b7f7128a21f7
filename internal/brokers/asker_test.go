package brokers

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patient is a deadline that only a failure reaches; brief is one that a test waits for.
const (
	patient = 30 * time.Second
	brief   = 300 * time.Millisecond
)

var now = time.Date(2026, 11, 21, 15, 0, 0, 0, time.UTC)

func open(t *testing.T, timeout time.Duration) *Asker {
	t.Helper()
	a := New(Config{Timeout: timeout, Now: func() time.Time { return now }})
	t.Cleanup(a.Close)
	return a
}

// three starts three scripted brokers with the same good view; node 0 leads the quorum.
func three(t *testing.T) (view, []*scripted, []string) {
	t.Helper()
	v := view{
		cluster: "cluster-1",
		quorum:  quorum{leader: 0, epoch: 7, voters: []int{2, 0, 1}},
		partitions: []partition{
			{leader: 0, replicas: []int{0, 1, 2}, isr: []int{0, 1, 2}},
			{leader: 1, replicas: []int{1, 2}, isr: []int{1, 2}},
		},
	}
	var all []*scripted
	var addresses []string
	for id := range 3 {
		s := start(t, id)
		all, addresses = append(all, s), append(addresses, s.address)
		v.brokers = append(v.brokers, broker{id: id, address: s.address})
	}
	for _, s := range all {
		s.show(v, nil)
	}
	return v, all, addresses
}

// complete is what three good brokers say.
func complete(addresses []string) scheduler.KafkaFacts {
	return scheduler.KafkaFacts{
		Asked: now, ClusterID: "cluster-1", Leader: 0, Voters: []int{0, 1, 2},
		Present: []int{0, 1, 2}, MostReplicas: 3, MostReplicated: "events",
		Brokers: []scheduler.BrokerFacts{
			{ID: 0, Address: addresses[0], Hosted: 1, Leads: 1},
			{ID: 1, Address: addresses[1], Hosted: 2, Leads: 1},
			{ID: 2, Address: addresses[2], Hosted: 2},
		},
	}
}

func check(t *testing.T, got, want scheduler.KafkaFacts) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the facts differ (-want +got):\n%s", d)
	}
}

// Every ask puts new questions, all on one connection.
func TestFreshFactsOnOneConnection(t *testing.T) {
	v, all, addresses := three(t)
	a := open(t, patient)
	check(t, a.Ask(t.Context(), addresses), complete(addresses))

	v.partitions[0] = partition{leader: -1, replicas: []int{0, 1, 2}, isr: []int{1}}
	for _, s := range all {
		s.show(v, nil)
	}
	want := complete(addresses)
	want.OfflinePartitions = 1
	want.Brokers[0].Leads, want.Brokers[0].NotInSync = 0, 1
	want.Brokers[2].NotInSync = 1
	check(t, a.Ask(t.Context(), append(addresses, addresses[0])), want)

	for _, s := range all {
		conns, asked := s.count(metadata.key)
		if _, versions := s.count(apiVersions.key); conns != 1 || asked != 2 || versions != 1 {
			t.Errorf("broker %d: %d connections, Metadata %d times, ApiVersions %d times",
				s.id, conns, asked, versions)
		}
	}
}

// A broker that has started again on its port is asked on a new connection, at once.
func TestConnectionThatEndedSince(t *testing.T) {
	_, all, addresses := three(t)
	a := open(t, patient)
	a.Ask(t.Context(), addresses)
	for _, s := range all {
		s.hangUp()
	}
	check(t, a.Ask(t.Context(), addresses), complete(addresses))
	if conns, _ := all[0].count(metadata.key); conns != 2 {
		t.Errorf("%d connections, want 2", conns)
	}
}

// on twists the response to one request.
func on(wanted int16, do func(net.Conn, []byte)) func(net.Conn, int16, []byte) bool {
	return func(conn net.Conn, key int16, frame []byte) bool {
		if key == wanted {
			do(conn, frame)
		}
		return key == wanted
	}
}

func write(conn net.Conn, b []byte) { _, _ = conn.Write(b) }

// failures are what a broker can do wrong, and the reason that is told.
var failures = []struct {
	name    string
	timeout time.Duration
	twist   func(net.Conn, int16, []byte) bool
	reason  string
}{
	{"silence", brief, on(apiVersions.key, func(net.Conn, []byte) {}), "no answer in time"},
	{"half an answer and then silence", brief,
		on(metadata.key, func(c net.Conn, b []byte) { write(c, b[:len(b)/2]) }),
		"no answer in time"},
	{"half an answer and then the end", patient,
		on(metadata.key, func(c net.Conn, b []byte) { write(c, b[:len(b)/2]); c.Close() }),
		"receiving Metadata: unexpected EOF"},
	{"the end instead of an answer", patient,
		on(describeCluster.key, func(c net.Conn, _ []byte) { c.Close() }),
		"receiving DescribeCluster: EOF"},
	{"a huge length", patient,
		on(metadata.key, func(c net.Conn, _ []byte) { write(c, []byte("HTTP/1.1 400")) }),
		"receiving Metadata: a response of 1213486160 bytes; is that a Kafka broker?"},
	{"a large length and then the end", patient,
		on(metadata.key, func(c net.Conn, _ []byte) {
			write(c, []byte{3, 0, 0, 0, 1})
			c.Close()
		}),
		"receiving Metadata: unexpected EOF"},
	{"another correlation id", patient,
		on(metadata.key, func(c net.Conn, b []byte) { b[7]++; write(c, b) }),
		"receiving Metadata: the response is not to this request"},
	{"a frame that is too short", patient,
		on(metadata.key, func(c net.Conn, b []byte) { write(c, []byte{0, 0, 0, 1, 9}) }),
		"receiving Metadata: the response is not to this request"},
	{"trailing bytes", patient,
		on(metadata.key, func(c net.Conn, b []byte) { b[3]++; write(c, append(b, 0)) }),
		"reading Metadata: the response is damaged"},
	{"a count that cannot be", patient,
		on(describeCluster.key, func(c net.Conn, b []byte) {
			copy(b[9:], bytes.Repeat([]byte{0xff}, len(b)-9))
			write(c, b)
		}), "reading DescribeCluster: the response is damaged"},
}

// What a broker does wrong makes it silent, and the others' answers are enough.
func TestOneBrokerFails(t *testing.T) {
	for _, c := range failures {
		t.Run(c.name, func(t *testing.T) {
			v, all, addresses := three(t)
			all[2].show(v, c.twist)
			a := open(t, c.timeout)
			check(t, a.Ask(t.Context(), addresses), complete(addresses))
			alone := a.Ask(t.Context(), addresses[2:])
			if want := addresses[2] + ": " + c.reason; alone.Error != want {
				t.Errorf("error %q, want %q", alone.Error, want)
			}
			all[2].show(v, nil)
			check(t, a.Ask(t.Context(), addresses), complete(addresses))
		})
	}
}

// An answer in many small pieces is as good as another.
func TestAnswerInPieces(t *testing.T) {
	v, all, addresses := three(t)
	for _, s := range all {
		s.show(v, func(conn net.Conn, _ int16, frame []byte) bool {
			for i := range frame {
				if _, err := conn.Write(frame[i : i+1]); err != nil {
					return true
				}
			}
			return true
		})
	}
	check(t, open(t, patient).Ask(t.Context(), addresses), complete(addresses))
}

// Brokers that tell errors or know no common version do not answer, and it is said why.
func TestRefusals(t *testing.T) {
	cases := []struct {
		name, reason string
		change       func(*view)
	}{
		{"api versions", "reading ApiVersions: error code 35",
			func(v *view) { v.code = map[int16]int16{apiVersions.key: 35} }},
		{"metadata", "reading Metadata: error code 129",
			func(v *view) { v.code = map[int16]int16{metadata.key: 129} }},
		{"cluster", "reading DescribeCluster: error code 31",
			func(v *view) { v.code = map[int16]int16{describeCluster.key: 31} }},
		{"old", "reading ApiVersions: the broker knows no version of Metadata between 12 and 13",
			func(v *view) { v.highest = map[int16]int16{metadata.key: 11} }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v, all, addresses := three(t)
			c.change(&v)
			all[0].show(v, nil)
			facts := open(t, patient).Ask(t.Context(), addresses[:1])
			check(t, facts, scheduler.KafkaFacts{
				Asked: now, Leader: -1, Error: addresses[0] + ": " + c.reason})
		})
	}
}

// A broker whose metadata is in ZooKeeper knows nothing of a quorum, and tells who is elected.
func TestZooKeeperMode(t *testing.T) {
	v, all, addresses := three(t)
	v.highest, v.elected = map[int16]int16{describeQuorum.key: -1}, 2
	all[0].show(v, nil)
	facts := open(t, patient).Ask(t.Context(), addresses[:1])
	if facts.Error != "" || facts.Leader != 2 || facts.Voters != nil || len(facts.Brokers) != 3 {
		t.Errorf("facts are %+v", facts)
	}
}

// The controllers may be silent, as when there is no majority; the brokers' facts are given.
func TestNoQuorum(t *testing.T) {
	for _, c := range []struct {
		name    string
		timeout time.Duration
		code    int16
		twist   func(net.Conn, int16, []byte) bool
	}{
		{"silent", brief, 0, func(_ net.Conn, key int16, _ []byte) bool {
			return key == describeQuorum.key
		}},
		{"an error", patient, 6, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, all, addresses := three(t)
			good := v
			v.code = map[int16]int16{describeQuorum.key: c.code}
			for _, s := range all {
				s.show(v, c.twist)
			}
			a := open(t, c.timeout)
			want := complete(addresses)
			want.Leader, want.Voters, want.Present = -1, nil, nil
			check(t, a.Ask(t.Context(), addresses), want)
			for _, s := range all {
				s.show(good, nil)
			}
			check(t, a.Ask(t.Context(), addresses), complete(addresses))
		})
	}
}

// Controllers that are no brokers tell of the quorum, if they lead it, and of nothing else; with
// brokers beside them all is told.
func TestControllers(t *testing.T) {
	v, all, addresses := three(t)
	v.quorum = quorum{leader: 10000, epoch: 4, voters: []int{10000, 10001}}
	silent := v
	silent.code = map[int16]int16{describeQuorum.key: 6}
	leads, follows := v, v
	leads.controller, follows.controller, follows.follows = true, true, true
	for _, s := range all {
		s.show(silent, nil)
	}
	first, second := start(t, 10000), start(t, 10001)
	first.show(leads, nil)
	second.show(follows, nil)
	controllers := []string{second.address, first.address}
	a := open(t, patient)

	want := scheduler.KafkaFacts{Asked: now, ClusterID: "cluster-1", Leader: 10000,
		Voters: []int{10000, 10001}, Present: []int{10000, 10001}}
	check(t, a.Ask(t.Context(), controllers), want)
	want.Brokers = complete(addresses).Brokers
	want.MostReplicas, want.MostReplicated = 3, "events"
	check(t, a.Ask(t.Context(), append(controllers, addresses...)), want)
	if conns, _ := second.count(apiVersions.key); conns != 1 {
		t.Errorf("the controller that does not lead has %d connections", conns)
	}

	first.show(follows, nil)
	want.Leader, want.Voters, want.Present = -1, nil, nil
	check(t, a.Ask(t.Context(), append(controllers, addresses...)), want)
	other := leads
	other.cluster = "cluster-2"
	first.show(other, nil)
	want = scheduler.KafkaFacts{Asked: now, Leader: -1, Error: "brokers of two clusters answer: " +
		second.address + " of cluster-1, " + first.address + " of cluster-2"}
	check(t, a.Ask(t.Context(), controllers), want)
}

// Versions as Kafka 3.9 and 2.8 have them: fenced brokers are seen by what they host.
func TestOlderVersions(t *testing.T) {
	for _, highest := range []map[int16]int16{
		{metadata.key: 12, describeCluster.key: 1, describeQuorum.key: 2},
		{metadata.key: 12, describeCluster.key: 0, describeQuorum.key: 0},
		{metadata.key: 12, describeCluster.key: 0, describeQuorum.key: 1},
	} {
		v, all, addresses := three(t)
		v.highest = highest
		v.brokers[1].fenced = true
		v.partitions[0].isr, v.partitions[1].isr = []int{0, 2}, []int{2}
		v.partitions[1].leader = 2
		for _, s := range all {
			s.show(v, nil)
		}
		want := complete(addresses)
		want.Brokers[1] = scheduler.BrokerFacts{ID: 1, Fenced: true, Hosted: 2, NotInSync: 2}
		want.Brokers[2].Leads = 1
		check(t, open(t, patient).Ask(t.Context(), addresses), want)
	}
}

func TestNobodyAnswers(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().String()
	listener.Close()
	var log bytes.Buffer
	a := New(Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for range 3 {
		got := a.Ask(t.Context(), []string{closed, "nonsense"})
		want := closed + ": connect: connection refused; nonsense: " +
			"address nonsense: missing port in address"
		if got.Error != want || got.Leader != -1 || got.Asked.IsZero() {
			t.Errorf("%+v, want the error %q", got, want)
		}
	}
	if lines := strings.Count(log.String(), "\n"); lines != 2 {
		t.Errorf("three asks wrote %d lines, want one for each broker:\n%s", lines, &log)
	}
	if got := a.Ask(t.Context(), nil); got.Error != "there is no address to ask" {
		t.Errorf("%+v", got)
	}
	a.Close()
	a.Close()
	got := a.Ask(t.Context(), []string{closed})
	if got.Error != "the connections to Kafka are closed" {
		t.Errorf("%+v", got)
	}
}

// Close and the end of the context both end an ask that would wait for long.
func TestInterrupt(t *testing.T) {
	silent := func(net.Conn, int16, []byte) bool { return true }
	for _, name := range []string{"close", "cancel"} {
		t.Run(name, func(t *testing.T) {
			v, all, addresses := three(t)
			reached := make(chan bool, 3)
			for _, s := range all {
				s.show(v, func(c net.Conn, key int16, b []byte) bool {
					reached <- true
					return silent(c, key, b)
				})
			}
			a := open(t, time.Hour)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan scheduler.KafkaFacts)
			go func() { done <- a.Ask(ctx, addresses) }()
			<-reached
			waiting := make(chan scheduler.KafkaFacts)
			go func() { waiting <- a.Ask(ctx, addresses) }()
			if name == "close" {
				a.Close()
			} else {
				cancel()
			}
			for _, facts := range []scheduler.KafkaFacts{<-done, <-waiting} {
				if facts.Error == "" || facts.ClusterID != "" {
					t.Errorf("%+v", facts)
				}
			}
		})
	}
}

// Addresses that are no longer named lose their connection.
func TestAddressesChange(t *testing.T) {
	_, all, addresses := three(t)
	a := open(t, patient)
	a.Ask(t.Context(), addresses)
	a.Ask(t.Context(), addresses[:1])
	all[1].mu.Lock()
	conn := all[1].conns[0]
	all[1].mu.Unlock()
	_ = conn.SetReadDeadline(time.Now().Add(patient))
	if _, err := conn.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("the connection to a forgotten address is open: %v", err)
	}
	if conns, _ := all[0].count(metadata.key); conns != 1 {
		t.Errorf("%d connections to the address that stayed", conns)
	}
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout() && err != io.EOF
}
