package brokers

import (
	"encoding/binary"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// view is what a scripted broker believes of its cluster.
type view struct {
	cluster    string
	brokers    []broker
	partitions []partition
	quorum     quorum
	// highest version of a request that the broker knows, if not that of kmsg; -1 for none.
	highest map[int16]int16
	// code of an error in the responses to a request.
	code map[int16]int16
	// controller is whether it is one, and no broker; follows is whether it does not lead.
	controller, follows bool
	// elected is the controller that a broker names.
	elected int
	// topics is how many there are with these partitions, 0 for one; minimum is what they demand,
	// and moves which partitions of the first one are being reassigned.
	topics, minimum int
	moves           []int
}

type partition struct {
	leader        int
	replicas, isr []int
}

// scripted is a broker on loopback that answers as its view says.
type scripted struct {
	t       *testing.T
	address string
	id      int

	mu    sync.Mutex
	view  view
	twist func(conn net.Conn, key int16, frame []byte) (sent bool)
	conns []net.Conn
	asked map[int16]int
}

// start starts a scripted broker, which ends with the test.
func start(t *testing.T, id int) *scripted {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &scripted{t: t, address: listener.Addr().String(), id: id, asked: map[int16]int{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, conn)
			s.mu.Unlock()
			all.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		s.hangUp()
		all.Wait()
	})
	return s
}

// show gives the broker a view, and how it departs from answering well.
func (s *scripted) show(v view, twist func(net.Conn, int16, []byte) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.view, s.twist = v, twist
}

// hangUp closes all connections.
func (s *scripted) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.conns {
		conn.Close()
	}
}

// count returns the numbers of connections so far and of requests of a key.
func (s *scripted) count(key int16) (conns, requests int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns), s.asked[key]
}

func (s *scripted) serve(conn net.Conn) {
	defer conn.Close()
	for {
		frame, err := readFrame(conn)
		if err != nil {
			return
		}
		key := int16(binary.BigEndian.Uint16(frame))
		version := int16(binary.BigEndian.Uint16(frame[2:]))
		s.mu.Lock()
		s.asked[key]++
		response := respond(s.view, key, version, frame)
		twist := s.twist
		s.mu.Unlock()
		if twist != nil && twist(conn, key, response) {
			continue
		}
		if _, err := conn.Write(response); err != nil {
			return
		}
	}
}

// frameOf returns a request without its length.
func frameOf(q question, version int16) []byte {
	format := kmsg.NewRequestFormatter(kmsg.FormatterClientID(clientName))
	return format.AppendRequest(nil, q.request(version), 0)[4:]
}

// respond returns the frame of a good response to a request.
func respond(v view, key, version int16, request []byte) []byte {
	var response kmsg.Response
	switch key {
	case apiVersions.key:
		response = v.apiVersions()
	case metadata.key:
		response = v.metadata()
	case describeCluster.key:
		response = v.describeCluster(version, request)
	case describeQuorum.key:
		response = v.describeQuorum()
	case listMoves.key:
		response = v.reassignments()
	case describeMinimums(nil).key:
		response = v.describeConfigs(request)
	}
	response.SetVersion(version)
	frame := append([]byte{0, 0, 0, 0}, request[4:8]...)
	if key != apiVersions.key {
		frame = append(frame, 0)
	}
	frame = response.AppendTo(frame)
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	return frame
}

func (v view) apiVersions() kmsg.Response {
	r := kmsg.NewPtrApiVersionsResponse()
	r.ErrorCode = v.code[apiVersions.key]
	for _, q := range []question{apiVersions, metadata, describeCluster, describeQuorum,
		describeMinimums(nil), listMoves} {
		k := kmsg.NewApiVersionsResponseApiKey()
		k.ApiKey, k.MaxVersion = q.key, q.request(0).MaxVersion()
		if highest, ok := v.highest[q.key]; ok {
			k.MaxVersion = highest
		}
		if v.controller && q.key == metadata.key {
			k.MaxVersion = -1
		}
		if k.MaxVersion >= 0 {
			r.ApiKeys = append(r.ApiKeys, k)
		}
	}
	return r
}

func (v view) metadata() kmsg.Response {
	r := kmsg.NewPtrMetadataResponse()
	r.ErrorCode = v.code[metadata.key]
	r.ClusterID = &v.cluster
	for _, b := range v.brokers {
		m := kmsg.NewMetadataResponseBroker()
		host, port, _ := net.SplitHostPort(b.address)
		number, _ := strconv.Atoi(port)
		m.NodeID, m.Host, m.Port = int32(b.id), host, int32(number)
		r.Brokers = append(r.Brokers, m)
	}
	for n := range max(1, v.topics) {
		r.Topics = append(r.Topics, v.topic(n))
	}
	return r
}

// topicName is "events", and so on for further ones.
func topicName(n int) string {
	if n == 0 {
		return "events"
	}
	return "events-" + strconv.Itoa(n)
}

func (v view) topic(n int) kmsg.MetadataResponseTopic {
	topic := kmsg.NewMetadataResponseTopic()
	topic.Topic = kmsg.StringPtr(topicName(n))
	for i, p := range v.partitions {
		m := kmsg.NewMetadataResponseTopicPartition()
		m.Partition, m.Leader = int32(i), int32(p.leader)
		for _, id := range p.replicas {
			m.Replicas = append(m.Replicas, int32(id))
		}
		for _, id := range p.isr {
			m.ISR = append(m.ISR, int32(id))
		}
		topic.Partitions = append(topic.Partitions, m)
	}
	return topic
}

// describeConfigs tells the minimum of each topic that is asked for.
func (v view) describeConfigs(request []byte) kmsg.Response {
	asked := kmsg.NewDescribeConfigsRequest()
	asked.Version = 4
	r := kmsg.NewPtrDescribeConfigsResponse()
	if err := asked.ReadFrom(request[headerSize(request):]); err != nil {
		return r
	}
	for _, resource := range asked.Resources {
		of := kmsg.NewDescribeConfigsResponseResource()
		of.ErrorCode = v.code[describeMinimums(nil).key]
		of.ResourceType, of.ResourceName = resource.ResourceType, resource.ResourceName
		config := kmsg.NewDescribeConfigsResponseResourceConfig()
		config.Name, config.Value = minISR, kmsg.StringPtr(strconv.Itoa(v.minimum))
		of.Configs = append(of.Configs, config)
		r.Resources = append(r.Resources, of)
	}
	return r
}

func (v view) reassignments() kmsg.Response {
	r := kmsg.NewPtrListPartitionReassignmentsResponse()
	topic := kmsg.NewListPartitionReassignmentsResponseTopic()
	topic.Topic = "events"
	for _, id := range v.moves {
		p := kmsg.NewListPartitionReassignmentsResponseTopicPartition()
		p.Partition = int32(id)
		topic.Partitions = append(topic.Partitions, p)
	}
	r.Topics = append(r.Topics, topic)
	return r
}

// headerSize is how long the header of a flexible request is, without tags.
func headerSize(request []byte) int {
	return 10 + int(binary.BigEndian.Uint16(request[8:])) + 1
}

func (v view) describeCluster(version int16, request []byte) kmsg.Response {
	r := kmsg.NewPtrDescribeClusterResponse()
	r.ErrorCode = v.code[describeCluster.key]
	r.ClusterID, r.ControllerID = v.cluster, int32(v.elected)
	asked := kmsg.NewDescribeClusterRequest()
	asked.Version = version
	if err := asked.ReadFrom(request[headerSize(request):]); err != nil ||
		version >= 1 && v.controller != (asked.EndpointType == controllerEndpoint) {
		r.ErrorCode = 114 // MISMATCHED_ENDPOINT_TYPE
	}
	fencedToo := true
	if highest, ok := v.highest[describeCluster.key]; ok {
		fencedToo = highest >= 2
	}
	for _, b := range v.brokers {
		if b.fenced && !fencedToo {
			continue
		}
		m := kmsg.NewDescribeClusterResponseBroker()
		host, port, _ := net.SplitHostPort(b.address)
		number, _ := strconv.Atoi(port)
		m.NodeID, m.Host, m.Port = int32(b.id), host, int32(number)
		m.IsFenced, m.Rack = b.fenced, kmsg.StringPtr("rack")
		r.Brokers = append(r.Brokers, m)
	}
	return r
}

func (v view) describeQuorum() kmsg.Response {
	p := kmsg.NewDescribeQuorumResponseTopicPartition()
	p.LeaderID, p.LeaderEpoch = int32(v.quorum.leader), int32(v.quorum.epoch)
	for _, id := range v.quorum.voters {
		replica := kmsg.NewDescribeQuorumResponseTopicPartitionReplicaState()
		replica.ReplicaID, replica.LastCaughtUpTimestamp = int32(id), 1_000_000
		p.CurrentVoters = append(p.CurrentVoters, replica)
		replica.ReplicaID += 100
		p.Observers = append(p.Observers, replica)
	}
	for _, b := range v.brokers {
		if !slices.Contains(v.quorum.voters, b.id) {
			replica := kmsg.NewDescribeQuorumResponseTopicPartitionReplicaState()
			replica.ReplicaID, replica.LastCaughtUpTimestamp = int32(b.id), 1_000_000
			p.Observers = append(p.Observers, replica)
		}
	}
	if v.follows {
		p = kmsg.NewDescribeQuorumResponseTopicPartition()
		p.ErrorCode, p.LeaderID = notLeader, int32(v.quorum.leader)
	}
	topic := kmsg.NewDescribeQuorumResponseTopic()
	topic.Topic = "__cluster_metadata"
	topic.Partitions = append(topic.Partitions, p)
	r := kmsg.NewPtrDescribeQuorumResponse()
	r.ErrorCode = v.code[describeQuorum.key]
	r.Topics = append(r.Topics, topic)
	node := kmsg.NewDescribeQuorumResponseNode()
	listener := kmsg.NewDescribeQuorumResponseNodeListener()
	listener.Name, listener.Host, listener.Port = "CONTROLLER", "localhost", 9093
	node.Listeners = append(node.Listeners, listener)
	r.Nodes = append(r.Nodes, node)
	return r
}
