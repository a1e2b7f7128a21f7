package brokers

import (
	"encoding/base64"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// question is one of the requests, the versions of it whose answers can be read, and its name in
// messages.
type question struct {
	name     string
	key      int16
	min, max int16
	request  func(version int16) kmsg.Request
}

// addVoter is never put as a question. That a node knows the second version of it tells that its
// controllers become voters by themselves (KIP-1186).
var addVoter = question{name: "AddRaftVoter", key: 80, max: joinsItself}

const joinsItself = 1

// The questions. Kafka 3.9 to 4.3 understand a version of each.
var (
	apiVersions = question{"ApiVersions", 18, 3, 3, func(v int16) kmsg.Request {
		r := kmsg.NewPtrApiVersionsRequest()
		r.Version, r.ClientSoftwareName, r.ClientSoftwareVersion = v, clientName, "1"
		return r
	}}
	metadata = question{"Metadata", 3, 12, 13, func(v int16) kmsg.Request {
		r := kmsg.NewPtrMetadataRequest()
		r.Version, r.Topics, r.AllowAutoTopicCreation = v, nil, false
		return r
	}}
	describeCluster = question{"DescribeCluster", 60, 0, 2, func(v int16) kmsg.Request {
		r := kmsg.NewPtrDescribeClusterRequest()
		r.Version, r.IncludeFencedBrokers = v, true
		return r
	}}
	// describeControllers is describeCluster for controllers' own listeners (KIP-919).
	describeControllers = question{"DescribeCluster", 60, 1, 2, func(v int16) kmsg.Request {
		r := kmsg.NewPtrDescribeClusterRequest()
		r.Version, r.EndpointType = v, controllerEndpoint
		return r
	}}
	describeQuorum = question{"DescribeQuorum", 55, 0, 2, func(v int16) kmsg.Request {
		partition := kmsg.NewDescribeQuorumRequestTopicPartition()
		topic := kmsg.NewDescribeQuorumRequestTopic()
		topic.Topic = "__cluster_metadata"
		topic.Partitions = []kmsg.DescribeQuorumRequestTopicPartition{partition}
		r := kmsg.NewPtrDescribeQuorumRequest()
		r.Version, r.Topics = v, []kmsg.DescribeQuorumRequestTopic{topic}
		return r
	}}
)

// versionsAgain is apiVersions for what it tells of features; those whose least level is 0 only its
// fourth version tells.
var versionsAgain = question{"ApiVersions", 18, 3, 4, func(v int16) kmsg.Request {
	r := kmsg.NewPtrApiVersionsRequest()
	r.Version, r.ClientSoftwareName, r.ClientSoftwareVersion = v, clientName, "1"
	return r
}}

// controllerEndpoint is Kafka's number for the listeners of controllers.
const controllerEndpoint = 2

// answer is what one broker said, or one controller, which knows of the quorum alone.
type answer struct {
	address    string
	controller bool
	// silent is whether it was asked for nothing but a sign of life.
	silent    bool
	clusterID string
	brokers   []broker
	// controllers are those that a controller tells of.
	controllers []broker
	// tellsFenced is whether brokers contains fenced ones too.
	tellsFenced bool
	hosts       map[int]*hosting
	offline     int
	// most is the largest number of replicas of a partition, mostOf a topic that has it.
	most   int
	mostOf string
	quorum quorum
	// elected is the controller as a broker tells it: with ZooKeeper the broker that is it, in
	// KRaft any broker.
	elected int
	// at is when the answer was there; whole is all that was told of the partitions, nil where
	// that was not asked for.
	at    time.Time
	whole *whole
	// moves are the reassignments that the leading controller of a cluster that migrates told of.
	moves *whole
	// features are those that the node can have, where that was asked for, and epoch says how new
	// what it knows of their levels is.
	features []scheduler.FeatureFacts
	epoch    int64
	// joinsItself is whether the node's controller becomes a voter by itself, migrates whether it
	// takes part in a migration from ZooKeeper.
	joinsItself, migrates bool
	// disks is what it said of its log directories, level that of metadata.version.
	disks disks
	level int16
}

type broker struct {
	id      int
	address string
	fenced  bool
	rack    string
}

// hosting is the numbers of partitions that a broker hosts, of those without it in their ISR, and
// of those that it leads.
type hosting struct{ hosted, notInSync, leads int }

// quorum is what the controllers said; its zero value is not a quorum, see noQuorum.
type quorum struct {
	leader, epoch int
	// zooKeeper says that there is none, and leader is the broker that ZooKeeper elected.
	zooKeeper bool
	voters    []int
	// present are the voters that fetched lately, as far as the answer tells.
	present []int
	// behind is how far each voter is behind the leader, as far as the answer tells, and trails
	// the same of all replicas of the log, brokers among them.
	behind, trails map[int]time.Duration
	// replicas are all copies of the log, none if the answer does not tell their directories.
	replicas []scheduler.QuorumReplica
}

// lately is how long ago a present voter may have fetched: Kafka's own time-out for fetches of
// the quorum (controller.quorum.fetch.timeout.ms). A healthy voter fetches twice a second.
const lately = 2 * time.Second

// noQuorum is the quorum of an answer whose controllers were silent.
var noQuorum = quorum{leader: -1, epoch: -1}

// on is the hosting of a broker.
func (a *answer) on(id int) *hosting {
	h := a.hosts[id]
	if h == nil {
		h = new(hosting)
		a.hosts[id] = h
	}
	return h
}

// notLeader is the error code of a controller that does not lead the quorum and so says nothing
// of it; a broker passes the question on to the one that does.
const notLeader = 6

// code is an error code of Kafka's as an error, nil for 0.
func code(c int16) error {
	if c == 0 {
		return nil
	}
	return fmt.Errorf("error code %d", c)
}

// migrates stands among the keys of requests, none of which is negative, for what a controller
// tells beside them: that it takes part in a migration from ZooKeeper. The tag is ApiVersions'.
const (
	migrates    = -1
	migratesTag = 3
)

// readVersions returns the highest version of each key that both sides know. Controllers do not
// know Metadata at all, which is what tells them from brokers.
func readVersions(body []byte, wanted, optional []question) (map[int16]int16, error) {
	r := reader{left: body}
	if err := code(r.int16()); err != nil {
		return nil, err
	}
	common := make(map[int16]int16)
	controller, kraft := true, false
	r.each(func() {
		key, lowest, highest := r.int16(), r.int16(), r.int16()
		r.tags()
		controller = controller && key != metadata.key
		kraft = kraft || key == describeQuorum.key
		for _, q := range slices.Concat(wanted, optional) {
			if q.key == key && lowest <= q.max && highest >= q.min {
				common[key] = min(highest, q.max)
			}
		}
	})
	r.int32() // throttle time
	if ready := r.tagged(migratesTag); len(ready) == 1 && ready[0] == 1 {
		common[migrates] = 1
	}
	if err := r.done(); err != nil {
		return nil, err
	}
	for _, q := range wanted {
		spared := q.key == metadata.key && controller ||
			q.key == describeQuorum.key && !kraft // the metadata is in ZooKeeper
		if _, ok := common[q.key]; !ok && !spared {
			return nil, fmt.Errorf("the broker knows no version of %s between %d and %d",
				q.name, q.min, q.max)
		}
	}
	return common, nil
}

// readMetadata counts what every broker hosts.
func (a *answer) readMetadata(version int16, body []byte) error {
	a.hosts = make(map[int]*hosting)
	return eachPartition(version, body, a.count)
}

// told is one partition as Metadata tells of it; its slices lie in the response.
type told struct {
	topic         []byte
	id, leader    int
	replicas, isr ids
}

// eachPartition goes through the partitions of a Metadata response, those of a topic together.
func eachPartition(version int16, body []byte, each func(told)) error {
	r := reader{left: body}
	r.int32() // throttle time
	r.each(func() {
		r.int32() // node id
		r.bytes() // host
		r.int32() // port
		r.bytes() // rack
		r.tags()
	})
	r.bytes() // cluster id: DescribeCluster tells it too
	r.int32() // controller id: in KRaft any broker
	r.each(func() {
		r.int16() // error code
		topic := r.bytes()
		r.take(16) // id
		r.bool()   // internal
		r.each(func() {
			if p := readPartition(&r); !r.bad {
				p.topic = topic
				each(p)
			}
		})
		r.int32() // authorized operations
		r.tags()
	})
	var failure error
	if version >= 13 {
		failure = code(r.int16())
	}
	r.tags()
	if err := r.done(); err != nil {
		return err
	}
	return failure
}

func readPartition(r *reader) told {
	r.int16() // error code: the leader tells the same
	p := told{id: r.int32()}
	p.leader = r.int32()
	r.int32() // leader epoch
	p.replicas, p.isr = r.ids(), r.ids()
	r.ids() // offline replicas
	r.tags()
	return p
}

// count takes a partition into the numbers of its brokers.
func (a *answer) count(p told) {
	if n := p.replicas.len(); n > a.most {
		a.most, a.mostOf = n, string(p.topic)
	}
	for i := range p.replicas.len() {
		h := a.on(p.replicas.at(i))
		h.hosted++
		if !p.isr.contains(p.replicas.at(i)) {
			h.notInSync++
		}
	}
	if p.leader < 0 {
		a.offline++
		return
	}
	a.on(p.leader).leads++
}

// readCluster takes in which brokers are registered.
func (a *answer) readCluster(version int16, body []byte) error {
	r := reader{left: body}
	r.int32() // throttle time
	failure := code(r.int16())
	r.bytes() // error message
	if version >= 1 {
		r.int8() // endpoint type
	}
	a.clusterID = r.string()
	a.elected = r.int32()
	a.tellsFenced = version >= 2
	a.brokers = nil
	r.each(func() {
		b := broker{id: r.int32()}
		host := r.string()
		b.address = net.JoinHostPort(host, strconv.Itoa(r.int32()))
		b.rack = r.string()
		b.fenced = version >= 2 && r.bool()
		r.tags()
		a.brokers = append(a.brokers, b)
	})
	r.int32() // authorized operations
	r.tags()
	if err := r.done(); err != nil {
		return err
	}
	return failure
}

// readControllers takes in which cluster a controller belongs to; all that it says beyond is of
// controllers.
func (a *answer) readControllers(version int16, body []byte) error {
	err := a.readCluster(version, body)
	a.controller, a.brokers, a.controllers = true, nil, a.brokers
	return err
}

// readQuorum takes in the leader and the voters.
func readQuorum(version int16, body []byte) (quorum, error) {
	r := reader{left: body}
	failure := code(r.int16())
	if version >= 2 {
		r.bytes() // error message
	}
	q, silent := noQuorum, false
	r.each(func() {
		r.bytes() // topic
		r.each(func() {
			r.int32() // partition
			switch problem := r.int16(); {
			case problem == notLeader:
				silent = true
			case failure == nil:
				failure = code(problem)
			}
			if version >= 2 {
				r.bytes() // error message
			}
			q.leader, q.epoch = r.int32(), r.int32()
			r.take(8) // high watermark
			var voters, observers []replica
			r.each(func() { voters = append(voters, readReplica(&r, version)) })
			r.each(func() { observers = append(observers, readReplica(&r, version)) })
			q.take(voters)
			if version >= 1 {
				q.compare(voters, observers)
			}
			if version >= 2 {
				q.takeReplicas(voters, observers)
			}
			r.tags()
		})
		r.tags()
	})
	if version >= 2 {
		r.each(func() { skipNode(&r) })
	}
	r.tags()
	if err := r.done(); err != nil {
		return noQuorum, err
	}
	if failure != nil || silent {
		return noQuorum, failure
	}
	return q, nil
}

// take notes the voters and, by the leader's clock, which of them are present.
func (q *quorum) take(voters []replica) {
	var now int64
	for _, v := range voters {
		q.voters = append(q.voters, v.id)
		if v.id == q.leader {
			now = v.fetched
		}
	}
	for _, v := range voters {
		if v.id == q.leader || v.fetched >= now-lately.Milliseconds() {
			q.present = append(q.present, v.id)
		}
	}
}

// compare notes how far each replica of the log is behind the leader.
func (q *quorum) compare(voters, observers []replica) {
	var now int64
	for _, v := range voters {
		if v.id == q.leader {
			now = v.whole
		}
	}
	q.behind, q.trails = map[int]time.Duration{}, map[int]time.Duration{}
	for i, v := range append(voters, observers...) {
		behind := time.Duration(max(0, now-v.whole)) * time.Millisecond
		if v.whole <= 0 || now <= 0 {
			continue
		}
		if i < len(voters) {
			q.behind[v.id] = behind
		}
		// A node that was replaced is there twice, and the latter tells of what runs.
		if other, known := q.trails[v.id]; !known || behind < other {
			q.trails[v.id] = behind
		}
	}
}

// nearly is how many records a copy of the quorum's log may lack that counts as caught up. An idle
// quorum writes two a second.
const nearly = 100

// takeReplicas notes all copies of the log, by the leader's clock and end.
func (q *quorum) takeReplicas(voters, others []replica) {
	var leader replica
	for _, v := range voters {
		if v.id == q.leader {
			leader = v
		}
	}
	add := func(r replica, votes bool) {
		if len(r.directory) == 0 || uuid(r.directory) == (uuid{}) {
			return // of a quorum that cannot change
		}
		q.replicas = append(q.replicas, scheduler.QuorumReplica{ID: r.id,
			Directory: base64.RawURLEncoding.EncodeToString(r.directory), Votes: votes,
			Present: r.id == q.leader && votes ||
				r.fetched >= leader.fetched-lately.Milliseconds(),
			Caught: r.end >= leader.end-nearly})
	}
	for _, v := range voters {
		add(v, true)
	}
	for _, o := range others {
		add(o, false)
	}
}

// uuid is an id as it lies in a response.
type uuid [16]byte

// replica is one copy of the quorum's log; fetched is when it last was, and whole when it last had
// all of it, in milliseconds by the leader's clock, 0 when the answer does not tell.
type replica struct {
	id             int
	directory      []byte // in the response
	end            int64
	fetched, whole int64
}

func readReplica(r *reader, version int16) replica {
	v := replica{id: r.int32()}
	if version >= 2 {
		v.directory = r.take(len(uuid{}))
	}
	v.end = r.int64()
	if version >= 1 {
		v.fetched, v.whole = r.int64(), r.int64()
	}
	r.tags()
	return v
}

// skipNode skips the listeners of a controller.
func skipNode(r *reader) {
	r.int32() // node id
	r.each(func() {
		r.bytes() // listener
		r.bytes() // host
		r.int16() // port
		r.tags()
	})
	r.tags()
}
