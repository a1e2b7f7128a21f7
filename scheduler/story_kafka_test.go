package scheduler

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/kafka-sched/kafka-sched/scheduler/balance"
	"github.com/kafka-sched/kafka-sched/servicespec"
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

// changed says what became of the change of Kafka that was asked for last, or with "of=WORD" of the
// last that names this: it was made, or was not for the reason that is given.
func (s *story) changed(d *datadriven.TestData) string {
	if s.change == nil {
		return "no change was asked for\n"
	}
	change := s.change
	for _, a := range d.CmdArgs {
		for i := len(s.before) - 1; i > 0 && !strings.Contains(change.String(), a.Vals[0]); i-- {
			change = s.before[i]
		}
	}
	return s.step(KafkaChanged{Change: change, Error: strings.TrimSpace(d.Input)})
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

// configs answers the latest question for what is declared: with lines of "topic NAME missing",
// "topic NAME partitions=2,2 [moving] [name=value ...]", a number of replicas for each partition,
// "broker ID name=value[:source[:read-only]]" and "error". What is not named is as declared.
func (s *story) configs(d *datadriven.TestData) string {
	found := Configs{Asked: s.now.Add(time.Millisecond / 2), Brokers: map[int][]Property{},
		Topics: map[string]TopicFacts{}}
	for _, t := range s.asked.Wish.Topics {
		found.Topics[t.Name] = factsOf(t)
	}
	for _, b := range s.asked.Wish.Brokers {
		found.Brokers[b.ID] = nil
	}
	for _, line := range strings.Split(d.Input, "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case words[0] == "error":
			found.Error = "no answer in time"
		case words[0] == "topic" && words[2] == "missing":
			delete(found.Topics, words[1])
		case words[0] == "topic":
			found.Topics[words[1]] = s.topicFacts(words[2:])
		case words[0] == "broker":
			id := int(brokerIDs(s.t, words[1])[0])
			found.Brokers[id] = append(found.Brokers[id], propertyOf(words[2]))
		}
	}
	return s.step(FromConfigs{Target: s.asked.Target, Drift: Compare(found, s.asked.Wish)})
}

// declaredText says how the declared topics are.
func declaredText(v *View) string {
	text := ""
	for _, t := range v.Kafka.Declared {
		text += strings.TrimSuffix(fmt.Sprintf("%s %s: %s", t.Name, t.State, t.Reason), ": ") + "\n"
	}
	return text
}

// driftText says which properties of brokers are otherwise than they are to be.
func driftText(v *View) string {
	if v.Kafka.Drift == nil {
		return "not known\n"
	}
	text := ""
	for _, d := range v.Kafka.Drift.Brokers {
		text += fmt.Sprintf("broker %d %s %s\n", d.Broker, d.Name, d.text())
	}
	return text
}

// factsOf are those of a topic that is as declared.
func factsOf(t servicespec.Topic) TopicFacts {
	var facts TopicFacts
	for range max(1, t.Partitions) {
		facts.Replicas = append(facts.Replicas, max(1, t.Replication))
	}
	for name, value := range t.Config {
		facts.Properties = append(facts.Properties,
			Property{Name: name, Value: value, Source: topicSource})
	}
	return facts
}

func (s *story) topicFacts(words []string) TopicFacts {
	var facts TopicFacts
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "moving":
			facts.Moving = true
		case "partitions":
			for _, id := range brokerIDs(s.t, value) {
				facts.Replicas = append(facts.Replicas, int(id))
			}
		default:
			facts.Properties = append(facts.Properties, propertyOf(word+":"+topicSource))
		}
	}
	return facts
}

// propertyOf reads "name=value[:source[:read-only]]".
func propertyOf(text string) Property {
	words := strings.Split(text, ":")
	name, value, _ := strings.Cut(words[0], "=")
	p := Property{Name: name, Value: value, Source: "STATIC_BROKER_CONFIG"}
	if len(words) > 1 {
		p.Source = words[1]
	}
	p.ReadOnly = len(words) > 2
	return p
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
