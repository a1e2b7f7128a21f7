package scheduler

import (
	"slices"

	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
)

// wholeOf is what brokers say of each partition that say these facts: five of a topic on all
// brokers, whose minimum is one less, or two of three. Who is behind is in the ISR of three of
// them, and partitions that are offline are on a voter alone that is no broker now.
func wholeOf(f KafkaFacts, more wholeMore) *rolling.Facts {
	if f.Error != "" {
		return nil
	}
	b := rolling.NewBuilder(f.Asked)
	q := rolling.Quorum{Leader: rolling.NodeID(f.Leader),
		Elected: f.Leader >= 0 && len(f.Voters) == 0}
	for _, id := range f.Voters {
		v := rolling.Voter{ID: rolling.NodeID(id), Answered: f.Asked, Behind: -1}
		if slices.Contains(f.Present, id) {
			v.Behind = 0
			q.Leader = max(q.Leader, 0)
		}
		q.Voters = append(q.Voters, v)
	}
	b.Quorum(q)
	var all, serve []rolling.NodeID
	missing := []rolling.NodeID{99}
	for _, id := range f.Voters {
		if f.broker(id) == nil && len(f.Brokers) > 0 {
			missing = []rolling.NodeID{rolling.NodeID(id)}
		}
	}
	for _, of := range f.Brokers {
		id := rolling.NodeID(of.ID)
		b.Broker(rolling.Broker{ID: id, Registered: true, Fenced: of.Fenced, Answered: f.Asked,
			Rack: more.racks[of.ID]})
		if of.Hosted > 0 {
			all = append(all, id)
		}
		if !of.Fenced {
			serve = append(serve, id)
		}
	}
	for _, from := range serve[:min(2, len(serve))] {
		b.Answer(from)
		for _, on := range more.single {
			alone := []rolling.NodeID{rolling.NodeID(on)}
			b.Partition(b.Topic("single", 1), 0, alone[0], alone, alone)
		}
		topic := b.Topic("events", max(1, min(2, len(all)-1)))
		for n := range 5 {
			isr := slices.DeleteFunc(slices.Clone(serve), func(id rolling.NodeID) bool {
				of := f.broker(int(id))
				return n < of.NotInSync || of.Hosted == 0
			})
			switch {
			case n < f.OfflinePartitions:
				b.Partition(topic, int32(n), rolling.None, missing, missing)
			case len(isr) > 0:
				leader := isr[0]
				if more.follows && len(isr) > 1 {
					leader = isr[1]
				}
				b.Partition(topic, int32(n), leader, all, isr)
			}
		}
	}
	return b.Facts()
}

// wholeMore is what a story says of partitions beyond KafkaFacts: that their preferred leader
// follows, which broker alone has another one, and the racks of brokers.
type wholeMore struct {
	follows bool
	single  []int
	racks   map[int]string
}
