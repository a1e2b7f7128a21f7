package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/balance"
	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
	"github.com/kafka-sched/kafka-sched/scheduler/upgrade"
)

// kafka is the model of what the brokers' processes make of their volumes.
type kafka struct {
	w        *world
	volumes  map[mesos.PersistenceID]*volume
	nodes    []*node // those that are up
	clusters []*cluster
	// snapshots are what was true when facts were given that may still be told.
	snapshots map[*rolling.Facts]*snapshot
	// came are the launches whose nodes were in their cluster, and in sync.
	came map[mesos.TaskID]bool
	zoo  *zooKeeper
}

// volume is the data of one node.
type volume struct {
	id        mesos.PersistenceID
	formatted bool
	cluster   *cluster // that it has joined
	destroyed bool
}

// cluster is one quorum with all that ever joined it.
type cluster struct {
	id      string
	founder *volume
	voters  map[int]*volume
	members map[*volume]bool
	brokers map[int]*registration
	// partitions are what the brokers host.
	partitions []*partition
	// moving are those on their way to other replicas, by their indexes.
	moving map[int]balance.Move
	// topics are those that a spec may declare, and byHand has the brokers that somebody
	// configured.
	topics map[string]*topic
	byHand map[int]bool
	// features are the finalized levels, cordoned the brokers that take no new replicas.
	features map[string]int
	cordoned map[int]bool
	// zoo is what is in ZooKeeper, nil if it never had its metadata there.
	zoo *registry
}

func newCluster(id string, founder *volume) *cluster {
	return &cluster{id: id, founder: founder, voters: map[int]*volume{},
		members: map[*volume]bool{}, brokers: map[int]*registration{},
		moving: map[int]balance.Move{}, topics: map[string]*topic{}, byHand: map[int]bool{},
		cordoned: map[int]bool{}}
}

// registration is a broker that the controllers know.
type registration struct {
	address  string
	node     *node
	unfenced time.Time // from when on it serves
	fenced   time.Time // from when on it no longer does, zero while its process runs
	synced   time.Time // from when on it is in the ISR of what it hosts
}

// node is one running Kafka process.
type node struct {
	t           *task
	id          int
	volume      *volume   // of the metadata
	others      []*volume // of further log directories
	cluster     string    // the id to format with
	format      string
	dirs        []string
	controllers []string
	client      string
	controller  string
	serves      bool // it is a broker
	controls    bool // it is a controller
	up, ended   bool
	release     release
	connect     string // where ZooKeeper is
	elects      bool   // it is a broker whose metadata is there
	migrates    bool   // it takes part in a migration from there
}

func newKafka(w *world) *kafka {
	return &kafka{w: w, volumes: map[mesos.PersistenceID]*volume{},
		came: map[mesos.TaskID]bool{},
		zoo:  &zooKeeper{w: w, synced: map[*volume]bool{}}}
}

// volume is the volume of an id.
func (k *kafka) volume(id mesos.PersistenceID) *volume {
	if k.volumes[id] == nil {
		k.volumes[id] = &volume{id: id}
	}
	return k.volumes[id]
}

// isOnce reports whether a task runs to its end by itself.
func isOnce(info mesos.TaskInfo) bool {
	switch info.Name[strings.LastIndexByte(info.Name, '-')+1:] {
	case "once", "init", "backup", "format":
		return true
	}
	return false
}

// begin starts a Kafka process if the task's order is for one.
func (k *kafka) begin(t *task) {
	order := k.w.order(t.info)
	if isIdle(order) {
		return
	}
	n := &node{t: t, release: k.w.releaseOf(t.info)}
	for _, e := range order.Env {
		switch e.Name {
		case "KAFKA_CLUSTER_ID":
			n.cluster = e.Value
		case "KAFKA_SCHED_FORMAT":
			n.format = e.Value
		case "KAFKA_SCHED_CONTROLLERS":
			n.controllers = strings.Split(e.Value, ",")
		case "KAFKA_LOG_DIRS":
			n.dirs = strings.Split(e.Value, ",")
		}
	}
	n.configure(k.w, order)
	if n.cluster == "" && !n.elects {
		k.zoo.begin(t, order)
		return
	}
	for _, p := range order.Ports {
		address := fmt.Sprintf("%s:%d", t.a.hostname, p.Number)
		if p.Name == "broker" {
			n.client = address
		} else {
			n.controller = address
		}
	}
	for _, r := range t.resources.Volumes() {
		disk := r.DiskInfo()
		id := mesos.PersistenceID(disk.PersistenceID)
		switch slices.Index(n.dirs, disk.ContainerPath+"/logs") {
		case -1:
		case 0:
			n.volume = k.volume(id)
		default:
			n.others = append(n.others, k.volume(id))
		}
	}
	if n.volume == nil || len(n.others) != len(n.dirs)-1 {
		k.w.fail("orders", "%s has not the volumes of %v", t.info.ID, n.dirs)
		return
	}
	t.node = n
	wait := time.Duration(0)
	if !n.volume.formatted {
		wait = k.w.between(200*time.Millisecond, 2*time.Second)
	}
	k.w.after(wait, func() { k.boot(n) })
}

// configure takes in what a node's properties say of it.
func (n *node) configure(w *world, order executor.Order) {
	for _, f := range order.Files {
		for line := range strings.Lines(f.Text) {
			switch key, value, _ := strings.Cut(strings.TrimSpace(line), "="); key {
			case "process.roles":
				n.serves = strings.Contains(value, "broker")
				n.controls = strings.Contains(value, "controller")
			case "broker.id":
				n.serves, n.elects = true, true
				n.id, _ = strconv.Atoi(value)
			case "zookeeper.connect":
				n.connect = value
			case "zookeeper.metadata.migration.enable":
				n.migrates = value == "true"
			case "node.id":
				n.id, _ = strconv.Atoi(value)
			case "log.dirs":
				if n.cluster == "" { // nothing is formatted
					n.dirs = strings.Split(value, ",")
				}
				if value != strings.Join(n.dirs, ",") {
					w.fail("orders", "%s formats %v and logs to %s", n.t.info.ID, n.dirs, value)
				}
			}
		}
	}
}

// boot formats the volume, if nobody did, and comes up.
func (k *kafka) boot(n *node) {
	if n.ended {
		return
	}
	if !n.volume.formatted && !n.elects {
		k.w.checkFormat(n)
		k.w.tell("volume %s of node %d is formatted %s", n.volume.id, n.id, n.format)
		if n.format == "--standalone" {
			k.establish(n)
		}
	}
	n.volume.formatted = true
	for _, v := range n.others {
		v.formatted = true
	}
	k.w.after(k.w.between(300*time.Millisecond, 3*time.Second), func() {
		if k.starts(n) {
			n.up = true
			for _, x := range k.nodes {
				if x.id == n.id && x.t.info.Name != n.t.info.Name {
					k.w.fail("ids", "%s and %s are both node %d", x.t.info.Name,
						n.t.info.Name, n.id)
				}
			}
			k.nodes = append(k.nodes, n)
			k.join(n)
			k.w.after(registrationLong, func() { k.despair(n) })
		}
	})
}

// registrationLong is how long a broker tries to register before it ends by itself
// (initial.broker.registration.timeout.ms).
const registrationLong = time.Minute

// despair ends a broker that has not come into its cluster: the controllers that it was launched
// with may all have moved. A controller tries for ever.
func (k *kafka) despair(n *node) {
	c := n.volume.cluster
	registered := c != nil && c.brokers[n.id] != nil && c.brokers[n.id].node == n
	if n.serves && !n.elects && !registered && !n.ended && !n.t.killing {
		n.t.end(mesos.Failed, "it could not register with the controllers")
	}
}

// establish has a node found a quorum, and the cluster, unless that is in ZooKeeper already.
func (k *kafka) establish(n *node) {
	c := k.migrated(n)
	if c == nil {
		c = newCluster(n.cluster, n.volume)
		k.clusters = append(k.clusters, c)
	}
	c.founder, c.features = n.volume, n.release.features()
	clear(c.voters)
	c.voters[n.id], c.members[n.volume] = n.volume, true
	n.volume.cluster = c
}

// end is the end of a process.
func (k *kafka) end(n *node) {
	n.ended = true
	k.nodes = slices.DeleteFunc(k.nodes, func(x *node) bool { return x == n })
	if c := n.volume.cluster; c != nil {
		if b := c.brokers[n.id]; b != nil && b.node == n {
			b.fenced = k.w.now.Add(k.w.between(100*time.Millisecond, 9*time.Second))
			k.w.at(b.fenced, func() { k.settle(c) })
		}
	}
}

// join lets a node find its cluster, become a voter, and register; again and again until it can.
func (k *kafka) join(n *node) {
	if n.ended {
		return
	}
	c := n.volume.cluster
	if c == nil {
		c = k.discover(n)
	}
	if c == nil || !k.admits(n, c) {
		k.w.after(k.w.between(300*time.Millisecond, time.Second), func() { k.join(n) })
		return
	}
	if n.volume.cluster == nil {
		if !k.fits(n, c) {
			return
		}
		k.w.tell("node %d joins the cluster of %s", n.id, c.founder.id)
	}
	n.volume.cluster = c
	c.members[n.volume] = true
	if n.controls && k.joinsItself() {
		c.voters[n.id] = n.volume
	}
	if !n.serves {
		k.came[n.t.info.ID] = true
		return
	}
	now := k.w.now
	b := &registration{address: n.client, node: n,
		unfenced: now.Add(k.w.between(0, time.Second)),
		synced:   now.Add(k.w.between(time.Second, 4*time.Second))}
	c.brokers[n.id] = b
	c.grow(n.id)
	k.settle(c) // the one before is fenced by this
	k.w.at(b.unfenced, func() {
		k.settle(c)
		if _, behind := c.hosts(n.id); behind == 0 && c.brokers[n.id] == b && !n.ended {
			k.came[n.t.info.ID] = true // it was the last in sync, and has nothing to catch up with
		}
	})
	k.w.at(b.synced, func() {
		k.settle(c)
		k.came[n.t.info.ID] = k.came[n.t.info.ID] || !n.ended
	})
}

// discover finds a cluster with a quorum behind the addresses that a node was launched with.
func (k *kafka) discover(n *node) *cluster {
	if n.elects {
		return k.registered(n)
	}
	for _, address := range n.controllers {
		for _, x := range k.nodes {
			if x.controller == address && x.volume.cluster != nil && k.quorum(x.volume.cluster) {
				return x.volume.cluster
			}
		}
	}
	return nil
}

// quorum reports whether a majority of the voters runs.
func (k *kafka) quorum(c *cluster) bool {
	running := 0
	for _, n := range k.nodes {
		if c.voters[n.id] == n.volume {
			running++
		}
	}
	return running > len(c.voters)/2
}

// detained reports whether a process cannot end in order: a broker that leaves wants the consent
// of the controllers.
func (k *kafka) detained(n *node) bool {
	return n != nil && n.up && n.serves && !n.elects && n.volume.cluster != nil &&
		!k.quorum(n.volume.cluster)
}

// joinsItself reports whether controllers become voters by themselves.
func (k *kafka) joinsItself() bool {
	return !k.w.scenario.older && k.w.scenario.shape.metadata == native
}

// ask answers the questions of the scheduler: soon and truly, or not.
func (k *kafka) ask(p *process, call scheduler.AskKafka) {
	w, asked, life := k.w, k.w.now, p.life
	level := w.scenario.asked
	wait := w.between(2*time.Millisecond, 30*time.Millisecond)
	early := false
	switch {
	case w.chance(0.02 * level):
		return
	case w.chance(0.03 * level):
		wait, early = w.between(0, 40*time.Second), w.flip(0.5)
	case w.chance(0.05 * level):
		w.after(wait, func() {
			k.tell(p, life, scheduler.KafkaFacts{Asked: asked, Error: "broken pipe", Leader: -1})
		})
		return
	}
	var facts scheduler.KafkaFacts
	if early {
		facts = k.facts(asked, call)
	}
	w.after(wait, func() {
		if !early {
			facts = k.facts(asked, call)
		}
		k.tell(p, life, facts)
	})
}

func (k *kafka) tell(p *process, life int, f scheduler.KafkaFacts) {
	if p.life == life {
		p.step(scheduler.FromKafka{Facts: f})
	}
}

// facts is what the brokers at the addresses say now, and the controllers that are none.
func (k *kafka) facts(asked time.Time, call scheduler.AskKafka) scheduler.KafkaFacts {
	addresses := call.Addresses
	f := scheduler.KafkaFacts{Asked: asked, Leader: -1}
	var c *cluster
	brokers := false
	for _, address := range addresses {
		for _, n := range k.nodes {
			broker := n.serves && n.client == address
			if (broker || !n.serves && n.controller == address) && n.volume.cluster != nil {
				c, brokers = n.volume.cluster, brokers || broker
			}
		}
	}
	switch {
	case c == nil:
		f.Error = "connection refused"
		return f
	case c.zoo != nil:
		if k.mixedFacts(c, addresses, &f) {
			k.brokerFacts(c, call, brokers, &f)
		}
		return f
	case brokers && !k.quorum(c):
		f.Error = "no leader of the quorum"
		return f
	case !k.quorum(c):
		f.ClusterID = c.id
		return f
	}
	f.ClusterID = c.id
	for id, v := range c.voters {
		f.Voters = append(f.Voters, id)
		if !v.destroyed {
			f.Present = append(f.Present, id)
		}
		if !v.destroyed && f.Leader < 0 {
			f.Leader = 0
		}
	}
	for _, n := range k.nodes {
		if !n.serves && c.voters[n.id] == n.volume {
			k.came[n.t.info.ID] = true // there is a leader, and it hears of those that run
		}
	}
	slices.Sort(f.Voters)
	slices.Sort(f.Present)
	f.JoinsItself, f.Replicas = k.joinsItself(), k.replicas(c)
	k.brokerFacts(c, call, brokers, &f)
	return f
}

// brokerFacts is what is told of brokers, if any of them answers, and what they host.
func (k *kafka) brokerFacts(
	c *cluster, call scheduler.AskKafka, brokers bool, f *scheduler.KafkaFacts,
) {
	for id, b := range c.brokers {
		if !brokers || !k.listed(c, id) {
			continue
		}
		f.Brokers = append(f.Brokers, scheduler.BrokerFacts{ID: id, Address: b.address,
			Fenced: !k.serves(c, id), Cordoned: c.cordoned[id]})
	}
	f.Cordons = c.features[upgrade.Metadata] >= cordoning
	k.settle(c)
	k.partitionFacts(c, f)
	if call.All {
		f.Rolling = k.whole(c, f.Asked, k.answering(call.Addresses))
		f.Features = k.featureFacts(c, call.Addresses)
		k.snap(c, f.Asked, f.Rolling)
	}
	f.MostReplicas, f.MostReplicated = c.mostReplicas()
	slices.SortFunc(f.Brokers, func(x, y scheduler.BrokerFacts) int { return x.ID - y.ID })
}
