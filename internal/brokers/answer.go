package brokers

import (
	"encoding/base64"
	"fmt"
	"net"
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

// controllerEndpoint is Kafka's number for the listeners of controllers.
const controllerEndpoint = 2

// answer is what one broker said, or one controller, which knows of the quorum alone.
type answer struct {
	address    string
	controller bool
	clusterID  string
	brokers    []broker
	// tellsFenced is whether brokers contains fenced ones too.
	tellsFenced bool
	hosts       map[int]*hosting
	offline     int
	quorum      quorum
	// elected is the controller as a broker tells it: with ZooKeeper the broker that is it, in
	// KRaft any broker.
	elected int
	// joinsItself is whether the node's controller becomes a voter by itself.
	joinsItself bool
}

type broker struct {
	id      int
	address string
	fenced  bool
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

// readVersions returns the highest version of each key that both sides know. Controllers do not
// know Metadata at all, which is what tells them from brokers.
func readVersions(body []byte, wanted ...question) (map[int16]int16, error) {
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
		for _, q := range wanted {
			if q.key == key && lowest <= q.max && highest >= q.min {
				common[key] = min(highest, q.max)
			}
		}
	})
	r.int32() // throttle time
	r.tags()
	if err := r.done(); err != nil {
		return nil, err
	}
	for _, q := range wanted {
		optional := q.key == addVoter.key || q.key == metadata.key && controller ||
			q.key == describeQuorum.key && !kraft // the metadata is in ZooKeeper
		if _, ok := common[q.key]; !ok && !optional {
			return nil, fmt.Errorf("the broker knows no version of %s between %d and %d",
				q.name, q.min, q.max)
		}
	}
	return common, nil
}

// readMetadata counts what every broker hosts.
func (a *answer) readMetadata(version int16, body []byte) error {
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
	a.hosts = make(map[int]*hosting)
	r.each(func() {
		r.int16()  // error code
		r.bytes()  // name
		r.take(16) // id
		r.bool()   // internal
		r.each(func() { a.readPartition(&r) })
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

func (a *answer) readPartition(r *reader) {
	r.int16() // error code: the leader tells the same
	r.int32() // index
	leader := r.int32()
	r.int32() // leader epoch
	replicas, inSync := r.ids(), r.ids()
	r.ids() // offline replicas
	r.tags()
	if r.bad {
		return
	}
	for i := range replicas.len() {
		h := a.on(replicas.at(i))
		h.hosted++
		if !inSync.contains(replicas.at(i)) {
			h.notInSync++
		}
	}
	if leader < 0 {
		a.offline++
		return
	}
	a.on(leader).leads++
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
		r.bytes() // rack
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
	a.controller, a.brokers = true, nil
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
			var voters, others []replica
			r.each(func() { voters = append(voters, readReplica(&r, version)) })
			r.each(func() { others = append(others, readReplica(&r, version)) })
			q.take(voters)
			if version >= 2 {
				q.takeReplicas(voters, others)
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

// replica is one copy of the quorum's log; fetched is when it last was, in milliseconds by the
// leader's clock, 0 when the answer does not tell.
type replica struct {
	id        int
	directory []byte // in the response
	end       int64
	fetched   int64
}

func readReplica(r *reader, version int16) replica {
	v := replica{id: r.int32()}
	if version >= 2 {
		v.directory = r.take(len(uuid{}))
	}
	v.end = r.int64()
	if version >= 1 {
		v.fetched = r.int64()
		r.take(8) // time of the last fetch that caught up
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
