package rolling

import (
	"encoding/json"
	"fmt"
	"time"
)

// encoded are facts as they are written down. There may be many partitions, so what is known of
// them is in numbers, so many in a row for each.
type encoded struct {
	Asked      time.Time
	Answers    []NodeID
	Brokers    []Broker
	Quorum     Quorum
	Topics     []Topic
	Partitions []int32
	Replicas   []int32 // the broker's index, doubled, and one more if it is in sync
	On         [][]int32
	Offline    []int32
}

// columns is how many numbers there are of a partition.
const columns = 6

// The flags of a partition.
const (
	isDisputed = 1 << iota
	isOffline
	isMoving
)

// MarshalJSON writes all that is known.
func (f *Facts) MarshalJSON() ([]byte, error) {
	e := encoded{Asked: f.Asked, Answers: f.Answers, Brokers: f.Brokers, Quorum: f.Quorum,
		Topics: f.topics, On: f.on, Offline: f.offline}
	for i := range f.partitions {
		p := &f.partitions[i]
		flags := int32(0)
		for _, x := range []struct {
			flag int32
			set  bool
		}{{isDisputed, p.disputed}, {isOffline, p.offline}, {isMoving, p.moving}} {
			if x.set {
				flags |= x.flag
			}
		}
		e.Partitions = append(e.Partitions,
			p.Topic, p.ID, p.first, int32(p.count), flags, p.leader)
	}
	for _, r := range f.replicas {
		number := r.Broker * 2
		if r.InSync {
			number++
		}
		e.Replicas = append(e.Replicas, number)
	}
	return json.Marshal(e)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (f *Facts) UnmarshalJSON(data []byte) error {
	var e encoded
	if err := json.Unmarshal(data, &e); err != nil {
		return err
	}
	if len(e.Partitions)%columns != 0 || len(e.On) > len(e.Brokers) {
		return fmt.Errorf("facts with %d numbers of partitions, and of the partitions on %d of %d "+
			"brokers", len(e.Partitions), len(e.On), len(e.Brokers))
	}
	*f = Facts{Asked: e.Asked, Answers: e.Answers, Brokers: e.Brokers, Quorum: e.Quorum,
		topics: e.Topics, on: e.On, offline: e.Offline}
	for p := e.Partitions; len(p) > 0; p = p[columns:] {
		f.partitions = append(f.partitions, Partition{Topic: p[0], ID: p[1], first: p[2],
			count: uint16(p[3]), disputed: p[4]&isDisputed != 0, offline: p[4]&isOffline != 0,
			moving: p[4]&isMoving != 0, leader: p[5]})
	}
	for _, number := range e.Replicas {
		f.replicas = append(f.replicas, Replica{Broker: number / 2, InSync: number%2 == 1})
	}
	f.index = make(map[NodeID]int32, len(e.Brokers))
	for i := range e.Brokers {
		f.index[e.Brokers[i].ID] = int32(i)
	}
	return nil
}
