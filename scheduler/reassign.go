package scheduler

import (
	"fmt"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler/balance"
)

// What Kafka says of where its data lies, and what is to be moved because of it. There is much of
// it in a large cluster, so it is asked for only when something is to be moved, and only what
// follows from it comes to the machine.

// TopicPartition names a partition.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// FailedDir is a log directory that a broker cannot use any more.
type FailedDir struct {
	Broker       int
	Path, Reason string
}

// Layout is what lies where in a Kafka cluster.
type Layout struct {
	// Asked is when the question was put, Error why there is no answer.
	Asked time.Time
	Error string
	// Cluster has all partitions, or those of the topics that were asked for, without sizes then.
	Cluster balance.Cluster
	// Moving are the partitions that are being reassigned, Between the replicas that are on their
	// way from one log directory of their broker to another.
	Moving  []TopicPartition
	Between []ReplicaOn
	Failed  []FailedDir
}

// ReplicaOn is the replica of a partition on a broker.
type ReplicaOn struct {
	TopicPartition
	Broker balance.BrokerID
}

// MoveWish is what replicas are to be moved for.
type MoveWish struct {
	Name string // tells it from others
	Goal balance.Goal
	// Brokers are those that are to be filled, or emptied.
	Brokers []int
	// Gone are those that take nothing, because they are to leave too.
	Gone []int
	// Factors are how many replicas the partitions of topics are to have, if that is the goal.
	Factors map[string]int
	// Batch is what was begun already: then the question is only how far that is.
	Batch []balance.Move
}

// Topics are those that it is enough to ask for: those of the batch, each once. None stands for
// all, with their directories, which is what moves inside brokers need.
func (w MoveWish) Topics() []string {
	if w.Goal == balance.InDirs {
		return nil
	}
	return topicsOf(w.Batch)
}

// String gives a wish in a line.
func (w MoveWish) String() string {
	if len(w.Batch) > 0 {
		return fmt.Sprintf("%s: state of %s", w.Name, movesText(w.Batch))
	}
	text := fmt.Sprintf("%s: %s %v", w.Name, w.Goal, w.Brokers)
	if len(w.Factors) > 0 {
		text = fmt.Sprintf("%s: %s%s", w.Name, w.Goal, factorsText(w.Factors))
	}
	if len(w.Gone) > 0 {
		text += fmt.Sprintf(" without %v", w.Gone)
	}
	return text
}

// topicsOf are the topics of moves, each once.
func topicsOf(moves []balance.Move) []string {
	var list []string
	for _, m := range moves {
		list = append(list, m.Topic)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// MoveState is how far one move is.
type MoveState string

// The states of moves.
const (
	MoveIdle MoveState = "idle" // Kafka was not told of it, or does not do it
	MoveRuns MoveState = "runs"
	MoveDone MoveState = "done" // or there is nothing to move any more
)

// Moves is what follows from a layout for a wish.
type Moves struct {
	Asked time.Time
	Error string
	// States are those of the batch that was asked for, in its order.
	States []MoveState
	// Next is the first portion of what is to be moved; Count partitions and Bytes are all of it.
	Next  []balance.Move
	Count int
	Bytes int64
	// Left are the first replicas that have to leave and cannot; LeftCount is how many there are.
	Left      []balance.Left
	LeftCount int
	// Foreign is how many partitions somebody else moves.
	Foreign int
}

// String gives moves in a line.
func (m Moves) String() string {
	switch {
	case m.Error != "":
		return fmt.Sprintf("error %q", m.Error)
	case len(m.States) > 0:
		return fmt.Sprint(m.States)
	}
	return fmt.Sprintf("%d of %d bytes, %d left, %d foreign: %s", m.Count, m.Bytes, m.LeftCount,
		m.Foreign, movesText(m.Next))
}

// Portions of moves: what may be on its way at a time.
var portion = balance.Limits{PerBroker: 5, Total: 500, Leaders: 500}

// leftMost is how many replicas that cannot leave are named.
const leftMost = 10

// Weigh says what follows from a layout for a wish. It is no part of Step, because in a large
// cluster it takes seconds: the loop calls it between the answer of Kafka and the event.
func Weigh(l Layout, wish MoveWish) Moves {
	moves := Moves{Asked: l.Asked, Error: l.Error}
	if l.Error != "" {
		return moves
	}
	if len(wish.Batch) > 0 {
		moves.States = l.states(wish.Batch)
		return moves
	}
	plan := PlanMoves(l, wish)
	moves.Count, moves.Bytes, moves.Foreign = len(plan.Moves), plan.Bytes, len(l.Moving)
	moves.LeftCount = len(plan.Left)
	moves.Left = plan.Left[:min(leftMost, len(plan.Left))]
	if batches := balance.Batches(plan.Moves, portion); len(batches) > 0 {
		moves.Next = batches[0]
	}
	return moves
}

// PlanMoves plans all that has to be moved for a wish.
func PlanMoves(l Layout, wish MoveWish) balance.Plan {
	if wish.Goal == balance.InDirs {
		return insideMoves(l, wish.Brokers)
	}
	c := l.Cluster
	c.Brokers = slices.Clone(c.Brokers)
	mark := func(ids []int, standing balance.Standing) {
		for _, id := range ids {
			i := slices.IndexFunc(c.Brokers,
				func(b balance.Broker) bool { return b.ID == balance.BrokerID(id) })
			switch {
			case i >= 0:
				c.Brokers[i].Standing = standing
			case standing != balance.Added: // it is dead, and what it has is on others
				c.Brokers = append(c.Brokers,
					balance.Broker{ID: balance.BrokerID(id), Standing: standing})
			}
		}
	}
	mark(wish.Gone, balance.Down)
	switch wish.Goal {
	case balance.Fill:
		mark(wish.Brokers, balance.Added)
	case balance.Empty:
		mark(wish.Brokers, balance.Leaving)
	case balance.Factors:
		return factorMoves(&c, wish.Factors)
	}
	return balance.Make(&c, wish.Goal, balance.Options{})
}

// states says how far moves are: done where the replicas are those that were wanted, or where the
// partition is no more.
func (l Layout) states(batch []balance.Move) []MoveState {
	at := make(map[TopicPartition]*balance.Partition, len(l.Cluster.Partitions))
	for i := range l.Cluster.Partitions {
		p := &l.Cluster.Partitions[i]
		at[TopicPartition{p.Topic, p.ID}] = p
	}
	moving := make(map[TopicPartition]bool, len(l.Moving))
	for _, key := range l.Moving {
		moving[key] = true
	}
	states := make([]MoveState, len(batch))
	for i, m := range batch {
		key := TopicPartition{m.Topic, m.Partition}
		p := at[key]
		switch {
		case m.Inside():
			states[i] = l.insideState(m, p)
		case moving[key]:
			states[i] = MoveRuns
		case p == nil || slices.EqualFunc(p.Replicas, m.After,
			func(r balance.Replica, id balance.BrokerID) bool { return r.Broker == id }):
			states[i] = MoveDone
		default:
			states[i] = MoveIdle
		}
	}
	return states
}

// The changes of what lies where.
type (
	// StartMoves reassigns partitions. Name tells it from others. Throttle, unless it is 0, is
	// how many bytes a second each broker may copy for it.
	StartMoves struct {
		Name     string
		Moves    []balance.Move
		Throttle int64
	}
	// CancelMoves takes reassignments back that are not done.
	CancelMoves struct {
		Name  string
		Moves []balance.Move
	}
	// Unthrottle removes the throttles of copies, with those of the topics.
	Unthrottle struct {
		Name   string
		Topics []string
	}
)

func (StartMoves) kafkaChange()  {}
func (CancelMoves) kafkaChange() {}
func (Unthrottle) kafkaChange()  {}

// String implements fmt.Stringer.
func (c StartMoves) String() string {
	text := fmt.Sprintf("move partitions of %s: %s", c.Name, movesText(c.Moves))
	if c.Throttle > 0 {
		text += fmt.Sprintf(" throttled to %d", c.Throttle)
	}
	return text
}

// String implements fmt.Stringer.
func (c CancelMoves) String() string {
	return fmt.Sprintf("cancel moves of %s: %s", c.Name, movesText(c.Moves))
}

// String implements fmt.Stringer.
func (c Unthrottle) String() string {
	return fmt.Sprintf("unthrottle after %s: %s", c.Name, topicsText(c.Topics))
}

// inText is how many of a list a text names.
const inText = 5

// movesText names the first of some moves: "events-0 [0 1 2]->[1 2 3]".
func movesText(moves []balance.Move) string {
	text := ""
	for i, m := range moves {
		if i == inText {
			return text + fmt.Sprintf(" and %d more", len(moves)-inText)
		}
		if i > 0 {
			text += ", "
		}
		if m.Inside() {
			text += fmt.Sprintf("%s-%d on %d %s->%s", m.Topic, m.Partition, m.After[0], m.From,
				m.To)
			continue
		}
		text += fmt.Sprintf("%s-%d %v->%v", m.Topic, m.Partition, m.Before, m.After)
	}
	return text
}

func topicsText(topics []string) string {
	if len(topics) > inText {
		return fmt.Sprintf("%v and %d more", topics[:inText], len(topics)-inText)
	}
	return fmt.Sprint(topics)
}
