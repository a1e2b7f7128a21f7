package kafkaadmin

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/kafka-sched/kafka-sched/api"
)

func partitionText(topic string, p int32) string { return fmt.Sprintf("%s-%d", topic, p) }

// spread chooses brokers for more replicas: in racks that have none of the partition first, and
// then the broker that has the fewest of all.
type spread struct {
	racks    map[int]string
	replicas map[int]int
}

func newSpread(all kadm.Metadata) spread {
	s := spread{map[int]string{}, map[int]int{}}
	for _, b := range all.Brokers {
		s.racks[int(b.NodeID)] = told(b.Rack)
	}
	for _, topic := range all.Topics {
		for _, p := range topic.Partitions {
			for _, id := range p.Replicas {
				s.replicas[int(id)]++
			}
		}
	}
	return s
}

// placements are those of the partitions of a topic that do not have so many replicas yet.
func (s spread) placements(topic api.TopicDetail, factor int) []api.Placement {
	list := []api.Placement{}
	for _, p := range topic.State {
		replicas := slices.Clone(p.Replicas)
		for len(replicas) > factor {
			replicas = s.shrink(replicas, p)
		}
		for len(replicas) < factor {
			id, ok := s.next(replicas)
			if !ok {
				break
			}
			s.replicas[id]++
			replicas = append(replicas, id)
		}
		if !slices.Equal(replicas, p.Replicas) {
			list = append(list, api.Placement{Topic: topic.Name, Partition: p.Partition,
				Replicas: replicas})
		}
	}
	return list
}

// shrink takes one replica away: the last that is not in sync, else the last of a rack that has
// another one, else the last.
func (s spread) shrink(replicas []int, p api.PartitionState) []int {
	last := len(replicas) - 1
	drop := -1
	for i := last; i >= 0 && drop < 0; i-- {
		if !slices.Contains(p.ISR, replicas[i]) && len(p.ISR) > 0 {
			drop = i
		}
	}
	for i := last; i > 0 && drop < 0; i-- {
		if s.sharesRack(replicas, i) {
			drop = i
		}
	}
	if drop < 0 {
		drop = last
	}
	s.replicas[replicas[drop]]--
	return slices.Delete(replicas, drop, drop+1)
}

// sharesRack says whether another replica is in the same rack.
func (s spread) sharesRack(replicas []int, i int) bool {
	rack := s.racks[replicas[i]]
	return rack != "" && slices.ContainsFunc(replicas, func(id int) bool {
		return id != replicas[i] && s.racks[id] == rack
	})
}

// next is the best broker for one more replica.
func (s spread) next(replicas []int) (int, bool) {
	inRack := map[string]int{}
	for _, id := range replicas {
		inRack[s.racks[id]]++
	}
	var free []int
	for _, id := range slices.Sorted(maps.Keys(s.racks)) {
		if !slices.Contains(replicas, id) {
			free = append(free, id)
		}
	}
	if len(free) == 0 {
		return 0, false
	}
	return slices.MinFunc(free, func(a, b int) int {
		return cmp.Or(cmp.Compare(inRack[s.racks[a]], inRack[s.racks[b]]),
			cmp.Compare(s.replicas[a], s.replicas[b]), cmp.Compare(a, b))
	}), true
}
