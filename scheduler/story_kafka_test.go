package scheduler

import (
	"slices"
	"strings"

	"github.com/cockroachdb/datadriven"
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
		s.t.Fatal("no change was asked for")
	}
	return s.step(KafkaChanged{Change: s.change, Error: strings.TrimSpace(d.Input)})
}
