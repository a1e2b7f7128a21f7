package rolling_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
)

// start is the time of the tables.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// cluster builds facts of a few words:
//
//	brokers 0@a 1@b 2@c      registered, unfenced, just answered; with racks
//	fenced 2, silent 2, gone 2, stale 2
//	voters 0 1 2 leader 0, then: lagging 1, dead 2
//	topic t min 2: 0+1+2-    partition t-0 leads on its first replica in sync; - is out of the ISR
//	answer 1                 what follows is what another broker says
//	moving t 0
//
// The first answer is that of broker 0 and the second one, if none is given, says the same.
func cluster(t testing.TB, text string) *rolling.Facts {
	t.Helper()
	k := &kit{TB: t, brokers: map[rolling.NodeID]*rolling.Broker{},
		answers: [][]string{nil}, from: []rolling.NodeID{0, 1},
		quorum: rolling.Quorum{Leader: rolling.None}}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if words := strings.Fields(line); len(words) > 0 {
			k.line(words)
		}
	}
	return k.build()
}

type kit struct {
	testing.TB
	order   []rolling.NodeID
	brokers map[rolling.NodeID]*rolling.Broker
	quorum  rolling.Quorum
	answers [][]string
	from    []rolling.NodeID
	moving  [][2]string
}

func number(text string) rolling.NodeID {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return rolling.NodeID(n)
}

func (k *kit) line(words []string) {
	switch words[0] {
	case "brokers":
		for _, w := range words[1:] {
			id, rack, _ := strings.Cut(w, "@")
			k.order = append(k.order, number(id))
			k.brokers[number(id)] = &rolling.Broker{ID: number(id), Rack: rack,
				Registered: true, Answered: start}
		}
	case "voters":
		for _, w := range words[1:] {
			if w == "leader" {
				break
			}
			k.quorum.Voters = append(k.quorum.Voters,
				rolling.Voter{ID: number(w), Answered: start})
		}
		k.quorum.Leader = number(words[len(words)-1])
	case "topic":
		last := len(k.answers) - 1
		k.answers[last] = append(k.answers[last], strings.Join(words, " "))
	case "answer":
		k.answers = append(k.answers, nil)
	case "only":
		k.from = []rolling.NodeID{number(words[1])}
	case "moving":
		k.moving = append(k.moving, [2]string{words[1], words[2]})
	default:
		k.mark(words[0], words[1:])
	}
}

func (k *kit) mark(what string, ids []string) {
	for _, w := range ids {
		b := k.brokers[number(w)]
		switch what {
		case "fenced":
			b.Fenced, b.Answered = true, time.Time{}
		case "silent":
			b.Answered = start.Add(-10 * time.Second)
		case "gone":
			b.Registered = false
		case "stale":
			b.Behind = 3 * time.Second
		case "lagging":
			k.voter(w).Behind = 3 * time.Second
		case "dead":
			k.voter(w).Answered = start.Add(-10 * time.Second)
		default:
			k.Fatalf("no such line: %s", what)
		}
	}
}

func (k *kit) voter(id string) *rolling.Voter {
	for i := range k.quorum.Voters {
		if k.quorum.Voters[i].ID == number(id) {
			return &k.quorum.Voters[i]
		}
	}
	k.Fatalf("no such voter: %s", id)
	return nil
}

func (k *kit) build() *rolling.Facts {
	b := rolling.NewBuilder(start)
	for _, id := range k.order {
		b.Broker(*k.brokers[id])
	}
	b.Quorum(k.quorum)
	for i, from := range k.from {
		b.Answer(from)
		next := make(map[string]int32)
		for _, line := range k.answers[min(i, len(k.answers)-1)] {
			k.partition(b, line, next)
		}
	}
	for _, m := range k.moving {
		b.Moving(m[0], int32(number(m[1])))
	}
	return b.Facts()
}

// partition reads "topic NAME min N: 0+1-".
func (k *kit) partition(b *rolling.Builder, line string, next map[string]int32) {
	head, list, _ := strings.Cut(line, ":")
	words := strings.Fields(head)
	topic := b.Topic(words[1], int(number(words[3])))
	var replicas, isr []rolling.NodeID
	leader := rolling.None
	for len(strings.TrimSpace(list)) > 0 {
		list = strings.TrimSpace(list)
		end := strings.IndexAny(list, "+-")
		id := number(list[:end])
		replicas = append(replicas, id)
		if list[end] == '+' {
			isr = append(isr, id)
			if k.brokers[id].Up() && leader == rolling.None {
				leader = id
			}
		}
		list = list[end+1:]
	}
	b.Partition(topic, next[words[1]], leader, replicas, isr)
	next[words[1]]++
}

func brief(v rolling.Verdict) string { return fmt.Sprintf("%s %s", v.Answer, v.Code) }
