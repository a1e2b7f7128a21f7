package rolling

import (
	"slices"
	"time"
)

// NodeID is Kafka's id of a node, broker or controller. None is no node.
type NodeID int32

// None stands for no leader.
const None NodeID = -1

// Facts are what a Kafka cluster said of itself when it was asked last. They do not change once
// they are built; see Builder.
type Facts struct {
	// Asked is when the first question was put. Nothing in the facts is older, except what
	// a broker had not heard of itself.
	Asked time.Time
	// Answers are the brokers whose answers about partitions are in the facts.
	Answers []NodeID
	Brokers []Broker // by ascending id; also those that are only known as replicas
	Quorum  Quorum

	topics     []Topic
	partitions []Partition
	replicas   []Replica
	on         [][]int32 // partitions by index of the broker
	offline    []int32   // partitions that are offline
	index      map[NodeID]int32
}

// Broker is what is known of one broker.
type Broker struct {
	ID         NodeID
	Rack       string // "" when it is not known
	Registered bool
	Fenced     bool // the controllers do not hear from it, or it is not up yet
	// Answered is when it last answered a question of ours, zero for never.
	Answered time.Time
	// Behind is how far its metadata was behind the quorum leader's, as that one told: an
	// observer's last-caught-up time against the leader's. Negative when nobody told.
	Behind time.Duration
}

// Up reports whether the controllers count on the broker.
func (b *Broker) Up() bool { return b.Registered && !b.Fenced }

// Quorum is what the leader of the controllers said, by DescribeQuorum.
type Quorum struct {
	Leader NodeID // None when there is none, or nobody told
	Voters []Voter
	// Elected says that there are no voters, because ZooKeeper elects a broker to be Leader.
	Elected bool
}

// Voter is one controller that votes.
type Voter struct {
	ID NodeID
	// Behind is how long before the leader's last time its own last-caught-up time is, 0 for the
	// leader. Negative when it is not known.
	Behind time.Duration
	// Answered is when it last answered a question of ours, as broker or as controller: one that
	// died a moment ago looks caught up as well.
	Answered time.Time
}

// voter finds a voter.
func (q Quorum) voter(id NodeID) (Voter, bool) {
	for _, v := range q.Voters {
		if v.ID == id {
			return v, true
		}
	}
	return Voter{}, false
}

// Topic is what counts of a topic.
type Topic struct {
	Name string
	// MinISR is its min.insync.replicas as DescribeConfigs tells, 0 when nobody told.
	MinISR int
}

// Partition is one partition. Its replicas are in Facts, see Replicas.
type Partition struct {
	Topic    int32 // index of the topic
	ID       int32
	first    int32
	count    uint16
	disputed bool  // two answers differ in it
	offline  bool  // an answer says that it has no leader
	moving   bool  // it is being reassigned
	leader   int32 // index of the broker, -1 for none or when answers differ
}

// Replica is a broker that a partition is assigned to.
type Replica struct {
	Broker int32 // index of the broker
	InSync bool
}

// Cause names what a verdict rests on. Fields that do not apply are "" and None.
type Cause struct {
	Topic     string
	Partition int32 // -1 when the whole topic, or no topic, is meant
	Node      NodeID
	// Have and Need are replicas in sync, or voters caught up, and how many there have to be.
	Have, Need int
}

// Broker finds a broker.
func (f *Facts) Broker(id NodeID) (Broker, bool) {
	i, ok := f.index[id]
	if !ok {
		return Broker{ID: id, Behind: -1}, false
	}
	return f.Brokers[i], true
}

// Partitions is the number of partitions that the facts hold.
func (f *Facts) Partitions() int { return len(f.partitions) }

// UnderReplicated is how many of the partitions that a broker hosts lack a replica in their ISR.
func (f *Facts) UnderReplicated(id NodeID) int {
	n := 0
	for p := range f.hosted(id) {
		if f.inSyncWithout(p, nil) < len(f.replicasOf(p)) {
			n++
		}
	}
	return n
}

// Hosted is the number of partitions that a broker is a replica of, and InSync in how many of them
// it is in the ISR.
func (f *Facts) Hosted(id NodeID) (hosted, inSync int) {
	for p := range f.hosted(id) {
		hosted++
		if f.inSyncOn(p, id) {
			inSync++
		}
	}
	return hosted, inSync
}

// hosted goes through the partitions of a broker.
func (f *Facts) hosted(id NodeID) func(yield func(*Partition) bool) {
	return func(yield func(*Partition) bool) {
		i, ok := f.index[id]
		if !ok {
			return
		}
		for _, p := range f.on[i] {
			if !yield(&f.partitions[p]) {
				return
			}
		}
	}
}

// replicasOf are a partition's replicas, the preferred leader first.
func (f *Facts) replicasOf(p *Partition) []Replica {
	return f.replicas[p.first : p.first+int32(p.count)]
}

// inSyncOn reports whether a broker is in a partition's ISR.
func (f *Facts) inSyncOn(p *Partition, id NodeID) bool {
	for _, r := range f.replicasOf(p) {
		if f.Brokers[r.Broker].ID == id {
			return r.InSync
		}
	}
	return false
}

// inSyncWithout is the number of replicas in sync on brokers that are up and not among some.
func (f *Facts) inSyncWithout(p *Partition, gone []NodeID) int {
	n := 0
	for _, r := range f.replicasOf(p) {
		b := &f.Brokers[r.Broker]
		if r.InSync && b.Up() && !slices.Contains(gone, b.ID) {
			n++
		}
	}
	return n
}

// leaderOf is the leader of a partition, or None.
func (f *Facts) leaderOf(p *Partition) NodeID {
	if p.leader < 0 {
		return None
	}
	return f.Brokers[p.leader].ID
}

// minISR is what a partition's topic demands, 0 when it is not known.
func (f *Facts) minISR(p *Partition) int { return f.topics[p.Topic].MinISR }

// fragile reports whether a partition is under its minimum whenever one of its replicas is away.
func (f *Facts) fragile(p *Partition) bool {
	return f.minISR(p) > 0 && int(p.count) <= f.minISR(p)
}

// cause names a partition.
func (f *Facts) cause(p *Partition) Cause {
	return Cause{Topic: f.topics[p.Topic].Name, Partition: p.ID, Node: None}
}
