package scheduler

import (
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/kafka-sched/kafka-sched/scheduler/ensemble"
)

// zooKeeper reports the roles of servers: "zookeeper zk-0=follower zk-1=leader zk-2=silent".
func (s *story) zooKeeper(d *datadriven.TestData) string {
	f := ZooKeeperFacts{Asked: s.now.Add(time.Millisecond / 2)}
	for _, a := range d.CmdArgs {
		var name PodName
		for _, n := range s.machine.podNames() {
			if n.String() == a.Key {
				name = n
			}
		}
		spec, _ := s.machine.spec(name)
		p := s.machine.hard.Pods[name]
		if spec.ZooKeeper == nil || p.Place == nil {
			s.t.Fatalf("no server %s", a.Key)
		}
		said := ServerFacts{Address: clientAddress(p, spec), Role: ensemble.Role(a.Vals[0])}
		if a.Vals[0] == "silent" {
			said.Role, said.Error = ensemble.Silent, "connection refused"
		}
		f.Servers = append(f.Servers, said)
	}
	s.roles = &f
	return s.step(FromZooKeeper{f})
}

// sameRoles has the servers say the same again, when they are asked after a crash.
func (s *story) sameRoles() {
	if s.roles != nil {
		s.roles.Asked = s.now.Add(time.Millisecond / 2)
		s.step(FromZooKeeper{*s.roles})
	}
}
