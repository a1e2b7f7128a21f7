package zk

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/zktest"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/ensemble"
)

// An ensemble has one leader, and says who it is; without a majority nobody serves.
func TestRolesOfAnEnsemble(t *testing.T) {
	servers := zktest.StartEnsemble(t, 3)
	var addresses []string
	for _, s := range servers {
		addresses = append(addresses, s.Address)
	}
	count := func(f scheduler.ZooKeeperFacts) map[ensemble.Role]int {
		roles := map[ensemble.Role]int{}
		for i, s := range f.Servers {
			roles[s.Role]++
			if s.Address != addresses[i] || (s.Role == ensemble.Silent) != (s.Error != "") {
				t.Errorf("server %d: %+v", i, s)
			}
		}
		return roles
	}
	await := func(what string, holds func(map[ensemble.Role]int) bool) {
		t.Helper()
		deadline := time.Now().Add(30 * time.Second)
		for {
			roles := count(Roles{}.Ask(context.Background(), addresses, nil))
			if holds(roles) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %v", what, roles)
			}
		}
	}
	await("one leads", func(roles map[ensemble.Role]int) bool {
		return roles[ensemble.Leader] == 1 && roles[ensemble.Follower] == 2
	})
	servers[0].Stop()
	servers[1].Stop()
	await("the last one serves nobody", func(roles map[ensemble.Role]int) bool {
		return roles[ensemble.Idle] == 1 && roles[ensemble.Silent] == 2
	})
}

// A server that answers over TLS alone is asked so, whoever signed its certificate; one that is
// asked the other way is silent, with the reason.
func TestRolesOverTLS(t *testing.T) {
	id := zktest.NewIdentity(t)
	certificate, err := tls.LoadX509KeyPair(id.CertFile, id.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0",
		&tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		t.Fatal(err)
	}
	answering(t, listener, "Zookeeper version: 3.8.4\nMode: leader\n", false)
	plain := zktest.Start(t).Address
	secure := listener.Addr().String()
	addresses := []string{secure, plain}
	for _, c := range []struct {
		asked   string
		timeout time.Duration
		roles   []ensemble.Role
	}{
		{secure, time.Minute, []ensemble.Role{ensemble.Leader, ensemble.Alone}},
		{plain, 300 * time.Millisecond, []ensemble.Role{ensemble.Silent, ensemble.Silent}},
	} {
		facts := Roles{Timeout: c.timeout}.Ask(context.Background(), addresses, []string{c.asked})
		for i, s := range facts.Servers {
			if s.Role != c.roles[i] || (s.Role == ensemble.Silent) != (s.Error != "") {
				t.Errorf("%v, over TLS %s: server %d is %+v", addresses, c.asked, i, s)
			}
		}
	}
}

// answering has whoever connects, and says four letters, told something; one who hangs up after it
// does not hang.
func answering(t *testing.T, listener net.Listener, answer string, hang bool) {
	t.Helper()
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if _, err := conn.Read(make([]byte, 4)); err == nil {
				_, _ = conn.Write([]byte(answer))
			}
			if !hang {
				conn.Close()
			}
		}
	}()
}

// What is no ZooKeeper, refuses the word, hangs or is not there is silent, with the reason.
func TestRolesOfOthers(t *testing.T) {
	serve := func(answer string, hang bool) string {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		answering(t, listener, answer, hang)
		return listener.Addr().String()
	}
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	cases := []struct{ address, role, reason string }{
		{serve("Zookeeper version: 3.8.4\nMode: standalone\nNode count: 5\n", false), "standalone",
			""},
		{serve("This ZooKeeper instance is not currently serving requests\n", false), "idle", ""},
		{serve("srvr is not executed because it is not in the whitelist.\n", false), "",
			"no ZooKeeper that may be asked srvr"},
		{serve("Mode: observer\n", false), "", `a server of mode "observer"`},
		{serve("Mode: lea", true), "", "no answer in time"},
		{serve("", false), "", "no ZooKeeper"},
		{gone.Addr().String(), "", "connection refused"},
	}
	var addresses []string
	for _, c := range cases {
		addresses = append(addresses, c.address)
	}
	facts := Roles{Timeout: 300 * time.Millisecond}.Ask(context.Background(), addresses, nil)
	for i, c := range cases {
		s := facts.Servers[i]
		if string(s.Role) != c.role || !strings.Contains(s.Error, c.reason) ||
			(c.reason == "") != (s.Error == "") {
			t.Errorf("%d: %+v, not %s %s", i, s, c.role, c.reason)
		}
	}
}
