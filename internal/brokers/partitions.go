package brokers

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
)

// What is asked of each partition, for the verdict on whether a broker may go down: see package
// rolling. Nothing of it is kept between two asks.

// minISR is the name of the property that says how many replicas have to be in sync.
const minISR = "min.insync.replicas"

// listMoves asks which partitions are being reassigned.
var listMoves = question{"ListPartitionReassignments", 46, 0, 0, func(v int16) kmsg.Request {
	r := kmsg.NewPtrListPartitionReassignmentsRequest()
	r.Version, r.Topics = v, nil
	return r
}}

// describeMinimums asks what some topics demand.
func describeMinimums(topics []string) question {
	return question{"DescribeConfigs", 32, 4, 4, func(v int16) kmsg.Request {
		r := kmsg.NewPtrDescribeConfigsRequest()
		r.Version = v
		for _, topic := range topics {
			of := kmsg.NewDescribeConfigsRequestResource()
			of.ResourceType, of.ResourceName = kmsg.ConfigResourceTypeTopic, topic
			of.ConfigNames = []string{minISR}
			r.Resources = append(r.Resources, of)
		}
		return r
	}}
}

// Bounds of what is sent ahead of its answers: all of it fits into the buffers of a connection,
// so that neither side ever waits for the other.
const (
	topicsAtOnce   = 100
	requestsAtOnce = 4
)

// whole is what one broker told of each partition.
type whole struct {
	version  int16
	metadata []byte         // the response, which is read again when it is known who is believed
	minimums map[string]int // by topic; those that nobody told are not there
	moving   []moving
	// unmoved says that nobody told of reassignments: with ZooKeeper the controller alone does.
	unmoved bool
}

// moving is a partition that is being reassigned.
type moving struct {
	topic string
	id    int
}

// complete asks for what Metadata does not tell. With ZooKeeper the broker that is the controller
// tells of reassignments; in a cluster that migrates, others pass the question on to where it is
// not answered.
func (p *peer) complete(a *answer) error {
	w := a.whole
	if p.versions[listMoves.key] < listMoves.min || p.versions[32] < 4 {
		return errors.New("the broker is too old to tell of reassignments and minimums")
	}
	if a.quorum.zooKeeper && !p.elected {
		w.unmoved = true
	} else if err := p.question(listMoves, w.readMoves); err != nil {
		return err
	}
	topics, err := w.topics()
	if err != nil {
		return err
	}
	w.minimums = make(map[string]int, len(topics))
	return p.readMinimums(topics, w)
}

// ownMoves is for what a controller tells of reassignments, all that it does of partitions.
func (a *answer) ownMoves() *whole {
	a.moves = &whole{}
	return a.moves
}

// topics are the names of the topics that have partitions.
func (w *whole) topics() ([]string, error) {
	var names []string
	err := eachPartition(w.version, w.metadata, func(p told) {
		if n := len(names); n == 0 || names[n-1] != string(p.topic) {
			names = append(names, string(p.topic))
		}
	})
	return names, err
}

// readMinimums asks for the minimums of topics, a few requests ahead of the answers.
func (p *peer) readMinimums(topics []string, w *whole) error {
	ahead, first := 0, p.correlation+1
	for len(topics) > 0 || ahead > 0 {
		if n := min(topicsAtOnce, len(topics)); n > 0 && ahead < requestsAtOnce {
			if err := p.send(describeMinimums(topics[:n]), 4); err != nil {
				return err
			}
			topics = topics[n:]
			ahead++
			continue
		}
		body, err := p.receive(describeMinimums(nil), first)
		if err != nil {
			return err
		}
		if err := w.takeMinimums(body); err != nil {
			return err
		}
		ahead, first = ahead-1, first+1
	}
	return nil
}

// takeMinimums takes in a response to DescribeConfigs. A topic that Kafka refuses to describe is
// left out.
func (w *whole) takeMinimums(body []byte) error {
	r := reader{left: body}
	r.int32() // throttle time
	r.each(func() {
		failure := r.int16()
		r.bytes() // error message
		r.int8()  // resource type
		topic := r.string()
		r.each(func() {
			name, value := string(r.bytes()), r.string()
			r.bool() // read-only
			r.int8() // source
			r.bool() // sensitive
			r.each(func() {
				r.bytes() // name
				r.bytes() // value
				r.int8()  // source
				r.tags()
			})
			r.int8()  // type
			r.bytes() // documentation
			r.tags()
			if n, err := strconv.Atoi(value); err == nil && name == minISR && failure == 0 {
				w.minimums[topic] = n
			}
		})
		r.tags()
	})
	r.tags()
	return r.done()
}

// readMoves takes in which partitions are being reassigned.
func (w *whole) readMoves(_ int16, body []byte) error {
	r := reader{left: body}
	r.int32() // throttle time
	number := r.int16()
	w.unmoved = number == notController
	failure := code(number)
	r.bytes() // error message
	r.each(func() {
		topic := r.string()
		r.each(func() {
			w.moving = append(w.moving, moving{topic, r.int32()})
			r.ids() // replicas
			r.ids() // adding
			r.ids() // removing
			r.tags()
		})
		r.tags()
	})
	r.tags()
	if err := r.done(); err != nil {
		return err
	}
	if w.unmoved {
		return nil
	}
	return failure
}

// notController is the error code of a broker that ZooKeeper did not elect.
const notController = 41

// most is how many brokers tell of all partitions: one more than have to agree.
const most = 3

// timely is how far behind the controllers' leader a broker may be that is believed if others
// are up to date; it is what rolling.Policy takes for granted.
const timely = 2 * time.Second

// partitions joins what brokers told of each partition with all that is known of the nodes.
func partitions(asked time.Time, answers []*answer) *rolling.Facts {
	latest := latestQuorum(answers)
	f := &joined{Builder: rolling.NewBuilder(asked), ids: identities(answers),
		answered: map[int]time.Time{}, quorum: latest, fenced: map[int]bool{}}
	for _, a := range answers {
		if id, known := f.ids[a.address]; known {
			f.answered[id] = a.at
		}
	}
	believed := f.believed(answers)
	told := func(a *answer) bool { return !a.whole.unmoved }
	moves := takenOver(answers, latest)
	if !slices.ContainsFunc(believed, told) && moves == nil {
		f.quorum.leader = noQuorum.leader // who would know it is not there
	}
	f.nodes(answers)
	for _, a := range believed {
		f.take(a)
	}
	if moves != nil {
		f.takeMoves(moves)
	}
	return f.Facts()
}

// latestQuorum is the latest that nodes tell of the quorum. Brokers that hear of a controller from
// ZooKeeper do so one after the other; those that name the one of the others are up to date.
func latestQuorum(answers []*answer) quorum {
	latest := noQuorum
	for _, a := range answers {
		if a.quorum.epoch > latest.epoch {
			latest = a.quorum
		}
	}
	if !latest.zooKeeper {
		return latest.withZooKeeper(answers)
	}
	latest.trails = map[int]time.Duration{}
	for _, a := range answers {
		if a.quorum.zooKeeper && a.quorum.leader != latest.leader {
			latest.leader, latest.trails = noQuorum.leader, nil
			return latest
		}
		if id := a.self(); a.quorum.zooKeeper && id >= 0 {
			latest.trails[id] = 0
		}
	}
	return latest
}

// withZooKeeper adds, in a cluster that migrates, the brokers whose metadata is in ZooKeeper. As
// long as they agree on the one that ZooKeeper elected, they are up to date. Once the
// controllers have
// taken over, brokers name any as the controller; all of them follow the quorum's log then, which
// tells how far behind they are.
func (q quorum) withZooKeeper(answers []*answer) quorum {
	elected := noQuorum.leader
	for i, a := range answers {
		switch {
		case !a.quorum.zooKeeper:
		case elected < 0 && !slices.ContainsFunc(answers[:i], onZooKeeper):
			elected = a.elected
		case a.elected != elected:
			return q
		}
	}
	if elected < 0 {
		return q
	}
	q.trails = maps.Clone(q.trails)
	if q.trails == nil {
		q.trails = map[int]time.Duration{}
	}
	for _, a := range answers {
		if id := a.self(); a.quorum.zooKeeper && id >= 0 {
			q.trails[id] = 0
		}
	}
	return q
}

func onZooKeeper(a *answer) bool { return a.quorum.zooKeeper }

// takenOver are the reassignments that the controllers of a cluster that migrates tell of, nil if
// it is not sure that they are in charge: that is so if no broker that ZooKeeper elected tells of
// them, and all brokers that have their metadata from there follow the quorum's log.
func takenOver(answers []*answer, latest quorum) *whole {
	var moves *whole
	for _, a := range answers {
		if a.moves != nil {
			moves = a.moves
		}
		if _, follows := latest.trails[a.self()]; a.quorum.zooKeeper && !follows ||
			a.whole != nil && !a.whole.unmoved {
			return nil
		}
	}
	return moves
}

// identities are the ids of nodes by their addresses, as any answer has them.
func identities(answers []*answer) map[string]int {
	ids := map[string]int{}
	for _, a := range answers {
		for _, b := range a.brokers {
			ids[b.address] = b.id
		}
		for _, b := range a.controllers {
			ids[b.address] = b.id
		}
	}
	return ids
}

// joined is facts that are being put together.
type joined struct {
	*rolling.Builder
	ids      map[string]int
	answered map[int]time.Time
	quorum   quorum
	fenced   map[int]bool
}

// nodes takes in the brokers and the controllers.
func (f *joined) nodes(answers []*answer) {
	for _, b := range registered(ofBrokers(answers), f.quorum.leader) {
		f.fenced[b.id] = b.fenced
		f.Broker(rolling.Broker{ID: rolling.NodeID(b.id), Rack: b.rack, Registered: true,
			Fenced: b.fenced, Answered: f.answered[b.id], Behind: f.trails(b.id)})
	}
	q := rolling.Quorum{Leader: rolling.NodeID(f.quorum.leader), Elected: f.quorum.zooKeeper}
	for _, id := range f.quorum.voters {
		v := rolling.Voter{ID: rolling.NodeID(id), Answered: f.answered[id], Behind: -1}
		if behind, told := f.quorum.behind[id]; told {
			v.Behind = behind
		}
		q.Voters = append(q.Voters, v)
	}
	f.Quorum(q)
}

// trails is how far behind a broker is, negative when nobody told.
func (f *joined) trails(id int) time.Duration {
	if behind, told := f.quorum.trails[id]; told {
		return behind
	}
	return -1
}

// believed are the answers that count: of brokers that serve and are up to date, or of whoever
// answered if there are not two such.
func (f *joined) believed(answers []*answer) []*answer {
	var good, others []*answer
	for _, a := range answers {
		if a.whole == nil {
			continue
		}
		id, known := f.ids[a.address]
		behind := f.trails(id)
		elected := f.quorum.zooKeeper && id == f.quorum.leader ||
			!f.quorum.zooKeeper && a.quorum.zooKeeper && !a.whole.unmoved && behind == 0
		if known && elected {
			good = slices.Insert(good, 0, a) // it alone tells of reassignments
		} else if known && !f.fenced[id] && behind >= 0 && behind <= timely {
			good = append(good, a)
		} else {
			others = append(others, a)
		}
	}
	if len(good) < 2 {
		good = append(good, others...)
	}
	return good[:min(most, len(good))]
}

// take takes in what one broker told. The response was read to its end before.
func (f *joined) take(a *answer) {
	id, known := f.ids[a.address]
	if !known {
		return // whoever it is, it cannot confirm anything
	}
	f.Answer(rolling.NodeID(id))
	topic, name := int32(-1), ""
	var replicas, isr []rolling.NodeID
	_ = eachPartition(a.whole.version, a.whole.metadata, func(p told) {
		if topic < 0 || string(p.topic) != name {
			name = string(p.topic)
			topic = f.Topic(name, a.whole.minimums[name])
		}
		replicas, isr = nodes(replicas[:0], p.replicas), nodes(isr[:0], p.isr)
		leader := rolling.None
		if p.leader >= 0 {
			leader = rolling.NodeID(p.leader)
		}
		f.Partition(topic, int32(p.id), leader, replicas, isr)
	})
	f.takeMoves(a.whole)
}

// takeMoves takes in what is being reassigned.
func (f *joined) takeMoves(w *whole) {
	for _, m := range w.moving {
		f.Moving(m.topic, int32(m.id))
	}
}

// nodes appends node ids to a list.
func nodes(list []rolling.NodeID, of ids) []rolling.NodeID {
	for i := range of.len() {
		list = append(list, rolling.NodeID(of.at(i)))
	}
	return list
}
