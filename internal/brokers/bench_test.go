package brokers

import (
	"testing"
	"time"
)

// BenchmarkPartitions joins what three brokers tell of 200,000 partitions of three replicas, on
// 1,000 brokers that all gave a sign of life: what a verdict costs beyond the questions themselves.
func BenchmarkPartitions(b *testing.B) {
	const brokers, topics, each = 1000, 2000, 100
	v := view{cluster: "c", topics: topics}
	trails := map[int]time.Duration{}
	for id := range brokers {
		v.brokers = append(v.brokers, broker{id: id, address: topicName(id)})
		trails[id] = 0
	}
	for p := range each {
		replicas := []int{p * 7 % brokers, (p*7 + 1) % brokers, (p*7 + 2) % brokers}
		v.partitions = append(v.partitions, partition{replicas[0], replicas, replicas})
	}
	response := v.metadata()
	response.SetVersion(metadata.max)
	body := response.AppendTo(nil)
	minimums := map[string]int{}
	for n := range topics {
		minimums[topicName(n)] = 2
	}
	q := quorum{leader: 0, epoch: 1, voters: []int{0, 1, 2}, behind: trails, trails: trails}
	var answers []*answer
	for id := range brokers {
		a := &answer{address: topicName(id), silent: id >= most, quorum: noQuorum, at: now}
		if id < most {
			a.brokers, a.tellsFenced, a.quorum = v.brokers, true, q
			a.whole = &whole{version: metadata.max, metadata: body, minimums: minimums}
		}
		answers = append(answers, a)
	}
	b.ReportAllocs()
	for b.Loop() {
		if n := partitions(now, answers).Partitions(); n != topics*each {
			b.Fatalf("%d partitions", n)
		}
	}
}
