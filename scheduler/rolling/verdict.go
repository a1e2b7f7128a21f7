package rolling

import (
	"fmt"
	"strings"
	"time"
)

// Answer is what a verdict comes to.
type Answer string

// The answers.
const (
	Allowed Answer = "allowed"
	Wait    Answer = "wait"    // it will change by itself, or by what runs already
	Refused Answer = "refused" // it will not change until somebody decides or changes something
)

// Code is the reason of a verdict, for programs.
type Code string

// The codes. Those of allowed verdicts come first.
const (
	Safe         Code = "safe"          // everything stays available
	Ended        Code = "ended"         // the process has ended already
	ServesNobody Code = "serves-nobody" // the broker is in no ISR, or fenced
	Accepted     Code = "accepted"      // fragile partitions go away, as was decided
	QuorumPauses Code = "quorum-pauses" // one or two voters: the controllers pause meanwhile
	Empty        Code = "empty"         // nothing is left on the node

	NoFacts       Code = "no-facts"       // nobody answered, or too long ago
	OneAnswer     Code = "one-answer"     // a second broker has to confirm
	StaleAnswer   Code = "stale-answer"   // who answered is behind with the metadata
	AnswersDiffer Code = "answers-differ" // of the node's partitions
	MinISRUnknown Code = "min-isr-unknown"
	BrokerSilent  Code = "broker-silent" // another broker does not answer
	BrokerDown    Code = "broker-down"   // another broker is not up
	Offline       Code = "offline-partitions"
	UnderMinISR   Code = "under-min-isr" // without the node there would be too few in sync
	Reassigning   Code = "reassigning"
	NoLeader      Code = "no-quorum-leader"
	QuorumLost    Code = "quorum-lost" // too few voters would be left
	TurnTaken     Code = "turn-taken"  // as many are down because of us as may be
	MoveFirst     Code = "move-first"  // fragile partitions have to leave the node
	Fragile       Code = "fragile-topics"
	DataLost      Code = "data-lost"     // nobody else has what the node has
	ReplicasLeft  Code = "replicas-left" // the node still hosts partitions
	VoterLeft     Code = "voter-left"    // the node is still a voter
)

// MostCauses is how many causes a verdict names; Count says how many there are.
const MostCauses = 10

// Verdict is the answer to "may this node go?".
type Verdict struct {
	Node   NodeID
	Answer Answer
	Code   Code
	// Causes are the first of what it rests on, and Count is the number of all.
	Causes []Cause
	Count  int
	// Need and Have are amounts of the code: answers, voters, nodes down.
	Have, Need int
	// Age is the age of the facts for NoFacts.
	Age time.Duration
}

// OK reports whether the node may go.
func (v Verdict) OK() bool { return v.Answer == Allowed }

// add adds a cause.
func (v *Verdict) add(c Cause) {
	v.Count++
	if len(v.Causes) < MostCauses {
		v.Causes = append(v.Causes, c)
	}
}

// Sentence says the verdict in words.
func (v Verdict) Sentence() string {
	node := fmt.Sprintf("node %d", v.Node)
	switch v.Code {
	case Safe:
		return node + " may go: every partition keeps its minimum in sync without it"
	case Ended:
		return node + " is not running"
	case ServesNobody:
		return node + " may go: it is in no ISR, so nobody misses it"
	case Accepted:
		return fmt.Sprintf("%s may go, and takes %s along for the while, as was decided",
			node, v.partitions())
	case QuorumPauses:
		return fmt.Sprintf("%s may go, but the controllers pause until it is back, "+
			"as only %s", node, count(v.Have, "votes", "vote"))
	case Empty:
		return node + " may leave: nothing is left on it"
	}
	return node + " has to stay: " + v.reason()
}

// reason is why a node has to stay.
func (v Verdict) reason() string {
	switch v.Code {
	case NoFacts:
		if v.Age == 0 {
			return "Kafka has not answered"
		}
		return fmt.Sprintf("the last answer of Kafka is %s old", v.Age.Round(time.Second/10))
	case OneAnswer:
		return fmt.Sprintf("%d of %d brokers told of the partitions, so nobody confirms it",
			v.Have, v.Need)
	case StaleAnswer:
		return v.nodes("answered without the latest metadata, or nobody knows whether with it")
	case AnswersDiffer:
		return "brokers differ about " + v.partitions()
	case MinISRUnknown:
		return "min.insync.replicas is not known of " + v.topics()
	case BrokerSilent:
		return v.nodes("did not answer just now")
	case BrokerDown:
		return v.nodes("not up")
	case TurnTaken:
		return v.nodes("down or coming back because of us") + v.limit()
	}
	return v.consequence()
}

// consequence is what would come of a node's going.
func (v Verdict) consequence() string {
	switch v.Code {
	case Offline:
		return v.partitions() + " without a leader"
	case UnderMinISR:
		return "too few would be in sync in " + v.partitions()
	case Reassigning:
		return v.partitions() + " being reassigned"
	case NoLeader:
		return "the controllers have no leader, or do not answer"
	case QuorumLost:
		text := fmt.Sprintf("without it %s caught up, and the quorum needs %d",
			count(v.Have, "voter is", "voters are"), v.Need)
		if v.Count > 0 {
			text += "; " + v.nodes("about to vote")
		}
		return text
	case MoveFirst:
		return v.partitions() + " to be moved away first, as they are unavailable without it"
	case Fragile:
		return v.partitions() + " unavailable without it: move them, raise the replication " +
			"factor, or allow it"
	case DataLost:
		return "nobody else has all the data of " + v.partitions()
	case ReplicasLeft:
		return "it still hosts " + v.partitions()
	case VoterLeft:
		return "it is still a voter of the controllers"
	}
	return string(v.Code)
}

func count(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// limit says how many may be down at a time.
func (v Verdict) limit() string {
	if v.Need == 1 {
		return ", and only one may be at a time"
	}
	return fmt.Sprintf(", and at most %d of one rack may be at a time", v.Need)
}

// partitions names the partitions: the first few, and how many more.
func (v Verdict) partitions() string {
	return v.list("partition", func(c Cause) string {
		if c.Need > 0 {
			return fmt.Sprintf("%s-%d (%d left, minimum %d)", c.Topic, c.Partition, c.Have, c.Need)
		}
		return fmt.Sprintf("%s-%d", c.Topic, c.Partition)
	})
}

func (v Verdict) topics() string {
	return v.list("topic", func(c Cause) string { return c.Topic })
}

func (v Verdict) nodes(what string) string {
	return v.list("node", func(c Cause) string { return fmt.Sprint(c.Node) }) + " " + what
}

// inSentence is how many causes a sentence names.
const inSentence = 3

func (v Verdict) list(noun string, name func(Cause) string) string {
	var names []string
	for _, c := range v.Causes[:min(inSentence, len(v.Causes))] {
		names = append(names, name(c))
	}
	if v.Count != 1 {
		noun += "s"
	}
	text := fmt.Sprintf("%d %s: %s", v.Count, noun, strings.Join(names, ", "))
	if v.Count == 1 {
		text = noun + " " + names[0]
	}
	if more := v.Count - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
