package sim

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/ensemble"
)

// zooKeeper is the model of the ZooKeeper servers of a service. Those of others never fail, and
// are not modelled.
type zooKeeper struct {
	w       *world
	servers []*server // those that are up
	leader  *server
	synced  map[*volume]bool // what has all that was ever written
}

// server is one running ZooKeeper process.
type server struct {
	t              *task
	id             int
	volume         *volume
	client, quorum string // addresses
	// listed are the addresses of all servers by their ids, none of one that is alone.
	listed    map[int]string
	up, ended bool
	// serves is from when on it has what the leader has, zero while it follows none.
	serves time.Time
}

// begin starts a ZooKeeper process if a task's order is for one.
func (z *zooKeeper) begin(t *task, order executor.Order) {
	s := &server{t: t, listed: map[int]string{}}
	for _, e := range order.Env {
		if e.Name == "ZOOKEEPER_ID" {
			s.id, _ = strconv.Atoi(e.Value)
		}
	}
	if s.id == 0 || isIdle(order) {
		return
	}
	for _, p := range order.Ports {
		address := fmt.Sprintf("%s:%d", t.a.hostname, p.Number)
		switch p.Name {
		case "client":
			s.client = address
		case "quorum":
			s.quorum = address
		}
	}
	for _, f := range order.Files {
		for line := range strings.Lines(f.Text) {
			text, is := strings.CutPrefix(strings.TrimSpace(line), "server.")
			name, at, _ := strings.Cut(text, "=")
			if id, err := strconv.Atoi(name); is && err == nil {
				s.listed[id] = at[:strings.LastIndexByte(at, ':')]
			}
		}
	}
	for _, r := range t.resources.Volumes() {
		s.volume = z.w.kafka.volume(mesos.PersistenceID(r.DiskInfo().PersistenceID))
	}
	t.server = s
	z.w.after(z.w.between(300*time.Millisecond, 3*time.Second), func() {
		if !s.ended {
			s.up = true
			z.servers = append(z.servers, s)
			z.settle()
		}
	})
}

// end is the end of a process.
func (z *zooKeeper) end(s *server) {
	s.ended = true
	z.servers = slices.DeleteFunc(z.servers, func(x *server) bool { return x == s })
	z.settle()
}

// with are the servers that a server can lead, itself among them, none if they are no majority. A
// leader lets in whoever has an id of its list, from wherever that comes; who follows it has to
// know where it is.
func (z *zooKeeper) with(s *server) []*server {
	var list []*server
	for _, x := range z.servers {
		if x == s || s.listed[x.id] != "" && x.listed[s.id] == s.quorum {
			list = append(list, x)
		}
	}
	if len(list) <= len(s.listed)/2 {
		return nil
	}
	return list
}

// settle finds out who leads and who follows.
func (z *zooKeeper) settle() {
	now := z.w.now
	if l := z.leader; l != nil && (l.ended || z.with(l) == nil) {
		z.leader = nil
	}
	if z.leader == nil {
		z.elect()
	}
	together := now.Add(z.w.between(200*time.Millisecond, 2*time.Second))
	if l := z.leader; l != nil && l.serves.After(now) {
		together = l.serves // a leader serves with a majority, or not at all
	}
	var led []*server
	if z.leader != nil {
		led = z.with(z.leader)
	}
	var others []*server
	for _, s := range z.servers {
		switch follows := slices.Contains(led, s); {
		case !follows:
			s.serves = time.Time{}
			others = append(others, s)
		case s.serves.IsZero():
			s.serves = together
			z.w.at(s.serves, func() {
				if !s.ended && !s.serves.IsZero() && !z.w.now.Before(s.serves) {
					z.synced[s.volume] = true
				}
			})
		}
	}
	for _, s := range others {
		own := slices.DeleteFunc(z.with(s), func(x *server) bool { return slices.Contains(led, x) })
		if len(led) > 0 && len(own) > len(s.listed)/2 {
			z.w.fail("ensemble", "servers %d and %d lead at the same time", z.leader.id, s.id)
		}
	}
}

// elect makes the one the leader that has all data, if there is a majority.
func (z *zooKeeper) elect() {
	candidates := slices.Clone(z.servers)
	rank := func(s *server) int {
		if z.synced[s.volume] {
			return 0
		}
		return 1
	}
	slices.SortFunc(candidates, func(a, b *server) int {
		return cmp.Or(rank(a)-rank(b), b.id-a.id)
	})
	for _, s := range candidates {
		if z.with(s) == nil {
			continue
		}
		if !z.synced[s.volume] && len(z.w.kafka.clusters) > 0 {
			z.w.fail("ensemble", "server %d leads, and has not what was written", s.id)
		}
		for _, x := range z.servers {
			x.serves = time.Time{}
		}
		z.leader = s
		return
	}
}

// working reports whether a server serves clients.
func (z *zooKeeper) working(s *server) bool {
	return s.up && !s.serves.IsZero() && !z.w.now.Before(s.serves) &&
		z.leader != nil && !z.leader.serves.IsZero() && !z.w.now.Before(z.leader.serves)
}

// reached reports whether one of the servers of a connection string serves.
func (z *zooKeeper) reached(connect string) bool {
	if z.w.scenario.shape.servers == 0 {
		return true
	}
	hosts, _, _ := strings.Cut(connect, "/")
	return slices.ContainsFunc(z.servers, func(s *server) bool {
		return slices.Contains(strings.Split(hosts, ","), s.client) && z.working(s)
	})
}

// role is what a server says of itself.
func (z *zooKeeper) role(s *server) ensemble.Role {
	switch {
	case !z.working(s):
		return ensemble.Idle
	case len(s.listed) == 0:
		return ensemble.Alone
	case s == z.leader:
		return ensemble.Leader
	}
	return ensemble.Follower
}

// ask answers what servers are: soon and truly, or not.
func (z *zooKeeper) ask(p *process, call scheduler.AskZooKeeper) {
	w, life := z.w, p.life
	facts := scheduler.ZooKeeperFacts{Asked: w.now}
	wait := w.between(2*time.Millisecond, 30*time.Millisecond)
	switch {
	case w.chance(0.02 * w.scenario.asked):
		return
	case w.chance(0.03 * w.scenario.asked):
		wait = w.between(0, 3*time.Second)
	}
	w.after(wait, func() {
		for _, address := range call.Addresses {
			at := scheduler.ServerFacts{Address: address, Error: "connection refused"}
			for _, s := range z.servers {
				if s.client == address {
					at.Role, at.Error = z.role(s), ""
				}
			}
			facts.Servers = append(facts.Servers, at)
		}
		if p.life == life {
			p.step(scheduler.FromZooKeeper{Facts: facts})
		}
	})
}
