package sim

import (
	"maps"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/migrate"
	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
)

// What a cluster of Kafka 3.9 keeps in ZooKeeper, and how its controllers take that over. Brokers
// of it have their metadata from ZooKeeper, where one of them is elected the controller, or from
// the quorum of the controllers; in the middle of a migration it has both.

// registry is what a cluster keeps in ZooKeeper.
type registry struct {
	migrate.Nodes
	copied time.Time // when the controllers are to have all metadata
}

// registered gives the cluster that a broker finds in ZooKeeper, which the first one founds.
func (k *kafka) registered(n *node) *cluster {
	if !k.zoo.reached(n.connect) {
		return nil
	}
	if len(k.clusters) == 0 {
		c := newCluster("cluster-in-zookeeper", &volume{})
		c.zoo = &registry{Nodes: migrate.Nodes{Controller: -1, Offset: -1}}
		k.clusters = append(k.clusters, c)
		k.tend(c)
	}
	return k.clusters[0]
}

// migrated is the cluster that a founder of a quorum finds in ZooKeeper, nil for none.
func (k *kafka) migrated(n *node) *cluster {
	for _, c := range k.clusters {
		if c.zoo != nil && c.id == n.cluster {
			return c
		}
	}
	return nil
}

// admits reports whether whoever has the metadata of a node's cluster lets it in.
func (k *kafka) admits(n *node, c *cluster) bool {
	switch {
	case !n.elects:
		return k.quorum(c)
	case !k.zoo.reached(n.connect):
		return false
	}
	return !c.zoo.KRaft || n.migrates && k.quorum(c)
}

// governed reports whether somebody decides about the metadata of a cluster.
func (k *kafka) governed(c *cluster) bool {
	if c.zoo == nil || c.zoo.KRaft {
		return k.quorum(c)
	}
	return c.zoo.Controller >= 0
}

// tend does from time to time what the processes of a cluster do in ZooKeeper.
func (k *kafka) tend(c *cluster) {
	k.w.after(k.w.between(300*time.Millisecond, time.Second), func() { k.tend(c) })
	k.elect(c)
	if l := k.leads(c); l != nil && l.migrates && k.zoo.reached(l.connect) {
		k.drive(c, l)
	}
}

// elect makes one of the brokers the controller whose metadata is in ZooKeeper.
func (k *kafka) elect(c *cluster) {
	if c.zoo.KRaft {
		return
	}
	if b := c.brokers[c.zoo.Controller]; b != nil && k.inSession(c, c.zoo.Controller) {
		return
	}
	c.zoo.Controller = -1
	var ids []int
	for _, id := range slices.Sorted(maps.Keys(c.brokers)) {
		if n := c.brokers[id].node; !n.ended && n.elects && k.zoo.reached(n.connect) {
			ids = append(ids, id)
		}
	}
	if len(ids) > 0 {
		c.zoo.Controller = ids[k.w.rng.IntN(len(ids))]
		k.w.tell("broker %d is the controller", c.zoo.Controller)
		k.checkElected(c)
	}
}

// inSession reports whether ZooKeeper counts on a broker.
func (k *kafka) inSession(c *cluster, id int) bool {
	b := c.brokers[id]
	return b.node.elects && (b.fenced.IsZero() || k.w.now.Before(b.fenced))
}

// leads is the controller that leads the quorum, nil when there is none.
func (k *kafka) leads(c *cluster) *node {
	if !k.quorum(c) {
		return nil
	}
	var leader *node
	for _, n := range k.nodes {
		if c.voters[n.id] == n.volume && (leader == nil || n.id > leader.id) {
			leader = n
		}
	}
	return leader
}

// drive is what the leading controller does for a migration.
func (k *kafka) drive(c *cluster, leader *node) {
	nodes := c.zoo
	switch {
	case !nodes.Migration:
		nodes.Migration, nodes.Offset = true, -1
	case !nodes.Copied() && !k.gathered(c):
	case !nodes.KRaft || nodes.Controller != leader.id:
		k.w.tell("controller %d takes over from %d", leader.id, nodes.Controller)
		nodes.Controller, nodes.KRaft = leader.id, true
		k.dropGone(c)
		nodes.copied = k.w.now.Add(k.w.between(200*time.Millisecond, 5*time.Second))
		k.checkTaken(c)
	case nodes.Copied():
		nodes.Offset++
	case !k.w.now.Before(nodes.copied):
		k.w.tell("the controllers have all metadata")
		nodes.Offset = 100
	}
}

// gathered reports whether all take part in the migration: the voters, and the brokers that are
// there or host something.
func (k *kafka) gathered(c *cluster) bool {
	for id, v := range c.voters {
		if !slices.ContainsFunc(k.nodes, func(n *node) bool {
			return n.id == id && n.volume == v && n.migrates
		}) {
			return false
		}
	}
	for id, b := range c.brokers {
		hosted, _ := c.hosts(id)
		gone := b.node.ended && !k.inSession(c, id)
		if !(gone && hosted == 0) && (b.node.ended || b.node.elects && !b.node.migrates) {
			return false
		}
	}
	return true
}

// dropGone forgets the brokers that ended before the controllers heard of them: in ZooKeeper they
// are not registered any more, and with the controllers they never were.
func (k *kafka) dropGone(c *cluster) {
	for id, b := range c.brokers {
		if hosted, _ := c.hosts(id); b.node.ended && !b.node.migrates && hosted == 0 {
			delete(c.brokers, id)
		}
	}
}

// askMigration answers what stands in ZooKeeper of a migration, or does not, and may forget it
// before.
func (k *kafka) askMigration(p *process, call scheduler.AskMigration) {
	w, life := k.w, p.life
	facts := scheduler.MigrationFacts{Asked: w.now}
	wait := w.between(2*time.Millisecond, 100*time.Millisecond)
	silent := w.chance(0.03 * w.scenario.asked)
	if w.chance(0.05 * w.scenario.asked) {
		wait = w.between(0, 10*time.Second)
	}
	fails := w.chance(0.05 * w.scenario.asked)
	w.after(wait, func() {
		if p.life != life {
			return // what it had begun to ask ended with it
		}
		if !k.zoo.reached(call.Connect) || fails || len(k.clusters) == 0 {
			facts.Error = "no server answers"
		} else {
			nodes := k.read(k.clusters[0], call.Forget)
			facts.Nodes = &nodes
		}
		if !silent {
			p.step(scheduler.FromMigration{Facts: facts})
		}
	})
}

// read gives what stands in ZooKeeper, without what keeps a broker from being the controller if
// that is to be forgotten.
func (k *kafka) read(c *cluster, forget bool) migrate.Nodes {
	if forget {
		k.forget(c)
	}
	return c.zoo.Nodes
}

func (k *kafka) forget(c *cluster) {
	k.checkForgotten(c)
	if c.zoo.KRaft {
		k.w.tell("the controller is forgotten")
		c.zoo.Controller, c.zoo.KRaft = -1, false
	}
	if c.zoo.Migration {
		k.w.tell("the migration is forgotten")
		c.zoo.Migration, c.zoo.Offset = false, -1
		clear(c.voters) // whoever comes next founds another quorum
	}
}

// mixedFacts is what nodes say of a cluster that has, or had, its metadata in ZooKeeper. It fills
// in the quorum, and says false if nothing more is told.
func (k *kafka) mixedFacts(c *cluster, addresses []string, f *scheduler.KafkaFacts) bool {
	elects, kraft, controllers := false, false, false
	for _, n := range k.nodes {
		switch {
		case n.volume.cluster != c:
		case n.serves && slices.Contains(addresses, n.client):
			elects, kraft = elects || n.elects, kraft || !n.elects
		case !n.serves && slices.Contains(addresses, n.controller):
			controllers = true
			f.Controllers = append(f.Controllers, n.id)
			if n.migrates {
				f.Migrating = append(f.Migrating, n.id)
			}
		}
	}
	slices.Sort(f.Controllers)
	slices.Sort(f.Migrating)
	leader := k.leads(c)
	switch {
	case leader != nil && (controllers || kraft):
		f.Leader, f.Voters = leader.id, slices.Sorted(maps.Keys(c.voters))
		for _, id := range f.Voters {
			if k.runs(id, c.voters[id]) {
				f.Present = append(f.Present, id)
			}
		}
		f.Replicas = k.replicas(c)
	case elects && !c.zoo.KRaft:
		f.Leader = c.zoo.Controller
	case kraft && !elects:
		f.Error = "no leader of the quorum"
	}
	f.ClusterID = c.id
	return f.Error == "" && (elects || kraft)
}

// listed reports whether a broker is among those that are told: in ZooKeeper one is that has a
// session, or is known as a replica.
func (k *kafka) listed(c *cluster, id int) bool {
	if c.zoo == nil || c.zoo.KRaft {
		return true
	}
	hosted, _ := c.hosts(id)
	return hosted > 0 || k.inSession(c, id)
}

// elected is the quorum of a cluster that has, or had, its metadata in ZooKeeper: without voters it
// is the broker that was elected. That one alone tells of reassignments; who does not hear from it
// does not know who leads.
func (k *kafka) elected(c *cluster, q rolling.Quorum, answer map[int]bool) rolling.Quorum {
	at := rolling.NodeID(c.zoo.Controller)
	tells := c.zoo.KRaft || at >= 0 && answer[int(at)]
	switch asked := k.leads(c) != nil; {
	case !asked && !c.zoo.KRaft:
		q = rolling.Quorum{Elected: true, Leader: at}
	case !asked:
		q.Leader = rolling.None
	}
	if !tells {
		q.Leader = rolling.None
	}
	return q
}

// controllerAmong finds the broker among some that ZooKeeper made the controller, -1 for none.
func (k *kafka) controllerAmong(c *cluster, ids []int) int {
	if c.zoo == nil || c.zoo.KRaft {
		return -1
	}
	return slices.Index(ids, c.zoo.Controller)
}
