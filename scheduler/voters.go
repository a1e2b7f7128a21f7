package scheduler

import (
	"slices"

	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Who votes in the quorum. From Kafka 4.2 on a controller that was started becomes a voter by
// itself, and takes the vote from its own earlier volume. Below, it only follows, and the machine
// does both: first the vote of a volume that is gone is removed, then the new one is added, one at
// a time, and only while a majority of the voters is there to agree.

// passVoters asks for the next change of the quorum that is due.
func (m *Machine) passVoters() {
	f := m.kafkaNow()
	if m.hard.Intent != Run || !m.hard.Kafka.Founded || f == nil || f.Leader < 0 ||
		f.Asked.Before(m.freshAfter) {
		return
	}
	change := m.lateVote(f)
	if change == nil && !f.JoinsItself {
		change = m.nextVote(f)
	}
	if change != nil {
		m.curious = true
		m.changeKafka(change)
	}
}

// lateVote is the removal of a vote whose volume is gone, of a controller that leaves, nil for
// none. Its turn to be forgotten may come behind that of another one, which the quorum cannot do
// without as long as such a vote counts.
func (m *Machine) lateVote(f *KafkaFacts) KafkaChange {
	for _, name := range m.podNames() {
		spec, wanted := m.spec(name)
		if wanted || spec.Kafka == nil || !spec.Kafka.Controls() {
			continue
		}
		p, id := m.hard.Pods[name], nodeID(name, spec)
		if (p.Place != nil || p.launched()) && !f.follows(id) {
			continue // its vote may be that of what is there
		}
		for _, r := range f.Replicas {
			if r.ID == id && r.Votes && !r.Present && f.majorityWithout(id) {
				return RemoveVoter{Node: id, Directory: r.Directory}
			}
		}
	}
	return nil
}

// nextVote is the change of the quorum that is due, nil for none.
func (m *Machine) nextVote(f *KafkaFacts) KafkaChange {
	for p, spec := range m.kafkaPods {
		if !spec.Kafka.Controls() || p.Request != "" {
			continue
		}
		if change := f.nextVoteOf(p, spec); change != nil {
			return change
		}
	}
	return nil
}

// nextVoteOf is what the quorum lacks of one controller, nil for nothing. It counts as what runs
// what the leader hears of and does not let vote.
func (f *KafkaFacts) nextVoteOf(p Pod, spec servicespec.Pod) KafkaChange {
	id := nodeID(p.Name, spec)
	follower := f.follower(id)
	if follower < 0 {
		return nil
	}
	for _, r := range f.Replicas {
		if r.ID != id || !r.Votes {
			continue
		}
		if r.Present || !f.majorityWithout(id) {
			return nil
		}
		return RemoveVoter{Node: id, Directory: r.Directory}
	}
	if !f.Replicas[follower].Caught || !f.majorityWithout(id) {
		return nil
	}
	port := portOf(taskPlace(*p.Place, spec, spec.Kafka.Task), spec.Kafka.ControllerPort)
	return AddVoter{Node: id, Directory: f.Replicas[follower].Directory,
		Host: p.Place.Hostname, Port: port}
}

// follower finds what runs of a node and does not vote, -1 for nothing.
func (f *KafkaFacts) follower(id int) int {
	return slices.IndexFunc(f.Replicas, func(r QuorumReplica) bool {
		return r.ID == id && !r.Votes && r.Present
	})
}

// follows reports whether what runs of a controller does not vote, although its earlier volume may.
func (f *KafkaFacts) follows(id int) bool { return f.follower(id) >= 0 }

// fading are the controllers for which a process votes that was replaced, and what replaced it
// only follows: it runs on an agent that is away, and is ended as soon as that one is back.
func (f *KafkaFacts) fading() (ids []rolling.NodeID) {
	if f == nil {
		return nil
	}
	for _, r := range f.Replicas {
		if r.Votes && r.Present && f.follows(r.ID) {
			ids = append(ids, rolling.NodeID(r.ID))
		}
	}
	return ids
}

// majorityWithout reports whether the voters that the leader hears of are a majority of all
// without one node.
func (f *KafkaFacts) majorityWithout(id int) bool {
	present := 0
	for _, voter := range f.Present {
		if voter != id {
			present++
		}
	}
	return present > len(f.Voters)/2
}
