package scheduler

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/kafka-sched/kafka-sched/scheduler/balance"
)

// replicasOf reads copies of the quorum's log: "id:directory" and any of ":votes", ":silent" and
// ":behind".
func replicasOf(numbers func([]string) []int, vals []string) []QuorumReplica {
	var list []QuorumReplica
	for _, val := range vals {
		words := strings.Split(val, ":")
		list = append(list, QuorumReplica{ID: numbers(words[:1])[0], Directory: words[1],
			Votes:   slices.Contains(words, "votes"),
			Present: !slices.Contains(words, "silent"),
			Caught:  !slices.Contains(words, "behind")})
	}
	return list
}

// changed says what became of the change of Kafka that was asked for last: it was made, or was not
// for the reason that is given.
func (s *story) changed(d *datadriven.TestData) string {
	if s.change == nil {
		return "no change was asked for\n"
	}
	return s.step(KafkaChanged{Change: s.change, Error: strings.TrimSpace(d.Input)})
}

// moves answers the latest question for moves: with "next" and lines of "topic partition
// before->after bytes", the states of a batch, how many replicas cannot leave, how many partitions
// somebody else moves, or an error.
func (s *story) moves(d *datadriven.TestData) string {
	moves := Moves{Asked: s.now.Add(time.Millisecond / 2)}
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "states":
			for _, state := range a.Vals {
				moves.States = append(moves.States, MoveState(state))
			}
		case "left":
			moves.LeftCount = 1
			moves.Left = []balance.Left{{Topic: "events", Partition: 7, Broker: 2,
				Reason: "no broker has room for it"}}
		case "foreign":
			moves.Foreign = 3
		case "error":
			moves.Error = "no answer in time"
		}
	}
	for _, line := range strings.Fields(d.Input) {
		words := strings.Split(line, ":")
		move := balance.Move{Topic: words[0], Before: brokerIDs(s.t, words[1]),
			After: brokerIDs(s.t, words[2]), Bytes: 1 << 20}
		if len(words) > 4 { // from one directory to another
			move.From, move.To = words[3], words[4]
		}
		moves.Next = append(moves.Next, move)
		moves.Count++
		moves.Bytes += 1 << 20
	}
	return s.step(FromMoves{Wish: s.wish, Moves: moves})
}

func brokerIDs(t *testing.T, text string) []balance.BrokerID {
	var ids []balance.BrokerID
	for _, word := range strings.Split(text, ",") {
		id, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, balance.BrokerID(id))
	}
	return ids
}

// rebalance reads "rebalance even|fill|empty|cancel [brokers=...] [throttle=...]".
func (s *story) rebalance(d *datadriven.TestData) Command {
	if d.CmdArgs[1].Key == "cancel" {
		return RebalanceCancel{}
	}
	c := Rebalance{Goal: balance.Goal(d.CmdArgs[1].Key)}
	for _, a := range d.CmdArgs[2:] {
		for _, val := range a.Vals {
			n, err := strconv.Atoi(val)
			if err != nil {
				s.t.Fatal(err)
			}
			if a.Key == "brokers" {
				c.Brokers = append(c.Brokers, n)
			} else {
				c.Throttle = int64(n)
			}
		}
	}
	return c
}

// podMove reads "move POD [to=HOST] [force] [cancel]".
func (s *story) podMove(d *datadriven.TestData) Command {
	c := PodMove{Pod: d.CmdArgs[1].Key}
	for _, a := range d.CmdArgs[2:] {
		switch a.Key {
		case "to":
			c.To = a.Vals[0]
		case "force":
			c.Force = true
		case "cancel":
			c.Cancel = true
		default:
			s.t.Fatalf("a move has no %s", a.Key)
		}
	}
	return c
}
